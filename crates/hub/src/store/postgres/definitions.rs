//! Sources, tables, automations and lists, as parts of the configuration.

use switchboard_model::id::WorkspaceId;
use tokio_postgres::GenericClient;

use super::{Trouble, record, removal};
use crate::store::{ConfigurationChange, DefinitionKind, DefinitionRow, Removal};

/// Every definition whose kind this version knows.
pub(super) async fn read(client: &impl GenericClient) -> Result<Vec<DefinitionRow>, Trouble> {
    let select = "SELECT workspace, kind, key, spec, sealed, changed_ms FROM definition ORDER BY id";
    let rows = client.query(select, &[]).await?;
    let known = rows
        .iter()
        .filter_map(|row| Some((DefinitionKind::find(row.get(1))?, row)));
    known
        .map(|(kind, row)| {
            Ok(DefinitionRow {
                workspace: WorkspaceId(row.get(0)),
                kind,
                key: row.get(2),
                spec: record::from_text(row, 3)?,
                sealed: row.get(4),
                changed_ms: row.get(5),
            })
        })
        .collect()
}

/// Takes away what the change names.
pub(super) async fn remove(
    client: &impl GenericClient,
    workspace: WorkspaceId,
    change: &ConfigurationChange,
) -> Result<(), Trouble> {
    for removal in &change.removed {
        match removal {
            Removal::Definition(kind, key) => {
                let delete = "DELETE FROM definition WHERE workspace = $1 AND kind = $2 AND key = $3";
                client.execute(delete, &[&workspace.0, &kind.name(), key]).await?
            }
            Removal::Route(key) => {
                let delete = "DELETE FROM route WHERE workspace = $1 AND key = $2";
                client.execute(delete, &[&workspace.0, key]).await?
            }
            Removal::Connection(key) => removal::remove_connection(client, workspace, key, change.now_ms).await?,
        };
    }
    Ok(())
}

/// Writes what the change brings.
pub(super) async fn write(
    client: &impl GenericClient,
    workspace: WorkspaceId,
    change: &ConfigurationChange,
) -> Result<(), Trouble> {
    for definition in &change.definitions {
        client
            .execute(
                "INSERT INTO definition (workspace, kind, key, spec, sealed, changed_ms) VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (workspace, kind, key) DO UPDATE SET spec = excluded.spec, sealed = excluded.sealed,
                     changed_ms = excluded.changed_ms",
                &[
                    &workspace.0,
                    &definition.kind.name(),
                    &definition.key,
                    &record::to_text(&definition.spec),
                    &definition.sealed,
                    &change.now_ms,
                ],
            )
            .await?;
    }
    Ok(())
}
