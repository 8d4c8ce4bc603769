//! What is over: it moves out of the database into the file of its day, and is dropped with that file.
//!
//! A row lies in the day (UTC) that its own id names. So every list is hot rows followed by whole days, newest first, and a single row is
//! found by its id. What moves is written to the day and synced before it is deleted from the database; after a crash between, it is in both,
//! where the database's row counts, and the next move replaces the other one.

use std::{collections::BTreeSet, sync::Arc};

use jiff::civil::Date;
use rusqlite::{Connection, params};
use switchboard_model::{
    delivery::DeliveryState,
    id::{ConnectionId, EventId},
};

use super::{
    SqliteStore, automations,
    days::Day,
    historian::Books,
    runs::{fingerprints_that_stay, keep},
    settle::note_end,
    writer::{Class, Tx},
};
use crate::store::{Answer, DayRow, History, StoreError};

/// So many events are written to their day in one transaction.
const SLICE: usize = 500;
/// So many rows at a time are deleted from the database, in a transaction that accepting may share: it takes about a millisecond.
const BITE: usize = 50;
/// So many unused pages stay in the database; it will need them again.
const SPARE_PAGES: i64 = 16_384;
/// So many pages are given back at a time.
const GIVEN_BACK: i64 = 128;

const EVENT: &str = "id, workspace, kind, received_ms, data, note";
pub(super) const DELIVERY: &str = "id, workspace, event, connection, object, record_key, options, state, attempts, due_ms, settled_ms, \
                        external_id, problem, fallback, carrier, handed_over_ms";
const ATTEMPT: &str =
    "id, workspace, delivery, started_ms, duration_ms, operation, request, status, answer, outcome, records";

/// An event that is in the file of its day now, and how many deliveries went with it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moved {
    event: i64,
    deliveries: i64,
}

impl History for SqliteStore {
    fn archive(&self, most: usize) -> Answer<'_, usize> {
        Box::pin(async move {
            let mut moved = 0;
            while moved < most {
                let limit = SLICE.min(most - moved);
                let slice = self.historian.run(move |books| copy(books, limit)).await?;
                let Some(last) = slice.last().map(|moved| moved.event) else {
                    break;
                };
                let mut gone = 0;
                for bite in slice.chunks(BITE) {
                    let bite: Vec<Moved> = bite.to_vec();
                    let delete = move |tx: &mut Tx<'_>| delete_copied(tx.db, &bite);
                    gone += self.writer.write_with(Class::Outcome, delete).await?;
                }
                moved += gone;
                if gone == 0 {
                    tracing::debug!("nothing up to {} could be moved", EventId(last));
                    break;
                }
            }
            self.move_fingerprints().await?;
            if moved < most {
                self.writer.write_with(Class::Outcome, give_back).await?;
            }
            Ok(moved)
        })
    }

    fn archivable(&self) -> Answer<'_, usize> {
        Box::pin(
            self.readers
                .read(|db| db.query_row("SELECT count(*) FROM over", [], |row| row.get(0))),
        )
    }

    fn days(&self) -> Answer<'_, Vec<DayRow>> {
        Box::pin(async move {
            let days = self.days.all().into_iter();
            Ok(days
                .filter_map(|day| {
                    Some(DayRow {
                        day: day.date()?,
                        bytes: self.days.bytes(day),
                    })
                })
                .collect())
        })
    }

    fn drop_day(&self, day: Date) -> Answer<'_, ()> {
        Box::pin(async move {
            let Some(day) = Day::of_date(day) else {
                return Ok(());
            };
            while self
                .writer
                .write_with(Class::Outcome, move |tx| delete_settled(tx, day))
                .await?
                > 0
            {}
            let over = move |tx: &mut Tx<'_>| automations::drop_over(tx.db, day.floor(), day.end() - 1);
            while self.writer.write_with(Class::Outcome, over).await? > 0 {}
            while self
                .writer
                .write_with(Class::Outcome, move |tx| delete_over(tx.db, day))
                .await?
                > 0
            {}
            if !self.days.contains(day) {
                return Ok(());
            }
            // What is not over stays, and with it what recognises its repeats.
            let days = Arc::clone(&self.days);
            let stay = self
                .readers
                .read(move |hot| fingerprints_that_stay(hot, &days, day))
                .await?;
            self.writer
                .write_with(Class::Outcome, move |tx| keep(tx.db, &stay))
                .await?;
            self.historian.run(move |books| books.delete(day)).await?;
            self.writer
                .write_with(Class::Outcome, move |tx| tx.seen.forget_day(tx.db, day))
                .await
        })
    }
}

