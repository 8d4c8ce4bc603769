//! What the hub keeps, as use cases. Implementations: [`sqlite`] and [`postgres`].
//!
//! Every call is scoped by workspace where a person or program of a workspace causes it; calls of the engine itself carry ids that the
//! store handed out. No transaction outlives the call that began it.

pub mod callbacks;
pub mod claim;
pub mod classifying;
mod content;
#[cfg(test)]
pub(crate) mod contract;
mod database;
mod definition;
mod doubt;
mod ending;
mod filling;
pub mod grants;
pub mod ledger;
pub mod place;
pub mod postgres;
pub mod rows;
pub mod runs;
pub mod sqlite;
pub mod transfer;

use std::{collections::HashMap, sync::Arc};

use futures::future::BoxFuture;
use jiff::civil::Date;
use switchboard_model::{
    event::Event,
    id::{ConnectionId, DeliveryId, EventId, WorkspaceId},
    problem::{Code, Problem},
};

pub use callbacks::{
    Anew, Begun, CallbackFilter, CallbackOutcome, CallbackRow, CallbackState, Callbacks, Kept, Made, MadeEvent,
    MadeRecord, NewCallback, RawRequest, Round,
};
pub use claim::Claim;
pub use classifying::{Classifying, Expense};
pub use content::Content;
pub use database::Database;
pub use definition::{DefinitionKind, DefinitionRow, DefinitionWrite, Removal};
pub use doubt::{InDoubt, Linked};
pub use filling::Filling;
pub use grants::{AccessNote, AccessRow, Grants, SignInRow, Turn};
pub use ledger::*;
pub use place::Share;
pub use rows::*;
pub use runs::*;

/// Why the store could not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database failed: disk full, file damaged, permission.
    #[error("{0}")]
    Failed(String),
    /// The database is well, but not one for this program, or not now: another version, or others at work on it.
    #[error("{why}. {next}")]
    Unfit {
        /// What does not fit.
        why: String,
        /// What a person can do; a sentence.
        next: &'static str,
    },
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// A database whose schema has more steps than this program knows.
    fn newer(database: impl std::fmt::Display, schema: usize, known: usize) -> Self {
        Self::Unfit {
            why: format!(
                "{database} was written by a newer version of Switchboard (schema {schema}, this program knows {known})"
            ),
            next: "Start that version.",
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unfit { why, next } => Self::new(Code::StoreFailed, why, next),
            error => Self::new(
                Code::StoreFailed,
                error.to_string(),
                "Nothing of this request was kept; send it again. Check free disk space and permissions of the data folder.",
            ),
        }
    }
}

/// The answer of the store.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Hears of new deliveries. What it hears is a hint: what it misses it finds in [`Outbox::pending`].
pub trait Listener: Send + Sync {
    /// These are in the outbox now. Called in the order of their ids, and must not block.
    fn accepted(&self, deliveries: Vec<Pending>);

    /// Other nodes have put deliveries into the outbox: for each of these connections there may be some that are not known here, none with a
    /// smaller id than the one beside it. They can have smaller ids than others that were read or heard of before. A lane that has read
    /// further goes back to just before that id, and passes over what it has already. Must not block.
    ///
    /// The store promises that everything that another node commits is told here within seconds.
    fn hinted(&self, from: Vec<(ConnectionId, DeliveryId)>);
}

/// Events and the outbox.
pub trait Outbox: Send + Sync {
    /// Names the one who hears of new deliveries.
    fn listen(&self, listener: Arc<dyn Listener>);

    /// Makes events durable, together with their deliveries; all of `events` in one transaction, which concurrent calls share. Ids are given
    /// in the order of commits.
    fn accept(&self, events: Vec<NewEvent>) -> Answer<'_, Vec<Accepted>>;

    /// Unsettled deliveries of one connection with an id above `after`, in the order of their ids, without their events. Those that are held
    /// are left out.
    fn pending(&self, connection: ConnectionId, after: DeliveryId, limit: usize) -> Answer<'_, Vec<Pending>>;

    /// The events with these ids, in any order.
    fn bodies(&self, events: Vec<EventId>) -> Answer<'_, Vec<Arc<Event>>>;

    /// Commits the intents of writes before they are sent, all in one transaction. Answers those that may not be sent: a person has held or
    /// cancelled them, or `fence` is no longer the right to send.
    fn intend(&self, fence: Fence, intents: Vec<Intent>) -> Answer<'_, Vec<DeliveryId>>;

    /// Writes down what came of attempts, all in one transaction, and hints at what it hands over. What a later holder of the connection has taken up meanwhile is left alone.
    fn settle(&self, fence: Fence, settlements: Vec<Settlement>) -> Answer<'_, ()>;

