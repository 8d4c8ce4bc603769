//! `/livez`, `/readyz`, `/metrics`: for the machine that watches the hub. They need no key: they tell counts, not contents.

use axum::{Json, extract::State, response::IntoResponse};
use http::header;
use serde::Serialize;
use utoipa::ToSchema;

use super::{App, problem::Answer, problem::ProblemSchema};

/// That all is well.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    status: &'static str,
}

const OK: Health = Health { status: "ok" };

/// The process lives.
#[utoipa::path(
    get, path = "/livez", tag = "operation", operation_id = "live", security(()),
    responses((status = 200, description = "It lives", body = Health)),
)]
pub async fn live() -> Json<Health> {
    Json(OK)
}

/// Events can be accepted.
#[utoipa::path(
    get, path = "/readyz", tag = "operation", operation_id = "ready", security(()),
    responses(
        (status = 200, description = "They can", body = Health),
        (status = 503, description = "They cannot", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn ready(State(app): State<App>) -> Answer<Json<Health>> {
    app.hub.ready().await?;
    Ok(Json(OK))
}

/// The counters, in Prometheus' text format.
#[utoipa::path(
    get, path = "/metrics", tag = "operation", operation_id = "metrics", security(()),
    responses((status = 200, description = "The counters", body = String, content_type = "application/openmetrics-text")),
)]
pub async fn metrics(State(app): State<App>) -> impl IntoResponse {
    // The type of OpenMetrics, which is what the encoder writes.
    (
        [(
            header::CONTENT_TYPE,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        )],
        app.hub.metrics(),
    )
}
