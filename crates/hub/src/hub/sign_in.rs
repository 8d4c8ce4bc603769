//! Signing in on a vendor's page: a person is sent there, comes back with a code, and the code is exchanged for tokens.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::TryRng;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use switchboard_connect::{
    auth::Token,
    authorize::{Arrival, Departure},
    connector::{Account, Connector},
};
use switchboard_model::{
    connection::ConnectionState,
    id::WorkspaceId,
    problem::{Code, Problem},
};

use super::{
    Hub,
    trial::{Tokens, pass},
};
use crate::{
    attempt::{access_note, ask},
    configuration::{Connection, seal_place},
    http::excerpt,
    store::{ConnectionNote, SignInRow},
    token::TokenError,
};

/// A person is expected back for so long, in milliseconds.
const EXPECTED_MS: i64 = 600_000;

/// 32 bytes in base64url.
const STATE_LETTERS: usize = 43;

/// Where a person has to go to sign in.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// The vendor's page.
    pub address: String,
    /// Where the vendor sends them back to.
    pub redirect_uri: String,
    /// They are expected until then, Unix milliseconds.
    pub expires_ms: i64,
}

/// A connection that somebody has signed in for.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The user's own id of the connection.
    pub key: String,
    /// The vendor's name of the product.
    pub connector: String,
    /// What the test of the connection found.
    pub message: String,
}

/// What is remembered of a person who was sent away.
struct Memory {
    redirect_uri: String,
    code_verifier: String,
}

impl Hub {
    /// Makes the address that a person opens to sign in for a connection. It is good once and for ten minutes. `redirect_uri` is where this
    /// hub is reached from their browser.
    ///
    /// # Errors
    /// When there is no such connection, it has no page to sign in on, or lacks what the vendor's page needs (the client id).
    pub async fn start_sign_in(
        &self,
        workspace: WorkspaceId,
        key: &str,
        redirect_uri: &str,
    ) -> Result<SignIn, Problem> {
        let configuration = self.configuration();
        let connection = configuration
            .workspace(workspace)
            .and_then(|workspace| workspace.connection(key))
            .ok_or_else(|| super::reading::no_connection(key))?;
        let connector = connection.connector()?;
        if !connection.signs_in() {
            return Err(no_page(connector, connection));
        }
        lacks_nothing(connector, connection, &connection.secrets(), Needs::ToStart)?;
        let (state, code_verifier) = (random()?, random()?);
        let departure = Departure {
            redirect_uri,
            state: &state,
            code_challenge: &URL_SAFE_NO_PAD.encode(Sha256::digest(&code_verifier)),
        };
        let account = connection.account()?;
        let address = connector.sign_in_address(&account, departure)?;
        let expires_ms = self.clock().now_ms() + EXPECTED_MS;
        let hash: [u8; 32] = Sha256::digest(&state).into();
        let memory = json!({"redirect_uri": redirect_uri, "code_verifier": code_verifier});
        let memory = memory.as_object().cloned().unwrap_or_default();
        let row = SignInRow {
            state: hash,
            workspace,
            connection: connection.id,
            sealed: self.inner.vault.seal(&memory_place(&hash), &memory)?,
            expires_ms,
        };
        self.inner.store.expect_back(row, self.clock().now_ms()).await?;
        Ok(SignIn {
            address,
            redirect_uri: redirect_uri.to_owned(),
            expires_ms,
        })
    }

    /// Takes in a person who comes back from a vendor's page, with the parameters of the address that they were sent to: exchanges the code,
    /// keeps the tokens, and tries the connection, which goes to work when it works.
    ///
    /// # Errors
    /// When nobody waits for them any more, they or the vendor refused, the exchange fails, or the connection does not work with what it got.
    pub async fn finish_sign_in(&self, parameters: &HashMap<String, String>) -> Result<SignedIn, Problem> {
        let state = parameters.get("state").map(String::as_str).unwrap_or_default();
        // Anybody can call: the store is not asked for what cannot be a state.
        if state.len() != STATE_LETTERS {
            return Err(unknown());
        }
        let hash: [u8; 32] = Sha256::digest(state).into();
        let row = self.inner.store.come_back(hash).await?.ok_or_else(unknown)?;
        if row.expires_ms < self.clock().now_ms() {
            return Err(expired());
        }
        let opened = self.inner.vault.open(&memory_place(&hash), &row.sealed)?;
        let memory = Memory::of(&opened).ok_or_else(unknown)?;
        let configuration = self.configuration();
        let connection = configuration
            .connection(row.connection)
            .filter(|connection| connection.workspace == row.workspace)
            .ok_or_else(unknown)?;
        let connector = connection.connector()?;
        if !connection.signs_in() {
            return Err(no_page(connector, connection));
        }
        if let Some(error) = parameters.get("error") {
            return Err(declined(connector, error, parameters.get("error_description")));
        }
        let kind = &connection.spec.auth_kind;
        let Some(code) = connector.code_of(kind, parameters) else {
            let why = format!("{} sent no code", connector.name());
            return Err(again(why));
        };
        let told = connector.callback_facts(kind, parameters)?;
        let arrival = Arrival {
            code,
            redirect_uri: &memory.redirect_uri,
            code_verifier: &memory.code_verifier,
        };
        self.exchange(connection, connector, arrival, told).await?;
        self.try_signed_in(connection, connector).await
    }

