//! When a call is started that could carry more records than are there, and how many records share a flight.

use std::time::Duration;

/// How long records wait for company while another call is under way, in milliseconds. A vendor's own time is of that order; a quiet lane never
/// waits.
const LINGER_MS: i64 = 10;

/// So many records fly together at most when each takes a call of its own.
const COMPANY: usize = 8;

/// How many records a flight takes, and how many calls it may have under way at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Load {
    pub records: usize,
    pub calls: usize,
}

impl Load {
    /// Where one call carries `most` records. With calls of their own, records share a flight only while this node is what they wait for
    /// (`is_own`): what is done once for a flight is saved, and a fast vendor keeps nobody waiting for the others of his flight. `ready`
    /// records could be taken and `free` further calls be made.
    pub(super) fn decide(most: usize, ready: usize, free: usize, is_own: bool) -> Self {
        if most > 1 || !is_own {
            return Self {
                records: most,
                calls: 1,
            };
        }
        let records = COMPANY.min(ready).min(free).max(1);
        Self {
            records,
            calls: records,
        }
    }
}

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

    #[test]
    fn records_with_calls_of_their_own_fly_together_only_where_this_node_is_the_slow_part() {
        let decided = |most, ready, free, is_own| {
            let load = Load::decide(most, ready, free, is_own);
            (load.records, load.calls)
        };
        assert_eq!(decided(50, 200, 10, true), (50, 1), "one call carries them");
        assert_eq!(decided(1, 200, 10, false), (1, 1), "the vendor is the slow part");
        assert_eq!(decided(1, 200, 10, true), (COMPANY, COMPANY));
        assert_eq!(decided(1, 3, 10, true), (3, 3), "no more are there");
        assert_eq!(
            decided(1, 200, 2, true),
            (2, 2),
            "no more calls may be made at the same time"
        );
    }
}
