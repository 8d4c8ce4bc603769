//! Fills the database and its days.
//!
//! The days are written beside their place and put there when everything has come, just before the database is committed.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, params_from_iter};
use switchboard_model::delivery::DeliveryState;

use super::{
    super::{
        connect,
        days::{Day, Days, FOLDER, open_reader},
        history::{DELIVERY, copy_rows},
        runs::{Print, insert_prints, insert_run, keep, next_run},
        seen::{Filter, RUN},
    },
    DAYS_LACK, Lies, lies, number,
};
use crate::store::{
    Answer, StoreError,
    transfer::{Cell, Part, Row, Target},
};

/// Where the days are until everything has come.
const ASIDE: &str = "migrating";

/// Counts that are not moved, because they follow from what waits.
const COUNT: &str = "
INSERT INTO tally (connection, pending, dead)
SELECT connection, sum(state < 10), sum(state = 11) FROM delivery WHERE state <> 10 GROUP BY connection
ON CONFLICT (connection) DO UPDATE SET pending = excluded.pending, dead = excluded.dead;
UPDATE revision SET number = number + 1;";

/// A database that nobody else writes to, without days.
pub struct SqliteTarget {
    hot: Connection,
    /// There were days before.
    occupied: bool,
    /// The folder of the days, and where they are until the end.
    place: PathBuf,
    aside: PathBuf,
    days: Days,
    /// The day that is written to, with its transaction.
    open: Option<(Day, Connection)>,
    /// Fingerprints of one day, less than a run of them.
    prints: Vec<Print>,
    /// Deliveries that have arrived and lie in another day than their event: that day, and the event.
    strays: BTreeSet<(Day, i64)>,
}

impl std::fmt::Debug for SqliteTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteTarget").finish_non_exhaustive()
    }
}

impl SqliteTarget {
    /// Opens a file whose schema is up to date (see [`SqliteStore::open`](crate::store::sqlite::SqliteStore::open)). The caller sees to it
    /// that nobody else uses it.
    ///
    /// # Errors
    /// When it cannot be opened, or somebody else writes to it.
    pub fn open(file: &Path) -> Result<Self, StoreError> {
        let hot = connect(file)?;
        hot.execute_batch("BEGIN IMMEDIATE")?;
        let aside = file.with_file_name(ASIDE);
        if aside.exists() {
            // A move that was interrupted.
            std::fs::remove_dir_all(&aside).map_err(|error| failed(&aside, &error))?;
        }
        Ok(Self {
            hot,
            occupied: !Days::find(file)?.all().is_empty(),
            place: file.with_file_name(FOLDER),
            days: Days::find(&aside.join(FOLDER))?,
            aside,
            open: None,
            prints: Vec::new(),
            strays: BTreeSet::new(),
        })
    }

    fn take(&mut self, part: &Part, rows: Vec<Row>) -> Result<(), StoreError> {
        match lies(part) {
            Lies::Hot => Ok(insert(&self.hot, part, &[], &rows)?),
            Lies::Runs => rows.iter().try_for_each(|row| self.take_print(row)),
            Lies::Dated => self.take_dated(part, rows),
        }
    }

    /// What is over goes into its day, the rest into the database. Deliveries come before events, so it is known which events are not over.
    fn take_dated(&mut self, part: &Part, rows: Vec<Row>) -> Result<(), StoreError> {
        let column = |name: &str| part.columns.iter().position(|(known, _)| *known == name);
        let (state, event) = (column("state"), column("event"));
        let (mut over, mut open) = (Vec::new(), Vec::new());
        for row in rows {
            let is_over = match part.name {
                "delivery" => number(state.and_then(|at| row.get(at))) == i64::from(DeliveryState::Delivered as u8),
                "event" => !self.waits(number(row.first()))?,
                _ => true,
            };
            if is_over { over.push(row) } else { open.push(row) }
        }
        insert(&self.hot, part, &[], &open)?;
        for rows in over.chunk_by(|a, b| day_of(a) == day_of(b)) {
            let day = day_of(&rows[0]);
            let lacks = if part.name == "delivery" { DAYS_LACK } else { &[] };
            insert(self.day(day)?, part, lacks, rows)?;
            if part.name == "delivery" {
                let events = rows.iter().map(|row| number(event.and_then(|at| row.get(at))));
                self.strays
                    .extend(events.filter(|event| Day::of(*event) != day).map(|event| (day, event)));
            }
        }
        Ok(())
    }

