//! Events: immutable things that happened.

pub mod variables;

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
    (
        "message.unclassified",
        "a message waits for its category and priority; the hub makes `message.received` of it, and nobody posts it",
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
        "webhook.received",
        "a system pushed something for which its source has no mapping; `payload` is what it sent",
    ),
    ("person.created", "a person is new among the records"),
    ("person.updated", "a person's record changed"),
    ("person.deleted", "a person's record was removed"),
    ("company.created", "a company is new among the records"),
    ("company.updated", "a company's record changed"),
    ("company.deleted", "a company's record was removed"),
    ("opportunity.created", "an opportunity is new among the records"),
    (
        "opportunity.updated",
        "an opportunity's record changed, its stage for example",
    ),
    (
        "opportunity.won",
        "an opportunity's stage became a won one; comes beside opportunity.updated or opportunity.created",
    ),
    (
        "opportunity.lost",
        "an opportunity's stage became a lost one; comes beside opportunity.updated or opportunity.created",
    ),
    ("opportunity.deleted", "an opportunity's record was removed"),
    ("task.created", "a task is new among the records"),
    ("task.updated", "a task's record changed"),
    ("task.deleted", "a task's record was removed"),
    ("note.created", "a note is new among the records"),
    ("note.updated", "a note changed"),
    ("note.deleted", "a note was removed"),
    ("ticket.deleted", "a ticket's record was removed"),
    ("call.created", "a call is new among the records"),
    ("call.updated", "a call's record changed"),
    ("call.deleted", "a call's record was removed"),
    ("meeting.created", "a meeting is new among the records"),
    ("meeting.updated", "a meeting's record changed"),
    ("meeting.deleted", "a meeting's record was removed"),
    ("product.created", "a product is new among the records"),
    ("product.updated", "a product's record changed"),
    ("product.deleted", "a product's record was removed"),
    ("order.deleted", "an order's record was removed"),
    ("invoice.created", "an invoice is new among the records"),
    ("invoice.updated", "an invoice's record changed"),
    ("invoice.deleted", "an invoice's record was removed"),
    ("payment.created", "a payment is new among the records"),
    ("payment.updated", "a payment's record changed"),
    ("payment.deleted", "a payment's record was removed"),
    (
        "row.created",
        "a row is new in a table of the user's own; `data.table` names it",
    ),
    ("row.updated", "a row of a table of the user's own changed"),
    ("row.deleted", "a row of a table of the user's own was removed"),
    (
        "automation.sent",
        "a step of an automation sent something; it goes where the step says and nowhere else",
    ),
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

    /// Every type.
    pub fn all() -> impl Iterator<Item = Self> {
        EVENT_TYPES.iter().map(|(known, _)| Self(known))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0
    }

    /// The names of the types that people deal with.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::all().filter(|kind| !kind.is_internal()).map(Self::name)
    }

    /// A customer's message.
    pub const MESSAGE: Self = Self("message.received");

    /// A customer's message that waits for its classification. It goes nowhere; the event that is made of it does.
    pub const UNCLASSIFIED: Self = Self("message.unclassified");

    /// Whether only the hub itself makes such events.
    pub fn is_internal(self) -> bool {
        self == Self::UNCLASSIFIED || self.0 == crate::automation::SENT
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

/// One event as it was accepted. `data` is what came in; what a classifier has added stands in members that were empty, and `classified` names
/// them.
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
