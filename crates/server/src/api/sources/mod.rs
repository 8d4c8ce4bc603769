//! `/v1/sources`: what pushes to us, what was pushed, and what became of it.

mod callbacks;
mod preview;
mod views;

pub use callbacks::{
    __path_callback, __path_callbacks, __path_refused, __path_reprocess, callback, callbacks, refused, reprocess,
};
pub use preview::{__path_preview, preview};
use views::{ReadySources, SourceList, SourceView, WrittenSource};

use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use switchboard_connect::{
    document::Document,
    guide,
    source::{SourceSpec, ready},
};
use switchboard_model::problem::{Code, Problem};
use utoipa::ToSchema;

use super::{
    App,
    body::{JsonBody, TextBody},
    caller::Caller,
    problem::{Answer, ProblemSchema},
};

/// What places in a posted source begin with.
const BODY: &str = "body";

/// What can be posted as a source. Beside these members, those of `sources/source.schema.json` from `time_zone` on take the place of the ready
/// source's.
#[derive(Debug, Serialize, ToSchema)]
#[allow(dead_code, reason = "a description, not a value")]
#[schema(as = NewSource)]
pub struct NewSource {
    /// Your own id; without it, the name of the ready source.
    #[schema(required = false, example = "feiyu")]
    key: Option<String>,
    /// The ready source that it is; GET /v1/sources/ready lists them, `json` takes whatever is sent.
    #[schema(example = "feiyu")]
    source: String,
    /// What stands behind `/in/`; unique in the installation.
    #[schema(example = "callback")]
    path: String,
    /// Adds a random segment to the path that nobody guesses.
    #[schema(required = false)]
    unguessable: Option<bool>,
    /// For people.
    #[schema(required = false)]
    name: Option<String>,
    /// `false`: requests are answered with 503.
    #[schema(required = false)]
    enabled: Option<bool>,
    /// `true`: what comes is kept and shown, and makes nothing.
    #[schema(required = false)]
    test_mode: Option<bool>,
    /// Settings of the ready source.
    #[schema(required = false, value_type = Object)]
    settings: Option<Value>,
    /// Secrets of the ready source; never shown again. Those that are not named stay as they are, one that is blank goes.
    #[schema(required = false, value_type = Object)]
    secrets: Option<Value>,
    /// The body with which a callback is acknowledged, with status 200.
    #[schema(required = false, value_type = Object)]
    reply: Option<Value>,
    /// Records that are written beside what the ready source makes: one, or a list.
    #[schema(required = false, value_type = Object)]
    mapping: Option<Value>,
    /// Tables for the filter `lookup`.
    #[schema(required = false, value_type = Object)]
    lookups: Option<Value>,
}

/// What can be switched.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SourceSwitches)]
pub struct Switches {
    /// `false`: requests are answered with 503.
    #[serde(default)]
    enabled: Option<bool>,
    /// `true`: what comes is kept and shown, and makes nothing.
    #[serde(default)]
    test_mode: Option<bool>,
}

