//! Sources, tables, automations and lists, as parts of the configuration.

use rusqlite::{Connection, params};
use switchboard_model::id::WorkspaceId;

use super::{record, removal};
use crate::store::{ConfigurationChange, DefinitionKind, DefinitionRow, Removal};

/// Every definition whose kind this version knows.
pub(super) fn read(db: &Connection) -> rusqlite::Result<Vec<DefinitionRow>> {
    let mut select =
        db.prepare_cached("SELECT workspace, kind, key, spec, sealed, changed_ms FROM definition ORDER BY id")?;
    let rows = select.query_map([], |row| {
        let Some(kind) = DefinitionKind::find(row.get_ref(1)?.as_str()?) else {
            return Ok(None);
        };
        Ok(Some(DefinitionRow {
            workspace: WorkspaceId(row.get(0)?),
            kind,
            key: row.get(2)?,
            spec: record::from_text(row, 3)?,
            sealed: row.get(4)?,
            changed_ms: row.get(5)?,
        }))
    })?;
    rows.filter_map(Result::transpose).collect()
}

/// Takes away what the change names.
pub(super) fn remove(db: &Connection, workspace: WorkspaceId, change: &ConfigurationChange) -> rusqlite::Result<()> {
    for removal in &change.removed {
        match removal {
            Removal::Definition(kind, key) => db
                .prepare_cached("DELETE FROM definition WHERE workspace = ?1 AND kind = ?2 AND key = ?3")?
                .execute(params![workspace.0, kind.name(), key])?,
            Removal::Route(key) => db
                .prepare_cached("DELETE FROM route WHERE workspace = ?1 AND key = ?2")?
                .execute(params![workspace.0, key])?,
            Removal::Connection(key) => removal::remove_connection(db, workspace, key, change.now_ms)?,
        };
    }
    Ok(())
}

/// Writes what the change brings.
pub(super) fn write(db: &Connection, workspace: WorkspaceId, change: &ConfigurationChange) -> rusqlite::Result<()> {
    for definition in &change.definitions {
        db.prepare_cached(
            "INSERT INTO definition (workspace, kind, key, spec, sealed, changed_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (workspace, kind, key) DO UPDATE SET spec = excluded.spec, sealed = excluded.sealed,
                 changed_ms = excluded.changed_ms",
        )?
        .execute(params![
            workspace.0,
            definition.kind.name(),
            definition.key,
            record::to_text(&definition.spec),
            definition.sealed,
            change.now_ms
        ])?;
    }
    Ok(())
}
