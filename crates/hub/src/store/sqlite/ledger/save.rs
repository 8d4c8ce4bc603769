//! Writes what was decided about records.

use rusqlite::{Connection, OptionalExtension, params};
use switchboard_model::id::{RecordId, WorkspaceId};

use super::super::record::to_text;
use crate::{
    record::plan::{Decided, Effects, Follow, KeyChange},
    store::{Commit, DuplicateRow, MergeStory, RecordRow},
};

/// So many matches of a record are kept.
const KEPT: i64 = 100;

/// Everything that was decided.
pub(super) fn effects(
    db: &Connection,
    commit: &Commit,
    decided: &mut Decided,
    next: &mut impl FnMut() -> i64,
) -> rusqlite::Result<()> {
    let mut effects = std::mem::take(&mut decided.effects);
    for (id, is_new) in &effects.saved {
        if let Some(row) = decided.shelf.records.get(id) {
            record(db, row, *is_new)?;
        }
    }
    for change in &effects.keys {
        keys(db, commit.workspace, change)?;
    }
    for follow in std::mem::take(&mut effects.follows) {
        let story = follow
            .merge
            .and_then(|id| effects.merges.iter_mut().find(|merge| merge.id == id));
        links(db, commit, &follow, story.map(|merge| &mut merge.story))?;
    }
    decisions(db, commit, decided, &effects)?;
    matches(db, commit, &effects, next)?;
    for id in &effects.removed {
        remove(db, *id)?;
    }
    Ok(())
}

fn decisions(db: &Connection, commit: &Commit, decided: &Decided, effects: &Effects) -> rusqlite::Result<()> {
    for merge in &effects.merges {
        db.prepare_cached(
            "INSERT INTO record_merge (id, workspace, object, winner, loser, at_ms, story) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            merge.id.0,
            commit.workspace.0,
            merge.object,
            merge.winner.0,
            merge.loser.0,
            merge.at_ms,
            to_text(&merge.story)
        ])?;
    }
    for id in &effects.undone {
        db.prepare_cached("UPDATE record_merge SET undone_ms = ?2 WHERE id = ?1")?
            .execute([id.0, commit.now_ms])?;
    }
    for (connection, object, key) in &effects.unlinked {
        db.prepare_cached("DELETE FROM link WHERE connection = ?1 AND object = ?2 AND record_key = ?3")?
            .execute(params![connection.0, object, key])?;
    }
    for both in &effects.pairs {
        if let Some(row) = decided.shelf.pairs.get(both) {
            pair(db, commit.workspace, row)?;
        }
    }
    Ok(())
}

fn matches(
    db: &Connection,
    commit: &Commit,
    effects: &Effects,
    next: &mut impl FnMut() -> i64,
) -> rusqlite::Result<()> {
    for (record, found) in &effects.matches {
        db.prepare_cached(
            "INSERT INTO record_match (id, workspace, record, at_ms, source, kind, value, outcome)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            next(),
            commit.workspace.0,
            record.0,
            found.at_ms,
            found.source,
            found.key.kind,
            found.key.value,
            found.outcome
        ])?;
        db.prepare_cached(
            "DELETE FROM record_match WHERE record = ?1 AND id <=
                 (SELECT id FROM record_match WHERE record = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute([record.0, KEPT])?;
    }
    Ok(())
}

fn record(db: &Connection, row: &RecordRow, is_new: bool) -> rusqlite::Result<()> {
    let sql = match is_new {
        true => {
            "INSERT INTO record (id, workspace, object, title, data, revision, source, review, merged_into, created_ms, updated_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
        }
        false => {
            "UPDATE record SET title = ?4, data = ?5, revision = ?6, source = ?7, review = ?8, merged_into = ?9, created_ms = ?10,
                 updated_ms = ?11
             WHERE id = ?1 AND workspace = ?2 AND object = ?3"
        }
    };
    db.prepare_cached(sql)?.execute(params![
        row.id.0,
        row.workspace.0,
        &*row.object,
        row.title,
        to_text(&row.data),
        row.revision,
        &*row.source,
        row.review,
        row.merged_into.map(|id| id.0),
        row.created_ms,
        row.updated_ms
    ])?;
    Ok(())
}

fn keys(db: &Connection, workspace: WorkspaceId, change: &KeyChange) -> rusqlite::Result<()> {
    for key in &change.gone {
        db.prepare_cached("DELETE FROM record_key WHERE record = ?1 AND kind = ?2 AND value = ?3")?
            .execute(params![change.record.0, key.kind, key.value])?;
    }
    for key in &change.new {
        db.prepare_cached(
            "INSERT INTO record_key (record, kind, value, workspace, object, shared)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6 OR EXISTS (SELECT 1 FROM record_key
                 WHERE workspace = ?4 AND object = ?5 AND kind = ?2 AND value = ?3 AND shared = 0 AND record <> ?1)
             WHERE true ON CONFLICT (record, kind, value) DO NOTHING",
        )?
        .execute(params![
            change.record.0,
            key.kind,
            key.value,
            workspace.0,
            &*change.object,
            key.kind.starts_with('~')
        ])?;
    }
    Ok(())
}

