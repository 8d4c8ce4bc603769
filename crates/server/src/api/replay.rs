//! Routing an event anew.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Serialize;
use switchboard_model::id::EventId;
use utoipa::ToSchema;

use super::{
    App,
    caller::Caller,
    events,
    problem::{Answer, ProblemSchema},
};

/// What routing anew led to.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rerouted {
    /// The event.
    id: String,
    /// How many deliveries are new.
    deliveries: usize,
}

/// Route an event anew, by the routes as they are now.
///
/// Only what it does not have yet is added; what was delivered stays as it is.
#[utoipa::path(
    post, path = "/v1/events/{id}/replay", tag = "events", operation_id = "rerouteEvent",
    params(("id" = String, Path, description = "The event's id")),
    responses(
        (status = 202, description = "How many deliveries are new", body = Rerouted),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn event(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<(http::StatusCode, Json<Rerouted>)> {
    let id: EventId = id.parse().map_err(|error| events::unknown(&format!("{error}")))?;
    let deliveries = app.hub.reroute(caller.workspace, id).await?;
    Ok((
        http::StatusCode::ACCEPTED,
        Json(Rerouted {
            id: id.to_string(),
            deliveries,
        }),
    ))
}
