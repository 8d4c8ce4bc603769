//! `/v1/automations`: what is done when something happens.

pub mod runs;
pub mod trial;

use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use switchboard_hub::{AutomationView as Row, clock::moment};
use switchboard_model::{
    automation::AutomationSpec,
    problem::{Code, Problem, ProblemBody},
};
use utoipa::ToSchema;

use super::{
    App,
    body::JsonBody,
    caller::Caller,
    problem::{Answer, ProblemSchema},
};

/// An automation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Automation)]
pub struct AutomationView {
    /// The user's own id.
    #[schema(example = "hot-leads")]
    key: String,
    /// The name that people see.
    name: String,
    /// `false`: kept, but takes nothing.
    enabled: bool,
    /// The event types that it takes: `order.created`, `order.*` or `*`.
    on: Vec<String>,
    /// Its steps in their order.
    steps: Vec<StepName>,
    /// All of it as it was written; what `PUT` takes.
    #[schema(value_type = Object)]
    definition: Value,
    /// Why it takes nothing although it is switched on.
    #[schema(value_type = Option<ProblemSchema>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ProblemBody>,
    /// When it was written last.
    changed_at: String,
}

/// A step of an automation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AutomationStep)]
pub struct StepName {
    /// Its name; later steps read what it brought as `steps.NAME`.
    name: String,
    /// What it does: `create`, `update`, `upsert`, `find`, `send`, `notify`, `webhook`, `wait`, `assign` or `stop`.
    action: &'static str,
}

impl From<Row> for AutomationView {
    fn from(row: Row) -> Self {
        let steps = row.steps.into_iter().map(|(name, action)| StepName { name, action });
        Self {
            key: row.key,
            name: row.name,
            enabled: row.enabled,
            on: row.on,
            steps: steps.collect(),
            definition: row.body,
            problem: row.problem.as_ref().map(ProblemBody::from),
            changed_at: moment(row.changed_ms),
        }
    }
}

/// Every automation.
#[derive(Debug, Serialize, ToSchema)]
pub struct Automations {
    /// In the order in which they were made.
    items: Vec<AutomationView>,
}

/// What a person writes about an automation. The guide to automations describes every action.
#[derive(Debug, Serialize, ToSchema)]
#[allow(dead_code, reason = "a description, not a value")]
#[schema(as = AutomationDefinition)]
pub struct DefinitionSchema {
    /// The user's own id. The one in the address, when it is given.
    #[schema(required = false, example = "hot-leads")]
    key: String,
    /// The name that people see.
    #[schema(required = false)]
    name: String,
    /// `false`: kept, but takes nothing. `true` when it is not given.
    #[schema(required = false)]
    enabled: bool,
    /// The event types that it takes; one may stand without a list.
    #[schema(example = json!(["form.submitted"]))]
    on: Vec<String>,
    /// CEL; what must hold besides.
    #[schema(required = false, example = "score >= 8")]
    when: String,
    /// What is done, in this order: 1 to 50 steps, each with one action, and optionally `name` and `when`.
    #[schema(value_type = Vec<Object>, example = json!([{ "name": "person", "upsert": { "object": "people", "match": ["email"], "fields": { "email": "{{ senderEmail }}" } } }]))]
    steps: Vec<Value>,
}

