//! Runs of automations: begun with their event, taken up by one node, written down step by step.

use std::{collections::HashMap, sync::Arc};

use serde_json::Value;
use switchboard_model::id::{EventId, RunId, WorkspaceId};
use tokio_postgres::{GenericClient, Row, types::ToSql};

use super::{PostgresStore, Trouble, record};
use crate::store::{
    Answer, Committed, NewRun, Page, RunFilter, RunRow, RunState, Runs, StepGuard, StepOutcome, StepRow, TakenRun,
    Version,
};

/// A run that another node is taking at this moment is passed over. Who has taken one may have died; the next one is told apart from it by
/// the fence.
const TAKE: &str = "
UPDATE run SET due_ms = $2, fence = fence + 1, state = 0
WHERE id IN (SELECT id FROM run WHERE state < 10 AND due_ms <= $1 ORDER BY due_ms LIMIT $3 FOR UPDATE SKIP LOCKED)
RETURNING id, workspace, automation, version, event, kept, chain, step, attempts, fence,
    (SELECT body FROM automation_version v WHERE v.workspace = run.workspace AND v.digest = run.version)";

/// Versions are inserted in their order, so that two nodes do not wait for each other in a circle.
const VERSIONS: &str = "
INSERT INTO automation_version (workspace, digest, body)
SELECT DISTINCT * FROM unnest($1::bigint[], $2::bytea[], $3::text[]) AS v (workspace, digest, body) ORDER BY 1, 2
ON CONFLICT DO NOTHING";

const BEGIN: &str = "
INSERT INTO run (id, workspace, automation, version, event, chain, state, step, attempts, due_ms, fence, problem, ended_ms)
SELECT id, workspace, automation, version, event, chain, state, 0, 0, now_ms, 0, problem, CASE WHEN problem IS NOT NULL THEN now_ms END
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bytea[], $5::bigint[], $6::text[], $7::smallint[], $8::bigint[], $9::text[])
    AS r (id, workspace, automation, version, event, chain, state, now_ms, problem)";

/// What a step that failed or was passed over would have brought is absent.
const RESULTS: &str =
    "SELECT run, name, result FROM run_step WHERE run = ANY ($1) AND outcome IN (0, 2) ORDER BY run, step";

const RUN: &str = "
SELECT r.id, r.automation, v.body, r.event, r.chain, r.state, r.step, r.attempts, r.due_ms, r.problem, r.ended_ms
FROM run r JOIN automation_version v ON v.workspace = r.workspace AND v.digest = r.version";

const STEPS: &str = "
SELECT step, name, action, outcome, result, detail, problem, at_ms FROM run_step WHERE run = $1 AND workspace = $2 ORDER BY step";

const SETTLE: &str = "
WITH moved AS (
    UPDATE run SET state = $2, step = $3, attempts = $4, due_ms = $5, problem = $6, ended_ms = $7, kept = coalesce($8, kept)
    WHERE id = $1
)
INSERT INTO run_step (run, step, workspace, name, action, outcome, result, detail, problem, at_ms)
VALUES ($1, $9, $10, $11, $12, $13, $14, $15, $16, $17)
ON CONFLICT (run, step) DO UPDATE SET name = excluded.name, action = excluded.action, outcome = excluded.outcome,
    result = excluded.result, detail = excluded.detail, problem = excluded.problem, at_ms = excluded.at_ms";

