//! Access tokens: taken from the store, or asked for by one caller for all, on this node and on the others.

use serde_json::{Map, Value, json};
use switchboard_connect::{
    auth::{Token, TokenFailure},
    call::HttpRequest,
    connector::{Account, Connector},
};
use switchboard_model::problem::Problem;

use super::{Desk, send::exchange};
use crate::{
    configuration::{Connection, seal_place, token_place},
    failpoint,
    http::SendError,
    store::{AccessNote, CallRecord, ConnectionNote},
    token::{Fetched, TakenToken, is_good},
};

/// Where credentials are being changed, the changed ones are known a moment later.
const CHANGING_MS: u64 = 500;

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
    let fetch = async |stale: Option<Token>| fetch(desk, connection, connector, stale.as_ref(), calls).await;
    connection.tokens.get(refused, desk.clock.now_ms(), fetch).await
}

/// A token that is not `stale`: one that somebody else has fetched meanwhile, or a new one.
async fn fetch(
    desk: &Desk,
    connection: &Connection,
    connector: &Connector,
    stale: Option<&Token>,
    calls: &mut Vec<CallRecord>,
) -> Result<Fetched, TokenError> {
    if !connector.asks_for_tokens(&connection.spec.auth_kind) {
        return Ok(Fetched::Known(None));
    }
    let _turn = desk.store.turn(connection.id).await.map_err(failed)?;
    if let Some(token) = take_stored(desk, connection, connector, stale).await? {
        return Ok(Fetched::Known(Some(token)));
    }
    let account = connection.account().map_err(TokenError::Broken)?;
    let request = connector.token_request(&account, desk.clock.now_ms());
    let Some(request) = request.map_err(TokenError::Broken)? else {
        return Ok(Fetched::Known(None));
    };
    let read = |account: &Account, answer: &_, now_ms| connector.read_token(account, answer, now_ms);
    let token = ask(desk, connector, (&account, &request), read, calls).await?;
    failpoint::reach(failpoint::TOKEN);
    keep(desk, connection, &token).await?;
    Ok(Fetched::New(token))
}

/// Sends a request for a token, and reads the answer with `read`.
///
/// # Errors
/// When there is none.
pub async fn ask(
    desk: &Desk,
    connector: &Connector,
    (account, request): (&Account, &HttpRequest),
    read: impl FnOnce(&Account, &switchboard_connect::call::Answer, i64) -> Result<Token, TokenFailure>,
    calls: &mut Vec<CallRecord>,
) -> Result<Token, TokenError> {
    let sent = exchange(desk, "token", request).await;
    let mut record = sent.record(request);
    let result = match sent.answer {
        Ok(answer) => read(account, &answer, desk.clock.now_ms()).map_err(|failure| match failure {
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
    result
}

/// What somebody else has got since: credentials that the vendor has replaced, and perhaps a token that is good.
async fn take_stored(
    desk: &Desk,
    connection: &Connection,
    connector: &Connector,
    stale: Option<&Token>,
) -> Result<Option<Token>, TokenError> {
    // A connection that is only tried out is not in the store.
    let Some(stored) = desk.store.access(connection.id).await.map_err(failed)? else {
        return Ok(None);
    };
    if !connection.has_sealed(&stored.credentials) {
        let place = seal_place(connection.workspace, &connection.key);
        let secrets = desk.vault.open(&place, &stored.credentials);
        let secrets = secrets.map_err(TokenError::Broken)?;
        if !is_renewal(connector, connection, &secrets) {
            return Err(TokenError::Later {
                message: "the credentials are being changed".into(),
                after_ms: Some(CHANGING_MS),
            });
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
    let written = desk.store.note_connection(connection.id, note).await.map_err(failed)?;
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

fn failed(error: crate::store::StoreError) -> TokenError {
    TokenError::Broken(error.into())
}
