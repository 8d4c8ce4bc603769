//! Whose key a request carries: what automation platforms try a key with (fact sheet zapier §4).

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::{App, caller::Caller, problem::ProblemSchema};

/// What every key may do until keys have narrower scopes.
const SCOPES: [&str; 4] = ["events:read", "webhooks:manage", "records:read", "records:write"];

/// A key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Me)]
pub struct MeView {
    /// The key's id.
    #[schema(example = "key_0r3kd8m2v0000")]
    id: String,
    /// What the key is for.
    #[schema(example = "Zapier")]
    name: String,
    /// The workspace that it belongs to.
    #[schema(example = "main")]
    account: &'static str,
    /// Where this hub is.
    #[schema(example = "https://hub.example.org")]
    base_url: String,
    /// What it may do.
    scopes: Vec<&'static str>,
}

/// The key of this request.
#[utoipa::path(
    get, path = "/v1/me", tag = "operation", operation_id = "me",
    responses(
        (status = 200, description = "The key", body = MeView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn me(State(app): State<App>, caller: Caller) -> Json<MeView> {
    view(&app, &caller)
}

/// The key of this request, for subscribers.
#[utoipa::path(
    get, path = "/api/v1/me", tag = "webhooks", operation_id = "whoSubscribes",
    responses(
        (status = 200, description = "The key", body = MeView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn subscriber(State(app): State<App>, caller: Caller) -> Json<MeView> {
    view(&app, &caller)
}

fn view(app: &App, caller: &Caller) -> Json<MeView> {
    Json(MeView {
        id: caller.key().to_string(),
        name: caller.name().to_owned(),
        account: switchboard_hub::FIRST_WORKSPACE,
        base_url: app.public_url.to_string(),
        scopes: SCOPES.to_vec(),
    })
}
