//! What pushers have sent.

use rusqlite::{Connection, OptionalExtension, Row, params};
use switchboard_model::id::{CallbackId, WorkspaceId, floor_of};

use super::{SqliteStore, record};
use crate::store::{
    Answer, Page,
    callbacks::{
        Anew, CallbackFilter, CallbackOutcome, CallbackRow, CallbackState, Callbacks, Kept, Made, NewCallback, Round,
    },
};

/// In the order of [`row`].
const COLUMNS: &str = "id, workspace, source, received_ms, request, body, delivery, state, round, tries, settled_ms, repeats, notes, \
                       problem, made";

impl Callbacks for SqliteStore {
    fn keep(&self, callback: NewCallback) -> Answer<'_, Kept> {
        let id = CallbackId(self.ids.lock().next(callback.received_ms));
        let request = record::to_text(&callback.request);
        let notes = record::to_text(&callback.notes);
        Box::pin(self.writer.write(move |db| keep(db, id, &callback, &request, &notes)))
    }

    fn take_callbacks(&self, now_ms: i64, _lease_ms: i64, limit: usize) -> Answer<'_, Vec<CallbackRow>> {
        // Only one process works on a data folder, and it takes no more before it is done with these.
        Box::pin(self.readers.read(move |db| {
            let select =
                format!("SELECT {COLUMNS} FROM callback WHERE state = 0 AND due_ms <= ?1 ORDER BY due_ms, id LIMIT ?2");
            let mut select = db.prepare_cached(&select)?;
            select.query_map(params![now_ms, limit], row)?.collect()
        }))
    }

    fn settle_callback(&self, round: Round, outcome: CallbackOutcome, now_ms: i64) -> Answer<'_, bool> {
        Box::pin(
            self.writer
                .write(move |db| settle(db, round, &outcome, &Made::default(), now_ms)),
        )
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

    fn process_anew(
        &self,
        workspace: WorkspaceId,
        source: &str,
        which: Anew,
        now_ms: i64,
    ) -> Answer<'_, Vec<CallbackId>> {
        let source = source.to_owned();
        Box::pin(self.writer.write(move |db| {
            let ids = match &which {
                Anew::These(ids) => ids.clone(),
                Anew::Failed(most) => {
                    let mut select = db.prepare_cached(
                        "SELECT id FROM callback WHERE workspace = ?1 AND source = ?2 AND state = 4 ORDER BY id LIMIT ?3",
                    )?;
                    let rows = select.query_map(params![workspace.0, source, most], |row| row.get(0).map(CallbackId))?;
                    rows.collect::<rusqlite::Result<_>>()?
                }
            };
            let mut begun = Vec::with_capacity(ids.len());
            for id in ids {
                let changed = db
                    .prepare_cached(
                        "UPDATE callback SET state = 0, round = round + 1, tries = 0, due_ms = ?4, settled_ms = NULL
                         WHERE id = ?1 AND workspace = ?2 AND source = ?3 AND state <> 0",
                    )?
                    .execute(params![id.0, workspace.0, source, now_ms])?;
                if changed > 0 {
                    begun.push(id);
                }
            }
            Ok(begun)
        }))
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

/// Settles a callback in the transaction of `db`; `false`: its turn is over already, and nothing is written.
pub(super) fn settle(
    db: &Connection,
    round: Round,
    outcome: &CallbackOutcome,
    made: &Made,
    now_ms: i64,
) -> rusqlite::Result<bool> {
    let again = outcome.state == CallbackState::Waiting;
    let changed = db
        .prepare_cached(
            "UPDATE callback SET state = ?3, due_ms = ?4, notes = ?5, problem = ?6, made = ?7, settled_ms = ?8,
                 tries = tries + ?9
             WHERE id = ?1 AND round = ?2 AND state = 0",
        )?
        .execute(params![
            round.callback.0,
            round.number,
            outcome.state.number(),
            outcome.due_ms,
            record::to_text(&outcome.notes),
            outcome.problem.as_ref().map(record::to_text),
            record::to_text(made),
            (!again).then_some(now_ms),
            again
        ])?;
    Ok(changed > 0)
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
    })
}
