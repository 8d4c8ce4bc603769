//! What goes into the store and comes out of it.

use std::sync::Arc;

use serde_json::{Map, Value};
use switchboard_connect::manifest::OperationKind;
use switchboard_model::{
    connection::ConnectionState,
    delivery::DeliveryState,
    event::{Event, EventType},
    id::{AttemptId, ConnectionId, DeliveryId, EventId, KeyId, RouteId, WorkspaceId},
    problem::ProblemBody,
    route::RouteSpec,
};

/// Recognises a repeat: the digest of a key, and of the content that came with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    /// What must not come twice.
    pub key: [u8; 16],
    /// What came; another content under the same key is a conflict.
    pub content: [u8; 8],
}

/// An event on its way into the store.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Its tenant.
    pub workspace: WorkspaceId,
    /// What happened.
    pub kind: EventType,
    /// When it was accepted, Unix milliseconds.
    pub received_ms: i64,
    /// What came in, parsed.
    pub data: Map<String, Value>,
    /// The key that recognises a repeat, if there is one.
    pub fingerprint: Option<Fingerprint>,
    /// Where it goes. Empty: nobody wanted it.
    pub deliveries: Vec<NewDelivery>,
    /// What a person should know (why it goes nowhere, what a route waits for).
    pub note: Option<String>,
}

/// A delivery on its way into the outbox.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDelivery {
    /// To whom.
    pub connection: ConnectionId,
    /// What is to be made there.
    pub object: Arc<str>,
    /// Which record it is about; `None`: the event itself is the record.
    pub record_key: Option<String>,
    /// What the route says beside the mapping.
    pub options: Option<Map<String, Value>>,
}

/// What became of a new event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It is kept.
    New {
        /// Its id.
        event: EventId,
        /// How many deliveries it makes.
        deliveries: usize,
    },
    /// It came before.
    Repeat(EventId),
    /// Something else came under the same key before.
    Conflict(EventId),
}

/// A delivery that is not settled, with all that is needed to send it.
#[derive(Debug, Clone)]
pub struct Pending {
    /// Its id.
    pub id: DeliveryId,
    /// The event that it comes from.
    pub event: Arc<Event>,
    /// To whom.
    pub connection: ConnectionId,
    /// What is to be made there.
    pub object: Arc<str>,
    /// Which record it is about; unique together with connection and object.
    pub record_key: String,
    /// What the route says beside the mapping.
    pub options: Option<Map<String, Value>>,
    /// Failed tries so far.
    pub attempts: u32,
    /// Not before this moment, Unix milliseconds.
    pub due_ms: i64,
    /// The write whose outcome is not known.
    pub doubt: Option<InDoubt>,
}

/// A write whose outcome is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InDoubt {
    /// When it was first sent, Unix milliseconds.
    pub since_ms: i64,
    /// Which operation it was, when that was written down.
    pub operation: Option<OperationKind>,
}

/// The promise, committed before a write is sent, that it is about to be.
#[derive(Debug, Clone)]
pub struct Intent {
    /// Whose.
    pub delivery: DeliveryId,
    /// Which operation.
    pub operation: OperationKind,
    /// First eight bytes of the SHA-256 of the request.
    pub request_digest: [u8; 8],
    /// When.
    pub now_ms: i64,
}

/// What came of an attempt.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// Whose.
    pub delivery: DeliveryId,
    /// Its tenant.
    pub workspace: WorkspaceId,
    /// Where the delivery stands now.
    pub state: DeliveryState,
    /// Failed tries so far.
    pub attempts: u32,
    /// When it is tried next.
    pub due_ms: i64,
    /// The write that is in doubt.
    pub doubt: Option<InDoubt>,
    /// When this is, Unix milliseconds.
    pub now_ms: i64,
    /// The record at the vendor.
    pub external_id: Option<String>,
    /// The link to remember or to forget.
    pub link: LinkChange,
    /// What went wrong, for a person.
    pub problem: Option<ProblemBody>,
    /// The calls that were made.
    pub calls: Vec<CallRecord>,
}

/// What a settlement says about the link of its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkChange {
    /// Leave it.
    Keep,
    /// Our record is this one there.
    Set {
        /// On which connection.
        connection: ConnectionId,
        /// Which object.
        object: Arc<str>,
        /// Our key.
        record_key: String,
        /// Their id.
        external_id: String,
    },
    /// It is gone there.
    Forget {
        /// On which connection.
        connection: ConnectionId,
        /// Which object.
        object: Arc<str>,
        /// Our key.
        record_key: String,
    },
}

/// One call to a vendor, with secrets already masked.
#[derive(Debug, Clone)]
pub struct CallRecord {
    /// When it began.
    pub started_ms: i64,
    /// How long it took.
    pub duration_ms: u32,
    /// Which operation.
    pub operation: &'static str,
    /// Method, address and body.
    pub request: String,
    /// The HTTP status; `None` when no answer came.
    pub status: Option<u16>,
    /// What came back, shortened.
    pub answer: String,
    /// How it was classified.
    pub outcome: &'static str,
}

