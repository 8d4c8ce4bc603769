//! Makes one call.

use std::time::{Duration, Instant};

use serde_json::value::RawValue;
use switchboard_connect::{
    call::{Answer, HttpRequest},
    connector::answers_within,
};
use switchboard_model::outcome::Outcome;

use super::Desk;
use crate::{
    http::{SendError, excerpt},
    lane::Pass,
    store::CallRecord,
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

/// Sends a request: the call that `pass` gives the right to, where the vendor account has a gate.
pub async fn exchange(
    desk: &Desk,
    pass: Option<&mut Pass>,
    operation: &'static str,
    request: &HttpRequest,
) -> Exchange {
    if let Some(pass) = pass {
        pass.begin();
    }
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

    /// The same for each of the records that shared the request; `items` are what it says about them. Where each has an answer of its own
    /// within the answer, that one is shown.
    pub fn record_each(&self, request: &HttpRequest, items: &[Box<RawValue>]) -> Vec<CallRecord> {
        let count = items.len();
        let mut own = self
            .answer
            .as_ref()
            .ok()
            .and_then(|answer| answers_within(answer, count));
        let mut own = |at: usize| own.as_mut().and_then(|own| own[at].take());
        let each = items.iter().enumerate();
        each.map(|(at, item)| self.record_of(request, (at, count), item, own(at).as_ref()))
            .collect()
    }

    /// What can be seen of it for one of several records; `own` is the answer that is about this one alone.
    pub fn record_of(
        &self,
        request: &HttpRequest,
        (at, count): (usize, usize),
        item: &RawValue,
        own: Option<&Answer>,
    ) -> CallRecord {
        let (status, answer) = match own {
            Some(own) if !request.confidential => (Some(own.status), request.mask(excerpt(&own.body))),
            _ => self.answer_text(request),
        };
        let mut text = format!(
            "{} {} (record {} of {count})\n",
            request.method,
            request.masked_url(),
            at + 1
        );
        text.push_str(&request.mask(excerpt(item.get().as_bytes())));
        self.line(text, status, answer, count)
    }

    fn line(&self, request: String, status: Option<u16>, answer: String, records: usize) -> CallRecord {
        CallRecord {
            id: Default::default(),
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
            Ok(answer) => (Some(answer.status), request.mask(excerpt(&answer.body))),
            Err(error) => (None, request.mask(error.to_string())),
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
            request.mask(excerpt(&request.body))
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
