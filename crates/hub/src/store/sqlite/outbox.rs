//! Events, deliveries and links: the hot tables.

use std::{collections::HashMap, sync::Arc};

use rusqlite::{Connection, OptionalExtension, params};
use switchboard_model::{
    delivery::DeliveryState,
    event::Event,
    id::{ConnectionId, DeliveryId, EventId, WorkspaceId, floor_of},
};
use tokio::sync::oneshot;

use super::{
    SqliteStore,
    accept::{Accepting, add_delivery},
    days::Day,
    history::bring_back,
    journal, record,
    settle::{Settling, calls},
    writer::{Class, Tx},
};
use crate::store::{
    Accepted, Answer, Changed, Fence, Intent, Linked, Listener, NewDelivery, NewEvent, Outbox, Pending, Selection,
    Settlement, StoreError, Wish,
};

/// So many rows are read on the thread that asks; for more, another one is asked.
const FEW: usize = 100;

impl Outbox for SqliteStore {
    fn listen(&self, listener: Arc<dyn Listener>) {
        *self.hearing.lock() = Some(listener);
        // Whoever listens will accept events: what recognises repeats is read before the first of them comes.
        let today = Day::at(self.clock.now_ms());
        let (work, _) = super::writer::Work::new(move |tx: &mut Tx<'_>| tx.seen.load(tx.db, today));
        self.writer.submit(Class::Outcome, || Box::new(work));
    }

    fn accept(&self, events: Vec<NewEvent>) -> Answer<'_, Vec<Accepted>> {
        // Before the place in the queue is held.
        for event in &events {
            event.data.text();
        }
        let (reply, answer) = oneshot::channel();
        self.writer.submit(Class::Urgent, || {
            Box::new(Accepting::new(events, &mut self.ids.lock(), reply))
        });
        Box::pin(async move { answer.await.map_err(|_| StoreError::Closed)? })
    }

    fn pending(&self, connection: ConnectionId, after: DeliveryId, limit: usize) -> Answer<'_, Vec<Pending>> {
        let read = move |db: &Connection| {
            let mut select = db.prepare_cached(
                "SELECT id, event, object, record_key, options, attempts, due_ms, doubt_ms, operation, fallback, handed_over_ms,
                        means, state
                 FROM delivery WHERE connection = ?1 AND id > ?2 AND state < 10 AND state <> 3
                 ORDER BY id LIMIT ?3",
            )?;
            let rows = select.query_map(params![connection.0, after.0, limit], |row| {
                record::pending(row, connection)
            })?;
            rows.collect()
        };
        if limit <= FEW {
            Box::pin(async move { self.readers.read_here(read) })
        } else {
            Box::pin(self.readers.read(read))
        }
    }

    fn bodies(&self, events: Vec<EventId>) -> Answer<'_, Vec<Arc<Event>>> {
        let few = events.len() <= FEW;
        let days = Arc::clone(&self.days);
        let read = move |db: &Connection| {
            let mut found = Vec::with_capacity(events.len());
            for id in events {
                let event = match body(db, id)? {
                    Some(event) => Some(event),
                    None => days.read(Day::of(id.0), |db| body(db, id))?.flatten(),
                };
                found.extend(event.map(Arc::new));
            }
            Ok(found)
        };
        if few {
            Box::pin(async move { self.readers.read_here(read) })
        } else {
            Box::pin(self.readers.read(read))
        }
    }

    fn intend(&self, _fence: Fence, intents: Vec<Intent>) -> Answer<'_, Vec<DeliveryId>> {
        Box::pin(self.writer.write(move |db| {
            let mut update = db.prepare_cached(
                "UPDATE delivery SET state = 1, operation = ?2, means = ?3, request_digest = ?4, doubt_ms = ?5
                 WHERE id = ?1 AND state IN (0, 1, 2)",
            )?;
            let mut refused = Vec::new();
            for intent in &intents {
                let written = update.execute(params![
                    intent.delivery.0,
                    intent.operation.name(),
                    intent.recovery.map(|recovery| recovery.to_string()),
                    intent.request_digest,
                    intent.since_ms
                ])?;
                if written == 0 {
                    refused.push(intent.delivery);
                }
            }
            Ok(refused)
        }))
    }

    fn settle(&self, _fence: Fence, mut settlements: Vec<Settlement>) -> Answer<'_, ()> {
        // Ids that are made from now on are above this one.
        let handed: Vec<(ConnectionId, DeliveryId)> = settlements
            .iter()
            .flat_map(|settlement| {
                let given = settlement.hand_over.iter().flatten();
                given.map(|new| (new.connection, DeliveryId(floor_of(settlement.now_ms))))
            })
            .collect();
        let (reply, answer) = oneshot::channel();
        let (calls, job) = {
            let mut ids = self.ids.lock();
            let calls = calls(&mut settlements, &mut ids);
            (calls, Settling::new(settlements, &mut ids, reply))
        };
        let writer = self.writer.clone();
        self.historian
            .record(calls, move || writer.submit(Class::Outcome, || Box::new(job)));
        let listener = self.hearing.lock().clone();
        Box::pin(async move {
            answer.await.map_err(|_| StoreError::Closed)??;
            if let Some(listener) = listener.filter(|_| !handed.is_empty()) {
                listener.hinted(handed);
            }
            Ok(())
        })
    }

    fn links(&self, connection: ConnectionId, object: &str, keys: Vec<String>) -> Answer<'_, HashMap<String, Linked>> {
        let object = object.to_owned();
        let few = keys.len() <= FEW;
        let read = move |db: &Connection| {
            let mut select = db.prepare_cached(
                "SELECT external_id, NULL, NULL, NULL FROM link WHERE connection = ?1 AND object = ?2 AND record_key = ?3
                 UNION ALL
                 SELECT NULL, doubt_ms, operation, means FROM link_doubt WHERE connection = ?1 AND object = ?2 AND record_key = ?3",
            )?;
            let mut found = HashMap::new();
            for key in keys {
                // What is known stands before what is in doubt.
                let linked = select
                    .query_row(params![connection.0, object, key], record::linked)
                    .optional()?;
                found.extend(linked.flatten().map(|linked| (key, linked)));
            }
            Ok(found)
        };
        if few {
            Box::pin(async move { self.readers.read_here(read) })
        } else {
            Box::pin(self.readers.read(read))
        }
    }

    fn change(&self, workspace: WorkspaceId, wish: Wish, which: Selection, now_ms: i64) -> Answer<'_, Changed> {
        let run = move |tx: &mut Tx<'_>| {
            let (from, _) = wish.states();
            let ids = match &which {
                Selection::These(ids) => ids.clone(),
                Selection::Filter { filter, after, limit } => {
                    journal::selected(tx.db, workspace, filter, &from, *after, *limit)?
                }
            };
            let mut changed = Changed::default();
            for id in ids {
                if let Some(connection) = change_one(tx, workspace, wish, id, now_ms)? {
                    changed.deliveries.push(id);
                    if !changed.connections.contains(&connection) {
                        changed.connections.push(connection);
                    }
                }
            }
            Ok(changed)
        };
        Box::pin(self.writer.write_with(Class::Urgent, run))
    }

    fn add_deliveries(&self, event: EventId, deliveries: Vec<NewDelivery>) -> Answer<'_, Vec<DeliveryId>> {
        let now_ms = self.clock.now_ms();
        let (reply, answer) = oneshot::channel();
        self.writer.submit(Class::Urgent, || {
            let ids: Vec<DeliveryId> = {
                let mut source = self.ids.lock();
                deliveries.iter().map(|_| DeliveryId(source.next(now_ms))).collect()
            };
            let days = Arc::clone(&self.days);
            let run = move |tx: &mut Tx<'_>| {
                bring_back(&days, tx.db, event)?;
                let mut added = Vec::new();
                for (id, new) in ids.iter().zip(&deliveries) {
                    if add_delivery(tx, event, *id, new, now_ms)? {
                        added.push(*id);
                    }
                }
                Ok(added)
            };
            Box::new(super::writer::Work::replying(run, reply))
        });
        Box::pin(async move { answer.await.map_err(|_| StoreError::Closed)? })
    }
}

