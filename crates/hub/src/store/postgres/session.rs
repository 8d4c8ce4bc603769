//! The session of a node: one connection of its own that holds the node's number, hears of what other nodes accept, and tells them.

use std::{collections::VecDeque, future::poll_fn, sync::Arc, time::Duration};

use rand::TryRng;
use switchboard_model::id::{ConnectionId, DeliveryId, IdSource};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, sleep},
};
use tokio_postgres::{AsyncMessage, Client, Connection, Socket, tls::TlsStream};

use super::{Core, Trouble, migrate};
use crate::store::StoreError;

/// The first key of the advisory locks of node numbers.
const SLOTS: i32 = 0x5377_6e6f;
/// Ids have room for so many nodes.
const NODES: i16 = 64;
/// How often what was committed elsewhere is looked for.
const LOOK: Duration = Duration::from_secs(1);
/// How long hints are collected before they are sent.
const COLLECT: Duration = Duration::from_millis(5);
/// How long after a session broke the next one is tried; doubled up to [`LOOK`].
const AGAIN: Duration = Duration::from_millis(100);
/// Rows of `arrival` are kept for this many looks.
const KEPT: usize = 300;
/// A node that did not look for this long reads everything anew, because rows may be gone. Well below what [`KEPT`] comes to.
const STALE: Duration = Duration::from_secs(200);
/// Clocks that differ by more than this are told of, in milliseconds.
const APART_MS: i64 = 10_000;
/// Pairs of connection and id in one notification; its payload may have 8,000 bytes.
const PAIRS: usize = 150;

const LOOK_AT_ARRIVALS: &str = "
SELECT pg_snapshot_xmin(pg_current_snapshot())::text, a.connections, a.first_ids
FROM (VALUES (1)) one LEFT JOIN arrival a ON a.txn >= $1::text::xid8 AND a.node <> $2";

/// The node's number and its source of ids.
#[derive(Debug)]
pub(super) struct Identity {
    slot: Option<i16>,
    /// The number of the session before.
    former: Option<i16>,
    /// Tells this process from others that had the number.
    owner: i64,
    last: i64,
    source: Option<IdSource>,
}

impl Identity {
    pub fn new(last: i64) -> Self {
        let mut random = [0; 8];
        // Without randomness two processes would have to have the same number one after the other to be mistaken for each other.
        let _ = rand::rngs::SysRng.try_fill_bytes(&mut random);
        Self {
            slot: None,
            former: None,
            owner: i64::from_le_bytes(random),
            last,
            source: None,
        }
    }

    /// The node's number.
    pub fn slot(&self) -> Result<i16, StoreError> {
        self.slot.ok_or_else(no_session)
    }

    pub fn ids(&mut self, count: usize, now_ms: i64) -> Result<Vec<i64>, StoreError> {
        let source = self
            .source
            .as_mut()
            .filter(|_| self.slot.is_some())
            .ok_or_else(no_session)?;
        let ids: Vec<i64> = (0..count).map(|_| source.next(now_ms)).collect();
        self.last = ids.last().copied().unwrap_or(self.last);
        Ok(ids)
    }

    /// The session is gone: no ids until there is another one, because another process may take the number.
    fn suspend(&mut self) {
        self.former = self.slot.take().or(self.former);
    }

    fn take(&mut self, slot: i16) {
        let node = u8::try_from(slot).unwrap_or_default();
        self.slot = Some(slot);
        self.source = Some(IdSource::new(node, self.last));
    }
}

fn no_session() -> StoreError {
    StoreError::Failed("the connection to the database is interrupted".into())
}

/// A session that holds a number.
pub(super) struct Session {
    client: Client,
    /// Payloads of notifications; it ends with the connection.
    heard: mpsc::UnboundedReceiver<String>,
    /// The oldest transaction that was open at the last look.
    mark: String,
}

/// Connects and takes a number.
pub(super) async fn begin(core: &Core) -> Result<Session, Trouble> {
    let (client, connection) = core.address.config.connect(core.address.tls.clone()).await?;
    let (say, heard) = mpsc::unbounded_channel();
    tokio::spawn(drive(connection, say));
    migrate::known_version(&client).await?;
    let slot = take_slot(core, &client).await?;
    client.batch_execute("LISTEN switchboard_outbox").await?;
    let row = client
        .query_one("SELECT pg_snapshot_xmin(pg_current_snapshot())::text", &[])
        .await?;
    warn_of_clocks(core, &client).await?;
    core.identity.lock().take(slot);
    Ok(Session {
        client,
        heard,
        mark: row.get(0),
    })
}

