//! Completes thin callbacks: what they name is read from the vendor, with the source's own address and credentials.

use std::collections::HashMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::Value;
use switchboard_connect::{
    call::{Answer, HttpRequest},
    source::{FetchCall, Missing, Reading, Source},
};
use switchboard_model::{
    problem::{Code, Problem},
    template::Lookups,
};

use crate::{
    attempt::{exchange, token},
    configuration::{Connection, Receiver},
    hub::Hub,
    lane::limiter::Ask,
    token::{Asker, TokenError},
};

/// What completing came to.
pub(super) enum Completed {
    /// Everything is there.
    Whole,
    /// Not yet.
    Later(Problem),
    /// A person has to look.
    Never(Problem),
}

/// What asking for one thing came to.
enum Found {
    Body(Value),
    Nothing,
    Later(Problem),
    Never(Problem),
}

/// Completes every item that needs it. What several items name is read once.
pub(super) async fn complete(
    hub: &Hub,
    receiver: &Receiver,
    source: &Source,
    reading: &mut Reading,
    lists: &dyn Lookups,
) -> Completed {
    let mut known: HashMap<String, Option<Value>> = HashMap::new();
    for item in &mut reading.items {
        let call = match source.fetch(item, lists) {
            Ok(None) => continue,
            Ok(Some(call)) => call,
            Err(problem) => return Completed::Never(problem),
        };
        if !known.contains_key(&call.address) {
            let found = match ask(hub, receiver, &call).await {
                Found::Body(body) => Some(body),
                Found::Nothing => match call.missing {
                    Missing::Skip => None,
                    Missing::Retry => return Completed::Later(not_there(&call)),
                    Missing::Fail => return Completed::Never(not_there(&call)),
                },
                Found::Later(problem) => return Completed::Later(problem),
                Found::Never(problem) => return Completed::Never(problem),
            };
            known.insert(call.address.clone(), found);
        }
        match known.get(&call.address) {
            Some(Some(body)) => item.complete(body.clone()),
            _ => reading.notes.push(format!("{} is not there", call.address)),
        }
    }
    Completed::Whole
}

async fn ask(hub: &Hub, receiver: &Receiver, call: &FetchCall) -> Found {
    match &call.connection {
        None => match plain_request(call) {
            Ok(request) => judge(&send(hub, &request).await, call),
            Err(problem) => Found::Never(problem),
        },
        Some(key) => {
            let configuration = hub.configuration();
            let workspace = configuration.workspace(receiver.workspace);
            match workspace.and_then(|workspace| workspace.connection(key)) {
                Some(connection) => through(hub, connection, call).await,
                None => Found::Never(Problem::new(
                    Code::NotFound,
                    format!("there is no connection `{key}`, which this source reads with"),
                    "Make the connection, or name another one in the settings of the source, and process the callback anew.",
                )),
            }
        }
    }
}

/// With the credentials of a connection, within the limits of its account. A token that is refused is renewed once.
async fn through(hub: &Hub, connection: &Connection, call: &FetchCall) -> Found {
    let desk = hub.desk();
    let mut refused = None;
    loop {
        let taken = match token(desk, connection, refused, Asker::Upkeep, &mut Vec::new()).await {
            Ok(taken) => taken,
            Err(TokenError::Later(later)) => return Found::Later(trouble(call, &later.message)),
            Err(TokenError::Denied(message)) => return Found::Never(denied(call, &message)),
            Err(TokenError::Broken(problem)) => return Found::Never(problem),
        };
        let request = connection.connector().and_then(|connector| {
            let account = connection.account()?;
            connector.read_request(&account, taken.token.as_ref(), &call.address)
        });
        let request = match request {
            Ok(request) => request,
            Err(problem) => return Found::Never(problem),
        };
        let pass = match connection.gate.pass(Ask::preparation()).await {
            Ok(pass) => pass,
            Err(blocked) => return Found::Later(trouble(call, &blocked.0)),
        };
        let answer = send(hub, &request).await;
        drop(pass);
        let again = matches!(&answer, Ok(answer) if answer.status == 401) && refused.is_none() && taken.token.is_some();
        if !again {
            return judge(&answer, call);
        }
        refused = Some(taken.generation);
    }
}

async fn send(hub: &Hub, request: &HttpRequest) -> Result<Answer, String> {
    let sent = exchange(hub.desk(), "fetch", request).await;
    sent.answer.map_err(|error| error.to_string())
}

fn plain_request(call: &FetchCall) -> Result<HttpRequest, Problem> {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let mut secrets = Vec::new();
    for (name, value) in &call.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        let pair = name.ok().zip(HeaderValue::from_str(value).ok());
        let (name, mut header) = pair.ok_or_else(|| {
            let next = "Correct the secret of the source, and process the callback anew.";
            Problem::new(
                Code::ConnectionIncomplete,
                "a credential of the source cannot stand in a header",
                next,
            )
        })?;
        header.set_sensitive(true);
        secrets.push(value.clone());
        headers.insert(name, header);
    }
    Ok(HttpRequest::new(
        Method::GET,
        call.address.clone(),
        headers,
        Bytes::new(),
        secrets,
    ))
}

fn judge(answer: &Result<Answer, String>, call: &FetchCall) -> Found {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Found::Later(trouble(call, error)),
    };
    match answer.status {
        200..=299 => match answer.json() {
            Some(body) => Found::Body(body.clone()),
            None => Found::Later(trouble(call, "the answer is no JSON")),
        },
        404 | 410 => Found::Nothing,
        401 | 403 => Found::Never(denied(call, &format!("status {}", answer.status))),
        408 | 425 | 429 | 500.. => Found::Later(trouble(call, &format!("status {}", answer.status))),
        status => Found::Never(Problem::new(
            Code::VendorRejected,
            format!("{} was answered with status {status}", call.address),
            "Look at the raw callback and at the settings of the source, and process the callback anew.",
        )),
    }
}

fn not_there(call: &FetchCall) -> Problem {
    Problem::new(
        Code::VendorRejected,
        format!("what the callback is about is not at {}", call.address),
        "It may be gone since. Process the callback anew when it should be there.",
    )
}

fn denied(call: &FetchCall, why: &str) -> Problem {
    Problem::new(
        Code::CredentialsRefused,
        format!("{} may not be read: {why}", call.address),
        "Check the credentials with which this source reads, and process the callback anew.",
    )
}

fn trouble(call: &FetchCall, why: &str) -> Problem {
    Problem::new(
        Code::VendorUnavailable,
        format!("{} could not be read: {why}", call.address),
        "It is tried again for three hours; then process the callback anew.",
    )
}