/// Copies events that are over, all of one day, with their deliveries.
pub(super) fn copy(books: &mut Books, limit: usize) -> Result<Vec<Moved>, StoreError> {
    let Some(first) = first_over(books.hot()?)? else {
        return Ok(Vec::new());
    };
    let day = Day::of(first);
    let (moved, strays) = books.write_durably(day, |db| {
        let moved = chosen(db, day, limit)?;
        let (Some(from), Some(to)) = (moved.first(), moved.last()) else {
            return Ok((moved, BTreeSet::new()));
        };
        let range = [from.event, to.event];
        let of_range = "(SELECT event FROM hot.over WHERE event BETWEEN ?1 AND ?2)";
        db.prepare_cached(&format!(
            "INSERT OR REPLACE INTO main.event ({EVENT}) SELECT {EVENT} FROM hot.event WHERE id IN {of_range}"
        ))?
        .execute(range)?;
        db.prepare_cached(&format!(
            "INSERT OR REPLACE INTO main.delivery ({DELIVERY}) SELECT {DELIVERY} FROM hot.delivery
             WHERE event IN {of_range} AND id < ?3"
        ))?
        .execute([range[0], range[1], day.end()])?;
        copy_attempts(
            db,
            &format!("SELECT id FROM hot.delivery WHERE event IN {of_range}"),
            &range,
        )?;
        let mut select = db.prepare_cached(&format!(
            "SELECT id FROM hot.delivery WHERE event IN {of_range} AND id >= ?3"
        ))?;
        let strays = select.query_map([range[0], range[1], day.end()], |row| row.get(0))?;
        let strays: BTreeSet<i64> = strays.collect::<rusqlite::Result<_>>()?;
        Ok((moved, strays))
    })?;
    // Deliveries that were added on a later day lie in that one.
    let strays: Vec<i64> = strays.into_iter().collect();
    for of_day in strays.chunk_by(|a, b| Day::of(*a) == Day::of(*b)) {
        books.write_durably(Day::of(of_day[0]), |db| {
            for id in of_day {
                db.prepare_cached(&format!(
                    "INSERT OR REPLACE INTO main.delivery ({DELIVERY}) SELECT {DELIVERY} FROM hot.delivery WHERE id = ?1"
                ))?
                .execute([id])?;
            }
            Ok(())
        })?;
    }
    Ok(moved)
}

/// Calls that an earlier version kept in the database go along with their deliveries, whatever their own day is.
fn copy_attempts(db: &Connection, deliveries: &str, range: &[i64]) -> rusqlite::Result<()> {
    let any: bool = db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM hot.attempt)")?
        .query_row([], |row| row.get(0))?;
    if any {
        db.prepare_cached(&format!(
            "INSERT OR REPLACE INTO main.attempt ({ATTEMPT}) SELECT {ATTEMPT} FROM hot.attempt WHERE delivery IN ({deliveries})"
        ))?
        .execute(rusqlite::params_from_iter(range))?;
    }
    Ok(())
}

fn first_over(db: &Connection) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT min(event) FROM over")?
        .query_row([], |row| row.get(0))
}

fn chosen(db: &Connection, day: Day, limit: usize) -> rusqlite::Result<Vec<Moved>> {
    let mut select = db.prepare_cached(
        "SELECT o.event, (SELECT count(*) FROM hot.delivery d WHERE d.event = o.event) FROM hot.over o
         WHERE o.event < ?1 ORDER BY o.event LIMIT ?2",
    )?;
    let rows = select.query_map(params![day.end(), limit], |row| {
        Ok(Moved {
            event: row.get(0)?,
            deliveries: row.get(1)?,
        })
    })?;
    rows.collect()
}

/// Deletes events that were copied, except those that something was added to meanwhile; answers how many.
fn delete_copied(db: &Connection, copied: &[Moved]) -> rusqlite::Result<usize> {
    let (Some(first), Some(last)) = (copied.first(), copied.last()) else {
        return Ok(0);
    };
    let range = [first.event, last.event];
    let deliveries: i64 = copied.iter().map(|event| event.deliveries).sum();
    // In nearly all cases nothing changed, and the whole range can go.
    let unchanged = over_between(db, range)?
        .iter()
        .eq(copied.iter().map(|event| &event.event))
        && deliveries
            == db
                .prepare_cached(
                    "SELECT count(*) FROM over o JOIN delivery d ON d.event = o.event WHERE o.event BETWEEN ?1 AND ?2",
                )?
                .query_row(range, |row| row.get::<_, i64>(0))?;
    if unchanged {
        delete_range(db, range)?;
        return Ok(copied.len());
    }
    let mut deleted = 0;
    for event in copied {
        let unchanged: bool = db
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM over WHERE event = ?1)
                        AND ?2 = (SELECT count(*) FROM delivery WHERE event = ?1)",
            )?
            .query_row([event.event, event.deliveries], |row| row.get(0))?;
        if unchanged {
            delete_range(db, [event.event, event.event])?;
            deleted += 1;
        }
    }
    Ok(deleted)
}

fn over_between(db: &Connection, range: [i64; 2]) -> rusqlite::Result<Vec<i64>> {
    let mut select = db.prepare_cached("SELECT event FROM over WHERE event BETWEEN ?1 AND ?2 ORDER BY event")?;
    let rows = select.query_map(range, |row| row.get(0))?;
    rows.collect()
}