/// Ids and days are told by this machine's clock and hold for all nodes.
async fn warn_of_clocks(core: &Core, client: &Client) -> Result<(), Trouble> {
    let row = client
        .query_one("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint", &[])
        .await?;
    let ahead_ms = core.clock.now_ms() - row.get::<_, i64>(0);
    if ahead_ms.abs() > APART_MS {
        let (seconds, way) = (ahead_ms.abs() / 1_000, if ahead_ms > 0 { "ahead of" } else { "behind" });
        tracing::warn!(
            "this machine's clock is {seconds} s {way} the database's: what is accepted here is dated by it, also for other nodes; set the one that is wrong"
        );
    }
    Ok(())
}

async fn drive<T: TlsStream + Unpin>(mut connection: Connection<Socket, T>, say: mpsc::UnboundedSender<String>) {
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notification(notification) = message {
            // Nobody listens any more when the session has ended; its client is gone then, and the connection ends.
            let _ = say.send(notification.payload().to_owned());
        }
    }
}

/// Takes the number that this process had, or the smallest that is free. A process that begins frees the rights of those that are gone, and of
/// the one that had its number before: whoever takes them next gets a greater fence. A process that comes back keeps its rights, also under
/// another number when the database has not noticed yet that its former session is gone.
async fn take_slot(core: &Core, client: &Client) -> Result<i16, Trouble> {
    let (former, owner) = {
        let identity = core.identity.lock();
        (identity.former, identity.owner)
    };
    let candidates = former
        .into_iter()
        .chain((0..NODES).filter(|slot| Some(*slot) != former));
    for slot in candidates {
        let row = client
            .query_one("SELECT pg_try_advisory_lock($1, $2)", &[&SLOTS, &i32::from(slot)])
            .await?;
        if !row.get::<_, bool>(0) {
            continue;
        }
        let ours = client
            .query_opt("SELECT 1 FROM node WHERE slot = $1 AND owner = $2", &[&slot, &owner])
            .await?;
        if ours.is_none() {
            settle_in(client, slot, former, owner).await?;
        }
        return Ok(slot);
    }
    Err(StoreError::Unfit {
        why: format!("{NODES} nodes are at work on this database"),
        next: "Stop one of them first: there is no room for another one.",
    }
    .into())
}

/// Makes a number that others had before the own one.
async fn settle_in(client: &Client, slot: i16, former: Option<i16>, owner: i64) -> Result<(), Trouble> {
    client
        .execute("UPDATE lease SET node = NULL WHERE node = $1", &[&slot])
        .await?;
    match former {
        Some(former) => {
            let keep = "UPDATE lease SET node = $1
                        WHERE node = $2 AND EXISTS (SELECT 1 FROM node n WHERE n.slot = $2 AND n.owner = $3)";
            client.execute(keep, &[&slot, &former, &owner]).await?;
        }
        None => {
            let live = live_nodes(client).await?;
            client
                .execute("UPDATE lease SET node = NULL WHERE NOT (node = ANY ($1))", &[&live])
                .await?;
        }
    }
    let own = "INSERT INTO node (slot, owner, sends) VALUES ($1, $2, $3)
               ON CONFLICT (slot) DO UPDATE SET owner = excluded.owner, sends = excluded.sends";
    client.execute(own, &[&slot, &owner, &former.is_some()]).await?;
    if let Some(former) = former {
        let leave = "DELETE FROM node WHERE slot = $1 AND owner = $2";
        client.execute(leave, &[&former, &owner]).await?;
    }
    Ok(())
}

/// The numbers whose sessions are alive.
pub(super) async fn live_nodes(client: &impl tokio_postgres::GenericClient) -> Result<Vec<i16>, Trouble> {
    let rows = client
        .query(
            "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted
             AND classid::bigint = $1
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            &[&i64::from(SLOTS)],
        )
        .await?;
    Ok(rows
        .iter()
        .filter_map(|row| i16::try_from(row.get::<_, i64>(0)).ok())
        .collect())
}

/// Keeps a session until the store is closed.
pub(super) async fn keep(core: Arc<Core>, first: Session) {
    let mut session = Some(first);
    let mut pause = AGAIN;
    // Why there was none at the last try; it is said once.
    let mut known = None;
    // What other nodes committed while there was no session is found from the mark of the last one.
    let mut mark = None;
    loop {
        if let Some(mut session) = session.take() {
            if let Some(mark) = mark.take() {
                session.mark = mark;
            }
            match work(&core, &mut session).await {
                Ok(()) => return end(&core, session).await,
                Err(trouble) => {
                    let error = StoreError::from(trouble);
                    tracing::warn!(%error, "the session with the database is interrupted");
                }
            }
            mark = Some(session.mark);
            core.identity.lock().suspend();
        }
        tokio::select! {
            () = core.closing.notified() => return,
            () = sleep(pause) => {}
        }
        pause = (pause * 2).min(LOOK);
        match begin(&core).await {
            Ok(begun) => {
                tracing::info!("the session with the database is back");
                (pause, known) = (AGAIN, None);
                session = Some(begun);
            }
            Err(Trouble::Other(error)) if known.as_ref() == Some(&error) => {}
            Err(Trouble::Other(error)) => {
                tracing::error!(%error, "no session with the database, and none until this is settled");
                known = Some(error);
            }
            Err(trouble) => tracing::debug!(error = %StoreError::from(trouble), "no session with the database yet"),
        }
    }
}

