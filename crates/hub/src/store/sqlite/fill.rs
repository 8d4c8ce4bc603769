//! A measuring aid: puts delivered events into the history as if they had been accepted, sent and moved on earlier days.

use std::sync::Arc;

use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use switchboard_model::id::{DeliveryId, EventId, IdSource};

use super::{
    SqliteStore,
    days::{Day, Days, failed},
    runs::insert_run,
    seen::{Filter, RUN, Run, RunName},
    writer::Class,
};
use crate::store::{Filling, StoreError};

/// The node of the ids, so that they are none that the store itself gives.
const NODE: u8 = 63;
const THREADS: usize = 2;

impl SqliteStore {
    /// Puts delivered events into the history, for measurements with a large one. Each day is synced when it is full, and a day that is there
    /// already is added to.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub async fn fill(&self, filling: Filling) -> Result<(), StoreError> {
        let count = filling.days.max(1);
        let each = filling.events.div_ceil(count as usize);
        let days: Vec<Day> = (1..=count)
            .rev()
            .map(|back| Day::at(filling.now_ms).before(back))
            .collect();
        for pair in days.chunks(THREADS) {
            let work = pair.iter().map(|day| {
                let (days, day) = (Arc::clone(&self.days), *day);
                tokio::task::spawn_blocking(move || fill_day(&days, day, each, filling))
            });
            for runs in futures::future::join_all(work).await {
                let mut runs = runs.map_err(|_| StoreError::Closed)??;
                self.writer
                    .write_with(Class::Outcome, move |tx| {
                        runs.drain(..).for_each(|run| tx.seen.adopt(run));
                        Ok(())
                    })
                    .await?;
            }
        }
        let delivered = each * count as usize;
        self.writer
            .write(move |db| {
                db.execute(
                    "INSERT INTO tally (connection, delivered) VALUES (?1, ?2)
                     ON CONFLICT (connection) DO UPDATE SET delivered = delivered + excluded.delivered",
                    params![filling.connection.0, delivered],
                )
                .map(|_| ())
            })
            .await
    }
}

fn fill_day(days: &Days, day: Day, events: usize, filling: Filling) -> Result<Vec<Run>, StoreError> {
    let mut db = days.write(day)?;
    db.pragma_update(None, "synchronous", "OFF")?;
    let (last, mut number): (i64, i64) = db.query_row(
        "SELECT coalesce((SELECT max(id) FROM attempt), 0), coalesce((SELECT max(number) FROM run), 0)",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let mut ids = IdSource::new(NODE, last.max(day.floor()));
    let mut runs = Vec::new();
    let mut left = events;
    while left > 0 {
        let part = left.min(RUN);
        number += 1;
        let tx = db.transaction()?;
        let mut prints = Vec::with_capacity(part);
        for at in 0..part {
            let share = (events - left + at) as f64 / events as f64;
            let moment = day.moment(share);
            prints.push(fill_event(&tx, &mut ids, moment, &filling)?);
        }
        prints.sort_unstable_by_key(|(key, _)| *key);
        let filter = Filter::of(prints.iter().map(|(key, _)| (filling.workspace.0, *key)));
        let mut insert =
            tx.prepare_cached("INSERT INTO seen (run, workspace, key, content, event) VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for (key, event) in &prints {
            insert.execute(params![number, filling.workspace.0, key, [0_u8; 8], event])?;
        }
        drop(insert);
        insert_run(&tx, number, &filter)?;
        tx.commit()?;
        let name = RunName { day, number };
        runs.push(Run { name, filter });
        left -= part;
    }
    db.pragma_update(None, "synchronous", "FULL")?;
    db.wal_checkpoint_v2(Some(c"main"), rusqlite::wal::CheckpointMode::TRUNCATE)?;
    // A checkpoint that has nothing left to copy syncs nothing, and what has lain there for days is on the disk.
    let path = days.path(day);
    let synced = std::fs::File::open(&path).and_then(|file| file.sync_all());
    synced.map_err(|error| failed(&path, &error))?;
    Ok(runs)
}

/// Writes one event with what belongs to it; answers its fingerprint and its id.
fn fill_event(
    db: &Connection,
    ids: &mut IdSource,
    now_ms: i64,
    filling: &Filling,
) -> rusqlite::Result<([u8; 16], i64)> {
    let (event, delivery, attempt) = (ids.next(now_ms), ids.next(now_ms), ids.next(now_ms));
    let (workspace, connection) = (filling.workspace.0, filling.connection.0);
    let text = format!(
        "{{\"messageContent\":\"{:x<width$}\",\"id\":\"{}\"}}",
        "",
        EventId(event),
        width = filling.bytes
    );
    db.prepare_cached(
        "INSERT INTO event (id, workspace, kind, received_ms, data) VALUES (?1, ?2, 'message.received', ?3, ?4)",
    )?
    .execute(params![event, workspace, now_ms, text])?;
    db.prepare_cached(
        "INSERT INTO delivery (id, workspace, event, connection, object, record_key, state, attempts, due_ms, settled_ms, external_id)
         VALUES (?1, ?2, ?3, ?4, 'lead', ?5, 10, 0, ?6, ?6, ?7)",
    )?
    .execute(params![
        delivery,
        workspace,
        event,
        connection,
        EventId(event).to_string(),
        now_ms,
        DeliveryId(delivery).to_string()
    ])?;
    db.prepare_cached(
        "INSERT INTO attempt (id, workspace, delivery, started_ms, duration_ms, operation, request, status, answer, outcome, records)
         VALUES (?1, ?2, ?3, ?4, 12, 'create', ?5, 201, '{\"success\":true}', 'delivered', 1)",
    )?
    .execute(params![attempt, workspace, delivery, now_ms, text])?;
    let mut key = [0; 16];
    key.copy_from_slice(&Sha256::digest(event.to_be_bytes())[..16]);
    Ok((key, event))
}
