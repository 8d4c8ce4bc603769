//! How a try ended, and what the delivery becomes of it.

use switchboard_connect::{connector::Connector, decision::unresolved};
use switchboard_model::{
    delivery::DeliveryState,
    outcome::FieldProblem,
    problem::{Code, Problem},
};

use crate::{
    lane::backoff::Patience,
    store::{Fallback, Pending},
};

/// The wait after a throttled call when the vendor names none, in milliseconds.
pub(super) const THROTTLE_MS: u64 = 5_000;
/// How long a lane starts nothing after its credentials were refused, in milliseconds, unless the connection is changed before.
const DENIED_MS: i64 = 60_000;

/// How a try ended.
#[derive(Debug, Clone)]
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
    /// The receiver wants nothing more.
    Gone(String),
    /// The connection cannot send as it is: a person has to mend it.
    Stopped(Box<Problem>),
    /// A person has held or cancelled the delivery, or another node has taken it up: it is none of ours any more.
    Withdrawn,
    /// Nothing was found out about this delivery: at once again, `alone` without the others of its record.
    NotYet { alone: bool },
}

impl Verdict {
    /// Whether the vendor has it.
    pub(super) fn is_delivered(&self) -> bool {
        matches!(self, Self::Delivered { .. })
    }

    /// How long a lane starts nothing because only a person can mend what is wrong, in milliseconds.
    pub(super) fn hold_ms(&self) -> Option<i64> {
        matches!(self, Self::Denied(_) | Self::Gone(_) | Self::Stopped(_)).then_some(DENIED_MS)
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
    /// Whether the backup gets it now.
    pub hand_over: bool,
}

/// A delivery at the end of a try.
pub(super) struct Situation<'a> {
    pub patience: Patience<'a>,
    /// The key of its connection.
    pub connection: &'a str,
    /// Whether a person can sign in there on the vendor's page.
    pub signs_in: bool,
    pub pending: &'a Pending,
    /// Whether a write is in doubt.
    pub in_doubt: bool,
    /// Whether it is open if the record is there, because of an earlier delivery.
    pub record_in_doubt: bool,
    /// Not before this moment can it be found out what became of what is in doubt.
    pub resolvable_ms: Option<i64>,
    /// Whether the vendor is known to be down: then a failure says nothing about this delivery, and counts as none of its tries.
    pub outage: bool,
    pub now_ms: i64,
}

/// What becomes of a delivery after this verdict.
pub(super) fn next(situation: &Situation<'_>, verdict: &Verdict) -> Next {
    let before = situation.pending.attempts;
    match verdict {
        Verdict::Delivered { external_id } => Next {
            external_id: external_id.clone(),
            ..situation.stays(DeliveryState::Delivered, situation.now_ms)
        },
        Verdict::Dead(problem) => situation.dead(before + 1, problem.clone()),
        Verdict::Throttled { message, after_ms } => {
            let next = "Nothing; it is sent as soon as the vendor allows.";
            let problem = situation.problem(Code::VendorThrottled, message, next);
            situation.later(before, after_ms.unwrap_or(THROTTLE_MS), problem)
        }
        // The connection's state holds it back; once that is mended nothing else does.
        Verdict::Denied(message) => {
            situation.later(before, 0, refused(situation.connection, situation.signs_in, message))
        }
        Verdict::Gone(message) => situation.later(before, 0, gone(situation.connection, message)),
        Verdict::Stopped(problem) => situation.later(before, 0, Problem::clone(problem)),
        Verdict::Withdrawn => situation.stays(situation.pending.state(), situation.pending.due_ms),
        Verdict::NotYet { .. } => situation.stays(situation.waiting(), situation.now_ms),
        Verdict::Later {
            message,
            after_ms,
            counts,
        } => {
            let asked_ms = after_ms.unwrap_or(0);
            match *counts && !situation.outage {
                true => situation.again(before + 1, asked_ms, message),
                false => situation.not_counted(before, asked_ms, message),
            }
        }
        Verdict::Doubt { message, due_ms } => situation.doubt(before + 1, *due_ms, message),
    }
}

