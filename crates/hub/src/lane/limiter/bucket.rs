//! One bucket: what it holds, who may use how much of it, and what the vendor says about it.

use switchboard_connect::{
    limit::{Limit, Observation, Reset},
    manifest::{BucketKind, BucketUnit, OperationKind},
};

use super::{Priority, day::Day, foreign::Foreign, slots::Slots, token::Token, window::Window};

/// A day, in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// The part of a bucket that is kept for interactive calls: one in so many.
const RESERVE: u64 = 10;
/// A window is taken to be longer by one part in so many, but not by more than [`SLACK_MS`]: calls need not arrive at the
/// pace at which they were sent, and the vendor counts arrivals.
const SLACK: i64 = 25;
/// See [`SLACK`]; milliseconds.
const SLACK_MS: i64 = 250;

#[derive(Debug, Clone)]
enum Meter {
    Window(Window),
    Token(Token),
    Day(Day),
    Slots(Slots),
}

/// One bucket at work.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    limit: Limit,
    /// What the vendor says is allowed.
    stated: Option<u64>,
    /// What has begun.
    meter: Meter,
    /// Points of calls that may begin and have not: when that will be, and from when on they count for the vendor, is not known.
    due: u64,
    foreign: Foreign,
    /// The vendor said that nothing is left before this moment.
    closed_until_ms: i64,
}

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// There is room at this moment, if nobody takes it.
    Until(i64),
    /// A call has to end first.
    Slot,
}

impl Bucket {
    pub(super) fn new(limit: Limit) -> Self {
        let meter = match limit.kind {
            BucketKind::Window => Meter::Window(window_of(limit.amount, limit.window_ms)),
            BucketKind::Token => Meter::Token(Token::new(limit.amount, limit.window_ms)),
            BucketKind::Daily => match &limit.zone {
                Some(zone) => Meter::Day(Day::new(zone.clone())),
                None => Meter::Window(window_of(limit.amount, DAY_MS)),
            },
            BucketKind::Concurrency => Meter::Slots(Slots::default()),
        };
        Self {
            limit,
            stated: None,
            meter,
            due: 0,
            foreign: Foreign::default(),
            closed_until_ms: i64::MIN,
        }
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.limit.name
    }

    /// A bucket of this limit that goes on where this one stands; what may begin has to have begun.
    pub(super) fn changed_to(&self, limit: Limit, now_ms: i64) -> Self {
        let mut new = Self::new(limit);
        match (&mut new.meter, &self.meter) {
            (Meter::Window(new), Meter::Window(old)) => new.refill(old),
            (Meter::Token(new), Meter::Token(old)) => new.raise_to(old.held(now_ms), now_ms),
            (Meter::Day(new), Meter::Day(old)) => new.add(old.clone().held(now_ms), now_ms),
            (Meter::Slots(new), Meter::Slots(old)) => new.clone_from(old),
            // Another way of counting starts anew.
            _ => return new,
        }
        Self {
            stated: self.stated,
            foreign: self.foreign,
            closed_until_ms: self.closed_until_ms,
            ..new
        }
    }

    /// What a call of this operation costs; `None` when the bucket is not about it.
    pub(super) fn cost_of(&self, operation: Option<OperationKind>, object: Option<u16>) -> Option<u64> {
        self.limit.cost_of(operation, object)
    }

    /// What we may have in it: what is configured, less when the vendor says so, never more.
    fn capacity(&self) -> u64 {
        let configured = match self.limit.kind {
            BucketKind::Token => self.limit.burst,
            _ => self.limit.amount,
        };
        configured.min(self.stated.unwrap_or(u64::MAX)).max(1)
    }

    /// How full calls of this priority may make it.
    pub(super) fn limit_for(&self, priority: Priority) -> u64 {
        let capacity = self.capacity();
        match priority {
            Priority::Interactive => capacity,
            Priority::Background if capacity < 2 => capacity,
            Priority::Background => capacity - (capacity / RESERVE).max(1),
        }
    }

    fn held(&mut self, now_ms: i64) -> u64 {
        let begun = match &mut self.meter {
            Meter::Window(window) => window.held(now_ms),
            Meter::Token(token) => token.held(now_ms),
            Meter::Day(day) => day.held(now_ms),
            Meter::Slots(slots) => slots.held(self.limit.window_ms, now_ms),
        };
        begun + self.due
    }

