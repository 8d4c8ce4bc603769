//! Reads records and what is known of them.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use rusqlite::{Connection, OptionalExtension, params};
use switchboard_model::{
    id::{DuplicateId, MergeId, RecordId, WorkspaceId},
    record::MatchKey,
};

use super::rows::{self, DUPLICATE, MERGE, RECORD};
use crate::{
    record::shelf::{Shelf, Wanted},
    store::{MatchRow, MergeRow, RecordRow},
};

/// So many matches are shown.
const SHOWN: i64 = 100;
/// Longer chains of merges than this do not come about.
const CHAIN: usize = 64;

/// Everything that a commit needs.
pub(super) fn shelf(db: &Connection, workspace: WorkspaceId, wanted: &Wanted) -> rusqlite::Result<Shelf> {
    let mut shelf = Shelf::default();
    let mut ids: BTreeSet<RecordId> = wanted.records.clone();
    for id in &wanted.merges {
        if let Some(merge) = merge(db, workspace, *id)? {
            ids.extend([merge.winner, merge.loser]);
            shelf.merges.insert(*id, merge);
        }
    }
    for id in &wanted.duplicates {
        ids.extend(pair(db, workspace, *id)?);
    }
    for (object, key) in &wanted.keys {
        let holders = holders(db, workspace, object, key)?;
        ids.extend(&holders);
        shelf.keys.insert((Arc::clone(object), key.clone()), holders);
    }
    let mut read = BTreeSet::new();
    while !ids.is_empty() {
        for id in &ids {
            if let Some(row) = one(db, workspace, *id)? {
                shelf.records.insert(*id, row);
            }
        }
        read.extend(ids);
        ids = shelf.open_ends();
        ids.retain(|id| !read.contains(id));
    }
    pairs(db, &mut shelf)?;
    Ok(shelf)
}

fn one(db: &Connection, workspace: WorkspaceId, id: RecordId) -> rusqlite::Result<Option<RecordRow>> {
    db.prepare_cached(&format!(
        "SELECT {RECORD} FROM record r WHERE r.id = ?1 AND r.workspace = ?2"
    ))?
    .query_row([id.0, workspace.0], rows::record)
    .optional()
}

/// The record, or the one that it was merged into.
pub(super) fn live(db: &Connection, workspace: WorkspaceId, id: RecordId) -> rusqlite::Result<Option<RecordRow>> {
    let mut row = one(db, workspace, id)?;
    for _ in 0..CHAIN {
        match row.as_ref().and_then(|row| row.merged_into) {
            Some(next) => row = one(db, workspace, next)?,
            None => break,
        }
    }
    Ok(row)
}

fn holders(
    db: &Connection,
    workspace: WorkspaceId,
    object: &str,
    key: &MatchKey,
) -> rusqlite::Result<BTreeSet<RecordId>> {
    let mut select = db.prepare_cached(
        "SELECT record FROM record_key WHERE workspace = ?1 AND object = ?2 AND kind = ?3 AND value = ?4
         ORDER BY record LIMIT 50",
    )?;
    let rows = select.query_map(params![workspace.0, object, key.kind, key.value], |row| {
        row.get(0).map(RecordId)
    })?;
    rows.collect()
}

fn pair(db: &Connection, workspace: WorkspaceId, id: DuplicateId) -> rusqlite::Result<Vec<RecordId>> {
    let found = db
        .prepare_cached("SELECT one, other FROM duplicate WHERE id = ?1 AND workspace = ?2")?
        .query_row([id.0, workspace.0], |row| {
            Ok([RecordId(row.get(0)?), RecordId(row.get(1)?)])
        })
        .optional()?;
    Ok(found.map(Vec::from).unwrap_or_default())
}

/// What is known of every two of the records that were read.
fn pairs(db: &Connection, shelf: &mut Shelf) -> rusqlite::Result<()> {
    let mut select = db.prepare_cached(&format!("SELECT {DUPLICATE} FROM duplicate WHERE other = ?1"))?;
    let mut found = HashMap::new();
    for id in shelf.records.keys() {
        for pair in select.query_map([id.0], rows::duplicate)? {
            let pair = pair?;
            if shelf.records.contains_key(&pair.one) {
                found.insert((pair.one, pair.other), pair);
            }
        }
    }
    shelf.pairs = found;
    Ok(())
}

/// What people call these records; that of the other one, where one was merged.
pub(super) fn titles(
    db: &Connection,
    workspace: WorkspaceId,
    ids: impl IntoIterator<Item = RecordId>,
) -> rusqlite::Result<HashMap<RecordId, String>> {
    let mut titles = HashMap::new();
    for id in ids {
        if let Some(row) = live(db, workspace, id)? {
            titles.insert(id, row.title);
        }
    }
    Ok(titles)
}

pub(super) fn known_by(
    db: &Connection,
    workspace: WorkspaceId,
    object: &str,
    key: &MatchKey,
) -> rusqlite::Result<Vec<RecordRow>> {
    let mut found: Vec<RecordRow> = Vec::new();
    for id in holders(db, workspace, object, key)? {
        if let Some(row) = live(db, workspace, id)?
            && found.iter().all(|known| known.id != row.id)
        {
            found.push(row);
        }
    }
    found.sort_by_key(|row| row.id);
    Ok(found)
}

pub(super) fn matches(db: &Connection, workspace: WorkspaceId, id: RecordId) -> rusqlite::Result<Vec<MatchRow>> {
    let mut select = db.prepare_cached(
        "SELECT at_ms, source, kind, value, outcome FROM record_match WHERE record = ?1 AND workspace = ?2
         ORDER BY id DESC LIMIT ?3",
    )?;
    let rows = select.query_map([id.0, workspace.0, SHOWN], rows::found)?;
    rows.collect()
}

pub(super) fn merge(db: &Connection, workspace: WorkspaceId, id: MergeId) -> rusqlite::Result<Option<MergeRow>> {
    db.prepare_cached(&format!(
        "SELECT {MERGE} FROM record_merge WHERE id = ?1 AND workspace = ?2"
    ))?
    .query_row([id.0, workspace.0], rows::merge)
    .optional()
}

pub(super) fn merges_of(db: &Connection, workspace: WorkspaceId, id: RecordId) -> rusqlite::Result<Vec<MergeRow>> {
    let mut select = db.prepare_cached(&format!(
        "SELECT {MERGE} FROM record_merge WHERE workspace = ?2 AND (winner = ?1 OR loser = ?1) ORDER BY id DESC LIMIT ?3"
    ))?;
    let rows = select.query_map([id.0, workspace.0, SHOWN], rows::merge)?;
    rows.collect()
}
