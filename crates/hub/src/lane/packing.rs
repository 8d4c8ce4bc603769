//! When a call is started that could carry more records than are there, and how many records share a flight.

use std::time::Duration;

/// How long records wait for company while another call is under way. A vendor's own time is of that order; a quiet lane never waits.
const LINGER: Duration = Duration::from_millis(10);

/// So many records fly together at most when each takes a call of its own.
const COMPANY: usize = 8;

/// How many records a flight takes at most, where one call carries `most`. With calls of their own, records share a flight only while this node is
/// what they wait for (`is_own`): what is done once for a flight is saved, and a fast vendor keeps nobody waiting for the others of the flight.
/// `free`: so many further calls may be made at the same time.
pub(super) fn records(most: usize, free: usize, is_own: bool) -> usize {
    match most {
        1 if is_own => COMPANY.min(free),
        _ => most,
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
    /// With `ready` records of which `most` fit into one call, `under_way` calls, and the lane aware since `waited` that there are some. (How
    /// long they have been due does not count: a store that commits slowly would use up the time.)
    pub(super) fn decide(ready: usize, most: usize, under_way: usize, waited: Duration) -> Self {
        let rest = LINGER.saturating_sub(waited);
        if ready >= most || under_way == 0 || rest.is_zero() {
            return Self::Now;
        }
        Self::In(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_lane_adds_no_delay_and_a_busy_one_waits_for_company() {
        let ms = Duration::from_millis;
        assert_eq!(Start::decide(1, 100, 0, ms(0)), Start::Now, "nothing else is under way");
        assert_eq!(Start::decide(100, 100, 5, ms(0)), Start::Now, "the call is full");
        assert_eq!(Start::decide(1, 1, 5, ms(0)), Start::Now, "nothing could join it");
        assert_eq!(Start::decide(7, 100, 1, ms(4)), Start::In(ms(6)));
        assert_eq!(
            Start::decide(7, 100, 1, ms(10)),
            Start::Now,
            "it has waited long enough"
        );
    }

    #[test]
    fn records_with_calls_of_their_own_fly_together_only_where_this_node_is_the_slow_part() {
        assert_eq!(records(50, 10, true), 50, "one call carries them");
        assert_eq!(records(1, 10, false), 1, "the vendor is the slow part");
        assert_eq!(records(1, 10, true), COMPANY);
        assert_eq!(records(1, 2, true), 2, "no more calls may be made at the same time");
    }
}
