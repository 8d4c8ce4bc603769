//! How sources and callbacks look in answers.

use serde::Serialize;
use serde_json::Value;
use switchboard_connect::{
    manifest::Category,
    source::{self, ready::Ready},
};
use switchboard_hub::{
    Hub, SourceView as Row,
    clock::moment,
    receive::Refusal,
    store::{CallbackRow, MadeEvent, MadeRecord},
};
use switchboard_model::{id::WorkspaceId, problem::ProblemBody};
use utoipa::ToSchema;

use crate::api::problem::ProblemSchema;

/// A source.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Source)]
pub struct SourceView {
    /// Your own id.
    #[schema(example = "feiyu")]
    key: String,
    /// The ready source that it is.
    source: String,
    /// Where the pusher pushes.
    #[schema(example = "http://127.0.0.1:8080/in/callback")]
    address: String,
    /// The source as it is written; PUT takes it back.
    #[schema(value_type = Object)]
    definition: Value,
    /// The names of the secrets that are given.
    secrets: Vec<String>,
    /// Secrets that have to be given before any request can be known to be the pusher's.
    missing: Vec<String>,
    /// Seconds that the pusher waits for its answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline_seconds: Option<u32>,
    /// Why it can do nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ProblemSchema>)]
    problem: Option<ProblemBody>,
    /// How many requests were refused since this node started.
    refused: u64,
    /// When it was written.
    changed_at: String,
}

impl SourceView {
    /// How a source looks; `public_url` is where the hub is reached.
    pub fn of(row: Row, public_url: &str) -> Self {
        Self {
            address: format!("{public_url}/in/{}", row.spec.path),
            definition: source::write(&row.spec),
            key: row.spec.key,
            source: row.spec.source,
            secrets: row.given,
            missing: row.missing,
            deadline_seconds: row.deadline_s,
            problem: row.problem.as_ref().map(ProblemBody::from),
            refused: row.refused.0,
            changed_at: moment(row.changed_ms),
        }
    }
}

/// Every source.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceList {
    /// In the order in which they were made.
    pub items: Vec<SourceView>,
}

/// A source that was written.
#[derive(Debug, Serialize, ToSchema)]
pub struct WrittenSource {
    /// The source.
    #[serde(flatten)]
    pub source: SourceView,
    /// The tables that were made for it.
    pub tables: Vec<String>,
}

/// A ready source.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReadySource)]
pub struct ReadyView {
    /// Its name in configuration files and here.
    #[schema(example = "feiyu")]
    slug: &'static str,
    /// Other names for it.
    aliases: &'static [String],
    /// The pusher's own name.
    name: &'static str,
    /// One line.
    summary: &'static str,
    /// What kind of system it is.
    #[schema(value_type = String)]
    category: Category,
    /// The pusher's documentation.
    docs: &'static str,
    /// The connector for the same system.
    #[serde(skip_serializing_if = "Option::is_none")]
    connector: Option<&'static str>,
    /// JSON Schema of its settings.
    #[schema(value_type = Object)]
    settings: &'static Value,
    /// JSON Schema of its secrets.
    #[schema(value_type = Object)]
    secrets: &'static Value,
    /// How it is set up, Markdown.
    guide: &'static str,
}

impl From<&'static Ready> for ReadyView {
    fn from(ready: &'static Ready) -> Self {
        Self {
            slug: &ready.slug,
            aliases: &ready.aliases,
            name: &ready.name,
            summary: &ready.summary,
            category: ready.category,
            docs: &ready.docs,
            connector: ready.connector.as_deref(),
            settings: ready.settings_schema(),
            secrets: ready.secrets_schema(),
            guide: &ready.guide,
        }
    }
}

/// Every ready source.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadySources {
    /// By name.
    pub items: Vec<ReadyView>,
}

/// A header of a callback.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CallbackHeader)]
pub struct HeaderView {
    name: String,
    value: String,
}

