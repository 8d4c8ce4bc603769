//! Writes what was decided about records.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use switchboard_model::id::RecordId;

use super::super::{
    Trouble,
    record::{storable, to_text},
};
use crate::{
    record::plan::{Decided, Effects, Follow},
    store::{Commit, DuplicateRow, MergeStory, RecordRow},
};

/// So many matches of a record are kept.
const KEPT: i64 = 100;

/// Everything that was decided; `ids` has one for each match.
pub(super) async fn effects(
    tx: &Transaction<'_>,
    commit: &Commit,
    decided: &mut Decided,
    ids: Vec<i64>,
) -> Result<(), Trouble> {
    let mut effects = std::mem::take(&mut decided.effects);
    for (id, is_new) in &effects.saved {
        if let Some(row) = decided.shelf.records.get(id) {
            record(tx, row, *is_new).await?;
        }
    }
    keys(tx, commit, &effects).await?;
    for follow in std::mem::take(&mut effects.follows) {
        let story = follow
            .merge
            .and_then(|id| effects.merges.iter_mut().find(|merge| merge.id == id));
        links(tx, commit, &follow, story.map(|merge| &mut merge.story)).await?;
    }
    merges(tx, commit, &effects).await?;
    for both in &effects.pairs {
        if let Some(row) = decided.shelf.pairs.get(both) {
            pair(tx, commit, row).await?;
        }
    }
    matches(tx, commit, &effects, ids).await?;
    for id in &effects.removed {
        remove(tx, *id).await?;
    }
    Ok(())
}

