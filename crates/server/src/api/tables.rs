//! `/v1/objects` and `/v1/tables`: what kinds of records there are, and tables of the user's own.

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use switchboard_hub::{record, store::DefinitionKind};
use switchboard_model::{
    problem::{Code, Problem},
    record::{Choice, Field, FieldKind, ObjectType},
};
use utoipa::ToSchema;

use super::{
    App,
    body::JsonBody,
    caller::Caller,
    problem::{Answer, ProblemSchema},
};

/// A kind of record: a standard object or a table of the user's own.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordObject)]
#[serde(rename_all = "camelCase")]
pub struct ObjectView {
    /// Its name in addresses: `people`, `customers`.
    #[schema(example = "customers")]
    key: String,
    /// For people.
    title: String,
    /// `false`: a standard object, at `/v1/{key}`; `true`: a table of the user's own, at `/v1/tables/{key}/rows`.
    table: bool,
    /// The first half of the types of its events.
    #[schema(example = "row")]
    event: String,
    /// What happens when a record comes that is there already: `update`, `find`, `create` or `ask`.
    on_duplicate: &'static str,
    /// By what two records are known to be one, the strongest first.
    keys: Vec<String>,
    /// The fields whose values are the record's title.
    titled_by: Vec<String>,
    /// The country of telephone numbers that come without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    /// Its fields.
    fields: Vec<ObjectField>,
}

/// A field of a kind of record.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectField {
    /// Its name.
    #[schema(example = "phone")]
    name: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// `text`, `integer`, `number`, `boolean`, `date`, `time`, `datetime`, `email`, `phone`, `url`, `money`, `select`, `multi-select`,
    /// `json`, `lookup`, or `ids`: ids by system.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Whether a new record needs it.
    required: bool,
    /// What a new record gets that brings none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    default: Option<Value>,
    /// Most characters of a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<usize>,
    /// The values that it takes; absent: any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    options: Vec<FieldOption>,
    /// The object whose records it refers to.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    /// Other names under which it is taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    aliases: Vec<String>,
    /// Whether a user defined it.
    custom: bool,
}

/// A value that a field may have.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldOption {
    /// What is kept.
    value: String,
    /// What people read, where it is something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
}

impl From<&Field> for ObjectField {
    fn from(field: &Field) -> Self {
        let options: &[Choice] = match &field.kind {
            FieldKind::Select(options) | FieldKind::MultiSelect(options) => options,
            _ => &[],
        };
        Self {
            name: field.name.clone(),
            title: field.title.clone(),
            kind: field.kind.name(),
            required: field.required,
            default: field.default.clone(),
            max: field.max,
            options: options
                .iter()
                .map(|choice| FieldOption {
                    value: choice.value.clone(),
                    title: choice.title.clone(),
                })
                .collect(),
            object: match &field.kind {
                FieldKind::Lookup(object) => Some(object.clone()),
                _ => None,
            },
            aliases: field.aliases.clone(),
            custom: field.custom,
        }
    }
}

impl From<&ObjectType> for ObjectView {
    fn from(object: &ObjectType) -> Self {
        Self {
            key: object.name.clone(),
            title: object.title.clone(),
            table: object.is_table,
            event: object.singular.clone(),
            on_duplicate: object.policy.name(),
            keys: object.keys.iter().map(|by| by.word().to_owned()).collect(),
            titled_by: object.titled_by.clone(),
            country: object.country.clone(),
            fields: object.fields.values().map(ObjectField::from).collect(),
        }
    }
}

/// Kinds of records.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordObjects)]
pub struct ObjectsView {
    /// All of them.
    items: Vec<ObjectView>,
}

/// What can be said of a table; the members of a field are those of `ObjectField`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TableDefinition)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "a description, not a value")]
pub struct DefinitionSchema {
    /// Its name: letters, digits, `_` and `-`, beginning with a letter; in the address when it is changed.
    #[schema(required = false, example = "customers")]
    key: Option<String>,
    /// For people.
    #[schema(required = false)]
    title: Option<String>,
    /// Its fields: a list of objects with `name` and `type`, or an object of types by name.
    #[schema(value_type = Value, example = json!([{"name": "name", "type": "text"}, {"name": "phone", "type": "phone"}]))]
    fields: Value,
    /// By which fields two rows are known to be one, the strongest first; `externalId` for ids of other systems.
    #[schema(required = false)]
    keys: Option<Vec<String>>,
    /// The fields whose values are the row's title.
    #[schema(required = false)]
    titled_by: Option<Vec<String>>,
    /// `update`, `find`, `create` or `ask`.
    #[schema(required = false)]
    on_duplicate: Option<String>,
    /// The country of telephone numbers that come without one, two letters of ISO 3166.
    #[schema(required = false)]
    country: Option<String>,
}

