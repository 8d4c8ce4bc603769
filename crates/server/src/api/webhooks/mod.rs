//! `/v1/webhooks`: endpoints of outgoing webhooks. What the addresses of automation platforms look like stands in [`hooks`](super::hooks).

pub mod actions;
pub mod draft;
pub mod views;

use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use serde::Serialize;
use switchboard_hub::EndpointView;
use switchboard_model::{
    id::WebhookId,
    problem::{Code, Problem},
};
use utoipa::ToSchema;

use self::{
    draft::{NewWebhook, WebhookChange},
    views::WebhookView,
};
use super::{
    App,
    body::{JsonBody, typed},
    caller::Caller,
    problem::{Answer, ProblemSchema},
};

/// Every endpoint.
#[derive(Debug, Serialize, ToSchema)]
pub struct Webhooks {
    /// In the order in which they were made.
    items: Vec<WebhookView>,
}

/// List the endpoints of outgoing webhooks.
#[utoipa::path(
    get, path = "/v1/webhooks", tag = "webhooks", operation_id = "listWebhooks",
    responses(
        (status = 200, description = "All of them", body = Webhooks),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn list(State(app): State<App>, caller: Caller) -> Answer<Json<Webhooks>> {
    let endpoints = app.hub.endpoints(caller.workspace).into_iter();
    let items = endpoints.map(|view| WebhookView::of(view, None)).collect();
    Ok(Json(Webhooks { items }))
}

/// Make an endpoint, which is told what happens from then on.
///
/// The answer shows its secret; nothing shows it again. The same key that asks for the same events at the same address again gets the
/// endpoint that is there, with status 200.
#[utoipa::path(
    post, path = "/v1/webhooks", tag = "webhooks", operation_id = "createWebhook",
    request_body = NewWebhook,
    responses(
        (status = 200, description = "It was there already", body = WebhookView),
        (status = 201, description = "It was made", body = WebhookView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn create(State(app): State<App>, caller: Caller, body: JsonBody) -> Answer<(StatusCode, Json<WebhookView>)> {
    let new = typed::<NewWebhook>(body.0)?.endpoint(caller.key(), false)?;
    let made = app.hub.make_endpoint(caller.workspace, new).await?;
    let status = match made.is_new {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    if made.is_new {
        tracing::info!(key = caller.name(), endpoint = %made.view.id, "an endpoint of outgoing webhooks was made");
    }
    Ok((status, Json(WebhookView::of(made.view, made.secret))))
}

/// One endpoint.
#[utoipa::path(
    get, path = "/v1/webhooks/{id}", tag = "webhooks", operation_id = "getWebhook",
    params(("id" = String, Path, description = "The endpoint's id")),
    responses(
        (status = 200, description = "The endpoint", body = WebhookView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<Json<WebhookView>> {
    let (_, view) = find(&app, &caller, &id)?;
    Ok(Json(WebhookView::of(view, None)))
}

/// Change an endpoint; what is not named stays.
///
/// `"active": true` also switches one on again that the hub has switched off; what waits for it is tried again then.
#[utoipa::path(
    patch, path = "/v1/webhooks/{id}", tag = "webhooks", operation_id = "changeWebhook",
    params(("id" = String, Path, description = "The endpoint's id")),
    request_body = WebhookChange,
    responses(
        (status = 200, description = "The endpoint as it is now", body = WebhookView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    body: JsonBody,
) -> Answer<Json<WebhookView>> {
    let (id, _) = find(&app, &caller, &id)?;
    let change = WebhookChange::read(body.0)?;
    let view = app.hub.change_endpoint(caller.workspace, id, change).await?;
    tracing::info!(key = caller.name(), endpoint = %id, "an endpoint of outgoing webhooks was changed");
    Ok(Json(WebhookView::of(view, None)))
}

/// Remove an endpoint. What waits for it is cancelled, and stays to be seen.
///
/// One that is not there counts as removed.
#[utoipa::path(
    delete, path = "/v1/webhooks/{id}", tag = "webhooks", operation_id = "deleteWebhook",
    params(("id" = String, Path, description = "The endpoint's id")),
    responses(
        (status = 204, description = "It is gone"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn remove(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<StatusCode> {
    take_away(&app, &caller, &id).await
}

/// Removes an endpoint, if there is one with this id.
pub(super) async fn take_away(app: &App, caller: &Caller, id: &str) -> Answer<StatusCode> {
    if let Ok(id) = id.parse::<WebhookId>()
        && app.hub.remove_endpoint(caller.workspace, id).await?
    {
        tracing::info!(key = caller.name(), endpoint = %id, "an endpoint of outgoing webhooks was removed");
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The endpoint with this id.
fn find(app: &App, caller: &Caller, id: &str) -> Result<(WebhookId, EndpointView), Problem> {
    let parsed: WebhookId = id.parse().map_err(|error| {
        let next = "GET /v1/webhooks lists the endpoints with their ids.";
        Problem::new(Code::NotFound, format!("{error}"), next)
    })?;
    Ok((parsed, app.hub.endpoint(caller.workspace, parsed)?))
}
