//! Connection tests.

use std::sync::Arc;

use switchboard_connect::{connector::TestStep, guide::Item};
use switchboard_model::{
    connection::{ConnectionSpec, ConnectionState},
    id::WorkspaceId,
    outcome::Outcome,
    problem::{Code, Problem},
};

use super::{Hub, reading::no_connection};
use crate::{
    attempt::{exchange, sign_in_again, token},
    configuration::{Configuration, Connection, Tools, prepare_change},
    lane::{PATIENCE, Pass, limiter::Ask},
    store::{CallRecord, ConnectionNote, ConnectionRow, StoredConfiguration},
    token::{Asker, Cause, TokenError},
};

/// What a connection test found.
#[derive(Debug, Clone)]
pub struct TestReport {
    /// Whether the connection works.
    pub ok: bool,
    /// What a person is told.
    pub message: String,
    /// What is wrong.
    pub problem: Option<Problem>,
    /// The calls that were made, secrets masked.
    pub calls: Vec<CallRecord>,
}

/// Which token a connection is tried with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tokens {
    /// One that is fetched for it: a test is about the credentials as they are, and a token that was kept says nothing of them.
    Renewed,
    /// The one that is kept, when it is good.
    Kept,
}

impl TestReport {
    pub(super) fn failed(problem: Problem, calls: Vec<CallRecord>) -> Self {
        Self {
            ok: false,
            message: problem.detail.clone(),
            problem: Some(problem),
            calls,
        }
    }
}

impl Hub {
    /// Tries a connection that is kept. One that was in error and works again goes back to work.
    ///
    /// # Errors
    /// When there is no such connection, or the store fails. A test that fails is a report, not an error.
    pub async fn test_connection(&self, workspace: WorkspaceId, key: &str) -> Result<TestReport, Problem> {
        let configuration = self.configuration();
        let connection = configuration
            .workspace(workspace)
            .and_then(|workspace| workspace.connection(key))
            .cloned();
        let connection = connection.ok_or_else(|| no_connection(key))?;
        let report = self.try_out(&connection, Tokens::Renewed).await;
        if report.ok && connection.state == ConnectionState::Error {
            let note = ConnectionNote {
                state: Some((ConnectionState::Active, None)),
                ..ConnectionNote::default()
            };
            self.inner.store.note_connection(connection.id, note).await?;
            self.refresh().await?;
        }
        Ok(report)
    }

    /// Tries a connection that is not kept.
    ///
    /// # Errors
    /// When the description itself is wrong.
    pub async fn test_spec(&self, workspace: WorkspaceId, spec: ConnectionSpec) -> Result<TestReport, Problem> {
        let now_ms = self.clock().now_ms();
        let items = vec![Item::Connection(spec)];
        let present = Configuration::default();
        let (change, _) = prepare_change(workspace, items, &self.registry(), &self.inner.vault, now_ms, &present)?;
        let connections = change.connections.into_iter().map(|write| ConnectionRow {
            id: switchboard_model::id::ConnectionId(0),
            workspace,
            spec: write.spec,
            key: write.key,
            sealed: write.sealed,
            state: write.state,
            reason: write.reason,
            facts: serde_json::Map::new(),
        });
        let stored = StoredConfiguration {
            connections: connections.collect(),
            ..StoredConfiguration::default()
        };
        let tools = Tools {
            vault: self.inner.vault.clone(),
            gates: self.inner.gates.for_trial(),
        };
        let compiled = Configuration::compile(stored, &Configuration::default(), &self.registry(), &tools);
        let connection = compiled.connections().next().cloned();
        let connection =
            connection.ok_or_else(|| Problem::new(Code::Internal, "nothing to test", "Please report this."))?;
        Ok(self.try_out(&connection, Tokens::Renewed).await)
    }

    pub(super) async fn try_out(&self, connection: &Arc<Connection>, tokens: Tokens) -> TestReport {
        if connection.state == ConnectionState::Draft {
            let why = connection.reason.clone().unwrap_or_default();
            let next = "Fill in what is missing and test again.";
            return TestReport::failed(Problem::new(Code::ConnectionIncomplete, why, next), Vec::new());
        }
        let mut calls = Vec::new();
        match self.ask(connection, tokens, &mut calls).await {
            Ok(message) => TestReport {
                ok: true,
                message,
                problem: None,
                calls,
            },
            Err(problem) => TestReport::failed(problem, calls),
        }
    }

