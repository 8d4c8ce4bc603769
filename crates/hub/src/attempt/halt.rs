//! Whether a call may still be made when its turn comes: what other calls were told meanwhile may speak against it.

use std::sync::atomic::Ordering;

use super::{
    flight::{Flight, Round},
    verdict::Verdict,
};
use crate::{
    lane::{
        Away, Pass,
        circuit::{self, Refusal},
        limiter::Ask,
    },
    token::{Cause, TokenError},
};

/// Why a call is not made after all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// The account is shut out, in the vendor's words.
    Blocked(String),
    /// The connection sends nothing now.
    Circuit(circuit::Halt),
    /// The token of this round is good no more: first a new one.
    Token,
    /// The lane ends: what waits is left to the next one.
    Recalled,
}

impl Flight<'_> {
    /// Waits for the turn of a call at the gate of the vendor account, as long as the call is of use.
    pub(super) async fn pass(&self, round: &Round, ask: Ask) -> Result<Pass, Halt> {
        let unwanted = || match self.leave.halts() {
            Some(halt) => Some(Halt::Circuit(halt)),
            None if *self.leave.recalled().borrow() => Some(Halt::Recalled),
            None => round.refused.load(Ordering::Relaxed).then_some(Halt::Token),
        };
        let passed = self.connection.gate.pass_unless(ask, unwanted).await;
        passed.map_err(|away| match away {
            Away::Blocked(message) => Halt::Blocked(message),
            Away::Unwanted(halt) => halt,
        })
    }

    /// What it means for a case that its call was not made; `None`: it is made in the next round. Never a failed try.
    pub(super) fn halted(&self, halt: Halt) -> Option<Verdict> {
        let (until_ms, outage) = match halt {
            Halt::Token => return None,
            Halt::Recalled => return Some(Verdict::NotYet { alone: false }),
            Halt::Blocked(message) => return Some(Verdict::Denied(message)),
            Halt::Circuit(circuit::Halt::Refused(Refusal::Credentials(message))) => {
                return Some(Verdict::Denied(message.to_string()));
            }
            Halt::Circuit(circuit::Halt::Refused(Refusal::Receiver(message))) => {
                return Some(Verdict::Gone(message.to_string()));
            }
            Halt::Circuit(circuit::Halt::Open { until_ms, outage }) => (until_ms, outage),
        };
        let after_ms = Some(self.until(until_ms));
        Some(match outage {
            true => Verdict::Later {
                message: "it cannot be reached or answers with errors".into(),
                after_ms,
                counts: false,
            },
            false => Verdict::Throttled {
                message: "another call was told to wait".into(),
                after_ms,
            },
        })
    }

    /// What it means for all cases that there is no token. The exchange was a call like any other, and whoever made it tells the circuit what
    /// came of it; the others, and those whom this hub itself keeps from asking, have nothing to tell but that there is nothing to be
    /// done before it is asked again.
    pub(super) fn without_token(&self, error: TokenError) -> Verdict {
        let later = match error {
            TokenError::Denied(message) => return Verdict::Denied(message),
            TokenError::Broken(problem) => return Verdict::Stopped(Box::new(problem)),
            TokenError::Later(later) => later,
        };
        let wait_ms = self.until(later.until_ms);
        match later.cause {
            Cause::Outage if !later.shared => self.leave.failed(self.desk.clock.now_ms()),
            _ => self.leave.throttled(self.desk.clock.now_ms(), wait_ms),
        }
        let (message, after_ms) = (later.message, Some(wait_ms));
        match later.cause {
            Cause::Throttled => Verdict::Throttled { message, after_ms },
            Cause::Own | Cause::Outage => Verdict::Later {
                message,
                after_ms,
                counts: false,
            },
        }
    }

    fn until(&self, until_ms: i64) -> u64 {
        u64::try_from(until_ms - self.desk.clock.now_ms()).unwrap_or(0)
    }
}
