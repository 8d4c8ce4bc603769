//! Tries one delivery until it is settled or has to wait.



use serde_json::Value;
use sha2::{Digest, Sha256};
use switchboard_connect::{
    call::HttpRequest,
    connector::{CallContext, Connector, Decision, Known},
    manifest::OperationKind,
};
use switchboard_model::{
    outcome::Outcome,
    problem::{Code, Problem},
};

use super::{
    Desk, record,
    send::{self, NoToken, Sent, send_call},
    settle::{self, Verdict},
};
use crate::{
    configuration::Connection,
    store::{CallRecord, Intent, Pending},
    token::TakenToken,
};

/// More calls than this are not made in one try: a connector that goes round in circles is stopped.
const MOST_CALLS: u32 = 10;
/// A new token that is refused this many times in one try means that the credentials are not accepted.
const MOST_RENEWALS: u32 = 2;

/// A try that is over.
#[derive(Debug)]
pub struct Ended {
    /// The delivery, when it waits once more.
    pub again: Option<Pending>,
    /// Nothing of this connection is sent before this moment.
    pub hold_until_ms: Option<i64>,
}

/// Tries `pending` and writes down what came of it.
pub async fn run(desk: &Desk, connection: &Connection, pending: Pending) -> Ended {
    let mut attempt = Attempt {
        desk,
        connection,
        doubt_ms: pending.doubt_ms,
        pending,
        known: Known::default(),
        calls: Vec::new(),
        renewals: 0,
        refused: None,
    };
    let verdict = match attempt.decide().await {
        Ok(verdict) | Err(verdict) => verdict,
    };
    let Attempt { pending, doubt_ms, known, calls, .. } = attempt;
    settle::write_down(desk, connection, settle::Result { pending, doubt_ms, known, calls, verdict }).await
}

struct Attempt<'a> {
    desk: &'a Desk,
    connection: &'a Connection,
    pending: Pending,
    /// Since when a write is in doubt.
    doubt_ms: Option<i64>,
    known: Known,
    calls: Vec<CallRecord>,
    renewals: u32,
    /// The generation of a token that the vendor refused.
    refused: Option<u64>,
}

