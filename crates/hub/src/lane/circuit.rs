//! Whether a connection is worth calling: after some failures in a row it is left alone, then asked by one call at a time.
//! Pure: time is a parameter.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::backoff::Schedule;

/// When a circuit opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// After so many failures in a row it opens; 0 is taken for 1.
    pub failures: u32,
    /// How long it stays open the first time, in milliseconds; doubled with every probe that fails.
    pub base_ms: u64,
    /// It never stays open longer than this, in milliseconds.
    pub cap_ms: u64,
    /// Decides the jitter, which shortens each wait by up to a half.
    pub seed: u64,
}

impl Default for Settings {
    /// 5 failures; 1 s, 2 s, 4 s … up to 60 s.
    fn default() -> Self {
        Self {
            failures: 5,
            base_ms: 1_000,
            cap_ms: 60_000,
            seed: 0,
        }
    }
}

/// The leave to begin one call, to be shown when it has ended: that is how what was under way before the circuit opened is
/// told from the probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    round: u64,
    refusals: u64,
}

/// What only a person can mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The credentials are not accepted, in the vendor's words.
    Credentials(Arc<str>),
    /// The receiver wants nothing more, in its words.
    Receiver(Arc<str>),
}

/// Why what has begun may not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// Nothing is sent now.
    Open {
        /// Asking again before this moment (Unix milliseconds) is useless.
        until_ms: i64,
        /// Whether the vendor is out of order or out of reach, and not just slowing us down.
        outage: bool,
    },
    /// Nothing is sent until a person has acted.
    Refused(Refusal),
}

/// Whether a call may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// It may.
    Free(Start),
    /// It may, alone: what becomes of it decides.
    Probe(Start),
    /// It may not. Asking again before this moment (Unix milliseconds) is useless, unless a call ends before.
    No {
        /// The moment.
        until_ms: i64,
    },
}

/// How a circuit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "circuit", rename_all = "snake_case")]
pub enum State {
    /// Calls go out.
    Closed,
    /// Nothing is sent.
    Open {
        /// When it is asked again, Unix milliseconds.
        until_ms: i64,
    },
    /// One call may go out, or is under way, to see whether the vendor is well again.
    HalfOpen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    Closed { failed: u32 },
    Open { until_ms: i64 },
    Probing,
}

/// The circuit of one connection.
#[derive(Debug, Clone)]
pub struct Circuit {
    settings: Settings,
    stand: Stand,
    /// Grows with each change between open, probing and closed. What was begun in an earlier round decides nothing.
    round: u64,
    /// How often it has opened since it was closed last.
    opened: u32,
    /// The end of what a throttled answer asked for.
    not_before_ms: i64,
    /// What was refused last, and how often that has happened: it holds for what began before.
    refusal: Option<Refusal>,
    refusals: u64,
}

