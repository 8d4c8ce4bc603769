//! Events, deliveries and links: the hot tables.

use std::{collections::HashMap, sync::Arc};

use rusqlite::{Connection, OptionalExtension, params};
use switchboard_connect::manifest::OperationKind;
use switchboard_model::{
    delivery::DeliveryState,
    event::Event,
    id::{ConnectionId, DeliveryId, EventId, WorkspaceId},
};

use super::{SqliteStore, journal, record};
use crate::store::{
    Accepted, Answer, CallRecord, Changed, Fence, Fingerprint, Intent, LinkChange, Listener, NewDelivery, NewEvent,
    Outbox, Pending, Selection, Settlement, Wish,
};

/// An event with everything that has to be written for it, and the ids that it will have.
struct Draft {
    event: Arc<Event>,
    data: String,
    note: Option<String>,
    fingerprint: Option<Fingerprint>,
    deliveries: Vec<Pending>,
}

impl SqliteStore {
    fn draft(&self, new: NewEvent) -> Draft {
        let mut ids = self.ids.lock();
        let id = EventId(ids.next(new.received_ms));
        let data = record::to_text(&new.data);
        let event = Arc::new(Event {
            id,
            workspace: new.workspace,
            kind: new.kind,
            received_ms: new.received_ms,
            data: new.data,
        });
        let deliveries = new
            .deliveries
            .into_iter()
            .map(|delivery| self.pending_of(&event, delivery, DeliveryId(ids.next(new.received_ms)), new.received_ms))
            .collect();
        Draft {
            event,
            data,
            note: new.note,
            fingerprint: new.fingerprint,
            deliveries,
        }
    }

    fn pending_of(&self, event: &Arc<Event>, new: NewDelivery, id: DeliveryId, now_ms: i64) -> Pending {
        Pending {
            id,
            event: event.id,
            body: Some(Arc::clone(event)),
            connection: new.connection,
            object: new.object,
            record_key: new.record_key.unwrap_or_else(|| event.id.to_string()),
            options: new.options,
            attempts: 0,
            due_ms: now_ms,
            doubt: None,
            fallback: new.fallback.map(Arc::new),
            handed_over: false,
            fresh: true,
            alone: false,
        }
    }
}

impl Outbox for SqliteStore {
    fn listen(&self, listener: Arc<dyn Listener>) {
        *self.listener.lock() = Some(listener);
    }