    async fn ask(
        &self,
        connection: &Arc<Connection>,
        tokens: Tokens,
        calls: &mut Vec<CallRecord>,
    ) -> Result<String, Problem> {
        let desk = &self.inner.desk;
        let connector = connection.connector()?;
        let who = Asker::Person;
        let stale = token(desk, connection, None, who, calls)
            .await
            .map_err(|error| refused(connection, &error))?;
        let fresh = match stale.fresh || tokens == Tokens::Kept {
            true => stale,
            false => token(desk, connection, Some(stale.generation), who, calls)
                .await
                .map_err(|error| refused(connection, &error))?,
        };
        let mut test = connector.test().at(desk.clock.now_ms());
        let account = connection.account()?;
        loop {
            let request = match test.next(&account, fresh.token.as_ref())? {
                TestStep::Call(request) => request,
                TestStep::Done(message) => return Ok(message),
            };
            let mut pass = pass(connection).await?;
            let sent = exchange(desk, Some(&mut pass), "test", &request).await;
            let mut record = sent.record(&request);
            let read = match &sent.answer {
                Ok(answer) => {
                    pass.observe(&connector.observe(&account, answer));
                    test.read(&account, answer)
                }
                Err(error) => Err(Outcome::Retry {
                    message: error.to_string(),
                    after_ms: None,
                }),
            };
            record.outcome = read.as_ref().map_or_else(Outcome::name, |()| "delivered");
            calls.push(record);
            read.map_err(|outcome| failed(connection, &outcome))?;
        }
    }
}

/// A person waits for this: they are told when the account's allowance is spent for longer than they would.
pub(super) async fn pass(connection: &Connection) -> Result<Pass, Problem> {
    let next = "Test again later, or allow more calls in the settings of this connection.";
    let refuse = |why: &str| Problem::new(Code::VendorThrottled, format!("{}: {why}", connection.key), next);
    match tokio::time::timeout(PATIENCE, connection.gate.pass(Ask::interactive())).await {
        Ok(Ok(pass)) => Ok(pass),
        Ok(Err(blocked)) => Err(refuse(&blocked.0)),
        Err(_) => Err(refuse("the calls that the vendor allows on this account are spent")),
    }
}

fn refused(connection: &Connection, error: &TokenError) -> Problem {
    match error {
        TokenError::Denied(message) if connection.signs_in() => Problem::new(
            Code::ReconnectNeeded,
            format!("{}: {message}", connection.key),
            sign_in_again(&connection.key),
        ),
        TokenError::Denied(message) => failed(
            connection,
            &Outcome::Denied {
                message: message.clone(),
            },
        ),
        TokenError::Later(later) => {
            let (message, after_ms) = (later.message.clone(), None);
            let outcome = match later.cause {
                Cause::Throttled => Outcome::Throttled { message, after_ms },
                Cause::Own | Cause::Outage => Outcome::Retry { message, after_ms },
            };
            failed(connection, &outcome)
        }
        TokenError::Broken(problem) => problem.clone(),
    }
}

pub(super) fn failed(connection: &Connection, outcome: &Outcome) -> Problem {
    let (code, message, next) = match outcome {
        Outcome::Denied { message } | Outcome::Blocked { message } | Outcome::Reauthorise { message } => (
            Code::CredentialsRefused,
            message.as_str(),
            "Check the credentials and their rights at the vendor.",
        ),
        Outcome::Gone { message } => (
            Code::ReceiverGone,
            message.as_str(),
            "Enter the address that the receiver has now.",
        ),
        Outcome::Throttled { message, .. } => (Code::VendorThrottled, message.as_str(), "Test again in a minute."),
        Outcome::Retry { message, .. } | Outcome::Unknown { message } => (
            Code::VendorUnavailable,
            message.as_str(),
            "Check the address, then test again.",
        ),
        Outcome::Rejected { message, .. } => (
            Code::VendorRejected,
            message.as_str(),
            "Check the settings of this connection.",
        ),
        other => (
            Code::VendorRejected,
            other.name(),
            "Check the settings of this connection.",
        ),
    };
    Problem::new(code, format!("{}: {message}", connection.key), next)
}
