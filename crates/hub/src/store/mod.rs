//! What the hub keeps, as use cases. Implementations: [`sqlite`].
//!
//! Every call is scoped by workspace where a person or program of a workspace causes it; calls of the engine itself carry ids that the
//! store handed out. No call holds a transaction across another await.

pub mod rows;
pub mod sqlite;

use std::sync::Arc;

use futures::future::BoxFuture;
use switchboard_model::{
    id::{ConnectionId, DeliveryId, EventId, WorkspaceId},
    problem::{Code, Problem},
};

pub use rows::*;

/// Why the store could not do what it was asked for.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The database failed: disk full, file damaged, permission.
    #[error("{0}")]
    Failed(String),
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::new(
            Code::StoreFailed,
            error.to_string(),
            "Nothing of this request was kept; send it again. Check free disk space and permissions of the data folder.",
        )
    }
}

/// The answer of the store.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Hears of new deliveries. What it hears is a hint: what it misses it finds in [`Outbox::pending`].
pub trait Listener: Send + Sync {
    /// These are in the outbox now. Called in the order of their ids, and must not block.
    fn accepted(&self, deliveries: Vec<Pending>);
}

/// Events and the outbox.
pub trait Outbox: Send + Sync {
    /// Names the one who hears of new deliveries.
    fn listen(&self, listener: Arc<dyn Listener>);

    /// Makes events durable, together with their deliveries; all of `events` in one transaction, which concurrent calls share. Ids are given
    /// in the order of commits.
    fn accept(&self, events: Vec<NewEvent>) -> Answer<'_, Vec<Accepted>>;

    /// Unsettled deliveries of one connection with an id above `after`, in the order of their ids, with their events.
    fn pending(&self, connection: ConnectionId, after: DeliveryId, limit: usize) -> Answer<'_, Vec<Pending>>;

    /// Commits the intent of a write before it is sent.
    fn intend(&self, intent: Intent) -> Answer<'_, ()>;

    /// Writes down what came of an attempt.
    fn settle(&self, settlement: Settlement) -> Answer<'_, ()>;

    /// The external id that a record has on a connection.
    fn link(&self, connection: ConnectionId, object: &str, record_key: &str) -> Answer<'_, Option<String>>;

    /// Puts settled deliveries back into the outbox; answers the connections concerned. A delivery in another state is left alone.
    fn replay(&self, workspace: WorkspaceId, deliveries: Vec<DeliveryId>, now_ms: i64)
    -> Answer<'_, Vec<ConnectionId>>;

    /// Adds deliveries to an event that exists (when it is routed anew); answers those that are new.
    fn add_deliveries(&self, event: EventId, deliveries: Vec<NewDelivery>) -> Answer<'_, Vec<DeliveryId>>;
}

/// What people and programs look at.
pub trait Journal: Send + Sync {
    /// Newest first.
    fn events(&self, workspace: WorkspaceId, filter: EventFilter, page: Page) -> Answer<'_, Vec<EventRow>>;
    /// One event.
    fn event(&self, workspace: WorkspaceId, id: EventId) -> Answer<'_, Option<EventRow>>;
    /// Newest first.
    fn deliveries(&self, workspace: WorkspaceId, filter: DeliveryFilter, page: Page) -> Answer<'_, Vec<DeliveryRow>>;
    /// One delivery.
    fn delivery(&self, workspace: WorkspaceId, id: DeliveryId) -> Answer<'_, Option<DeliveryRow>>;
    /// Every call that was made for a delivery, oldest first.
    fn attempts(&self, workspace: WorkspaceId, delivery: DeliveryId) -> Answer<'_, Vec<AttemptRow>>;
    /// Deliveries of a connection by state, and when the last one was delivered.
    fn tally(&self, workspace: WorkspaceId, connection: ConnectionId) -> Answer<'_, Tally>;
}

/// Workspaces, keys, connections, routes.
pub trait Register: Send + Sync {
    /// Makes sure that the workspace exists; answers its id.
    fn workspace(&self, key: &str) -> Answer<'_, WorkspaceId>;
    /// Every connection and route of every workspace, and the revision of the configuration that this is.
    fn configuration(&self) -> Answer<'_, StoredConfiguration>;
    /// The present revision of the configuration; it grows with each change.
    fn revision(&self) -> Answer<'_, i64>;
    /// Writes connections and routes, replacing those with the same key, in one transaction.
    fn configure(&self, workspace: WorkspaceId, change: ConfigurationChange) -> Answer<'_, ()>;
    /// Changes what the engine learnt about a connection. Does not change the revision unless the state changes.
    fn note_connection(&self, connection: ConnectionId, note: ConnectionNote) -> Answer<'_, ()>;
    /// Adds an API key, and raises the revision so that every process reads the keys anew.
    fn add_key(&self, key: KeyRow) -> Answer<'_, ()>;
    /// Every API key that is not revoked.
    fn keys(&self) -> Answer<'_, Vec<KeyRow>>;
}

/// A whole store.
pub trait Store: Outbox + Journal + Register {}
impl<T: Outbox + Journal + Register> Store for T {}
