//! Tries an endpoint: a message of a sample event is sent at once, made and signed like any other, and the answer is told.

use switchboard_connect::{
    connector::{Call, Known, Start},
    manifest::OperationKind,
};
use switchboard_model::{
    event::EventType,
    id::{WebhookId, WorkspaceId},
    outcome::Outcome,
    problem::Problem,
};

use super::{
    Hub, TestReport,
    endpoints::unknown,
    trial::{failed, pass},
};
use crate::{
    attempt::{exchange, make},
    outgoing::{OBJECT, sample},
};

impl Hub {
    /// Sends a message of a sample event of this type. It is no delivery: nothing is kept of it and nothing is tried again.
    ///
    /// # Errors
    /// When there is no such endpoint. A test that fails is a report, not an error.
    pub async fn try_endpoint(
        &self,
        workspace: WorkspaceId,
        id: WebhookId,
        kind: EventType,
    ) -> Result<TestReport, Problem> {
        let view = self.endpoint(workspace, id)?;
        let configuration = self.configuration();
        let connection = view.connection.and_then(|id| configuration.connection(id)).cloned();
        let connection = connection.ok_or_else(|| unknown(&id.to_string()))?;
        let connector = connection.connector()?;
        let now_ms = self.now_ms();
        let event = sample::event(kind, workspace, now_ms);
        let record = make(&connection, OBJECT, None, &event)?;
        let mut call = Call::new(&format!("test_{}", event.id), record, Known::default());
        call.begin(&Start::new(now_ms, None), None);
        let account = connection.account()?;
        let request = connector.build(OBJECT, OperationKind::Create, &account, &call)?;
        let mut pass = match pass(&connection).await {
            Ok(pass) => pass,
            Err(problem) => return Ok(TestReport::failed(problem, Vec::new())),
        };
        let sent = exchange(&self.inner.desk, Some(&mut pass), "test", &request).await;
        let mut line = sent.record(&request);
        let outcome = match &sent.answer {
            Ok(answer) => {
                pass.observe(&connector.observe(&account, answer));
                connector.read(OBJECT, OperationKind::Create, &account, &call, answer)
            }
            Err(error) => Outcome::Retry {
                message: error.to_string(),
                after_ms: None,
            },
        };
        line.outcome = outcome.name();
        let status = line.status;
        let calls = vec![line];
        Ok(match outcome {
            Outcome::Delivered { .. } => TestReport {
                ok: true,
                message: format!(
                    "The receiver took the message (HTTP status {}).",
                    status.unwrap_or_default()
                ),
                problem: None,
                calls,
            },
            other => TestReport::failed(failed(&connection, &other), calls),
        })
    }
}
