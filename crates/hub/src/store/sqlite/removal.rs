//! A connection goes, and with it everything that is about it alone. Its deliveries stay in the history.

use rusqlite::{Connection, OptionalExtension, params};
use switchboard_model::id::WorkspaceId;

use super::record;
use crate::store::ending::Ending;

/// What hangs on a connection by its number. Its counts stay: a number that they have is given to no other connection, so that nobody
/// inherits its history.
const ABOUT_IT: [&str; 4] = ["access", "discovered", "link", "link_doubt"];

/// Takes a connection away; answers how many rows of connections went: one, or none when there is no such connection.
pub(super) fn remove_connection(
    db: &Connection,
    workspace: WorkspaceId,
    key: &str,
    now_ms: i64,
) -> rusqlite::Result<usize> {
    let found: Option<i64> = db
        .prepare_cached("SELECT id FROM connection WHERE workspace = ?1 AND key = ?2")?
        .query_row(params![workspace.0, key], |row| row.get(0))
        .optional()?;
    let Some(id) = found else { return Ok(0) };
    end(db, id, key, now_ms)?;
    for table in ABOUT_IT {
        db.prepare_cached(&format!("DELETE FROM {table} WHERE connection = ?1"))?
            .execute([id])?;
    }
    db.prepare_cached("DELETE FROM connection WHERE id = ?1")?.execute([id])
}

/// Ends the deliveries of connections that are no more: those that were accepted by a configuration that still had them.
pub(super) fn end_orphans(db: &Connection, now_ms: i64) -> rusqlite::Result<usize> {
    // From one connection of the outbox to the next, so that the deliveries between them are not read.
    let mut select = db.prepare_cached(
        "WITH RECURSIVE waiting (connection) AS (
             SELECT min(connection) FROM delivery WHERE state < 10
             UNION ALL
             SELECT (SELECT min(connection) FROM delivery WHERE state < 10 AND connection > waiting.connection)
             FROM waiting WHERE waiting.connection IS NOT NULL)
         SELECT connection FROM waiting WHERE connection IS NOT NULL AND connection NOT IN (SELECT id FROM connection)",
    )?;
    let orphans: Vec<i64> = select
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for id in &orphans {
        end(db, *id, &format!("#{id}"), now_ms)?;
    }
    Ok(orphans.len())
}

fn end(db: &Connection, id: i64, key: &str, now_ms: i64) -> rusqlite::Result<()> {
    for ending in Ending::of_removal(key) {
        for from in ending.from {
            db.prepare_cached(
                "UPDATE delivery SET state = ?2, problem = ?3, settled_ms = ?4, due_ms = ?4 WHERE connection = ?1 AND state < 10 AND state = ?5",
            )?
            .execute(params![
                id,
                ending.to as u8,
                record::to_text(&ending.problem),
                now_ms,
                *from as u8
            ])?;
        }
    }
    db.prepare_cached("UPDATE tally SET pending = 0 WHERE connection = ?1")?
        .execute([id])?;
    Ok(())
}
