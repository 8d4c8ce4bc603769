//! `/v1/runs`: what automations did, step by step.

use axum::{
    Json,
    extract::{Path, RawQuery, State},
};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use switchboard_hub::{
    RunView as Story,
    clock::moment,
    store::{RunFilter, RunRow, RunState, StepOutcome, StepRow},
};
use switchboard_model::{
    automation::Automation,
    id::{EventId, RunId, time_of},
    problem::{Code, Problem, ProblemBody},
};
use utoipa::ToSchema;

use super::super::{
    App,
    caller::Caller,
    page::{Listing, Query},
    problem::{Answer, ProblemSchema},
};
use crate::nearest::did_you_mean;

/// A run of an automation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Run)]
pub struct RunView {
    /// Its id.
    #[schema(example = "run_0sc2npb5m0004")]
    id: String,
    /// The key of its automation.
    automation: String,
    /// The event that set it going.
    event: String,
    /// The automations whose steps led to that event, one after the other.
    chain: Vec<String>,
    /// `running`, `waiting` (a step waits), `done`, `stopped` (a step ended it) or `failed`.
    state: &'static str,
    /// The step that is next, or that failed; absent when the run is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    /// How often that step has failed.
    attempts: u32,
    /// When it goes on, while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    goes_on_at: Option<String>,
    /// What went wrong.
    #[schema(value_type = Option<ProblemSchema>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ProblemBody>,
    /// When it began.
    began_at: String,
    /// When it was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<String>,
}

/// A run with what its steps did.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunStory {
    /// The run.
    #[serde(flatten)]
    run: RunView,
    /// What its steps did so far, in their order; those that were not reached are not among them.
    steps: Vec<StepView>,
    /// The automation as it was when the run began.
    #[schema(value_type = Object)]
    definition: Value,
}

/// What a step did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunStep)]
pub struct StepView {
    /// Its name.
    name: String,
    /// What it does.
    action: String,
    /// `done`, `skipped`, `waiting` or `failed`.
    outcome: &'static str,
    /// What it did, or why it did nothing; `null` when it failed.
    detail: Value,
    /// What later steps read of it; `null` when there is nothing.
    result: Value,
    /// What went wrong.
    #[schema(value_type = Option<ProblemSchema>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ProblemBody>,
    /// When.
    at: String,
}

impl From<&RunRow> for RunView {
    fn from(row: &RunRow) -> Self {
        let automation = Automation::read(&row.body).ok();
        let next = automation.and_then(|automation| {
            let step = automation.steps.get(row.at as usize)?;
            Some(step.name.to_string())
        });
        let waits = row.state == RunState::Waiting || (row.state == RunState::Running && row.problem.is_some());
        Self {
            id: row.id.to_string(),
            automation: row.automation.clone(),
            event: row.event.to_string(),
            chain: row.chain.clone(),
            state: row.state.name(),
            step: next,
            attempts: row.attempts,
            goes_on_at: waits.then(|| moment(row.due_ms)),
            problem: row.problem.clone(),
            began_at: moment(time_of(row.id.0)),
            ended_at: row.ended_ms.map(moment),
        }
    }
}

impl From<Story> for RunStory {
    fn from(story: Story) -> Self {
        let row = &story.row;
        let view = |step: StepRow| StepView {
            outcome: match step.outcome {
                // The run has gone on behind it since.
                StepOutcome::Waiting if row.state != RunState::Waiting || row.at != step.at + 1 => {
                    StepOutcome::Done.name()
                }
                outcome => outcome.name(),
            },
            name: step.name,
            action: step.action,
            detail: step.detail,
            result: step.result,
            problem: step.problem,
            at: moment(step.at_ms),
        };
        Self {
            run: row.into(),
            steps: story.steps.into_iter().map(view).collect(),
            definition: story.row.body,
        }
    }
}

const WORDS: [&str; 2] = ["state", "event"];