/// Gives the rights back at once, so that another node need not wait for their end.
async fn end(core: &Core, session: Session) {
    let slot = core.identity.lock().slot.take();
    if let Some(slot) = slot {
        for leave in [
            "UPDATE lease SET node = NULL WHERE node = $1",
            "DELETE FROM node WHERE slot = $1",
        ] {
            // A database that is gone lets the rights end by themselves.
            let _ = session.client.execute(leave, &[&slot]).await;
        }
        // The server may notice later that the session is over; until then whoever upgrades would think that this node is at work.
        let number = "SELECT pg_advisory_unlock($1, $2)";
        let _ = session.client.execute(number, &[&SLOTS, &i32::from(slot)]).await;
    }
}

async fn work(core: &Core, session: &mut Session) -> Result<(), Trouble> {
    let mut tick = interval(LOOK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut marks = VecDeque::new();
    let mut looked = Instant::now();
    loop {
        tokio::select! {
            () = core.closing.notified() => return Ok(()),
            heard = session.heard.recv() => match heard {
                Some(payload) => hint(core, read_pairs(&payload)),
                None => return Err(Trouble::Other(no_session())),
            },
            () = core.bell.notified() => {
                sleep(COLLECT).await;
                send(core, &session.client).await?;
            }
            _ = tick.tick() => {
                if looked.elapsed() > STALE {
                    hint(core, core.rights.lock().connections().map(|connection| (connection, DeliveryId(0))).collect());
                }
                look(core, session).await?;
                looked = Instant::now();
                marks.push_back(session.mark.clone());
                if marks.len() > KEPT {
                    sweep(&session.client, marks.pop_front()).await?;
                }
                prepare_days(core).await?;
            }
        }
    }
}

async fn look(core: &Core, session: &mut Session) -> Result<(), Trouble> {
    let slot = core.identity.lock().slot()?;
    let rows = session.client.query(LOOK_AT_ARRIVALS, &[&session.mark, &slot]).await?;
    let mut news = Vec::new();
    for row in &rows {
        let connections: Option<Vec<i64>> = row.get(1);
        let firsts: Option<Vec<i64>> = row.get(2);
        let each = connections
            .unwrap_or_default()
            .into_iter()
            .zip(firsts.unwrap_or_default());
        news.extend(each.map(|(connection, first)| (ConnectionId(connection), DeliveryId(first))));
    }
    if let Some(row) = rows.first() {
        session.mark = row.get(0);
    }
    hint(core, news);
    Ok(())
}

async fn sweep(client: &Client, mark: Option<String>) -> Result<(), Trouble> {
    client
        .execute("DELETE FROM arrival WHERE txn < $1::text::xid8", &[&mark])
        .await?;
    Ok(())
}

async fn prepare_days(core: &Core) -> Result<(), Trouble> {
    let now_ms = core.clock.now_ms();
    if core.days.are_prepared(now_ms) {
        return Ok(());
    }
    let mut client = core.client().await?;
    core.days.prepare(&mut client, now_ms).await
}

/// Tells the lanes of this node.
fn hint(core: &Core, news: Vec<(ConnectionId, DeliveryId)>) {
    let listener = core.listener.lock().clone();
    if let Some(listener) = listener.filter(|_| !news.is_empty()) {
        listener.hinted(super::smallest(news).into_iter().collect());
    }
}

/// Tells the other nodes. What goes to lanes of this node only is no news to them.
async fn send(core: &Core, client: &Client) -> Result<(), Trouble> {
    let news = std::mem::take(&mut *core.news.lock());
    let theirs: Vec<_> = {
        let rights = core.rights.lock();
        news.into_iter()
            .filter(|(connection, _)| !rights.has(*connection))
            .collect()
    };
    let slot = core.identity.lock().slot()?;
    for pairs in theirs.chunks(PAIRS) {
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(connection, first)| format!("{}:{}", connection.0, first.0))
            .collect();
        let payload = format!("{slot} {}", pairs.join(" "));
        client
            .execute("SELECT pg_notify('switchboard_outbox', $1)", &[&payload])
            .await?;
    }
    Ok(())
}

/// `NODE CONNECTION:ID CONNECTION:ID …`
fn read_pairs(payload: &str) -> Vec<(ConnectionId, DeliveryId)> {
    let pairs = payload.split(' ').skip(1).filter_map(|pair| pair.split_once(':'));
    pairs
        .filter_map(|(connection, first)| {
            Some((ConnectionId(connection.parse().ok()?), DeliveryId(first.parse().ok()?)))
        })
        .collect()
}