    fn accept(&self, events: Vec<NewEvent>) -> Answer<'_, Vec<Accepted>> {
        let listener = self.listener.lock().clone();
        let accepted = self.writer.write_in_order(
            move || {
                let drafts: Vec<Draft> = events.into_iter().map(|new| self.draft(new)).collect();
                move |db: &Connection| {
                    drafts
                        .iter()
                        .map(|draft| accept_one(db, draft))
                        .collect::<Result<Vec<_>, _>>()
                }
            },
            move |accepted| {
                let hints: Vec<Pending> = accepted
                    .iter_mut()
                    .flat_map(|(_, pending)| std::mem::take(pending))
                    .collect();
                if let Some(listener) = listener.filter(|_| !hints.is_empty()) {
                    listener.accepted(hints);
                }
            },
        );
        Box::pin(async move { Ok(accepted.await?.into_iter().map(|(accepted, _)| accepted).collect()) })
    }

    fn pending(&self, connection: ConnectionId, after: DeliveryId, limit: usize) -> Answer<'_, Vec<Pending>> {
        Box::pin(self.readers.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT id, event, object, record_key, options, attempts, due_ms, doubt_ms, operation, fallback, handed_over_ms
                 FROM delivery WHERE connection = ?1 AND id > ?2 AND state < 10 AND state <> 3
                 ORDER BY id LIMIT ?3",
            )?;
            let rows = select.query_map(params![connection.0, after.0, limit], |row| {
                record::pending(row, connection)
            })?;
            rows.collect()
        }))
    }

    fn bodies(&self, events: Vec<EventId>) -> Answer<'_, Vec<Arc<Event>>> {
        Box::pin(self.readers.read(move |db| {
            let mut select =
                db.prepare_cached("SELECT id, workspace, kind, received_ms, data FROM event WHERE id = ?1")?;
            let mut found = Vec::with_capacity(events.len());
            for id in events {
                found.extend(
                    select
                        .query_row([id.0], |row| record::event(row, 0))
                        .optional()?
                        .map(Arc::new),
                );
            }
            Ok(found)
        }))
    }

    fn intend(&self, _fence: Fence, intents: Vec<Intent>) -> Answer<'_, Vec<DeliveryId>> {
        Box::pin(self.writer.write(move |db| {
            let mut update = db.prepare_cached(
                "UPDATE delivery SET state = 1, operation = ?2, means = ?3, request_digest = ?4, doubt_ms = coalesce(doubt_ms, ?5)
                 WHERE id = ?1 AND state IN (0, 1, 2)",
            )?;
            let mut refused = Vec::new();
            for intent in &intents {
                let written = update.execute(params![
                    intent.delivery.0,
                    intent.operation.name(),
                    intent.means.name(),
                    intent.request_digest,
                    intent.now_ms
                ])?;
                if written == 0 {
                    refused.push(intent.delivery);
                }
            }
            Ok(refused)
        }))
    }

    fn settle(&self, _fence: Fence, settlements: Arc<[Settlement]>) -> Answer<'_, ()> {
        let attempt_ids: Vec<Vec<i64>> = {
            let mut ids = self.ids.lock();
            let each = settlements.iter();
            each.map(|settlement| settlement.calls.iter().map(|_| ids.next(settlement.now_ms)).collect())
                .collect()
        };
        let handed_ids: Vec<Vec<i64>> = {
            let mut ids = self.ids.lock();
            let each = settlements.iter();
            each.map(|settlement| {
                let handed = settlement.hand_over.iter().flat_map(|hand_over| &hand_over.deliveries);
                handed.map(|_| ids.next(settlement.now_ms)).collect()
            })
            .collect()
        };
        Box::pin(self.writer.write(move |db| {
            for ((settlement, attempt_ids), handed_ids) in settlements.iter().zip(&attempt_ids).zip(&handed_ids) {
                settle_one(db, settlement)?;
                for (id, call) in attempt_ids.iter().zip(&settlement.calls) {
                    insert_call(db, *id, settlement, call)?;
                }
                change_link(db, &settlement.link)?;
                if let Some(hand_over) = &settlement.hand_over {
                    for (id, new) in handed_ids.iter().zip(&hand_over.deliveries) {
                        add_delivery(db, hand_over.event, DeliveryId(*id), new, settlement.now_ms)?;
                    }
                }
            }
            Ok(())
        }))
    }

    fn links(&self, connection: ConnectionId, object: &str, keys: Vec<String>) -> Answer<'_, HashMap<String, String>> {
        let object = object.to_owned();
        Box::pin(self.readers.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT external_id FROM link WHERE connection = ?1 AND object = ?2 AND record_key = ?3",
            )?;
            let mut found = HashMap::new();
            for key in keys {
                let link: Option<String> = select
                    .query_row(params![connection.0, object, key], |row| row.get(0))
                    .optional()?;
                found.extend(link.map(|link| (key, link)));
            }
            Ok(found)
        }))
    }

    fn change(&self, workspace: WorkspaceId, wish: Wish, which: Selection, now_ms: i64) -> Answer<'_, Changed> {
        Box::pin(self.writer.write(move |db| {
            let (from, to) = wish.states();
            let from: Vec<String> = from.into_iter().map(|state| (state as u8).to_string()).collect();
            let from = from.join(", ");
            let ids = match &which {
                Selection::These(ids) => ids.clone(),
                Selection::Filter { filter, after, limit } => {
                    journal::selected(db, workspace, filter, &from, *after, *limit)?
                }
            };
            let anew = if wish == Wish::Replay {
                ", attempts = 0, handed_over_ms = NULL"
            } else {
                ""
            };
            let mut update = db.prepare_cached(&format!(
                "UPDATE delivery SET state = ?4, due_ms = ?3, settled_ms = CASE WHEN ?4 >= 10 THEN ?3 END{anew}
                 WHERE id = ?1 AND workspace = ?2 AND state IN ({from}) RETURNING connection"
            ))?;
            let mut changed = Changed::default();
            for id in ids {
                let moved = update
                    .query_row(params![id.0, workspace.0, now_ms, to as u8], |row| row.get(0))
                    .optional()?;
                if let Some(connection) = moved.map(ConnectionId) {
                    changed.deliveries.push(id);
                    if !changed.connections.contains(&connection) {
                        changed.connections.push(connection);
                    }
                }
            }
            Ok(changed)
        }))
    }

    fn add_deliveries(&self, event: EventId, deliveries: Vec<NewDelivery>) -> Answer<'_, Vec<DeliveryId>> {
        let make = move || {
            let now_ms = self.clock.now_ms();
            let ids: Vec<i64> = {
                let mut source = self.ids.lock();
                deliveries.iter().map(|_| source.next(now_ms)).collect()
            };
            move |db: &Connection| {
                let mut added = Vec::new();
                for (id, new) in ids.iter().zip(&deliveries) {
                    if add_delivery(db, event, DeliveryId(*id), new, now_ms)? {
                        added.push(DeliveryId(*id));
                    }
                }
                Ok(added)
            }
        };
        Box::pin(self.writer.write_in_order(make, |_| {}))
    }
}