async fn record(tx: &Transaction<'_>, row: &RecordRow, is_new: bool) -> Result<(), Trouble> {
    let sql = match is_new {
        true => {
            "INSERT INTO record (id, workspace, object, title, data, revision, source, review, merged_into, created_ms, updated_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        }
        false => {
            "UPDATE record SET title = $4, data = $5, revision = $6, source = $7, review = $8, merged_into = $9, created_ms = $10,
                 updated_ms = $11
             WHERE id = $1 AND workspace = $2 AND object = $3"
        }
    };
    let statement = tx.prepare_cached(sql).await?;
    tx.execute(
        &statement,
        &[
            &row.id.0,
            &row.workspace.0,
            &&*row.object,
            &storable(row.title.clone()),
            &to_text(&row.data),
            &row.revision,
            &storable(row.source.to_string()),
            &i16::from(row.review),
            &row.merged_into.map(|id| id.0),
            &row.created_ms,
            &row.updated_ms,
        ],
    )
    .await?;
    Ok(())
}

async fn keys(tx: &Transaction<'_>, commit: &Commit, effects: &Effects) -> Result<(), Trouble> {
    for change in &effects.keys {
        for key in &change.gone {
            let delete = "DELETE FROM record_key WHERE record = $1 AND kind = $2 AND value = $3";
            let statement = tx.prepare_cached(delete).await?;
            tx.execute(&statement, &[&change.record.0, &key.kind, &key.value])
                .await?;
        }
        for key in &change.new {
            let insert = "INSERT INTO record_key (record, kind, value, workspace, object, shared)
                 SELECT $1, $2, $3, $4, $5, CASE WHEN $6 OR EXISTS (SELECT 1 FROM record_key
                     WHERE workspace = $4 AND object = $5 AND kind = $2 AND value = $3 AND shared = 0 AND record <> $1)
                     THEN 1 ELSE 0 END
                 ON CONFLICT (record, kind, value) DO NOTHING";
            let statement = tx.prepare_cached(insert).await?;
            let weak = key.kind.starts_with('~');
            tx.execute(
                &statement,
                &[
                    &change.record.0,
                    &key.kind,
                    &key.value,
                    &commit.workspace.0,
                    &&*change.object,
                    &weak,
                ],
            )
            .await?;
        }
    }
    Ok(())
}

/// Where a record is known at a vendor under one key, it is known under the other, too, unless there is another one under that.
async fn links(
    tx: &Transaction<'_>,
    commit: &Commit,
    follow: &Follow,
    mut story: Option<&mut MergeStory>,
) -> Result<(), Trouble> {
    let connections: Vec<i64> = commit.link_places.iter().map(|(connection, _)| connection.0).collect();
    let objects: Vec<&str> = commit.link_places.iter().map(|(_, object)| &**object).collect();
    let both = [&follow.from, &follow.to];
    let select = "SELECT l.connection, l.object, l.record_key, l.external_id
         FROM unnest($1::bigint[], $2::text[]) AS p (connection, object)
         JOIN link l ON l.connection = p.connection AND l.object = p.object AND l.record_key = ANY ($3)";
    let statement = tx.prepare_cached(select).await?;
    let mut known: HashMap<(i64, String), [Option<String>; 2]> = HashMap::new();
    for row in tx.query(&statement, &[&connections, &objects, &&both[..]]).await? {
        let ids = known.entry((row.get(0), row.get(1))).or_default();
        let place = usize::from(row.get::<_, &str>(2) != follow.from);
        ids[place] = Some(row.get(3));
    }
    for ((connection, object), ids) in known {
        match ids {
            [Some(one), Some(other)] if one != other => {
                if let Some(story) = &mut story {
                    story.both.push((connection, object, one));
                }
            }
            [Some(one), None] => {
                let insert = "INSERT INTO link (connection, object, record_key, external_id) VALUES ($1, $2, $3, $4)
                              ON CONFLICT (connection, object, record_key) DO NOTHING";
                tx.execute(insert, &[&connection, &object, &follow.to, &one]).await?;
                if let Some(story) = &mut story {
                    story.links.push((connection, object, follow.to.clone()));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

async fn merges(tx: &Transaction<'_>, commit: &Commit, effects: &Effects) -> Result<(), Trouble> {
    for merge in &effects.merges {
        tx.execute(
            "INSERT INTO record_merge (id, workspace, object, winner, loser, at_ms, story) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &[
                &merge.id.0,
                &commit.workspace.0,
                &merge.object,
                &merge.winner.0,
                &merge.loser.0,
                &merge.at_ms,
                &to_text(&merge.story),
            ],
        )
        .await?;
    }
    for id in &effects.undone {
        let undo = "UPDATE record_merge SET undone_ms = $2 WHERE id = $1";
        tx.execute(undo, &[&id.0, &commit.now_ms]).await?;
    }
    for (connection, object, key) in &effects.unlinked {
        let delete = "DELETE FROM link WHERE connection = $1 AND object = $2 AND record_key = $3";
        tx.execute(delete, &[&connection.0, object, key]).await?;
    }
    Ok(())
}

async fn pair(tx: &Transaction<'_>, commit: &Commit, row: &DuplicateRow) -> Result<(), Trouble> {
    tx.execute(
        "INSERT INTO duplicate (id, workspace, object, one, other, kind, value, state, found_ms, decided_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (one, other) DO UPDATE SET state = excluded.state, decided_ms = excluded.decided_ms",
        &[
            &row.id.0,
            &commit.workspace.0,
            &row.object,
            &row.one.0,
            &row.other.0,
            &row.key.kind,
            &storable(row.key.value.clone()),
            &(row.state as i16),
            &row.found_ms,
            &row.decided_ms,
        ],
    )
    .await?;
    Ok(())
}

async fn matches(tx: &Transaction<'_>, commit: &Commit, effects: &Effects, ids: Vec<i64>) -> Result<(), Trouble> {
    for ((record, found), id) in effects.matches.iter().zip(ids) {
        let insert = "INSERT INTO record_match (id, workspace, record, at_ms, source, kind, value, outcome)
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let statement = tx.prepare_cached(insert).await?;
        tx.execute(
            &statement,
            &[
                &id,
                &commit.workspace.0,
                &record.0,
                &found.at_ms,
                &storable(found.source.clone()),
                &found.key.kind,
                &found.key.value,
                &found.outcome,
            ],
        )
        .await?;
        let forget = "DELETE FROM record_match WHERE record = $1 AND id <=
                          (SELECT id FROM record_match WHERE record = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)";
        let statement = tx.prepare_cached(forget).await?;
        tx.execute(&statement, &[&record.0, &KEPT]).await?;
    }
    Ok(())
}

/// Removes a record with everything that was merged into it.
async fn remove(tx: &Transaction<'_>, id: RecordId) -> Result<(), Trouble> {
    let select = "WITH RECURSIVE gone (id) AS (SELECT $1::bigint UNION SELECT r.id FROM record r JOIN gone ON r.merged_into = gone.id)
                  SELECT id FROM gone";
    let gone: Vec<i64> = tx.query(select, &[&id.0]).await?.iter().map(|row| row.get(0)).collect();
    for sql in [
        "DELETE FROM record_key WHERE record = ANY ($1)",
        "DELETE FROM record_match WHERE record = ANY ($1)",
        "DELETE FROM record_merge WHERE winner = ANY ($1) OR loser = ANY ($1)",
        "DELETE FROM duplicate WHERE one = ANY ($1) OR other = ANY ($1)",
        "DELETE FROM record WHERE id = ANY ($1)",
    ] {
        tx.execute(sql, &[&gone]).await?;
    }
    Ok(())
}
