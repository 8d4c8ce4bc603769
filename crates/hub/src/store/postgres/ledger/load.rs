//! Reads records and what is known of them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use deadpool_postgres::{GenericClient, Transaction};
use sha2::{Digest, Sha256};
use switchboard_model::{
    id::{RecordId, WorkspaceId},
    record::MatchKey,
};

use super::{
    super::Trouble,
    rows::{self, DUPLICATE, MERGE, RECORD},
};
use crate::{
    record::shelf::{ObjectKey, Shelf, Wanted},
    store::{MatchRow, MergeRow, RecordRow},
};

/// The first key of the advisory locks of keys.
const KEYS: i32 = 0x5377_7265;
/// How many of them there are.
const LOCKS: u16 = 2_048;
/// So many matches are shown.
const SHOWN: i64 = 100;
/// Longer chains of merges than this do not come about.
const CHAIN: usize = 64;

/// Everything that a commit needs, locked until its end.
pub(super) async fn shelf(tx: &Transaction<'_>, workspace: WorkspaceId, wanted: &Wanted) -> Result<Shelf, Trouble> {
    lock_keys(tx, workspace, wanted).await?;
    let mut shelf = Shelf::default();
    let mut ids: BTreeSet<RecordId> = wanted.records.clone();
    let merge_ids: Vec<i64> = wanted.merges.iter().map(|id| id.0).collect();
    for merge in merges(tx, workspace, &merge_ids).await? {
        ids.extend([merge.winner, merge.loser]);
        shelf.merges.insert(merge.id, merge);
    }
    ids.extend(paired(tx, workspace, wanted).await?);
    let mut read = BTreeSet::new();
    loop {
        // Looked at again once the rows are locked: whoever held them before may have changed what leads to them.
        shelf.keys = holders(tx, workspace, &wanted.keys).await?;
        ids.extend(shelf.keys.values().flatten());
        ids.extend(shelf.open_ends());
        ids.retain(|id| !read.contains(id));
        if ids.is_empty() {
            break;
        }
        for row in locked(tx, workspace, &ids).await? {
            shelf.records.insert(row.id, row);
        }
        read.append(&mut ids);
    }
    pairs(tx, &mut shelf).await?;
    Ok(shelf)
}

/// Locks of this transaction on everything that is known by one of the keys, and on keys that nothing has yet, in one order for all.
async fn lock_keys(tx: &Transaction<'_>, workspace: WorkspaceId, wanted: &Wanted) -> Result<(), Trouble> {
    let numbers: BTreeSet<i32> = wanted
        .keys
        .iter()
        .filter(|(_, key)| !key.kind.starts_with('~'))
        .map(|(object, key)| lock_number(workspace, object, key))
        .collect();
    if numbers.is_empty() {
        return Ok(());
    }
    let numbers: Vec<i32> = numbers.into_iter().collect();
    let lock = "SELECT pg_advisory_xact_lock($1, n) FROM (SELECT n FROM unnest($2::integer[]) AS n ORDER BY n) sorted";
    let statement = tx.prepare_cached(lock).await?;
    tx.query(&statement, &[&KEYS, &numbers]).await?;
    Ok(())
}

/// Keys share a bounded number of locks, because a server has room for some thousands; two keys that share one merely wait for each other.
fn lock_number(workspace: WorkspaceId, object: &str, key: &MatchKey) -> i32 {
    let mut hash = Sha256::new()
        .chain_update(b"record")
        .chain_update(workspace.0.to_be_bytes());
    for part in [object, &key.kind, &key.value] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    i32::from(u16::from_be_bytes([digest[0], digest[1]]) % LOCKS)
}

async fn holders(
    client: &impl GenericClient,
    workspace: WorkspaceId,
    keys: &BTreeSet<ObjectKey>,
) -> Result<HashMap<ObjectKey, BTreeSet<RecordId>>, Trouble> {
    let all: Vec<&ObjectKey> = keys.iter().collect();
    if all.is_empty() {
        return Ok(HashMap::new());
    }
    let objects: Vec<&str> = all.iter().map(|(object, _)| &**object).collect();
    let kinds: Vec<&str> = all.iter().map(|(_, key)| key.kind.as_str()).collect();
    let values: Vec<&str> = all.iter().map(|(_, key)| key.value.as_str()).collect();
    let select = "SELECT w.at, k.record
         FROM unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS w (object, kind, value, at)
         CROSS JOIN LATERAL (SELECT record FROM record_key
             WHERE workspace = $1 AND object = w.object AND kind = w.kind AND value = w.value ORDER BY record LIMIT 50) k";
    let statement = client.prepare_cached(select).await?;
    let rows = client
        .query(&statement, &[&workspace.0, &objects, &kinds, &values])
        .await?;
    let mut found: HashMap<ObjectKey, BTreeSet<RecordId>> = HashMap::new();
    for row in rows {
        let at = usize::try_from(row.get::<_, i64>(0)).unwrap_or_default();
        if let Some((object, key)) = all.get(at.saturating_sub(1)) {
            let holders = found.entry((Arc::clone(object), key.clone())).or_default();
            holders.insert(RecordId(row.get(1)));
        }
    }
    Ok(found)
}

