//! Looks up or sets up at the vendor what a connector needs before first use, and keeps it as facts.

use serde_json::Map;
use switchboard_connect::connector::PrepareStep;
use switchboard_model::{
    outcome::Outcome,
    problem::{Code, Fault, Problem},
};
use tokio::sync::watch;

use super::{
    Desk,
    call::{MOST_RENEWALS, no_token_is_good},
    renew,
    send::exchange,
    settle, verdict,
};
use crate::{
    configuration::Connection,
    lane::{Away, limiter::Ask},
    store::ConnectionNote,
    token::{Asker, TokenError},
};

/// More calls than this are not made: a manifest that goes round in circles is stopped.
const MOST_CALLS: u32 = 100;

/// Carries out every preparation of the connection's connector for the objects that it is for and the one that is `wanted`, and keeps the
/// facts. What only a person can mend stops the connection. Once `recalled` is true, what waits for its turn is given up.
///
/// # Errors
/// When the vendor cannot be reached or refuses something that is not optional; nothing is kept then.
pub async fn prepare(
    desk: &Desk,
    connection: &Connection,
    wanted: &str,
    recalled: &watch::Receiver<bool>,
) -> Result<(), Problem> {
    let prepared = carry_out(desk, connection, wanted, recalled).await;
    if let Err(problem) = &prepared
        && (problem.code.fault() == Fault::Configuration || problem.code == Code::SealBroken)
    {
        settle::mark_refused(desk, connection, problem).await;
    }
    prepared
}

async fn carry_out(
    desk: &Desk,
    connection: &Connection,
    wanted: &str,
    recalled: &watch::Receiver<bool>,
) -> Result<(), Problem> {
    let connector = connection.connector()?;
    let objects = connection.objects_to_prepare(wanted);
    let mut preparation = connector.preparation(&objects);
    let mut facts = connection.facts();
    let (mut refused, mut renewals) = (None, 0);
    for _ in 0..MOST_CALLS {
        let mut calls = Vec::new();
        let token = renew::token(desk, connection, refused.take(), Asker::Lane(recalled), &mut calls).await;
        let token = token.map_err(|error| no_token(connection, error))?;
        // What was learnt a call ago is there for the next one.
        connection.note_facts(facts.clone());
        let account = connection.account()?;
        let request = match preparation.next(&account, token.token.as_ref())? {
            PrepareStep::Call(request) => request,
            PrepareStep::Done => return keep(desk, connection, facts, objects).await,
        };
        let is_over = || recalled.borrow().then_some(());
        let pass = connection.gate.pass_unless(Ask::preparation(), is_over).await;
        let mut pass = pass.map_err(|away| match away {
            Away::Blocked(message) => stopped(connection, &message, ""),
            Away::Unwanted(()) => unavailable(connection, "the lane ends"),
        })?;
        let sent = exchange(desk, Some(&mut pass), "prepare", &request).await;
        let record = sent.record(&request);
        let answer = sent
            .answer
            .map_err(|error| unavailable(connection, &error.to_string()))?;
        pass.observe(&connector.observe(&account, &answer));
        drop(pass);
        match preparation.read(&account, &answer, &mut facts) {
            Ok(()) => renewals = 0,
            Err(Outcome::Reauthorise { message }) if token.token.is_some() && renewals < MOST_RENEWALS => {
                tracing::debug!(connection = %connection.key, message, "a new token is needed");
                refused = Some(token.generation);
                renewals += 1;
            }
            // The vendor gives tokens and does not accept them.
            Err(Outcome::Reauthorise { message }) if token.token.is_some() => {
                let message = no_token_is_good(&message, token.token.as_ref());
                return Err(verdict::refused(&connection.key, connection.signs_in(), &message));
            }
            Err(Outcome::Throttled { message, after_ms }) => {
                let until = desk.clock.now_ms() + i64::try_from(after_ms.unwrap_or(5_000)).unwrap_or(5_000);
                connection.gate.pause_until(until);
                return Err(unavailable(connection, &message));
            }
            Err(
                Outcome::Denied { message }
                | Outcome::Gone { message }
                | Outcome::Rejected { message, .. }
                | Outcome::Reauthorise { message },
            ) => {
                return Err(stopped(connection, &message, &record.request));
            }
            Err(Outcome::Blocked { message }) => {
                connection.gate.block(&message);
                return Err(stopped(connection, &message, &record.request));
            }
            Err(Outcome::Retry { message, .. } | Outcome::Unknown { message }) => {
                return Err(unavailable(connection, &message));
            }
            Err(other) => return Err(unavailable(connection, other.name())),
        }
    }
    Err(unavailable(connection, "the preparation does not come to an end"))
}

async fn keep(
    desk: &Desk,
    connection: &Connection,
    facts: Map<String, serde_json::Value>,
    objects: Vec<String>,
) -> Result<(), Problem> {
    connection.note_prepared(facts, objects);
    let note = ConnectionNote {
        facts: Some(connection.facts()),
        ..ConnectionNote::default()
    };
    desk.store.note_connection(connection.id, note).await?;
    Ok(())
}

fn no_token(connection: &Connection, failure: TokenError) -> Problem {
    match failure {
        TokenError::Denied(message) => verdict::refused(&connection.key, connection.signs_in(), &message),
        TokenError::Later(later) => unavailable(connection, &later.message),
        TokenError::Broken(problem) => problem,
    }
}

fn stopped(connection: &Connection, message: &str, request: &str) -> Problem {
    Problem::new(
        Code::ConnectionIncomplete,
        format!("{}: {message}", connection.key),
        "Mend the settings or the rights of this connection; what waits is sent then.",
    )
    .at(request.lines().next().unwrap_or_default())
}

fn unavailable(connection: &Connection, message: &str) -> Problem {
    Problem::new(
        Code::VendorUnavailable,
        format!("{}: {message}", connection.key),
        "Nothing yet; it is tried again by itself.",
    )
}
