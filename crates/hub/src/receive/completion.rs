//! Completes thin callbacks: what they name is read from the vendor, with the source's own address and credentials.

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::Value;
use switchboard_connect::{
    call::{Answer, HttpRequest},
    source::{FetchCall, Fetched, Missing, Reading, Source},
};
use switchboard_model::{
    problem::{Code, Problem},
    template::Lookups,
};
use tokio::time::{Instant, timeout, timeout_at};

use crate::{
    attempt::{exchange, token},
    configuration::{Connection, Receiver},
    hub::Hub,
    lane::{Pass, limiter::Ask},
    token::{Asker, TokenError},
};

/// After so long nothing more is asked for one callback. A token that is fetched in between is waited for, so that it is not lost: then it is
/// longer by the patience of that call.
const DEADLINE: Duration = Duration::from_secs(60);
/// How long a callback waits for its turn at a vendor's account before it makes room for others.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why nothing more is asked.
const SLOW: &str = "what this callback needs takes longer than a minute to read";

/// What completing came to.
pub(super) enum Completed {
    /// Everything is there.
    Whole,
    /// Not yet.
    Later(Problem),
    /// The vendor's account has no call to give before this moment, Unix milliseconds.
    Turn {
        /// In words.
        problem: Problem,
        /// When.
        until_ms: i64,
    },
    /// A person has to look.
    Never(Problem),
}

/// What asking for one thing came to.
enum Found {
    Body(Value),
    Nothing,
    Later(Problem),
    Turn { problem: Problem, until_ms: i64 },
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
    let until = Instant::now() + DEADLINE;
    // By whom and what is asked: two connections can have the same path.
    let mut known: HashMap<(Option<String>, String), Option<Fetched>> = HashMap::new();
    for item in &mut reading.items {
        let call = match source.fetch(item, lists) {
            Ok(None) => continue,
            Ok(Some(call)) => call,
            Err(problem) => return Completed::Never(problem),
        };
        let key = (call.connection.clone(), call.address.clone());
        if !known.contains_key(&key) {
            let found = match ask(hub, receiver, &call, until).await {
                Found::Body(body) => Some(body.into()),
                Found::Nothing => match call.missing {
                    Missing::Skip => None,
                    Missing::Retry => return Completed::Later(not_there(&call)),
                    Missing::Fail => return Completed::Never(not_there(&call)),
                },
                Found::Later(problem) => return Completed::Later(problem),
                Found::Turn { problem, until_ms } => return Completed::Turn { problem, until_ms },
                Found::Never(problem) => return Completed::Never(problem),
            };
            known.insert(key.clone(), found);
        }
        match known.get(&key) {
            Some(Some(body)) => item.complete(body),
            _ => reading.notes.push(format!("{} is not there", call.address)),
        }
    }
    Completed::Whole
}

async fn ask(hub: &Hub, receiver: &Receiver, call: &FetchCall, until: Instant) -> Found {
    if Instant::now() >= until {
        return Found::Later(trouble(call, SLOW));
    }
    match &call.connection {
        None => match plain_request(call) {
            Ok(request) => judge(&send(hub, None, &request, until).await, call),
            Err(problem) => Found::Never(problem),
        },
        Some(key) => {
            let configuration = hub.configuration();
            let workspace = configuration.workspace(receiver.workspace);
            match workspace.and_then(|workspace| workspace.connection(key)) {
                Some(connection) => through(hub, connection, call, until).await,
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
async fn through(hub: &Hub, connection: &Connection, call: &FetchCall, until: Instant) -> Found {
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
        let mut pass = match timeout(PATIENCE, connection.gate.pass(Ask::preparation())).await {
            Ok(Ok(pass)) => pass,
            Ok(Err(blocked)) => return Found::Later(trouble(call, &blocked.0)),
            Err(_) => {
                let until_ms = connection.gate.forecast(1, None);
                let problem = trouble(call, "the limit of the vendor's account leaves no call at the moment");
                return Found::Turn { problem, until_ms };
            }
        };
        let answer = send(hub, Some(&mut pass), &request, until).await;
        drop(pass);
        let again = matches!(&answer, Ok(answer) if answer.status == 401) && refused.is_none() && taken.token.is_some();
        if !again {
            return judge(&answer, call);
        }
        refused = Some(taken.generation);
    }
}

/// Reads at the vendor; breaking that off harms nothing.
async fn send(hub: &Hub, pass: Option<&mut Pass>, request: &HttpRequest, until: Instant) -> Result<Answer, String> {
    match timeout_at(until, exchange(hub.desk(), pass, "fetch", request)).await {
        Ok(sent) => sent.answer.map_err(|error| error.to_string()),
        Err(_) => Err(SLOW.into()),
    }
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
