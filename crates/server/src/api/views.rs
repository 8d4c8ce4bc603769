//! How the hub's rows look in answers.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Map, Value};
use switchboard_hub::{
    Hub,
    clock::moment,
    lane::forecast::{self, LaneStatus, Waiting},
    store::{AttemptRow, CallRecord, DeliveryRow, EventRow},
};
use switchboard_model::{
    id::{ConnectionId, WorkspaceId},
    problem::ProblemBody,
};
use utoipa::ToSchema;

use super::problem::ProblemSchema;

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
    /// What the route says beside the mapping. Where a route names several places (`channels`), each has a delivery, which names this one place.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub options: Option<Map<String, Value>>,
    /// `waiting`, `sending`, `unknown`, `held`, `delivered`, `dead` or `cancelled`.
    pub state: &'static str,
    /// Failed tries so far.
    pub attempts: u32,
    /// When it is tried next, while it is not settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<String>,
    /// When it will probably be delivered; absent when it is settled or a person has to act first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_at: Option<String>,
    /// Why it is not delivered yet: `next in line`, `limit of the vendor`, `circuit open until …`, `held` …
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "next in line")]
    pub expected_because: Option<String>,
    /// When it was settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<String>,
    /// The record's id at the vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The delivery of the same record whose call carried this one's content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carried_by: Option<String>,
    /// When the backup took it over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handed_over_at: Option<String>,
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
    /// How many records shared the call.
    pub records: u32,
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
            records: row.records,
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
            records: call.records,
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

/// Makes delivery views of a workspace, whose connections have keys and lanes.
#[derive(Debug)]
pub struct Names {
    connections: HashMap<ConnectionId, Named>,
    now_ms: i64,
}

/// A connection's key, and how its lane stands; `None` when this hub does not send.
#[derive(Debug)]
struct Named {
    key: String,
    lane: Option<LaneStatus>,
}

impl Names {
    /// The connections of a workspace as they are now.
    pub fn of(hub: &Hub, workspace: WorkspaceId) -> Self {
        let named = hub.connections(workspace).into_iter().map(|connection| {
            let lane = hub.lane_status(connection.id);
            let key = connection.key;
            (connection.id, Named { key, lane })
        });
        Self {
            connections: named.collect(),
            now_ms: hub.now_ms(),
        }
    }

    /// The connection with this key.
    pub fn find(&self, key: &str) -> Option<ConnectionId> {
        let mut all = self.connections.iter();
        all.find(|(_, known)| known.key == key).map(|(id, _)| *id)
    }

    /// All keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.connections.values().map(|named| named.key.as_str())
    }

    /// How a delivery looks.
    pub fn view(&self, row: DeliveryRow) -> DeliveryView {
        let named = self.connections.get(&row.connection);
        let lane = named.and_then(|named| named.lane.as_ref());
        let waiting = Waiting {
            id: row.id,
            state: row.state,
            due_ms: row.due_ms,
            handed_over: row.handed_over_ms.is_some(),
        };
        let expected = lane.and_then(|lane| forecast::expectation(lane, waiting, self.now_ms));
        DeliveryView {
            id: row.id.to_string(),
            event: row.event.to_string(),
            connection: named.map_or_else(|| format!("#{}", row.connection.0), |named| named.key.clone()),
            object: row.object,
            record: row.record_key,
            options: row.options,
            state: row.state.name(),
            attempts: row.attempts,
            due_at: (!row.state.is_settled()).then(|| moment(row.due_ms)),
            expected_at: expected.and_then(|expected| expected.at_ms).map(moment),
            expected_because: expected.map(|expected| expected.because.to_string()),
            settled_at: row.settled_ms.map(moment),
            external_id: row.external_id,
            carried_by: row.carrier.map(|carrier| carrier.to_string()),
            handed_over_at: row.handed_over_ms.map(moment),
            problem: row.problem,
        }
    }
}

#[cfg(test)]
impl FromIterator<(ConnectionId, String)> for Names {
    fn from_iter<I: IntoIterator<Item = (ConnectionId, String)>>(keys: I) -> Self {
        let named = keys.into_iter().map(|(id, key)| (id, Named { key, lane: None }));
        Self {
            connections: named.collect(),
            now_ms: 0,
        }
    }
}
