//! The embedded store: one SQLite file, one writer with group commit, a few readers.
//!
//! Durability: WAL with `synchronous = FULL`; what was acknowledged is on the disk. All writes go through one thread, which runs everything
//! that waits in one transaction ([`writer`]); reads use their own connections and never wait for the writer.

mod configuration;
mod history;
mod journal;
mod leasing;
mod migrate;
mod outbox;
mod reader;
mod record;
pub mod transfer;
mod writer;

use std::{path::Path, sync::Arc, time::Duration};

use parking_lot::Mutex;
use rusqlite::Connection;
use switchboard_model::id::IdSource;

use super::{Listener, StoreError};
use crate::clock::Clock;

/// How long another process may keep the file locked before a write fails.
const BUSY: Duration = Duration::from_secs(10);

/// The embedded store.
#[derive(Clone)]
pub struct SqliteStore {
    writer: writer::Writer,
    readers: reader::Readers,
    ids: Arc<Mutex<IdSource>>,
    clock: Arc<dyn Clock>,
    listener: Arc<Mutex<Option<Arc<dyn Listener>>>>,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens `file`, makes it when it is not there, and brings its schema up to date (after a copy of the old file).
    ///
    /// # Errors
    /// When the file cannot be opened, is no database, or comes from a newer version.
    pub fn open(file: &Path, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let mut db = connect(file)?;
        migrate::run(&mut db, file)?;
        let last: i64 = db.query_row(
            "SELECT max(coalesce((SELECT max(id) FROM event), 0), coalesce((SELECT max(id) FROM delivery), 0),
                        coalesce((SELECT max(id) FROM attempt), 0))",
            [],
            |row| row.get(0),
        )?;
        Ok(Self {
            writer: writer::Writer::start(db)?,
            readers: reader::Readers::new(file.to_owned()),
            ids: Arc::new(Mutex::new(IdSource::new(0, last))),
            clock,
            listener: Arc::default(),
        })
    }

    /// Finishes what was handed over and closes the file.
    pub fn close(&self) {
        self.writer.close();
    }
}

fn connect(file: &Path) -> Result<Connection, StoreError> {
    let db = Connection::open(file)?;
    db.busy_timeout(BUSY)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", "ON")?;
    db.pragma_update(None, "wal_autocheckpoint", 4000)?;
    db.pragma_update(None, "journal_size_limit", 64 << 20)?;
    db.set_prepared_statement_cache_capacity(64);
    Ok(db)
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(format!("the database answered: {error}"))
    }
}

#[cfg(test)]
mod tests;
