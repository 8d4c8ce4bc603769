//! `/v1/connections`: what is connected.

use axum::{Json, extract::State};
use serde::Serialize;
use serde_json::{Map, Value};
use switchboard_hub::ConnectionView as Row;
use utoipa::ToSchema;

use super::{
    App,
    caller::Caller,
    problem::{Answer, ProblemSchema},
};

/// A connection: one configured account of a connector.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Connection)]
pub struct ConnectionView {
    /// The user's own id.
    #[schema(example = "primary-crm")]
    key: String,
    /// The name that people see.
    name: String,
    /// The connector's slug.
    #[schema(example = "salesforce")]
    connector: String,
    /// `draft` (something is missing), `active`, `paused` or `error`.
    state: &'static str,
    /// Why it does not work.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// `false`: kept, but nothing is sent.
    enabled: bool,
    /// Among connections of one connector the smallest is meant when only the system is named.
    priority: i64,
    /// The objects that it makes.
    objects: Vec<String>,
    /// Its settings, which hold no secrets.
    settings: Map<String, Value>,
    /// What was translated or explained when it was configured.
    notes: Vec<String>,
}

impl From<Row> for ConnectionView {
    fn from(row: Row) -> Self {
        Self {
            key: row.key,
            name: row.name,
            connector: row.connector,
            state: row.state.name(),
            reason: row.reason,
            enabled: row.enabled,
            priority: row.priority,
            objects: row.objects,
            settings: row.settings,
            notes: row.notes,
        }
    }
}

/// Every connection.
#[derive(Debug, Serialize, ToSchema)]
pub struct Connections {
    /// By priority, then key.
    items: Vec<ConnectionView>,
}

/// List the connections.
#[utoipa::path(
    get, path = "/v1/connections", tag = "connections", operation_id = "listConnections",
    responses(
        (status = 200, description = "All of them", body = Connections),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn list(State(app): State<App>, caller: Caller) -> Answer<Json<Connections>> {
    let items = app
        .hub
        .connections(caller.workspace)
        .into_iter()
        .map(ConnectionView::from)
        .collect();
    Ok(Json(Connections { items }))
}
