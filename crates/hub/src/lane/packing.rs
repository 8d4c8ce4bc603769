//! When a call is started that could carry more records than are there.

use std::time::Duration;

/// How long records wait for company while another call is under way, in milliseconds. A vendor's own time is of that order; a quiet lane never
/// waits.
const LINGER_MS: i64 = 10;

/// Whether to start a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// At once.
    Now,
    /// Not yet: the calls under way bring company, or at least this time is over then.
    In(Duration),
}

impl Start {
    /// With `ready` records of which `most` fit into one call, `under_way` calls, and the first record due for `waited_ms`.
    pub(super) fn decide(ready: usize, most: usize, under_way: usize, waited_ms: i64) -> Self {
        let rest = LINGER_MS - waited_ms;
        if ready >= most || under_way == 0 || rest <= 0 {
            return Self::Now;
        }
        Self::In(Duration::from_millis(rest.unsigned_abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_lane_adds_no_delay_and_a_busy_one_waits_for_company() {
        assert_eq!(Start::decide(1, 100, 0, 0), Start::Now, "nothing else is under way");
        assert_eq!(Start::decide(100, 100, 5, 0), Start::Now, "the call is full");
        assert_eq!(Start::decide(1, 1, 5, 0), Start::Now, "nothing could join it");
        assert_eq!(Start::decide(7, 100, 1, 4), Start::In(Duration::from_millis(6)));
        assert_eq!(Start::decide(7, 100, 1, 10), Start::Now, "it has waited long enough");
    }
}
