//! `/v1/routes`: which events go where, and what a route waits for.

use axum::{Json, extract::State};
use serde::Serialize;
use serde_json::Value;
use switchboard_hub::RouteView as Row;
use utoipa::ToSchema;

use super::{
    App,
    caller::Caller,
    problem::{Answer, ProblemSchema},
};

/// A route.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Route)]
pub struct RouteView {
    /// Its name.
    key: String,
    /// The event type that it takes: `message.received`, `message.*` or `*`.
    on: String,
    /// What must hold besides, in CEL.
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<String>,
    /// `parallel_sync`, `category_routing` or `primary_backup`.
    strategy: &'static str,
    /// The strategy as it was configured.
    #[schema(value_type = Object)]
    details: Value,
    /// `false`: kept, but takes nothing.
    enabled: bool,
    /// The systems that it names and that are not connected; it works without them until they are.
    waiting_for: Vec<String>,
}

impl From<Row> for RouteView {
    fn from(row: Row) -> Self {
        let strategy = row.spec.strategy.name();
        let mut details = serde_json::to_value(&row.spec.strategy).unwrap_or_default();
        if let Some(members) = details.as_object_mut() {
            members.shift_remove("strategy");
        }
        Self {
            key: row.spec.key,
            on: row.spec.on,
            when: row.spec.condition,
            strategy,
            details,
            enabled: row.spec.enabled,
            waiting_for: row.waiting_for,
        }
    }
}

/// Every route.
#[derive(Debug, Serialize, ToSchema)]
pub struct Routes {
    /// In the order in which they were made.
    items: Vec<RouteView>,
}

/// List the routes.
#[utoipa::path(
    get, path = "/v1/routes", tag = "connections", operation_id = "listRoutes",
    responses(
        (status = 200, description = "All of them", body = Routes),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn list(State(app): State<App>, caller: Caller) -> Answer<Json<Routes>> {
    let items = app
        .hub
        .routes(caller.workspace)
        .into_iter()
        .map(RouteView::from)
        .collect();
    Ok(Json(Routes { items }))
}
