//! How a try ended, and what the delivery becomes of it.

use switchboard_connect::connector::Connector;
use switchboard_model::{
    delivery::DeliveryState,
    outcome::FieldProblem,
    problem::{Code, Problem},
};

use super::settle::Trace;
use crate::lane::backoff::Schedule;

/// The wait after a throttled call when the vendor names none, in milliseconds.
const THROTTLE_MS: u64 = 5_000;
/// How long a lane starts nothing after its credentials were refused, in milliseconds, unless the connection is changed before.
const DENIED_MS: i64 = 60_000;

/// How a try ended.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The vendor holds the record.
    Delivered { external_id: Option<String> },
    /// Given up.
    Dead(Problem),
    /// Again later. `counts`: as a failed try.
    Later {
        message: String,
        after_ms: Option<u64>,
        counts: bool,
    },
    /// The whole connection slows down.
    Throttled { message: String, after_ms: Option<u64> },
    /// A write is in doubt; to be resolved not before `due_ms`.
    Doubt { message: String, due_ms: i64 },
    /// The credentials are not accepted.
    Denied(String),
    /// A person has held or cancelled the delivery, or another node has taken it up: it is none of ours any more.
    Withdrawn,
}

impl Verdict {
    /// How long the whole connection sends nothing, in milliseconds.
    pub(super) fn pause_ms(&self) -> Option<i64> {
        match self {
            Self::Throttled { after_ms, .. } => Some(signed(after_ms.unwrap_or(THROTTLE_MS))),
            _ => None,
        }
    }

    /// How long a lane starts nothing because the credentials were refused, in milliseconds.
    pub(super) fn hold_ms(&self) -> Option<i64> {
        matches!(self, Self::Denied(_)).then_some(DENIED_MS)
    }
}

/// What the delivery's row becomes.
#[derive(Debug)]
pub(super) struct Next {
    pub state: DeliveryState,
    pub attempts: u32,
    pub due_ms: i64,
    pub problem: Option<Problem>,
    pub external_id: Option<String>,
}

/// What becomes of the delivery of connection `key` after this verdict at `now_ms`.
pub(super) fn next(schedule: Schedule, key: &str, trace: &Trace, verdict: &Verdict, now_ms: i64) -> Next {
    let before = trace.pending.attempts;
    let tale = Tale {
        schedule,
        key,
        trace,
        now_ms,
    };
    match verdict {
        Verdict::Delivered { external_id } => Next {
            state: DeliveryState::Delivered,
            attempts: before,
            due_ms: now_ms,
            problem: None,
            external_id: external_id.clone(),
        },
        Verdict::Dead(problem) => tale.dead(before + 1, problem.clone()),
        Verdict::Throttled { message, after_ms } => {
            let problem = tale.problem(
                Code::VendorThrottled,
                message,
                "Nothing; it is sent as soon as the vendor allows.",
            );
            tale.later(before, after_ms.unwrap_or(THROTTLE_MS), problem)
        }
        // The connection's state holds it back; once that is mended nothing else does.
        Verdict::Denied(message) => tale.later(before, 0, refused(key, message)),
        Verdict::Withdrawn => Next {
            state: trace.pending.state(),
            attempts: before,
            due_ms: trace.pending.due_ms,
            problem: None,
            external_id: None,
        },
        Verdict::Later {
            message,
            after_ms,
            counts,
        } => tale.again(before + u32::from(*counts), after_ms.unwrap_or(0), message),
        Verdict::Doubt { message, due_ms } => tale.doubt(before + 1, *due_ms, message),
    }
}

struct Tale<'a> {
    schedule: Schedule,
    key: &'a str,
    trace: &'a Trace,
    now_ms: i64,
}

impl Tale<'_> {
    fn problem(&self, code: Code, message: &str, next: &str) -> Problem {
        Problem::new(code, format!("{}: {message}", self.key), next)
    }

    fn seed(&self) -> u64 {
        self.trace.pending.id.0.cast_unsigned()
    }

    fn dead(&self, attempts: u32, problem: Problem) -> Next {
        Next {
            state: DeliveryState::Dead,
            attempts,
            due_ms: self.now_ms,
            problem: Some(problem),
            external_id: None,
        }
    }

    fn later(&self, attempts: u32, wait_ms: u64, problem: Problem) -> Next {
        let state = if self.trace.doubt.is_some() {
            DeliveryState::Unknown
        } else {
            DeliveryState::Waiting
        };
        let due_ms = self.now_ms.saturating_add(signed(wait_ms));
        Next {
            state,
            attempts,
            due_ms,
            problem: Some(problem),
            external_id: None,
        }
    }

    fn again(&self, failed: u32, asked_ms: u64, message: &str) -> Next {
        match self.schedule.wait_ms(failed.max(1), self.seed()) {
            Some(wait) => {
                let problem = self.problem(
                    Code::VendorUnavailable,
                    message,
                    "Nothing yet; it is tried again by itself.",
                );
                self.later(failed, wait.max(asked_ms), problem)
            }
            None => {
                let message = format!("{message} (after {failed} tries)");
                let next = "Replay the delivery when the vendor is well again.";
                self.dead(failed, self.problem(Code::VendorUnavailable, &message, next))
            }
        }
    }

    fn doubt(&self, failed: u32, due_ms: i64, message: &str) -> Next {
        let wait = u64::try_from(due_ms - self.now_ms).unwrap_or(0);
        match self.schedule.wait_ms(failed, self.seed()) {
            Some(_) => {
                let next = "Nothing yet; the hub looks whether the record is there.";
                self.later(failed, wait, self.problem(Code::OutcomeUnknown, message, next))
            }
            None => {
                let next = "Look in the vendor's system whether the record is there; replay the delivery if it is not.";
                self.dead(failed, self.problem(Code::OutcomeUnknown, message, next))
            }
        }
    }
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX / 4)
}

