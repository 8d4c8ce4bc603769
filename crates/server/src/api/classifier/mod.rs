//! `/v1/classifier`: how messages are classified that come without category or priority.

mod schema;
pub mod trial;

use axum::{Json, extract::State};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use switchboard_connect::{
    document::Document,
    guide::{self, ClassifierItem},
};
use switchboard_hub::{ClassifierView as Row, ModelView as ModelRow, clock::moment, lane::circuit::State as Circuit};
use switchboard_model::{
    classify::{
        ModelSpec,
        preset::{PRESETS, Preset},
    },
    problem::{Code, Problem, ProblemBody},
};
use utoipa::ToSchema;

pub use schema::ClassifierSchema;

use self::schema::RuleSchema;
use super::{
    App,
    body::TextBody,
    caller::Caller,
    problem::{Answer, ProblemSchema},
};

/// What places in a posted description begin with.
const BODY: &str = "body";

/// The classifier of the workspace.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Classifier)]
pub struct ClassifierView {
    /// Whether there is one. Without one nothing is classified.
    configured: bool,
    /// The description as it was put, without the key of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ClassifierSchema>)]
    definition: Option<Value>,
    /// Why it cannot be used; nothing is classified then.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    /// When it was written last.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_at: Option<String>,
    /// How its model stands, when it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<ModelView>,
    /// Names of the rules that come with the program.
    presets: Vec<&'static str>,
}

/// How the model of the classifier stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClassifierModel)]
pub struct ModelView {
    /// Whether anything is sent to it.
    enabled: bool,
    /// Whether a key for its server is kept.
    has_api_key: bool,
    /// The categories that it chooses from.
    categories: Vec<String>,
    /// The priorities that it chooses from.
    priorities: Vec<String>,
    /// What it has cost today (UTC), and what it may cost.
    usage: Usage,
    /// How many messages wait for it, counted up to 10,000.
    waiting: usize,
    /// `closed`, `open` (nothing is sent for a while) or `half_open` (one call finds out), on this node.
    circuit: &'static str,
    /// Until when the circuit is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    open_until: Option<String>,
    /// What a person has to see to before it is asked again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ProblemSchema>)]
    problem: Option<ProblemBody>,
}

/// What a model has cost on a day, and what it may cost.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClassifierUsage)]
pub struct Usage {
    /// Calls today.
    requests: u64,
    /// Calls a day at most.
    requests_per_day: u64,
    /// Tokens of questions and answers today.
    tokens: u64,
    /// Tokens a day at most.
    tokens_per_day: u64,
}

/// Rules that come with the program.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClassifierPreset)]
pub struct PresetView {
    /// What `preset` says in a description.
    #[schema(example = "customer-service")]
    name: &'static str,
    /// What it does.
    about: &'static str,
    /// Its rules, in their order, to be copied and changed.
    #[schema(value_type = Vec<RuleSchema>)]
    rules: Value,
}

/// Every preset.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClassifierPresets)]
pub struct Presets {
    /// All of them.
    items: Vec<PresetView>,
}

impl From<Option<Row>> for ClassifierView {
    fn from(row: Option<Row>) -> Self {
        let presets = PRESETS.iter().map(|preset| preset.name).collect();
        let Some(row) = row else {
            return Self {
                configured: false,
                definition: None,
                fault: None,
                changed_at: None,
                model: None,
                presets,
            };
        };
        let model = row.model.zip(row.spec.model.as_ref());
        Self {
            configured: true,
            model: model.map(|(model, spec)| ModelView::of(model, spec)),
            definition: Some(guide::write_classifier(&row.spec)),
            fault: row.fault,
            changed_at: Some(moment(row.changed_ms)),
            presets,
        }
    }
}

impl ModelView {
    fn of(row: ModelRow, spec: &ModelSpec) -> Self {
        let (circuit, open_until) = match row.circuit {
            Circuit::Closed => ("closed", None),
            Circuit::Open { until_ms } => ("open", Some(moment(until_ms))),
            Circuit::HalfOpen => ("half_open", None),
        };
        Self {
            enabled: spec.enabled,
            has_api_key: row.has_api_key,
            categories: row.categories,
            priorities: row.priorities,
            usage: Usage {
                requests: row.spent.requests,
                requests_per_day: spec.requests_per_day,
                tokens: row.spent.tokens,
                tokens_per_day: spec.tokens_per_day,
            },
            waiting: row.waiting,
            circuit,
            open_until,
            problem: row.problem.as_ref().map(ProblemBody::from),
        }
    }
}

impl From<&'static Preset> for PresetView {
    fn from(preset: &'static Preset) -> Self {
        Self {
            name: preset.name,
            about: preset.about,
            rules: serde_json::to_value(preset.rules()).unwrap_or_default(),
        }
    }
}

/// The classifier, with what its model has cost today.
#[utoipa::path(
    get, path = "/v1/classifier", tag = "classifier", operation_id = "getClassifier",
    responses(
        (status = 200, description = "The classifier, or that there is none", body = ClassifierView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn get(State(app): State<App>, caller: Caller) -> Answer<Json<ClassifierView>> {
    Ok(Json(app.hub.classifier(caller.workspace).await?.into()))
}

/// Put a classifier in the place of the present one.
///
/// The key of the model is kept sealed and never shown. Left out, the present one stays as long as the address of the server stays.
#[utoipa::path(
    put, path = "/v1/classifier", tag = "classifier", operation_id = "putClassifier",
    request_body(content = ClassifierSchema, content_type = "application/json", description = "What `classifier` says in a configuration file"),
    responses(
        (status = 200, description = "It is at work", body = ClassifierView),
        (status = 422, description = "What is wrong, all of it", body = ProblemSchema, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn put(State(app): State<App>, caller: Caller, body: TextBody) -> Answer<Json<ClassifierView>> {
    let item = read(&body.0)?;
    app.hub.set_classifier(caller.workspace, item).await?;
    Ok(Json(app.hub.classifier(caller.workspace).await?.into()))
}

/// Take the classifier away. Messages that wait for its model go on as they came.
#[utoipa::path(
    delete, path = "/v1/classifier", tag = "classifier", operation_id = "deleteClassifier",
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "There is none", body = ProblemSchema, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn delete(State(app): State<App>, caller: Caller) -> Answer<StatusCode> {
    app.hub.remove_classifier(caller.workspace).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The rules that come with the program, to begin with.
#[utoipa::path(
    get, path = "/v1/classifier/presets", tag = "classifier", operation_id = "listClassifierPresets",
    responses(
        (status = 200, description = "All of them", body = Presets),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn presets(_caller: Caller) -> Json<Presets> {
    Json(Presets {
        items: PRESETS.iter().map(PresetView::from).collect(),
    })
}

/// Reads a description.
fn read(text: &str) -> Result<ClassifierItem, Problem> {
    let document = Document::parse(text, BODY)?;
    guide::read_classifier(&document).map_err(all)
}

fn all(problems: Vec<Problem>) -> Problem {
    Problem::all(problems)
        .unwrap_or_else(|| Problem::new(Code::WrongValue, "The classifier cannot be read.", "Check the body."))
}