/// Writes down runs that begin with their events.
pub(super) async fn begin(
    client: &impl GenericClient,
    runs: &[(WorkspaceId, EventId, i64, RunId, &NewRun)],
) -> Result<(), Trouble> {
    let digests: Vec<&[u8]> = runs.iter().map(|(.., new)| &new.version.digest[..]).collect();
    let workspaces: Vec<i64> = runs.iter().map(|(workspace, ..)| workspace.0).collect();
    let bodies: Vec<&str> = runs.iter().map(|(.., new)| &*new.version.body).collect();
    client.execute(VERSIONS, &[&workspaces, &digests, &bodies]).await?;
    let state = |new: &NewRun| match new.refused {
        Some(_) => RunState::Failed as u8,
        None => RunState::Running as u8,
    };
    client
        .execute(
            BEGIN,
            &[
                &runs.iter().map(|(.., id, _)| id.0).collect::<Vec<i64>>(),
                &workspaces,
                &runs.iter().map(|(.., new)| &*new.automation).collect::<Vec<&str>>(),
                &digests,
                &runs.iter().map(|(_, event, ..)| event.0).collect::<Vec<i64>>(),
                &runs
                    .iter()
                    .map(|(.., new)| record::to_text(&new.chain))
                    .collect::<Vec<String>>(),
                &runs.iter().map(|(.., new)| i16::from(state(new))).collect::<Vec<i16>>(),
                &runs.iter().map(|(_, _, now_ms, ..)| *now_ms).collect::<Vec<i64>>(),
                &runs
                    .iter()
                    .map(|(.., new)| new.refused.as_ref().map(record::to_text))
                    .collect::<Vec<Option<String>>>(),
            ],
        )
        .await?;
    Ok(())
}

async fn keep_version(client: &impl GenericClient, workspace: WorkspaceId, version: &Version) -> Result<(), Trouble> {
    client
        .execute(
            "INSERT INTO automation_version (workspace, digest, body) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            &[&workspace.0, &&version.digest[..], &&*version.body],
        )
        .await?;
    Ok(())
}

/// Whether the step may happen; until the end of the transaction nobody else can decide that.
pub(super) async fn holds(
    client: &impl GenericClient,
    workspace: WorkspaceId,
    step: &StepGuard,
) -> Result<bool, Trouble> {
    let stands = client
        .query_opt(
            "SELECT 1 FROM run WHERE id = $1 AND workspace = $2 AND step = $3 AND fence = $4 AND state < 10 FOR UPDATE",
            &[&step.run.0, &workspace.0, &number(step.at), &step.fence],
        )
        .await?
        .is_some();
    let Some(turn) = step.turn.as_ref().filter(|_| stands) else {
        return Ok(stands);
    };
    client
        .execute(
            "INSERT INTO rotation (workspace, automation, step, turn) VALUES ($1, $2, $3, 0) ON CONFLICT DO NOTHING",
            &[&workspace.0, &&*turn.automation, &&*turn.step],
        )
        .await?;
    let taken = client
        .execute(
            "UPDATE rotation SET turn = turn + 1 WHERE workspace = $1 AND automation = $2 AND step = $3 AND turn = $4",
            &[&workspace.0, &&*turn.automation, &&*turn.step, &turn.number],
        )
        .await?;
    Ok(taken == 1)
}

/// Writes a step down, with what came of it.
pub(super) async fn settle(
    client: &impl GenericClient,
    workspace: WorkspaceId,
    step: &StepGuard,
    committed: &Committed,
    now_ms: i64,
) -> Result<(), Trouble> {
    let settled = (step.settle)(committed);
    let row = &settled.row;
    client
        .execute(
            SETTLE,
            &[
                &step.run.0,
                &i16::from(settled.state as u8),
                &number(settled.at),
                &number(settled.attempts),
                &settled.due_ms,
                &settled.problem.as_ref().map(record::to_text),
                &settled.state.is_over().then_some(now_ms),
                &settled.keep.as_ref().map(record::to_text),
                &number(row.at),
                &workspace.0,
                &row.name,
                &row.action,
                &i16::from(row.outcome as u8),
                &record::to_text(&row.result),
                &record::to_text(&row.detail),
                &row.problem.as_ref().map(record::to_text),
                &row.at_ms,
            ],
        )
        .await?;
    Ok(())
}

/// The columns for places and counts are wide enough for any.
fn number(of: u32) -> i32 {
    i32::try_from(of).unwrap_or(i32::MAX)
}

