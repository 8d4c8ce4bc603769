//! The right to send, by connection: renewed, taken when it is free, spread over the nodes ([`division`]).

mod division;

use std::collections::HashMap;

use switchboard_model::id::ConnectionId;

use self::division::divide;
use super::{Core, PostgresStore, Trouble, session::live_nodes};
use crate::store::{Answer, Claim, Fence, Leasing};

/// The moment by the database's clock, in Unix milliseconds.
const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// The advisory lock of those who take rights.
const TAKING: i64 = 0x5377_6269_7461_6b65;

/// What a node believes to hold.
#[derive(Debug, Default)]
pub(super) struct Rights {
    held: HashMap<ConnectionId, Fence>,
    surplus: Vec<ConnectionId>,
}

impl Rights {
    pub fn has(&self, connection: ConnectionId) -> bool {
        self.held.contains_key(&connection)
    }

    pub fn connections(&self) -> impl Iterator<Item = ConnectionId> {
        self.held.keys().copied()
    }
}

impl Leasing for PostgresStore {
    fn lease(&self, claims: Vec<Claim>, ttl_ms: i64) -> Answer<'_, HashMap<ConnectionId, Fence>> {
        Box::pin(async move { Ok(lease(&self.core, &claims, ttl_ms).await?) })
    }

    fn surplus(&self) -> Vec<ConnectionId> {
        self.core.rights.lock().surplus.clone()
    }
}

async fn lease(core: &Core, claims: &[Claim], ttl_ms: i64) -> Result<HashMap<ConnectionId, Fence>, Trouble> {
    let slot = core.identity.lock().slot()?;
    let named: Vec<i64> = claims.iter().map(|claim| claim.connection.0).collect();
    let known: HashMap<ConnectionId, Fence> = core.rights.lock().held.clone();
    let mut client = core.client().await?;
    let tx = client.transaction().await?;
    tx.execute("UPDATE node SET sends = true WHERE slot = $1 AND NOT sends", &[&slot])
        .await?;
    tx.execute(
        "UPDATE lease SET node = NULL WHERE node = $1 AND NOT (connection = ANY ($2))",
        &[&slot, &named],
    )
    .await?;
    let mut held = renew(&tx, slot, &named, &known, ttl_ms).await?;
    tx.commit().await?;
    // Renewals wait for nobody; what is free is looked at by one node at a time, so that two do not take connections to one account.
    let tx = client.transaction().await?;
    let row = tx.query_one("SELECT pg_try_advisory_xact_lock($1)", &[&TAKING]).await?;
    let is_my_turn: bool = row.get(0);
    let others = others(&tx, slot).await?;
    let mut holders = holders(&tx, &named).await?;
    holders.extend(held.keys().map(|connection| (*connection, slot)));
    let division = divide(claims, &holders, (slot, &others));
    if is_my_turn && !division.take.is_empty() {
        held.extend(take(&tx, slot, &division.take, ttl_ms).await?);
    }
    tx.commit().await?;
    let mut rights = core.rights.lock();
    rights.surplus = division.surplus;
    rights.held.clone_from(&held);
    Ok(held)
}

async fn renew(
    tx: &deadpool_postgres::Transaction<'_>,
    slot: i16,
    named: &[i64],
    known: &HashMap<ConnectionId, Fence>,
    ttl_ms: i64,
) -> Result<HashMap<ConnectionId, Fence>, Trouble> {
    let known: Vec<(i64, i64)> = named
        .iter()
        .filter_map(|connection| Some((*connection, known.get(&ConnectionId(*connection))?.0)))
        .collect();
    let connections: Vec<i64> = known.iter().map(|(connection, _)| *connection).collect();
    let fences: Vec<i64> = known.iter().map(|(_, fence)| *fence).collect();
    // One that ended and that nobody took goes on: nobody else has sent meanwhile.
    let sql = format!(
        "UPDATE lease l SET until_ms = {NOW} + $4
         FROM unnest($2::bigint[], $3::bigint[]) AS k (connection, fence)
         WHERE l.connection = k.connection AND l.fence = k.fence AND l.node = $1
         RETURNING l.connection, l.fence"
    );
    let statement = tx.prepare_cached(&sql).await?;
    let rows = tx.query(&statement, &[&slot, &connections, &fences, &ttl_ms]).await?;
    Ok(rights(&rows))
}

/// Takes those that are free. Those that another transaction has its hands on are left for the next time.
async fn take(
    tx: &deadpool_postgres::Transaction<'_>,
    slot: i16,
    wanted: &[ConnectionId],
    ttl_ms: i64,
) -> Result<HashMap<ConnectionId, Fence>, Trouble> {
    let wanted: Vec<i64> = wanted.iter().map(|connection| connection.0).collect();
    tx.execute(
        "INSERT INTO lease (connection, node, fence, until_ms)
         SELECT c, NULL, 0, 0 FROM unnest($1::bigint[]) AS c WHERE NOT EXISTS (SELECT 1 FROM lease WHERE connection = c)
         ORDER BY c ON CONFLICT DO NOTHING",
        &[&wanted],
    )
    .await?;
    let sql = format!(
        "WITH free AS (
             SELECT connection FROM lease
             WHERE connection = ANY ($2) AND (node IS NULL OR until_ms <= {NOW})
             FOR UPDATE SKIP LOCKED
         )
         UPDATE lease l SET node = $1, fence = l.fence + 1, until_ms = {NOW} + $3
         FROM free WHERE l.connection = free.connection
         RETURNING l.connection, l.fence"
    );
    let statement = tx.prepare_cached(&sql).await?;
    let rows = tx.query(&statement, &[&slot, &wanted, &ttl_ms]).await?;
    Ok(rights(&rows))
}

fn rights(rows: &[tokio_postgres::Row]) -> HashMap<ConnectionId, Fence> {
    rows.iter()
        .map(|row| (ConnectionId(row.get(0)), Fence(row.get(1))))
        .collect()
}

/// The other nodes that send and are alive.
async fn others(tx: &deadpool_postgres::Transaction<'_>, slot: i16) -> Result<Vec<i16>, Trouble> {
    let live = live_nodes(&**tx).await?;
    let sql = "SELECT slot FROM node WHERE sends AND slot <> $1 AND slot = ANY ($2)";
    let rows = tx.query(sql, &[&slot, &live]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Who has the rights that have not ended.
async fn holders(
    tx: &deadpool_postgres::Transaction<'_>,
    named: &[i64],
) -> Result<HashMap<ConnectionId, i16>, Trouble> {
    let sql = format!(
        "SELECT connection, node FROM lease WHERE connection = ANY ($1) AND node IS NOT NULL AND until_ms > {NOW}"
    );
    let statement = tx.prepare_cached(&sql).await?;
    let rows = tx.query(&statement, &[&named]).await?;
    Ok(rows.iter().map(|row| (ConnectionId(row.get(0)), row.get(1))).collect())
}
