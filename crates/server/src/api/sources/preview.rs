//! What a mapping would make of a sample: nothing is written, and nothing is called.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, State},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use switchboard_connect::{
    document::Document,
    guide,
    source::{self, MadeEvent, MadeRecord, Mode, Request, SourceSpec},
};
use switchboard_hub::Sample;
use switchboard_model::problem::{Code, Problem, ProblemBody};
use utoipa::ToSchema;

use super::callbacks::read_id;
use crate::api::{
    App,
    body::JsonBody,
    caller::Caller,
    problem::{Answer, ProblemSchema},
};

/// What is tried, and on what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PreviewRequest)]
pub struct Wanted {
    /// Members of the source that are tried in place of those that are kept: `mapping`, `events`, `lookups`, `settings` …
    #[serde(default)]
    #[schema(value_type = Object, required = false)]
    change: Option<Map<String, Value>>,
    /// A callback that was kept, `cbk_…`; without it and without `sample`, the newest.
    #[serde(default)]
    callback: Option<String>,
    /// A body as the pusher would send it: JSON as it is.
    #[serde(default)]
    sample: Option<Value>,
    /// A whole request in place of `sample`.
    #[serde(default)]
    request: Option<SampleRequest>,
    /// What fetching would bring, by address.
    #[serde(default)]
    #[schema(value_type = Object, required = false)]
    fetched: Option<Map<String, Value>>,
}

/// A request as a pusher would send it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SampleRequest {
    /// `POST` when not given.
    #[serde(default)]
    method: Option<String>,
    /// What stands behind the question mark.
    #[serde(default)]
    query: Option<String>,
    /// Headers by name.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The body as text.
    #[serde(default)]
    body: Option<String>,
    /// The body as base 64.
    #[serde(default)]
    body_base64: Option<String>,
}

/// What would be made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Preview)]
pub struct PreviewView {
    /// The body, parsed; as text where it cannot be.
    body: Value,
    /// Its items, as templates see them as `payload`.
    items: Vec<Value>,
    /// Why it would go nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    ignored: Option<String>,
    /// The addresses that would be asked first.
    fetches: Vec<String>,
    /// The events that would be made.
    events: Vec<EventView>,
    /// The records that would be written, before their fields are checked.
    records: Vec<RecordView>,
    /// What would be left out.
    notes: Vec<String>,
    /// Why nothing would be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ProblemSchema>)]
    problem: Option<ProblemBody>,
}

/// An event that would be made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PreviewEvent)]
pub struct EventView {
    /// Its type.
    #[serde(rename = "type")]
    kind: &'static str,
    /// What recognises the same thing.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// What it tells.
    data: Map<String, Value>,
}

/// A record that would be written.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PreviewRecord)]
pub struct RecordView {
    /// Its kind, or its table.
    object: String,
    /// The fields by which it would be found; none: those of the object.
    #[serde(rename = "match")]
    keys: Vec<String>,
    /// `upsert`, `find`, `create`, `update` or `delete`.
    #[schema(value_type = String)]
    mode: Mode,
    /// Its values.
    fields: Map<String, Value>,
}

impl From<MadeEvent> for EventView {
    fn from(event: MadeEvent) -> Self {
        Self {
            kind: event.kind.name(),
            id: event.id,
            data: event.data,
        }
    }
}

impl From<MadeRecord> for RecordView {
    fn from(record: MadeRecord) -> Self {
        Self {
            object: record.object,
            keys: record.keys,
            mode: record.mode,
            fields: record.fields,
        }
    }
}

/// Try a mapping on a sample.
#[utoipa::path(
    post, path = "/v1/sources/{key}/preview", tag = "sources", operation_id = "previewSource",
    params(("key" = String, Path, description = "The source")),
    request_body(content = Wanted),
    responses(
        (status = 200, description = "What would be made", body = PreviewView),
        (status = 422, description = "What is wrong with the change", body = ProblemSchema, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn preview(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer<Json<PreviewView>> {
    let wanted: Wanted = serde_json::from_value(body).map_err(|error| {
        let next = "Write {\"sample\": {…}, \"change\": {\"mapping\": {…}}}.";
        Problem::new(Code::WrongShape, format!("The wish cannot be read: {error}"), next)
    })?;
    let present = app.hub.source(caller.workspace, &key)?;
    let changed = wanted.change.map(|change| changed(&present.spec, change)).transpose()?;
    let sample = match (wanted.callback, wanted.sample, wanted.request) {
        (Some(id), None, None) => Sample::Callback(read_id(&id)?),
        (None, Some(body), None) => Sample::Request(Box::new(of_body(&present.spec, &body))),
        (None, None, Some(request)) => Sample::Request(Box::new(of_request(&present.spec, request)?)),
        (None, None, None) => newest(&app, &caller, &key).await?,
        _ => {
            let detail = "More than one of `callback`, `sample` and `request` is given.";
            return Err(Problem::new(Code::WrongShape, detail, "Give one of them.").into());
        }
    };
    let (preview, body) = app
        .hub
        .preview_source(caller.workspace, &key, changed, sample, wanted.fetched)
        .await?;
    Ok(Json(PreviewView {
        body,
        items: preview.items,
        ignored: preview.ignored,
        fetches: preview.fetches,
        events: preview.made.events.into_iter().map(EventView::from).collect(),
        records: preview.made.records.into_iter().map(RecordView::from).collect(),
        notes: preview.made.notes,
        problem: preview.problem.as_ref().map(ProblemBody::from),
    }))
}

/// The source with other members, read like one that is written.
fn changed(present: &SourceSpec, change: Map<String, Value>) -> Result<SourceSpec, Problem> {
    let mut whole = source::write(present);
    if let Some(members) = whole.as_object_mut() {
        members.extend(change);
    }
    let document = Document::parse(&whole.to_string(), "change")?;
    guide::read_source(&document).map_err(|problems| {
        let nothing = || Problem::new(Code::WrongValue, "The change cannot be read.", "Check it.");
        Problem::all(problems).unwrap_or_else(nothing)
    })
}

fn of_body(spec: &SourceSpec, body: &Value) -> Request {
    Request {
        method: "POST".into(),
        path: spec.path.clone(),
        headers: vec![("content-type".into(), "application/json".into())],
        body: body.to_string().into_bytes(),
        ..Request::default()
    }
}

fn of_request(spec: &SourceSpec, request: SampleRequest) -> Result<Request, Problem> {
    let body = match (request.body, request.body_base64) {
        (Some(text), None) => text.into_bytes(),
        (None, Some(text)) => STANDARD.decode(text).map_err(|error| {
            let detail = format!("`body_base64` cannot be read: {error}");
            Problem::new(Code::WrongShape, detail, "Write base 64 with padding.").at("/request/body_base64")
        })?,
        _ => Vec::new(),
    };
    Ok(Request {
        method: request.method.unwrap_or_else(|| "POST".into()),
        path: spec.path.clone(),
        query: request.query.unwrap_or_default(),
        headers: request.headers.into_iter().collect(),
        body,
        ..Request::default()
    })
}

async fn newest(app: &App, caller: &Caller, key: &str) -> Result<Sample, Problem> {
    use switchboard_hub::store::{CallbackFilter, Page};
    let page = Page { before: None, limit: 1 };
    let rows = app
        .hub
        .callbacks(caller.workspace, key, CallbackFilter::default(), page)
        .await?;
    let newest = rows.first().map(|row| Sample::Callback(row.id));
    newest.ok_or_else(|| {
        let next = "Give a `sample`, or let the pusher send its test first.";
        Problem::new(Code::NotFound, format!("Nothing was pushed to `{key}` yet."), next)
    })
}
