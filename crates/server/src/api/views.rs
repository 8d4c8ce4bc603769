//! How the hub's rows look in answers.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Map, Value};
use switchboard_hub::{
    Hub,
    store::{AttemptRow, CallRecord, DeliveryRow, EventRow},
};
use switchboard_model::{
    id::{ConnectionId, WorkspaceId},
    problem::ProblemBody,
};
use utoipa::ToSchema;

use super::problem::ProblemSchema;

/// Unix milliseconds as RFC 3339 in UTC.
pub fn moment(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .map(|moment| moment.to_string())
        .unwrap_or_default()
}

/// An event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventView {
    /// Its id.
    #[schema(example = "evt_0r3kd8m2v0000")]
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// When the hub accepted it.
    pub received_at: String,
    /// What the sender said about it.
    pub data: Map<String, Value>,
    /// Why it goes nowhere, or what a route waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl From<EventRow> for EventView {
    fn from(row: EventRow) -> Self {
        Self {
            id: row.event.id.to_string(),
            kind: row.event.kind.name(),
            received_at: moment(row.event.received_ms),
            data: row.event.data,
            note: row.note,
        }
    }
}

/// A delivery: one object of one event bound for one connection.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub struct DeliveryView {
    /// Its id.
    #[schema(example = "dlv_0r3kd8m2v0001")]
    pub id: String,
    /// The event that it comes from.
    pub event: String,
    /// The key of the connection that it is for.
    pub connection: String,
    /// What is made there.
    pub object: String,
    /// Which record it is about; deliveries of one record are sent in order.
    pub record: String,
    /// `waiting`, `sending`, `unknown`, `held`, `delivered`, `dead` or `cancelled`.
    pub state: &'static str,
    /// Failed tries so far.
    pub attempts: u32,
    /// When it is tried next, while it is not settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<String>,
    /// When it was settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<String>,
    /// The record's id at the vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// What went wrong last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ProblemSchema>)]
    pub problem: Option<ProblemBody>,
}

/// A call to a vendor; secrets are masked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Call)]
pub struct CallView {
    /// When it began.
    pub started_at: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u32,
    /// What it was to do: `create`, `upsert`, `probe` …
    pub operation: String,
    /// Method, address and body.
    pub request: String,
    /// The HTTP status; `null` when no answer came.
    pub status: Option<u16>,
    /// What came back, shortened.
    pub answer: String,
    /// How it was understood: `delivered`, `retry`, `unknown` …
    pub outcome: String,
}

impl From<AttemptRow> for CallView {
    fn from(row: AttemptRow) -> Self {
        Self {
            started_at: moment(row.started_ms),
            duration_ms: row.duration_ms,
            operation: row.operation,
            request: row.request,
            status: row.status,
            answer: row.answer,
            outcome: row.outcome,
        }
    }
}

impl From<CallRecord> for CallView {
    fn from(call: CallRecord) -> Self {
        Self {
            started_at: moment(call.started_ms),
            duration_ms: call.duration_ms,
            operation: call.operation.to_owned(),
            request: call.request,
            status: call.status,
            answer: call.answer,
            outcome: call.outcome.to_owned(),
        }
    }
}

/// A delivery with every call that was made for it, oldest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeliveryStory)]
pub struct DeliveryStory {
    /// The delivery.
    #[serde(flatten)]
    pub delivery: DeliveryView,
    /// Its calls.
    pub calls: Vec<CallView>,
}

/// Makes delivery views of a workspace, whose connections have keys.
#[derive(Debug)]
pub struct Names(HashMap<ConnectionId, String>);

impl Names {
    /// The connections of a workspace as they are now.
    pub fn of(hub: &Hub, workspace: WorkspaceId) -> Self {
        Self(
            hub.connections(workspace)
                .into_iter()
                .map(|connection| (connection.id, connection.key))
                .collect(),
        )
    }

    /// The connection with this key.
    pub fn find(&self, key: &str) -> Option<ConnectionId> {
        self.0.iter().find(|(_, known)| *known == key).map(|(id, _)| *id)
    }

    /// All keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }

    /// How a delivery looks.
    pub fn view(&self, row: DeliveryRow) -> DeliveryView {
        DeliveryView {
            id: row.id.to_string(),
            event: row.event.to_string(),
            connection: self
                .0
                .get(&row.connection)
                .cloned()
                .unwrap_or_else(|| format!("#{}", row.connection.0)),
            object: row.object,
            record: row.record_key,
            state: row.state.name(),
            attempts: row.attempts,
            due_at: (!row.state.is_settled()).then(|| moment(row.due_ms)),
            settled_at: row.settled_ms.map(moment),
            external_id: row.external_id,
            problem: row.problem,
        }
    }
}