/// Something that was pushed, as it came, and what became of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Callback)]
pub struct CallbackView {
    /// Its id.
    #[schema(example = "cbk_0r3kd8m2v0000")]
    pub id: String,
    /// When it came.
    received_at: String,
    /// `waiting` (to be processed), `done`, `ignored`, `test` or `failed`.
    state: &'static str,
    /// `POST`.
    method: String,
    /// What stood behind `/in/`, secrets masked.
    path: String,
    /// What stood behind the question mark, secrets masked.
    query: String,
    /// Secrets are masked.
    headers: Vec<HeaderView>,
    /// The address that it came from.
    from: String,
    /// The body, byte by byte, as text; bytes that are no text are replaced.
    raw: String,
    /// The body, parsed; as text where it cannot be.
    body: Value,
    /// What the pusher calls this delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<String>,
    /// How often it came again.
    repeats: i32,
    /// When it was processed.
    #[serde(skip_serializing_if = "Option::is_none")]
    processed_at: Option<String>,
    /// What did not fit, and whatever else a person should know.
    notes: Vec<String>,
    /// Why it could not be processed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ProblemSchema>)]
    problem: Option<ProblemBody>,
    /// What it made.
    made: MadeView,
}

/// What a callback made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CallbackMade)]
pub struct MadeView {
    /// Its events.
    events: Vec<MadeEventView>,
    /// Its records.
    records: Vec<MadeRecordView>,
}

/// An event that a callback made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CallbackEvent)]
pub struct MadeEventView {
    /// Which.
    id: String,
    /// Whether it was there before.
    repeat: bool,
    /// Whether it was there before with other content, and stays as it was.
    conflict: bool,
}

/// A record that a callback wrote.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CallbackRecord)]
pub struct MadeRecordView {
    /// Its kind, or its table.
    object: String,
    /// Its id.
    id: String,
    /// `created`, `updated`, `unchanged` or `deleted`.
    change: String,
}

impl From<MadeEvent> for MadeEventView {
    fn from(made: MadeEvent) -> Self {
        Self {
            id: made.id.to_string(),
            repeat: made.repeat,
            conflict: made.conflict,
        }
    }
}

impl From<MadeRecord> for MadeRecordView {
    fn from(made: MadeRecord) -> Self {
        let MadeRecord { object, id, change, .. } = made;
        Self { object, id, change }
    }
}

impl CallbackView {
    /// How a callback looks.
    pub fn of(hub: &Hub, workspace: WorkspaceId, row: CallbackRow) -> Self {
        let headers = row.request.headers.iter();
        let headers = headers.map(|(name, value)| HeaderView {
            name: name.clone(),
            value: value.clone(),
        });
        Self {
            body: hub.shown_body(workspace, &row),
            headers: headers.collect(),
            raw: String::from_utf8_lossy(&row.body).into_owned(),
            id: row.id.to_string(),
            received_at: moment(row.received_ms),
            state: row.state.name(),
            method: row.request.method,
            path: row.request.path,
            query: row.request.query,
            from: row.request.from,
            delivery: row.delivery,
            repeats: row.repeats,
            processed_at: row.settled_ms.map(moment),
            notes: row.notes,
            problem: row.problem,
            made: MadeView {
                events: row.made.events.into_iter().map(MadeEventView::from).collect(),
                records: row.made.records.into_iter().map(MadeRecordView::from).collect(),
            },
        }
    }
}

/// A request that was refused.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Refusal)]
pub struct RefusalView {
    /// When.
    at: String,
    /// Where it came from.
    from: String,
    /// `POST`.
    method: String,
    /// How long its body was.
    bytes: usize,
    /// Why it was refused.
    reason: String,
}

impl From<Refusal> for RefusalView {
    fn from(refusal: Refusal) -> Self {
        Self {
            at: moment(refusal.at_ms),
            from: refusal.from,
            method: refusal.method,
            bytes: refusal.bytes,
            reason: refusal.reason,
        }
    }
}
