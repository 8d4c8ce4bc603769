//! Takes events: recognises repeats, decides where they go, and answers when they are durable.

mod fingerprint;
mod pace;
mod waiting;

use std::sync::Arc;

use switchboard_model::{
    event::EventType,
    id::{EventId, WorkspaceId},
    problem::{Code, Problem},
};

pub(crate) use pace::Owed;
pub use pace::Pace;
use waiting::Held;
pub use waiting::{Place, Waiting};

use crate::{
    attempt::Desk,
    automate, classify,
    configuration::{Configuration, Workspace},
    failpoint, route,
    store::{Accepted, Content, Fingerprint, NewEvent},
};

/// An event as a sender gives it.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// What happened.
    pub kind: EventType,
    /// The sender's own id of it, which recognises a repeat.
    pub id: Option<String>,
    /// What the sender says about it.
    pub data: Content,
}

/// What became of one event.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// Its id; that of the first one when it is a repeat.
    pub event: EventId,
    /// Whether it came before.
    pub repeat: bool,
    /// How many deliveries it makes.
    pub deliveries: usize,
    /// What the sender should know.
    pub note: Option<String>,
}

/// Accepts `items`, all in one transaction; answers item by item. `place` is held until the store has them. With an `idempotency_key` the same request again makes nothing new.
///
/// An item's answer is [`Code::IdempotencyConflict`] when its key or id came before with another content: it is not kept again, the others are.
///
/// # Errors
/// When the store fails; then nothing is kept.
pub async fn accept(
    desk: &Desk,
    configuration: &Configuration,
    workspace: WorkspaceId,
    items: Vec<Incoming>,
    idempotency_key: Option<&str>,
    place: Place,
) -> Result<Vec<Result<Receipt, Problem>>, Problem> {
    let now_ms = desk.clock.now_ms();
    let compiled = configuration.workspace(workspace);
    let count = items.len();
    let mut events = Vec::with_capacity(count);
    let mut notes = Vec::with_capacity(count);
    let mut any_waits = false;
    for (index, item) in items.into_iter().enumerate() {
        let request = idempotency_key.map(|key| fingerprint::Request {
            key,
            index,
            items: count,
        });
        let fingerprint = fingerprint::of(&item, request);
        let event = draft(compiled, workspace, item.kind, item.data, now_ms, fingerprint);
        any_waits |= event.kind == EventType::UNCLASSIFIED;
        notes.push((event.kind, event.note.clone()));
        events.push(event);
    }
    let begins_runs = events.iter().any(|event| !event.runs.is_empty());
    match desk.pace.delay() {
        Some(delay) if delay.is_zero() => {}
        Some(delay) => tokio::time::sleep(delay).await,
        None => return Err(waiting::behind()),
    }
    let store = Arc::clone(&desk.store);
    let accepted = Held::new(place, async move { store.accept(events).await }).await?;
    failpoint::reach(failpoint::ACCEPTED);
    if begins_runs {
        desk.bell.ring();
    }
    if any_waits {
        desk.unclassified.notify_one();
    }
    let receipts = accepted.into_iter().zip(notes).map(|(accepted, (kind, note))| {
        let receipt = match accepted {
            Accepted::New { event, deliveries } => Receipt {
                event,
                repeat: false,
                deliveries,
                note,
            },
            Accepted::Repeat(event) => Receipt {
                event,
                repeat: true,
                deliveries: 0,
                note: None,
            },
            Accepted::Conflict(event) => return Err(conflict(event)),
        };
        desk.metrics
            .event(kind.name(), if receipt.repeat { "repeat" } else { "accepted" });
        Ok(receipt)
    });
    Ok(receipts.collect())
}

/// An event as it is kept, with its deliveries: classified by the rules of its workspace, or waiting for its classification, when it is a message
/// that lacks category or priority.
pub(crate) fn draft(
    compiled: Option<&Workspace>,
    workspace: WorkspaceId,
    kind: EventType,
    mut data: Content,
    received_ms: i64,
    fingerprint: Option<Fingerprint>,
) -> NewEvent {
    let kind = classify::at_intake(compiled, kind, &mut data);
    NewEvent {
        fingerprint,
        ..routed(compiled, workspace, kind, data, received_ms)
    }
}

/// An event as it is kept, with its deliveries.
pub(crate) fn routed(
    compiled: Option<&Workspace>,
    workspace: WorkspaceId,
    kind: EventType,
    data: Content,
    received_ms: i64,
) -> NewEvent {
    let mut plan = route::plan(compiled, kind, &data);
    // What is made of a waiting message begins them; begun by both, everything would happen twice.
    let runs = match kind.is_internal() {
        true => Vec::new(),
        false => automate::begin(compiled, kind, &data, &[], &mut plan),
    };
    NewEvent {
        workspace,
        kind,
        received_ms,
        data,
        fingerprint: None,
        deliveries: plan.deliveries,
        runs,
        note: plan.note,
    }
}

fn conflict(event: EventId) -> Problem {
    Problem::new(
        Code::IdempotencyConflict,
        format!("this key or id came before, with another content, and made {event}"),
        "Give each message an id of its own, and use an Idempotency-Key for repeats of the same request only.",
    )
}
