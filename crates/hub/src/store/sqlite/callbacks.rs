//! What pushers have sent.

use rusqlite::{Connection, OptionalExtension, Row, params};
use switchboard_model::id::{CallbackId, WorkspaceId, floor_of};

use super::{SqliteStore, record};
use crate::store::{
    Answer, Page,
    callbacks::{
        Anew, Begun, CallbackFilter, CallbackOutcome, CallbackRow, CallbackState, Callbacks, Kept, Made, NewCallback,
        Round, join_notes, together,
    },
};

/// In the order of [`row`].
const COLUMNS: &str = "id, workspace, source, received_ms, request, body, delivery, state, round, tries, settled_ms, repeats, notes, \
                       problem, made, starts";

impl Callbacks for SqliteStore {
    fn keep(&self, callback: NewCallback) -> Answer<'_, Kept> {
        let id = CallbackId(self.ids.lock().next(callback.received_ms));
        let request = record::to_text(&callback.request);
        let notes = record::to_text(&callback.notes);
        Box::pin(self.writer.write(move |db| keep(db, id, &callback, &request, &notes)))
    }

    fn due_sources(&self, now_ms: i64) -> Answer<'_, Vec<(WorkspaceId, String)>> {
        Box::pin(self.readers.read(move |db| {
            db.prepare_cached(
                "SELECT workspace, source FROM callback WHERE state = 0
                 GROUP BY workspace, source HAVING min(due_ms) <= ?1 ORDER BY min(due_ms)",
            )?
            .query_map([now_ms], |row| Ok((WorkspaceId(row.get(0)?), row.get(1)?)))?
            .collect()
        }))
    }

    fn take_callbacks(
        &self,
        workspace: WorkspaceId,
        source: &str,
        now_ms: i64,
        _lease_ms: i64,
        limit: usize,
    ) -> Answer<'_, Vec<CallbackRow>> {
        let source = source.to_owned();
        // Only one process works on a data folder, and it takes no more of a source before it is done with these.
        Box::pin(self.writer.write(move |db| take(db, workspace, &source, now_ms, limit)))
    }

    fn settle_callback(&self, round: Round, outcome: CallbackOutcome, now_ms: i64) -> Answer<'_, bool> {
        Box::pin(self.writer.write(move |db| settle(db, round, &outcome, None, now_ms)))
    }

    fn callbacks(
        &self,
        workspace: WorkspaceId,
        source: &str,
        filter: CallbackFilter,
        page: Page,
    ) -> Answer<'_, Vec<CallbackRow>> {
        let source = source.to_owned();
        Box::pin(self.readers.read(move |db| {
            let state = filter.state.map(CallbackState::number);
            let select = format!(
                "SELECT {COLUMNS} FROM callback
                 WHERE workspace = ?1 AND source = ?2 AND id < ?3 AND (?4 IS NULL OR state = ?4) ORDER BY id DESC LIMIT ?5"
            );
            let mut select = db.prepare_cached(&select)?;
            let before = page.before.unwrap_or(i64::MAX);
            select
                .query_map(params![workspace.0, source, before, state, page.limit], row)?
                .collect()
        }))
    }

    fn callback(&self, workspace: WorkspaceId, id: CallbackId) -> Answer<'_, Option<CallbackRow>> {
        Box::pin(self.readers.read(move |db| {
            db.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM callback WHERE workspace = ?1 AND id = ?2"
            ))?
            .query_row(params![workspace.0, id.0], row)
            .optional()
        }))
    }

    fn process_anew(&self, workspace: WorkspaceId, source: &str, which: Anew, now_ms: i64) -> Answer<'_, Begun> {
        let source = source.to_owned();
        Box::pin(
            self.writer
                .write(move |db| begin_anew(db, workspace, &source, &which, now_ms)),
        )
    }

    fn drop_callbacks(&self, before_ms: i64, most: usize) -> Answer<'_, usize> {
        Box::pin(self.writer.write(move |db| {
            db.prepare_cached(
                "DELETE FROM callback WHERE id IN
                     (SELECT id FROM callback WHERE id < ?1 AND state <> 0 ORDER BY id LIMIT ?2)",
            )?
            .execute(params![floor_of(before_ms), most])
        }))
    }
}

/// What of a callback is looked at before it begins anew.
fn made_row(row: &Row<'_>) -> rusqlite::Result<(CallbackId, CallbackState, Made)> {
    let made = record::from_text(row, 2)?;
    Ok((CallbackId(row.get(0)?), record::callback_state(row, 1)?, made))
}

