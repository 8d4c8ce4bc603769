//! A model server that speaks OpenAI's chat completions (fact sheet openai §4, §5, §8, §9). It does not think: of the values that it may choose
//! from it takes the one whose name stands in the message.

mod schema;
mod settings;
#[cfg(test)]
mod tests;
mod trouble;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::message::{Reply, Request};
use crate::options::Setup;
use crate::vendor::{Vendor, patched};
use settings::{Answers, Settings};
use trouble::Trouble;

/// As many questions are kept; all are counted.
const KEPT: usize = 10_000;
/// A token is about so many characters.
const CHARACTERS_PER_TOKEN: usize = 4;

/// The server.
#[derive(Debug)]
pub struct OpenAi {
    settings: Settings,
    limit_scale: f64,
    /// The keys that were revoked.
    revoked: Vec<String>,
    questions: VecDeque<Value>,
    asked: u64,
    answered: u64,
    /// When the calls of the last minute came, milliseconds since 1970.
    recent: VecDeque<i64>,
}

/// A question that is in order.
struct Question<'q> {
    body: &'q Value,
    /// Everything that the model reads.
    prompt: String,
    /// What the person says.
    message: String,
    /// So many tokens may the answer have.
    most_tokens: Option<u64>,
}

impl OpenAi {
    /// A server in its first state.
    pub fn new(setup: &Setup) -> Self {
        Self {
            settings: Settings::new(setup),
            limit_scale: setup.limit_scale,
            revoked: Vec::new(),
            questions: VecDeque::new(),
            asked: 0,
            answered: 0,
            recent: VecDeque::new(),
        }
    }

    fn admit(&mut self, request: &Request) -> Result<(), Trouble> {
        if self.settings.no_key {
            return Ok(());
        }
        let key = request.bearer().or_else(|| request.header("api-key"));
        let known = |key: &&str| {
            let registered = self.settings.keys.iter().any(|known| known == key);
            (registered || self.settings.accept_any_credentials) && !self.revoked.iter().any(|gone| gone == key)
        };
        match key.filter(known) {
            Some(_) => Ok(()),
            None => Err(Trouble::of_status(401)),
        }
    }

    /// Counts the call; refuses it when there were too many in the last minute.
    fn count(&mut self, now_ms: i64) -> Result<(), Trouble> {
        while self.recent.front().is_some_and(|at_ms| *at_ms <= now_ms - 60_000) {
            self.recent.pop_front();
        }
        let most = (self.settings.calls_per_minute as f64 * self.limit_scale) as usize;
        if self.recent.len() >= most.max(1) {
            return Err(Trouble::of_status(429));
        }
        self.recent.push_back(now_ms);
        Ok(())
    }

    fn completion(&mut self, request: &Request) -> Result<Reply, Trouble> {
        self.asked += 1;
        let body = request.json().map_err(|_| {
            Trouble::bad(
                "invalid_value",
                "body",
                "We could not parse the JSON body of your request.",
            )
        })?;
        let question = self.read(&body)?;
        if self.questions.len() == KEPT {
            self.questions.pop_front();
        }
        self.questions.push_back(json!({
            "model": body["model"], "message": question.message, "prompt": question.prompt,
            "format": body["response_format"]["type"], "max_tokens": question.most_tokens, "store": body["store"],
        }));
        if self.settings.answers == Answers::NoMoney {
            let message = "You exceeded your current quota, please check your plan and billing details.";
            return Err(Trouble::new(429, "insufficient_quota", "insufficient_quota", message));
        }
        self.answered += 1;
        Ok(self.answer(&question, request.now_ms))
    }