impl PostgresStore {
    async fn take_due(&self, now_ms: i64, lease_ms: i64, most: usize) -> Result<Vec<TakenRun>, Trouble> {
        let client = self.core.client().await?;
        let statement = client.prepare_cached(TAKE).await?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = client
            .query(&statement, &[&now_ms, &now_ms.saturating_add(lease_ms), &most])
            .await?;
        let mut taken = rows.iter().map(taken).collect::<Result<Vec<_>, Trouble>>()?;
        taken.sort_by_key(|run| run.id);
        let ids: Vec<i64> = taken.iter().map(|run| run.id.0).collect();
        if ids.is_empty() {
            return Ok(taken);
        }
        let statement = client.prepare_cached(RESULTS).await?;
        let mut results: HashMap<i64, Vec<(String, Value)>> = HashMap::new();
        for row in client.query(&statement, &[&ids]).await? {
            let result = (row.get(1), record::from_text(&row, 2)?);
            results.entry(row.get(0)).or_default().push(result);
        }
        for run in &mut taken {
            run.results = results.remove(&run.id.0).unwrap_or_default();
        }
        Ok(taken)
    }

    async fn list_runs(&self, workspace: WorkspaceId, filter: &RunFilter, page: Page) -> Result<Vec<RunRow>, Trouble> {
        let (before, limit) = (
            page.before.unwrap_or(i64::MAX),
            i64::try_from(page.limit).unwrap_or(i64::MAX),
        );
        let (state, event) = (
            filter.state.map(|state| i16::from(state as u8)),
            filter.event.map(|event| event.0),
        );
        let mut conditions = String::from("r.workspace = $1 AND r.id < $2");
        let mut values: Vec<&(dyn ToSql + Sync)> = vec![&workspace.0, &before];
        let mut and = |column: &str, value| {
            values.push(value);
            conditions.push_str(&format!(" AND r.{column} = ${}", values.len()));
        };
        if let Some(automation) = &filter.automation {
            and("automation", automation);
        }
        if let Some(state) = &state {
            and("state", state);
        }
        if let Some(event) = &event {
            and("event", event);
        }
        values.push(&limit);
        let sql = format!("{RUN} WHERE {conditions} ORDER BY r.id DESC LIMIT ${}", values.len());
        let client = self.core.client().await?;
        let statement = client.prepare_cached(&sql).await?;
        let rows = client.query(&statement, &values).await?;
        rows.iter().map(run_row).collect()
    }

    async fn let_go_on(
        &self,
        workspace: WorkspaceId,
        id: RunId,
        version: Option<Arc<Version>>,
        now_ms: i64,
    ) -> Result<bool, Trouble> {
        let mut client = self.core.client().await?;
        let tx = client.transaction().await?;
        if let Some(version) = &version {
            keep_version(&*tx, workspace, version).await?;
        }
        let digest = version.as_ref().map(|version| &version.digest[..]);
        let changed = tx
            .execute(
                "UPDATE run SET state = 0, attempts = 0, due_ms = $3, problem = NULL, ended_ms = NULL, fence = fence + 1,
                     version = coalesce($4, version)
                 WHERE id = $1 AND workspace = $2 AND state = 12",
                &[&id.0, &workspace.0, &now_ms, &digest],
            )
            .await?;
        tx.commit().await?;
        Ok(changed > 0)
    }
}

