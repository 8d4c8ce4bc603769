//! The pace that a vendor allows: several buckets that must all have room, what its answers say about them, and pauses that
//! they ask for. Pure: time is a parameter.
//!
//! A call counts when it may begin, and from when on is known when it does ([`Limiter::begin`]): what lies between (the intent is written
//! down first) may take any time, and the vendor counts from what it sees.
//!
//! Of each bucket of pace a tenth (at least 1 of 2 or more) is kept for interactive calls, so that a person who tests a
//! connection need not wait behind a backlog.

mod bucket;
mod day;
mod forecast;
mod foreign;
mod slots;
mod token;
mod window;

use switchboard_connect::{
    limit::{Limits, Observation},
    manifest::OperationKind,
};

use bucket::{Bucket, Full};

/// Who waits for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Priority {
    /// Nobody: what waits in a lane.
    Background,
    /// A person: a connection test.
    Interactive,
}

/// A call that wants to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// What it does with an object; `None` for tests, preparations and tokens.
    pub operation: Option<OperationKind>,
    /// The number of that object, where it is about one.
    pub object: Option<u16>,
    /// Who waits for it.
    pub priority: Priority,
}

impl Ask {
    /// A call that nobody waits for.
    pub fn background(operation: OperationKind) -> Self {
        Self {
            operation: Some(operation),
            object: None,
            priority: Priority::Background,
        }
    }

    /// The same, about this object.
    #[must_use]
    pub fn about(self, object: Option<u16>) -> Self {
        Self { object, ..self }
    }

    /// A preparation of a lane.
    pub fn preparation() -> Self {
        Self {
            operation: None,
            object: None,
            priority: Priority::Background,
        }
    }

    /// A call that a person waits for, about no object.
    pub fn interactive() -> Self {
        Self {
            operation: None,
            object: None,
            priority: Priority::Interactive,
        }
    }
}

/// The right to one call, to be given back with [`Limiter::release`] when the call has ended.
#[derive(Debug)]
#[must_use = "the call counts as under way until it is released"]
pub struct Ticket {
    operation: Option<OperationKind>,
    object: Option<u16>,
    let_in_ms: i64,
    /// When it began.
    begun_ms: Option<i64>,
    /// Under which limits it was let in.
    edition: u64,
    /// What it took, when an answer told.
    points: Option<u64>,
}

/// Why a call may not begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// Asking before this moment (Unix milliseconds) is useless, unless something is given back.
    Until(i64),
    /// A call has to end first.
    Slot,
    /// The vendor has shut the account out, in these words; only interactive calls may begin.
    Blocked(String),
}

/// The buckets of one vendor account.
#[derive(Debug, Clone, Default)]
pub struct Limiter {
    buckets: Vec<Bucket>,
    /// Grows whenever the limits change: a call that was let in before may have cost something else.
    edition: u64,
    paused_until_ms: i64,
    blocked: Option<String>,
}

impl Limiter {
    /// Empty buckets. One that allows nothing is taken to allow one call.
    pub fn new(limits: &Limits) -> Self {
        Self {
            buckets: limits.buckets.iter().cloned().map(Bucket::new).collect(),
            ..Self::default()
        }
    }

    /// Other limits for the same account: buckets that keep their name and kind keep what they hold. What may begin counts from now on.
    pub fn adopt(&mut self, limits: &Limits, now_ms: i64) {
        self.buckets.iter_mut().for_each(|bucket| bucket.begin_all(now_ms));
        self.edition += 1;
        let adopted = limits.buckets.iter().map(|limit| {
            let old = self.buckets.iter().find(|bucket| bucket.name() == limit.name);
            match old {
                Some(old) => old.changed_to(limit.clone(), now_ms),
                None => Bucket::new(limit.clone()),
            }
        });
        self.buckets = adopted.collect();
    }

