//! Tries one delivery until it is settled or has to wait.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use switchboard_connect::{
    call::HttpRequest,
    connector::{Account, Call, Connector, Decision, Doubt, Known},
    manifest::OperationKind,
};
use switchboard_model::{
    outcome::Outcome,
    problem::{Code, Problem},
};

use super::{
    Desk, record,
    send::{self, Sent, TokenError, send_call},
    settle::{self, Trace},
    verdict::{self, Verdict},
};
use crate::{
    configuration::Connection,
    failpoint,
    store::{CallRecord, InDoubt, Intent, Pending},
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
        first_sent_ms: pending.doubt.map(|doubt| doubt.since_ms),
        call: None,
        pending,
        calls: Vec::new(),
        renewals: 0,
        refused: None,
    };
    let verdict = match attempt.decide().await {
        Ok(verdict) | Err(verdict) => verdict,
    };
    let trace = attempt.trace();
    settle::write_down(desk, connection, trace, verdict).await
}

struct Attempt<'a> {
    desk: &'a Desk,
    connection: &'a Connection,
    pending: Pending,
    /// What is known of the record; `None` until it is mapped.
    call: Option<Call>,
    /// When a write that may have made the record was first sent.
    first_sent_ms: Option<i64>,
    calls: Vec<CallRecord>,
    renewals: u32,
    /// The generation of a token that the vendor refused.
    refused: Option<u64>,
}

