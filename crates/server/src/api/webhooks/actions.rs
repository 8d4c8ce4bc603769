//! What can be done with an endpoint: tried, given a new secret, looked through, tried again.

use axum::{
    Json,
    extract::{Path, RawQuery, State},
};
use serde::{Deserialize, Serialize};
use switchboard_hub::store::{DeliveryFilter, Wish};
use switchboard_model::{
    event::EventType,
    id::DeliveryId,
    problem::{Code, Problem},
    route::RouteSpec,
};
use utoipa::ToSchema;

use super::{draft::SignatureKind, find, views::WebhookView};
use crate::api::{
    App,
    body::{JsonBody, typed},
    caller::Caller,
    crm::TestAnswer,
    page::{Listing, Query},
    problem::{Answer, ProblemSchema},
    views::{DeliveryStory, Names},
};

/// Rows of a page of the log when the caller does not say.
const USUAL: usize = 20;
/// Most rows of a page of the log, each of which has its calls.
const MOST: usize = 100;
/// How long a former secret signs, too, when nothing is said: a day, in seconds.
const OVERLAP_SECONDS: u32 = 86_400;
/// The longest time that a former secret signs, too: 30 days, in seconds.
const LONGEST_OVERLAP: u32 = 2_592_000;

/// With what an endpoint is tried.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookTest {
    /// The type of the event; the first that it is told when not given.
    #[schema(example = "message.received")]
    event: Option<String>,
}

/// Send a message of a sample event to an endpoint, at once, signed like any other.
///
/// Nothing is kept of it. A test that fails is an answer with `ok: false`, not an error.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/test", tag = "webhooks", operation_id = "testWebhook",
    params(("id" = String, Path, description = "The endpoint's id")),
    request_body = WebhookTest,
    responses(
        (status = 200, description = "What came of it", body = TestAnswer),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn test(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    body: JsonBody,
) -> Answer<Json<TestAnswer>> {
    let (id, view) = find(&app, &caller, &id)?;
    let asked: WebhookTest = typed(body.0)?;
    let kind = match &asked.event {
        Some(name) => EventType::find(name).ok_or_else(|| unknown_type(name))?,
        None => first_type(&view.endpoint.route(id)).ok_or_else(|| unknown_type("*"))?,
    };
    let report = app.hub.try_endpoint(caller.workspace, id, kind).await?;
    Ok(Json(report.into()))
}

/// The first type of events that a route takes.
fn first_type(route: &RouteSpec) -> Option<EventType> {
    let mut told = EventType::all().filter(|kind| !kind.is_internal());
    told.find(|kind| route.takes(kind.name()))
}

/// The problem that there is no such type of events.
pub fn unknown_type(name: &str) -> Problem {
    let shown: String = name.chars().take(80).collect();
    let detail = format!("There is no event type `{shown}`");
    Problem::new(Code::UnknownEventType, detail, "GET /v1/event-types lists them.").at("event")
}

/// How an endpoint gets a new secret.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretRotation {
    /// So long the former secret signs, too, in seconds; a day when not given.
    #[schema(example = 86400, maximum = 2_592_000)]
    overlap_seconds: Option<u32>,
    /// How messages are signed from now on; as before when not given.
    signature: Option<SignatureKind>,
}

/// Give an endpoint a new secret, which the answer shows.
///
/// Until the time is over each message has two signatures, so that its receiver can change over without a gap.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/rotate", tag = "webhooks", operation_id = "rotateWebhookSecret",
    params(("id" = String, Path, description = "The endpoint's id")),
    request_body = SecretRotation,
    responses(
        (status = 200, description = "The endpoint with its new secret", body = WebhookView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn rotate(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    body: JsonBody,
) -> Answer<Json<WebhookView>> {
    let (id, _) = find(&app, &caller, &id)?;
    let asked: SecretRotation = typed(body.0)?;
    let overlap = asked.overlap_seconds.unwrap_or(OVERLAP_SECONDS);
    if overlap > LONGEST_OVERLAP {
        let detail = format!("`overlap_seconds` is at most {LONGEST_OVERLAP}");
        let next = "Two secrets at once are for changing over; 86400 is a day.";
        return Err(Problem::new(Code::WrongShape, detail, next)
            .at("overlap_seconds")
            .into());
    }
    let signature = asked.signature.map(Into::into);
    let (view, secret) = app
        .hub
        .rotate_endpoint(caller.workspace, id, signature, overlap)
        .await?;
    tracing::info!(key = caller.name(), endpoint = %id, "an endpoint of outgoing webhooks has a new secret");
    Ok(Json(WebhookView::of(view, Some(secret))))
}

/// What was sent to an endpoint, newest first, each message with its calls.
#[utoipa::path(
    get, path = "/v1/webhooks/{id}/deliveries", tag = "webhooks", operation_id = "webhookDeliveries",
    params(
        ("id" = String, Path, description = "The endpoint's id"),
        ("limit" = Option<usize>, Query, description = "Rows of the page, 1 to 100; 20 when not given"),
        ("before" = Option<String>, Query, description = "The `next` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = Listing<DeliveryStory>),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn deliveries(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer<Json<Listing<DeliveryStory>>> {
    let query = Query::read(query.as_deref(), &["limit", "before"])?;
    let mut page = query.page(|text| text.parse::<DeliveryId>().map(|id| id.0))?;
    page.limit = match query.get("limit") {
        Some(_) => page.limit.min(MOST),
        None => USUAL,
    };
    let (_, view) = find(&app, &caller, &id)?;
    let filter = DeliveryFilter {
        connection: view.connection,
        ..DeliveryFilter::default()
    };
    let rows = match view.connection {
        Some(_) => app.hub.deliveries(caller.workspace, filter, page).await?,
        None => Vec::new(),
    };
    let names = Names::of(&app.hub, caller.workspace);
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        let calls = app.hub.attempts(caller.workspace, row.id).await?;
        items.push(DeliveryStory {
            delivery: names.view(row),
            calls: calls.into_iter().map(Into::into).collect(),
        });
    }
    Ok(Json(Listing::of(items, page, |story| story.delivery.id.clone())))
}

/// What is to be tried again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookReplay {
    /// Messages of events that were accepted at or after this moment; all when not given.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-24T09:30:00Z")]
    from: Option<jiff::Timestamp>,
    /// Messages of events that were accepted before this moment.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<jiff::Timestamp>,
}

/// How many messages are tried again.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookReplayed {
    /// So many.
    replayed: u64,
}

/// Try messages again that were given up or cancelled.
///
/// What the receiver has taken is not sent again: `POST /v1/deliveries/{id}/replay` does not do that either.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/replay", tag = "webhooks", operation_id = "replayWebhook",
    params(("id" = String, Path, description = "The endpoint's id")),
    request_body = WebhookReplay,
    responses(
        (status = 200, description = "How many", body = WebhookReplayed),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn replay(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    body: JsonBody,
) -> Answer<Json<WebhookReplayed>> {
    let (id, view) = find(&app, &caller, &id)?;
    let asked: WebhookReplay = typed(body.0)?;
    let filter = DeliveryFilter {
        connection: view.connection,
        from_ms: asked.from.map(|moment| moment.as_millisecond()),
        until_ms: asked.until.map(|moment| moment.as_millisecond()),
        ..DeliveryFilter::default()
    };
    let replayed = match view.connection {
        Some(_) => app.hub.wish_all(caller.workspace, Wish::Replay, filter).await?,
        None => 0,
    };
    tracing::info!(key = caller.name(), endpoint = %id, replayed, "messages of an endpoint are tried again");
    Ok(Json(WebhookReplayed { replayed }))
}
