//! Runs of automations: begun with their event, taken up, written down step by step.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use serde_json::Value;
use switchboard_model::id::{EventId, RunId, WorkspaceId};

use super::{SqliteStore, record, writer::Class};
use crate::store::{
    Answer, Committed, NewRun, Page, RunFilter, RunRow, RunState, Runs, StepGuard, StepOutcome, StepRow, TakenRun,
    Version,
};

/// Who has taken a run may have died; the next one is told apart from it by the fence.
const TAKE: &str = "
UPDATE run SET due_ms = ?2, fence = fence + 1, state = 0
WHERE id IN (SELECT id FROM run WHERE state < 10 AND due_ms <= ?1 ORDER BY due_ms LIMIT ?3)
RETURNING id, workspace, automation, version, event, kept, chain, step, attempts, fence";

const RUN: &str = "
SELECT r.id, r.automation, v.body, r.event, r.chain, r.state, r.step, r.attempts, r.due_ms, r.problem, r.ended_ms
FROM run r JOIN automation_version v ON v.workspace = r.workspace AND v.digest = r.version";

const STEPS: &str = "
SELECT step, name, action, outcome, result, detail, problem, at_ms FROM run_step WHERE run = ?1 AND workspace = ?2 ORDER BY step";

/// Writes down a run that begins with its event.
pub(super) fn begin(
    db: &Connection,
    workspace: WorkspaceId,
    event: EventId,
    id: RunId,
    new: &NewRun,
    now_ms: i64,
) -> rusqlite::Result<()> {
    keep_version(db, workspace, &new.version)?;
    let state = if new.refused.is_some() {
        RunState::Failed
    } else {
        RunState::Running
    };
    db.prepare_cached(
        "INSERT INTO run (id, workspace, automation, version, event, chain, state, step, attempts, due_ms, fence, problem, ended_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, ?8, 0, ?9, ?10)",
    )?
    .execute(params![
        id.0,
        workspace.0,
        &*new.automation,
        new.version.digest,
        event.0,
        record::to_text(&new.chain),
        state as u8,
        now_ms,
        new.refused.as_ref().map(record::to_text),
        new.refused.as_ref().map(|_| now_ms),
    ])
    .map(|_| ())
}

fn keep_version(db: &Connection, workspace: WorkspaceId, version: &Version) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR IGNORE INTO automation_version (workspace, digest, body) VALUES (?1, ?2, ?3)")?
        .execute(params![workspace.0, version.digest, &*version.body])
        .map(|_| ())
}

/// Whether the step may happen.
pub(super) fn holds(db: &Connection, workspace: WorkspaceId, step: &StepGuard) -> rusqlite::Result<bool> {
    let stands: bool = db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM run WHERE id = ?1 AND workspace = ?2 AND step = ?3 AND fence = ?4 AND state < 10)",
        )?
        .query_row(params![step.run.0, workspace.0, step.at, step.fence], |row| row.get(0))?;
    match &step.turn {
        Some(turn) if stands => Ok(turn_of(db, workspace, &turn.automation, &turn.step)? == turn.number),
        _ => Ok(stands),
    }
}

/// Writes a step down, with what came of it.
pub(super) fn settle(
    db: &Connection,
    workspace: WorkspaceId,
    step: &StepGuard,
    committed: &Committed,
    now_ms: i64,
) -> rusqlite::Result<()> {
    let settled = (step.settle)(committed);
    db.prepare_cached(
        "UPDATE run SET state = ?2, step = ?3, attempts = ?4, due_ms = ?5, problem = ?6, ended_ms = ?7, kept = coalesce(?8, kept)
         WHERE id = ?1",
    )?
    .execute(params![
        step.run.0,
        settled.state as u8,
        settled.at,
        settled.attempts,
        settled.due_ms,
        settled.problem.as_ref().map(record::to_text),
        settled.state.is_over().then_some(now_ms),
        settled.keep.as_ref().map(record::to_text),
    ])?;
    let row = &settled.row;
    db.prepare_cached(
        "INSERT OR REPLACE INTO run_step (run, step, workspace, name, action, outcome, result, detail, problem, at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        step.run.0,
        row.at,
        workspace.0,
        row.name,
        row.action,
        row.outcome as u8,
        record::to_text(&row.result),
        record::to_text(&row.detail),
        row.problem.as_ref().map(record::to_text),
        row.at_ms
    ])?;
    if let Some(turn) = &step.turn {
        db.prepare_cached(
            "INSERT INTO rotation (workspace, automation, step, turn) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (workspace, automation, step) DO UPDATE SET turn = excluded.turn",
        )?
        .execute(params![
            workspace.0,
            &*turn.automation,
            &*turn.step,
            turn.number.wrapping_add(1)
        ])?;
    }
    Ok(())
}