    /// Gets tokens for the code and writes them down.
    async fn exchange(
        &self,
        connection: &Connection,
        connector: &Connector,
        arrival: Arrival<'_>,
        told: Map<String, Value>,
    ) -> Result<(), Problem> {
        let desk = &self.inner.desk;
        // The same order as everywhere: first the gate, then the turn.
        let mut pass = pass(connection).await?;
        let _turn = self.inner.store.turn(connection.id).await?;
        let stored = self.inner.store.access(connection.id).await?.ok_or_else(unknown)?;
        let place = seal_place(connection.workspace, &connection.key);
        let mut secrets = self.inner.vault.open(&place, &stored.credentials)?;
        let mut facts = connection.facts();
        facts.extend(told);
        let spec = &connection.spec;
        let account = connector.account(&spec.auth_kind, &spec.settings, &secrets, &facts)?;
        let request = connector.code_request(&account, arrival, desk.clock.now_ms())?;
        let read = |account: &Account, answer: &_, now_ms| connector.read_code_answer(account, answer, now_ms);
        let mut calls = Vec::new();
        let token = ask(desk, &mut pass, connector, (&account, &request), read, &mut calls).await;
        let token = token.map_err(|error| no_tokens(connector, error))?;
        secrets.extend(token.replaced_secrets.clone());
        lacks_nothing(connector, connection, &secrets, Needs::ToWork)?;
        facts.extend(token.facts.clone());
        // Another account may be another world: everything is looked up anew.
        let facts = crate::configuration::unprepared(facts);
        self.keep_sign_in(connection, (stored.credentials, secrets), facts, &token)
            .await
    }

    async fn keep_sign_in(
        &self,
        connection: &Connection,
        (before, secrets): (Vec<u8>, Map<String, Value>),
        facts: Map<String, Value>,
        token: &Token,
    ) -> Result<(), Problem> {
        let place = seal_place(connection.workspace, &connection.key);
        let note = ConnectionNote {
            state: Some((resting(connection.state), Some("It is not tested yet.".into()))),
            about: Some(before),
            facts: Some(facts),
            sealed: Some(self.inner.vault.seal(&place, &secrets)?),
            access: Some(access_note(&self.inner.desk, connection, token)?),
        };
        if !self.inner.store.note_connection(connection.id, note).await? {
            return Err(again("the connection was changed meanwhile".into()));
        }
        self.refresh().await
    }

    /// Tries the connection with what it has now, and lets it go to work.
    async fn try_signed_in(&self, before: &Connection, connector: &Connector) -> Result<SignedIn, Problem> {
        let configuration = self.configuration();
        let connection = configuration.connection(before.id).cloned().ok_or_else(unknown)?;
        let report = self.try_out(&connection, Tokens::Kept).await;
        let state = match (&report.problem, before.state) {
            (_, ConnectionState::Paused) => (ConnectionState::Paused, before.reason.clone()),
            (None, _) => (ConnectionState::Active, None),
            (Some(problem), _) => (ConnectionState::Error, Some(problem.detail.clone())),
        };
        let note = ConnectionNote {
            state: Some(state),
            about: Some(connection.sealed()),
            ..ConnectionNote::default()
        };
        self.inner.store.note_connection(connection.id, note).await?;
        self.refresh().await?;
        match report.problem {
            Some(problem) => Err(problem),
            None => Ok(SignedIn {
                key: connection.key.clone(),
                connector: connector.name().to_owned(),
                message: report.message,
            }),
        }
    }
}

impl Memory {
    fn of(opened: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| Some(opened.get(name)?.as_str()?.to_owned());
        Some(Self {
            redirect_uri: text("redirect_uri")?,
            code_verifier: text("code_verifier")?,
        })
    }
}

