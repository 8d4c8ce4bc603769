//! Makes one call: in the limiter's turn, with a token, and classified.

use std::time::{Duration, Instant};

use serde_json::Value;
use switchboard_connect::{
    auth::{Token, TokenFailure},
    call::{Answer, HttpRequest},
    connector::Connector,
};
use switchboard_model::{outcome::Outcome, problem::Problem};

use super::Desk;
use crate::{
    configuration::{Connection, seal_place},
    failpoint,
    http::{SendError, excerpt},
    store::{CallRecord, ConnectionNote},
    token::TakenToken,
};

/// A request that was sent, and what the vendor answered.
#[derive(Debug)]
pub struct Exchange {
    /// The answer, or why there is none.
    pub answer: Result<Answer, SendError>,
    /// Which operation it was.
    pub operation: &'static str,
    /// When it began, Unix milliseconds.
    pub started_ms: i64,
    /// How long it took.
    pub took: Duration,
}

/// Sends a request.
pub async fn exchange(desk: &Desk, operation: &'static str, request: &HttpRequest) -> Exchange {
    let started_ms = desk.clock.now_ms();
    let begun = Instant::now();
    let answer = desk.client.send(request).await;
    Exchange {
        answer,
        operation,
        started_ms,
        took: begun.elapsed(),
    }
}

impl Exchange {
    /// Whether the vendor is not well, whatever was asked of it: nobody answers, or a server failed.
    pub fn is_outage(&self) -> bool {
        match &self.answer {
            Ok(answer) => answer.status >= 500,
            Err(error) => !matches!(error, SendError::Refused(_)),
        }
    }

    /// What can be seen of it, for the history; not yet classified.
    pub fn record(&self, request: &HttpRequest) -> CallRecord {
        let (status, answer) = self.answer_text(request);
        self.line(describe(request), status, answer, 1)
    }

    /// The same for the `at`-th of `count` records that shared the request; `record` is what it says about this one.
    pub fn record_of(&self, request: &HttpRequest, at: usize, count: usize, record: &Value) -> CallRecord {
        let (status, answer) = self.answer_text(request);
        let sent = request.mask(&excerpt(record.to_string().as_bytes()));
        let text = format!(
            "{} {} (record {} of {count})\n{sent}",
            request.method,
            request.masked_url(),
            at + 1
        );
        self.line(text, status, answer, count)
    }

    fn line(&self, request: String, status: Option<u16>, answer: String, records: usize) -> CallRecord {
        CallRecord {
            started_ms: self.started_ms,
            duration_ms: u32::try_from(self.took.as_millis()).unwrap_or(u32::MAX),
            operation: self.operation,
            request,
            status,
            answer,
            outcome: "",
            records: u32::try_from(records).unwrap_or(u32::MAX),
        }
    }

    fn answer_text(&self, request: &HttpRequest) -> (Option<u16>, String) {
        match &self.answer {
            Ok(answer) if request.confidential => (Some(answer.status), String::from("(confidential)")),
            Ok(answer) => (Some(answer.status), request.mask(&excerpt(&answer.body))),
            Err(error) => (None, request.mask(&error.to_string())),
        }
    }
}

/// Method, address and the beginning of the body, secrets masked.
fn describe(request: &HttpRequest) -> String {
    let mut text = format!("{} {}", request.method, request.masked_url());
    if !request.body.is_empty() {
        let body = if request.confidential {
            request.masked_body()
        } else {
            request.mask(&excerpt(&request.body))
        };
        text.push('\n');
        text.push_str(&body);
    }
    text
}