impl Situation<'_> {
    fn problem(&self, code: Code, message: &str, next: &str) -> Problem {
        Problem::new(code, format!("{}: {message}", self.connection), next)
    }

    fn seed(&self) -> u64 {
        self.pending.id.0.cast_unsigned()
    }

    fn waiting(&self) -> DeliveryState {
        match self.in_doubt {
            true => DeliveryState::Unknown,
            false => DeliveryState::Waiting,
        }
    }

    fn stays(&self, state: DeliveryState, due_ms: i64) -> Next {
        Next {
            state,
            attempts: self.pending.attempts,
            due_ms,
            problem: None,
            external_id: None,
            hand_over: false,
        }
    }

    /// Whether the backup gets it now.
    fn may_pass_on(&self) -> bool {
        let fallback = self.pending.fallback.as_deref();
        !self.pending.handed_over
            && fallback.is_some_and(|fallback| may_pass_on(fallback, self.in_doubt || self.record_in_doubt))
    }

    /// Says why the backup does not get it, where it does not.
    fn kept(&self, mut problem: Problem) -> Problem {
        if self.pending.fallback.is_some() && !self.pending.handed_over && !self.may_pass_on() {
            problem.detail.push_str(KEPT);
        }
        problem
    }

    /// Given up here; a backup that does not have it yet takes it.
    fn dead(&self, attempts: u32, problem: Problem) -> Next {
        Next {
            attempts,
            problem: Some(self.kept(problem)),
            hand_over: self.may_pass_on(),
            ..self.stays(DeliveryState::Dead, self.now_ms)
        }
    }

    fn later(&self, attempts: u32, wait_ms: u64, problem: Problem) -> Next {
        Next {
            attempts,
            problem: Some(problem),
            ..self.stays(self.waiting(), self.due_after(wait_ms))
        }
    }

    fn due_after(&self, wait_ms: u64) -> i64 {
        let due_ms = self.now_ms.saturating_add(signed(wait_ms));
        self.resolvable_ms
            .map_or(due_ms, |resolvable_ms| due_ms.max(resolvable_ms))
    }

    /// Its tries are used up. What comes back to a primary later goes on waiting for it; everything else is given up.
    fn exhausted(&self, attempts: u32, dead: Problem) -> Next {
        match &self.pending.fallback {
            Some(fallback) if fallback.sync_back => Next {
                hand_over: self.may_pass_on(),
                ..self.later(
                    attempts,
                    self.patience.cap_ms(),
                    handed_over(self.connection, &dead.detail, true),
                )
            },
            _ => self.dead(attempts, dead),
        }
    }

    fn again(&self, failed: u32, asked_ms: u64, message: &str) -> Next {
        match self.patience.wait_ms(failed, self.seed()) {
            Some(wait) => {
                let next = "Nothing yet; it is tried again by itself.";
                self.later(
                    failed,
                    wait.max(asked_ms),
                    self.problem(Code::VendorUnavailable, message, next),
                )
            }
            None => {
                let message = format!("{message} (after {failed} tries)");
                let next = "Replay the delivery when the vendor is well again.";
                self.exhausted(failed, self.problem(Code::VendorUnavailable, &message, next))
            }
        }
    }

    /// Again later, however often that was so before.
    fn not_counted(&self, failed: u32, asked_ms: u64, message: &str) -> Next {
        let wait = self.patience.wait_ms(failed.max(1), self.seed());
        let wait = wait.unwrap_or_else(|| self.patience.cap_ms()).max(asked_ms);
        let next = "Nothing yet; it is tried again by itself.";
        self.later(failed, wait, self.problem(Code::VendorUnavailable, message, next))
    }

    fn doubt(&self, failed: u32, due_ms: i64, message: &str) -> Next {
        let wait = u64::try_from(due_ms - self.now_ms).unwrap_or(0);
        match self.patience.wait_ms(failed, self.seed()) {
            Some(_) => {
                let next = "Nothing yet; the hub looks whether the record is there.";
                let problem = self.problem(Code::OutcomeUnknown, message, next);
                self.later(failed, wait, self.kept(problem))
            }
            None => self.dead(failed, self.problem(Code::OutcomeUnknown, message, &unresolved())),
        }
    }
}

/// Why the backup does not get what is in doubt.
const KEPT: &str = "; the backup does not get it while the primary may have it, so that it is not at both";

/// Whether the backup gets a delivery that its primary cannot take. What is in doubt may be at the primary: the backup gets it only where the
/// record is to be at both in the end.
pub(super) fn may_pass_on(fallback: &Fallback, in_doubt: bool) -> bool {
    !in_doubt || fallback.sync_back
}

/// The problem of a record that the backup has. `sync_back`: the primary gets it when it is back.
pub(super) fn handed_over(connection: &str, why: &str, sync_back: bool) -> Problem {
    let (then, next) = match sync_back {
        true => (
            ", and the primary gets it when it is back",
            "Nothing; the primary gets the record when it is back.",
        ),
        false => (
            "",
            "Nothing; replay the delivery if the primary is to have the record too.",
        ),
    };
    let detail = format!("{connection}: {why}; the backup has the record{then}");
    Problem::new(Code::HandedOver, detail, next)
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX / 4)
}