impl Circuit {
    /// A closed circuit.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            stand: Stand::Closed { failed: 0 },
            round: 0,
            opened: 0,
            not_before_ms: i64::MIN,
            refusal: None,
            refusals: 0,
        }
    }

    /// Whether a call may begin now. After `Free` and `Probe` one of [`Circuit::succeeded`], [`Circuit::failed`],
    /// [`Circuit::throttled`] and [`Circuit::abandoned`] must be told what became of it.
    pub fn may_start(&mut self, now_ms: i64) -> Permit {
        match self.stand {
            Stand::Closed { .. } => Permit::Free(self.leave()),
            Stand::Open { until_ms } if until_ms.max(self.not_before_ms) > now_ms => Permit::No {
                until_ms: until_ms.max(self.not_before_ms),
            },
            Stand::Open { .. } => {
                self.enter(Stand::Probing);
                Permit::Probe(self.leave())
            }
            Stand::Probing => Permit::No {
                until_ms: now_ms.saturating_add(self.wait_ms(self.opened)),
            },
        }
    }

    fn leave(&self) -> Start {
        Start {
            round: self.round,
            refusals: self.refusals,
        }
    }

    /// Whether what was begun with this leave may make another call now: others' answers may have told meanwhile that it is useless.
    pub fn halts(&self, start: Start, now_ms: i64) -> Option<Halt> {
        if start.refusals != self.refusals {
            return self.refusal.clone().map(Halt::Refused);
        }
        let until_ms = match self.stand {
            Stand::Closed { .. } => return None,
            Stand::Probing if start.round == self.round => return None,
            Stand::Probing => now_ms.saturating_add(self.wait_ms(self.opened)),
            Stand::Open { until_ms } => until_ms,
        };
        Some(Halt::Open {
            until_ms: until_ms.max(self.not_before_ms),
            outage: self.is_outage(),
        })
    }

    /// The vendor refuses what no try of a delivery can mend: whatever has begun stops. What begins later finds out anew; it is for the
    /// connection's state to keep it from that.
    pub fn refused(&mut self, refusal: Refusal) {
        self.refusal = Some(refusal);
        self.refusals += 1;
    }

    /// The vendor answered as it should, be it with a refusal of the record.
    pub fn succeeded(&mut self, start: Start) {
        if start.round != self.round {
            return;
        }
        match self.stand {
            Stand::Closed { .. } => self.stand = Stand::Closed { failed: 0 },
            Stand::Probing => {
                self.opened = 0;
                self.enter(Stand::Closed { failed: 0 });
            }
            Stand::Open { .. } => {}
        }
    }

    /// The vendor was out of order or out of reach.
    pub fn failed(&mut self, start: Start, now_ms: i64) {
        if start.round != self.round {
            return;
        }
        match self.stand {
            Stand::Closed { failed } if failed + 1 < self.settings.failures => {
                self.stand = Stand::Closed { failed: failed + 1 };
            }
            Stand::Closed { .. } | Stand::Probing => {
                self.opened = self.opened.saturating_add(1);
                let until_ms = now_ms.saturating_add(self.wait_ms(self.opened));
                self.enter(Stand::Open { until_ms });
            }
            Stand::Open { .. } => {}
        }
    }

    /// The vendor wants nothing for `after_ms` milliseconds. That holds whichever call was told so; it is no failure.
    pub fn throttled(&mut self, start: Start, now_ms: i64, after_ms: u64) {
        let until_ms = now_ms.saturating_add(i64::try_from(after_ms).unwrap_or(i64::MAX));
        self.not_before_ms = self.not_before_ms.max(until_ms);
        let is_current = start.round == self.round;
        match self.stand {
            // Told by a call of an earlier round, it says nothing about now but that it has to wait.
            Stand::Closed { .. } => self.enter(Stand::Open { until_ms }),
            Stand::Probing if is_current => self.enter(Stand::Open { until_ms }),
            Stand::Probing | Stand::Open { .. } => {}
        }
    }

    /// The call was not made after all, or nothing can be learnt from it.
    pub fn abandoned(&mut self, start: Start, now_ms: i64) {
        if start.round == self.round && self.stand == Stand::Probing {
            self.enter(Stand::Open { until_ms: now_ms });
        }
    }

    /// Until when nothing is sent; `None` when a call, or a probe, may be.
    pub fn open_until(&self, now_ms: i64) -> Option<i64> {
        match self.state(now_ms) {
            State::Open { until_ms } => Some(until_ms),
            State::Closed | State::HalfOpen => None,
        }
    }

    /// Whether the vendor is known to be out of order or out of reach, and not just slowing us down.
    pub fn is_outage(&self) -> bool {
        self.opened > 0
    }

    /// How it stands, for people.
    pub fn state(&self, now_ms: i64) -> State {
        match self.stand {
            Stand::Closed { .. } => State::Closed,
            Stand::Probing => State::HalfOpen,
            Stand::Open { until_ms } => match until_ms.max(self.not_before_ms) {
                until_ms if until_ms > now_ms => State::Open { until_ms },
                _ => State::HalfOpen,
            },
        }
    }

    fn enter(&mut self, stand: Stand) {
        self.stand = stand;
        self.round += 1;
    }

    fn wait_ms(&self, opened: u32) -> i64 {
        let schedule = Schedule {
            base_ms: self.settings.base_ms,
            cap_ms: self.settings.cap_ms,
            attempts: u32::MAX,
        };
        let wait = schedule.wait_ms(opened.max(1), self.settings.seed);
        i64::try_from(wait.unwrap_or(self.settings.cap_ms)).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests;
