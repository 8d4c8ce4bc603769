//! Access tokens: taken from the store, or asked for by one caller for all, on this node and on the others.

use serde_json::{Map, Value, json};
use switchboard_connect::{
    auth::{Token, TokenFailure},
    call::HttpRequest,
    connector::{Account, Connector},
};
use switchboard_model::problem::Problem;

use super::{Desk, send::exchange, verdict};
use crate::{
    configuration::{Connection, seal_place, token_place},
    failpoint,
    http::SendError,
    lane::{Away, PATIENCE, Pass, limiter::Ask},
    store::{AccessNote, CallRecord, ConnectionNote, StoreError},
    token::{Asker, Cause, Fetched, Later, TakenToken, TokenError, is_good, not_my_turn},
};

/// Where credentials are being changed, the changed ones are known a moment later.
const CHANGING_MS: u64 = 500;

/// The connection's token, fetched when need be by one caller for all; `refused` is the generation of a token that the vendor does not
/// accept, `who` is who waits. The calls that this takes are added to `calls`.
///
/// # Errors
/// When the vendor gives none.
pub async fn token(
    desk: &Desk,
    connection: &Connection,
    refused: Option<u64>,
    who: Asker<'_>,
    calls: &mut Vec<CallRecord>,
) -> Result<TakenToken, TokenError> {
    let connector = connection.connector().map_err(TokenError::Broken)?;
    let fetch = async |stale: Option<Token>| fetch(desk, connection, connector, (stale.as_ref(), who), calls).await;
    connection.tokens.get(refused, who, desk.clock.as_ref(), fetch).await
}