/// List the automations.
#[utoipa::path(
    get, path = "/v1/automations", tag = "automations", operation_id = "listAutomations",
    responses(
        (status = 200, description = "All of them", body = Automations),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn list(State(app): State<App>, caller: Caller) -> Answer<Json<Automations>> {
    let items = app.hub.automations(caller.workspace).into_iter();
    Ok(Json(Automations {
        items: items.map(AutomationView::from).collect(),
    }))
}

/// One automation.
#[utoipa::path(
    get, path = "/v1/automations/{key}", tag = "automations", operation_id = "getAutomation",
    params(("key" = String, Path, description = "The automation's key")),
    responses(
        (status = 200, description = "The automation", body = AutomationView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn get(State(app): State<App>, caller: Caller, Path(key): Path<String>) -> Answer<Json<AutomationView>> {
    Ok(Json(app.hub.automation(caller.workspace, &key)?.into()))
}

/// Write an automation, in place of what is kept under its key.
///
/// Everything that can be known is checked: templates, conditions, steps that are read before they are taken, kinds of records and fields
/// that do not exist. Runs that have begun go on as they began.
#[utoipa::path(
    put, path = "/v1/automations/{key}", tag = "automations", operation_id = "putAutomation",
    params(("key" = String, Path, description = "The automation's key")),
    request_body = DefinitionSchema,
    responses(
        (status = 200, description = "It is written", body = AutomationView),
        (status = 422, description = "What is wrong, all of it", body = ProblemSchema, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn put(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<String>,
    body: JsonBody,
) -> Answer<Json<AutomationView>> {
    let body = keyed(body.0, &key)?;
    let spec = AutomationSpec { key, body };
    let written = app.hub.put_automation(caller.workspace, spec).await?;
    tracing::info!(
        key = caller.name(),
        automation = written.key,
        "an automation was written"
    );
    Ok(Json(written.into()))
}

/// The definition with the key of the address.
fn keyed(mut body: Value, key: &str) -> Result<Value, Problem> {
    let Some(members) = body.as_object_mut() else {
        return Err(Problem::new(
            Code::WrongShape,
            "An automation is an object",
            "Send an object with the members on and steps.",
        ));
    };
    match members.get("key") {
        None | Some(Value::Null) => {
            members.insert("key".into(), key.into());
            Ok(body)
        }
        Some(Value::String(own)) if own == key => Ok(body),
        Some(_) => Err(Problem::new(
            Code::WrongValue,
            "The key in the body is not the one in the address",
            "Leave it out, or give the same one in both places.",
        )
        .at("/key")),
    }
}

/// Take an automation away.
///
/// Runs that have begun go on, and can be looked at.
#[utoipa::path(
    delete, path = "/v1/automations/{key}", tag = "automations", operation_id = "deleteAutomation",
    params(("key" = String, Path, description = "The automation's key")),
    responses(
        (status = 204, description = "It is gone"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn delete(State(app): State<App>, caller: Caller, Path(key): Path<String>) -> Answer<StatusCode> {
    app.hub.remove_automation(caller.workspace, &key).await?;
    tracing::info!(key = caller.name(), automation = key, "an automation was taken away");
    Ok(StatusCode::NO_CONTENT)
}

/// Switch an automation on.
#[utoipa::path(
    post, path = "/v1/automations/{key}/enable", tag = "automations", operation_id = "enableAutomation",
    params(("key" = String, Path, description = "The automation's key")),
    responses(
        (status = 200, description = "It is on", body = AutomationView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn enable(State(app): State<App>, caller: Caller, Path(key): Path<String>) -> Answer<Json<AutomationView>> {
    switch(&app, &caller, &key, true).await
}

/// Switch an automation off. Runs that have begun go on.
#[utoipa::path(
    post, path = "/v1/automations/{key}/disable", tag = "automations", operation_id = "disableAutomation",
    params(("key" = String, Path, description = "The automation's key")),
    responses(
        (status = 200, description = "It is off", body = AutomationView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn disable(State(app): State<App>, caller: Caller, Path(key): Path<String>) -> Answer<Json<AutomationView>> {
    switch(&app, &caller, &key, false).await
}

async fn switch(app: &App, caller: &Caller, key: &str, enabled: bool) -> Answer<Json<AutomationView>> {
    let view = app.hub.switch_automation(caller.workspace, key, enabled).await?;
    tracing::info!(
        key = caller.name(),
        automation = key,
        enabled,
        "an automation was switched"
    );
    Ok(Json(view.into()))
}
