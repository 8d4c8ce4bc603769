//! What goes into the store and comes out of it.

use std::sync::{Arc, OnceLock};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use switchboard_connect::{connector::Recovery, manifest::OperationKind};
use switchboard_model::{
    connection::ConnectionState,
    delivery::{Change, DeliveryState},
    event::{Event, EventType},
    id::{AttemptId, ConnectionId, DeliveryId, EventId, KeyId, RouteId, WorkspaceId},
    problem::ProblemBody,
    route::RouteSpec,
};

use super::{
    Content, InDoubt,
    definition::{DefinitionRow, DefinitionWrite, Removal},
    grants::AccessNote,
    place::{Place, Share},
    runs::NewRun,
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
    pub data: Content,
    /// The key that recognises a repeat, if there is one.
    pub fingerprint: Option<Fingerprint>,
    /// Where it goes. Empty: nobody wanted it.
    pub deliveries: Vec<NewDelivery>,
    /// The runs of automations that begin with it.
    pub runs: Vec<NewRun>,
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
    /// Where, when the object can go to several places.
    pub place: Option<Place>,
    /// What the route says beside the mapping; of several places the one that it is bound for.
    pub options: Option<Map<String, Value>>,
    /// Who takes it when the connection fails for good.
    pub fallback: Option<Fallback>,
}

/// Who takes a delivery over when its connection fails for good (`primary_backup`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fallback {
    /// The backup.
    pub connection: ConnectionId,
    /// What is made there.
    pub objects: Vec<Share>,
    /// What the route says beside the mapping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Map<String, Value>>,
    /// Whether the primary makes the record all the same when it is back.
    pub sync_back: bool,
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

/// A delivery that is not settled.
#[derive(Debug, Clone)]
pub struct Pending {
    /// Its id.
    pub id: DeliveryId,
    /// The event that it comes from.
    pub event: EventId,
    /// That event, where it is at hand already; else [`Outbox::bodies`] has it.
    pub body: Option<Arc<Event>>,
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
    /// Who takes it when the connection fails for good.
    pub fallback: Option<Arc<Fallback>>,
    /// Whether the backup has it; it waits for its connection to be back.
    pub handed_over: bool,
    /// Whether it was never tried: it is in the outbox since its event was accepted. Then its record has no link through this delivery.
    pub fresh: bool,
    /// To be sent without others of its record: together with them it was refused. Known to the lane only.
    pub alone: bool,
}

impl Pending {
    /// Whether its record is the event itself, at one of its places perhaps: it happens once, and no other delivery is about it.
    pub fn is_its_event(&self) -> bool {
        let rest = self.record_key.strip_prefix(&self.event.to_string());
        rest.is_some_and(|place| place.is_empty() || place.starts_with('-'))
    }

    /// Whether its row says that a call for it is under way. When no call is, the one of a process that is gone was.
    pub fn is_sending(&self) -> bool {
        self.doubt.is_some_and(|doubt| doubt.open)
    }

    /// The state that its row has while it waits.
    pub fn state(&self) -> DeliveryState {
        match self.doubt {
            Some(_) => DeliveryState::Unknown,
            None => DeliveryState::Waiting,
        }
    }
}

/// The promise, committed before a write is sent, that it is about to be.
#[derive(Debug, Clone)]
pub struct Intent {
    /// Whose.
    pub delivery: DeliveryId,
    /// The connection that the delivery goes to.
    pub connection: ConnectionId,
    /// Which operation.
    pub operation: OperationKind,
    /// What could tell what became of it, if its answer is lost.
    pub recovery: Option<Recovery>,
    /// First eight bytes of the SHA-256 of the request.
    pub request_digest: [u8; 8],
    /// When it, or the call that it repeats while that is in doubt, was first sent.
    pub since_ms: i64,
}

/// The right to send for a connection. It grows whenever a connection passes to another node, so that what an earlier holder still writes is
/// told apart from what the present one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Fence(pub i64);

/// What came of an attempt.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// Whose.
    pub delivery: DeliveryId,
    /// The connection that it goes to.
    pub connection: ConnectionId,
    /// The event that it is about.
    pub event: EventId,
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
    pub calls: Vec<Arc<CallRecord>>,
    /// The delivery of the same record whose call carried this one's content, when they were folded into one.
    pub carrier: Option<DeliveryId>,
    /// It passes to its backup: what that gets, in the same transaction.
    pub hand_over: Option<Vec<NewDelivery>>,
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
        /// The record was in doubt, and is no more.
        was_in_doubt: bool,
    },
    /// The delivery is given up, and nobody knows whether there is a record. What was known of it is forgotten with `forget`.
    Doubt {
        /// On which connection.
        connection: ConnectionId,
        /// Which object.
        object: Arc<str>,
        /// Our key.
        record_key: String,
        /// What is in doubt.
        doubt: InDoubt,
        /// Whether what the link named is gone.
        forget: bool,
    },
    /// It is gone there, or was found not to be there.
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
    /// Its id, where the store has given it one: it keeps that, however often it is handed over to be written down.
    pub id: OnceLock<i64>,
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
    /// How many records shared the call.
    pub records: u32,
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
    /// Of this object only.
    pub object: Option<String>,
    /// Accepted at or after this moment, Unix milliseconds.
    pub from_ms: Option<i64>,
    /// Accepted before this moment, Unix milliseconds.
    pub until_ms: Option<i64>,
}