/// Deletes the events of a range of ids that are over, with everything that belongs to them.
fn delete_range(db: &Connection, range: [i64; 2]) -> rusqlite::Result<()> {
    let any: bool = db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM attempt)")?
        .query_row([], |row| row.get(0))?;
    if any {
        db.prepare_cached(
            "DELETE FROM attempt WHERE delivery IN
                 (SELECT d.id FROM over o JOIN delivery d ON d.event = o.event WHERE o.event BETWEEN ?1 AND ?2)",
        )?
        .execute(range)?;
    }
    for sql in [
        "DELETE FROM delivery WHERE event IN (SELECT event FROM over WHERE event BETWEEN ?1 AND ?2)",
        "DELETE FROM event WHERE id IN (SELECT event FROM over WHERE event BETWEEN ?1 AND ?2)",
        "DELETE FROM over WHERE event BETWEEN ?1 AND ?2",
    ] {
        db.prepare_cached(sql)?.execute(range)?;
    }
    Ok(())
}

/// Deletes deliveries of a day that ended badly, some at a time. Events that nothing else is left to do for are over by that.
fn delete_settled(tx: &mut Tx<'_>, day: Day) -> rusqlite::Result<usize> {
    let dead = DeliveryState::Dead;
    let mut select = tx.db.prepare_cached(
        "SELECT id, event, connection, state FROM delivery WHERE id BETWEEN ?1 AND ?2 AND state > 10 ORDER BY id LIMIT ?3",
    )?;
    let rows = select.query_map(params![day.floor(), day.end() - 1, BITE], |row| {
        Ok((
            row.get(0)?,
            EventId(row.get(1)?),
            ConnectionId(row.get(2)?),
            row.get(3)?,
        ))
    })?;
    let found: Vec<(i64, EventId, ConnectionId, u8)> = rows.collect::<rusqlite::Result<_>>()?;
    for (id, event, connection, state) in &found {
        for sql in [
            "DELETE FROM attempt WHERE delivery = ?1",
            "DELETE FROM delivery WHERE id = ?1",
        ] {
            tx.db.prepare_cached(sql)?.execute([id])?;
        }
        if *state == dead as u8 {
            // Cancelled ones are not counted.
            tx.tallies.moved(*connection, dead, DeliveryState::Cancelled, 0);
        }
        note_end(tx, *event)?;
    }
    Ok(found.len())
}

/// Deletes events of a day that are over and were not copied yet, some at a time.
fn delete_over(db: &Connection, day: Day) -> rusqlite::Result<usize> {
    let mut select =
        db.prepare_cached("SELECT event FROM over WHERE event BETWEEN ?1 AND ?2 ORDER BY event LIMIT ?3")?;
    let rows = select.query_map(params![day.floor(), day.end() - 1, BITE], |row| row.get(0))?;
    let events: Vec<i64> = rows.collect::<rusqlite::Result<_>>()?;
    if let (Some(first), Some(last)) = (events.iter().min(), events.iter().max()) {
        delete_range(db, [*first, *last])?;
    }
    Ok(events.len())
}

/// Gives pages back that a backlog once needed, some at a time.
fn give_back(tx: &mut Tx<'_>) -> rusqlite::Result<()> {
    let unused: i64 = tx.db.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
    if unused > SPARE_PAGES {
        let mut vacuum = tx
            .db
            .prepare_cached(&format!("PRAGMA incremental_vacuum({GIVEN_BACK})"))?;
        let mut rows = vacuum.query([])?;
        while rows.next()?.is_some() {}
    }
    Ok(())
}

/// Brings an event of the history back into the database, with its deliveries, so that something can be done with it.
pub(super) fn bring_back(store: &super::days::Days, db: &Connection, event: EventId) -> rusqlite::Result<()> {
    let here: bool = db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM event WHERE id = ?1)")?
        .query_row([event.0], |row| row.get(0))?;
    if here {
        return Ok(());
    }
    let day = Day::of(event.0);
    let copied = store.read(day, |from| copy_rows(from, db, "event", EVENT, "id", event.0))?;
    if copied.unwrap_or_default() == 0 {
        return Ok(());
    }
    for day in store.all().into_iter().filter(|later| *later >= day) {
        store.read(day, |from| copy_rows(from, db, "delivery", DELIVERY, "event", event.0))?;
    }
    db.prepare_cached("INSERT OR IGNORE INTO over (event) VALUES (?1)")?
        .execute([event.0])?;
    Ok(())
}

/// Copies the rows that a column selects, except those that are there already.
pub(super) fn copy_rows(
    from: &Connection,
    to: &Connection,
    table: &str,
    columns: &str,
    by: &str,
    value: i64,
) -> rusqlite::Result<usize> {
    let mut select = from.prepare_cached(&format!("SELECT {columns} FROM {table} WHERE {by} = ?1"))?;
    let width = select.column_count();
    let places = vec!["?"; width].join(", ");
    let mut insert = to.prepare_cached(&format!("INSERT OR IGNORE INTO {table} ({columns}) VALUES ({places})"))?;
    let mut rows = select.query([value])?;
    let mut copied = 0;
    while let Some(row) = rows.next()? {
        let values: Vec<rusqlite::types::Value> = (0..width).map(|at| row.get(at)).collect::<rusqlite::Result<_>>()?;
        copied += insert.execute(rusqlite::params_from_iter(values))?;
    }
    Ok(copied)
}
