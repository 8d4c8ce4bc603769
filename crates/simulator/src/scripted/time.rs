//! Times as vendors write them. A time is milliseconds since 1970 everywhere.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use rhai::{Dynamic, Engine, INT};

use super::Wrong;

/// `iso`, `iso_s`, `iso_offset`, `date`, `datetime`, `parse_time`.
pub fn register(engine: &mut Engine) {
    engine.register_fn("iso", |ms: INT| written(ms, Offset::UTC, "%Y-%m-%dT%H:%M:%S.%3fZ"));
    engine.register_fn("iso_s", |ms: INT| written(ms, Offset::UTC, "%Y-%m-%dT%H:%M:%SZ"));
    engine.register_fn("date", |ms: INT| written(ms, Offset::UTC, "%Y-%m-%d"));
    engine.register_fn("datetime", |ms: INT| written(ms, Offset::UTC, "%Y-%m-%d %H:%M:%S"));
    engine.register_fn("iso_offset", |ms: INT, offset: &str| -> Result<String, Wrong> {
        let known =
            read_offset(offset).ok_or_else(|| Wrong::from(format!("`{offset}` is no offset, as +03:00 is one")))?;
        written(ms, known, "%Y-%m-%dT%H:%M:%S").map(|text| text + offset)
    });
    engine.register_fn("parse_time", |text: Dynamic| {
        let read = text.as_immutable_string_ref().ok().and_then(|text| read(&text));
        read.map_or(Dynamic::UNIT, Dynamic::from_int)
    });
}

fn written(ms: INT, offset: Offset, form: &str) -> Result<String, Wrong> {
    let moment = Timestamp::from_millisecond(ms);
    let moment = moment.map_err(|_| Wrong::from(format!("{ms} ms since 1970 is no time that has a date")))?;
    Ok(offset.to_datetime(moment).strftime(form).to_string())
}

/// `+03:00`, `-0330`, `Z`.
fn read_offset(text: &str) -> Option<Offset> {
    if text == "Z" {
        return Some(Offset::UTC);
    }
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits: String = text[1..].chars().filter(|letter| *letter != ':').collect();
    if digits.len() != 4 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (digits[..2].parse().ok()?, digits[2..].parse().ok()?);
    Offset::from_seconds(sign * (hours * 3_600 + minutes * 60)).ok()
}

/// Reads an ISO 8601 day or moment; what has no offset is in UTC.
fn read(text: &str) -> Option<INT> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment.as_millisecond());
    }
    let local = if text.len() == 10 {
        text.parse::<Date>().ok()?.at(0, 0, 0, 0)
    } else if text.contains(['T', ' ']) {
        text.parse::<DateTime>().ok()?
    } else {
        return None;
    };
    TimeZone::UTC.to_timestamp(local).ok().map(Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::scripted::trial::{fails, says};

    #[test]
    fn times_are_written_and_read() {
        for (script, expected) in [
            ("iso(1795600800123)", json!("2026-11-25T10:00:00.123Z")),
            ("iso_s(1795600800999)", json!("2026-11-25T10:00:00Z")),
            (
                r#"iso_offset(1795600800000, "+03:00")"#,
                json!("2026-11-25T13:00:00+03:00"),
            ),
            (
                r#"iso_offset(1795600800000, "-0330")"#,
                json!("2026-11-25T06:30:00-0330"),
            ),
            ("date(1795600800000)", json!("2026-11-25")),
            ("datetime(1795600800000)", json!("2026-11-25 10:00:00")),
            ("iso(-1)", json!("1969-12-31T23:59:59.999Z")),
            (r#"parse_time("2026-11-25T10:00:00Z")"#, json!(1_795_600_800_000_i64)),
            (
                r#"parse_time("2026-11-25T13:00:00.5+03:00")"#,
                json!(1_795_600_800_500_i64),
            ),
            (
                r#"parse_time("2026-11-25T13:00:00+0300")"#,
                json!(1_795_600_800_000_i64),
            ),
            (r#"parse_time("2026-11-25T10:00:00")"#, json!(1_795_600_800_000_i64)),
            (r#"parse_time("2026-11-25 10:00:00")"#, json!(1_795_600_800_000_i64)),
            (r#"parse_time("2026-11-25")"#, json!(1_795_564_800_000_i64)),
            (
                r#"[parse_time("2026-13-01"), parse_time("昨天"), parse_time(""), parse_time(()), parse_time("1795600800")]"#,
                json!([null, null, null, null, null]),
            ),
        ] {
            assert_eq!(says(script), expected, "{script}");
        }
        assert!(fails(r#"iso_offset(0, "Moscow")"#).contains("no offset"));
        assert!(fails("iso(9223372036854775807)").contains("no time"));
    }
}