pub(super) fn body(db: &Connection, id: EventId) -> rusqlite::Result<Option<Event>> {
    db.prepare_cached("SELECT id, workspace, kind, received_ms, data FROM event WHERE id = ?1")?
        .query_row([id.0], |row| record::event(row, 0))
        .optional()
}

/// Fulfils a wish for one delivery, if its state allows it; answers its connection.
fn change_one(
    tx: &mut Tx<'_>,
    workspace: WorkspaceId,
    wish: Wish,
    id: DeliveryId,
    now_ms: i64,
) -> rusqlite::Result<Option<ConnectionId>> {
    let found: Option<(DeliveryState, i64)> = tx
        .db
        .prepare_cached("SELECT state, connection FROM delivery WHERE id = ?1 AND workspace = ?2")?
        .query_row([id.0, workspace.0], |row| Ok((record::state(row, 0)?, row.get(1)?)))
        .optional()?;
    let Some((from, connection)) = found else {
        return Ok(None);
    };
    let Some(to) = from.after(wish.change()) else {
        return Ok(None);
    };
    tx.db
        .prepare_cached(
            "UPDATE delivery SET state = ?2, due_ms = ?3, settled_ms = CASE WHEN ?2 >= 10 THEN ?3 END,
                    attempts = CASE WHEN ?4 THEN 0 ELSE attempts END,
                    handed_over_ms = CASE WHEN ?4 THEN NULL ELSE handed_over_ms END
             WHERE id = ?1",
        )?
        .execute(params![id.0, to as u8, now_ms, wish.is_anew()])?;
    if wish == Wish::ReplayNotThere {
        end_doubt(tx.db, id)?;
    }
    let connection = ConnectionId(connection);
    tx.tallies.moved(connection, from, to, now_ms);
    Ok(Some(connection))
}

/// A person has looked: neither this delivery nor its record is in doubt any more.
fn end_doubt(db: &Connection, id: DeliveryId) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE delivery SET doubt_ms = NULL, operation = NULL, means = NULL WHERE id = ?1")?
        .execute([id.0])?;
    db.prepare_cached(
        "DELETE FROM link_doubt WHERE (connection, object, record_key) =
             (SELECT connection, object, record_key FROM delivery WHERE id = ?1)",
    )?
    .execute([id.0])?;
    Ok(())
}
