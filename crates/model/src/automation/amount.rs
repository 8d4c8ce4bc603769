//! How long something takes, as people write it.

use jiff::{Span, SpanRelativeTo};

/// The longest wait: a year and a day.
const LONGEST_MS: i64 = 366 * 86_400_000;

/// A duration in milliseconds: `90 minutes`, `2h 30m`, `3 days`, `1 week`, or ISO 8601 (`PT2H`). A day has 24 hours. `None` when it is none
/// of these, negative, nothing, or longer than a year.
pub fn read_duration_ms(text: &str) -> Option<i64> {
    let span: Span = text.trim().parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    let ms = i64::try_from(duration.as_millis()).ok()?;
    (1..=LONGEST_MS).contains(&ms).then_some(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, expected) in [
            ("90 minutes", Some(5_400_000)),
            ("2h 30m", Some(9_000_000)),
            ("3 days", Some(259_200_000)),
            ("1 week", Some(604_800_000)),
            ("PT2H", Some(7_200_000)),
            ("500ms", Some(500)),
            ("0s", None),
            ("-5 minutes", None),
            ("2 years", None),
            ("1 month", None),
            ("soon", None),
            ("", None),
            ("15", None),
        ] {
            assert_eq!(read_duration_ms(text), expected, "{text}");
        }
    }
}
