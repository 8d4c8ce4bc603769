//! What vendors answered: `tests/recorded/<slug>.json` has the answers by what they answer. Of several to the same, each is given once,
//! in order, and the last for ever.

use std::{
    collections::{BTreeMap, VecDeque},
    fs,
};

use serde::Deserialize;
use serde_json::Value;
use switchboard_connect::call::Answer;

use super::{course::Made, hub::with_header};

/// The answers of one vendor to the calls of one connection.
pub struct Recorded {
    file: String,
    answers: Vec<(String, VecDeque<Reply>)>,
}

#[derive(Deserialize)]
struct Line {
    to: String,
    #[serde(flatten)]
    reply: Reply,
}

#[derive(Clone, Deserialize)]
struct Reply {
    status: u16,
    /// Those that connectors read.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Value,
}

impl Recorded {
    /// `part` of the vendor's file: the answers to the connection of the `scenario`, or of the `example` file.
    pub fn of(slug: &str, part: &str) -> Self {
        let file = format!("{}/tests/recorded/{slug}.json", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let parts: Value = serde_json::from_str(&text).unwrap();
        let lines: Vec<Line> = serde_json::from_value(parts[part].clone()).unwrap();
        let mut answers: Vec<(String, VecDeque<Reply>)> = Vec::new();
        for Line { to, reply } in lines {
            match answers.iter_mut().find(|(known, _)| *known == to) {
                Some((_, replies)) => replies.push_back(reply),
                None => answers.push((to, VecDeque::from([reply]))),
            }
        }
        Self { file, answers }
    }

    pub fn answer(&mut self, made: &Made) -> Answer {
        let to = asked(made);
        let replies = self
            .answers
            .iter_mut()
            .find(|(known, _)| *known == to)
            .map(|(_, replies)| replies);
        let reply = match replies {
            Some(replies) if replies.len() > 1 => replies.pop_front(),
            Some(replies) => replies.front().cloned(),
            None => None,
        };
        let Some(Reply { status, headers, body }) = reply else {
            panic!(
                "{} has no answer to `{to}`: write there what the vendor answers",
                self.file
            )
        };
        let text = match body {
            Value::Null => String::new(),
            Value::String(text) => text,
            other => other.to_string(),
        };
        let answer = Answer::new(status, http::HeaderMap::new(), text);
        headers
            .iter()
            .fold(answer, |answer, (name, value)| with_header(answer, name, value))
    }
}

/// What an answer is an answer to: method and path, and the first field of a GraphQL document.
pub fn asked(made: &Made) -> String {
    let place = format!("{} {}", made.request.method, made.path());
    let document = made.json().and_then(|body| body["query"].as_str().map(str::to_owned));
    let field = document.as_deref().and_then(|document| {
        let (_, selection) = document.split_once('{')?;
        selection
            .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .find(|word| !word.is_empty())
    });
    match field {
        Some(field) => format!("{place} {field}"),
        None => place,
    }
}