/// The state of a connection that was not tried yet.
fn resting(state: ConnectionState) -> ConnectionState {
    match state {
        ConnectionState::Paused => ConnectionState::Paused,
        ConnectionState::Draft | ConnectionState::Active | ConnectionState::Error => ConnectionState::Error,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    ToStart,
    ToWork,
}

/// Makes sure that the connection has what it needs. To start, it need not have what the sign-in brings.
fn lacks_nothing(
    connector: &Connector,
    connection: &Connection,
    secrets: &Map<String, Value>,
    needs: Needs,
) -> Result<(), Problem> {
    let spec = &connection.spec;
    let mut missing = connector.check(&spec.auth_kind, &spec.settings, secrets).missing;
    let brought = connector.sign_in_brings(&spec.auth_kind);
    if needs == Needs::ToStart {
        missing.retain(|name| !brought.contains(name));
    }
    if missing.is_empty() {
        return Ok(());
    }
    let missing_text = missing.join(", ");
    if missing.iter().any(|name| brought.contains(name)) {
        let detail = format!("{} gave no {missing_text}", connector.name());
        let next = "Remove this app's access in the settings of the account there, then sign in again; an app whose consent was given before \
                    may get less.";
        return Err(Problem::new(Code::SignInRefused, detail, next));
    }
    let detail = format!("{}: missing: {missing_text}", connection.key);
    let next =
        "Enter what the app that you have registered at the vendor is given (client id and secret), then sign in.";
    Err(Problem::new(Code::ConnectionIncomplete, detail, next))
}

fn memory_place(hash: &[u8; 32]) -> String {
    format!("sign-in {}", hex::encode(hash))
}

/// 32 random bytes: [`STATE_LETTERS`] letters, digits, `-` and `_`.
fn random() -> Result<String, Problem> {
    let mut bytes = [0; 32];
    rand::rngs::SysRng.try_fill_bytes(&mut bytes).map_err(|error| {
        let detail = format!("the machine gives no random bytes: {error}");
        Problem::new(Code::Internal, detail, "Check the machine.")
    })?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn no_page(connector: &Connector, connection: &Connection) -> Problem {
    let detail = format!(
        "{} connects to {} with `{}`, for which there is no page to sign in on",
        connection.key,
        connector.name(),
        connection.spec.auth_kind
    );
    let next = "Enter the credentials, or configure the connection with a kind of sign-in that has a page.";
    Problem::new(Code::NoSignIn, detail, next)
}

fn unknown() -> Problem {
    Problem::new(
        Code::SignInUnknown,
        "Nobody waits for this sign-in: it was used already, or it was not started here.",
        "Start the sign-in again from the connection.",
    )
}

fn expired() -> Problem {
    Problem::new(
        Code::SignInExpired,
        "The sign-in was started more than ten minutes ago.",
        "Start it again from the connection, and finish it within ten minutes.",
    )
}

fn again(why: String) -> Problem {
    Problem::new(Code::SignInRefused, why, "Start the sign-in again from the connection.")
}

/// What the vendor's page says instead of giving a code (RFC 6749 §4.1.2.1), in plain words.
fn declined(connector: &Connector, error: &str, description: Option<&String>) -> Problem {
    let plain = match error {
        "access_denied" => "the access was not granted",
        "invalid_scope" => "the app asks for a permission that it may not have",
        "unauthorized_client" | "unsupported_response_type" => "the app may not be used for this",
        "invalid_request" => "the vendor does not understand the request",
        "server_error" | "temporarily_unavailable" => "the vendor's sign-in does not work at the moment",
        _ => "the vendor ended the sign-in",
    };
    let next = match error {
        "access_denied" => "Sign in again and agree, with an account that may give this access.",
        "server_error" | "temporarily_unavailable" => "Try again in some minutes.",
        _ => {
            "Compare the app's settings at the vendor (redirect address, scopes) with GET /v1/oauth, then sign in again."
        }
    };
    let said = match description {
        Some(description) => format!("{error}: {description}"),
        None => error.to_owned(),
    };
    let said = excerpt(said.as_bytes());
    let detail = format!("{}: {plain} ({said})", connector.name());
    Problem::new(Code::SignInRefused, detail, next)
}

fn no_tokens(connector: &Connector, error: TokenError) -> Problem {
    match error {
        TokenError::Denied(message) => {
            let next = "Check client id, client secret and redirect address of the app (GET /v1/oauth shows it), then sign in again.";
            let detail = format!("{} gave no token for the code: {message}", connector.name());
            Problem::new(Code::SignInRefused, detail, next)
        }
        TokenError::Later(later) => {
            let detail = format!("{} gave no token for the code: {}", connector.name(), later.message);
            Problem::new(Code::VendorUnavailable, detail, "Sign in again in a minute.")
        }
        TokenError::Broken(problem) => problem,
    }
}

#[cfg(test)]
mod tests;
