//! The time of day as a parameter.

mod steady;

use std::sync::atomic::{AtomicI64, Ordering};

pub use steady::SteadyClock;

/// Tells the time in Unix milliseconds.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Now.
    fn now_ms(&self) -> i64;
}

/// The machine's clock, whatever is done to it. For single readings; what works on goes by a [`SteadyClock`].
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        machine_us().div_euclid(1_000)
    }
}

/// What the machine's clock shows, in Unix microseconds.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the machine's clock is read"
)]
fn machine_us() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}

/// A moment of Unix milliseconds as people and programs read it: RFC 3339, UTC, always three decimals, so that moments sort as
/// text too. Empty for one that no calendar has.
pub fn moment(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .map(|moment| format!("{moment:.3}"))
        .unwrap_or_default()
}

/// A clock that stands still until it is set.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `ms`.
    pub fn at(ms: i64) -> Self {
        Self(AtomicI64::new(ms))
    }

    /// Moves it by `ms`, also backwards.
    pub fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn moments_are_written_with_milliseconds() {
        assert_eq!(moment(1_795_512_600_000), "2026-11-24T09:30:00.000Z");
        assert_eq!(moment(1_795_512_600_620), "2026-11-24T09:30:00.620Z");
        assert_eq!(moment(i64::MAX), "");
    }

    proptest! {
        #[test]
        fn moments_sort_as_text(one in 0..253_402_207_200_000_i64, apart in 0..100_000_i64) {
            let other = (one - apart).max(0);
            prop_assert_eq!(moment(one).cmp(&moment(other)), one.cmp(&other));
            prop_assert_eq!(moment(one).parse::<jiff::Timestamp>().unwrap().as_millisecond(), one);
        }
    }
}
