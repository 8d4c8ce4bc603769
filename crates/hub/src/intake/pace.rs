//! Keeps what comes in and what goes out at one pace.
//!
//! A vendor that is slow costs a backlog on the disk and nothing else. But where this node's own power is what deliveries wait for, taking in more
//! would only make everybody's deliveries later: then senders wait a little for their answer, and when that does not help they are told to
//! come back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// So many deliveries may wait for this node without anybody noticing.
const EASY: i64 = 256;
/// So many more cost a sender one millisecond.
const PER_MILLISECOND: i64 = 64;
/// No sender waits longer than this, in milliseconds.
const LONGEST_MS: i64 = 100;
/// With more than this many, senders are told to come back.
const TOO_MANY: i64 = 20_000;

/// How much this node owes: deliveries that could be sent if it had more power.
#[derive(Debug, Default)]
pub struct Pace(AtomicI64);

/// What one lane owes; nothing any more when it is dropped.
#[derive(Debug)]
pub(crate) struct Owed {
    pace: Arc<Pace>,
    count: i64,
}

impl Pace {
    /// How long a sender waits for its answer; `None`: it is told to come back.
    pub(super) fn delay(&self) -> Option<Duration> {
        delay_ms(self.0.load(Ordering::Relaxed)).map(Duration::from_millis)
    }
}

fn delay_ms(owed: i64) -> Option<u64> {
    if owed > TOO_MANY {
        return None;
    }
    let wait = (owed - EASY) / PER_MILLISECOND;
    u64::try_from(wait.clamp(0, LONGEST_MS)).ok()
}

impl Owed {
    /// A lane that owes nothing.
    pub(crate) fn new(pace: Arc<Pace>) -> Self {
        Self { pace, count: 0 }
    }

    /// It owes so many now.
    pub(crate) fn set(&mut self, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.pace.0.fetch_add(count - self.count, Ordering::Relaxed);
        self.count = count;
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_wait_the_longer_the_more_is_owed_and_are_told_to_come_back_at_last() {
        assert_eq!(delay_ms(0), Some(0));
        assert_eq!(delay_ms(EASY), Some(0));
        assert_eq!(delay_ms(EASY + 10 * PER_MILLISECOND), Some(10));
        assert_eq!(delay_ms(TOO_MANY), Some(LONGEST_MS as u64));
        assert_eq!(delay_ms(TOO_MANY + 1), None);
    }

    #[test]
    fn a_lane_that_ends_owes_nothing_any_more() {
        let pace = Arc::new(Pace::default());
        let (mut one, mut other) = (Owed::new(Arc::clone(&pace)), Owed::new(Arc::clone(&pace)));
        one.set(1_000);
        other.set(5);
        one.set(300);
        assert_eq!(pace.0.load(Ordering::Relaxed), 305);
        drop(one);
        assert_eq!(pace.0.load(Ordering::Relaxed), 5);
    }
}
