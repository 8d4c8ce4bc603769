//! `POST /v1/automations/{key}/try`: what an automation would do.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Serialize;
use serde_json::{Map, Value};
use switchboard_hub::automate::{Tried, TriedStep};
use switchboard_model::{
    event::{Event, EventType},
    id::EventId,
    problem::{Code, Problem, ProblemBody},
};
use utoipa::ToSchema;

use super::super::{
    App,
    body::JsonBody,
    caller::Caller,
    incoming,
    problem::{Answer, ProblemSchema},
};
use crate::nearest::did_you_mean;

/// What an automation is tried on: a past event by its id, or a sample.
#[derive(Debug, Serialize, ToSchema)]
#[allow(dead_code, reason = "a description, not a value")]
#[schema(as = AutomationTrial)]
pub struct TrialSchema {
    /// The id of a past event.
    #[schema(required = false)]
    event: String,
    /// The type of a sample; without it the first type that the automation takes.
    #[schema(required = false, example = "order.created")]
    r#type: String,
    /// The data of a sample.
    #[schema(required = false, value_type = Object)]
    data: Value,
    /// Another definition of the automation, which is tried instead of the one that is kept.
    #[schema(required = false, value_type = Object)]
    automation: Value,
}

/// What an automation would do. Nothing of it was done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AutomationTried)]
pub struct TriedView {
    /// Whether such an event begins a run.
    begins: bool,
    /// Why it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What each step would do, whether or not a run begins. The step that would fail or end the run is the last one.
    steps: Vec<TriedStepView>,
}

/// What a step would do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AutomationTriedStep)]
pub struct TriedStepView {
    /// Its name.
    name: String,
    /// What it does.
    action: &'static str,
    /// `done`, `skipped`, `waiting`, `stopped` or `failed`.
    outcome: &'static str,
    /// What it would do, or why nothing; `null` when it would fail.
    detail: Value,
    /// What would go wrong.
    #[schema(value_type = Option<ProblemSchema>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ProblemBody>,
}

impl From<Tried> for TriedView {
    fn from(tried: Tried) -> Self {
        let view = |step: TriedStep| TriedStepView {
            name: step.name,
            action: step.action,
            outcome: step.outcome,
            detail: step.detail,
            problem: step.problem.as_ref().map(ProblemBody::from),
        };
        Self {
            begins: tried.begins,
            reason: tried.reason,
            steps: tried.steps.into_iter().map(view).collect(),
        }
    }
}

/// Try an automation on a past event or a sample: it says what each step would do, and does nothing.
///
/// Records are looked for as they are now. What a step would write is seen by the later ones.
#[utoipa::path(
    post, path = "/v1/automations/{key}/try", tag = "automations", operation_id = "tryAutomation",
    params(("key" = String, Path, description = "The automation's key")),
    request_body = TrialSchema,
    responses(
        (status = 200, description = "What it would do", body = TriedView),
        (status = 422, description = "The sample or the definition is wrong", body = ProblemSchema, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn try_out(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<String>,
    body: JsonBody,
) -> Answer<Json<TriedView>> {
    let mut asked = members(body.0)?;
    let definition = match asked.shift_remove("automation") {
        Some(definition) if !definition.is_null() => super::keyed(definition, &key)?,
        _ => app.hub.automation(caller.workspace, &key)?.body,
    };
    let event = event_of(&app, &caller, asked, &definition).await?;
    let tried = app.hub.try_automation(caller.workspace, &definition, event).await?;
    Ok(Json(tried.into()))
}

fn members(body: Value) -> Result<Map<String, Value>, Problem> {
    const KNOWN: [&str; 4] = ["event", "type", "data", "automation"];
    let Value::Object(members) = body else {
        return Err(wrong("", "The body is an object".into()));
    };
    let mut names = members.keys();
    if let Some(name) = names.find(|name| !KNOWN.contains(&name.as_str())) {
        let shown: String = name.chars().take(80).collect();
        let detail = format!("`{shown}` is not known here{}", did_you_mean(name, KNOWN));
        return Err(wrong(name, detail));
    }
    Ok(members)
}

fn wrong(place: &str, detail: String) -> Problem {
    let next = "Send {\"event\": \"evt_…\"} for a past event, or {\"type\": …, \"data\": {…}} for a sample.";
    Problem::new(Code::WrongShape, detail, next).at(format!("/{place}"))
}

/// The past event that is named, or the sample.
async fn event_of(
    app: &App,
    caller: &Caller,
    mut asked: Map<String, Value>,
    definition: &Value,
) -> Result<Event, Problem> {
    match asked.shift_remove("event") {
        None | Some(Value::Null) => {}
        Some(id) => {
            let id = id.as_str().unwrap_or_default();
            let id: EventId = id.parse().map_err(|error| wrong("event", format!("{error}")))?;
            let found = app.hub.event(caller.workspace, id).await?;
            let gone = || {
                Problem::new(
                    Code::NotFound,
                    format!("There is no event {id}."),
                    "GET /v1/events lists the events.",
                )
            };
            return Ok(found.ok_or_else(gone)?.event);
        }
    }
    if !asked.contains_key("type") {
        let first = match definition.get("on") {
            Some(Value::Array(types)) => types.first().and_then(Value::as_str),
            Some(Value::String(name)) => Some(name.as_str()),
            _ => None,
        };
        let exact = first.filter(|name| EventType::find(name).is_some());
        let exact = exact.ok_or_else(|| wrong("type", "The sample needs a `type`".into()))?;
        asked.insert("type".into(), exact.into());
    }
    let sample = incoming::read(Value::Object(asked), "", &app.limits)?;
    Ok(Event {
        id: EventId(0),
        workspace: caller.workspace,
        kind: sample.kind,
        received_ms: app.hub.now_ms(),
        data: sample.data.into_parts().0,
    })
}
