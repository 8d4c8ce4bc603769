//! Access tokens and sign-ins.
//!
//! The turn to ask for tokens is an advisory lock of a connection that this node keeps for that alone: it costs no transaction and no
//! connection of the pool while a vendor thinks, and it ends with the process. Should that connection break while a vendor is being asked,
//! another node may ask as well; what comes later finds that the credentials have changed and writes nothing down.

use std::{collections::HashMap, sync::Arc, time::Duration};

use switchboard_model::id::{ConnectionId, WorkspaceId};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::{Instant, sleep},
};
use tokio_postgres::{Client, GenericClient};

use super::{Core, PostgresStore, Trouble};
use crate::store::{
    Answer, StoreError,
    grants::{AccessNote, AccessRow, Grants, REMEMBERED_MS, SignInRow, Turn, Turns},
};

/// The first key of the advisory locks of turns.
const TURNS: i32 = 0x5377_746f;
/// How often a turn that another node has is asked for.
const ASK: Duration = Duration::from_millis(100);
/// Longer than any vendor is waited for.
const PATIENCE: Duration = Duration::from_secs(100);

/// The turns of this node, and the connection that holds them.
#[derive(Debug, Default)]
pub(super) struct TurnKeeper {
    local: Turns,
    session: Mutex<Option<Arc<Client>>>,
}

impl TurnKeeper {
    /// The connection that holds the turns; made anew when it is gone.
    async fn session(&self, core: &Core) -> Result<Arc<Client>, Trouble> {
        let mut session = self.session.lock().await;
        if let Some(client) = session.as_ref().filter(|client| !client.is_closed()) {
            return Ok(Arc::clone(client));
        }
        let (client, connection) = core.address.config.connect(core.address.tls.clone()).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(%error, "the connection to the database that holds the turns is interrupted");
            }
        });
        Ok(Arc::clone(session.insert(Arc::new(client))))
    }

    /// Ends the connection, and with it every turn.
    pub async fn close(&self) {
        self.session.lock().await.take();
    }
}

/// A turn. Connections of one node are told apart by `local`, nodes by the lock.
struct NodeTurn {
    held: Option<(Arc<Client>, i32, OwnedMutexGuard<()>)>,
}

impl Turn for NodeTurn {}

impl Drop for NodeTurn {
    fn drop(&mut self) {
        let Some((client, key, local)) = self.held.take() else {
            return;
        };
        // Without a runtime the process is ending, and the lock ends with its connection.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            let unlock = "SELECT pg_advisory_unlock($1, $2)";
            if let Err(error) = client.execute(unlock, &[&TURNS, &key]).await {
                tracing::debug!(%error, "a turn ended with its connection");
            }
            drop(local);
        });
    }
}

impl PostgresStore {
    async fn take_turn(&self, connection: ConnectionId) -> Result<NodeTurn, Trouble> {
        let keeper = &self.core.turns;
        let local = keeper.local.take(connection).await;
        let client = keeper.session(&self.core).await?;
        // Two connections whose numbers are so far apart that they share a lock wait for each other, that is all.
        let key = connection.0 as i32;
        let end = Instant::now() + PATIENCE;
        loop {
            let row = client
                .query_one("SELECT pg_try_advisory_lock($1, $2)", &[&TURNS, &key])
                .await?;
            if row.get(0) {
                let held = Some((client, key, local));
                return Ok(NodeTurn { held });
            }
            if Instant::now() >= end {
                let why = "another node has been asking for this connection's token for too long";
                return Err(Trouble::Other(StoreError::Failed(why.into())));
            }
            sleep(ASK).await;
        }
    }

