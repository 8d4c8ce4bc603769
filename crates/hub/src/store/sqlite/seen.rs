//! Recognises repeats.
//!
//! Fingerprints are digests, so a tree that is sorted by them is written at another page with each event: with millions of them that would
//! cost more than everything else. Therefore new ones are appended to a small table (`recent`), which is also held in memory, and from time
//! to time the oldest 65,536 of them move, sorted, as a *run* into the file of their day, where they are never changed. Each run
//! has a filter in memory that lets one of thirty thousand look into the run in vain (see [`filter`]). A look-up is one in memory, some
//! nanoseconds for each run, and one probe of a tree when it is a repeat.
//!
//! The window of repeats is counted in days ([`StoreOptions::repeat_days`](super::StoreOptions)); it ends early for a day whose history was
//! dropped.

mod filter;

use std::{collections::HashMap, sync::Arc};

use rusqlite::{Connection, OptionalExtension, params};
use switchboard_model::id::{EventId, WorkspaceId};

use super::{
    days::{Day, Days},
    statements::Statements,
};
use crate::store::Fingerprint;
pub(super) use filter::Filter;
use filter::Shelves;

/// So many fingerprints make a run.
pub(super) const RUN: usize = 65_536;

/// The workspace, and the digest of what names the event there.
pub(super) type Key = (i64, [u8; 16]);

/// The event that came first under a key, and the digest of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct First {
    pub(super) event: EventId,
    pub(super) content: [u8; 8],
}

/// A run in the file of a day.
pub(super) struct Run {
    pub(super) name: RunName,
    pub(super) filter: Filter,
}

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RunName {
    pub(super) day: Day,
    pub(super) number: i64,
}

/// What the writer knows of fingerprints.
pub(super) struct Seen {
    days: Arc<Days>,
    window: u32,
    loaded: bool,
    recent: HashMap<Key, First>,
    /// Added since the transaction began.
    staged: Vec<Key>,
    runs: Shelves,
    /// Changes when another process has written to the database.
    version: i64,
}

impl Seen {
    pub(super) fn new(days: Arc<Days>, window: u32) -> Self {
        Self {
            days,
            window,
            loaded: false,
            recent: HashMap::new(),
            staged: Vec::new(),
            runs: Shelves::default(),
            version: 0,
        }
    }

