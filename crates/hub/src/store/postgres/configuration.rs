//! Workspaces, keys, connections and routes.

use switchboard_model::{
    connection::ConnectionState,
    id::{ConnectionId, KeyId, RouteId, WorkspaceId},
};
use tokio_postgres::{GenericClient, IsolationLevel, Row};

use super::{PostgresStore, Trouble, definitions, grants::write_access, record, removal};
use crate::store::{
    Answer, ConfigurationChange, ConnectionNote, ConnectionRow, DiscoveredRow, KeyRow, Register, RouteRow, StoreError,
    StoredConfiguration,
};

impl Register for PostgresStore {
    fn workspace(&self, key: &str) -> Answer<'_, WorkspaceId> {
        let key = key.to_owned();
        Box::pin(async move { Ok(self.workspace_of(&key).await?) })
    }

    fn configuration(&self) -> Answer<'_, StoredConfiguration> {
        Box::pin(async move { Ok(self.read_configuration().await?) })
    }

    fn revision(&self) -> Answer<'_, i64> {
        Box::pin(async move {
            let client = self.core.client().await?;
            Ok(revision(&**client).await?)
        })
    }

    fn configure(&self, workspace: WorkspaceId, change: ConfigurationChange) -> Answer<'_, ()> {
        Box::pin(async move { Ok(self.write_configuration(workspace, &change).await?) })
    }

    fn end_orphans(&self, now_ms: i64) -> Answer<'_, usize> {
        Box::pin(async move { Ok(self.end_all_orphans(now_ms).await?) })
    }

    fn note_connection(&self, connection: ConnectionId, note: ConnectionNote) -> Answer<'_, bool> {
        Box::pin(async move { Ok(self.write_note(connection, &note).await?) })
    }

    fn discovered(&self, connection: ConnectionId) -> Answer<'_, Vec<DiscoveredRow>> {
        Box::pin(async move { Ok(self.read_discovered(connection).await?) })
    }

    fn keep_discovered(&self, connection: ConnectionId, row: DiscoveredRow) -> Answer<'_, ()> {
        Box::pin(async move { Ok(self.write_discovered(connection, &row).await?) })
    }

    fn add_key(&self, key: KeyRow) -> Answer<'_, ()> {
        Box::pin(async move { Ok(self.write_key(&key).await?) })
    }

    fn keys(&self) -> Answer<'_, Vec<KeyRow>> {
        Box::pin(async move { Ok(self.read_keys().await?) })
    }
}

impl PostgresStore {
    async fn workspace_of(&self, key: &str) -> Result<WorkspaceId, Trouble> {
        let client = self.core.client().await?;
        let find = client.prepare_cached("SELECT id FROM workspace WHERE key = $1").await?;
        if let Some(row) = client.query_opt(&find, &[&key]).await? {
            return Ok(WorkspaceId(row.get(0)));
        }
        let insert = "INSERT INTO workspace (key) VALUES ($1) ON CONFLICT DO NOTHING";
        client.execute(insert, &[&key]).await?;
        Ok(WorkspaceId(client.query_one(&find, &[&key]).await?.get(0)))
    }