    async fn read_access(&self, connection: ConnectionId) -> Result<Option<AccessRow>, Trouble> {
        let client = self.core.client().await?;
        let select = client
            .prepare_cached(
                "SELECT c.sealed, a.sealed FROM connection c LEFT JOIN access a ON a.connection = c.id WHERE c.id = $1",
            )
            .await?;
        let row = client.query_opt(&select, &[&connection.0]).await?;
        Ok(row.map(|row| AccessRow {
            credentials: row.get(0),
            token: row.get(1),
        }))
    }

    async fn read_grant_ends(&self, workspace: WorkspaceId) -> Result<HashMap<ConnectionId, i64>, Trouble> {
        let client = self.core.client().await?;
        let select = "SELECT a.connection, a.grant_ends_ms FROM access a JOIN connection c ON c.id = a.connection
                      WHERE c.workspace = $1 AND a.grant_ends_ms IS NOT NULL";
        let rows = client.query(select, &[&workspace.0]).await?;
        Ok(rows.iter().map(|row| (ConnectionId(row.get(0)), row.get(1))).collect())
    }

    async fn write_sign_in(&self, sign_in: &SignInRow, now_ms: i64) -> Result<(), Trouble> {
        let client = self.core.client().await?;
        let sweep = "DELETE FROM sign_in WHERE expires_ms < $1";
        client.execute(sweep, &[&(now_ms - REMEMBERED_MS)]).await?;
        client
            .execute(
                "INSERT INTO sign_in (state, workspace, connection, sealed, expires_ms) VALUES ($1, $2, $3, $4, $5)",
                &[
                    &&sign_in.state[..],
                    &sign_in.workspace.0,
                    &sign_in.connection.0,
                    &sign_in.sealed,
                    &sign_in.expires_ms,
                ],
            )
            .await?;
        Ok(())
    }

    async fn take_sign_in(&self, state: [u8; 32]) -> Result<Option<SignInRow>, Trouble> {
        let client = self.core.client().await?;
        let take = "DELETE FROM sign_in WHERE state = $1 RETURNING workspace, connection, sealed, expires_ms";
        let row = client.query_opt(take, &[&&state[..]]).await?;
        Ok(row.map(|row| SignInRow {
            state,
            workspace: WorkspaceId(row.get(0)),
            connection: ConnectionId(row.get(1)),
            sealed: row.get(2),
            expires_ms: row.get(3),
        }))
    }
}

impl Grants for PostgresStore {
    fn turn(&self, connection: ConnectionId) -> Answer<'_, Box<dyn Turn>> {
        Box::pin(async move { Ok(Box::new(self.take_turn(connection).await?) as Box<dyn Turn>) })
    }

    fn access(&self, connection: ConnectionId) -> Answer<'_, Option<AccessRow>> {
        Box::pin(async move { Ok(self.read_access(connection).await?) })
    }

    fn grant_ends(&self, workspace: WorkspaceId) -> Answer<'_, HashMap<ConnectionId, i64>> {
        Box::pin(async move { Ok(self.read_grant_ends(workspace).await?) })
    }

    fn expect_back(&self, sign_in: SignInRow, now_ms: i64) -> Answer<'_, ()> {
        Box::pin(async move { Ok(self.write_sign_in(&sign_in, now_ms).await?) })
    }

    fn come_back(&self, state: [u8; 32]) -> Answer<'_, Option<SignInRow>> {
        Box::pin(async move { Ok(self.take_sign_in(state).await?) })
    }
}

/// Writes an access token down, in the transaction of `client`.
pub(super) async fn write_access(
    client: &impl GenericClient,
    connection: ConnectionId,
    access: &AccessNote,
) -> Result<(), Trouble> {
    client
        .execute(
            "INSERT INTO access (connection, sealed, grant_ends_ms) VALUES ($1, $2, $3)
             ON CONFLICT (connection) DO UPDATE SET sealed = excluded.sealed,
                 grant_ends_ms = coalesce(excluded.grant_ends_ms, access.grant_ends_ms)",
            &[&connection.0, &access.sealed, &access.grant_ends_ms],
        )
        .await?;
    Ok(())
}