    /// When `points` have left, if what may begin does so now.
    fn frees_at(&mut self, points: u64, now_ms: i64) -> i64 {
        let begun = self.held(now_ms) - self.due;
        match &mut self.meter {
            Meter::Window(window) if points > begun => now_ms.saturating_add(window.span_ms()),
            Meter::Window(window) => window.frees_at(points, now_ms),
            Meter::Token(token) => {
                let mut token = token.clone();
                token.add(self.due, now_ms);
                token.frees_at(points, now_ms)
            }
            Meter::Day(day) => day.ends_ms(now_ms),
            Meter::Slots(_) => now_ms,
        }
    }

    /// How many calls that cost so much could begin now.
    pub(super) fn room(&mut self, cost: u64, priority: Priority, now_ms: i64) -> u64 {
        if self.closed_until_ms > now_ms || self.full(cost, priority, now_ms).is_some() {
            return 0;
        }
        let taken = self.held(now_ms) + self.foreign.points(now_ms);
        let room = self.limit_for(priority).saturating_sub(taken);
        // What costs more than there ever is goes alone.
        (room / cost.max(1)).max(1)
    }

    /// Whether there is no room for a call that costs so much.
    pub(super) fn full(&mut self, cost: u64, priority: Priority, now_ms: i64) -> Option<Full> {
        let held = self.held(now_ms);
        if let Meter::Slots(_) = self.meter {
            return (held >= self.limit.amount).then_some(Full::Slot);
        }
        if self.closed_until_ms > now_ms {
            return Some(Full::Until(self.closed_until_ms));
        }
        let limit = self.limit_for(priority);
        let foreign = self.foreign.points(now_ms);
        let over = (held + foreign + cost.min(limit)).saturating_sub(limit);
        if over == 0 {
            return None;
        }
        // Either enough of ours leaves, or what others spent does and a part of ours.
        let ours = (over <= held).then(|| self.frees_at(over, now_ms));
        let theirs = (foreign > 0).then(|| {
            let rest = over.saturating_sub(foreign);
            let free_ms = if rest > 0 { self.frees_at(rest, now_ms) } else { now_ms };
            free_ms.max(self.foreign.until_ms())
        });
        let free_ms = ours.into_iter().chain(theirs).min();
        // Whatever the meter says, time passes before it is asked again.
        Some(Full::Until(free_ms.unwrap_or(now_ms).max(now_ms + 1)))
    }

    /// A call of this cost may begin; whether there is room was asked before.
    pub(super) fn let_in(&mut self, cost: u64, priority: Priority, now_ms: i64) {
        match &mut self.meter {
            Meter::Slots(slots) => slots.add(now_ms),
            _ => {
                self.due = self.due.saturating_add(cost);
                self.ask_anew(priority, now_ms);
            }
        }
    }

    /// A call of this cost that may begin does.
    pub(super) fn begin(&mut self, cost: u64, now_ms: i64) {
        let cost = cost.min(self.due);
        self.due -= cost;
        self.count(cost, now_ms);
    }

    /// Everything that may begin does.
    pub(super) fn begin_all(&mut self, now_ms: i64) {
        self.begin(self.due, now_ms);
    }

    /// A call of this cost that may begin never does.
    pub(super) fn give_back(&mut self, cost: u64) {
        self.due = self.due.saturating_sub(cost);
    }

    /// So many calls of this cost may begin and do; whether there is room was asked before.
    pub(super) fn add(&mut self, cost: u64, calls: u64, priority: Priority, now_ms: i64) {
        self.count(cost.saturating_mul(calls), now_ms);
        self.ask_anew(priority, now_ms);
    }

    fn count(&mut self, points: u64, now_ms: i64) {
        match &mut self.meter {
            Meter::Window(window) => window.add(points, now_ms),
            Meter::Token(token) => token.add(points, now_ms),
            Meter::Day(day) => day.add(points, now_ms),
            Meter::Slots(_) => {}
        }
    }

    fn ask_anew(&mut self, priority: Priority, now_ms: i64) {
        let rest = self.limit_for(priority).saturating_sub(self.held(now_ms));
        self.foreign.ask_anew(rest, now_ms);
    }