impl Attempt<'_> {
    /// Goes from call to call. `Err` is a verdict too: the way out of the middle of things.
    async fn decide(&mut self) -> Result<Verdict, Verdict> {
        let connector = self.connection.connector().map_err(Verdict::Dead)?;
        let record = record::make(self.connection, &self.pending).map_err(Verdict::Dead)?;
        let link = self.link().await?;
        let doubt = match self.pending.doubt {
            None => Doubt::No,
            Some(InDoubt { operation: None, .. }) => Doubt::Yes,
            Some(InDoubt {
                operation: Some(kind), ..
            }) => Doubt::Of(kind),
        };
        let call = self
            .call
            .insert(Call::new(&self.pending.record_key, record, Known::new(link, doubt)));
        call.begin(self.desk.clock.now_ms(), None, self.first_sent_ms);
        for _ in 0..MOST_CALLS {
            if let Some(verdict) = self.step(connector).await? {
                return Ok(verdict);
            }
        }
        Err(Verdict::Dead(Problem::new(
            Code::VendorRejected,
            format!("{} still had no result after {MOST_CALLS} calls", connector.name()),
            "Look at the calls of this delivery, mend the cause and replay it.",
        )))
    }

    /// One call, if one is needed.
    async fn step(&mut self, connector: &Connector) -> Result<Option<Verdict>, Verdict> {
        let token = self.token().await?;
        let account = self.connection.account().map_err(Verdict::Dead)?;
        let Some(call) = &mut self.call else { return Ok(None) };
        call.begin(self.desk.clock.now_ms(), token.token.as_ref(), self.first_sent_ms);
        let kind = match connector.next_call(&self.pending.object, &account, call) {
            Decision::Call(kind) => kind,
            Decision::Done { external_id } => return Ok(Some(Verdict::Delivered { external_id })),
            Decision::Reject(problem) => return Ok(Some(Verdict::Dead(problem))),
        };
        let request = connector
            .build(&self.pending.object, kind, &account, call)
            .map_err(Verdict::Dead)?;
        self.wait_for_read_lag(connector, kind)?;
        self.connection.gate.pass().await;
        if !kind.is_read() {
            self.intend(kind, &request).await?;
            failpoint::reach(failpoint::INTENT);
        }
        let outcome = self.send(connector, &account, kind, &request).await;
        self.learn(kind, &outcome);
        self.conclude(connector, kind, outcome, &token)
    }

    async fn token(&mut self) -> Result<TakenToken, Verdict> {
        let taken = send::token(self.desk, self.connection, self.refused.take(), &mut self.calls).await;
        taken.map_err(|error| match error {
            TokenError::Denied(message) => Verdict::Denied(message),
            TokenError::Later { message, after_ms } => Verdict::Later {
                message,
                after_ms,
                counts: true,
            },
            TokenError::Broken(problem) => Verdict::Dead(problem),
        })
    }

    /// The external id of the delivery's record, where one is known.
    async fn link(&self) -> Result<Option<String>, Verdict> {
        let link = self
            .desk
            .store
            .link(self.connection.id, &self.pending.object, &self.pending.record_key)
            .await;
        link.map_err(|error| Verdict::Later {
            message: error.to_string(),
            after_ms: None,
            counts: false,
        })
    }

    /// A vendor may show a record only some time after it was written; looking for it earlier proves nothing.
    fn wait_for_read_lag(&self, connector: &Connector, kind: OperationKind) -> Result<(), Verdict> {
        let Some(since) = self.first_sent_ms.filter(|_| kind == OperationKind::Probe) else {
            return Ok(());
        };
        let visible_ms = since + connector.read_lag_ms(&self.pending.object);
        if visible_ms > self.desk.clock.now_ms() {
            let message = "waits until the vendor shows what was written".into();
            return Err(Verdict::Doubt {
                message,
                due_ms: visible_ms,
            });
        }
        Ok(())
    }

    /// The promise that a write is about to be sent is on the disk before it is.
    async fn intend(&mut self, kind: OperationKind, request: &HttpRequest) -> Result<(), Verdict> {
        let now_ms = self.desk.clock.now_ms();
        let digest = Sha256::digest(&request.body);
        let mut request_digest = [0; 8];
        request_digest.copy_from_slice(&digest[..8]);
        let intent = Intent {
            delivery: self.pending.id,
            operation: kind,
            request_digest,
            now_ms,
        };
        let written = self.desk.store.intend(intent).await;
        written.map_err(|error| Verdict::Later {
            message: error.to_string(),
            after_ms: None,
            counts: false,
        })
    }

    async fn send(
        &mut self,
        connector: &Connector,
        account: &Arc<Account>,
        kind: OperationKind,
        request: &HttpRequest,
    ) -> Outcome {
        let sent_ms = self.desk.clock.now_ms();
        let Sent {
            answer,
            record: mut line,
        } = send_call(self.desk, kind.name(), request).await;
        if !kind.is_read() {
            failpoint::reach(failpoint::SENT);
        }
        let outcome = match (&answer, &self.call) {
            (Ok(answer), Some(call)) => connector.read(&self.pending.object, kind, account, call, answer),
            (Err(error), _) => send::without_answer(error, kind.is_read()),
            (Ok(_), None) => Outcome::Unknown {
                message: "the record got lost".into(),
            },
        };
        if matches!(outcome, Outcome::Unknown { .. }) {
            self.first_sent_ms.get_or_insert(sent_ms);
        }
        line.outcome = outcome.name();
        self.desk.metrics.called(connector.slug(), kind.name(), line.outcome);
        self.calls.push(line);
        outcome
    }

    fn learn(&mut self, kind: OperationKind, outcome: &Outcome) {
        if let Some(call) = &mut self.call {
            call.known.learn(kind, outcome);
            if call.known.doubt == Doubt::No {
                self.first_sent_ms = None;
            }
        }
    }

    /// What the outcome of a call means for the delivery; `None`: what is known now decides about the next call.
    fn conclude(
        &mut self,
        connector: &Connector,
        kind: OperationKind,
        outcome: Outcome,
        token: &TakenToken,
    ) -> Result<Option<Verdict>, Verdict> {
        match outcome {
            Outcome::Delivered { .. } | Outcome::Missing | Outcome::Duplicate { .. } => Ok(None),
            Outcome::Retry { message, after_ms } => Err(Verdict::Later {
                message,
                after_ms,
                counts: true,
            }),
            Outcome::Throttled { message, after_ms } => Err(Verdict::Throttled { message, after_ms }),
            Outcome::Reauthorise { message } => {
                self.renewals += 1;
                if self.renewals > MOST_RENEWALS {
                    return Err(Verdict::Denied(message));
                }
                self.refused = Some(token.generation);
                Ok(None)
            }
            Outcome::Denied { message } => Err(Verdict::Denied(message)),
            Outcome::Rejected { message, fields } => {
                Err(Verdict::Dead(verdict::rejected(connector, &message, &fields)))
            }
            Outcome::Unknown { message } if connector.is_repeatable(&self.pending.object, kind) => {
                Err(Verdict::Later {
                    message,
                    after_ms: None,
                    counts: true,
                })
            }
            Outcome::Unknown { message } => {
                let due_ms = self.desk.clock.now_ms() + connector.read_lag_ms(&self.pending.object);
                Err(Verdict::Doubt { message, due_ms })
            }
        }
    }

    fn trace(self) -> Trace {
        let known = self.call.map(|call| call.known);
        let doubt = match known.as_ref().map(|known| known.doubt) {
            // The try ended before anything was known anew.
            None => self.pending.doubt,
            Some(Doubt::No) => None,
            Some(doubt) => Some(InDoubt {
                since_ms: self.first_sent_ms.unwrap_or_else(|| self.desk.clock.now_ms()),
                operation: match doubt {
                    Doubt::Of(kind) => Some(kind),
                    Doubt::Yes | Doubt::No => None,
                },
            }),
        };
        Trace {
            known_link: known.as_ref().and_then(|known| known.link.clone()),
            lost_link: known.as_ref().is_some_and(Known::has_lost_link),
            pending: self.pending,
            doubt,
            calls: self.calls,
        }
    }
}
