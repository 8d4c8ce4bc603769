//! Events on their way into the database: what is written for them, and the job that writes it.

use std::sync::Arc;

use rusqlite::{Connection, params};
use switchboard_model::{
    delivery::DeliveryState,
    event::{Event, EventType},
    id::{ConnectionId, DeliveryId, EventId, IdSource, RunId, WorkspaceId},
};
use tokio::sync::oneshot;

use super::{
    automations, classifying, record,
    statements::Statements,
    writer::{Job, Tx},
};
use crate::store::{Accepted, Fingerprint, NewDelivery, NewEvent, NewRun, Pending, StoreError, place::Present};

/// Gives an event and what belongs to it their ids. Its JSON text should have been asked for before: others wait for ids meanwhile.
pub(super) fn numbered(new: NewEvent, ids: &mut IdSource) -> Numbered {
    let now_ms = new.received_ms;
    let (members, data) = new.data.into_parts();
    let event = Arc::new(Event {
        id: EventId(ids.next(now_ms)),
        workspace: new.workspace,
        kind: new.kind,
        received_ms: now_ms,
        data: members,
    });
    let deliveries = new.deliveries.into_iter();
    let deliveries = deliveries.map(|new| pending_of(&event, new, DeliveryId(ids.next(now_ms)), now_ms));
    let deliveries = deliveries.collect();
    let runs = new.runs.into_iter();
    Numbered {
        deliveries,
        runs: runs.map(|new| (RunId(ids.next(now_ms)), new)).collect(),
        event,
        data,
        note: new.note,
        fingerprint: new.fingerprint,
    }
}

fn pending_of(event: &Arc<Event>, new: NewDelivery, id: DeliveryId, now_ms: i64) -> Pending {
    Pending {
        id,
        event: event.id,
        body: Some(Arc::clone(event)),
        connection: new.connection,
        record_key: new.key(event.id),
        object: new.object,
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

/// An event with the ids that it and its deliveries have.
pub(super) struct Numbered {
    event: Arc<Event>,
    data: String,
    note: Option<String>,
    fingerprint: Option<Fingerprint>,
    pub(super) deliveries: Vec<Pending>,
    runs: Vec<(RunId, NewRun)>,
}

/// Writes the events of one call.
pub(super) struct Accepting {
    events: Vec<Numbered>,
    accepted: Vec<Accepted>,
    reply: oneshot::Sender<Result<Vec<Accepted>, StoreError>>,
}

impl Accepting {
    pub(super) fn new(
        events: Vec<NewEvent>,
        ids: &mut IdSource,
        reply: oneshot::Sender<Result<Vec<Accepted>, StoreError>>,
    ) -> Self {
        Self {
            accepted: Vec::with_capacity(events.len()),
            events: events.into_iter().map(|new| numbered(new, ids)).collect(),
            reply,
        }
    }
}

impl Job for Accepting {
    fn run(&mut self, tx: &mut Tx<'_>) -> rusqlite::Result<()> {
        self.accepted.clear();
        for event in &self.events {
            self.accepted.push(accept(tx, event)?);
        }
        Ok(())
    }

    fn hints(&mut self, all: &mut Vec<Pending>) {
        for (event, accepted) in self.events.iter_mut().zip(&self.accepted) {
            if let Accepted::New { .. } = accepted {
                all.append(&mut event.deliveries);
            }
        }
    }

    fn done(self: Box<Self>, result: Result<(), StoreError>) {
        // A caller that is gone no longer wants to know; its events stand.
        let Self { accepted, reply, .. } = *self;
        let _ = reply.send(result.map(|()| accepted));
    }
}

pub(super) fn accept(tx: &mut Tx<'_>, new: &Numbered) -> rusqlite::Result<Accepted> {
    let event = &new.event;
    if let Some(fingerprint) = &new.fingerprint {
        if let Some(first) = tx.seen.find(tx.db, event.workspace, fingerprint, event.id)? {
            return Ok(if first.content == fingerprint.content {
                Accepted::Repeat(first.event)
            } else {
                Accepted::Conflict(first.event)
            });
        }
        tx.seen
            .add(&mut tx.statements, event.workspace, fingerprint, event.id)?;
    }
    tx.statements
        .of("INSERT INTO event (id, workspace, kind, received_ms, data, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![
            event.id.0,
            event.workspace.0,
            event.kind.name(),
            event.received_ms,
            new.data,
            new.note
        ])?;
    if event.kind == EventType::UNCLASSIFIED {
        classifying::wait(tx.db, event)?;
    } else if new.deliveries.is_empty() {
        is_over(tx.db, event.id)?;
    }
    for pending in &new.deliveries {
        insert_delivery(&mut tx.statements, event.workspace, pending)?;
        tx.tallies.added(pending.connection);
    }
    for (id, run) in &new.runs {
        automations::begin(tx.db, event.workspace, event.id, *id, run, event.received_ms)?;
    }
    Ok(Accepted::New {
        event: event.id,
        deliveries: new.deliveries.len(),
    })
}

/// Nothing is left to do for the event: it can be moved to its day.
pub(super) fn is_over(db: &Connection, event: EventId) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR IGNORE INTO over (event) VALUES (?1)")?
        .execute([event.0])
        .map(|_| ())
}

fn insert_delivery(statements: &mut Statements<'_>, workspace: WorkspaceId, pending: &Pending) -> rusqlite::Result<()> {
    let insert =
        "INSERT INTO delivery (id, workspace, event, connection, object, record_key, options, state, due_ms, fallback)
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, ?9)";
    statements.of(insert)?.execute(params![
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

/// Adds a delivery to an event of the database, once for each connection, object and place; answers whether it is new.
pub(super) fn add_delivery(
    tx: &mut Tx<'_>,
    event: EventId,
    id: DeliveryId,
    new: &NewDelivery,
    now_ms: i64,
) -> rusqlite::Result<bool> {
    if present(tx.db, event)?.iter().any(|present| new.is_present(present)) {
        return Ok(false);
    }
    let added = tx
        .db
        .prepare_cached(
            "INSERT INTO delivery (id, workspace, event, connection, object, record_key, options, state, due_ms, fallback)
             SELECT ?1, e.workspace, e.id, ?3, ?4, ?5, ?6, 0, ?7, ?8 FROM event e WHERE e.id = ?2",
        )?
        .execute(params![
            id.0,
            event.0,
            new.connection.0,
            &*new.object,
            new.key(event),
            new.options.as_ref().map(record::to_text),
            now_ms,
            new.fallback.as_ref().map(record::to_text)
        ])?;
    if added > 0 {
        tx.db
            .prepare_cached("DELETE FROM over WHERE event = ?1")?
            .execute([event.0])?;
        tx.tallies.added(new.connection);
    }
    Ok(added > 0)
}

/// The deliveries that the event has.
fn present(db: &Connection, event: EventId) -> rusqlite::Result<Vec<Present>> {
    let mut select = db.prepare_cached("SELECT connection, object, options, state FROM delivery WHERE event = ?1")?;
    let rows = select.query_map([event.0], |row| {
        Ok(Present {
            connection: ConnectionId(row.get(0)?),
            object: row.get(1)?,
            options: record::optional_from_text(row, 2)?,
            arrived: record::state(row, 3)? == DeliveryState::Delivered,
        })
    })?;
    rows.collect()
}