impl Runs for PostgresStore {
    fn take_runs(&self, now_ms: i64, lease_ms: i64, most: usize) -> Answer<'_, Vec<TakenRun>> {
        Box::pin(async move { Ok(self.take_due(now_ms, lease_ms, most).await?) })
    }

    fn next_run_ms(&self) -> Answer<'_, Option<i64>> {
        Box::pin(async move {
            let client = self.core.client().await?;
            let row = client
                .query_one("SELECT min(due_ms) FROM run WHERE state < 10", &[])
                .await;
            Ok(row.map_err(Trouble::from)?.get(0))
        })
    }

    fn turn_of(&self, workspace: WorkspaceId, automation: &str, step: &str) -> Answer<'_, i64> {
        let (automation, step) = (automation.to_owned(), step.to_owned());
        Box::pin(async move {
            let client = self.core.client().await?;
            let row = client
                .query_opt(
                    "SELECT turn FROM rotation WHERE workspace = $1 AND automation = $2 AND step = $3",
                    &[&workspace.0, &automation, &step],
                )
                .await;
            Ok(row.map_err(Trouble::from)?.map_or(0, |row| row.get(0)))
        })
    }

    fn runs(&self, workspace: WorkspaceId, filter: RunFilter, page: Page) -> Answer<'_, Vec<RunRow>> {
        Box::pin(async move { Ok(self.list_runs(workspace, &filter, page).await?) })
    }

    fn run(&self, workspace: WorkspaceId, id: RunId) -> Answer<'_, Option<RunRow>> {
        Box::pin(async move {
            let client = self.core.client().await?;
            let sql = format!("{RUN} WHERE r.id = $1 AND r.workspace = $2");
            let row = client.query_opt(&sql, &[&id.0, &workspace.0]).await;
            let row = row.map_err(Trouble::from)?;
            Ok(row.as_ref().map(run_row).transpose()?)
        })
    }

    fn run_steps(&self, workspace: WorkspaceId, id: RunId) -> Answer<'_, Vec<StepRow>> {
        Box::pin(async move {
            let client = self.core.client().await?;
            let rows = client
                .query(STEPS, &[&id.0, &workspace.0])
                .await
                .map_err(Trouble::from)?;
            let found: Result<_, Trouble> = rows.iter().map(step_row).collect();
            Ok(found?)
        })
    }

    fn retry_run(
        &self,
        workspace: WorkspaceId,
        id: RunId,
        version: Option<Arc<Version>>,
        now_ms: i64,
    ) -> Answer<'_, bool> {
        Box::pin(async move { Ok(self.let_go_on(workspace, id, version, now_ms).await?) })
    }
}

fn digest(bytes: &[u8]) -> [u8; 16] {
    bytes.try_into().unwrap_or_default()
}

/// See [`TAKE`] for the columns.
fn taken(row: &Row) -> Result<TakenRun, Trouble> {
    let body: Option<&str> = row.get(10);
    Ok(TakenRun {
        id: RunId(row.get(0)),
        workspace: WorkspaceId(row.get(1)),
        automation: row.get::<_, &str>(2).into(),
        version: Version {
            digest: digest(row.get(3)),
            body: body.unwrap_or_default().into(),
        },
        event: EventId(row.get(4)),
        kept: record::optional_from_text(row, 5)?,
        chain: record::from_text(row, 6)?,
        at: record::count(row.get::<_, i32>(7).into()),
        attempts: record::count(row.get::<_, i32>(8).into()),
        fence: row.get(9),
        results: Vec::new(),
    })
}

/// See [`RUN`] for the columns.
fn run_row(row: &Row) -> Result<RunRow, Trouble> {
    let state: u8 = record::count(row.get::<_, i16>(5).into());
    Ok(RunRow {
        id: RunId(row.get(0)),
        automation: row.get(1),
        body: record::from_text(row, 2)?,
        event: EventId(row.get(3)),
        chain: record::from_text(row, 4)?,
        // A state of a later version is treated like one in which nothing happens any more.
        state: RunState::from_number(state).unwrap_or(RunState::Stopped),
        at: record::count(row.get::<_, i32>(6).into()),
        attempts: record::count(row.get::<_, i32>(7).into()),
        due_ms: row.get(8),
        problem: record::optional_from_text(row, 9)?,
        ended_ms: row.get(10),
    })
}

/// See [`STEPS`] for the columns.
fn step_row(row: &Row) -> Result<StepRow, Trouble> {
    let outcome: u8 = record::count(row.get::<_, i16>(3).into());
    Ok(StepRow {
        at: record::count(row.get::<_, i32>(0).into()),
        name: row.get(1),
        action: row.get(2),
        outcome: StepOutcome::from_number(outcome).unwrap_or(StepOutcome::Done),
        result: record::from_text(row, 4)?,
        detail: record::from_text(row, 5)?,
        problem: record::optional_from_text(row, 6)?,
        at_ms: row.get(7),
    })
}
