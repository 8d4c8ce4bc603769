//! Named places at which the process can be made to kill itself: a proof tool.
//!
//! Nothing happens unless a place is armed, which only the hidden flag `--fail-point NAME:N` of `serve` does; until then a place costs one
//! relaxed atomic load. `switchboard crashtest` arms them to die at the moments that are hard to hit by chance.

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use switchboard_model::problem::{Code, Problem};

/// Events are committed, their sender is not yet answered.
pub const ACCEPTED: &str = "accepted";
/// The intent of a write is committed, the request is not yet sent.
pub const INTENT: &str = "intent";
/// The vendor answered a write (or the connection broke), the outcome is not yet committed.
pub const SENT: &str = "sent";
/// An outcome is committed, nobody was told yet.
pub const SETTLED: &str = "settled";
/// A new access token was received and is not yet kept.
pub const TOKEN: &str = "token";

/// A callback is committed, its pusher is not yet answered.
pub const CALLBACK_KEPT: &str = "callback-kept";
/// A callback is taken to be processed, and nothing has come of it yet.
pub const CALLBACK_BEGUN: &str = "callback-begun";
/// What came of a callback is committed, nobody was told yet.
pub const CALLBACK_SETTLED: &str = "callback-settled";
/// A step of an automation is decided, and neither done nor written down.
pub const STEP: &str = "step";
/// A step of an automation is done and written down, the next one is not begun.
pub const STEPPED: &str = "stepped";

/// Every place there is.
pub const ALL: [&str; 10] = [
    ACCEPTED,
    INTENT,
    SENT,
    SETTLED,
    TOKEN,
    CALLBACK_KEPT,
    CALLBACK_BEGUN,
    CALLBACK_SETTLED,
    STEP,
    STEPPED,
];

static IS_ARMED: AtomicBool = AtomicBool::new(false);
static ARMED: OnceLock<Armed> = OnceLock::new();

struct Armed {
    name: &'static str,
    left: AtomicU64,
}

/// From now on the process kills itself when `name` is reached for the `nth` time, counted from 1. One place can be armed in a process,
/// once.
///
/// # Errors
/// [`Code::WrongSetting`] when there is no such place, `nth` is 0, or a place is armed already.
pub fn arm(name: &str, nth: u64) -> Result<(), Problem> {
    let refuse = |detail: String| {
        let next = format!("Write NAME:N with a number from 1 and one of {}.", ALL.join(", "));
        Problem::new(Code::WrongSetting, detail, next).at("fail-point")
    };
    let Some(name) = ALL.into_iter().find(|known| *known == name) else {
        return Err(refuse(format!("There is no fail point `{name}`.")));
    };
    if nth == 0 {
        return Err(refuse("A fail point cannot be reached for the time 0.".into()));
    }
    let armed = Armed {
        name,
        left: AtomicU64::new(nth),
    };
    if ARMED.set(armed).is_err() {
        return Err(refuse("Another fail point is armed already.".into()));
    }
    IS_ARMED.store(true, Ordering::Release);
    Ok(())
}

/// The process is at this place. When that is the armed one and the count is full, it ends here, as by `kill -9`.
pub fn reach(name: &str) {
    if IS_ARMED.load(Ordering::Relaxed) {
        count(name);
    }
}

#[cold]
fn count(name: &str) {
    let is_due = ARMED
        .get()
        .is_some_and(|armed| armed.name == name && armed.left.fetch_sub(1, Ordering::SeqCst) == 1);
    if is_due {
        die();
    }
}

fn die() -> ! {
    #[cfg(unix)]
    if rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).is_ok() {
        // The signal is on its way, and nothing may happen on this thread before it is here.
        loop {
            std::thread::park();
        }
    }
    std::process::abort();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_is_not_there_and_a_count_of_zero_are_refused_with_the_list_of_places() {
        for (name, nth) in [("nowhere", 1), (SENT, 0)] {
            let problem = arm(name, nth).unwrap_err();
            assert_eq!(problem.code, Code::WrongSetting);
            assert!(ALL.iter().all(|place| problem.next.contains(place)), "{problem}");
        }
    }

    #[test]
    fn places_that_are_not_armed_do_nothing() {
        for place in ALL {
            reach(place);
            reach(place);
        }
    }
}
