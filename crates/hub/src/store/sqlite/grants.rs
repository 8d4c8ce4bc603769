//! Access tokens and sign-ins.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};
use switchboard_model::id::{ConnectionId, WorkspaceId};

use super::SqliteStore;
use crate::store::{
    Answer,
    grants::{AccessNote, AccessRow, Grants, REMEMBERED_MS, SignInRow, Turn},
};

impl Grants for SqliteStore {
    fn turn(&self, connection: ConnectionId) -> Answer<'_, Box<dyn Turn>> {
        // Only one process sends from a data folder.
        Box::pin(async move { Ok(Box::new(self.turns.take(connection).await) as Box<dyn Turn>) })
    }

    fn access(&self, connection: ConnectionId) -> Answer<'_, Option<AccessRow>> {
        Box::pin(self.readers.read(move |db| {
            db.prepare_cached(
                "SELECT c.sealed, a.sealed FROM connection c LEFT JOIN access a ON a.connection = c.id WHERE c.id = ?1",
            )?
            .query_row([connection.0], |row| {
                Ok(AccessRow {
                    credentials: row.get(0)?,
                    token: row.get(1)?,
                })
            })
            .optional()
        }))
    }

    fn grant_ends(&self, workspace: WorkspaceId) -> Answer<'_, HashMap<ConnectionId, i64>> {
        Box::pin(self.readers.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT a.connection, a.grant_ends_ms FROM access a JOIN connection c ON c.id = a.connection
                 WHERE c.workspace = ?1 AND a.grant_ends_ms IS NOT NULL",
            )?;
            let rows = select.query_map([workspace.0], |row| Ok((ConnectionId(row.get(0)?), row.get(1)?)))?;
            rows.collect()
        }))
    }

    fn expect_back(&self, sign_in: SignInRow, now_ms: i64) -> Answer<'_, ()> {
        Box::pin(self.writer.write(move |db| {
            db.execute("DELETE FROM sign_in WHERE expires_ms < ?1", [now_ms - REMEMBERED_MS])?;
            db.execute(
                "INSERT INTO sign_in (state, workspace, connection, sealed, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    sign_in.state,
                    sign_in.workspace.0,
                    sign_in.connection.0,
                    sign_in.sealed,
                    sign_in.expires_ms
                ],
            )
            .map(|_| ())
        }))
    }

    fn come_back(&self, state: [u8; 32]) -> Answer<'_, Option<SignInRow>> {
        Box::pin(self.writer.write(move |db| {
            db.query_row(
                "DELETE FROM sign_in WHERE state = ?1 RETURNING workspace, connection, sealed, expires_ms",
                [state],
                |row| {
                    Ok(SignInRow {
                        state,
                        workspace: WorkspaceId(row.get(0)?),
                        connection: ConnectionId(row.get(1)?),
                        sealed: row.get(2)?,
                        expires_ms: row.get(3)?,
                    })
                },
            )
            .optional()
        }))
    }
}

/// Writes an access token down, in the transaction of `db`.
pub(super) fn write_access(db: &Connection, connection: ConnectionId, access: &AccessNote) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO access (connection, sealed, grant_ends_ms) VALUES (?1, ?2, ?3)
         ON CONFLICT (connection) DO UPDATE SET sealed = excluded.sealed,
             grant_ends_ms = coalesce(excluded.grant_ends_ms, grant_ends_ms)",
    )?
    .execute(params![connection.0, access.sealed, access.grant_ends_ms])
    .map(|_| ())
}
