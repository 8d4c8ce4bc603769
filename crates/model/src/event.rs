//! Events: immutable things that happened.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::id::{EventId, WorkspaceId};

/// The type of an event, from a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventType(&'static str);

/// Every event type, with one line for the documentation.
pub const EVENT_TYPES: &[(&str, &str)] = &[
    (
        "message.received",
        "a customer's message, classified or not, came in over any channel",
    ),
    ("lead.received", "an advertising platform or a partner pushed a lead"),
    ("form.submitted", "somebody filled in a form"),
    ("call.incoming", "a call rings"),
    ("call.outgoing", "a call is being made"),
    ("call.answered", "a call was answered"),
    ("call.finished", "a call ended"),
    ("call.missed", "nobody answered a call"),
    ("ticket.created", "a support ticket was opened"),
    ("ticket.updated", "a support ticket changed"),
    ("order.created", "an order was placed"),
    ("order.updated", "an order changed"),
    ("contact.created", "a contact is new in another system"),
    ("contact.updated", "a contact changed in another system"),
    (
        "contact.deleted",
        "a contact was removed in another system; goes only where a route has `deletions: true` among its options",
    ),
    ("task.completed", "a task was finished"),
    (
        "webhook.disabled",
        "an endpoint of outgoing webhooks was switched off, because nobody took its messages for days or its receiver is gone",
    ),
    (
        "webhook.removed",
        "a subscription of outgoing webhooks was removed, because its receiver said that it is gone",
    ),
];

impl EventType {
    /// The type with this name, when there is one.
    pub fn find(name: &str) -> Option<Self> {
        EVENT_TYPES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(known, _)| Self(known))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0
    }

    /// Whether somebody has turned to us with something: what the connectors' own mappings are made for.
    pub fn is_enquiry(self) -> bool {
        matches!(
            self.0,
            "message.received" | "lead.received" | "form.submitted" | "call.finished" | "call.missed"
        )
    }

    /// Whether it says that something is gone.
    pub fn is_removal(self) -> bool {
        self.0.ends_with(".deleted")
    }
}

impl Serialize for EventType {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0)
    }
}

/// One event as it was accepted. `data` is exactly what came in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// Its id, which also tells when it was accepted.
    pub id: EventId,
    /// The tenant that it belongs to.
    pub workspace: WorkspaceId,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// When the hub accepted it, in Unix milliseconds.
    pub received_ms: i64,
    /// What the sender said about it.
    pub data: Map<String, Value>,
}
