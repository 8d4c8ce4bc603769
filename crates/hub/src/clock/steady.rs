//! A clock that never goes back.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Instant,
};

use parking_lot::Mutex;

use super::{Clock, machine_us};

/// Clocks that differ by this agree, in microseconds.
const ALIKE_US: i64 = 500;
/// A clock that is set back by more than this is told of, in microseconds.
const TOLD_US: i64 = 1_000_000;
/// [`SteadyClock::ahead_us`] while it goes at half its pace.
const SLOWED: i64 = i64::MIN;

/// The machine's clock for as long as that goes forward. Where it is set back, this one goes at half its pace until both agree again: what waits
/// for a moment, a delivery or a limit, waits twice as long at most, and not for as long as the clock was set back.
#[derive(Debug)]
pub struct SteadyClock {
    begun: Instant,
    /// By how much it is ahead of the time that has passed since it begun; what it shows, as long as the machine's clock agrees.
    ahead_us: AtomicI64,
    pace: Mutex<Pace>,
}

impl SteadyClock {
    /// Agrees with the machine's clock.
    pub fn start() -> Self {
        let now_us = machine_us();
        Self {
            begun: Instant::now(),
            ahead_us: AtomicI64::new(now_us),
            pace: Mutex::new(Pace::new(now_us)),
        }
    }

    fn passed_us(&self) -> i64 {
        i64::try_from(self.begun.elapsed().as_micros()).unwrap_or(i64::MAX / 2)
    }

    /// What it shows when the machine's clock has been set, or goes too fast or too slow.
    #[cold]
    fn adjust(&self) -> i64 {
        let mut pace = self.pace.lock();
        let now_us = pace.now_us(machine_us(), self.passed_us());
        let ahead_us = if pace.is_slowed() { SLOWED } else { pace.ahead_us };
        self.ahead_us.store(ahead_us, Ordering::Relaxed);
        let set_back_us = pace.set_back_us();
        drop(pace);
        if let Some(us) = set_back_us {
            let seconds = us / 1_000_000;
            tracing::warn!(
                "this machine's clock was set back by {seconds} s; until they agree, time passes here at half its pace"
            );
        }
        now_us
    }
}

impl Clock for SteadyClock {
    fn now_ms(&self) -> i64 {
        let ahead_us = self.ahead_us.load(Ordering::Relaxed);
        let passed_us = self.passed_us();
        let differs_us = machine_us().saturating_sub(passed_us).saturating_sub(ahead_us);
        let now_us = match (-ALIKE_US..=ALIKE_US).contains(&differs_us) {
            true => passed_us + ahead_us,
            false => self.adjust(),
        };
        now_us.div_euclid(1_000)
    }
}

/// What the clock shows, by what the machine's clock shows and by how much time has passed. All in microseconds.
#[derive(Debug)]
struct Pace {
    /// This clock is so far ahead of the time that has passed.
    ahead_us: i64,
    /// While it goes at half its pace: how much time had passed when it was looked at last, less what could not be halved.
    slowed_us: Option<i64>,
    /// So far ahead of the machine's clock.
    gap_us: i64,
    told: bool,
}

impl Pace {
    fn new(machine_us: i64) -> Self {
        Self {
            ahead_us: machine_us,
            slowed_us: None,
            gap_us: 0,
            told: false,
        }
    }

    fn is_slowed(&self) -> bool {
        self.slowed_us.is_some()
    }

    fn now_us(&mut self, machine_us: i64, passed_us: i64) -> i64 {
        let wanted_us = machine_us - passed_us;
        let slowed_us = self.slowed_us.unwrap_or(passed_us);
        let half_us = (passed_us - slowed_us) / 2;
        if wanted_us >= self.ahead_us - half_us {
            self.ahead_us = wanted_us;
            self.slowed_us = None;
        } else {
            self.ahead_us -= half_us;
            self.slowed_us = Some(slowed_us + 2 * half_us);
        }
        self.gap_us = self.ahead_us - wanted_us;
        self.told &= self.is_slowed();
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
    fn it_shows_what_the_machine_does() {
        let clock = SteadyClock::start();
        for _ in 0..1_000 {
            let (before_us, now_ms, after_us) = (machine_us(), clock.now_ms(), machine_us());
            assert!(now_ms >= (before_us - ALIKE_US) / 1_000 && now_ms <= (after_us + ALIKE_US) / 1_000);
        }
    }

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
        assert_eq!(look(1_000_000_020 - hour, 20), (1_000_000_020, Some(hour)));
        assert_eq!(look(1_000_000_030 - hour, 30), (1_000_000_025, None));
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
                let was_slowed = pace.is_slowed();
                let now_us = pace.now_us(machine_us, passed_us);
                prop_assert!(now_us >= before_us + later / 2 && now_us >= machine_us);
                let slowest = if was_slowed { later / 2 + 1 } else { later };
                prop_assert!(now_us == machine_us || now_us <= before_us + slowest, "no faster than it must");
                before_us = now_us;
            }
            // It is seen to be behind now at the latest.
            before_us = pace.now_us(machine_us, passed_us);
            let later = 2 * (before_us - machine_us) + 1;
            prop_assert_eq!(pace.now_us(machine_us + later, passed_us + later), machine_us + later);
        }
    }
}