/// The problem of credentials that the vendor does not accept. `signs_in`: a person can sign in on the vendor's page.
pub(super) fn refused(key: &str, signs_in: bool, message: &str) -> Problem {
    if signs_in {
        return Problem::new(Code::ReconnectNeeded, format!("{key}: {message}"), sign_in_again(key));
    }
    let next = "Enter working credentials for this connection; what waits is sent then.";
    Problem::new(Code::CredentialsRefused, format!("{key}: {message}"), next)
}

/// What a person does whose sign-in has ended.
pub(crate) fn sign_in_again(key: &str) -> String {
    format!(
        "Reconnect: POST /v1/connections/{key}/oauth/start and open the address of the answer; what waits is sent then."
    )
}

/// The problem of a receiver that wants nothing more.
pub(super) fn gone(key: &str, message: &str) -> Problem {
    let next = "Enter the receiver's new address for this connection, or remove the connection.";
    Problem::new(Code::ReceiverGone, format!("{key}: {message}"), next)
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

    use switchboard_model::id::{ConnectionId, DeliveryId, EventId};

    use super::*;
    use crate::lane::backoff::Schedule;

    const NOW: i64 = 1_795_512_600_000;

    fn pending(attempts: u32) -> Pending {
        Pending {
            id: DeliveryId(7),
            event: EventId(1),
            body: None,
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
            alone: false,
        }
    }

    fn situation(pending: &Pending, in_doubt: bool) -> Situation<'_> {
        Situation {
            patience: Patience::Usual(Schedule {
                attempts: 5,
                ..Schedule::default()
            }),
            connection: "crm",
            signs_in: false,
            pending,
            in_doubt,
            record_in_doubt: false,
            resolvable_ms: None,
            outage: false,
            now_ms: NOW,
        }
    }

    fn after(attempts: u32, in_doubt: bool, verdict: &Verdict) -> Next {
        next(&situation(&pending(attempts), in_doubt), verdict)
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
        let first = after(0, false, &later(true));
        assert_eq!((first.state, first.attempts), (DeliveryState::Waiting, 1));
        assert!((500..=1_000).contains(&(first.due_ms - NOW)));
        let last = after(4, false, &later(true));
        assert_eq!((last.state, last.attempts), (DeliveryState::Dead, 5));
        let problem = last.problem.unwrap();
        assert!(problem.detail.contains("after 5 tries") && problem.next.contains("Replay"));
    }

    #[test]
    fn throttling_and_refused_credentials_burn_no_tries() {
        let throttled = after(
            4,
            false,
            &Verdict::Throttled {
                message: "429".into(),
                after_ms: Some(7_000),
            },
        );
        assert_eq!(
            (throttled.state, throttled.attempts, throttled.due_ms),
            (DeliveryState::Waiting, 4, NOW + 7_000)
        );
        let denied = after(4, false, &Verdict::Denied("invalid_grant".into()));
        assert_eq!((denied.state, denied.attempts), (DeliveryState::Waiting, 4));
        assert_eq!(denied.problem.unwrap().code, Code::CredentialsRefused);
        let waiting = pending(4);
        let signs_in = Situation {
            signs_in: true,
            ..situation(&waiting, false)
        };
        let ended = next(&signs_in, &Verdict::Denied("invalid_grant".into()))
            .problem
            .unwrap();
        assert!(ended.code == Code::ReconnectNeeded && ended.next.contains("/v1/connections/crm/oauth/start"));
        assert_eq!(after(4, false, &later(false)).state, DeliveryState::Waiting);
    }

    #[test]
    fn a_delivery_in_doubt_stays_in_doubt_through_failures() {
        assert_eq!(after(0, true, &later(true)).state, DeliveryState::Unknown);
        let waits = after(
            0,
            true,
            &Verdict::Doubt {
                message: "cut".into(),
                due_ms: NOW + 3_000,
            },
        );
        assert_eq!((waits.state, waits.due_ms), (DeliveryState::Unknown, NOW + 3_000));
        let end = after(
            4,
            true,
            &Verdict::Doubt {
                message: "cut".into(),
                due_ms: NOW,
            },
        );
        assert_eq!(end.state, DeliveryState::Dead);
        assert_eq!(end.problem.unwrap().code, Code::OutcomeUnknown);
    }

    #[test]
    fn an_outage_counts_as_nobodys_failed_try() {
        let pending = pending(4);
        let during = Situation {
            outage: true,
            ..situation(&pending, false)
        };
        let next = next(&during, &later(true));
        assert_eq!((next.state, next.attempts), (DeliveryState::Waiting, 4));
    }

    #[test]
    fn what_is_not_counted_ends_no_delivery_however_few_tries_there_are() {
        let pending = pending(0);
        let one_try = Situation {
            patience: Patience::Usual(Schedule {
                attempts: 1,
                cap_ms: 7_000,
                ..Schedule::default()
            }),
            ..situation(&pending, false)
        };
        assert_eq!(next(&one_try, &later(true)).state, DeliveryState::Dead);
        let waits = next(&one_try, &later(false));
        assert_eq!(
            (waits.state, waits.attempts, waits.due_ms),
            (DeliveryState::Waiting, 0, NOW + 7_000)
        );
    }

    #[test]
    fn what_is_wrong_with_the_connection_keeps_its_deliveries_waiting_with_its_own_problem() {
        let sealed = Problem::new(Code::SealBroken, "crm: another master key", "Bring the key back.");
        let verdict = Verdict::Stopped(Box::new(sealed.clone()));
        let waits = after(4, true, &verdict);
        assert_eq!((waits.state, waits.attempts), (DeliveryState::Unknown, 4));
        assert_eq!(waits.problem, Some(sealed));
        assert!(verdict.hold_ms().is_some());
    }

    #[test]
    fn the_backup_takes_what_the_primary_cannot_and_with_sync_back_the_primary_gets_it_later() {
        let with = |sync_back, handed_over, verdict: &Verdict| {
            let fallback = Fallback {
                connection: ConnectionId(2),
                objects: vec![],
                options: None,
                sync_back,
            };
            let pending = Pending {
                fallback: Some(Arc::new(fallback)),
                handed_over,
                ..pending(4)
            };
            let next = next(&situation(&pending, false), verdict);
            (next.state, next.hand_over)
        };
        assert_eq!(with(true, false, &later(true)), (DeliveryState::Waiting, true));
        assert_eq!(with(true, true, &later(true)), (DeliveryState::Waiting, false));
        assert_eq!(with(false, false, &later(true)), (DeliveryState::Dead, true));
        let rejected = Verdict::Dead(Problem::new(Code::VendorRejected, "no e-mail", "Mend it."));
        assert_eq!(with(true, false, &rejected), (DeliveryState::Dead, true));
        assert_eq!(with(true, true, &rejected), (DeliveryState::Dead, false));
    }

    #[test]
    fn the_backup_gets_what_is_in_doubt_only_where_both_get_it() {
        for (sync_back, in_doubt, expected) in [(false, true, false), (true, true, true), (false, false, true)] {
            let fallback = Fallback {
                connection: ConnectionId(2),
                objects: vec![],
                options: None,
                sync_back,
            };
            let pending = Pending {
                fallback: Some(Arc::new(fallback)),
                ..pending(4)
            };
            let lost = Verdict::Doubt {
                message: "cut".into(),
                due_ms: NOW,
            };
            let given_up = next(&situation(&pending, in_doubt), &lost);
            assert_eq!((given_up.state, given_up.hand_over), (DeliveryState::Dead, expected));
            let detail = given_up.problem.unwrap().detail;
            assert_eq!(detail.contains("not at both"), !expected, "{detail}");
            // The record may be there because of an earlier delivery of it.
            let of_record = Situation {
                record_in_doubt: in_doubt,
                ..situation(&pending, false)
            };
            let refused = Verdict::Dead(Problem::new(Code::VendorRejected, "no e-mail", "Mend it."));
            assert_eq!(next(&of_record, &refused).hand_over, expected);
        }
    }

    #[test]
    fn what_a_person_has_to_look_for_says_how_it_is_sent_again() {
        let lost = Verdict::Doubt {
            message: "cut".into(),
            due_ms: NOW,
        };
        let problem = after(4, true, &lost).problem.unwrap();
        assert!(
            problem.next.contains("\"not_there\": true") && problem.next.contains("POST /v1/deliveries/replay"),
            "{}",
            problem.next
        );
    }

    #[test]
    fn a_call_whose_end_nobody_saw_is_looked_into_only_when_it_must_be_over() {
        let pending = pending(0);
        let open = Situation {
            resolvable_ms: Some(NOW + 80_000),
            ..situation(&pending, true)
        };
        let waits = next(&open, &later(true));
        assert_eq!((waits.state, waits.due_ms), (DeliveryState::Unknown, NOW + 80_000));
    }
}
