//! Brings the schema forward on start, after a copy of the old file.

use std::path::Path;

use rusqlite::Connection;

use crate::store::StoreError;

/// Every step, in order; the file's `user_version` counts those that were taken.
pub(super) const STEPS: &[&str] = &[
    include_str!("0001_first.sql"),
    include_str!("0002_delivery_engine.sql"),
    include_str!("0003_history.sql"),
    include_str!("0004_discovered.sql"),
    include_str!("0005_oauth.sql"),
    include_str!("0006_definitions.sql"),
    include_str!("0007_records.sql"),
    include_str!("0008_callbacks.sql"),
    include_str!("0009_runs.sql"),
    include_str!("0010_classifier.sql"),
    include_str!("0011_doubts.sql"),
    include_str!("0012_starts.sql"),
    include_str!("0013_filters.sql"),
];

/// Takes the steps that are missing, all in one transaction.
pub(super) fn run(db: &mut Connection, file: &Path) -> Result<(), StoreError> {
    let version = refuse_newer(db, file)?;
    if version == STEPS.len() {
        return Ok(());
    }
    if version > 0 {
        let copy = file.with_extension(format!("before-schema-{}.db", STEPS.len()));
        if !copy.exists() {
            db.execute("VACUUM INTO ?1", [copy.to_string_lossy()])?;
        }
    }
    let tx = db.transaction()?;
    for step in &STEPS[version..] {
        tx.execute_batch(step)?;
    }
    tx.pragma_update(None, "user_version", STEPS.len())?;
    tx.commit()?;
    Ok(())
}

/// Refuses a file of a newer version; answers how many steps were taken in it.
pub(super) fn refuse_newer(db: &Connection, file: &Path) -> Result<usize, StoreError> {
    let version: usize = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version > STEPS.len() {
        return Err(StoreError::newer(file.display(), version, STEPS.len()));
    }
    Ok(version)
}