    async fn read_configuration(&self) -> Result<StoredConfiguration, Trouble> {
        let mut client = self.core.client().await?;
        let tx = client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true);
        let tx = tx.start().await?;
        let revision = revision(&*tx).await?;
        let select = "SELECT id, workspace, key, spec, sealed, state, reason, facts FROM connection ORDER BY id";
        let rows = tx.query(select, &[]).await?;
        let connections = rows.iter().map(connection_row).collect::<Result<_, _>>()?;
        let rows = tx
            .query("SELECT id, workspace, spec FROM route ORDER BY id", &[])
            .await?;
        let route = |row: &Row| {
            Ok::<_, Trouble>(RouteRow {
                id: RouteId(row.get(0)),
                workspace: WorkspaceId(row.get(1)),
                spec: record::from_text(row, 2)?,
            })
        };
        let routes = rows.iter().map(route).collect::<Result<_, _>>()?;
        let definitions = definitions::read(&*tx).await?;
        tx.commit().await?;
        Ok(StoredConfiguration {
            revision,
            connections,
            routes,
            definitions,
        })
    }

    async fn write_configuration(&self, workspace: WorkspaceId, change: &ConfigurationChange) -> Result<(), Trouble> {
        let mut client = self.core.client().await?;
        let tx = client.transaction().await?;
        // First, so that changes come one after the other.
        next_revision(&*tx).await?;
        definitions::remove(&*tx, workspace, change).await?;
        for connection in &change.connections {
            tx.execute(
                "INSERT INTO connection (workspace, key, spec, sealed, state, reason, changed_ms, facts)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                 ON CONFLICT (workspace, key) DO UPDATE SET spec = excluded.spec, sealed = excluded.sealed,
                     state = excluded.state, reason = excluded.reason, facts = excluded.facts,
                     changed_ms = excluded.changed_ms",
                &[
                    &workspace.0,
                    &connection.key,
                    &record::to_text(&connection.spec),
                    &connection.sealed,
                    &(connection.state as i16),
                    &connection.reason,
                    &change.now_ms,
                    &connection
                        .kept
                        .as_ref()
                        .map_or_else(|| "{}".to_owned(), record::to_text),
                ],
            )
            .await?;
            if connection.kept.is_none() {
                tx.execute(
                    "DELETE FROM access WHERE connection IN (SELECT id FROM connection WHERE workspace = $1 AND key = $2)",
                    &[&workspace.0, &connection.key],
                )
                .await?;
            }
        }
        for route in &change.routes {
            tx.execute(
                "INSERT INTO route (workspace, key, spec, changed_ms) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (workspace, key) DO UPDATE SET spec = excluded.spec, changed_ms = excluded.changed_ms",
                &[&workspace.0, &route.key, &record::to_text(route), &change.now_ms],
            )
            .await?;
        }
        definitions::write(&*tx, workspace, change).await?;
        Ok(tx.commit().await?)
    }

    async fn end_all_orphans(&self, now_ms: i64) -> Result<usize, Trouble> {
        let mut client = self.core.client().await?;
        let tx = client.transaction().await?;
        let ended = removal::end_orphans(&*tx, now_ms).await?;
        tx.commit().await?;
        Ok(ended)
    }

    async fn write_note(&self, connection: ConnectionId, note: &ConnectionNote) -> Result<bool, Trouble> {
        let mut client = self.core.client().await?;
        let tx = client.transaction().await?;
        if note.state.is_some() {
            next_revision(&*tx).await?;
        }
        let facts = note.facts.as_ref().map(record::to_text);
        let state = note.state.as_ref().map(|(state, _)| *state as i16);
        let reason = note
            .state
            .as_ref()
            .and_then(|(_, reason)| reason.clone().map(record::storable));
        let changed = tx
            .execute(
                "UPDATE connection SET facts = coalesce($2, facts), sealed = coalesce($3, sealed),
                     state = coalesce($4, state), reason = CASE WHEN $4::smallint IS NULL THEN reason ELSE $5 END
                 WHERE id = $1 AND ($6::bytea IS NULL OR sealed = $6)",
                &[&connection.0, &facts, &note.sealed, &state, &reason, &note.about],
            )
            .await?;
        if changed == 0 {
            tx.rollback().await?;
            return Ok(false);
        }
        if let Some(access) = &note.access {
            write_access(&*tx, connection, access).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn read_discovered(&self, connection: ConnectionId) -> Result<Vec<DiscoveredRow>, Trouble> {
        let client = self.core.client().await?;
        let select = "SELECT part, account, found_ms, content FROM discovered WHERE connection = $1 ORDER BY part";
        let rows = client.query(select, &[&connection.0]).await?;
        let read = rows.iter().map(|row| DiscoveredRow {
            part: row.get(0),
            account: row.get(1),
            found_ms: row.get(2),
            content: row.get(3),
        });
        Ok(read.collect())
    }

    async fn write_discovered(&self, connection: ConnectionId, row: &DiscoveredRow) -> Result<(), Trouble> {
        let client = self.core.client().await?;
        let content = record::storable(row.content.clone());
        client
            .execute(
                "INSERT INTO discovered (connection, part, account, found_ms, content) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (connection, part) DO UPDATE SET account = excluded.account, found_ms = excluded.found_ms,
                     content = excluded.content",
                &[&connection.0, &row.part, &row.account, &row.found_ms, &content],
            )
            .await?;
        Ok(())
    }

    async fn write_key(&self, key: &KeyRow) -> Result<(), Trouble> {
        let mut client = self.core.client().await?;
        let tx = client.transaction().await?;
        tx.execute(
            "INSERT INTO api_key (id, workspace, name, hash, created_ms) VALUES ($1, $2, $3, $4, $5)",
            &[&key.id.0, &key.workspace.0, &key.name, &&key.hash[..], &key.created_ms],
        )
        .await?;
        // A hub that runs elsewhere reads its keys anew.
        next_revision(&*tx).await?;
        Ok(tx.commit().await?)
    }

    async fn read_keys(&self) -> Result<Vec<KeyRow>, Trouble> {
        let client = self.core.client().await?;
        let select = "SELECT id, workspace, name, hash, created_ms FROM api_key WHERE revoked_ms IS NULL ORDER BY id";
        client.query(select, &[]).await?.iter().map(key_row).collect()
    }
}

async fn revision(client: &impl GenericClient) -> Result<i64, Trouble> {
    Ok(client.query_one("SELECT number FROM revision", &[]).await?.get(0))
}

async fn next_revision(client: &impl GenericClient) -> Result<(), Trouble> {
    client.execute("UPDATE revision SET number = number + 1", &[]).await?;
    Ok(())
}

fn key_row(row: &Row) -> Result<KeyRow, Trouble> {
    let hash: &[u8] = row.get(3);
    Ok(KeyRow {
        id: KeyId(row.get(0)),
        workspace: WorkspaceId(row.get(1)),
        name: row.get(2),
        hash: hash
            .try_into()
            .map_err(|_| StoreError::Failed("the database holds a key that is no SHA-256".into()))?,
        created_ms: row.get(4),
    })
}

fn connection_row(row: &Row) -> Result<ConnectionRow, Trouble> {
    let state: i16 = row.get(5);
    let state = u8::try_from(state).ok().and_then(ConnectionState::from_number);
    Ok(ConnectionRow {
        id: ConnectionId(row.get(0)),
        workspace: WorkspaceId(row.get(1)),
        key: row.get(2),
        spec: record::from_text(row, 3)?,
        sealed: row.get(4),
        // A state of a later version is treated like one in which nothing is sent.
        state: state.unwrap_or(ConnectionState::Paused),
        reason: row.get(6),
        facts: record::from_text(row, 7)?,
    })
}
