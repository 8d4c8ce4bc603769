//! Writes down what came of a try.

use std::{sync::Arc, time::Duration};

use switchboard_model::{connection::ConnectionState, delivery::DeliveryState, problem::ProblemBody};

use super::{
    Desk, Ended,
    verdict::{self, Verdict},
};
use crate::{
    configuration::Connection,
    failpoint,
    store::{CallRecord, ConnectionNote, InDoubt, LinkChange, Pending, Settlement},
};

/// How long to wait before the store is asked again to write down what must not be forgotten.
const STORE_PAUSE: Duration = Duration::from_secs(1);

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

/// Writes the result down, however long that takes, and answers what the lane has to know.
pub(super) async fn write_down(desk: &Desk, connection: &Connection, trace: Trace, verdict: Verdict) -> Ended {
    let now_ms = desk.clock.now_ms();
    let hold_until_ms = verdict.hold_ms().map(|hold| now_ms + hold);
    if let Some(pause) = verdict.pause_ms() {
        connection.gate.pause_until(now_ms.saturating_add(pause));
    }
    if let Verdict::Denied(message) = &verdict {
        mark_refused(desk, connection, &verdict::refused(&connection.key, message).detail).await;
    }
    let next = verdict::next(desk.schedule, &connection.key, &trace, &verdict, now_ms);
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
    failpoint::reach(failpoint::SETTLED);
    Ended { again, hold_until_ms }
}

/// Dead credentials stop the whole connection, so that no delivery burns tries and no account is banned.
pub(crate) async fn mark_refused(desk: &Desk, connection: &Connection, reason: &str) {
    let note = ConnectionNote {
        state: Some((ConnectionState::Error, Some(reason.to_owned()))),
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