async fn locked(
    tx: &Transaction<'_>,
    workspace: WorkspaceId,
    ids: &BTreeSet<RecordId>,
) -> Result<Vec<RecordRow>, Trouble> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let select =
        format!("SELECT {RECORD} FROM record r WHERE r.id = ANY ($1) AND r.workspace = $2 ORDER BY r.id FOR UPDATE");
    let statement = tx.prepare_cached(&select).await?;
    tx.query(&statement, &[&ids, &workspace.0])
        .await?
        .iter()
        .map(rows::record)
        .collect()
}

async fn paired(tx: &Transaction<'_>, workspace: WorkspaceId, wanted: &Wanted) -> Result<Vec<RecordId>, Trouble> {
    if wanted.duplicates.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = wanted.duplicates.iter().map(|id| id.0).collect();
    let select = "SELECT one, other FROM duplicate WHERE id = ANY ($1) AND workspace = $2";
    let rows = tx.query(select, &[&ids, &workspace.0]).await?;
    Ok(rows
        .iter()
        .flat_map(|row| [RecordId(row.get(0)), RecordId(row.get(1))])
        .collect())
}

/// What is known of every two of the records that were read.
async fn pairs(tx: &Transaction<'_>, shelf: &mut Shelf) -> Result<(), Trouble> {
    if shelf.records.len() < 2 {
        return Ok(());
    }
    let ids: Vec<i64> = shelf.records.keys().map(|id| id.0).collect();
    let select = format!("SELECT {DUPLICATE} FROM duplicate WHERE other = ANY ($1) AND one = ANY ($1)");
    let statement = tx.prepare_cached(&select).await?;
    let rows = tx.query(&statement, &[&ids]).await?;
    shelf.pairs = rows
        .iter()
        .map(rows::duplicate)
        .map(|pair| ((pair.one, pair.other), pair))
        .collect();
    Ok(())
}

/// The records, or those that they were merged into, by the id that was asked for.
pub(super) async fn live(
    client: &impl GenericClient,
    workspace: WorkspaceId,
    ids: Vec<RecordId>,
) -> Result<HashMap<RecordId, RecordRow>, Trouble> {
    let mut known: BTreeMap<RecordId, RecordRow> = BTreeMap::new();
    let mut open: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let select = format!("SELECT {RECORD} FROM record r WHERE r.id = ANY ($1) AND r.workspace = $2");
    for _ in 0..CHAIN {
        if open.is_empty() {
            break;
        }
        let statement = client.prepare_cached(&select).await?;
        for row in client.query(&statement, &[&open, &workspace.0]).await? {
            let row = rows::record(&row)?;
            known.insert(row.id, row);
        }
        let next = known.values().filter_map(|row| row.merged_into);
        let asked = std::mem::take(&mut open);
        open = next
            .filter(|id| !known.contains_key(id) && !asked.contains(&id.0))
            .map(|id| id.0)
            .collect();
    }
    let shelf = Shelf {
        records: known.into_iter().collect(),
        ..Shelf::default()
    };
    Ok(ids
        .into_iter()
        .filter_map(|id| Some((id, shelf.live(id)?.clone())))
        .collect())
}

/// What people call these records; that of the other one, where one was merged.
pub(super) async fn titles(
    client: &impl GenericClient,
    workspace: WorkspaceId,
    ids: Vec<RecordId>,
) -> Result<HashMap<RecordId, String>, Trouble> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = live(client, workspace, ids).await?;
    Ok(rows.into_iter().map(|(id, row)| (id, row.title)).collect())
}

pub(super) async fn known_by(
    client: &impl GenericClient,
    workspace: WorkspaceId,
    object: &str,
    key: &MatchKey,
) -> Result<Vec<RecordRow>, Trouble> {
    let wanted = BTreeSet::from([(Arc::from(object), key.clone())]);
    let holders = holders(client, workspace, &wanted).await?;
    let ids = holders.into_values().flatten().collect();
    let found: BTreeMap<RecordId, RecordRow> = live(client, workspace, ids)
        .await?
        .into_values()
        .map(|row| (row.id, row))
        .collect();
    Ok(found.into_values().collect())
}

pub(super) async fn matches(
    client: &impl GenericClient,
    workspace: WorkspaceId,
    id: RecordId,
) -> Result<Vec<MatchRow>, Trouble> {
    let select = "SELECT at_ms, source, kind, value, outcome FROM record_match WHERE record = $1 AND workspace = $2
                  ORDER BY id DESC LIMIT $3";
    let rows = client.query(select, &[&id.0, &workspace.0, &SHOWN]).await?;
    Ok(rows.iter().map(rows::found).collect())
}

pub(super) async fn merges(
    client: &impl GenericClient,
    workspace: WorkspaceId,
    ids: &[i64],
) -> Result<Vec<MergeRow>, Trouble> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let select = format!("SELECT {MERGE} FROM record_merge WHERE id = ANY ($1) AND workspace = $2");
    let rows = client.query(&select, &[&ids, &workspace.0]).await?;
    rows.iter().map(rows::merge).collect()
}

pub(super) async fn merges_of(
    client: &impl GenericClient,
    workspace: WorkspaceId,
    id: RecordId,
) -> Result<Vec<MergeRow>, Trouble> {
    let select = format!(
        "SELECT {MERGE} FROM record_merge WHERE workspace = $2 AND (winner = $1 OR loser = $1) ORDER BY id DESC LIMIT $3"
    );
    let rows = client.query(&select, &[&id.0, &workspace.0, &SHOWN]).await?;
    rows.iter().map(rows::merge).collect()
}