/// Where a record is known at a vendor under one key, it is known under the other, too, unless there is another one under that.
fn links(
    db: &Connection,
    commit: &Commit,
    follow: &Follow,
    mut story: Option<&mut MergeStory>,
) -> rusqlite::Result<()> {
    let find = |connection: i64, object: &str, key: &str| {
        db.prepare_cached("SELECT external_id FROM link WHERE connection = ?1 AND object = ?2 AND record_key = ?3")?
            .query_row(params![connection, object, key], |row| row.get::<_, String>(0))
            .optional()
    };
    for (connection, object) in commit.link_places.iter() {
        let Some(external_id) = find(connection.0, object, &follow.from)? else {
            continue;
        };
        let place = |last: String| (connection.0, object.to_string(), last);
        match find(connection.0, object, &follow.to)? {
            Some(other) if other != external_id => {
                if let Some(story) = &mut story {
                    story.both.push(place(external_id));
                }
            }
            Some(_) => {}
            None => {
                db.prepare_cached(
                    "INSERT INTO link (connection, object, record_key, external_id) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![connection.0, &**object, follow.to, external_id])?;
                if let Some(story) = &mut story {
                    story.links.push(place(follow.to.clone()));
                }
            }
        }
    }
    Ok(())
}

fn pair(db: &Connection, workspace: WorkspaceId, row: &DuplicateRow) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO duplicate (id, workspace, object, one, other, kind, value, state, found_ms, decided_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (one, other) DO UPDATE SET state = excluded.state, decided_ms = excluded.decided_ms",
    )?
    .execute(params![
        row.id.0,
        workspace.0,
        row.object,
        row.one.0,
        row.other.0,
        row.key.kind,
        row.key.value,
        row.state as i64,
        row.found_ms,
        row.decided_ms
    ])?;
    Ok(())
}

/// Removes a record with everything that was merged into it.
fn remove(db: &Connection, id: RecordId) -> rusqlite::Result<()> {
    let mut select = db.prepare_cached(
        "WITH RECURSIVE gone (id) AS (SELECT ?1 UNION SELECT r.id FROM record r JOIN gone ON r.merged_into = gone.id)
         SELECT id FROM gone",
    )?;
    let gone = select.query_map([id.0], |row| row.get::<_, i64>(0))?;
    for id in gone.collect::<rusqlite::Result<Vec<_>>>()? {
        for sql in [
            "DELETE FROM record_key WHERE record = ?1",
            "DELETE FROM record_match WHERE record = ?1",
            "DELETE FROM record_merge WHERE winner = ?1 OR loser = ?1",
            "DELETE FROM duplicate WHERE one = ?1 OR other = ?1",
            "DELETE FROM record WHERE id = ?1",
        ] {
            db.prepare_cached(sql)?.execute([id])?;
        }
    }
    Ok(())
}
