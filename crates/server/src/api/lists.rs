//! `/v1/lists`: named lists of values, for the filter `lookup` in templates.

use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
use switchboard_hub::{
    clock::moment,
    store::{DefinitionKind, DefinitionRow},
};
use switchboard_model::problem::{Code, Problem};
use utoipa::ToSchema;

use super::{
    App,
    body::JsonBody,
    caller::Caller,
    problem::{Answer, ProblemSchema},
};

/// A named list of values.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ValueList)]
#[serde(rename_all = "camelCase")]
pub struct ListView {
    /// Its name: `{{ payload.channel | lookup: 'NAME' }}`.
    #[schema(example = "channels")]
    key: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// The values by key.
    values: Map<String, Value>,
    /// When it was changed last.
    changed_at: String,
}

impl From<DefinitionRow> for ListView {
    fn from(row: DefinitionRow) -> Self {
        Self {
            title: row.spec.get("title").and_then(Value::as_str).map(str::to_owned),
            values: row
                .spec
                .get("values")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default(),
            changed_at: moment(row.changed_ms),
            key: row.key,
        }
    }
}

/// Named lists of values.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ValueLists)]
pub struct ListsView {
    /// All of them, in the order in which they were made.
    items: Vec<ListView>,
}

/// What can be said of a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ValueListDefinition)]
#[allow(dead_code, reason = "a description, not a value")]
pub struct ListSchema {
    /// For people.
    #[schema(required = false)]
    title: Option<String>,
    /// Texts, numbers, `true` or `false` by key.
    values: Map<String, Value>,
}

/// List the named lists of values.
#[utoipa::path(
    get, path = "/v1/lists", tag = "records", operation_id = "listValueLists",
    responses(
        (status = 200, description = "All of them", body = ListsView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn list(State(app): State<App>, caller: Caller) -> Answer<Json<ListsView>> {
    let rows = app.hub.definitions(caller.workspace, DefinitionKind::List).await?;
    Ok(Json(ListsView {
        items: rows.into_iter().map(ListView::from).collect(),
    }))
}

/// One list.
#[utoipa::path(
    get, path = "/v1/lists/{list}", tag = "records", operation_id = "getValueList",
    params(("list" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "The list", body = ListView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn get(State(app): State<App>, caller: Caller, Path(name): Path<String>) -> Answer<Json<ListView>> {
    Ok(Json(find(&app, &caller, &name).await?))
}

/// Write a list, in place of the one with its name.
#[utoipa::path(
    put, path = "/v1/lists/{list}", tag = "records", operation_id = "putValueList",
    params(("list" = String, Path, description = "Its name: letters, digits, `_` and `-`, beginning with a letter")),
    request_body(content = ListSchema, content_type = "application/json"),
    responses(
        (status = 200, description = "The list", body = ListView),
        (status = 422, description = "What is wrong, all of it, each with its place", body = ProblemSchema, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn put(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer<Json<ListView>> {
    app.hub.define_list(caller.workspace, &name, &body).await?;
    Ok(Json(find(&app, &caller, &name).await?))
}

/// Remove a list.
#[utoipa::path(
    delete, path = "/v1/lists/{list}", tag = "records", operation_id = "deleteValueList",
    params(("list" = String, Path, description = "Its name")),
    responses(
        (status = 204, description = "It is gone"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn delete(State(app): State<App>, caller: Caller, Path(name): Path<String>) -> Answer<StatusCode> {
    app.hub
        .remove_definition(caller.workspace, DefinitionKind::List, &name)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(app: &App, caller: &Caller, name: &str) -> Result<ListView, Problem> {
    let rows = app.hub.definitions(caller.workspace, DefinitionKind::List).await?;
    let found = rows.into_iter().find(|row| row.key == name);
    found.map(ListView::from).ok_or_else(|| {
        let shown: String = name.chars().take(80).collect();
        Problem::new(
            Code::NotFound,
            format!("There is no list `{shown}`."),
            "GET /v1/lists names them all.",
        )
    })
}