/// A token that is not `stale`: one that somebody else has fetched meanwhile, or a new one.
async fn fetch(
    desk: &Desk,
    connection: &Connection,
    connector: &Connector,
    (stale, who): (Option<&Token>, Asker<'_>),
    calls: &mut Vec<CallRecord>,
) -> Result<Fetched, TokenError> {
    if !connector.asks_for_tokens(&connection.spec.auth_kind) {
        return Ok(Fetched::Known(None));
    }
    if let Some(token) = take_stored(desk, connection, connector, stale).await? {
        return Ok(Fetched::Known(Some(token)));
    }
    // The gate first: it may take long, and the turn is one for all nodes. Whoever else takes both takes them in this order.
    let mut pass = pass(desk, connection, who).await?;
    let _turn = desk
        .store
        .turn(connection.id)
        .await
        .map_err(|error| failed(desk, &error))?;
    if let Some(token) = take_stored(desk, connection, connector, stale).await? {
        return Ok(Fetched::Known(Some(token)));
    }
    let account = connection.account().map_err(TokenError::Broken)?;
    let request = connector.token_request(&account, desk.clock.now_ms());
    let Some(request) = request.map_err(TokenError::Broken)? else {
        return Ok(Fetched::Known(None));
    };
    let read = |account: &Account, answer: &_, now_ms| connector.read_token(account, answer, now_ms);
    let token = ask(desk, &mut pass, connector, (&account, &request), read, calls).await?;
    failpoint::reach(failpoint::TOKEN);
    keep(desk, connection, &token).await?;
    Ok(Fetched::New(token))
}

/// The turn of a request for a token: it is a call like any other.
async fn pass(desk: &Desk, connection: &Connection, who: Asker<'_>) -> Result<Pass, TokenError> {
    let ask = match who.is_person() {
        true => Ask::interactive(),
        false => Ask::preparation(),
    };
    let is_over = || matches!(who, Asker::Lane(recalled) if *recalled.borrow()).then_some(());
    let passing = connection.gate.pass_unless(ask, is_over);
    let passed = match who.is_person() {
        true => tokio::time::timeout(PATIENCE, passing).await,
        false => Ok(passing.await),
    };
    let passed = passed.map_err(|_| TokenError::Later(not_my_turn(desk.clock.now_ms())))?;
    passed.map_err(|away| match away {
        Away::Blocked(message) => TokenError::Denied(message),
        Away::Unwanted(()) => {
            let later = Later::new("the lane ends", Cause::Own, desk.clock.now_ms(), None);
            TokenError::Later(later)
        }
    })
}

/// Sends a request for a token, and reads the answer with `read`. What the answer asks of the calls of the account is kept to from then on.
///
/// # Errors
/// When there is none.
pub async fn ask(
    desk: &Desk,
    pass: &mut Pass,
    connector: &Connector,
    (account, request): (&Account, &HttpRequest),
    read: impl FnOnce(&Account, &switchboard_connect::call::Answer, i64) -> Result<Token, TokenFailure>,
    calls: &mut Vec<CallRecord>,
) -> Result<Token, TokenError> {
    let sent = exchange(desk, Some(&mut *pass), "token", request).await;
    let mut record = sent.record(request);
    let now_ms = desk.clock.now_ms();
    let result = match sent.answer {
        Ok(answer) => read(account, &answer, now_ms).map_err(|failure| refusal(failure, now_ms)),
        Err(SendError::Refused(message)) => Err(TokenError::Denied(message)),
        Err(error) => {
            let later = Later::new(error.to_string(), Cause::Outage, now_ms, None);
            Err(TokenError::Later(later))
        }
    };
    record.outcome = match &result {
        Ok(_) => "delivered",
        Err(TokenError::Denied(_)) => "denied",
        Err(TokenError::Later(later)) if later.cause == Cause::Throttled => {
            pass.pause_until(later.until_ms);
            "throttled"
        }
        Err(_) => "retry",
    };
    desk.metrics.called(connector.slug(), "token", record.outcome);
    calls.push(record);
    result
}

/// What an answer without a token means.
fn refusal(failure: TokenFailure, now_ms: i64) -> TokenError {
    let TokenFailure {
        dead,
        throttled,
        message,
        after_ms,
    } = failure;
    match (dead, throttled) {
        (true, _) => TokenError::Denied(message),
        (false, true) => {
            let after_ms = after_ms.unwrap_or(verdict::THROTTLE_MS);
            TokenError::Later(Later::new(message, Cause::Throttled, now_ms, Some(after_ms)))
        }
        // Whatever it is: without a token nothing can be sent, and asking at once again is of no use.
        (false, false) => TokenError::Later(Later::new(message, Cause::Outage, now_ms, after_ms)),
    }
}

/// What somebody else has got since: credentials that the vendor has replaced, and perhaps a token that is good.
async fn take_stored(
    desk: &Desk,
    connection: &Connection,
    connector: &Connector,
    stale: Option<&Token>,
) -> Result<Option<Token>, TokenError> {
    // A connection that is only tried out is not in the store.
    let stored = desk.store.access(connection.id).await;
    let Some(stored) = stored.map_err(|error| failed(desk, &error))? else {
        return Ok(None);
    };
    if !connection.has_sealed(&stored.credentials) {
        let place = seal_place(connection.workspace, &connection.key);
        let secrets = desk.vault.open(&place, &stored.credentials);
        let secrets = secrets.map_err(TokenError::Broken)?;
        if !is_renewal(connector, connection, &secrets) {
            let (now_ms, after_ms) = (desk.clock.now_ms(), Some(CHANGING_MS));
            let later = Later::new("the credentials are being changed", Cause::Own, now_ms, after_ms);
            return Err(TokenError::Later(later));
        }
        connection.note_secrets(secrets, stored.credentials);
        connection.note_stored();
    }
    let Some(sealed) = stored.token else { return Ok(None) };
    let place = token_place(connection.workspace, &connection.key);
    let opened = desk.vault.open(&place, &sealed).map_err(TokenError::Broken)?;
    let token = token_of(&opened);
    let now_ms = desk.clock.now_ms();
    Ok(token.filter(|token| is_good(token, now_ms) && stale.is_none_or(|stale| stale.access != token.access)))
}

/// Whether these credentials differ from those at hand only in what a vendor replaces.
fn is_renewal(connector: &Connector, connection: &Connection, secrets: &Map<String, Value>) -> bool {
    let kind = &connection.spec.auth_kind;
    let mut replaced = connector.rotating_credentials(kind);
    replaced.extend(connector.sign_in_brings(kind));
    let lasting = |secrets: &Map<String, Value>| -> Map<String, Value> {
        let lasting = secrets.iter().filter(|(name, _)| !replaced.contains(name));
        lasting.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    lasting(secrets) == lasting(&connection.secrets())
}

/// A vendor that rotates refresh tokens has made the old one worthless: the new one is kept before the access token is used.
async fn keep(desk: &Desk, connection: &Connection, token: &Token) -> Result<(), TokenError> {
    let mut note = ConnectionNote {
        access: Some(access_note(desk, connection, token).map_err(TokenError::Broken)?),
        about: Some(connection.stored_sealed()),
        ..ConnectionNote::default()
    };
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
    } else if connection.stored_sealed() != connection.sealed() {
        // They could not be written down the last time.
        note.sealed = Some(connection.sealed());
    }
    let sealed = note.sealed.is_some();
    let written = desk.store.note_connection(connection.id, note).await;
    let written = written.map_err(|error| failed(desk, &error))?;
    if written && sealed {
        connection.note_stored();
    }
    Ok(())
}

/// The token as the store keeps it.
///
/// # Errors
/// When it cannot be sealed.
pub fn access_note(desk: &Desk, connection: &Connection, token: &Token) -> Result<AccessNote, Problem> {
    let place = token_place(connection.workspace, &connection.key);
    let content = json!({"access": token.access, "expires_at_ms": token.expires_at_ms});
    let content = content.as_object().cloned().unwrap_or_default();
    Ok(AccessNote {
        sealed: desk.vault.seal(&place, &content)?,
        grant_ends_ms: token.grant_ends_ms,
    })
}

fn token_of(opened: &Map<String, Value>) -> Option<Token> {
    Some(Token {
        access: opened.get("access")?.as_str()?.to_owned(),
        expires_at_ms: opened.get("expires_at_ms").and_then(Value::as_i64),
        facts: Map::new(),
        grant_ends_ms: None,
        replaced_secrets: Map::new(),
    })
}

/// Nothing can be done while the store does not answer; that is nobody's fault but ours, and it passes.
fn failed(desk: &Desk, error: &StoreError) -> TokenError {
    TokenError::Later(Later::new(error.to_string(), Cause::Own, desk.clock.now_ms(), None))
}