fn turn_of(db: &Connection, workspace: WorkspaceId, automation: &str, step: &str) -> rusqlite::Result<i64> {
    db.prepare_cached("SELECT turn FROM rotation WHERE workspace = ?1 AND automation = ?2 AND step = ?3")?
        .query_row(params![workspace.0, automation, step], |row| row.get(0))
        .optional()
        .map(Option::unwrap_or_default)
}

/// Deletes runs that are over and whose ids lie in this range, some at a time, and versions that no run has any more; answers how many runs.
pub(super) fn drop_over(db: &Connection, from: i64, to: i64) -> rusqlite::Result<usize> {
    const SLICE: usize = 2_000;
    let mut select = db.prepare_cached("SELECT id FROM run WHERE id BETWEEN ?1 AND ?2 AND state >= 10 LIMIT ?3")?;
    let found = select.query_map(params![from, to, SLICE], |row| row.get(0))?;
    let found: Vec<i64> = found.collect::<rusqlite::Result<_>>()?;
    for id in &found {
        db.prepare_cached("DELETE FROM run_step WHERE run = ?1")?
            .execute([id])?;
        db.prepare_cached("DELETE FROM run WHERE id = ?1")?.execute([id])?;
    }
    if found.len() < SLICE {
        db.prepare_cached(
            "DELETE FROM automation_version WHERE NOT EXISTS
                 (SELECT 1 FROM run r WHERE r.workspace = automation_version.workspace AND r.version = automation_version.digest)",
        )?
        .execute([])?;
    }
    Ok(found.len())
}

impl Runs for SqliteStore {
    fn take_runs(&self, now_ms: i64, lease_ms: i64, most: usize) -> Answer<'_, Vec<TakenRun>> {
        Box::pin(self.writer.write_with(Class::Urgent, move |tx| {
            let mut take = tx.db.prepare_cached(TAKE)?;
            let rows = take.query_map(params![now_ms, now_ms.saturating_add(lease_ms), most], taken)?;
            let mut taken: Vec<TakenRun> = rows.collect::<rusqlite::Result<_>>()?;
            for run in &mut taken {
                complete(tx.db, run)?;
            }
            taken.sort_by_key(|run| run.id);
            Ok(taken)
        }))
    }

    fn next_run_ms(&self) -> Answer<'_, Option<i64>> {
        Box::pin(self.readers.read(|db| {
            db.prepare_cached("SELECT min(due_ms) FROM run WHERE state < 10")?
                .query_row([], |row| row.get(0))
        }))
    }

    fn turn_of(&self, workspace: WorkspaceId, automation: &str, step: &str) -> Answer<'_, i64> {
        let (automation, step) = (automation.to_owned(), step.to_owned());
        Box::pin(self.readers.read(move |db| turn_of(db, workspace, &automation, &step)))
    }

    fn runs(&self, workspace: WorkspaceId, filter: RunFilter, page: Page) -> Answer<'_, Vec<RunRow>> {
        Box::pin(self.readers.read(move |db| {
            let mut conditions = String::from("r.workspace = ?1 AND r.id < ?2");
            let mut values: Vec<Box<dyn ToSql>> =
                vec![Box::new(workspace.0), Box::new(page.before.unwrap_or(i64::MAX))];
            let mut and = |column: &str, value: Box<dyn ToSql>| {
                values.push(value);
                conditions.push_str(&format!(" AND r.{column} = ?{}", values.len()));
            };
            if let Some(automation) = &filter.automation {
                and("automation", Box::new(automation.clone()));
            }
            if let Some(state) = filter.state {
                and("state", Box::new(state as u8));
            }
            if let Some(event) = filter.event {
                and("event", Box::new(event.0));
            }
            values.push(Box::new(page.limit));
            let sql = format!("{RUN} WHERE {conditions} ORDER BY r.id DESC LIMIT ?{}", values.len());
            let mut select = db.prepare_cached(&sql)?;
            let rows = select.query_map(rusqlite::params_from_iter(values), run_row)?;
            rows.collect()
        }))
    }

    fn run(&self, workspace: WorkspaceId, id: RunId) -> Answer<'_, Option<RunRow>> {
        Box::pin(self.readers.read(move |db| {
            db.prepare_cached(&format!("{RUN} WHERE r.id = ?1 AND r.workspace = ?2"))?
                .query_row(params![id.0, workspace.0], run_row)
                .optional()
        }))
    }

    fn run_steps(&self, workspace: WorkspaceId, id: RunId) -> Answer<'_, Vec<StepRow>> {
        Box::pin(self.readers.read(move |db| {
            let mut select = db.prepare_cached(STEPS)?;
            let rows = select.query_map(params![id.0, workspace.0], step_row)?;
            rows.collect()
        }))
    }

    fn retry_run(
        &self,
        workspace: WorkspaceId,
        id: RunId,
        version: Option<Arc<Version>>,
        now_ms: i64,
    ) -> Answer<'_, bool> {
        Box::pin(self.writer.write(move |db| {
            if let Some(version) = &version {
                keep_version(db, workspace, version)?;
            }
            let changed = db
                .prepare_cached(
                    "UPDATE run SET state = 0, attempts = 0, due_ms = ?3, problem = NULL, ended_ms = NULL, fence = fence + 1,
                         version = coalesce(?4, version)
                     WHERE id = ?1 AND workspace = ?2 AND state = 12",
                )?
                .execute(params![
                    id.0,
                    workspace.0,
                    now_ms,
                    version.as_ref().map(|version| version.digest)
                ])?;
            Ok(changed > 0)
        }))
    }
}

