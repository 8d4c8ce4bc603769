//! Credentials and tokens: wrong ones, revoked ones, those that end and those that change.

use std::sync::Arc;

use futures::FutureExt;
use serde_json::{Map, Value};
use switchboard_model::{
    connection::{ConnectionSpec, ConnectionState},
    id::EventId,
    problem::Code,
};
use switchboard_simulator::{Call, Fault, Rule};

use super::{Case, test::readable};
use crate::conformance::{
    failure::{Failure, Verdict, expect},
    sample::Sample,
    stage::{Stage, describe},
    subject::Subject,
};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case::connection(
        "wrong-credentials",
        "Wrong credentials are told in a readable problem, stop the connection, and cost no record.",
        |stage| wrong(stage).boxed_local(),
    )
    .when(has_secrets),
    Case::connection(
        "revoked-credentials",
        "Credentials that are revoked stop the connection; nothing is burnt, and new ones send what waited.",
        |stage| revoked(stage).boxed_local(),
    )
    .when(has_secrets),
    Case::connection(
        "token-expiry",
        "A token that ends in the middle of a batch costs no record and doubles none.",
        |stage| expiry(stage).boxed_local(),
    )
    .when(has_tokens),
    Case::connection(
        "one-refresh",
        "However many records wait for a new token, it is asked for once.",
        |stage| one_refresh(stage).boxed_local(),
    )
    .when(has_tokens),
    Case::connection(
        "token-outage",
        "While no token can be had it is asked for seldom; nothing is burnt, and everything arrives afterwards.",
        |stage| outage(stage).boxed_local(),
    )
    .when(has_tokens),
    Case::connection(
        "token-throttled",
        "When the token end point says when to come again, the whole connection waits; no try is used up.",
        |stage| throttled(stage).boxed_local(),
    )
    .when(has_tokens),
    Case::connection(
        "refused-tokens",
        "A vendor that gives tokens and refuses them is asked for few; the connection stops, and nothing is burnt.",
        |stage| refused(stage).boxed_local(),
    )
    .when(has_tokens),
    Case::connection(
        "refresh-rotation",
        "A credential that the vendor replaces with each refresh is kept, also over a restart.",
        |stage| rotation(stage).boxed_local(),
    )
    .when(rotates),
];

fn has_secrets(subject: &Subject, _: &str) -> bool {
    !secrets(subject).is_empty()
}

fn has_tokens(subject: &Subject, _: &str) -> bool {
    subject.connector().asks_for_tokens(&subject.scenario.connection.auth)
}

/// Whether a credential of the scenario is replaced with each token.
pub fn rotates(subject: &Subject, _: &str) -> bool {
    subject.rotates()
}

/// The scenario's credentials that are secret: name and text.
fn secrets(subject: &Subject) -> Vec<(String, String)> {
    let connection = &subject.scenario.connection;
    let names = subject.connector().secret_names(&connection.auth);
    let text = |name: String| {
        let value = connection.credentials.get(&name)?.as_str()?.to_owned();
        Some((name, value))
    };
    names.into_iter().filter_map(text).collect()
}

/// The scenario's connection with other secrets.
fn with_others(stage: &Stage<'_>) -> ConnectionSpec {
    let mut account = stage.subject.scenario.connection.clone();
    for (name, value) in secrets(stage.subject) {
        account.credentials.insert(name, other(&value).into());
    }
    let (_, secrets) = account.at(&stage.vendor().url(stage.subject.slug()));
    ConnectionSpec {
        secrets,
        ..stage.spec()
    }
}

async fn wrong(stage: &Stage<'_>) -> Verdict {
    stage.configure(with_others(stage)).await?;
    let report = stage.try_connection().await?;
    let Some(problem) = report.problem.filter(|_| !report.ok) else {
        let found = format!("it succeeds: {}", report.message);
        return Err(Failure::new("the connection test fails", found));
    };
    // Where there is a page to sign in on, that is what a person is told to do.
    let signs_in = stage.subject.connector().has_sign_in(&stage.spec().auth_kind);
    let expected = match signs_in {
        true => Code::ReconnectNeeded,
        false => Code::CredentialsRefused,
    };
    expect(
        problem.code == expected,
        "the problem says that the credentials are refused (outcome `denied` or `reauthorise`)",
        || problem.to_string(),
    )?;
    readable(stage, &problem.detail)?;
    let events = stage.send(&[Sample::new(1)]).await?;
    stopped(stage, &events).await?;
    stage.connect().await?;
    stage.confirmed(&events).await?;
    stage.once(&[Sample::new(1)])
}