    /// Takes the right to begin one call.
    ///
    /// # Errors
    /// What it has to wait for.
    pub fn take(&mut self, ask: Ask, now_ms: i64) -> Result<Ticket, Wait> {
        if let Some(message) = self.blocked.as_ref().filter(|_| ask.priority == Priority::Background) {
            return Err(Wait::Blocked(message.clone()));
        }
        let mut free_ms = self.paused_until_ms;
        let mut slot = false;
        for bucket in &mut self.buckets {
            let Some(cost) = bucket.cost_of(ask.operation, ask.object) else {
                continue;
            };
            match bucket.full(cost, ask.priority, now_ms) {
                None => {}
                Some(Full::Until(at_ms)) => free_ms = free_ms.max(at_ms),
                Some(Full::Slot) => slot = true,
            }
        }
        if slot {
            return Err(Wait::Slot);
        }
        if free_ms > now_ms {
            return Err(Wait::Until(free_ms));
        }
        for bucket in &mut self.buckets {
            if let Some(cost) = bucket.cost_of(ask.operation, ask.object) {
                bucket.let_in(cost, ask.priority, now_ms);
            }
        }
        Ok(Ticket {
            operation: ask.operation,
            object: ask.object,
            let_in_ms: now_ms,
            begun_ms: None,
            edition: self.edition,
            points: None,
        })
    }

    /// The call begins now.
    pub fn begin(&mut self, ticket: &mut Ticket, now_ms: i64) {
        if ticket.begun_ms.is_some() {
            return;
        }
        ticket.begun_ms = Some(now_ms);
        if ticket.edition != self.edition {
            return;
        }
        for bucket in &mut self.buckets {
            if let Some(cost) = bucket.cost_of(ticket.operation, ticket.object) {
                bucket.begin(cost, now_ms);
            }
        }
    }

    /// The call has ended. One that has not begun never will, and has cost nothing.
    pub fn release(&mut self, ticket: &Ticket) {
        let gives_back = ticket.begun_ms.is_none() && ticket.edition == self.edition;
        for bucket in &mut self.buckets {
            if let Some(cost) = bucket.cost_of(ticket.operation, ticket.object) {
                bucket.release(ticket.let_in_ms);
                if gives_back {
                    bucket.give_back(cost);
                }
            }
        }
    }

    /// What the call took of the buckets that count points.
    pub fn correct(&mut self, ticket: &mut Ticket, points: u64, now_ms: i64) {
        let Some(begun_ms) = ticket.begun_ms else { return };
        for bucket in &mut self.buckets {
            if let Some(expected) = bucket.cost_of(ticket.operation, ticket.object) {
                let before = ticket.points.unwrap_or(expected);
                bucket.correct(begun_ms, signed(points) - signed(before), now_ms);
            }
        }
        ticket.points = Some(points);
    }

    /// Takes in what an answer says about the buckets.
    pub fn observe(&mut self, observations: &[Observation], now_ms: i64) {
        for observation in observations {
            let bucket = self
                .buckets
                .iter_mut()
                .find(|bucket| bucket.name() == observation.bucket);
            if let Some(bucket) = bucket {
                bucket.observe(observation, now_ms);
            }
        }
    }

    /// Nothing begins before this moment; a shorter pause never ends a longer one.
    pub fn pause_until(&mut self, until_ms: i64) {
        self.paused_until_ms = self.paused_until_ms.max(until_ms);
    }

    /// The end of the pause, when there is one.
    pub fn paused_until(&self, now_ms: i64) -> Option<i64> {
        (self.paused_until_ms > now_ms).then_some(self.paused_until_ms)
    }

    /// The vendor has shut the account out: nothing that nobody waits for begins any more.
    pub fn block(&mut self, message: &str) {
        self.blocked = Some(message.to_owned());
    }

    /// A person has settled it.
    pub fn unblock(&mut self) {
        self.blocked = None;
    }

    /// The vendor's words, when it has shut the account out.
    pub fn blocked(&self) -> Option<&str> {
        self.blocked.as_deref()
    }

    /// The moment (Unix milliseconds) when the `calls`-th of a queue of background calls could begin, if they had the account
    /// for themselves and took no time. Wrong by a few percent at most; takes a few milliseconds for any number of calls.
    pub fn forecast(&self, calls: u64, operation: Option<OperationKind>, now_ms: i64) -> i64 {
        let concerned = forecast::concerned(&self.buckets, operation);
        forecast::forecast(concerned, calls, now_ms.max(self.paused_until_ms))
    }
}

fn signed(points: u64) -> i64 {
    i64::try_from(points).unwrap_or(i64::MAX / 2)
}

#[cfg(test)]
mod tests;