/// See [`TAKE`] for the columns.
fn taken(row: &Row<'_>) -> rusqlite::Result<TakenRun> {
    Ok(TakenRun {
        id: RunId(row.get(0)?),
        workspace: WorkspaceId(row.get(1)?),
        automation: row.get::<_, String>(2)?.into(),
        version: Version {
            digest: row.get(3)?,
            body: "".into(),
        },
        event: EventId(row.get(4)?),
        kept: record::optional_from_text(row, 5)?,
        chain: record::from_text(row, 6)?,
        at: row.get(7)?,
        attempts: row.get(8)?,
        fence: row.get(9)?,
        results: Vec::new(),
    })
}

/// Adds the version and what the steps brought.
fn complete(db: &Connection, run: &mut TakenRun) -> rusqlite::Result<()> {
    let body: String = db
        .prepare_cached("SELECT body FROM automation_version WHERE workspace = ?1 AND digest = ?2")?
        .query_row(params![run.workspace.0, run.version.digest], |row| row.get(0))?;
    run.version.body = body.into();
    // What a step that failed or was passed over would have brought is absent.
    let mut select =
        db.prepare_cached("SELECT name, result FROM run_step WHERE run = ?1 AND outcome IN (0, 2) ORDER BY step")?;
    let rows = select.query_map([run.id.0], |row| Ok((row.get(0)?, record::from_text::<Value>(row, 1)?)))?;
    run.results = rows.collect::<rusqlite::Result<_>>()?;
    Ok(())
}

/// See [`RUN`] for the columns.
fn run_row(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    Ok(RunRow {
        id: RunId(row.get(0)?),
        automation: row.get(1)?,
        body: record::from_text(row, 2)?,
        event: EventId(row.get(3)?),
        chain: record::from_text(row, 4)?,
        // A state of a later version is treated like one in which nothing happens any more.
        state: RunState::from_number(row.get(5)?).unwrap_or(RunState::Stopped),
        at: row.get(6)?,
        attempts: row.get(7)?,
        due_ms: row.get(8)?,
        problem: record::optional_from_text(row, 9)?,
        ended_ms: row.get(10)?,
    })
}

/// See [`STEPS`] for the columns.
fn step_row(row: &Row<'_>) -> rusqlite::Result<StepRow> {
    Ok(StepRow {
        at: row.get(0)?,
        name: row.get(1)?,
        action: row.get(2)?,
        outcome: StepOutcome::from_number(row.get(3)?).unwrap_or(StepOutcome::Done),
        result: record::from_text(row, 4)?,
        detail: record::from_text(row, 5)?,
        problem: record::optional_from_text(row, 6)?,
        at_ms: row.get(7)?,
    })
}