async fn revoked(stage: &Stage<'_>) -> Verdict {
    stage.warm().await?;
    // From now on the vendor knows other credentials, and what it gave for the former ones is worth nothing.
    let mut known = Value::Object(stage.subject.scenario.simulator.clone());
    for (_, value) in secrets(stage.subject) {
        known = replaced(&known, &value, &other(&value));
    }
    let slug = stage.subject.slug();
    let set = stage.vendor().configure(slug, &known);
    set.and_then(|()| stage.vendor().revoke_tokens(slug))
        .map_err(|refused| Failure::new("the simulated vendor changes its credentials", refused.to_string()))?;
    let samples = Sample::several(1, 3);
    let events = stage.send(&samples).await?;
    stopped(stage, &events).await?;
    stage.configure(with_others(stage)).await?;
    stage.confirmed(&events).await?;
    stage.once(&samples)
}

/// Waits until the connection has stopped; then nothing is settled, and no try is used up.
async fn stopped(stage: &Stage<'_>, events: &[EventId]) -> Verdict {
    let in_error = async || {
        let state = stage.connection().map(|connection| connection.state);
        if state == Some(ConnectionState::Error) {
            return Ok(Some(()));
        }
        let rows = stage.deliveries(events).await?;
        match rows.iter().all(|row| row.state.is_settled()) {
            true => Err(Failure::new(
                "the connection stops (state `error`) and the records wait",
                format!("the records are settled: {}", describe(&rows[0])),
            )),
            false => Ok(None),
        }
    };
    stage.until("the connection stops (state `error`)", in_error).await?;
    let reason = stage.connection().and_then(|connection| connection.reason);
    readable(stage, &reason.unwrap_or_default())?;
    unburnt(stage, events).await
}

/// Nothing is settled, and no try is used up.
async fn unburnt(stage: &Stage<'_>, events: &[EventId]) -> Verdict {
    let rows = stage.deliveries(events).await?;
    let burnt = rows.iter().find(|row| row.state.is_settled() || row.attempts > 0);
    match burnt {
        None => Ok(()),
        Some(row) => Err(Failure::new(
            "the records wait, and no try is used up",
            format!("after {} tries: {}", row.attempts, describe(row)),
        )),
    }
}

async fn expiry(stage: &Stage<'_>) -> Verdict {
    stage.warm().await?;
    for (round, after) in [(1, 0), (2, 1), (3, 2)] {
        let samples = Sample::several(10 * round, 6);
        stage.dial([Rule::new(Fault::ExpireTokens).after(after).times(1)])?;
        stage.deliver(&samples).await?;
        stage.once(&samples)?;
    }
    Ok(())
}

async fn one_refresh(stage: &Stage<'_>) -> Verdict {
    stage.warm().await?;
    expire(stage)?;
    let mark = stage.mark();
    let samples = Sample::several(1, 30);
    stage.deliver(&samples).await?;
    stage.once(&samples)?;
    let calls = stage.calls_since(mark);
    let path = token_path(stage)?;
    let asked = calls.iter().filter(|call| is_for(call, &path)).count();
    let expected = format!("one call of {path} for 30 records that wait");
    expect(asked == 1, expected, || format!("{asked} calls"))
}

/// Requests for a token are no closer to each other than this, in milliseconds: a clock may be a little behind.
const SELDOM_MS: i64 = 450;
/// So many tokens are tried one after the other before the credentials are given up.
const FEW: usize = 4;

async fn outage(stage: &Stage<'_>) -> Verdict {
    stage.warm().await?;
    expire(stage)?;
    let path = token_path(stage)?;
    let mark = stage.mark();
    let down = Fault::Status {
        code: 503,
        retry_after_s: None,
        applied: false,
    };
    stage.dial([Rule::new(down).path(&path)])?;
    let samples = Sample::several(1, 20);
    let events = stage.send(&samples).await?;
    let asked = async || {
        let calls = stage.calls_since(mark);
        let times: Vec<i64> = calls
            .iter()
            .filter(|call| is_for(call, &path))
            .map(|call| call.request.now_ms)
            .collect();
        Ok((times.len() >= 3).then_some(times))
    };
    let times = stage.until("a token is asked for three times", asked).await?;
    let closest = times.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap_or(0);
    let expected = format!("{SELDOM_MS} ms at least between two requests for a token");
    expect(closest >= SELDOM_MS, expected, || format!("{closest} ms"))?;
    unburnt(stage, &events).await?;
    stage.dial([])?;
    stage.confirmed(&events).await?;
    stage.once(&samples)
}

