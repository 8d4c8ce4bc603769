//! An endpoint of outgoing webhooks, compiled. Its connection and its route do the work.

use switchboard_model::id::WebhookId;

use crate::{outgoing::Endpoint, store::DefinitionRow};

/// An endpoint as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// What is said about it.
    pub endpoint: Endpoint,
    /// When it was made or changed last, Unix milliseconds.
    pub changed_ms: i64,
}

impl Told {
    /// One that cannot be read is left out with a word in the log; its connection goes on.
    pub(super) fn compile(row: &DefinitionRow) -> Option<(WebhookId, Self)> {
        let read = || -> Result<(WebhookId, Endpoint), String> {
            let id = row.key.parse().map_err(|error| format!("{error}"))?;
            let endpoint = serde_json::from_value(row.spec.clone()).map_err(|error| error.to_string())?;
            Ok((id, endpoint))
        };
        match read() {
            Ok((id, endpoint)) => {
                let changed_ms = row.changed_ms;
                Some((id, Self { endpoint, changed_ms }))
            }
            Err(error) => {
                tracing::error!(endpoint = %row.key, error, "an endpoint of outgoing webhooks cannot be read");
                None
            }
        }
    }
}
