//! What came of attempts: the calls go to the day on which they are written down, the rest into the database.

use std::sync::Arc;

use rusqlite::{Connection, params};
use switchboard_connect::manifest::OperationKind;
use switchboard_model::{
    delivery::DeliveryState,
    id::{ConnectionId, DeliveryId, EventId, IdSource},
};
use tokio::sync::oneshot;

use super::{
    accept::add_delivery,
    record,
    writer::{Job, Tx},
};
use crate::store::{CallRecord, InDoubt, LinkChange, Settlement, StoreError};

/// A call on its way into the history.
pub(super) struct Call {
    pub(super) id: i64,
    workspace: i64,
    delivery: DeliveryId,
    call: Arc<CallRecord>,
}

/// Takes the calls out of the settlements and gives ids to those that have none.
pub(super) fn calls(settlements: &mut [Settlement], ids: &mut IdSource) -> Vec<Call> {
    let mut calls = Vec::new();
    for settlement in settlements {
        for call in std::mem::take(&mut settlement.calls) {
            calls.push(Call {
                id: *call.id.get_or_init(|| ids.next(settlement.now_ms)),
                workspace: settlement.workspace.0,
                delivery: settlement.delivery,
                call,
            });
        }
    }
    calls
}

/// Writes a call into the file of its day. It stands there already when the database did not take what it led to, and was asked again.
pub(super) fn insert_call(day: &Connection, call: &Call) -> rusqlite::Result<()> {
    let Call {
        id,
        workspace,
        delivery,
        call,
    } = call;
    day.prepare_cached(
        "INSERT OR IGNORE INTO attempt (id, workspace, delivery, started_ms, duration_ms, operation, request, status, answer, outcome, records)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        id,
        workspace,
        delivery.0,
        call.started_ms,
        call.duration_ms,
        call.operation,
        call.request,
        call.status,
        call.answer,
        call.outcome,
        call.records
    ])?;
    Ok(())
}

/// Writes what became of the deliveries.
pub(super) struct Settling {
    settlements: Vec<Settlement>,
    /// Ids of what the backups get, in the order of the settlements.
    handed: Vec<DeliveryId>,
    reply: oneshot::Sender<Result<(), StoreError>>,
}

impl Settling {
    pub(super) fn new(
        settlements: Vec<Settlement>,
        ids: &mut IdSource,
        reply: oneshot::Sender<Result<(), StoreError>>,
    ) -> Self {
        let mut handed = Vec::new();
        for settlement in &settlements {
            let new = settlement.hand_over.iter().flatten();
            handed.extend(new.map(|_| DeliveryId(ids.next(settlement.now_ms))));
        }
        Self {
            settlements,
            handed,
            reply,
        }
    }
}

impl Job for Settling {
    fn run(&mut self, tx: &mut Tx<'_>) -> rusqlite::Result<()> {
        let mut handed = self.handed.iter();
        for settlement in &self.settlements {
            let settled = settle(tx, settlement)?;
            change_link(tx, &settlement.link)?;
            let new = settlement.hand_over.iter().flatten();
            let new: Vec<_> = new.zip(&mut handed).collect();
            // What a person has cancelled meanwhile is the backup's neither.
            if !settled {
                continue;
            }
            for (new, id) in new {
                add_delivery(tx, settlement.event, *id, new, settlement.now_ms)?;
            }
            if settlement.state == DeliveryState::Delivered {
                note_end(tx, settlement.event)?;
            }
        }
        Ok(())
    }

    fn done(self: Box<Self>, result: Result<(), StoreError>) {
        // A caller that is gone no longer wants to know; what it said stands.
        let _ = self.reply.send(result);
    }
}

