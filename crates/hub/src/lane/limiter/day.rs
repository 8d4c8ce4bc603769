//! A calendar day somewhere on earth.

use jiff::{Timestamp, tz::TimeZone};

/// Longest day that is expected where the calendar does not tell, in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What began on the current day.
#[derive(Debug, Clone)]
pub(super) struct Day {
    zone: TimeZone,
    begins_ms: i64,
    ends_ms: i64,
    held: u64,
}

impl Day {
    /// Days of this zone.
    pub(super) fn new(zone: TimeZone) -> Self {
        Self {
            zone,
            begins_ms: i64::MIN,
            ends_ms: i64::MIN,
            held: 0,
        }
    }

    /// Turns the page. A clock that goes back stays on the later day: what was let in there still counts.
    fn turn(&mut self, now_ms: i64) {
        if now_ms >= self.ends_ms {
            (self.begins_ms, self.ends_ms) = day_of(&self.zone, now_ms);
            self.held = 0;
        }
    }

    /// What counts now.
    pub(super) fn held(&mut self, now_ms: i64) -> u64 {
        self.turn(now_ms);
        self.held
    }

    /// When the next day begins.
    pub(super) fn ends_ms(&mut self, now_ms: i64) -> i64 {
        self.turn(now_ms);
        self.ends_ms
    }

    /// Lets `points` in.
    pub(super) fn add(&mut self, points: u64, now_ms: i64) {
        self.turn(now_ms);
        self.held += points;
    }

    /// What began at `at_ms` took `points` more or less than was thought.
    pub(super) fn correct(&mut self, at_ms: i64, points: i64) {
        if (self.begins_ms..self.ends_ms).contains(&at_ms) {
            self.held = self.held.saturating_add_signed(points);
        }
    }
}

/// The first moment of the day around this moment, and that of the next day.
fn day_of(zone: &TimeZone, now_ms: i64) -> (i64, i64) {
    let days = || {
        let now = Timestamp::from_millisecond(now_ms).ok()?;
        // Some zones skip midnight once a year; a day begins when it begins.
        let begin = now.to_zoned_datetime(zone.clone()).start_of_day().ok()?;
        let end = begin.tomorrow().ok()?.start_of_day().ok()?;
        Some((begin.timestamp().as_millisecond(), end.timestamp().as_millisecond()))
    };
    // Only at the ends of the calendar, thousands of years from here.
    days().unwrap_or((now_ms, now_ms.saturating_add(DAY_MS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn a_day_ends_at_the_zones_midnight_also_when_clocks_are_put_forward() {
        let mut day = Day::new(TimeZone::get("Europe/Berlin").unwrap());
        day.add(5, ms("2026-03-28T23:30:00Z"));
        // 29 March 2026 has 23 hours in Berlin.
        assert_eq!(day.ends_ms(ms("2026-03-28T23:30:00Z")), ms("2026-03-29T22:00:00Z"));
        assert_eq!(day.held(ms("2026-03-29T21:59:59Z")), 5);
        assert_eq!(day.held(ms("2026-03-29T22:00:00Z")), 0);
        day.correct(ms("2026-03-28T23:30:00Z"), 7);
        assert_eq!(day.held(ms("2026-03-29T22:00:01Z")), 0);
    }
}