    /// A call that was let in at `at_ms` has ended.
    pub(super) fn release(&mut self, at_ms: i64) {
        if let Meter::Slots(slots) = &mut self.meter {
            slots.remove(at_ms);
        }
    }

    /// A call that began at `at_ms` took `points` more or less than was thought. Only the vendor's points can tell.
    pub(super) fn correct(&mut self, at_ms: i64, points: i64, now_ms: i64) {
        if self.limit.unit != BucketUnit::Points {
            return;
        }
        match &mut self.meter {
            Meter::Window(window) => window.correct(at_ms, points),
            Meter::Token(token) => token.correct(at_ms, points, now_ms),
            Meter::Day(day) => day.correct(at_ms, points),
            Meter::Slots(_) => {}
        }
    }

    /// Takes in what an answer says. It can only lower what is left: what is configured is what we were told to use at most.
    pub(super) fn observe(&mut self, observation: &Observation, now_ms: i64) {
        self.stated = observation.amount.or(self.stated);
        let capacity = self.capacity();
        // Of what the vendor allows beyond our share, others may spend without taking from ours.
        let surplus = self.stated.unwrap_or(capacity).saturating_sub(capacity);
        let allowed = capacity.saturating_add(surplus);
        let used = match observation.remaining {
            Some(left) => Some(allowed.saturating_sub(left)),
            None => observation.used,
        };
        let reset_ms = observation.reset.map(|reset| match reset {
            Reset::After(ms) => now_ms.saturating_add(ms),
            Reset::At(at_ms) => at_ms,
        });
        let ends_ms = self.ends_ms(now_ms);
        let ends_ms = reset_ms.map_or(ends_ms, |reset_ms| reset_ms.min(ends_ms));
        if observation.remaining == Some(0) && reset_ms.is_some() && self.limit.kind != BucketKind::Concurrency {
            self.closed_until_ms = self.closed_until_ms.max(ends_ms);
        }
        let Some(used) = used else { return };
        let (surely_held, length_ms) = match &mut self.meter {
            // What we count a little longer the vendor may count no more.
            Meter::Window(window) => {
                let length_ms = window.length_ms();
                (window.surely_held(length_ms - slack(length_ms), now_ms), length_ms)
            }
            Meter::Day(day) => (day.held(now_ms), DAY_MS),
            Meter::Token(token) => return token.raise_to(used.saturating_sub(surplus), now_ms),
            Meter::Slots(_) => return,
        };
        let foreign = used.saturating_sub(surely_held).saturating_sub(surplus);
        self.foreign.note(foreign, ends_ms, length_ms, now_ms);
    }

    /// When everything that counts now has left.
    fn ends_ms(&mut self, now_ms: i64) -> i64 {
        match &mut self.meter {
            Meter::Window(window) => now_ms.saturating_add(window.length_ms()),
            Meter::Day(day) => day.ends_ms(now_ms),
            Meter::Token(token) => now_ms.saturating_add((self.limit.burst as f64 / token.rate()).ceil() as i64),
            Meter::Slots(_) => now_ms,
        }
    }

    /// The calls of this cost per millisecond that it lets through in the long run, and how long it takes to fill anew, in
    /// milliseconds. `None`: it is no question of pace.
    pub(super) fn pace(&self, cost: u64, priority: Priority) -> Option<(f64, f64)> {
        let calls = self.limit_for(priority) as f64 / cost.max(1) as f64;
        match &self.meter {
            Meter::Window(window) => {
                let span = window.span_ms() as f64;
                Some((calls.floor().max(1.0) / span, span))
            }
            Meter::Day(_) => Some((calls.floor().max(1.0) / DAY_MS as f64, DAY_MS as f64)),
            Meter::Token(token) => {
                let rate = token.rate() / cost.max(1) as f64;
                Some((rate, calls / rate))
            }
            Meter::Slots(_) => None,
        }
    }
}

fn window_of(amount: u64, length_ms: i64) -> Window {
    Window::new(amount, length_ms.saturating_add(slack(length_ms)))
}

/// How much longer a window is taken to be; of one that was lengthened already at least as much.
fn slack(length_ms: i64) -> i64 {
    (length_ms / SLACK).min(SLACK_MS)
}
