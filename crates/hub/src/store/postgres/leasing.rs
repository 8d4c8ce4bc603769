//! The right to send, by connection: renewed, taken when it is free, spread over the nodes.

use std::collections::HashMap;

use switchboard_model::id::ConnectionId;

use super::{Core, PostgresStore, Trouble, session::live_nodes};
use crate::store::{Answer, Fence, Leasing};

/// The moment by the database's clock, in Unix milliseconds.
const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

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

/// How many connections a node may hold, and how many it should give away.
#[derive(Debug, PartialEq, Eq)]
struct Share {
    /// Not more than this.
    most: usize,
    /// So many of them are to be given away.
    surplus: usize,
}

/// The share of a node that holds `held` of all connections among `others` (what each other node at work holds).
fn share(connections: usize, held: usize, others: &[usize]) -> Share {
    let nodes = others.len() + 1;
    // A node with one less than the greatest share is not worth a move when the shares cannot be equal.
    let least = connections / nodes;
    let wanted: usize = others.iter().map(|theirs| least.saturating_sub(*theirs)).sum();
    Share {
        most: connections.div_ceil(nodes),
        surplus: held.saturating_sub(least).min(wanted),
    }
}

impl Leasing for PostgresStore {
    fn lease(&self, connections: Vec<ConnectionId>, ttl_ms: i64) -> Answer<'_, HashMap<ConnectionId, Fence>> {
        Box::pin(async move { Ok(lease(&self.core, &connections, ttl_ms).await?) })
    }

    fn surplus(&self) -> Vec<ConnectionId> {
        self.core.rights.lock().surplus.clone()
    }
}

async fn lease(core: &Core, named: &[ConnectionId], ttl_ms: i64) -> Result<HashMap<ConnectionId, Fence>, Trouble> {
    let slot = core.identity.lock().slot()?;
    let named: Vec<i64> = named.iter().map(|connection| connection.0).collect();
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
    let others = others(&tx, slot).await?;
    let most = share(named.len(), held.len(), &others).most;
    if held.len() < most {
        held.extend(take(&tx, slot, &named, most - held.len(), ttl_ms).await?);
    }
    tx.commit().await?;
    let surplus = share(named.len(), held.len(), &others).surplus;
    let mut newest_first: Vec<ConnectionId> = held.keys().copied().collect();
    newest_first.sort_unstable_by(|a, b| b.cmp(a));
    newest_first.truncate(surplus);
    let mut rights = core.rights.lock();
    rights.surplus = newest_first;
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

/// Takes up to `most` rights that are free. Those that another transaction has its hands on are left for the next time.
async fn take(
    tx: &deadpool_postgres::Transaction<'_>,
    slot: i16,
    named: &[i64],
    most: usize,
    ttl_ms: i64,
) -> Result<HashMap<ConnectionId, Fence>, Trouble> {
    tx.execute(
        "INSERT INTO lease (connection, node, fence, until_ms)
         SELECT c, NULL, 0, 0 FROM unnest($1::bigint[]) AS c WHERE NOT EXISTS (SELECT 1 FROM lease WHERE connection = c)
         ORDER BY c ON CONFLICT DO NOTHING",
        &[&named],
    )
    .await?;
    let sql = format!(
        "WITH free AS (
             SELECT connection FROM lease
             WHERE connection = ANY ($2) AND (node IS NULL OR until_ms <= {NOW})
             LIMIT $3 FOR UPDATE SKIP LOCKED
         )
         UPDATE lease l SET node = $1, fence = l.fence + 1, until_ms = {NOW} + $4
         FROM free WHERE l.connection = free.connection
         RETURNING l.connection, l.fence"
    );
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let statement = tx.prepare_cached(&sql).await?;
    let rows = tx.query(&statement, &[&slot, &named, &most, &ttl_ms]).await?;
    Ok(rights(&rows))
}

fn rights(rows: &[tokio_postgres::Row]) -> HashMap<ConnectionId, Fence> {
    rows.iter()
        .map(|row| (ConnectionId(row.get(0)), Fence(row.get(1))))
        .collect()
}

/// How many rights each other node holds that sends and is alive.
async fn others(tx: &deadpool_postgres::Transaction<'_>, slot: i16) -> Result<Vec<usize>, Trouble> {
    let live = live_nodes(&**tx).await?;
    let sql = format!(
        "SELECT count(l.connection) FROM node n LEFT JOIN lease l ON l.node = n.slot AND l.until_ms > {NOW}
         WHERE n.sends AND n.slot <> $1 AND n.slot = ANY ($2) GROUP BY n.slot"
    );
    let rows = tx.query(&sql, &[&slot, &live]).await?;
    let held = rows
        .iter()
        .map(|row| usize::try_from(row.get::<_, i64>(0)).unwrap_or_default());
    Ok(held.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_gets_its_share_and_all_shares_cover_everything() {
        for (connections, held, others, most, surplus) in [
            (5, 5, &[][..], 5, 0),
            (4, 4, &[0], 2, 2),
            (4, 2, &[2], 2, 0),
            (5, 2, &[3], 3, 0),
            (5, 3, &[2], 3, 0),
            (5, 5, &[0], 3, 2),
            (4, 2, &[2, 0], 2, 1),
            (0, 0, &[0, 0], 0, 0),
            (1, 1, &[0, 0], 1, 0),
        ] {
            let expected = Share { most, surplus };
            assert_eq!(
                share(connections, held, others),
                expected,
                "{connections} {held} {others:?}"
            );
        }
    }
}