async fn throttled(stage: &Stage<'_>) -> Verdict {
    stage.warm().await?;
    expire(stage)?;
    let path = token_path(stage)?;
    let mark = stage.mark();
    let busy = Fault::Status {
        code: 429,
        retry_after_s: Some(1),
        applied: false,
    };
    stage.dial([Rule::new(busy).path(&path).times(1)])?;
    let samples = Sample::several(1, 20);
    let events = stage.send(&samples).await?;
    let rows = stage.settle(&events).await?;
    let tried = rows.iter().map(|row| row.attempts).max().unwrap_or(0);
    expect(tried == 0, "no try is used up", || format!("{tried} tries are used up"))?;
    stage.confirmed(&events).await?;
    let calls = stage.calls_since(mark);
    let refused = calls.iter().position(|call| !call.faults.is_empty());
    let after = refused.and_then(|at| {
        let asked_ms = calls[at].request.now_ms;
        let next = calls[at + 1..].iter().map(|call| call.request.now_ms - asked_ms);
        // Calls that were under way beside it ended later.
        next.filter(|after| *after > SELDOM_MS).min()
    });
    let expected = "no call within 990 ms after the token end point has asked for a second";
    expect(after.is_some_and(|after| after >= 990), expected, || {
        format!("the next call came after {after:?} ms")
    })?;
    stage.once(&samples)
}

async fn refused(stage: &Stage<'_>) -> Verdict {
    let mark = stage.mark();
    stage.dial([Rule::new(Fault::ExpireTokens)])?;
    stage.connect().await?;
    let samples = Sample::several(1, 3);
    let events = stage.send(&samples).await?;
    stopped(stage, &events).await?;
    let path = token_path(stage)?;
    let calls = stage.calls_since(mark);
    let asked = calls.iter().filter(|call| is_for(call, &path)).count();
    let expected = format!("at most {FEW} tokens are asked for");
    expect(asked <= FEW, expected, || format!("{asked} are"))?;
    stage.dial([])?;
    let report = stage.try_connection().await?;
    expect(report.ok, "the connection goes back to work when it is tested", || {
        report.message.clone()
    })?;
    stage.confirmed(&events).await?;
    stage.once(&samples)
}

async fn rotation(stage: &Stage<'_>) -> Verdict {
    stage.warm().await?;
    for round in 1..=2 {
        expire(stage)?;
        stage.deliver(&[Sample::new(round)]).await?;
    }
    stage.restart().await?;
    expire(stage)?;
    stage.deliver(&[Sample::new(3)]).await?;
    stage.once(&Sample::several(1, 3))
}

fn expire(stage: &Stage<'_>) -> Verdict {
    let expired = stage.vendor().expire_tokens(stage.subject.slug());
    expired.map_err(|refused| Failure::new("tokens can expire", refused.to_string()))
}

/// The path, below the vendor's prefix, at which tokens are asked for.
fn token_path(stage: &Stage<'_>) -> Result<String, Failure> {
    let spec = stage.spec();
    let connector = stage.subject.connector();
    let account = connector.account(&spec.auth_kind, &spec.settings, &spec.secrets, &Map::new())?;
    let request = connector.token_request(&account, stage.now_ms())?;
    let url = request.map(|request| request.url).unwrap_or_default();
    let url = url.split('?').next().unwrap_or_default();
    let origin = stage.vendor().url(stage.subject.slug());
    match url.strip_prefix(&origin) {
        Some(path) => Ok(path.to_owned()),
        None => Err(Failure::new(
            format!("tokens are asked for below {{origin}} ({origin})"),
            format!("they are asked for at {url}"),
        )),
    }
}

fn is_for(call: &Arc<Call>, path: &str) -> bool {
    call.request.path == path
}

/// Another credential of the same form: its last letters and digits are changed.
fn other(secret: &str) -> String {
    let mut letters: Vec<char> = secret.chars().collect();
    let changed = letters
        .iter_mut()
        .rev()
        .filter(|letter| letter.is_ascii_alphanumeric())
        .take(3);
    for letter in changed {
        *letter = match *letter {
            '9' => '0',
            'z' => 'a',
            'Z' => 'A',
            other => char::from_u32(u32::from(other) + 1).unwrap_or(other),
        };
    }
    letters.into_iter().collect()
}

fn replaced(value: &Value, from: &str, to: &str) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace(from, to)),
        Value::Array(items) => items.iter().map(|item| replaced(item, from, to)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), replaced(value, from, to)))
            .collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_credential_has_the_same_form() {
        assert_eq!(other("pat-example.1"), "pat-examplf.2".replace("examplf", "exampmf"));
        assert_eq!(other("zZ9"), "aA0");
        assert_eq!(other(""), "");
    }
}
