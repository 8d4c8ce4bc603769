//! Reads the moments that senders write.

use jiff::{Timestamp, civil::DateTime, fmt::strtime, tz::TimeZone};
use serde_json::Value;

/// Numbers up to here are Unix seconds (until the year 5138), larger ones milliseconds.
const LARGEST_SECONDS: i64 = 99_999_999_999;

/// Forms without an offset, read as UTC.
const CIVIL: &[&str] = &[
    "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
];

/// A moment in any of the forms that senders use: RFC 3339, `YYYY-MM-DD HH:MM:SS` and its kin (read as UTC), Unix
/// seconds or milliseconds as number or digits. `None` when it is none of these.
pub fn read_moment(value: &Value) -> Option<Timestamp> {
    read_moment_in(value, &TimeZone::UTC)
}

/// The same, with a time of day without an offset read as the time of day in `zone`.
pub fn read_moment_in(value: &Value, zone: &TimeZone) -> Option<Timestamp> {
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(whole) => from_whole(whole),
            None => from_fraction(number.as_f64()?),
        },
        Value::String(text) => from_text(text.trim(), zone),
        _ => None,
    }
}

fn from_whole(number: i64) -> Option<Timestamp> {
    if number <= 0 {
        None
    } else if number <= LARGEST_SECONDS {
        Timestamp::from_second(number).ok()
    } else {
        Timestamp::from_millisecond(number).ok()
    }
}

/// Seconds with a fraction are kept to the millisecond.
fn from_fraction(number: f64) -> Option<Timestamp> {
    let seconds = (0.0..=LARGEST_SECONDS as f64).contains(&number);
    let milliseconds = if seconds { number * 1000.0 } else { number };
    Timestamp::from_millisecond(milliseconds.round() as i64)
        .ok()
        .filter(|moment| moment.as_millisecond() > 0)
}

fn from_text(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if text.len() >= 9 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return from_whole(text.parse().ok()?);
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    let civil = text.parse::<DateTime>().ok().or_else(|| {
        CIVIL.iter().find_map(|form| {
            strtime::parse(form, text)
                .ok()
                .and_then(|parts| parts.to_datetime().ok())
        })
    })?;
    zone.to_timestamp(civil).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_moment_is_read_in_the_forms_that_senders_use() {
        let expected: Timestamp = "2026-11-24T09:30:00Z".parse().unwrap();
        for value in [
            json!("2026-11-24T09:30:00Z"),
            json!("2026-11-24T17:30:00+08:00"),
            json!("2026-11-24 09:30:00"),
            json!("2026/11/24 09:30"),
            json!("24.11.2026 09:30"),
            json!(" 2026-11-24T09:30:00 "),
            json!(1_795_512_600),
            json!("1795512600"),
            json!(1_795_512_600_000_i64),
            json!("1795512600000"),
        ] {
            assert_eq!(read_moment(&value), Some(expected), "{value}");
        }
    }

    #[test]
    fn a_time_of_day_without_an_offset_is_that_of_the_zone() {
        let minsk = TimeZone::get("Europe/Minsk").unwrap();
        let expected: Timestamp = "2025-08-03T11:30:00Z".parse().unwrap();
        for text in [
            "2025-08-03 14:30:00",
            "2025-08-03T14:30:00+03:00",
            "2025-08-03T11:30:00Z",
            "1754220600",
        ] {
            assert_eq!(read_moment_in(&json!(text), &minsk), Some(expected), "{text}");
        }
    }

    #[test]
    fn seconds_with_a_fraction_keep_their_milliseconds() {
        assert_eq!(
            read_moment(&json!(1_795_512_600.25)).unwrap().as_millisecond(),
            1_795_512_600_250
        );
        assert_eq!(read_moment(&json!(0.5)).unwrap().as_millisecond(), 500);
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for value in [
            json!("yesterday"),
            json!(null),
            json!([]),
            json!(-5),
            json!(""),
            json!("昨天"),
            json!(true),
        ] {
            assert_eq!(read_moment(&value), None, "{value}");
        }
    }
}
