//! Workspaces, keys, connections and routes.

use rusqlite::{Connection, OptionalExtension, params};
use switchboard_model::{
    connection::ConnectionState,
    id::{ConnectionId, KeyId, RouteId, WorkspaceId},
};

use super::{SqliteStore, definitions, grants::write_access, record, removal};
use crate::store::{
    Answer, ConfigurationChange, ConnectionNote, ConnectionRow, DiscoveredRow, KeyRow, Register, RouteRow,
    StoredConfiguration,
};

impl Register for SqliteStore {
    fn workspace(&self, key: &str) -> Answer<'_, WorkspaceId> {
        let key = key.to_owned();
        Box::pin(self.writer.write(move |db| {
            db.execute("INSERT INTO workspace (key) VALUES (?1) ON CONFLICT DO NOTHING", [&key])?;
            db.query_row("SELECT id FROM workspace WHERE key = ?1", [&key], |row| row.get(0))
                .map(WorkspaceId)
        }))
    }

    fn configuration(&self) -> Answer<'_, StoredConfiguration> {
        Box::pin(self.readers.read(|db| {
            let revision = revision(db)?;
            let mut select = db.prepare_cached(
                "SELECT id, workspace, key, spec, sealed, state, reason, facts FROM connection ORDER BY id",
            )?;
            let connections = select.query_map([], connection_row)?.collect::<rusqlite::Result<_>>()?;
            let mut select = db.prepare_cached("SELECT id, workspace, spec FROM route ORDER BY id")?;
            let routes = select
                .query_map([], |row| {
                    Ok(RouteRow {
                        id: RouteId(row.get(0)?),
                        workspace: WorkspaceId(row.get(1)?),
                        spec: record::from_text(row, 2)?,
                    })
                })?
                .collect::<rusqlite::Result<_>>()?;
            Ok(StoredConfiguration {
                revision,
                connections,
                routes,
                definitions: definitions::read(db)?,
            })
        }))
    }

    fn revision(&self) -> Answer<'_, i64> {
        Box::pin(self.readers.read(revision))
    }

    fn configure(&self, workspace: WorkspaceId, change: ConfigurationChange) -> Answer<'_, ()> {
        Box::pin(self.writer.write(move |db| {
            definitions::remove(db, workspace, &change)?;
            for connection in &change.connections {
                db.prepare_cached(
                    "INSERT INTO connection (id, workspace, key, spec, sealed, state, reason, changed_ms, facts)
                     VALUES (1 + max(coalesce((SELECT max(id) FROM connection), 0), coalesce((SELECT max(connection) FROM tally), 0)),
                             ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                     ON CONFLICT (workspace, key) DO UPDATE SET spec = excluded.spec, sealed = excluded.sealed,
                         state = excluded.state, reason = excluded.reason, facts = excluded.facts,
                         changed_ms = excluded.changed_ms",
                )?
                .execute(params![
                    workspace.0,
                    connection.key,
                    record::to_text(&connection.spec),
                    connection.sealed,
                    connection.state as u8,
                    connection.reason,
                    change.now_ms,
                    connection.kept.as_ref().map_or_else(|| "{}".to_owned(), record::to_text)
                ])?;
                if connection.kept.is_none() {
                    db.prepare_cached(
                        "DELETE FROM access WHERE connection IN (SELECT id FROM connection WHERE workspace = ?1 AND key = ?2)",
                    )?
                    .execute(params![workspace.0, connection.key])?;
                }
            }
            for route in &change.routes {
                db.prepare_cached(
                    "INSERT INTO route (workspace, key, spec, changed_ms) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (workspace, key) DO UPDATE SET spec = excluded.spec, changed_ms = excluded.changed_ms",
                )?
                .execute(params![workspace.0, route.key, record::to_text(route), change.now_ms])?;
            }
            definitions::write(db, workspace, &change)?;
            next_revision(db)
        }))
    }

    fn end_orphans(&self, now_ms: i64) -> Answer<'_, usize> {
        Box::pin(self.writer.write(move |db| removal::end_orphans(db, now_ms)))
    }

    fn note_connection(&self, connection: ConnectionId, note: ConnectionNote) -> Answer<'_, bool> {
        Box::pin(self.writer.write(move |db| {
            let facts = note.facts.as_ref().map(record::to_text);
            let state = note.state.as_ref().map(|(state, _)| *state as u8);
            let reason = note.state.as_ref().and_then(|(_, reason)| reason.as_deref());
            let changed = db
                .prepare_cached(
                    "UPDATE connection SET facts = coalesce(?2, facts), sealed = coalesce(?3, sealed),
                         state = coalesce(?4, state), reason = CASE WHEN ?4 IS NULL THEN reason ELSE ?5 END
                     WHERE id = ?1 AND (?6 IS NULL OR sealed = ?6)",
                )?
                .execute(params![connection.0, facts, note.sealed, state, reason, note.about])?;
            if changed == 0 {
                return Ok(false);
            }
            if let Some(access) = &note.access {
                write_access(db, connection, access)?;
            }
            if state.is_some() {
                next_revision(db)?;
            }
            Ok(true)
        }))
    }

    fn discovered(&self, connection: ConnectionId) -> Answer<'_, Vec<DiscoveredRow>> {
        Box::pin(self.readers.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT part, account, found_ms, content FROM discovered WHERE connection = ?1 ORDER BY part",
            )?;
            let rows = select.query_map([connection.0], |row| {
                Ok(DiscoveredRow {
                    part: row.get(0)?,
                    account: row.get(1)?,
                    found_ms: row.get(2)?,
                    content: row.get(3)?,
                })
            })?;
            rows.collect()
        }))
    }

    fn keep_discovered(&self, connection: ConnectionId, row: DiscoveredRow) -> Answer<'_, ()> {
        Box::pin(self.writer.write(move |db| {
            db.prepare_cached(
                "INSERT OR REPLACE INTO discovered (connection, part, account, found_ms, content) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![connection.0, row.part, row.account, row.found_ms, row.content])
            .map(|_| ())
        }))
    }

    fn add_key(&self, key: KeyRow) -> Answer<'_, ()> {
        Box::pin(self.writer.write(move |db| {
            db.execute(
                "INSERT INTO api_key (id, workspace, name, hash, created_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![key.id.0, key.workspace.0, key.name, key.hash, key.created_ms],
            )?;
            // A hub that runs beside this process reads its keys anew.
            next_revision(db)
        }))
    }

    fn keys(&self) -> Answer<'_, Vec<KeyRow>> {
        Box::pin(self.readers.read(|db| {
            let mut select = db
                .prepare_cached("SELECT id, workspace, name, hash, created_ms FROM api_key WHERE revoked_ms IS NULL")?;
            let rows = select.query_map([], |row| {
                Ok(KeyRow {
                    id: KeyId(row.get(0)?),
                    workspace: WorkspaceId(row.get(1)?),
                    name: row.get(2)?,
                    hash: row.get(3)?,
                    created_ms: row.get(4)?,
                })
            })?;
            rows.collect()
        }))
    }
}

fn revision(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("SELECT number FROM revision", [], |row| row.get(0))
        .optional()
        .map(Option::unwrap_or_default)
}

fn next_revision(db: &Connection) -> rusqlite::Result<()> {
    db.execute("UPDATE revision SET number = number + 1", []).map(|_| ())
}

fn connection_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<ConnectionRow> {
    let state: u8 = row.get(5)?;
    Ok(ConnectionRow {
        id: ConnectionId(row.get(0)?),
        workspace: WorkspaceId(row.get(1)?),
        key: row.get(2)?,
        spec: record::from_text(row, 3)?,
        sealed: row.get(4)?,
        // A state of a later version is treated like one in which nothing is sent.
        state: ConnectionState::from_number(state).unwrap_or(ConnectionState::Paused),
        reason: row.get(6)?,
        facts: record::from_text(row, 7)?,
    })
}
