//! Takes events: recognises repeats, decides where they go, and answers when they are durable.

mod fingerprint;

use serde_json::{Map, Value};
use switchboard_model::{
    event::EventType,
    id::{EventId, WorkspaceId},
    problem::{Code, Problem},
};

use crate::{
    attempt::Desk,
    configuration::Configuration,
    failpoint, route,
    store::{Accepted, NewEvent},
};

/// An event as a sender gives it.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// What happened.
    pub kind: EventType,
    /// The sender's own id of it, which recognises a repeat.
    pub id: Option<String>,
    /// What the sender says about it.
    pub data: Map<String, Value>,
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

/// Accepts `items`, all in one transaction. With an `idempotency_key` the same request again makes nothing new.
///
/// # Errors
/// [`Code::IdempotencyConflict`] when a key or id came before with another content: that item is not kept again, the others are. Otherwise when
/// the store fails; then nothing is kept.
pub async fn accept(
    desk: &Desk,
    configuration: &Configuration,
    workspace: WorkspaceId,
    items: Vec<Incoming>,
    idempotency_key: Option<&str>,
) -> Result<Vec<Receipt>, Problem> {
    let now_ms = desk.clock.now_ms();
    let count = items.len();
    let mut events = Vec::with_capacity(count);
    let mut notes = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let request = idempotency_key.map(|key| fingerprint::Request {
            key,
            index,
            items: count,
        });
        let fingerprint = fingerprint::of(&item, request);
        let plan = route::plan(configuration.workspace(workspace), item.kind, &item.data);
        notes.push((item.kind, plan.note.clone()));
        events.push(NewEvent {
            workspace,
            kind: item.kind,
            received_ms: now_ms,
            data: item.data,
            fingerprint,
            deliveries: plan.deliveries,
            note: plan.note,
        });
    }
    let accepted = desk.store.accept(events).await?;
    failpoint::reach(failpoint::ACCEPTED);
    let mut receipts = Vec::with_capacity(accepted.len());
    for (accepted, (kind, note)) in accepted.into_iter().zip(notes) {
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
        receipts.push(receipt);
    }
    Ok(receipts)
}

fn conflict(event: EventId) -> Problem {
    Problem::new(
        Code::IdempotencyConflict,
        format!("this key or id came before, with another content, and made {event}"),
        "Give each message an id of its own, and use an Idempotency-Key for repeats of the same request only.",
    )
}