    /// Whether a delivery of the event has not arrived, or its classification is open.
    fn waits(&self, event: i64) -> rusqlite::Result<bool> {
        self.hot
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM delivery WHERE event = ?1) OR EXISTS (SELECT 1 FROM unclassified WHERE event = ?1)",
            )?
            .query_row([event], |row| row.get(0))
    }

    fn take_print(&mut self, row: &Row) -> Result<(), StoreError> {
        let [event, workspace, Cell::Bytes(key), Cell::Bytes(content)] = &row[..] else {
            return Err(StoreError::Failed("a fingerprint is not as expected".into()));
        };
        let (Ok(key), Ok(content)) = (key[..].try_into(), content[..].try_into()) else {
            return Err(StoreError::Failed(
                "a fingerprint is of another length than expected".into(),
            ));
        };
        let print = Print {
            event: number(Some(event)),
            workspace: number(Some(workspace)),
            key,
            content,
        };
        let other = |last: &Print| Day::of(last.event) != Day::of(print.event);
        if self.prints.len() == RUN || self.prints.last().is_some_and(other) {
            self.make_run()?;
        }
        self.prints.push(print);
        Ok(())
    }

    fn make_run(&mut self) -> Result<(), StoreError> {
        let mut prints = std::mem::take(&mut self.prints);
        let Some(first) = prints.first() else { return Ok(()) };
        let day = Day::of(first.event);
        prints.sort_unstable_by_key(|print| (print.workspace, print.key));
        let filter = Filter::of(prints.iter().map(|print| (print.workspace, print.key)));
        let db = self.day(day)?;
        let number = next_run(db)?;
        insert_prints(db, number, &prints)?;
        Ok(insert_run(db, number, &filter)?)
    }

    /// The day, to be written.
    fn day(&mut self, day: Day) -> Result<&Connection, StoreError> {
        if self.open.as_ref().is_none_or(|(open, _)| *open != day) {
            self.close_day()?;
        }
        let open = match self.open.take() {
            Some(open) => open,
            None => {
                let db = self.days.write(day)?;
                db.execute_batch("BEGIN")?;
                (day, db)
            }
        };
        Ok(&self.open.insert(open).1)
    }

    /// Commits the open day. With the last connection its log goes into the file, which is synced.
    fn close_day(&mut self) -> Result<(), StoreError> {
        if let Some((_, db)) = self.open.take() {
            db.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")?;
        }
        Ok(())
    }

    /// Events that are not over have all their deliveries in the database, also those that have arrived.
    fn gather(&self) -> Result<(), StoreError> {
        for day in self.days.all() {
            let mut of_day = self
                .hot
                .prepare_cached("SELECT id FROM event WHERE id BETWEEN ?1 AND ?2")?;
            let events = of_day.query_map([day.floor(), day.end() - 1], |row| row.get(0))?;
            let mut events: Vec<i64> = events.collect::<rusqlite::Result<_>>()?;
            for (_, event) in self.strays.range((day, i64::MIN)..=(day, i64::MAX)) {
                if self.waits(*event)? {
                    events.push(*event);
                }
            }
            if events.is_empty() {
                continue;
            }
            let from = open_reader(&self.days.path(day))?;
            for event in events {
                copy_rows(&from, &self.hot, "delivery", DELIVERY, "event", event)?;
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), StoreError> {
        self.close_day()?;
        keep(&self.hot, &self.prints)?;
        self.gather()?;
        self.hot.execute_batch(COUNT)?;
        let from = self.aside.join(FOLDER);
        let any = from.is_dir();
        if any {
            if self.place.is_dir() {
                std::fs::remove_dir(&self.place).map_err(|error| failed(&self.place, &error))?;
            }
            rename(&from, &self.place)?;
        }
        if let Err(error) = self.hot.execute_batch("COMMIT") {
            if any {
                rename(&self.place, &from)?;
            }
            return Err(error.into());
        }
        Ok(self.hot.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?)
    }
}

impl Drop for SqliteTarget {
    fn drop(&mut self) {
        drop(self.open.take());
        // What cannot be removed now is removed when the next move begins.
        let _ = std::fs::remove_dir_all(&self.aside);
    }
}

fn day_of(row: &Row) -> Day {
    Day::of(number(row.first()))
}

fn insert(db: &Connection, part: &Part, lacks: &[&str], rows: &[Row]) -> rusqlite::Result<()> {
    let there = |at: &usize| !lacks.contains(&part.columns[*at].0);
    let columns: Vec<usize> = (0..part.columns.len()).filter(there).collect();
    let names: Vec<&str> = columns.iter().map(|at| part.columns[*at].0).collect();
    let places = vec!["?"; columns.len()].join(", ");
    let sql = format!("INSERT INTO {} ({}) VALUES ({places})", part.name, names.join(", "));
    let mut insert = db.prepare_cached(&sql)?;
    for row in rows {
        insert.execute(params_from_iter(columns.iter().map(|at| &row[*at])))?;
    }
    Ok(())
}

/// Moves a folder so that it is found there after a power cut.
fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    std::fs::rename(from, to).map_err(|error| failed(to, &error))?;
    #[cfg(unix)]
    for parent in [from, to].into_iter().filter_map(Path::parent) {
        let synced = std::fs::File::open(parent).and_then(|folder| folder.sync_all());
        synced.map_err(|error| failed(parent, &error))?;
    }
    Ok(())
}

fn failed(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Failed(format!("{}: {error}", path.display()))
}

impl Target for SqliteTarget {
    fn is_empty(&mut self) -> Answer<'_, bool> {
        Box::pin(async move {
            let sql = "SELECT NOT EXISTS (SELECT 1 FROM workspace) AND NOT EXISTS (SELECT 1 FROM event)";
            Ok(!self.occupied && self.hot.query_row(sql, [], |row| row.get::<_, bool>(0))?)
        })
    }

    fn put(&mut self, part: &'static Part, rows: Vec<Row>) -> Answer<'_, ()> {
        Box::pin(async move { self.take(part, rows) })
    }

    fn finish(&mut self) -> Answer<'_, ()> {
        Box::pin(async move { self.end() })
    }
}