    fn read<'q>(&self, body: &'q Value) -> Result<Question<'q>, Trouble> {
        let model = body["model"].as_str().unwrap_or_default();
        if !self.settings.models.iter().any(|known| known == model) {
            let message = format!("The model `{model}` does not exist or you do not have access to it.");
            return Err(Trouble::new(404, "invalid_request_error", "model_not_found", message));
        }
        let messages = body["messages"].as_array().filter(|messages| !messages.is_empty());
        let messages =
            messages.ok_or_else(|| Trouble::bad("invalid_value", "messages", "[] is too short - 'messages'"))?;
        let text = |message: &Value| message["content"].as_str().unwrap_or_default().to_owned();
        let of_person = |message: &&Value| message["role"] == "user";
        let prompt: Vec<String> = messages.iter().map(text).collect();
        for (name, refused) in [
            ("max_tokens", self.settings.reasoning),
            ("temperature", self.settings.reasoning),
        ] {
            if refused && !body[name].is_null() {
                let code = if name == "temperature" {
                    "unsupported_value"
                } else {
                    "unsupported_parameter"
                };
                let message = format!("Unsupported parameter: '{name}' is not supported with this model.");
                return Err(Trouble::bad(code, "max_tokens", message));
            }
        }
        let prompt = prompt.join("\n");
        schema::check(&body["response_format"], &prompt)?;
        Ok(Question {
            body,
            message: messages.iter().filter(of_person).map(text).collect(),
            prompt,
            most_tokens: body["max_completion_tokens"]
                .as_u64()
                .or_else(|| body["max_tokens"].as_u64()),
        })
    }

    fn answer(&self, question: &Question<'_>, now_ms: i64) -> Reply {
        let content = self.content(question);
        let tokens = |text: &str| (text.chars().count() / CHARACTERS_PER_TOKEN + 1) as u64;
        let (mut finish, mut refusal, mut content) = ("stop", Value::Null, Value::from(content));
        let is_short = question
            .most_tokens
            .is_some_and(|most| most < self.settings.thinking_tokens);
        match self.settings.answers {
            Answers::Refusal => (content, refusal) = (Value::Null, "I'm sorry, I cannot help with that.".into()),
            Answers::Filtered => (finish, content) = ("content_filter", Value::Null),
            Answers::Cut => (finish, content) = ("length", half(&content)),
            _ if is_short => (finish, content) = ("length", "".into()),
            _ => {}
        }
        let (asked, told) = (tokens(&question.prompt), tokens(content.as_str().unwrap_or_default()));
        let message = json!({"role": "assistant", "content": content, "refusal": refusal, "annotations": []});
        Reply::json(
            200,
            &json!({
                "id": format!("chatcmpl-{}", self.answered), "object": "chat.completion", "created": now_ms / 1000,
                "model": question.body["model"],
                "choices": [{"index": 0, "finish_reason": finish, "logprobs": null, "message": message}],
                "usage": {"prompt_tokens": asked, "completion_tokens": told, "total_tokens": asked + told},
                "service_tier": "default",
            }),
        )
        .with("x-request-id", format!("req_{}", self.asked))
        .with("x-ratelimit-limit-requests", self.settings.calls_per_minute)
        .with(
            "x-ratelimit-remaining-requests",
            self.settings.calls_per_minute.saturating_sub(self.recent.len() as u64),
        )
    }

    /// What the model says, before anything happens to it.
    fn content(&self, question: &Question<'_>) -> String {
        let format = &question.body["response_format"];
        let mut object = match format["type"].as_str() {
            Some("json_schema") => schema::fill(&format["json_schema"]["schema"], &question.message),
            _ => described(question),
        };
        match self.settings.answers {
            Answers::Prose => "I think that this is a customer who needs help.".to_owned(),
            Answers::Invented => {
                if let Some(members) = object.as_object_mut() {
                    members
                        .values_mut()
                        .for_each(|value| *value = "something else entirely".into());
                }
                object.to_string()
            }
            Answers::Wrapped => format!("Here you are:\n```json\n{object}\n```\nAnything else?"),
            _ => object.to_string(),
        }
    }
}

/// The object that the question describes in words: each `Member "x"` with the values that are listed below it.
fn described(question: &Question<'_>) -> Value {
    let mut members = serde_json::Map::new();
    let mut current: Option<(String, Vec<Value>)> = None;
    let mut finish = |done: Option<(String, Vec<Value>)>| {
        if let Some((name, values)) = done {
            let value = match values.is_empty() {
                true => "it reads like that".into(),
                false => schema::chosen(&values, &question.message),
            };
            members.insert(name, value);
        }
    };
    for line in question.prompt.lines() {
        if let Some(rest) = line.trim().strip_prefix("Member \"") {
            let name = rest.split('"').next().unwrap_or_default().to_owned();
            finish(current.replace((name, Vec::new())));
        } else if let (Some((_, values)), Some(item)) = (current.as_mut(), line.trim().strip_prefix("- \"")) {
            values.push(item.split('"').next().unwrap_or_default().into());
        }
    }
    finish(current);
    Value::Object(members)
}

fn half(content: &Value) -> Value {
    let text = content.as_str().unwrap_or_default();
    text.chars().take(text.chars().count() / 2).collect::<String>().into()
}

impl Vendor for OpenAi {
    fn handle(&mut self, request: &Arc<Request>) -> Reply {
        let path = request.path.trim_end_matches('/');
        let answered = self.admit(request).and_then(|()| match (request.method.as_str(), path) {
            ("GET", "/v1/models") => {
                let model = |id: &String| json!({"id": id, "object": "model", "created": 1_772_000_000, "owned_by": "system"});
                let models: Vec<Value> = self.settings.models.iter().map(model).collect();
                Ok(Reply::json(200, &json!({"object": "list", "data": models})))
            }
            ("POST", "/v1/chat/completions") => {
                self.count(request.now_ms)?;
                self.completion(request)
            }
            (_, path) => {
                let message = format!("Invalid URL ({} {path})", request.method);
                Err(Trouble::new(404, "invalid_request_error", "unknown_url", message))
            }
        });
        answered.unwrap_or_else(|trouble| trouble.reply())
    }

    fn failure(&mut self, status: u16, _: &Request) -> Reply {
        Trouble::of_status(status).reply()
    }

    fn throttle(&mut self, retry_after_s: Option<u64>, _: &Request) -> Reply {
        let reply = Trouble::of_status(429).reply();
        match retry_after_s {
            Some(seconds) => reply.with("retry-after", seconds),
            None => reply,
        }
    }

    fn expire_tokens(&mut self, _: i64) {}

    fn revoke_tokens(&mut self) {
        self.revoked.append(&mut self.settings.keys);
        self.settings.accept_any_credentials = false;
    }

    fn counts(&self) -> BTreeMap<String, u64> {
        BTreeMap::from([
            ("questions".to_owned(), self.asked),
            ("answers".to_owned(), self.answered),
        ])
    }

    fn records(&self, object: &str) -> Option<Vec<Value>> {
        (object == "questions").then(|| self.questions.iter().cloned().collect())
    }

    fn settings(&self) -> Value {
        serde_json::to_value(&self.settings).unwrap_or_default()
    }

    fn configure(&mut self, patch: &Value) -> Result<(), String> {
        self.settings = patched(&self.settings, patch)?;
        Ok(())
    }
}
