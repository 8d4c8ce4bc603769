//! Days and moments in the ways in which they come: RFC 3339, `YYYY-MM-DD HH:MM:SS` (taken as UTC), `YYYY-MM-DD`, Unix seconds
//! or milliseconds as number or digits.

use jiff::{Timestamp, civil, tz::TimeZone};
use serde_json::Value;

/// Unix times beyond this are milliseconds: it is the year 5138 in seconds and 1973 in milliseconds.
const SECONDS_END: i64 = 100_000_000_000;

enum Moment {
    Day(civil::Date),
    Instant(Timestamp),
}

fn parse(value: &Value) -> Option<Moment> {
    match value {
        Value::Number(number) => unix(
            number
                .as_i64()
                .or_else(|| number.as_f64().map(|seconds| seconds as i64))?,
        ),
        Value::String(text) => parse_text(text.trim()),
        _ => None,
    }
}

fn parse_text(text: &str) -> Option<Moment> {
    if text.len() >= 9 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return unix(text.parse().ok()?);
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(Moment::Instant(instant));
    }
    if text.len() <= 10 {
        return text.parse().ok().map(Moment::Day);
    }
    let local: civil::DateTime = text.parse().ok()?;
    TimeZone::UTC.to_timestamp(local).ok().map(Moment::Instant)
}

fn unix(number: i64) -> Option<Moment> {
    let milliseconds = if number.abs() < SECONDS_END {
        number.checked_mul(1000)?
    } else {
        number
    };
    Timestamp::from_millisecond(milliseconds).ok().map(Moment::Instant)
}

/// As a day, `YYYY-MM-DD`.
pub(super) fn date(value: &Value) -> Option<Value> {
    let day = match parse(value)? {
        Moment::Day(day) => day,
        Moment::Instant(instant) => TimeZone::UTC.to_datetime(instant).date(),
    };
    Some(day.to_string().into())
}

/// As a moment, RFC 3339 in UTC.
pub(super) fn datetime(value: &Value) -> Option<Value> {
    let instant = match parse(value)? {
        Moment::Day(day) => TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()?,
        Moment::Instant(instant) => instant,
    };
    Some(instant.to_string().into())
}

/// A day as a day, a moment as a moment; one that has its own offset keeps it.
pub(super) fn either(value: &Value) -> Option<Value> {
    match parse(value)? {
        Moment::Day(day) => Some(day.to_string().into()),
        Moment::Instant(_)
            if value
                .as_str()
                .is_some_and(|text| text.trim().parse::<Timestamp>().is_ok()) =>
        {
            Some(value.clone())
        }
        Moment::Instant(instant) => Some(instant.to_string().into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_moment_is_understood_however_it_is_written() {
        for (given, day, moment) in [
            (json!("2026-11-20T10:15:30Z"), "2026-11-20", "2026-11-20T10:15:30Z"),
            (
                json!("2026-11-21T02:15:30.5+08:00"),
                "2026-11-20",
                "2026-11-20T18:15:30.5Z",
            ),
            (json!("2025-08-03 14:30:00"), "2025-08-03", "2025-08-03T14:30:00Z"),
            (json!("2026-12-15"), "2026-12-15", "2026-12-15T00:00:00Z"),
            (json!("1677657600"), "2023-03-01", "2023-03-01T08:00:00Z"),
            (json!(1_677_657_600_123_i64), "2023-03-01", "2023-03-01T08:00:00.123Z"),
        ] {
            assert_eq!(date(&given), Some(json!(day)), "{given}");
            assert_eq!(datetime(&given), Some(json!(moment)), "{given}");
        }
        for nonsense in [
            json!("yesterday"),
            json!("2026-13-01"),
            json!({}),
            json!(true),
            json!("明天"),
        ] {
            assert_eq!(datetime(&nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_moment_with_an_offset_keeps_it_where_both_are_allowed() {
        assert_eq!(
            either(&json!("2026-12-01T10:00:00+01:00")),
            Some(json!("2026-12-01T10:00:00+01:00"))
        );
        assert_eq!(either(&json!("2026-12-01")), Some(json!("2026-12-01")));
        assert_eq!(either(&json!(1_677_657_600)), Some(json!("2023-03-01T08:00:00Z")));
    }
}
