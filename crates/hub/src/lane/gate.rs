//! The limiter of one vendor account, shared by everything that calls it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use switchboard_connect::{
    limit::{Limits, Observation},
    manifest::OperationKind,
};
use tokio::sync::Notify;

use super::limiter::{Ask, Limiter, Priority, Ticket, Wait};
use crate::clock::Clock;

/// A person is let wait no longer than this for the turn of a call.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Lets calls through at the pace of a [`Limiter`]: interactive ones first, each kind in the order in which they came.
#[derive(Debug)]
pub struct Gate {
    limiter: Mutex<Limiter>,
    /// Held by the first of those that wait, so that the others of its priority queue up behind it.
    background: tokio::sync::Mutex<()>,
    interactive: tokio::sync::Mutex<()>,
    /// How many interactive calls wait. While there is one, no other call passes.
    people: AtomicUsize,
    /// Rung when there may be room before the time that was named.
    bell: Notify,
    clock: Arc<dyn Clock>,
}

/// The vendor has shut the account out: nothing is sent until a person has settled it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Blocked(pub String);

/// Why a call does not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Away<T> {
    /// The account is shut out, in the vendor's words.
    Blocked(String),
    /// It is not wanted any more; why not.
    Unwanted(T),
}

/// The right to one call, and then that call. Dropping it gives its place among the calls at the same time back, and everything else that it
/// took when the call has not begun.
#[derive(Debug)]
pub struct Pass {
    gate: Arc<Gate>,
    ticket: Ticket,
}

/// Counts a waiting person; cancelled or not, they are uncounted.
struct Person<'g>(&'g Gate);

impl<'g> Person<'g> {
    fn waits(gate: &'g Gate) -> Self {
        gate.people.fetch_add(1, Ordering::SeqCst);
        Self(gate)
    }
}

impl Drop for Person<'_> {
    fn drop(&mut self) {
        self.0.people.fetch_sub(1, Ordering::SeqCst);
        self.0.bell.notify_waiters();
    }
}

impl Gate {
    /// A gate in front of empty buckets.
    pub fn new(limits: &Limits, clock: Arc<dyn Clock>) -> Self {
        Self {
            limiter: Mutex::new(Limiter::new(limits)),
            background: tokio::sync::Mutex::new(()),
            interactive: tokio::sync::Mutex::new(()),
            people: AtomicUsize::new(0),
            bell: Notify::new(),
            clock,
        }
    }

    /// Waits until this call may begin. Cancelling the wait leaves no trace.
    ///
    /// # Errors
    /// At once, for background calls, when the vendor has shut the account out.
    pub async fn pass(self: &Arc<Self>, ask: Ask) -> Result<Pass, Blocked> {
        let passed = self.pass_unless(ask, || None::<std::convert::Infallible>).await;
        passed.map_err(|away| match away {
            Away::Blocked(message) => Blocked(message),
            Away::Unwanted(never) => match never {},
        })
    }

    /// The same for a call that others' answers may make useless while it waits: `unwanted` is asked before it begins, and whenever the gate
    /// hears of something. What has passed was wanted at that moment.
    ///
    /// # Errors
    /// When the account is shut out, and when `unwanted` says why.
    pub async fn pass_unless<T>(self: &Arc<Self>, ask: Ask, unwanted: impl Fn() -> Option<T>) -> Result<Pass, Away<T>> {
        let (_person, queue) = match ask.priority {
            Priority::Interactive => (Some(Person::waits(self)), &self.interactive),
            Priority::Background => (None, &self.background),
        };
        let _turn = queue.lock().await;
        loop {
            let bell = self.bell.notified();
            tokio::pin!(bell);
            // From here on a ring is heard.
            bell.as_mut().enable();
            if let Some(why) = unwanted() {
                return Err(Away::Unwanted(why));
            }
            let pause = match self.try_pass(ask) {
                Ok(pass) => return Ok(pass),
                Err(Wait::Blocked(message)) => return Err(Away::Blocked(message)),
                Err(Wait::Slot) => None,
                Err(Wait::Until(free_ms)) => Some(free_ms - self.clock.now_ms()),
            };
            match pause {
                None => bell.await,
                Some(pause) => {
                    let pause = Duration::from_millis(u64::try_from(pause).unwrap_or(0));
                    // Whichever it was, the limiter is asked again.
                    let _ = tokio::time::timeout(pause, bell).await;
                }
            }
        }
    }

