//! The store on PostgreSQL, for any number of nodes.
//!
//! Durability: every transaction ends with a synchronous commit. Four writers group what waits ([`writer`]): acceptances, intents,
//! settlements and callbacks each share their commits; everything else is rare and goes by itself.
//!
//! # Order across nodes
//!
//! A lane reads the outbox by id, from a cursor on. On one node, acceptances are committed in the order of their ids, so the cursor misses
//! nothing. Another node's transaction may commit later with smaller ids (its clock is behind, it was slow). Therefore every transaction that
//! puts something into the outbox writes a row of `arrival` with its transaction number, and each node looks at it once a second
//! ([`session`]): it reads all rows whose transaction number is not below the oldest transaction that was open at its last look. So a row
//! that was invisible then is seen at the first look after its commit, whatever its ids and clocks. The lane is told the smallest id and goes
//! back to it ([`crate::store::Listener::hinted`]). `NOTIFY` says the same sooner, and may be lost.

mod accept;
pub mod admin;
mod automations;
mod callbacks;
mod classifying;
mod configuration;
mod connect;
mod days;
mod definitions;
mod fill;
mod grants;
mod history;
mod intend;
mod journal;
mod leasing;
mod ledger;
mod migrate;
mod outbox;
mod record;
mod removal;
mod seen;
mod session;
mod settle;
pub mod transfer;
mod trouble;
mod writer;

use std::{collections::HashMap, sync::Arc};

use deadpool_postgres::{Client, Pool};
use parking_lot::Mutex;
use switchboard_model::id::{ConnectionId, DeliveryId};
use tokio::{sync::Notify, task::JoinHandle};
use tokio_postgres::GenericClient;

use self::{connect::Address, session::Identity, trouble::Trouble, writer::Writer};
use super::{Answer, Lifecycle, Listener, StoreError};
use crate::clock::Clock;

/// The store on PostgreSQL. Clones are the same store.
#[derive(Clone)]
pub struct PostgresStore {
    core: Arc<Core>,
    writers: Arc<Writers>,
    session: Arc<Mutex<Option<JoinHandle<()>>>>,
}

struct Writers {
    accepts: Writer<accept::Acceptance>,
    intents: Writer<intend::Intents>,
    settlements: Writer<settle::Settlements>,
    callbacks: Writer<callbacks::Keeping>,
}

/// What all parts of one store share.
pub(in crate::store) struct Core {
    address: Address,
    pool: Pool,
    clock: Arc<dyn Clock>,
    days: days::Days,
    moving: seen::Moving,
    listener: Mutex<Option<Arc<dyn Listener>>>,
    identity: Mutex<Identity>,
    /// The rights to send that this node believes to hold.
    rights: Mutex<leasing::Rights>,
    /// What other nodes are to be told, by connection from which id on.
    news: Mutex<HashMap<ConnectionId, DeliveryId>>,
    bell: Notify,
    closing: Notify,
    turns: grants::TurnKeeper,
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Connects to the database at `url` (`postgres://…`), brings its schema up to date, and takes a free node number.
    ///
    /// # Errors
    /// When the database cannot be reached, is too old, comes from a newer version of Switchboard, or 64 nodes are at work already.
    pub async fn open(url: &str, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let address = Address::read(url)?;
        let pool = address.pool()?;
        let mut client = pool.get().await.map_err(Trouble::from)?;
        migrate::run(&mut client).await?;
        warn_of_lossy_settings(&client).await?;
        let days = days::Days::default();
        days.prepare(&mut client, clock.now_ms()).await?;
        let last = greatest_id(&client).await?;
        drop(client);
        let core = Arc::new(Core {
            address,
            pool,
            clock,
            days,
            moving: seen::Moving::default(),
            listener: Mutex::default(),
            identity: Mutex::new(Identity::new(last)),
            rights: Mutex::default(),
            news: Mutex::default(),
            bell: Notify::new(),
            closing: Notify::new(),
            turns: grants::TurnKeeper::default(),
        });
        let first = session::begin(&core).await?;
        let session = tokio::spawn(session::keep(Arc::clone(&core), first));
        Ok(Self {
            writers: Arc::new(Writers {
                accepts: Writer::start(&core),
                intents: Writer::start(&core),
                settlements: Writer::start(&core),
                callbacks: Writer::start(&core),
            }),
            session: Arc::new(Mutex::new(Some(session))),
            core,
        })
    }
}

