//! Fingerprints on their way from the database into the file of their day; see `seen.rs`.

use rusqlite::{Connection, params};
use switchboard_model::id::EventId;

use super::{
    SqliteStore,
    days::{Day, Days},
    historian::Books,
    seen::{Filter, Key, RUN, Run, RunName},
    writer::{Class, Tx},
};
use crate::store::StoreError;

/// So many fingerprints are written to their day at a time.
const SEEN_SLICE: usize = 4_096;

/// A fingerprint on its way from one table to another.
pub(super) struct Print {
    pub(super) event: i64,
    pub(super) workspace: i64,
    pub(super) key: [u8; 16],
    pub(super) content: [u8; 8],
}

/// Some of the recent ones that a run holds now.
struct Bite {
    first: i64,
    last: i64,
    keys: Vec<Key>,
}

impl Bite {
    /// Of fingerprints in the order of their events.
    fn of(prints: &[Print]) -> Option<Self> {
        Some(Self {
            first: prints.first()?.event,
            last: prints.last()?.event,
            keys: prints.iter().map(|print| (print.workspace, print.key)).collect(),
        })
    }
}

fn print(row: &rusqlite::Row<'_>) -> rusqlite::Result<Print> {
    Ok(Print {
        event: row.get(0)?,
        workspace: row.get(1)?,
        key: row.get(2)?,
        content: row.get(3)?,
    })
}

/// Those of a day whose event is in the database.
pub(super) fn fingerprints_that_stay(hot: &Connection, days: &Days, day: Day) -> rusqlite::Result<Vec<Print>> {
    let any: bool = hot.query_row(
        "SELECT EXISTS (SELECT 1 FROM event WHERE id BETWEEN ?1 AND ?2)",
        [day.floor(), day.end() - 1],
        |row| row.get(0),
    )?;
    if !any {
        return Ok(Vec::new());
    }
    let mut is_hot = hot.prepare_cached("SELECT EXISTS (SELECT 1 FROM event WHERE id = ?1)")?;
    let stay = days.read(day, |db| {
        let mut select = db.prepare_cached("SELECT event, workspace, key, content FROM seen")?;
        let mut rows = select.query([])?;
        let mut stay = Vec::new();
        while let Some(row) = rows.next()? {
            let print = print(row)?;
            if is_hot.query_row([print.event], |row| row.get(0))? {
                stay.push(print);
            }
        }
        Ok(stay)
    })?;
    Ok(stay.unwrap_or_default())
}

/// Puts them among the recent ones again.
pub(super) fn keep(db: &Connection, rows: &[Print]) -> rusqlite::Result<()> {
    let mut insert =
        db.prepare_cached("INSERT OR IGNORE INTO recent (event, workspace, key, content) VALUES (?1, ?2, ?3, ?4)")?;
    for row in rows {
        insert.execute(params![row.event, row.workspace, row.key, row.content])?;
    }
    Ok(())
}

impl SqliteStore {
    /// Moves the oldest fingerprints into the file of their day, when they make a whole run or their day is over.
    pub(super) async fn move_fingerprints(&self) -> Result<(), StoreError> {
        let today = Day::at(self.clock.now_ms());
        loop {
            let waits = move |tx: &mut Tx<'_>| tx.seen.makes_a_run(tx.db, today);
            if !self.writer.write_with(Class::Outcome, waits).await? {
                return Ok(());
            }
            let due = self.historian.run(oldest_fingerprints).await?;
            let (Some(from), Some(to)) = (due.first().map(|row| row.event), due.last().map(|row| row.event)) else {
                return Ok(());
            };
            let bites: Vec<Bite> = due.chunks(SEEN_SLICE).filter_map(Bite::of).collect();
            let run = self.write_run(Day::of(from), due).await?;
            let mut run = Some(run);
            self.writer
                .write_with(Class::Outcome, move |tx| {
                    if let Some(run) = run.take() {
                        tx.seen.adopt(run);
                    }
                    Ok(())
                })
                .await?;
            for bite in bites {
                self.writer
                    .write_with(Class::Outcome, move |tx| {
                        tx.seen.forget(tx.db, (bite.first, bite.last), &bite.keys)
                    })
                    .await?;
            }
            self.writer
                .write_with(Class::Outcome, |tx| {
                    tx.seen.shrink();
                    Ok(())
                })
                .await?;
            tracing::debug!("fingerprints up to {} are in their day", EventId(to));
        }
    }

    /// Slice by slice, so that calls are written between.
    async fn write_run(&self, day: Day, mut due: Vec<Print>) -> Result<Run, StoreError> {
        due.sort_unstable_by_key(|row| (row.workspace, row.key));
        let filter = Filter::of(due.iter().map(|row| (row.workspace, row.key)));
        let number = self
            .historian
            .run(move |books| Ok(next_run(books.write(day)?)?))
            .await?;
        while !due.is_empty() {
            let slice: Vec<Print> = due.drain(..SEEN_SLICE.min(due.len())).collect();
            let write = move |books: &mut Books| {
                let tx = books.write(day)?.transaction()?;
                insert_prints(&tx, number, &slice)?;
                tx.commit()?;
                Ok(())
            };
            self.historian.run(write).await?;
        }
        let finish = move |books: &mut Books| {
            books.write_durably(day, |db| insert_run(db, number, &filter))?;
            let name = RunName { day, number };
            Ok(Run { name, filter })
        };
        self.historian.run(finish).await
    }
}

/// Those of the oldest day among the recent ones, as many as a run holds, in the order of their events.
fn oldest_fingerprints(books: &mut Books) -> Result<Vec<Print>, StoreError> {
    let db = books.hot()?;
    let oldest: Option<i64> = db
        .prepare_cached("SELECT min(event) FROM recent")?
        .query_row([], |row| row.get(0))?;
    let Some(day) = oldest.map(Day::of) else {
        return Ok(Vec::new());
    };
    let mut select = db
        .prepare_cached("SELECT event, workspace, key, content FROM recent WHERE event < ?1 ORDER BY event LIMIT ?2")?;
    let rows = select.query_map(params![day.end(), RUN], print)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The number of a run that is not there yet, nor was begun.
pub(super) fn next_run(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row(
        "SELECT 1 + max(coalesce((SELECT max(number) FROM run), 0), coalesce((SELECT max(run) FROM seen), 0))",
        [],
        |row| row.get(0),
    )
}

pub(super) fn insert_prints(db: &Connection, run: i64, rows: &[Print]) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT OR IGNORE INTO seen (run, workspace, key, content, event) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for row in rows {
        insert.execute(params![run, row.workspace, row.key, row.content, row.event])?;
    }
    Ok(())
}

/// Says that all fingerprints of a run are there.
pub(super) fn insert_run(db: &Connection, number: i64, filter: &Filter) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO run (number, filter) VALUES (?1, ?2)")?
        .execute(params![number, filter.bytes()])
        .map(drop)
}
