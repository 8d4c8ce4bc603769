//! A connection goes, and with it everything that is about it alone. Its deliveries stay in the history.

use switchboard_model::id::WorkspaceId;
use tokio_postgres::GenericClient;

use super::{Trouble, record};
use crate::store::ending::Ending;

/// What hangs on a connection by its number. Its counts stay, for a move to a database that makes numbers of its own.
const ABOUT_IT: [&str; 5] = ["access", "discovered", "link", "link_doubt", "lease"];

/// Takes a connection away; answers how many rows of connections went: one, or none when there is no such connection.
pub(super) async fn remove_connection(
    client: &impl GenericClient,
    workspace: WorkspaceId,
    key: &str,
    now_ms: i64,
) -> Result<u64, Trouble> {
    let select = "SELECT id FROM connection WHERE workspace = $1 AND key = $2 FOR UPDATE";
    let Some(row) = client.query_opt(select, &[&workspace.0, &key]).await? else {
        return Ok(0);
    };
    let id: i64 = row.get(0);
    end(client, id, key, now_ms).await?;
    for table in ABOUT_IT {
        client
            .execute(&format!("DELETE FROM {table} WHERE connection = $1"), &[&id])
            .await?;
    }
    Ok(client.execute("DELETE FROM connection WHERE id = $1", &[&id]).await?)
}

/// Ends the deliveries of connections that are no more: those that were accepted by a configuration that still had them.
pub(super) async fn end_orphans(client: &impl GenericClient, now_ms: i64) -> Result<usize, Trouble> {
    // From one connection of the outbox to the next, so that the deliveries between them are not read.
    let orphans = client
        .query(
            "WITH RECURSIVE waiting (connection) AS (
                 SELECT min(connection) FROM delivery WHERE stage < 10
                 UNION ALL
                 SELECT (SELECT min(connection) FROM delivery WHERE stage < 10 AND connection > waiting.connection)
                 FROM waiting WHERE waiting.connection IS NOT NULL)
             SELECT connection FROM waiting w
             WHERE connection IS NOT NULL AND NOT EXISTS (SELECT 1 FROM connection c WHERE c.id = w.connection)",
            &[],
        )
        .await?;
    for row in &orphans {
        let id: i64 = row.get(0);
        end(client, id, &format!("#{id}"), now_ms).await?;
    }
    Ok(orphans.len())
}

async fn end(client: &impl GenericClient, id: i64, key: &str, now_ms: i64) -> Result<(), Trouble> {
    for ending in Ending::of_removal(key) {
        let from: Vec<i16> = ending.from.iter().map(|state| *state as i16).collect();
        client
            .execute(
                "UPDATE delivery SET state = $2, stage = $6, problem = $3, settled_ms = $4, due_ms = $4
                 WHERE id IN (SELECT id FROM delivery WHERE connection = $1 AND stage < 10 AND state = ANY ($5)
                              ORDER BY id FOR UPDATE)",
                &[
                    &id,
                    &(ending.to as i16),
                    &record::to_text(&ending.problem),
                    &now_ms,
                    &from,
                    &record::stage(ending.to),
                ],
            )
            .await?;
    }
    Ok(())
}
