//! `POST /v1/classifier/try`: what would be decided about a message, and why.

use axum::{Json, extract::State};
use serde::Serialize;
use serde_json::{Map, Value};
use switchboard_connect::{document::Document, guide};
use switchboard_hub::{Decided, try_rules};
use switchboard_model::{
    classify::{Because, CLASSIFIED, DECIDED},
    problem::{Code, Problem},
};
use utoipa::ToSchema;

use super::{BODY, ClassifierSchema, all};
use crate::api::{
    App,
    body::TextBody,
    caller::Caller,
    problem::{Answer, ProblemSchema},
};

/// A message to try a classifier with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClassifierTrial)]
pub struct TrialSchema {
    /// The message's text; short for `data` with `messageContent` alone.
    #[schema(example = "我要退款")]
    text: Option<String>,
    /// The message's data.
    #[schema(value_type = Option<Object>)]
    data: Option<Map<String, Value>>,
    /// Whether the model of the present classifier is asked, which counts against its budget.
    #[schema(required = false, default = false)]
    ask_model: bool,
    /// Rules that are not kept, tried instead of the present ones.
    classifier: Option<ClassifierSchema>,
}

/// What would be decided.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClassifierDecision)]
pub struct DecisionView {
    /// What it would be about; absent when nobody decides it.
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<Value>,
    /// How urgent it would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<Value>,
    /// Words for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Value>,
    /// Who would decide each of them, and why: what the event would have as `classified`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    classified: Option<Value>,
    /// Whether a model would be asked about it: then the message waits for that before it goes on.
    asks_model: bool,
    /// What came of asking the model, when that was wished.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<ModelAnswer>,
}

/// What came of asking a model.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClassifierModelAnswer)]
pub struct ModelAnswer {
    /// The category that it chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    /// The priority that it chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<String>,
    /// What it said about its choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Why it chose nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
}

impl From<Decided> for DecisionView {
    fn from(mut decided: Decided) -> Self {
        let [category, priority, tags] = DECIDED.map(|name| decided.data.shift_remove(name));
        let model = decided.answer.map(|answer| match answer {
            Ok(answered) => ModelAnswer {
                category: answered.verdict.category,
                priority: answered.verdict.priority,
                reason: match answered.because {
                    Because::Model { reason, .. } => reason,
                    _ => None,
                },
                failed: None,
            },
            Err(why) => ModelAnswer {
                category: None,
                priority: None,
                reason: None,
                failed: Some(why),
            },
        });
        Self {
            category,
            priority,
            tags,
            classified: decided.data.shift_remove(CLASSIFIED),
            asks_model: decided.asks_model,
            model,
        }
    }
}

/// Try a classifier on a message: what it would decide and why. Nothing is kept.
#[utoipa::path(
    post, path = "/v1/classifier/try", tag = "classifier", operation_id = "tryClassifier",
    request_body(content = TrialSchema, content_type = "application/json", description = "A message, and rules that are not kept if those are to be tried"),
    responses(
        (status = 200, description = "What would be decided", body = DecisionView),
        (status = 404, description = "There is no classifier", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "What is wrong, all of it", body = ProblemSchema, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn attempt(State(app): State<App>, caller: Caller, body: TextBody) -> Answer<Json<DecisionView>> {
    let document = Document::parse(&body.0, BODY)?;
    let wish = Wish::read(&document)?;
    let decided = match &wish.draft {
        Some(draft) => {
            let draft = Document::parse(&draft.to_string(), "body#/classifier")?;
            let item = guide::read_classifier(&draft).map_err(all)?;
            try_rules(item.spec, wish.data)?
        }
        None => {
            app.hub
                .try_classifier(caller.workspace, wish.data, wish.ask_model)
                .await?
        }
    };
    Ok(Json(decided.into()))
}

/// What a caller wants to try.
struct Wish {
    data: Map<String, Value>,
    ask_model: bool,
    draft: Option<Value>,
}

impl Wish {
    fn read(document: &Document) -> Result<Self, Problem> {
        let next = "Send {\"text\": \"…\"} or {\"data\": {…}}, with `ask_model` or `classifier` beside it if you like.";
        let wrong = |pointer: &str, detail: String| document.problem(Code::WrongShape, pointer, detail, next);
        let Some(members) = document.value().as_object() else {
            return Err(wrong("", "The body is no object".into()));
        };
        let known = ["text", "data", "ask_model", "classifier"];
        if let Some(other) = members.keys().find(|name| !known.contains(&name.as_str())) {
            let pointer = format!("/{}", other.replace('~', "~0").replace('/', "~1"));
            return Err(wrong(&pointer, format!("There is no member `{other}` here")));
        }
        let member = |name: &str| members.get(name).filter(|value| !value.is_null());
        let data = match (member("text"), member("data")) {
            (Some(Value::String(text)), None) => Map::from_iter([("messageContent".to_owned(), text.clone().into())]),
            (None, Some(Value::Object(data))) => data.clone(),
            (Some(_), Some(_)) => return Err(wrong("/text", "There is both `text` and `data`".into())),
            (Some(_), None) => return Err(wrong("/text", "`text` is text".into())),
            (None, Some(_)) => return Err(wrong("/data", "`data` is an object".into())),
            (None, None) => return Err(wrong("", "There is neither `text` nor `data`".into())),
        };
        let ask_model = match member("ask_model") {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => return Err(wrong("/ask_model", "`ask_model` is true or false".into())),
        };
        let draft = member("classifier").cloned();
        if draft.is_some() && ask_model {
            let detail = "Rules that are not kept have no key for a model";
            return Err(wrong("/ask_model", detail.into()));
        }
        Ok(Self { data, ask_model, draft })
    }
}
