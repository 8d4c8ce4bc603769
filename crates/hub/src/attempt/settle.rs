//! Writes down what came of a try.

use std::{sync::Arc, time::Duration};

use switchboard_connect::connector::Connector;
use switchboard_model::{
    connection::ConnectionState,
    delivery::DeliveryState,
    outcome::FieldProblem,
    problem::{Code, Problem, ProblemBody},
};

use super::{Desk, Ended};
use crate::{
    configuration::Connection,
    store::{CallRecord, ConnectionNote, InDoubt, LinkChange, Pending, Settlement},
};

/// The wait after a throttled call when the vendor names none, in milliseconds.
const THROTTLE_MS: u64 = 5_000;
/// The wait of a delivery whose connection was refused, in milliseconds. The connection's state holds it back anyway.
const DENIED_MS: i64 = 60_000;
/// How long to wait before the store is asked again to write down what must not be forgotten.
const STORE_PAUSE: Duration = Duration::from_secs(1);

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
}

/// What a try leaves behind.
pub(super) struct Trace {
    pub pending: Pending,
    /// The write that is in doubt now.
    pub doubt: Option<InDoubt>,
    /// The link that was known before.
    pub known_link: Option<String>,
    /// Whether that link turned out to lead nowhere.
    pub lost_link: bool,
    pub calls: Vec<CallRecord>,
}

/// What the delivery's row becomes.
struct Next {
    state: DeliveryState,
    attempts: u32,
    due_ms: i64,
    problem: Option<Problem>,
    external_id: Option<String>,
}

/// Writes the result down, however long that takes, and answers what the lane has to know.
pub(super) async fn write_down(desk: &Desk, connection: &Connection, trace: Trace, verdict: Verdict) -> Ended {
    let now_ms = desk.clock.now_ms();
    let mut hold_until_ms = None;
    if let Verdict::Throttled { after_ms, .. } = &verdict {
        let until = now_ms + i64::try_from(after_ms.unwrap_or(THROTTLE_MS)).unwrap_or(i64::MAX / 4);
        connection.gate.pause_until(until);
    }
    if let Verdict::Denied(message) = &verdict {
        hold_until_ms = Some(now_ms + DENIED_MS);
        mark_refused(desk, connection, message).await;
    }
    let next = next(desk, connection, &trace, &verdict, now_ms);
    let link = link_change(connection, &trace, next.external_id.as_deref());
    let Trace {
        pending, doubt, calls, ..
    } = trace;
    let settlement = Settlement {
        delivery: pending.id,
        workspace: connection.workspace,
        state: next.state,
        attempts: next.attempts,
        due_ms: next.due_ms,
        doubt: doubt.filter(|_| next.state != DeliveryState::Delivered),
        now_ms,
        external_id: next.external_id,
        link,
        problem: next.problem.as_ref().map(ProblemBody::from),
        calls,
    };
    let again = (!next.state.is_settled()).then(|| Pending {
        attempts: next.attempts,
        due_ms: next.due_ms,
        doubt: settlement.doubt,
        ..pending
    });
    desk.metrics.settled(&connection.spec.connector, next.state.name());
    while let Err(error) = desk.store.settle(settlement.clone()).await {
        // The vendor may hold the record already: that must not be forgotten while this process lives.
        tracing::error!(delivery = %settlement.delivery, %error, "an outcome could not be written down; trying again");
        if matches!(error, crate::store::StoreError::Closed) {
            break;
        }
        tokio::time::sleep(STORE_PAUSE).await;
    }
    Ended { again, hold_until_ms }
}

