//! The embedded store: one SQLite file for what is at work, one for each day of what is over, one writer with group commit, a few readers.
//!
//! `switchboard.db` holds configuration, what waits, links, counts; it stays small. `history/2026-11-25.db` holds the events of a day
//! that are over, their deliveries, the calls that were made on that day, and the fingerprints of its events ([`history`], [`seen`]).
//!
//! Durability: WAL with `synchronous = FULL`; what was acknowledged is on the disk. All writes to the database go through one thread,
//! which runs everything that waits in one transaction ([`writer`]); all writes to the days go through another ([`historian`]); a third runs the
//! checkpoints ([`checkpoint`]). Reads use their own connections and never wait for a writer. Only the process that sends from the folder
//! accepts, archives and drops; others may configure and look.

mod accept;
mod automations;
pub mod backup;
mod callbacks;
mod checkpoint;
mod classifying;
mod configuration;
mod days;
mod definitions;
mod fill;
mod grants;
mod historian;
mod history;
mod journal;
mod leasing;
mod ledger;
mod migrate;
mod outbox;
mod reader;
mod record;
mod removal;
mod runs;
mod seen;
mod settle;
mod statements;
mod tallies;
pub mod transfer;
mod writer;

use std::{path::Path, sync::Arc, time::Duration};

use parking_lot::Mutex;
use rusqlite::Connection;
use switchboard_model::id::IdSource;

use super::{StoreError, grants::Turns};
use crate::clock::Clock;

/// How long another process may keep the file locked before a write fails.
const BUSY: Duration = Duration::from_secs(10);

/// A transaction writes whole pages, and its rows are small.
const PAGE_BYTES: i64 = 4096;

/// Memory of the writing connection. Rows are written at the ends of their trees and are changed soon after: what a transaction touches is
/// little, however much waits.
const CACHE_KIB: i64 = 6 * 1024;

/// How the store keeps things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreOptions {
    /// For so many days back, a repeat of an event is recognised.
    pub repeat_days: u32,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { repeat_days: 30 }
    }
}

/// The embedded store.
#[derive(Clone)]
pub struct SqliteStore {
    writer: writer::Writer,
    historian: historian::Historian,
    checkpoints: checkpoint::Checkpointer,
    readers: reader::Readers,
    days: Arc<days::Days>,
    ids: Arc<Mutex<IdSource>>,
    clock: Arc<dyn Clock>,
    hearing: writer::Hearing,
    turns: Turns,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens `file` with the default options; see [`Self::open_with`].
    ///
    /// # Errors
    /// When the file cannot be opened, is no database, or comes from a newer version.
    pub fn open(file: &Path, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        Self::open_with(file, clock, StoreOptions::default())
    }

    /// Opens `file`, makes it when it is not there, and brings its schema up to date (after a copy of the old file). The days are in the folder
    /// `history` beside it.
    ///
    /// # Errors
    /// When the file cannot be opened, is no database, or comes from a newer version.
    pub fn open_with(file: &Path, clock: Arc<dyn Clock>, options: StoreOptions) -> Result<Self, StoreError> {
        let mut db = connect(file)?;
        migrate::run(&mut db, file)?;
        let days = Arc::new(days::Days::find(file)?);
        let ids = Arc::new(Mutex::new(IdSource::new(0, last_id(&db, &days)?)));
        let checkpoints = checkpoint::Checkpointer::start()?;
        let log = checkpoints.serve(&mut db, file.to_owned())?;
        let seen = seen::Seen::new(Arc::clone(&days), options.repeat_days);
        let hearing = writer::Hearing::default();
        Ok(Self {
            historian: historian::Historian::start(file.to_owned(), Arc::clone(&days), checkpoints.clone())?,
            writer: writer::Writer::start(db, log, seen, Arc::clone(&hearing))?,
            readers: reader::Readers::new(file.to_owned()),
            checkpoints,
            days,
            ids,
            clock,
            hearing,
            turns: Turns::default(),
        })
    }

    /// Finishes what was handed over and closes the files.
    pub fn close(&self) {
        // The historian hands on to the writer, and both to the checkpoints.
        self.historian.close();
        self.writer.close();
        self.checkpoints.close();
        self.readers.close();
        self.days.close();
    }
}

/// The greatest id that was given: of the database, or of the newest day. Each is the end of a table.
fn last_id(db: &Connection, days: &days::Days) -> Result<i64, StoreError> {
    let hot: i64 = db.query_row(
        "SELECT max(coalesce((SELECT max(id) FROM event), 0), coalesce((SELECT max(id) FROM delivery), 0),
                    coalesce((SELECT max(id) FROM attempt), 0), coalesce((SELECT max(event) FROM recent), 0),
                    coalesce((SELECT max(id) FROM record), 0), coalesce((SELECT max(id) FROM record_match), 0),
                    coalesce((SELECT max(id) FROM record_merge), 0), coalesce((SELECT max(id) FROM duplicate), 0),
                    coalesce((SELECT max(id) FROM callback), 0),
                    coalesce((SELECT max(id) FROM run), 0))",
        [],
        |row| row.get(0),
    )?;
    let Some(newest) = days.all().pop() else {
        return Ok(hot);
    };
    let of_day = days.read(newest, |day| {
        day.query_row(
            "SELECT max(coalesce((SELECT max(id) FROM event), 0), coalesce((SELECT max(id) FROM delivery), 0),
                        coalesce((SELECT max(id) FROM attempt), 0))",
            [],
            |row| row.get(0),
        )
    })?;
    Ok(hot.max(of_day.unwrap_or_default()))
}

fn connect(file: &Path) -> Result<Connection, StoreError> {
    let db = Connection::open(file)?;
    db.busy_timeout(BUSY)?;
    // Both before there is anything in the file. Space of deleted rows can be given back without rewriting it.
    db.pragma_update(None, "page_size", PAGE_BYTES)?;
    db.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", "ON")?;
    db.pragma_update(None, "cache_size", -CACHE_KIB)?;
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