impl Attempt<'_> {
    /// Goes from call to call. `Err` is a verdict too: the way out of the middle of things.
    async fn decide(&mut self) -> Result<Verdict, Verdict> {
        let connection = self.connection;
        let connector = connection.connector().map_err(Verdict::Dead)?;
        let record = record::make(connection, &self.pending).map_err(Verdict::Dead)?;
        self.known.link = self.desk.link(connection, &self.pending).await?;
        self.known.doubt = self.doubt_ms.is_some();
        for _ in 0..MOST_CALLS {
            let token = self.token().await?;
            let context = CallContext {
                account: connection.account(),
                token: token.token.as_ref(),
                record: &record,
                key: &self.pending.record_key,
                event_type: self.pending.event.kind.name(),
                doubt_ms: self.doubt_ms,
                now_ms: self.desk.clock.now_ms(),
            };
            let kind = match connector.next_call(&self.pending.object, &self.known, &context) {
                Decision::Call(kind) => kind,
                Decision::Done { external_id } => return Ok(Verdict::Delivered { external_id }),
                Decision::Reject(problem) => return Ok(Verdict::Dead(problem)),
            };
            self.wait_for_read_lag(connector, kind)?;
            let request = connector.build(&self.pending.object, kind, &self.known, &context).map_err(Verdict::Dead)?;
            let outcome = self.call(connector, kind, &request, &record, &token).await?;
            if let Some(verdict) = self.conclude(connector, kind, outcome, &token)? {
                return Ok(verdict);
            }
        }
        Ok(Verdict::Dead(Problem::new(
            Code::VendorRejected,
            format!("{} still had no result after {MOST_CALLS} calls", connector.name()),
            "Look at the calls of this delivery, mend the cause and replay it.",
        )))
    }

    async fn token(&mut self) -> Result<TakenToken, Verdict> {
        let taken = send::token(self.desk, self.connection, self.refused.take(), &mut self.calls).await;
        taken.map_err(|failure| match failure {
            NoToken::Denied(message) => Verdict::Denied(message),
            NoToken::Later { message, after_ms } => Verdict::Later { message, after_ms, counts: true },
            NoToken::Broken(problem) => Verdict::Dead(problem),
        })
    }

    /// A vendor may show a record only some time after it was written; looking for it earlier proves nothing.
    fn wait_for_read_lag(&self, connector: &Connector, kind: OperationKind) -> Result<(), Verdict> {
        let Some(since) = self.doubt_ms.filter(|_| kind == OperationKind::Probe) else { return Ok(()) };
        let visible_ms = since + connector.read_lag_ms(&self.pending.object);
        match visible_ms > self.desk.clock.now_ms() {
            true => Err(Verdict::Doubt { message: "waits until the vendor shows what was written".into(), due_ms: visible_ms }),
            false => Ok(()),
        }
    }

    async fn call(
        &mut self,
        connector: &Connector,
        kind: OperationKind,
        request: &HttpRequest,
        record: &Value,
        token: &TakenToken,
    ) -> Result<Outcome, Verdict> {
        self.connection.gate.pass().await;
        if !kind.is_read() {
            self.intend(kind, request).await?;
        }
        let Sent { answer, record: mut line } = send_call(self.desk, kind.name(), request).await;
        let outcome = match &answer {
            Ok(answer) => {
                let context = CallContext {
                    account: self.connection.account(),
                    token: token.token.as_ref(),
                    record,
                    key: &self.pending.record_key,
                    event_type: self.pending.event.kind.name(),
                    doubt_ms: self.doubt_ms,
                    now_ms: self.desk.clock.now_ms(),
                };
                connector.read(&self.pending.object, kind, &self.known, &context, answer)
            }
            Err(error) => send::without_answer(error, connector.is_repeatable(&self.pending.object, kind)),
        };
        line.outcome = outcome.name();
        self.desk.metrics.called(connector.slug(), kind.name(), line.outcome);
        self.calls.push(line);
        Ok(outcome)
    }

    /// The promise that a write is about to be sent is on the disk before it is.
    async fn intend(&mut self, kind: OperationKind, request: &HttpRequest) -> Result<(), Verdict> {
        let now_ms = self.desk.clock.now_ms();
        let digest = Sha256::digest(&request.body);
        let mut request_digest = [0; 8];
        request_digest.copy_from_slice(&digest[..8]);
        let intent = Intent { delivery: self.pending.id, operation: kind.name(), request_digest, now_ms };
        self.desk.store.intend(intent).await.map_err(|error| Verdict::Later {
            message: Problem::from(error).to_string(),
            after_ms: None,
            counts: false,
        })
    }

    /// What the outcome of a call means for the delivery; `None`: the next call decides.
    fn conclude(
        &mut self,
        connector: &Connector,
        kind: OperationKind,
        outcome: Outcome,
        token: &TakenToken,
    ) -> Result<Option<Verdict>, Verdict> {
        match outcome {
            Outcome::Delivered { external_id, .. } if kind.is_read() => {
                self.known.note_found(kind, external_id);
                self.doubt_ms = self.doubt_ms.filter(|_| kind != OperationKind::Probe);
                Ok(None)
            }
            Outcome::Delivered { external_id, .. } => {
                let external_id = external_id.or_else(|| self.known.link.clone());
                Ok(Some(Verdict::Delivered { external_id }))
            }
            Outcome::Missing => {
                self.known.note_missing(kind);
                self.doubt_ms = self.doubt_ms.filter(|_| kind != OperationKind::Probe);
                Ok(None)
            }
            Outcome::Duplicate { existing } => {
                self.known.note_duplicate(existing);
                Ok(None)
            }
            Outcome::Retry { message, after_ms } => Err(Verdict::Later { message, after_ms, counts: true }),
            Outcome::Throttled { message, after_ms } => Err(Verdict::Throttled { message, after_ms }),
            Outcome::Reauthorise { message } => {
                self.renewals += 1;
                if self.renewals > MOST_RENEWALS || token.token.is_none() {
                    return Err(Verdict::Denied(message));
                }
                self.refused = Some(token.generation);
                Ok(None)
            }
            Outcome::Denied { message } => Err(Verdict::Denied(message)),
            Outcome::Rejected { message, fields } => Err(Verdict::Dead(settle::rejected(connector, &message, &fields))),
            Outcome::Unknown { message } => {
                let since = self.doubt_ms.unwrap_or_else(|| self.desk.clock.now_ms());
                self.doubt_ms = Some(since);
                let repeatable = connector.is_repeatable(&self.pending.object, kind);
                Err(match repeatable {
                    true => Verdict::Later { message, after_ms: None, counts: true },
                    false => {
                        let due_ms = self.desk.clock.now_ms() + connector.read_lag_ms(&self.pending.object);
                        Verdict::Doubt { message, due_ms }
                    }
                })
            }
        }
    }
}

impl Desk {
    /// The external id of the delivery's record, where one is known.
    async fn link(&self, connection: &Connection, pending: &Pending) -> Result<Option<String>, Verdict> {
        let link = self.store.link(connection.id, &pending.object, &pending.record_key).await;
        link.map_err(|error| Verdict::Later { message: error.to_string(), after_ms: None, counts: false })
    }
}