/// List the sources.
#[utoipa::path(
    get, path = "/v1/sources", tag = "sources", operation_id = "listSources",
    responses(
        (status = 200, description = "All of them", body = SourceList),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn list(State(app): State<App>, caller: Caller) -> Answer<Json<SourceList>> {
    let sources = app.hub.sources(caller.workspace);
    let items = sources
        .into_iter()
        .map(|source| SourceView::of(source, &app.public_url));
    Ok(Json(SourceList { items: items.collect() }))
}

/// List the ready sources.
#[utoipa::path(
    get, path = "/v1/sources/ready", tag = "sources", operation_id = "listReadySources",
    responses(
        (status = 200, description = "All of them", body = ReadySources),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn list_ready(_caller: Caller) -> Json<ReadySources> {
    Json(ReadySources {
        items: ready::ready().map(|ready| (&**ready).into()).collect(),
    })
}

/// Make a source.
#[utoipa::path(
    post, path = "/v1/sources", tag = "sources", operation_id = "createSource",
    request_body(content = NewSource, description = "The source; a receiver file of the guides is one as it is."),
    responses(
        (status = 201, description = "It is there, and takes requests", body = WrittenSource),
        (status = 409, description = "There is a source with this key", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "What is wrong, all of it", body = ProblemSchema, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    TextBody(text): TextBody,
) -> Answer<(StatusCode, Json<WrittenSource>)> {
    let spec = read(&text, None)?;
    if app.hub.source(caller.workspace, &spec.key).is_ok() {
        let detail = format!("There is a source `{}` already.", spec.key);
        let next = format!(
            "Give the new one another `key`, or change the old one with PUT /v1/sources/{}.",
            spec.key
        );
        return Err(Problem::new(Code::WrongState, detail, next).into());
    }
    Ok((StatusCode::CREATED, Json(write(&app, &caller, spec).await?)))
}

/// Show a source.
#[utoipa::path(
    get, path = "/v1/sources/{key}", tag = "sources", operation_id = "getSource",
    params(("key" = String, Path, description = "Its key")),
    responses(
        (status = 200, description = "The source, without its secrets", body = SourceView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn get(State(app): State<App>, caller: Caller, Path(key): Path<String>) -> Answer<Json<SourceView>> {
    let source = app.hub.source(caller.workspace, &key)?;
    Ok(Json(SourceView::of(source, &app.public_url)))
}

/// Write a source, in place of the one with this key.
#[utoipa::path(
    put, path = "/v1/sources/{key}", tag = "sources", operation_id = "putSource",
    params(("key" = String, Path, description = "Its key")),
    request_body(content = NewSource, description = "The whole source; secrets that are not named stay."),
    responses(
        (status = 200, description = "It is written", body = WrittenSource),
        (status = 422, description = "What is wrong, all of it", body = ProblemSchema, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn put(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<String>,
    TextBody(text): TextBody,
) -> Answer<Json<WrittenSource>> {
    let spec = read(&text, Some(&key))?;
    Ok(Json(write(&app, &caller, spec).await?))
}

/// Switch a source on or off, or its test mode.
#[utoipa::path(
    patch, path = "/v1/sources/{key}", tag = "sources", operation_id = "switchSource",
    params(("key" = String, Path, description = "Its key")),
    request_body(content = Switches),
    responses(
        (status = 200, description = "It is written", body = WrittenSource),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn switch(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer<Json<WrittenSource>> {
    let switches: Switches = serde_json::from_value(body).map_err(|error| {
        let next = "Write {\"enabled\": true} or {\"test_mode\": false}.";
        Problem::new(Code::WrongShape, format!("The switches cannot be read: {error}"), next)
    })?;
    let mut spec = app.hub.source(caller.workspace, &key)?.spec;
    spec.enabled = switches.enabled.unwrap_or(spec.enabled);
    spec.test_mode = switches.test_mode.unwrap_or(spec.test_mode);
    Ok(Json(write(&app, &caller, spec).await?))
}

/// Take a source away. What was pushed to it stays until it is old enough.
#[utoipa::path(
    delete, path = "/v1/sources/{key}", tag = "sources", operation_id = "deleteSource",
    params(("key" = String, Path, description = "Its key")),
    responses(
        (status = 204, description = "It is gone"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn delete(State(app): State<App>, caller: Caller, Path(key): Path<String>) -> Answer<StatusCode> {
    app.hub.remove_source(caller.workspace, &key).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The source in a body. `key` is that of the address, if it has one; then the body may leave it out.
fn read(text: &str, key: Option<&str>) -> Result<SourceSpec, Problem> {
    let document = Document::parse(text, BODY)?;
    let mut spec = guide::read_source(&document).map_err(all)?;
    if let Some(key) = key {
        let named = document.value().get("key").and_then(Value::as_str);
        if named.is_some_and(|named| named != key) {
            let detail = format!("The address names the source `{key}`, the body another one.");
            return Err(Problem::new(Code::WrongValue, detail, "Leave `key` out of the body.").at("/key"));
        }
        key.clone_into(&mut spec.key);
    }
    Ok(spec)
}

fn all(problems: Vec<Problem>) -> Problem {
    Problem::all(problems)
        .unwrap_or_else(|| Problem::new(Code::WrongValue, "The source cannot be read.", "Check the body."))
}

async fn write(app: &App, caller: &Caller, spec: SourceSpec) -> Result<WrittenSource, Problem> {
    let key = spec.key.clone();
    let done = app.hub.write_source(caller.workspace, spec).await?;
    let tables = done.sources.into_iter().flat_map(|source| source.tables).collect();
    let source = app.hub.source(caller.workspace, &key)?;
    Ok(WrittenSource {
        source: SourceView::of(source, &app.public_url),
        tables,
    })
}