    /// Reads what is on the disk, unless that is known already. Runs whose window is over today are left there: days only get later.
    pub(super) fn load(&mut self, db: &Connection, today: Day) -> rusqlite::Result<()> {
        let version: i64 = db
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |row| row.get(0))?;
        if self.loaded && version == self.version {
            return Ok(());
        }
        // What this transaction has added so far is among them.
        self.recent.clear();
        self.read_recent(db, 0, i64::MAX)?;
        if !self.loaded {
            let oldest = today.before(self.window);
            for day in self.days.all().into_iter().filter(|day| *day >= oldest) {
                let runs = self.days.read(day, |db| read_runs(db, day))?;
                for run in runs.into_iter().flatten() {
                    self.runs.push(run.name, &run.filter);
                }
            }
        }
        self.loaded = true;
        self.version = version;
        Ok(())
    }

    fn read_recent(&mut self, db: &Connection, from: i64, to: i64) -> rusqlite::Result<()> {
        let mut select =
            db.prepare_cached("SELECT workspace, key, event, content FROM recent WHERE event BETWEEN ?1 AND ?2")?;
        let mut rows = select.query([from, to])?;
        while let Some(row) = rows.next()? {
            let first = First {
                event: EventId(row.get(2)?),
                content: row.get(3)?,
            };
            self.recent.insert((row.get(0)?, row.get(1)?), first);
        }
        Ok(())
    }

    /// Whether the recent ones make a run, or are of a day that is over.
    pub(super) fn makes_a_run(&mut self, db: &Connection, today: Day) -> rusqlite::Result<bool> {
        self.load(db, today)?;
        if self.recent.len() >= RUN {
            return Ok(true);
        }
        let oldest: Option<i64> = db
            .prepare_cached("SELECT min(event) FROM recent")?
            .query_row([], |row| row.get(0))?;
        Ok(oldest.is_some_and(|event| Day::of(event) < today))
    }

    /// The event that came under this key before, as seen from `event`.
    pub(super) fn find(
        &mut self,
        db: &Connection,
        workspace: WorkspaceId,
        fingerprint: &Fingerprint,
        event: EventId,
    ) -> rusqlite::Result<Option<First>> {
        let today = Day::of(event.0);
        if self.staged.is_empty() {
            self.load(db, today)?;
        }
        let oldest = today.before(self.window);
        let key = (workspace.0, fingerprint.key);
        if let Some(first) = self.recent.get(&key).filter(|first| Day::of(first.event.0) >= oldest) {
            return Ok(Some(*first));
        }
        for run in self.runs.that_may_hold(&key).filter(|run| run.day >= oldest) {
            let found = self.days.read(run.day, |db| look_up(db, run.number, &key))?;
            if let Some(first) = found.flatten() {
                return Ok(Some(first));
            }
        }
        Ok(None)
    }

    /// Remembers the first event of a key.
    pub(super) fn add(
        &mut self,
        statements: &mut Statements<'_>,
        workspace: WorkspaceId,
        fingerprint: &Fingerprint,
        event: EventId,
    ) -> rusqlite::Result<()> {
        statements
            .of("INSERT INTO recent (event, workspace, key, content) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![event.0, workspace.0, fingerprint.key, fingerprint.content])?;
        let key = (workspace.0, fingerprint.key);
        let content = fingerprint.content;
        self.recent.insert(key, First { event, content });
        self.staged.push(key);
        Ok(())
    }

    pub(super) fn committed(&mut self) {
        self.staged.clear();
    }

    pub(super) fn rolled_back(&mut self) {
        if !self.staged.is_empty() {
            // Read anew at the next look-up: one of them may have stood in the place of an older one.
            self.staged.clear();
            self.loaded = false;
            self.runs.clear();
        }
    }

    /// A run is in the file of its day now.
    pub(super) fn adopt(&mut self, run: Run) {
        if self.loaded {
            let oldest = run.name.day.before(self.window);
            self.runs.retain(|known| known.day >= oldest && known != run.name);
            self.runs.push(run.name, &run.filter);
        }
    }

    /// Forgets those that a run holds: the ids of their events are in this range.
    pub(super) fn forget(&mut self, db: &Connection, (from, to): (i64, i64), keys: &[Key]) -> rusqlite::Result<()> {
        db.prepare_cached("DELETE FROM recent WHERE event BETWEEN ?1 AND ?2")?
            .execute([from, to])?;
        for key in keys {
            // One whose window was over may have been followed by another event since.
            let is_of_run = |first: &First| (from..=to).contains(&first.event.0);
            if self.recent.get(key).is_some_and(is_of_run) {
                self.recent.remove(key);
            }
        }
        Ok(())
    }

    /// Gives back the memory that many of them took once.
    pub(super) fn shrink(&mut self) {
        // As long as another run waits to be moved, it is needed.
        if self.recent.len() < RUN && self.recent.capacity() > 2 * RUN {
            self.recent.shrink_to(RUN);
        }
    }

    /// Forgets a day, but not what is said to stay.
    pub(super) fn forget_day(&mut self, db: &Connection, day: Day) -> rusqlite::Result<()> {
        db.execute(
            "DELETE FROM recent WHERE event BETWEEN ?1 AND ?2 AND NOT EXISTS (SELECT 1 FROM event e WHERE e.id = recent.event)",
            [day.floor(), day.end() - 1],
        )?;
        self.runs.retain(|run| run.day != day);
        let range = day.floor()..day.end();
        self.recent.retain(|_, first| !range.contains(&first.event.0));
        self.read_recent(db, day.floor(), day.end() - 1)
    }
}

fn read_runs(db: &Connection, day: Day) -> rusqlite::Result<Vec<Run>> {
    let mut select = db.prepare_cached("SELECT number, filter FROM run ORDER BY number")?;
    let mut rows = select.query([])?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next()? {
        let number = row.get(0)?;
        let filter = match Filter::of_bytes(row.get_ref(1)?.as_blob()?) {
            Some(filter) => filter,
            None => Filter::of(keys_of(db, number)?.into_iter()),
        };
        let name = RunName { day, number };
        runs.push(Run { name, filter });
    }
    Ok(runs)
}

fn keys_of(db: &Connection, run: i64) -> rusqlite::Result<Vec<Key>> {
    let mut select = db.prepare_cached("SELECT workspace, key FROM seen WHERE run = ?1")?;
    let keys = select.query_map([run], |row| Ok((row.get(0)?, row.get(1)?)))?;
    keys.collect()
}

fn look_up(db: &Connection, run: i64, key: &Key) -> rusqlite::Result<Option<First>> {
    db.prepare_cached("SELECT event, content FROM seen WHERE run = ?1 AND workspace = ?2 AND key = ?3")?
        .query_row(params![run, key.0, key.1], |row| {
            Ok(First {
                event: EventId(row.get(0)?),
                content: row.get(1)?,
            })
        })
        .optional()
}
