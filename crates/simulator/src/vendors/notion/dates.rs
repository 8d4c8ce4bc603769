//! Days and moments as Notion reads and shows them.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};

/// A day or a moment that stands in a `date` value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct When {
    /// As Notion shows it: a day as it is, a moment with milliseconds and offset.
    pub shown: String,
    /// Milliseconds since 1970; of a day, its first moment in UTC.
    pub ms: i64,
    /// Whether it is a whole day.
    pub is_day: bool,
}

/// Reads an ISO 8601 day or moment; a moment without an offset is in UTC. `None` when it is neither.
#[must_use]
pub fn read(text: &str) -> Option<When> {
    if text.len() == 10 {
        let day: Date = text.parse().ok()?;
        let ms = TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()?.as_millisecond();
        let shown = text.to_owned();
        return Some(When {
            shown,
            ms,
            is_day: true,
        });
    }
    // Something with a date and nothing else, as `2026-W01`, is no moment.
    if !text.contains(['T', ' ']) {
        return None;
    }
    let moment = match text.parse::<Timestamp>() {
        Ok(moment) => moment,
        Err(_) => TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok()?,
    };
    let offset = offset(text);
    let local = offset.to_datetime(moment);
    let minutes = offset.seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    let (hours, minutes) = (minutes.abs() / 60, minutes.abs() % 60);
    Some(When {
        shown: format!(
            "{}{sign}{hours:02}:{minutes:02}",
            local.strftime("%Y-%m-%dT%H:%M:%S.%3f")
        ),
        ms: moment.as_millisecond(),
        is_day: false,
    })
}

/// The offset at the end of a moment; UTC without one.
fn offset(text: &str) -> Offset {
    let clock = text.get(11..).unwrap_or_default();
    let sign = match clock.rfind(['+', '-']) {
        Some(at) => &clock[at..],
        None => return Offset::UTC,
    };
    let digits: String = sign.chars().filter(char::is_ascii_digit).collect();
    let part = |range: std::ops::Range<usize>| digits.get(range).and_then(|two| two.parse::<i32>().ok()).unwrap_or(0);
    let seconds = part(0..2) * 3_600 + part(2..4) * 60;
    Offset::from_seconds(if sign.starts_with('-') { -seconds } else { seconds }).unwrap_or(Offset::UTC)
}

/// Notion rounds the times of its own down to the minute (fact sheet §10).
#[must_use]
pub fn minute(ms: i64) -> i64 {
    ms.div_euclid(60_000) * 60_000
}

/// A time of Notion's own as it is shown.
#[must_use]
pub fn stamp(ms: i64) -> String {
    let moment = Timestamp::from_millisecond(minute(ms)).unwrap_or_default();
    moment.strftime("%Y-%m-%dT%H:%M:00.000Z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_shown_with_milliseconds_and_days_as_they_are() {
        for (text, shown) in [
            ("2026-12-01", Some("2026-12-01")),
            ("2026-12-01T10:00:00+01:00", Some("2026-12-01T10:00:00.000+01:00")),
            ("2026-12-01T10:00:00-0330", Some("2026-12-01T10:00:00.000-03:30")),
            ("2026-11-20T10:15:30.123Z", Some("2026-11-20T10:15:30.123+00:00")),
            ("2026-11-20T10:15", Some("2026-11-20T10:15:00.000+00:00")),
            ("2026-11-20 10:15:30", Some("2026-11-20T10:15:30.000+00:00")),
            ("2026-13-01", None),
            ("昨天", None),
            ("", None),
            ("1763600000", None),
        ] {
            assert_eq!(read(text).map(|when| when.shown).as_deref(), shown, "{text}");
        }
    }

    #[test]
    fn own_times_are_rounded_down() {
        assert_eq!(stamp(1_795_521_659_999), "2026-11-24T12:00:00.000Z");
    }
}