/// Where a page begins: rows with an id below `before`, at most `limit` of them.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Upper border; `None`: the newest.
    pub before: Option<i64>,
    /// How many.
    pub limit: usize,
}

/// Which events.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Of this type only.
    pub kind: Option<String>,
}

/// Which deliveries.
#[derive(Debug, Clone, Default)]
pub struct DeliveryFilter {
    /// In this state only.
    pub state: Option<DeliveryState>,
    /// For this connection only.
    pub connection: Option<ConnectionId>,
    /// Of this event only.
    pub event: Option<EventId>,
}

/// An event as a person sees it.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// The event.
    pub event: Event,
    /// What a person should know.
    pub note: Option<String>,
}

/// A delivery as a person sees it.
#[derive(Debug, Clone)]
pub struct DeliveryRow {
    /// Its id.
    pub id: DeliveryId,
    /// The event that it comes from.
    pub event: EventId,
    /// To whom.
    pub connection: ConnectionId,
    /// What is to be made there.
    pub object: String,
    /// Which record it is about.
    pub record_key: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// Failed tries so far.
    pub attempts: u32,
    /// When it is tried next.
    pub due_ms: i64,
    /// When it was settled.
    pub settled_ms: Option<i64>,
    /// The record at the vendor.
    pub external_id: Option<String>,
    /// What went wrong last.
    pub problem: Option<ProblemBody>,
}

/// One call of a delivery as a person sees it.
#[derive(Debug, Clone)]
pub struct AttemptRow {
    /// Its id.
    pub id: AttemptId,
    /// When it began.
    pub started_ms: i64,
    /// How long it took.
    pub duration_ms: u32,
    /// Which operation.
    pub operation: String,
    /// Method, address and body, secrets masked.
    pub request: String,
    /// The HTTP status; `None` when no answer came.
    pub status: Option<u16>,
    /// What came back, shortened.
    pub answer: String,
    /// How it was classified.
    pub outcome: String,
}

/// Deliveries of a connection by state.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Not settled.
    pub pending: u64,
    /// At the vendor.
    pub delivered: u64,
    /// Given up.
    pub dead: u64,
    /// When the last one was delivered, Unix milliseconds.
    pub last_delivered_ms: Option<i64>,
    /// The newest problem.
    pub last_problem: Option<ProblemBody>,
}

/// A connection as it is kept.
#[derive(Debug, Clone)]
pub struct ConnectionRow {
    /// Its number.
    pub id: ConnectionId,
    /// Its tenant.
    pub workspace: WorkspaceId,
    /// What a person said about it, as JSON, without the secrets.
    pub spec: Value,
    /// The user's own id.
    pub key: String,
    /// The secrets, sealed.
    pub sealed: Vec<u8>,
    /// Whether it may carry traffic.
    pub state: ConnectionState,
    /// Why it does not.
    pub reason: Option<String>,
    /// What was learnt from the vendor.
    pub facts: Map<String, Value>,
}

/// A route as it is kept.
#[derive(Debug, Clone)]
pub struct RouteRow {
    /// Its id.
    pub id: RouteId,
    /// Its tenant.
    pub workspace: WorkspaceId,
    /// What a person said about it.
    pub spec: RouteSpec,
}

/// The whole configuration.
#[derive(Debug, Clone, Default)]
pub struct StoredConfiguration {
    /// Grows with each change.
    pub revision: i64,
    /// Every connection.
    pub connections: Vec<ConnectionRow>,
    /// Every route, in the order in which they are tried.
    pub routes: Vec<RouteRow>,
}

/// A connection to be written.
#[derive(Debug, Clone)]
pub struct ConnectionWrite {
    /// The user's own id.
    pub key: String,
    /// What a person said about it, as JSON, without the secrets.
    pub spec: Value,
    /// The secrets, sealed.
    pub sealed: Vec<u8>,
    /// Whether it may carry traffic.
    pub state: ConnectionState,
    /// Why it does not.
    pub reason: Option<String>,
}

/// A change of the configuration.
#[derive(Debug, Clone, Default)]
pub struct ConfigurationChange {
    /// New and changed connections.
    pub connections: Vec<ConnectionWrite>,
    /// New and changed routes.
    pub routes: Vec<RouteSpec>,
    /// When, Unix milliseconds.
    pub now_ms: i64,
}

/// What the engine learnt about a connection.
#[derive(Debug, Clone, Default)]
pub struct ConnectionNote {
    /// Its new state and the reason.
    pub state: Option<(ConnectionState, Option<String>)>,
    /// Facts that replace the old ones.
    pub facts: Option<Map<String, Value>>,
    /// Secrets that the vendor rotated, sealed.
    pub sealed: Option<Vec<u8>>,
}

/// An API key as it is kept.
#[derive(Debug, Clone)]
pub struct KeyRow {
    /// Its id.
    pub id: KeyId,
    /// Its tenant.
    pub workspace: WorkspaceId,
    /// What it is for.
    pub name: String,
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    /// When it was made, Unix milliseconds.
    pub created_ms: i64,
}
