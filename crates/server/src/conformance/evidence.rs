//! What is shown with a case that was not passed: the vendor's rows and the calls, credentials masked.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use switchboard_simulator::Call;

use super::{stage::Stage, subject::Subject};

/// So many rows and calls are shown at most, the last ones.
const MOST: usize = 40;
/// Bodies are cut after so many characters.
const BODY_LIMIT: usize = 1_500;
/// Headers whose value is a credential.
const CREDENTIALS: [&str; 6] = ["authorization", "cookie", "token", "api-key", "apikey", "secret"];
/// Headers that say nothing about the case.
const BORING: [&str; 5] = ["host", "accept", "accept-encoding", "content-length", "user-agent"];
const MASK: &str = "•••";

/// What the vendor held and was asked.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Evidence {
    /// The deliveries and their calls, as the hub understood them.
    pub understood: Vec<String>,
    /// The vendor's rows of the object.
    pub rows: Vec<Value>,
    /// The calls, in the order in which they ended.
    pub calls: Vec<Seen>,
}

/// One call as the vendor saw it.
#[derive(Debug, Clone, Serialize)]
pub struct Seen {
    /// Method and path with query.
    pub request: String,
    /// Headers that matter, as `name: value`.
    pub headers: Vec<String>,
    /// What was sent.
    pub body: String,
    /// The status; `None` when the connection was cut.
    pub status: Option<u16>,
    /// What was answered.
    pub answer: String,
    /// What the dial did to the call.
    pub faults: Vec<String>,
}

impl Evidence {
    /// Gathers it.
    pub async fn of(stage: &Stage<'_>) -> Self {
        let mut rows = stage.stored().unwrap_or_default();
        rows.drain(..rows.len().saturating_sub(MOST));
        let calls = stage.calls_since(0);
        let secrets = secrets(stage.subject);
        let skip = calls.len().saturating_sub(MOST);
        Self {
            understood: stage.understood().await.unwrap_or_default(),
            rows,
            calls: calls[skip..].iter().map(|call| seen(call, &secrets)).collect(),
        }
    }
}

/// The texts of the scenario's credentials, longest first so that none is left half.
fn secrets(subject: &Subject) -> Vec<String> {
    let connection = &subject.scenario.connection;
    let names = subject.connector().secret_names(&connection.auth);
    let values = names
        .iter()
        .filter_map(|name| connection.credentials.get(name)?.as_str());
    let mut secrets: Vec<String> = values.filter(|text| text.len() > 3).map(str::to_owned).collect();
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets
}

fn seen(call: &Arc<Call>, secrets: &[String]) -> Seen {
    let request = &call.request;
    let headers = request
        .headers
        .iter()
        .filter(|(name, _)| !BORING.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| {
        let is_secret = CREDENTIALS.iter().any(|word| name.as_str().contains(word));
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        format!(
            "{name}: {}",
            if is_secret {
                MASK.to_owned()
            } else {
                masked(value, secrets)
            }
        )
    });
    Seen {
        request: masked(format!("{} {}", request.method, request.target()), secrets),
        headers: headers.collect(),
        body: shown(&request.body, secrets),
        status: call.status,
        answer: shown(&call.answer, secrets),
        faults: call.faults.clone(),
    }
}

fn shown(body: &[u8], secrets: &[String]) -> String {
    let text = masked(String::from_utf8_lossy(body).into_owned(), secrets);
    match text.char_indices().nth(BODY_LIMIT) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], body.len()),
        None => text,
    }
}

fn masked(text: String, secrets: &[String]) -> String {
    secrets
        .iter()
        .fold(text, |text, secret| text.replace(secret.as_str(), MASK))
}