/// Also answers the deliveries for the listener. The draft keeps its own, because the group may be rolled back and run again.
fn accept_one(db: &Connection, draft: &Draft) -> rusqlite::Result<(Accepted, Vec<Pending>)> {
    let event = &draft.event;
    if let Some(fingerprint) = &draft.fingerprint {
        let before: Option<(i64, [u8; 8])> = db
            .prepare_cached("SELECT event, content FROM seen WHERE workspace = ?1 AND key = ?2")?
            .query_row(params![event.workspace.0, fingerprint.key], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        if let Some((id, content)) = before {
            let same = content == fingerprint.content;
            let accepted = if same {
                Accepted::Repeat(EventId(id))
            } else {
                Accepted::Conflict(EventId(id))
            };
            return Ok((accepted, Vec::new()));
        }
        db.prepare_cached("INSERT INTO seen (workspace, key, content, event) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![
                event.workspace.0,
                fingerprint.key,
                fingerprint.content,
                event.id.0
            ])?;
    }
    db.prepare_cached(
        "INSERT INTO event (id, workspace, kind, received_ms, data, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        event.id.0,
        event.workspace.0,
        event.kind.name(),
        event.received_ms,
        draft.data,
        draft.note
    ])?;
    for pending in &draft.deliveries {
        insert_delivery(db, event.workspace, pending)?;
    }
    let accepted = Accepted::New {
        event: event.id,
        deliveries: draft.deliveries.len(),
    };
    Ok((accepted, draft.deliveries.clone()))
}

fn insert_delivery(db: &Connection, workspace: WorkspaceId, pending: &Pending) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO delivery (id, workspace, event, connection, object, record_key, options, state, due_ms, fallback)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, ?9)",
    )?
    .execute(params![
        pending.id.0,
        workspace.0,
        pending.event.0,
        pending.connection.0,
        &*pending.object,
        pending.record_key,
        pending.options.as_ref().map(record::to_text),
        pending.due_ms,
        pending.fallback.as_deref().map(record::to_text)
    ])?;
    Ok(())
}

fn add_delivery(
    db: &Connection,
    event: EventId,
    id: DeliveryId,
    new: &NewDelivery,
    now_ms: i64,
) -> rusqlite::Result<bool> {
    let added = db
        .prepare_cached(
            "INSERT INTO delivery (id, workspace, event, connection, object, record_key, options, state, due_ms, fallback)
             SELECT ?1, e.workspace, e.id, ?3, ?4, ?5, ?6, 0, ?7, ?8 FROM event e
             WHERE e.id = ?2 AND NOT EXISTS
                 (SELECT 1 FROM delivery d WHERE d.event = ?2 AND d.connection = ?3 AND d.object = ?4)",
        )?
        .execute(params![
            id.0,
            event.0,
            new.connection.0,
            &*new.object,
            new.record_key.clone().unwrap_or_else(|| event.to_string()),
            new.options.as_ref().map(record::to_text),
            now_ms,
            new.fallback.as_ref().map(record::to_text)
        ])?;
    Ok(added > 0)
}

fn settle_one(db: &Connection, settlement: &Settlement) -> rusqlite::Result<()> {
    let settled = settlement.state.is_settled();
    db.prepare_cached(
        "UPDATE delivery SET state = ?2, attempts = ?3, due_ms = ?4, doubt_ms = ?5, operation = ?9, settled_ms = ?6,
                external_id = coalesce(?7, external_id), problem = ?8, carrier = ?10,
                handed_over_ms = coalesce(?11, handed_over_ms)
         WHERE id = ?1 AND state IN (0, 1, 2)",
    )?
    .execute(params![
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
        settlement.hand_over.as_ref().map(|_| settlement.now_ms)
    ])?;
    if settlement.state == DeliveryState::Delivered {
        db.prepare_cached(
            "INSERT INTO tally (connection, delivered, last_delivered_ms)
             SELECT connection, 1, ?2 FROM delivery WHERE id = ?1
             ON CONFLICT (connection) DO UPDATE SET delivered = delivered + 1, last_delivered_ms = excluded.last_delivered_ms",
        )?
        .execute(params![settlement.delivery.0, settlement.now_ms])?;
    }
    Ok(())
}

fn insert_call(db: &Connection, id: i64, settlement: &Settlement, call: &CallRecord) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO attempt (id, workspace, delivery, started_ms, duration_ms, operation, request, status, answer, outcome, records)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        id,
        settlement.workspace.0,
        settlement.delivery.0,
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

fn change_link(db: &Connection, change: &LinkChange) -> rusqlite::Result<()> {
    match change {
        LinkChange::Keep => Ok(()),
        LinkChange::Set {
            connection,
            object,
            record_key,
            external_id,
        } => {
            db.prepare_cached(
                "INSERT INTO link (connection, object, record_key, external_id) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET external_id = excluded.external_id",
            )?
            .execute(params![connection.0, &**object, record_key, external_id])?;
            Ok(())
        }
        LinkChange::Forget {
            connection,
            object,
            record_key,
        } => {
            db.prepare_cached("DELETE FROM link WHERE connection = ?1 AND object = ?2 AND record_key = ?3")?
                .execute(params![connection.0, &**object, record_key])?;
            Ok(())
        }
    }
}