    /// The external ids that records have on a connection, by record key.
    fn links(&self, connection: ConnectionId, object: &str, keys: Vec<String>) -> Answer<'_, HashMap<String, Linked>>;

    /// Fulfils a person's wish for those of the deliveries whose state allows it; the others are left alone.
    fn change(&self, workspace: WorkspaceId, wish: Wish, which: Selection, now_ms: i64) -> Answer<'_, Changed>;

    /// Adds deliveries to an event that exists (when it is routed anew), those that it does not have yet: of each connection, object and
    /// place one. Answers those that are new.
    fn add_deliveries(&self, event: EventId, deliveries: Vec<NewDelivery>) -> Answer<'_, Vec<DeliveryId>>;
}

/// Which node sends for which connections.
pub trait Leasing: Send + Sync {
    /// Takes or renews the right to send for these connections for `ttl_ms`, as far as no other node has it, and gives back every right that
    /// is not named. Answers the rights that are held now. A right whose fence is another one than before was lost meanwhile.
    ///
    /// Where there are several nodes, each takes no more than its share, and all connections to one account or none.
    fn lease(&self, claims: Vec<Claim>, ttl_ms: i64) -> Answer<'_, HashMap<ConnectionId, Fence>>;

    /// Rights that this node holds beyond its share while another node has room for them, or has the account, as the last [`Leasing::lease`]
    /// found. Nothing happens to them by itself: start nothing new for these connections, and leave them out of the next `lease` when nothing is under way.
    fn surplus(&self) -> Vec<ConnectionId> {
        Vec::new()
    }
}

/// What is over, by day.
pub trait History: Send + Sync {
    /// Moves up to `most` events whose deliveries have all arrived out of the hot tables into the history of the day of their acceptance;
    /// answers how many were moved.
    fn archive(&self, most: usize) -> Answer<'_, usize>;

    /// How many events wait to be moved by [`History::archive`].
    fn archivable(&self) -> Answer<'_, usize>;

    /// The days that are kept, oldest first.
    fn days(&self) -> Answer<'_, Vec<DayRow>>;

    /// Drops the history of a day at once, with what ended badly and what recognises repeats of its events. What of that day is not settled
    /// stays.
    fn drop_day(&self, day: Date) -> Answer<'_, ()>;
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
    /// Ends the deliveries of connections that are no more, as [`Removal::Connection`] does: those that were accepted by a configuration that
    /// still had them. Answers how many connections that were.
    fn end_orphans(&self, now_ms: i64) -> Answer<'_, usize>;
    /// Changes what the engine learnt about a connection. Does not change the revision unless the state changes. Answers whether anything was
    /// written: nothing is when the note is about other credentials than the present ones.
    fn note_connection(&self, connection: ConnectionId, note: ConnectionNote) -> Answer<'_, bool>;
    /// What the account of a connection was found to have.
    fn discovered(&self, connection: ConnectionId) -> Answer<'_, Vec<DiscoveredRow>>;
    /// Keeps what the account of a connection was found to have, in place of what is kept of the same part.
    fn keep_discovered(&self, connection: ConnectionId, row: DiscoveredRow) -> Answer<'_, ()>;
    /// Adds an API key, and raises the revision so that every process reads the keys anew.
    fn add_key(&self, key: KeyRow) -> Answer<'_, ()>;
    /// Every API key that is not revoked.
    fn keys(&self) -> Answer<'_, Vec<KeyRow>>;
}

/// The beginning and the end of a store.
pub trait Lifecycle: Send + Sync {
    /// Finishes what was handed over, gives back the rights to send, and closes the database.
    fn close(&self) -> Answer<'_, ()>;

    /// Whether several hubs may work on this store at once. Else the data folder has to be locked.
    fn shared(&self) -> bool;
}

impl Lifecycle for sqlite::SqliteStore {
    fn close(&self) -> Answer<'_, ()> {
        let store = self.clone();
        Box::pin(async move {
            let closed = tokio::task::spawn_blocking(move || store.close()).await;
            closed.map_err(|error| StoreError::Failed(error.to_string()))
        })
    }

    fn shared(&self) -> bool {
        false
    }
}

/// A whole store.
pub trait Store:
    Outbox + Ledger + Callbacks + Leasing + History + Journal + Register + Grants + Runs + Classifying + Lifecycle
{
}
impl<T: Outbox + Ledger + Callbacks + Leasing + History + Journal + Register + Grants + Runs + Classifying + Lifecycle>
    Store for T
{
}