async fn page(
    app: &App,
    caller: &Caller,
    query: Option<&str>,
    words: &[&str],
    automation: Option<String>,
) -> Answer<Json<Listing<RunView>>> {
    let query = Query::read(query, &[words, &["limit", "before"]].concat())?;
    let state = query.parse("state", |name| {
        let found = RunState::ALL.into_iter().find(|state| state.name() == name);
        found.ok_or_else(|| {
            let known = RunState::ALL.map(RunState::name);
            format!(
                "`{name}` is no state; there are {}{}",
                known.join(", "),
                did_you_mean(name, known)
            )
        })
    })?;
    let event = query.parse("event", |id| id.parse::<EventId>().map_err(|error| error.to_string()))?;
    let filter = RunFilter {
        automation: automation.or_else(|| query.get("automation").map(str::to_owned)),
        state,
        event,
    };
    let page = query.page(|text| text.parse::<RunId>().map(|id| id.0))?;
    let rows = app.hub.runs(caller.workspace, filter, page).await?;
    let items: Vec<RunView> = rows.iter().map(RunView::from).collect();
    Ok(Json(Listing::of(items, page, |run| run.id.clone())))
}

/// List runs of automations, newest first.
#[utoipa::path(
    get, path = "/v1/runs", tag = "automations", operation_id = "listRuns",
    params(
        ("automation" = Option<String>, Query, description = "Of the automation with this key only"),
        ("state" = Option<String>, Query, description = "In this state only: running, waiting, done, stopped, failed"),
        ("event" = Option<String>, Query, description = "Of this event only"),
        ("limit" = Option<usize>, Query, description = "Rows of the page, 1 to 500; 50 when not given"),
        ("before" = Option<String>, Query, description = "The `next` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = Listing<RunView>),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn list(State(app): State<App>, caller: Caller, RawQuery(query): RawQuery) -> Answer<Json<Listing<RunView>>> {
    page(
        &app,
        &caller,
        query.as_deref(),
        &[&WORDS[..], &["automation"]].concat(),
        None,
    )
    .await
}

/// List the runs of an automation, newest first; also of one that was taken away.
#[utoipa::path(
    get, path = "/v1/automations/{key}/runs", tag = "automations", operation_id = "listRunsOfAutomation",
    params(
        ("key" = String, Path, description = "The automation's key"),
        ("state" = Option<String>, Query, description = "In this state only: running, waiting, done, stopped, failed"),
        ("event" = Option<String>, Query, description = "Of this event only"),
        ("limit" = Option<usize>, Query, description = "Rows of the page, 1 to 500; 50 when not given"),
        ("before" = Option<String>, Query, description = "The `next` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = Listing<RunView>),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn of_automation(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer<Json<Listing<RunView>>> {
    page(&app, &caller, query.as_deref(), &WORDS, Some(key)).await
}

/// One run with what each of its steps did.
#[utoipa::path(
    get, path = "/v1/runs/{id}", tag = "automations", operation_id = "getRun",
    params(("id" = String, Path, description = "The run's id")),
    responses(
        (status = 200, description = "The run and its steps", body = RunStory),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<Json<RunStory>> {
    let id = read_id(&id)?;
    Ok(Json(app.hub.run(caller.workspace, id).await?.into()))
}

/// Let a run that has failed go on at the step that failed.
///
/// It takes the automation as it is now, where the steps up to that one have the same names as before; else as it was when the run began.
/// What earlier steps did stays as it is.
#[utoipa::path(
    post, path = "/v1/runs/{id}/retry", tag = "automations", operation_id = "retryRun",
    params(("id" = String, Path, description = "The run's id")),
    responses(
        (status = 202, description = "It goes on", body = RunStory),
        (status = 409, description = "It has not failed", body = ProblemSchema, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn retry(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<(StatusCode, Json<RunStory>)> {
    let id = read_id(&id)?;
    let story = app.hub.retry_run(caller.workspace, id).await?;
    tracing::info!(key = caller.name(), run = %id, "a run of an automation goes on");
    Ok((StatusCode::ACCEPTED, Json(story.into())))
}

fn read_id(text: &str) -> Result<RunId, Problem> {
    text.parse().map_err(|error| {
        Problem::new(
            Code::NotFound,
            format!("{error}"),
            "GET /v1/runs lists the runs with their ids.",
        )
    })
}