/// What a person wants of deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Set aside.
    Hold,
    /// Let go on.
    Release,
    /// Call off.
    Cancel,
    /// Try anew. What is in doubt stays in doubt.
    Replay,
    /// Try anew what a person has looked for and not found: nothing is in doubt any more.
    ReplayNotThere,
}

impl Wish {
    /// The change of state that it is.
    pub fn change(self) -> Change {
        match self {
            Self::Hold => Change::Hold,
            Self::Release => Change::Release,
            Self::Cancel => Change::Cancel,
            Self::Replay | Self::ReplayNotThere => Change::Replay,
        }
    }

    /// Whether the delivery gets all its tries again.
    pub fn is_anew(self) -> bool {
        self.change() == Change::Replay
    }

    /// The states in which it can be fulfilled, and the one that it leads to.
    pub fn states(self) -> (Vec<DeliveryState>, DeliveryState) {
        let from: Vec<_> = DeliveryState::ALL
            .into_iter()
            .filter(|state| state.after(self.change()).is_some())
            .collect();
        let to = from.first().and_then(|state| state.after(self.change()));
        (from, to.unwrap_or(DeliveryState::Waiting))
    }
}

/// Which deliveries a person means.
#[derive(Debug, Clone)]
pub enum Selection {
    /// These.
    These(Vec<DeliveryId>),
    /// All that pass the filter and have an id above `after`, oldest first, at most `limit` of them.
    Filter {
        /// Which.
        filter: DeliveryFilter,
        /// Where to go on.
        after: DeliveryId,
        /// How many at most.
        limit: usize,
    },
}

/// What became of a wish.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed {
    /// The deliveries that were changed, in the order of their ids.
    pub deliveries: Vec<DeliveryId>,
    /// The connections that they are bound for.
    pub connections: Vec<ConnectionId>,
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
    /// What the route says beside the mapping; of several places the one that it is bound for.
    pub options: Option<Map<String, Value>>,
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
    /// The delivery whose call carried its content.
    pub carrier: Option<DeliveryId>,
    /// When the backup got it, Unix milliseconds.
    pub handed_over_ms: Option<i64>,
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
    /// How many records shared the call.
    pub records: u32,
}

/// A day of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayRow {
    /// The day, in UTC.
    pub day: Date,
    /// What it takes on the disk.
    pub bytes: u64,
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
    /// Every definition, in the order in which they were made.
    pub definitions: Vec<DefinitionRow>,
}

/// What an account was found to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoveredRow {
    /// What it is about; one row is kept of each.
    pub part: String,
    /// Tells accounts apart.
    pub account: Vec<u8>,
    /// When it was found out, Unix milliseconds.
    pub found_ms: i64,
    /// What was found, JSON text.
    pub content: String,
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
    /// A sign-in on the vendor's page that goes on: the facts that it brought. `None`: everything that was learnt is forgotten, the access
    /// token as well.
    pub kept: Option<Map<String, Value>>,
}

/// A change of the configuration.
#[derive(Debug, Clone, Default)]
pub struct ConfigurationChange {
    /// New and changed connections.
    pub connections: Vec<ConnectionWrite>,
    /// New and changed routes.
    pub routes: Vec<RouteSpec>,
    /// New and changed definitions.
    pub definitions: Vec<DefinitionWrite>,
    /// What goes. It goes first, so that the same change can write it anew.
    pub removed: Vec<Removal>,
    /// When, Unix milliseconds.
    pub now_ms: i64,
}

/// What the engine learnt about a connection.
#[derive(Debug, Clone, Default)]
pub struct ConnectionNote {
    /// Its new state and the reason.
    pub state: Option<(ConnectionState, Option<String>)>,
    /// All of it is about these sealed credentials: where others have been entered meanwhile everything stays as it is.
    pub about: Option<Vec<u8>>,
    /// Facts that replace the old ones.
    pub facts: Option<Map<String, Value>>,
    /// Secrets that the vendor rotated, sealed.
    pub sealed: Option<Vec<u8>>,
    /// An access token that was fetched.
    pub access: Option<AccessNote>,
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
