//! A clock that never goes back.

use std::time::Instant;

use parking_lot::Mutex;

use super::{Clock, machine_us};

/// A clock that is set back by more than this is told of, in microseconds.
const TOLD_US: i64 = 1_000_000;

/// The machine's clock for as long as that goes forward. Where it is set back, this one goes at half its pace until both agree again: what waits
/// for a moment, a delivery or a limit, waits twice as long at most, and not for as long as the clock was set back.
#[derive(Debug)]
pub struct SteadyClock {
    begun: Instant,
    pace: Mutex<Pace>,
}

impl SteadyClock {
    /// Agrees with the machine's clock.
    pub fn start() -> Self {
        Self {
            begun: Instant::now(),
            pace: Mutex::new(Pace::new(machine_us())),
        }
    }
}

impl Clock for SteadyClock {
    fn now_ms(&self) -> i64 {
        let mut pace = self.pace.lock();
        let passed_us = i64::try_from(self.begun.elapsed().as_micros()).unwrap_or(i64::MAX / 2);
        let now_us = pace.now_us(machine_us(), passed_us);
        let set_back_us = pace.set_back_us();
        drop(pace);
        if let Some(us) = set_back_us {
            let seconds = us / 1_000_000;
            tracing::warn!(
                "this machine's clock was set back by {seconds} s; until they agree, time passes here at half its pace"
            );
        }
        now_us.div_euclid(1_000)
    }
}

/// What the clock shows, by what the machine's clock shows and by how much time has passed. All in microseconds.
#[derive(Debug)]
struct Pace {
    /// This clock is so far ahead of the time that has passed.
    ahead_us: i64,
    /// How much time had passed when it was looked at last; behind that by what could not be halved.
    seen_us: i64,
    /// So far ahead of the machine's clock.
    gap_us: i64,
    told: bool,
}

impl Pace {
    fn new(machine_us: i64) -> Self {
        Self {
            ahead_us: machine_us,
            seen_us: 0,
            gap_us: 0,
            told: false,
        }
    }

    fn now_us(&mut self, machine_us: i64, passed_us: i64) -> i64 {
        let wanted_us = machine_us - passed_us;
        let half_us = (passed_us - self.seen_us) / 2;
        if wanted_us >= self.ahead_us - half_us {
            self.ahead_us = wanted_us;
            self.seen_us = passed_us;
        } else {
            self.ahead_us -= half_us;
            self.seen_us += 2 * half_us;
        }
        self.gap_us = self.ahead_us - wanted_us;
        self.told &= self.gap_us > 0;
        passed_us + self.ahead_us
    }

    /// By how much the machine's clock was set back, when that has not been told yet.
    fn set_back_us(&mut self) -> Option<i64> {
        let news = !self.told && self.gap_us > TOLD_US;
        self.told |= news;
        news.then_some(self.gap_us)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_clock_that_is_set_back_is_told_of_once_each_time() {
        let mut pace = Pace::new(1_000_000_000);
        let mut look = |machine_us, passed_us| {
            let now_us = pace.now_us(machine_us, passed_us);
            (now_us, pace.set_back_us())
        };
        assert_eq!(look(1_000_000_010, 10), (1_000_000_010, None));
        // An hour back.
        let hour = 3_600_000_000;
        assert_eq!(look(1_000_000_020 - hour, 20), (1_000_000_015, Some(hour - 5)));
        assert_eq!(look(1_000_000_030 - hour, 30), (1_000_000_020, None));
        // Two hours later they agree.
        assert_eq!(look(1_000_000_030 + hour, 30 + 2 * hour), (1_000_000_030 + hour, None));
        assert_eq!(look(1_000_000_030, 30 + 2 * hour), (1_000_000_030 + hour, Some(hour)));
        // And one that is set forward is followed.
        assert_eq!(look(5_000_000_000, 40 + 2 * hour), (5_000_000_000, None));
    }

    proptest! {
        /// Whatever the machine's clock does, this one never goes back, is never behind it, passes at least half the time that passes, and
        /// agrees with it as soon as it may.
        #[test]
        fn it_goes_on_and_comes_back_to_the_machines_clock(
            looks in prop::collection::vec((0i64..5_000, prop_oneof![9 => Just(0i64), 1 => -100_000i64..100_000]), 1..200)
        ) {
            let (mut machine_us, mut passed_us) = (1_000_000_000, 0);
            let mut pace = Pace::new(machine_us);
            let mut before_us = machine_us;
            for (later, jump) in looks {
                passed_us += later;
                machine_us += later + jump;
                let now_us = pace.now_us(machine_us, passed_us);
                prop_assert!(now_us >= before_us + later / 2 && now_us >= machine_us);
                prop_assert!(now_us == machine_us || now_us <= before_us + later / 2 + 1, "no faster than it must");
                before_us = now_us;
            }
            let gap_us = before_us - machine_us;
            let later = 2 * gap_us + 1;
            prop_assert_eq!(pace.now_us(machine_us + later, passed_us + later), machine_us + later);
        }
    }
}