    fn try_pass(self: &Arc<Self>, ask: Ask) -> Result<Pass, Wait> {
        let mut limiter = self.limiter.lock();
        if ask.priority == Priority::Background && self.people.load(Ordering::SeqCst) > 0 {
            return match limiter.blocked() {
                Some(message) => Err(Wait::Blocked(message.to_owned())),
                None => Err(Wait::Slot),
            };
        }
        let ticket = limiter.take(ask, self.clock.now_ms())?;
        drop(limiter);
        Ok(Pass {
            gate: Arc::clone(self),
            ticket,
        })
    }

    /// Other limits for the same account; what was counted stays.
    pub fn adopt(&self, limits: &Limits) {
        self.limiter.lock().adopt(limits, self.clock.now_ms());
        self.bell.notify_waiters();
    }

    /// Takes in what an answer says about the account; where the call's pass is at hand, [`Pass::observe`] tells more.
    pub fn observe(&self, observations: &[Observation]) {
        if observations.is_empty() {
            return;
        }
        self.limiter.lock().observe(observations, self.clock.now_ms());
        self.bell.notify_waiters();
    }

    /// Holds every call until this moment.
    pub fn pause_until(&self, until_ms: i64) {
        self.limiter.lock().pause_until(until_ms);
        self.look_again();
    }

    /// Lets those that wait look whether they are still wanted.
    pub fn look_again(&self) {
        self.bell.notify_waiters();
    }

    /// The end of a pause that is on.
    pub fn paused_until(&self) -> Option<i64> {
        self.limiter.lock().paused_until(self.clock.now_ms())
    }

    /// The vendor has shut the account out, in these words: those that wait are turned away, except for people.
    pub fn block(&self, message: &str) {
        self.limiter.lock().block(message);
        self.bell.notify_waiters();
    }

    /// A person has settled it.
    pub fn unblock(&self) {
        self.limiter.lock().unblock();
    }

    /// The vendor's words, when it has shut the account out.
    pub fn blocked(&self) -> Option<String> {
        self.limiter.lock().blocked().map(str::to_owned)
    }

    /// The moment (Unix milliseconds) when the `calls`-th further background call could begin, if they had the account for
    /// themselves. `operation`: what they do; `None` looks at the buckets that are about every call.
    pub fn forecast(&self, calls: u64, operation: Option<OperationKind>) -> i64 {
        let limiter = self.limiter.lock().clone();
        limiter.forecast(calls, operation, self.clock.now_ms())
    }
}

impl Pass {
    /// The call goes out now: from here on it counts as long as the vendor's windows are. Once is enough.
    pub fn begin(&mut self) {
        let now_ms = self.gate.clock.now_ms();
        self.gate.limiter.lock().begin(&mut self.ticket, now_ms);
    }

    /// What the call really took of the buckets that count points.
    pub fn cost(&mut self, points: u64) {
        let now_ms = self.gate.clock.now_ms();
        self.gate.limiter.lock().correct(&mut self.ticket, points, now_ms);
        self.gate.bell.notify_waiters();
    }

    /// The answer asks to hold every call until this moment.
    pub fn pause_until(&self, until_ms: i64) {
        self.gate.pause_until(until_ms);
    }

    /// Takes in what the call's own answer says: what it took, and what is left.
    pub fn observe(&mut self, observations: &[Observation]) {
        if let Some(points) = observations.iter().find_map(|observation| observation.cost) {
            self.cost(points);
        }
        self.gate.observe(observations);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.gate.limiter.lock().release(&self.ticket);
        self.gate.bell.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