fn next(desk: &Desk, connection: &Connection, trace: &Trace, verdict: &Verdict, now_ms: i64) -> Next {
    let pending = &trace.pending;
    let open = if trace.doubt.is_some() {
        DeliveryState::Unknown
    } else {
        DeliveryState::Waiting
    };
    let later = |attempts: u32, due_ms: i64, problem: Problem| Next {
        state: open,
        attempts,
        due_ms,
        problem: Some(problem),
        external_id: None,
    };
    let dead = |problem: Problem| Next {
        state: DeliveryState::Dead,
        attempts: pending.attempts + 1,
        due_ms: now_ms,
        problem: Some(problem),
        external_id: None,
    };
    match verdict {
        Verdict::Delivered { external_id } => Next {
            state: DeliveryState::Delivered,
            attempts: pending.attempts,
            due_ms: now_ms,
            problem: None,
            external_id: external_id.clone(),
        },
        Verdict::Dead(problem) => dead(problem.clone()),
        Verdict::Throttled { message, after_ms } => {
            let due = now_ms + signed(after_ms.unwrap_or(THROTTLE_MS));
            later(
                pending.attempts,
                due,
                problem(
                    Code::VendorThrottled,
                    connection,
                    message,
                    "Nothing; it is sent as soon as the vendor allows.",
                ),
            )
        }
        Verdict::Denied(message) => later(pending.attempts, now_ms + DENIED_MS, refused(connection, message)),
        Verdict::Later {
            message,
            after_ms,
            counts,
        } => {
            let failed = pending.attempts + u32::from(*counts);
            let seed = pending.id.0.cast_unsigned();
            match desk.schedule.wait_ms(failed.max(1), seed) {
                Some(wait) => {
                    let due = now_ms + signed(wait.max(after_ms.unwrap_or(0)));
                    later(
                        failed,
                        due,
                        problem(
                            Code::VendorUnavailable,
                            connection,
                            message,
                            "Nothing yet; it is tried again by itself.",
                        ),
                    )
                }
                None => dead(problem(
                    Code::VendorUnavailable,
                    connection,
                    &format!("{message} (after {failed} tries)"),
                    "Replay the delivery when the vendor is well again.",
                )),
            }
        }
        Verdict::Doubt { message, due_ms } => {
            let failed = pending.attempts + 1;
            match desk.schedule.wait_ms(failed, pending.id.0.cast_unsigned()) {
                Some(_) => later(
                    failed,
                    *due_ms,
                    problem(
                        Code::OutcomeUnknown,
                        connection,
                        message,
                        "Nothing yet; the hub looks whether the record is there.",
                    ),
                ),
                None => dead(problem(
                    Code::OutcomeUnknown,
                    connection,
                    message,
                    "Look in the vendor's system whether the record is there; replay the delivery if it is not.",
                )),
            }
        }
    }
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX / 4)
}

fn problem(code: Code, connection: &Connection, message: &str, next: &str) -> Problem {
    Problem::new(code, format!("{}: {message}", connection.key), next)
}

fn refused(connection: &Connection, message: &str) -> Problem {
    problem(
        Code::CredentialsRefused,
        connection,
        message,
        "Enter working credentials for this connection; what waits is sent then.",
    )
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

/// Dead credentials stop the whole connection, so that no delivery burns tries and no account is banned.
async fn mark_refused(desk: &Desk, connection: &Connection, message: &str) {
    let reason = refused(connection, message).detail;
    let note = ConnectionNote {
        state: Some((ConnectionState::Error, Some(reason))),
        ..ConnectionNote::default()
    };
    if let Err(error) = desk.store.note_connection(connection.id, note).await {
        tracing::error!(connection = %connection.key, %error, "the connection's state could not be written down");
    }
}

fn link_change(connection: &Connection, trace: &Trace, external_id: Option<&str>) -> LinkChange {
    let (object, record_key) = (Arc::clone(&trace.pending.object), trace.pending.record_key.clone());
    match external_id {
        Some(external_id) if trace.known_link.as_deref() == Some(external_id) => LinkChange::Keep,
        Some(external_id) => LinkChange::Set {
            connection: connection.id,
            object,
            record_key,
            external_id: external_id.to_owned(),
        },
        None if trace.lost_link => LinkChange::Forget {
            connection: connection.id,
            object,
            record_key,
        },
        None => LinkChange::Keep,
    }
}