fn begin_anew(
    db: &Connection,
    workspace: WorkspaceId,
    source: &str,
    which: &Anew,
    now_ms: i64,
) -> rusqlite::Result<Begun> {
    let waiting = CallbackState::Waiting.number();
    let mut found = Vec::new();
    match which {
        Anew::These { ids, .. } => {
            let mut select = db.prepare_cached(
                "SELECT id, state, made FROM callback WHERE id = ?1 AND workspace = ?2 AND source = ?3 AND state <> ?4",
            )?;
            for id in ids {
                let key = params![id.0, workspace.0, source, waiting];
                found.extend(select.query_row(key, made_row).optional()?);
            }
        }
        Anew::Failed(most) => {
            let failed = CallbackState::Failed.number();
            let mut select = db.prepare_cached(
                "SELECT id, state, made FROM callback WHERE workspace = ?1 AND source = ?2 AND state = ?3 ORDER BY id LIMIT ?4",
            )?;
            for row in select.query_map(params![workspace.0, source, failed, most], made_row)? {
                found.push(row?);
            }
        }
    }
    let parted = Begun::of(which, found);
    for id in &parted.begun {
        db.prepare_cached(
            "UPDATE callback SET state = ?2, round = round + 1, tries = 0, starts = 0, due_ms = ?3, settled_ms = NULL
             WHERE id = ?1",
        )?
        .execute(params![id.0, waiting, now_ms])?;
    }
    Ok(parted)
}

/// Begins what is due of a source, and counts that.
fn take(
    db: &Connection,
    workspace: WorkspaceId,
    source: &str,
    now_ms: i64,
    limit: usize,
) -> rusqlite::Result<Vec<CallbackRow>> {
    let mut select = db.prepare_cached(
        "SELECT id, starts FROM callback WHERE state = 0 AND workspace = ?1 AND source = ?2 AND due_ms <= ?3
         ORDER BY due_ms, id LIMIT ?4",
    )?;
    let due = select.query_map(params![workspace.0, source, now_ms, limit], |row| {
        Ok((CallbackId(row.get(0)?), row.get(1)?))
    })?;
    let due: Vec<(CallbackId, i32)> = due.collect::<rusqlite::Result<_>>()?;
    let mut taken = Vec::new();
    for id in together(&due) {
        let update = format!("UPDATE callback SET starts = starts + 1 WHERE id = ?1 RETURNING {COLUMNS}");
        taken.push(db.prepare_cached(&update)?.query_row([id.0], row)?);
    }
    Ok(taken)
}

fn keep(db: &Connection, id: CallbackId, new: &NewCallback, request: &str, notes: &str) -> rusqlite::Result<Kept> {
    if let Some(delivery) = &new.delivery {
        let first = db
            .prepare_cached(
                "UPDATE callback SET repeats = repeats + 1 WHERE workspace = ?1 AND source = ?2 AND delivery = ?3 RETURNING id",
            )?
            .query_row(params![new.workspace.0, new.source, delivery], |row| row.get(0))
            .optional()?;
        if let Some(first) = first {
            return Ok(Kept::Repeat(CallbackId(first)));
        }
    }
    db.prepare_cached(
        "INSERT INTO callback (id, workspace, source, received_ms, request, body, delivery, state, due_ms, settled_ms, notes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?4, ?9, ?10)",
    )?
    .execute(params![
        id.0,
        new.workspace.0,
        new.source,
        new.received_ms,
        request,
        new.body,
        new.delivery,
        new.state.number(),
        (new.state != CallbackState::Waiting).then_some(new.received_ms),
        notes
    ])?;
    Ok(Kept::New(id))
}

/// Whether the callback still waits in this turn: asked in the transaction that writes what comes of it.
pub(super) fn holds(db: &Connection, round: Round) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM callback WHERE id = ?1 AND round = ?2 AND state = 0")?
        .exists(params![round.callback.0, round.number])
}

/// Settles a callback in the transaction of `db`; `false`: its turn is over already, and nothing is written. Without `made`, what it made before
/// stays named.
pub(super) fn settle(
    db: &Connection,
    round: Round,
    outcome: &CallbackOutcome,
    made: Option<&Made>,
    now_ms: i64,
) -> rusqlite::Result<bool> {
    let known = db
        .prepare_cached("SELECT notes FROM callback WHERE id = ?1 AND round = ?2 AND state = 0")?
        .query_row(params![round.callback.0, round.number], |row| record::from_text(row, 0))
        .optional()?;
    let Some(known) = known else { return Ok(false) };
    let again = outcome.state == CallbackState::Waiting;
    db.prepare_cached(
        "UPDATE callback SET state = ?2, due_ms = ?3, notes = ?4, problem = ?5, made = coalesce(?6, made), settled_ms = ?7,
             tries = tries + ?8, starts = 0
         WHERE id = ?1",
    )?
    .execute(params![
        round.callback.0,
        outcome.state.number(),
        outcome.due_ms,
        record::to_text(&join_notes(known, &outcome.notes)),
        outcome.problem.as_ref().map(record::to_text),
        made.map(record::to_text),
        (!again).then_some(now_ms),
        again && outcome.counts
    ])?;
    Ok(true)
}

fn row(row: &Row<'_>) -> rusqlite::Result<CallbackRow> {
    Ok(CallbackRow {
        id: CallbackId(row.get(0)?),
        workspace: WorkspaceId(row.get(1)?),
        source: row.get(2)?,
        received_ms: row.get(3)?,
        request: record::from_text(row, 4)?,
        body: row.get(5)?,
        delivery: row.get(6)?,
        state: record::callback_state(row, 7)?,
        round: row.get(8)?,
        tries: row.get(9)?,
        settled_ms: row.get(10)?,
        repeats: row.get(11)?,
        notes: record::from_text(row, 12)?,
        problem: record::optional_from_text(row, 13)?,
        made: record::from_text(row, 14)?,
        starts: row.get(15)?,
    })
}