/// What it means that there is no answer. `repeatable`: the call may be sent again whatever became of it.
pub(super) fn without_answer(error: &SendError, repeatable: bool) -> Outcome {
    match error {
        SendError::Refused(message) => Outcome::Rejected {
            message: message.clone(),
            fields: Vec::new(),
        },
        SendError::NotSent(_) => Outcome::Retry {
            message: error.to_string(),
            after_ms: None,
        },
        SendError::NoAnswer(_) if repeatable => Outcome::Retry {
            message: error.to_string(),
            after_ms: None,
        },
        SendError::NoAnswer(_) => Outcome::Unknown {
            message: error.to_string(),
        },
    }
}

/// Why a call could not even be tried.
#[derive(Debug)]
pub enum TokenError {
    /// The credentials are dead.
    Denied(String),
    /// The token end point failed; again later.
    Later {
        /// What it said.
        message: String,
        /// The wait that it asks for, in milliseconds.
        after_ms: Option<u64>,
    },
    /// The request cannot be made.
    Broken(Problem),
}

/// The connection's token, fetched when need be by one caller for all; `refused` is the generation of a token that the vendor does not
/// accept. The calls that this takes are added to `calls`.
///
/// # Errors
/// When the vendor gives none.
pub async fn token(
    desk: &Desk,
    connection: &Connection,
    refused: Option<u64>,
    calls: &mut Vec<CallRecord>,
) -> Result<TakenToken, TokenError> {
    let connector = connection.connector().map_err(TokenError::Broken)?;
    let fetch = async || fetch_token(desk, connection, connector, calls).await;
    connection.tokens.get(refused, desk.clock.now_ms(), fetch).await
}

async fn fetch_token(
    desk: &Desk,
    connection: &Connection,
    connector: &Connector,
    calls: &mut Vec<CallRecord>,
) -> Result<Option<Token>, TokenError> {
    let now_ms = desk.clock.now_ms();
    let account = connection.account().map_err(TokenError::Broken)?;
    let Some(request) = connector.token_request(&account, now_ms).map_err(TokenError::Broken)? else {
        return Ok(None);
    };
    let sent = exchange(desk, "token", &request).await;
    let mut record = sent.record(&request);
    let result = match sent.answer {
        Ok(answer) => connector
            .read_token(&account, &answer, desk.clock.now_ms())
            .map_err(|failure| match failure {
                TokenFailure {
                    dead: true, message, ..
                } => TokenError::Denied(message),
                TokenFailure { message, after_ms, .. } => TokenError::Later { message, after_ms },
            }),
        Err(SendError::Refused(message)) => Err(TokenError::Denied(message)),
        Err(error) => Err(TokenError::Later {
            message: error.to_string(),
            after_ms: None,
        }),
    };
    record.outcome = match &result {
        Ok(_) => "delivered",
        Err(TokenError::Denied(_)) => "denied",
        Err(_) => "retry",
    };
    desk.metrics.called(connector.slug(), "token", record.outcome);
    calls.push(record);
    let token = result?;
    failpoint::reach(failpoint::TOKEN);
    keep(desk, connection, &token).await?;
    Ok(Some(token))
}

/// A vendor that rotates refresh tokens has made the old one worthless: the new one is kept before the access token is used.
async fn keep(desk: &Desk, connection: &Connection, token: &Token) -> Result<(), TokenError> {
    let mut note = ConnectionNote::default();
    if connection.note_facts(token.facts.clone()) {
        note.facts = Some(connection.facts());
    }
    if !token.replaced_secrets.is_empty() {
        let mut secrets = connection.secrets();
        secrets.extend(token.replaced_secrets.clone());
        let place = seal_place(connection.workspace, &connection.key);
        let sealed = desk.vault.seal(&place, &secrets).map_err(TokenError::Broken)?;
        // First here: the former ones are worth nothing any more, and who reads the store meanwhile must not go back to them.
        connection.note_secrets(secrets, sealed.clone());
        note.sealed = Some(sealed);
    }
    if note.facts.is_none() && note.sealed.is_none() {
        return Ok(());
    }
    desk.store
        .note_connection(connection.id, note)
        .await
        .map_err(|error| TokenError::Broken(error.into()))
}