impl Core {
    /// The next ids, in order.
    fn ids(&self, count: usize, now_ms: i64) -> Result<Vec<i64>, StoreError> {
        self.identity.lock().ids(count, now_ms)
    }

    async fn client(&self) -> Result<Client, Trouble> {
        Ok(self.pool.get().await?)
    }

    /// Other nodes are told of these soon.
    fn tell(&self, news: impl IntoIterator<Item = (ConnectionId, DeliveryId)>) {
        let mut kept = self.news.lock();
        for (connection, first) in news {
            let known = kept.entry(connection).or_insert(first);
            *known = (*known).min(first);
        }
        drop(kept);
        self.bell.notify_one();
    }
}

/// Writes down, in the transaction of `client`, what it puts into the outbox. See the invariant above.
async fn note_arrival(
    client: &impl GenericClient,
    slot: i16,
    now_ms: i64,
    news: &HashMap<ConnectionId, DeliveryId>,
) -> Result<(), Trouble> {
    if news.is_empty() {
        return Ok(());
    }
    let connections: Vec<i64> = news.keys().map(|connection| connection.0).collect();
    let firsts: Vec<i64> = news.values().map(|first| first.0).collect();
    let insert = "INSERT INTO arrival (node, at_ms, connections, first_ids) VALUES ($1, $2, $3, $4)";
    client.execute(insert, &[&slot, &now_ms, &connections, &firsts]).await?;
    Ok(())
}

/// By connection the smallest id.
fn smallest(all: impl IntoIterator<Item = (ConnectionId, DeliveryId)>) -> HashMap<ConnectionId, DeliveryId> {
    let mut smallest = HashMap::new();
    for (connection, id) in all {
        let known = smallest.entry(connection).or_insert(id);
        *known = id.min(*known);
    }
    smallest
}

async fn greatest_id(client: &Client) -> Result<i64, Trouble> {
    let select =
        "SELECT greatest((SELECT max(id) FROM event), (SELECT max(id) FROM event_kept), (SELECT max(id) FROM delivery),
                                  (SELECT max(id) FROM delivery_history), (SELECT max(id) FROM attempt),
                                  (SELECT max(id) FROM record), (SELECT max(id) FROM record_match),
                                  (SELECT max(id) FROM record_merge), (SELECT max(id) FROM duplicate),
                                  (SELECT max(id) FROM callback), 0)";
    Ok(client.query_one(select, &[]).await?.get(0))
}

/// A server that does not sync breaks the promise that what was acknowledged is kept. Whoever set that meant it, but should hear of it.
async fn warn_of_lossy_settings(client: &Client) -> Result<(), Trouble> {
    for (setting, safe) in [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
    ] {
        let row = client.query_one("SELECT current_setting($1)", &[&setting]).await?;
        let value: String = row.get(0);
        if value == "off" {
            tracing::warn!(
                "the database has {setting} = off: a crash of its machine loses events that were acknowledged; set it to {safe}"
            );
        }
    }
    Ok(())
}

impl Lifecycle for PostgresStore {
    fn close(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.writers.accepts.close().await;
            self.writers.intents.close().await;
            self.writers.settlements.close().await;
            self.writers.callbacks.close().await;
            let session = self.session.lock().take();
            if let Some(session) = session {
                self.core.closing.notify_one();
                // A session that panicked has nothing left to give back.
                let _ = session.await;
            }
            self.core.turns.close().await;
            self.core.pool.close();
            Ok(())
        })
    }

    fn shared(&self) -> bool {
        true
    }
}
