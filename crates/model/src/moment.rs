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

/// A moment in any of the forms that senders use: RFC 3339, `YYYY-MM-DD HH:MM:SS` and its kin (read as UTC), Unix seconds or milliseconds as
/// number or digits. `None` when it is none of these.
pub fn read_moment(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(number) => from_number(number.as_i64().or_else(|| number.as_f64().map(|f| f as i64))?),
        Value::String(text) => from_text(text.trim()),
        _ => None,
    }
}

fn from_number(number: i64) -> Option<Timestamp> {
    if number <= 0 {
        None
    } else if number <= LARGEST_SECONDS {
        Timestamp::from_second(number).ok()
    } else {
        Timestamp::from_millisecond(number).ok()
    }
}

fn from_text(text: &str) -> Option<Timestamp> {
    if text.len() >= 9 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return from_number(text.parse().ok()?);
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
    TimeZone::UTC.to_timestamp(civil).ok()
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
