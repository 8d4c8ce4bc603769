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
