//! The files of the history, one a day, and the connections that read them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use jiff::civil::Date;
use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};
use switchboard_model::id::{floor_of, time_of};

use super::BUSY;
use crate::store::StoreError;

/// The folder of the day files, beside the database.
pub(super) const FOLDER: &str = "history";
const SUFFIX: &str = ".db";
const DAY_MS: i64 = 86_400_000;
/// So many reading connections are kept for each day.
const KEPT: usize = 2;
/// Memory of a reading connection, in KiB; there may be one for each day.
const READER_CACHE_KIB: i64 = 256;
/// Larger than in the database: the rows are large and are written once, in order.
const PAGE_BYTES: i64 = 8192;

/// A day in UTC, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Day(i64);

impl Day {
    /// The day on which an id was made.
    pub(super) fn of(id: i64) -> Self {
        Self(time_of(id).div_euclid(DAY_MS))
    }

    /// The day of a moment, Unix milliseconds.
    pub(super) fn at(ms: i64) -> Self {
        Self(ms.div_euclid(DAY_MS))
    }

    /// The smallest id of the day.
    pub(super) fn floor(self) -> i64 {
        floor_of(self.0 * DAY_MS)
    }

    /// The smallest id of the next day.
    pub(super) fn end(self) -> i64 {
        floor_of((self.0 + 1) * DAY_MS)
    }

    /// A moment of the day (Unix milliseconds); 0 is its beginning, 1 its end.
    pub(super) fn moment(self, share: f64) -> i64 {
        self.0 * DAY_MS + (share * DAY_MS as f64) as i64
    }

    /// So many days earlier.
    pub(super) fn before(self, days: u32) -> Self {
        Self(self.0 - i64::from(days))
    }

    pub(super) fn date(self) -> Option<Date> {
        let moment = jiff::Timestamp::from_second(self.0 * DAY_MS / 1_000).ok()?;
        Some(moment.to_zoned_datetime(jiff::tz::TimeZone::UTC).date())
    }

    pub(super) fn of_date(date: Date) -> Option<Self> {
        let moment = date.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok()?;
        Some(Self::at(moment.timestamp().as_millisecond()))
    }
}

/// Which days there are. Clones of an `Arc` of it share what is open.
pub(super) struct Days {
    folder: PathBuf,
    kept: Mutex<BTreeMap<Day, Vec<Connection>>>,
}

impl Days {
    /// Those in the folder beside the database `file`. The folder is made when the first day is.
    pub(super) fn find(file: &Path) -> Result<Self, StoreError> {
        let folder = file.with_file_name(FOLDER);
        let mut kept = BTreeMap::new();
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => Some(entries),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(&folder, &error)),
        };
        for entry in entries.into_iter().flatten() {
            let entry = entry.map_err(|error| failed(&folder, &error))?;
            kept.extend(day_named(&entry.path()).map(|day| (day, Vec::new())));
        }
        Ok(Self {
            folder,
            kept: Mutex::new(kept),
        })
    }

    /// The file of a day, whether it is there or not.
    pub(super) fn path(&self, day: Day) -> PathBuf {
        let name = day.date().map(|date| date.to_string()).unwrap_or_default();
        self.folder.join(name + SUFFIX)
    }

    /// Oldest first.
    pub(super) fn all(&self) -> Vec<Day> {
        self.kept.lock().keys().copied().collect()
    }

    pub(super) fn contains(&self, day: Day) -> bool {
        self.kept.lock().contains_key(&day)
    }

    /// Opens a day for writing, making its file if need be.
    pub(super) fn write(&self, day: Day) -> Result<Connection, StoreError> {
        self.make_folder().map_err(|error| failed(&self.folder, &error))?;
        let path = self.path(day);
        if !path.exists() {
            make(&path)?;
        }
        let db = Connection::open(&path)?;
        db.busy_timeout(BUSY)?;
        db.pragma_update(None, "synchronous", "NORMAL")?;
        db.pragma_update(None, "cache_size", -4096)?;
        db.set_prepared_statement_cache_capacity(32);
        self.kept.lock().entry(day).or_default();
        Ok(db)
    }

    /// SQLite makes sure that the files of a folder are found after a power cut, but not the folder itself.
    fn make_folder(&self) -> std::io::Result<()> {
        if self.folder.is_dir() {
            return Ok(());
        }
        std::fs::create_dir_all(&self.folder)?;
        #[cfg(unix)]
        if let Some(parent) = self.folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            std::fs::File::open(parent)?.sync_all()?;
        }
        Ok(())
    }

    /// Reads a day; `None` when there is no such day.
    pub(super) fn read<T>(
        &self,
        day: Day,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        let idle = match self.kept.lock().get_mut(&day) {
            None => return Ok(None),
            Some(idle) => idle.pop(),
        };
        let db = match idle {
            Some(db) => db,
            None => match open_reader(&self.path(day)) {
                Ok(db) => db,
                // It was dropped by another process, or this moment.
                Err(_) if !self.path(day).exists() => {
                    self.kept.lock().remove(&day);
                    return Ok(None);
                }
                Err(error) => return Err(error),
            },
        };
        let value = read(&db)?;
        // A day that was dropped meanwhile is not kept open, so that its space is given back.
        if let Some(idle) = self.kept.lock().get_mut(&day).filter(|idle| idle.len() < KEPT) {
            idle.push(db);
        }
        Ok(Some(value))
    }

    /// Takes the day off the list and deletes its file.
    pub(super) fn delete(&self, day: Day) -> Result<(), StoreError> {
        self.kept.lock().remove(&day);
        let path = self.path(day);
        for suffix in ["", "-wal", "-shm"] {
            let mut name = path.clone().into_os_string();
            name.push(suffix);
            match std::fs::remove_file(&name) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(&path, &error)),
                _ => {}
            }
        }
        Ok(())
    }

    /// What a day takes on the disk, in bytes.
    pub(super) fn bytes(&self, day: Day) -> u64 {
        let path = self.path(day);
        let size = |suffix: &str| {
            let mut name = path.clone().into_os_string();
            name.push(suffix);
            std::fs::metadata(name).map_or(0, |found| found.len())
        };
        size("") + size("-wal")
    }

    /// Closes what is open for reading.
    pub(super) fn close(&self) {
        self.kept.lock().values_mut().for_each(Vec::clear);
    }
}

/// Makes the file of a day under another name first: one that is there has its tables, also after a crash.
fn make(path: &Path) -> Result<(), StoreError> {
    let named = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let new = named(".new");
    for left in [new.clone(), named(".new-wal"), named(".new-shm")] {
        match std::fs::remove_file(&left) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(&left, &error)),
            _ => {}
        }
    }
    let mut db = Connection::open(&new)?;
    db.pragma_update(None, "page_size", PAGE_BYTES)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    let tx = db.transaction()?;
    tx.execute_batch(include_str!("day.sql"))?;
    tx.commit()?;
    // The last connection brings the log back into the file.
    drop(db);
    std::fs::rename(&new, path).map_err(|error| failed(path, &error))
}

/// The day whose file this is.
pub(super) fn day_named(path: &Path) -> Option<Day> {
    let name = path.file_name()?.to_str()?.strip_suffix(SUFFIX)?;
    Day::of_date(name.parse().ok()?)
}

/// Opens a file that is there, for reading.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    // Never makes the file: a day that was dropped stays dropped.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(BUSY)?;
    db.pragma_update(None, "query_only", true)?;
    db.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    db.set_prepared_statement_cache_capacity(32);
    Ok(db)
}

/// What went wrong with a file, told with its path.
pub(super) fn failed(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Failed(format!("{}: {error}", path.display()))
}
