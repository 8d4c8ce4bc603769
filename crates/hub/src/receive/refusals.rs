//! Requests that are not the pusher's: counted, and the last of them kept in memory with the reason, for the person who sets a source up.

use std::collections::VecDeque;

use parking_lot::Mutex;

/// So many are kept of each source; older ones are only counted.
const KEPT: usize = 50;

/// A request that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// Where it came from.
    pub from: String,
    /// `POST`.
    pub method: String,
    /// How long its body was.
    pub bytes: usize,
    /// Why it was refused.
    pub reason: String,
}

/// The refusals of one source, on this node.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<Log>);

#[derive(Debug, Default)]
struct Log {
    count: u64,
    last: VecDeque<Refusal>,
}

impl Refusals {
    /// Another one.
    pub(super) fn add(&self, refusal: Refusal) {
        let mut log = self.0.lock();
        log.count += 1;
        if log.last.len() == KEPT {
            log.last.pop_back();
        }
        log.last.push_front(refusal);
    }

    /// How many there were since this node started, and the last of them, newest first.
    pub fn look(&self) -> (u64, Vec<Refusal>) {
        let log = self.0.lock();
        (log.count, log.last.iter().cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_counted_and_the_last_ones_kept() {
        let refusals = Refusals::default();
        for at_ms in 0..60 {
            refusals.add(Refusal {
                at_ms,
                from: "192.0.2.7".into(),
                method: "POST".into(),
                bytes: 2,
                reason: "the signature does not fit the request".into(),
            });
        }
        let (count, last) = refusals.look();
        assert_eq!((count, last.len()), (60, KEPT));
        assert_eq!((last[0].at_ms, last[KEPT - 1].at_ms), (59, 10));
    }
}