/// List the kinds of records: the standard objects with their fields, and the tables.
#[utoipa::path(
    get, path = "/v1/objects", tag = "records", operation_id = "listObjects",
    responses(
        (status = 200, description = "All of them", body = ObjectsView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn objects(State(app): State<App>, caller: Caller) -> Json<ObjectsView> {
    let objects = app.hub.objects(caller.workspace);
    Json(ObjectsView {
        items: objects.iter().map(|object| ObjectView::from(&**object)).collect(),
    })
}

/// List the user's own tables.
#[utoipa::path(
    get, path = "/v1/tables", tag = "records", operation_id = "listTables",
    responses(
        (status = 200, description = "All of them", body = ObjectsView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn list(State(app): State<App>, caller: Caller) -> Json<ObjectsView> {
    let objects = app.hub.objects(caller.workspace);
    let tables = objects.iter().filter(|object| object.is_table);
    Json(ObjectsView {
        items: tables.map(|object| ObjectView::from(&**object)).collect(),
    })
}

/// Define a table.
#[utoipa::path(
    post, path = "/v1/tables", tag = "records", operation_id = "createTable",
    request_body(content = DefinitionSchema, content_type = "application/json", description = "The table, with its name as `key`"),
    responses(
        (status = 201, description = "The table", body = ObjectView),
        (status = 409, description = "There is a table or an object with this name", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "What is wrong, all of it, each with its place", body = ProblemSchema, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn create(State(app): State<App>, caller: Caller, JsonBody(body): JsonBody) -> Answer<Response> {
    let name = body.get("key").and_then(Value::as_str).unwrap_or_default().to_owned();
    if name.is_empty() {
        let problem = Problem::new(
            Code::WrongShape,
            "The table has no name",
            "Add for example \"key\": \"customers\".",
        );
        return Err(problem.at("/key").into());
    }
    if app.hub.objects(caller.workspace).find(&name).is_some() {
        let shown: String = name.chars().take(80).collect();
        let problem = Problem::new(
            Code::WrongState,
            format!("There is `{shown}` already"),
            "Choose another name, or change it with PUT /v1/tables/{table}.",
        );
        return Err(problem.at("/key").into());
    }
    app.hub.define_object(caller.workspace, &name, &body).await?;
    Ok((StatusCode::CREATED, shown(&app, &caller, &name)?).into_response())
}

/// A table or a standard object with its fields.
#[utoipa::path(
    get, path = "/v1/tables/{table}", tag = "records", operation_id = "getTable",
    params(("table" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "The table", body = ObjectView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn get(State(app): State<App>, caller: Caller, Path(name): Path<String>) -> Answer<Json<ObjectView>> {
    Ok(shown(&app, &caller, &name)?)
}

/// Define a table, in place of what was said of it before; or add fields to a standard object.
///
/// Rows keep what they have of a field that is no longer there; it is shown again when the field is.
#[utoipa::path(
    put, path = "/v1/tables/{table}", tag = "records", operation_id = "putTable",
    params(("table" = String, Path, description = "Its name; of a standard object, such as `people`, the fields are added to those that it has")),
    request_body(content = DefinitionSchema, content_type = "application/json"),
    responses(
        (status = 200, description = "The table", body = ObjectView),
        (status = 422, description = "What is wrong, all of it, each with its place", body = ProblemSchema, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn put(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer<Json<ObjectView>> {
    app.hub.define_object(caller.workspace, &name, &body).await?;
    Ok(shown(&app, &caller, &name)?)
}

/// Remove a table that has no rows, or what was added to a standard object.
#[utoipa::path(
    delete, path = "/v1/tables/{table}", tag = "records", operation_id = "deleteTable",
    params(("table" = String, Path, description = "Its name")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 409, description = "It has rows", body = ProblemSchema, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn delete(State(app): State<App>, caller: Caller, Path(name): Path<String>) -> Answer<StatusCode> {
    app.hub
        .remove_definition(caller.workspace, DefinitionKind::Object, &name)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shown(app: &App, caller: &Caller, name: &str) -> Result<Json<ObjectView>, Problem> {
    // One that a later version has written is kept, and says why it is not used.
    if let Some(problem) = app.hub.unreadable_object(caller.workspace, name) {
        return Err(problem);
    }
    let objects = app.hub.objects(caller.workspace);
    Ok(Json(ObjectView::from(&**record::object(&objects, name)?)))
}