/// False when the delivery was settled, held or cancelled already; then it is left as it is.
fn settle(tx: &mut Tx<'_>, settlement: &Settlement) -> rusqlite::Result<bool> {
    let settled = settlement.state.is_settled();
    // Without RETURNING, which would make a table of its own for each of them.
    let update =
        "UPDATE delivery SET state = ?2, attempts = ?3, due_ms = ?4, doubt_ms = ?5, operation = ?9, settled_ms = ?6,
                         external_id = coalesce(?7, external_id), problem = ?8, carrier = ?10,
                         handed_over_ms = coalesce(?11, handed_over_ms), means = ?12
                  WHERE id = ?1 AND state IN (0, 1, 2)";
    let changed = tx.statements.of(update)?.execute(params![
        settlement.delivery.0,
        settlement.state as u8,
        settlement.attempts,
        settlement.due_ms,
        settlement.doubt.map(|doubt| doubt.since_ms),
        settled.then_some(settlement.now_ms),
        settlement.external_id,
        settlement.problem.as_ref().map(record::to_text),
        settlement
            .doubt
            .and_then(|doubt| doubt.operation)
            .map(OperationKind::name),
        settlement.carrier.map(|carrier| carrier.0),
        settlement.hand_over.as_ref().map(|_| settlement.now_ms),
        settlement.doubt.as_ref().and_then(means)
    ])?;
    if changed == 0 {
        return Ok(false);
    }
    // Whichever open state it was in counts alike.
    tx.tallies.moved(
        settlement.connection,
        DeliveryState::Sending,
        settlement.state,
        settlement.now_ms,
    );
    Ok(true)
}

/// Notes that the event is over if all its deliveries have arrived.
pub(super) fn note_end(tx: &mut Tx<'_>, event: EventId) -> rusqlite::Result<()> {
    let insert = "INSERT OR IGNORE INTO over (event)
                  SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM delivery WHERE event = ?1 AND state <> 10)";
    tx.statements.of(insert)?.execute([event.0]).map(|_| ())
}

fn change_link(tx: &mut Tx<'_>, change: &LinkChange) -> rusqlite::Result<()> {
    let db = tx.db;
    match change {
        LinkChange::Keep => {}
        LinkChange::Set {
            connection,
            object,
            record_key,
            external_id,
            was_in_doubt,
        } => {
            let insert = "INSERT INTO link (connection, object, record_key, external_id) VALUES (?1, ?2, ?3, ?4)
                          ON CONFLICT DO UPDATE SET external_id = excluded.external_id WHERE external_id <> excluded.external_id";
            let link = params![connection.0, &**object, record_key, external_id];
            tx.statements.of(insert)?.execute(link)?;
            if *was_in_doubt {
                delete(db, "link_doubt", (*connection, object, record_key))?;
            }
        }
        LinkChange::Doubt {
            connection,
            object,
            record_key,
            doubt,
            forget,
        } => {
            if *forget {
                delete(db, "link", (*connection, object, record_key))?;
            }
            db.prepare_cached(
                "INSERT OR REPLACE INTO link_doubt (connection, object, record_key, doubt_ms, operation, means)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                connection.0,
                &**object,
                record_key,
                doubt.since_ms,
                doubt.operation.map(OperationKind::name),
                means(doubt)
            ])?;
        }
        LinkChange::Forget {
            connection,
            object,
            record_key,
        } => {
            for table in ["link", "link_doubt"] {
                delete(db, table, (*connection, object, record_key))?;
            }
        }
    }
    Ok(())
}

fn delete(db: &Connection, table: &str, of: (ConnectionId, &str, &str)) -> rusqlite::Result<()> {
    let (connection, object, record_key) = of;
    let statement = format!("DELETE FROM {table} WHERE connection = ?1 AND object = ?2 AND record_key = ?3");
    db.prepare_cached(&statement)?
        .execute(params![connection.0, object, record_key])?;
    Ok(())
}

/// What could tell what became of what is in doubt.
fn means(doubt: &InDoubt) -> Option<String> {
    doubt.recovery.map(|recovery| recovery.to_string())
}