/// The problem of credentials that the vendor does not accept.
pub(super) fn refused(key: &str, message: &str) -> Problem {
    let next = "Enter working credentials for this connection; what waits is sent then.";
    Problem::new(Code::CredentialsRefused, format!("{key}: {message}"), next)
}

/// The problem of a record that the vendor refuses.
pub(super) fn rejected(connector: &Connector, message: &str, fields: &[FieldProblem]) -> Problem {
    let mut detail = format!("{}: {message}", connector.name());
    for field in fields.iter().filter(|field| !field.field.is_empty()) {
        detail.push_str(&format!("; {}: {}", field.field, field.message));
    }
    Problem::new(
        Code::VendorRejected,
        detail,
        "Mend the mapping or the vendor's set-up, then replay the delivery.",
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use switchboard_model::{
        event::{Event, EventType},
        id::{ConnectionId, DeliveryId, EventId, WorkspaceId},
    };

    use super::*;
    use crate::store::{InDoubt, Pending};

    const NOW: i64 = 1_795_512_600_000;

    fn trace(attempts: u32, doubt: Option<InDoubt>) -> Trace {
        let event = Event {
            id: EventId(1),
            workspace: WorkspaceId(1),
            kind: EventType::find("message.received").unwrap(),
            received_ms: NOW,
            data: serde_json::Map::new(),
        };
        let pending = Pending {
            id: DeliveryId(7),
            event: event.id,
            body: Some(Arc::new(event)),
            connection: ConnectionId(1),
            object: "lead".into(),
            record_key: "p-1".into(),
            options: None,
            attempts,
            due_ms: NOW,
            doubt: None,
            fallback: None,
            handed_over: false,
            fresh: true,
        };
        Trace {
            pending,
            doubt,
            known_link: None,
            lost_link: false,
            calls: Vec::new(),
        }
    }

    fn after(attempts: u32, doubt: Option<InDoubt>, verdict: &Verdict) -> Next {
        next(
            Schedule {
                attempts: 5,
                ..Schedule::default()
            },
            "crm",
            &trace(attempts, doubt),
            verdict,
            NOW,
        )
    }

    fn later(counts: bool) -> Verdict {
        Verdict::Later {
            message: "503".into(),
            after_ms: None,
            counts,
        }
    }

    #[test]
    fn a_failure_waits_and_the_last_one_is_a_dead_letter_that_says_what_to_do() {
        let first = after(0, None, &later(true));
        assert_eq!((first.state, first.attempts), (DeliveryState::Waiting, 1));
        assert!((500..=1_000).contains(&(first.due_ms - NOW)));
        let last = after(4, None, &later(true));
        assert_eq!((last.state, last.attempts), (DeliveryState::Dead, 5));
        let problem = last.problem.unwrap();
        assert!(problem.detail.contains("after 5 tries") && problem.next.contains("Replay"));
    }

    #[test]
    fn throttling_and_refused_credentials_burn_no_tries() {
        let throttled = after(
            4,
            None,
            &Verdict::Throttled {
                message: "429".into(),
                after_ms: Some(7_000),
            },
        );
        assert_eq!(
            (throttled.state, throttled.attempts, throttled.due_ms),
            (DeliveryState::Waiting, 4, NOW + 7_000)
        );
        let denied = after(4, None, &Verdict::Denied("invalid_grant".into()));
        assert_eq!((denied.state, denied.attempts), (DeliveryState::Waiting, 4));
        assert_eq!(after(4, None, &later(false)).state, DeliveryState::Waiting);
    }

    #[test]
    fn a_delivery_in_doubt_stays_in_doubt_through_failures() {
        let doubt = Some(InDoubt {
            since_ms: NOW - 50,
            operation: None,
        });
        assert_eq!(after(0, doubt, &later(true)).state, DeliveryState::Unknown);
        let waits = after(
            0,
            doubt,
            &Verdict::Doubt {
                message: "cut".into(),
                due_ms: NOW + 3_000,
            },
        );
        assert_eq!((waits.state, waits.due_ms), (DeliveryState::Unknown, NOW + 3_000));
        let end = after(
            4,
            doubt,
            &Verdict::Doubt {
                message: "cut".into(),
                due_ms: NOW,
            },
        );
        assert_eq!(end.state, DeliveryState::Dead);
        assert_eq!(end.problem.unwrap().code, Code::OutcomeUnknown);
    }
}
