//! REST hooks: the addresses under which automation platforms (Zapier, Make) subscribe, unsubscribe, ask for samples and try their key (fact
//! sheet zapier §4, §5, §11).

use axum::{
    Json,
    extract::{Path, RawQuery, State},
};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
use switchboard_hub::{
    outgoing::{payload, sample},
    store::{EventFilter, Page},
};
use switchboard_model::{
    event::{EVENT_TYPES, EventType},
    id::EventId,
    problem::Problem,
};
use utoipa::ToSchema;

use super::{
    App,
    body::{JsonBody, typed},
    caller::Caller,
    page::{Listing, Query},
    problem::{Answer, ProblemSchema},
    webhooks::{actions::unknown_type, draft::NewWebhook, take_away, views::SubscriptionView},
};

/// How many samples are shown when nothing is said.
const SAMPLES: usize = 3;
/// Most samples.
const MOST_SAMPLES: usize = 100;

/// Subscribe: the address of the body is told from now on what happens.
///
/// Nothing is sent to it beforehand. The same key that asks for the same events at the same address again gets the subscription that is
/// there. It ends when its receiver answers 410.
#[utoipa::path(
    post, path = "/api/v1/webhooks", tag = "webhooks", operation_id = "subscribe",
    request_body = NewWebhook,
    responses(
        (status = 200, description = "It was there already", body = SubscriptionView),
        (status = 201, description = "It was made", body = SubscriptionView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn subscribe(
    State(app): State<App>,
    caller: Caller,
    body: JsonBody,
) -> Answer<(StatusCode, Json<SubscriptionView>)> {
    let new = typed::<NewWebhook>(body.0)?.endpoint(caller.key(), true)?;
    let made = app.hub.make_endpoint(caller.workspace, new).await?;
    let status = match made.is_new {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    Ok((status, Json(SubscriptionView::of(made.view, made.secret))))
}

/// The subscriptions that this key has made.
#[utoipa::path(
    get, path = "/api/v1/webhooks", tag = "webhooks", operation_id = "listSubscriptions",
    responses(
        (status = 200, description = "All of them", body = Vec<SubscriptionView>),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn list(State(app): State<App>, caller: Caller) -> Answer<Json<Vec<SubscriptionView>>> {
    let key = caller.key();
    let all = app.hub.endpoints(caller.workspace).into_iter();
    let own = all.filter(|view| view.endpoint.owner.is_subscription && view.endpoint.owner.key == key);
    Ok(Json(own.map(|view| SubscriptionView::of(view, None)).collect()))
}

/// Unsubscribe. What is not there counts as unsubscribed.
#[utoipa::path(
    delete, path = "/api/v1/webhooks/{id}", tag = "webhooks", operation_id = "unsubscribe",
    params(("id" = String, Path, description = "The subscription's id")),
    responses(
        (status = 204, description = "It is gone"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn unsubscribe(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<StatusCode> {
    take_away(&app, &caller, &id).await
}

/// What a subscriber is told.
#[derive(Debug, Serialize, ToSchema)]
#[allow(dead_code, reason = "a description, not a value")]
#[schema(as = HookMessage)]
pub struct MessageSchema {
    /// The event's id, the same whenever this message is sent.
    #[schema(example = "evt_0r3kd8m2v0000")]
    id: String,
    /// The event's type.
    #[schema(example = "task.completed")]
    event: String,
    /// When it happened (RFC 3339, UTC).
    #[schema(example = "2026-11-24T09:30:00Z")]
    timestamp: String,
    /// What happened to what.
    data: Map<String, Value>,
}

/// Samples of what a subscriber is told: the newest events of a type, or one that is made up when there is none yet.
///
/// They are made like the messages themselves, member by member.
#[utoipa::path(
    get, path = "/api/v1/events/samples", tag = "webhooks", operation_id = "sampleMessages",
    params(
        ("event" = String, Query, description = "The type, or a family like `call.*`"),
        ("limit" = Option<usize>, Query, description = "How many, 1 to 100; 3 when not given"),
    ),
    responses(
        (status = 200, description = "Newest first", body = Vec<MessageSchema>),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn samples(State(app): State<App>, caller: Caller, RawQuery(query): RawQuery) -> Answer<Json<Vec<Value>>> {
    let query = Query::read(query.as_deref(), &["event", "limit"])?;
    let kinds = kinds(query.get("event").unwrap_or_default())?;
    let limit = query.parse("limit", |text| match text.parse() {
        Ok(limit) if (1..=MOST_SAMPLES).contains(&limit) => Ok(limit),
        _ => Err(format!("`limit` is a number from 1 to {MOST_SAMPLES}, not `{text}`")),
    })?;
    let page = Page {
        before: None,
        limit: limit.unwrap_or(SAMPLES),
    };
    let mut events = Vec::new();
    for kind in &kinds {
        let filter = EventFilter {
            kind: Some(kind.name().to_owned()),
        };
        let rows = app.hub.events(caller.workspace, filter, page).await?;
        events.extend(rows.into_iter().map(|row| row.event));
    }
    events.sort_unstable_by_key(|event| std::cmp::Reverse(event.id));
    events.truncate(page.limit);
    if let (true, Some(kind)) = (events.is_empty(), kinds.first()) {
        events.push(sample::event(*kind, caller.workspace, app.hub.now_ms()));
    }
    let messages: Result<Vec<Value>, Problem> = events.iter().map(payload::of).collect();
    Ok(Json(messages?))
}

/// What a subscriber would have been told, newest first: for programs that ask instead of being told.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "webhooks", operation_id = "pollMessages",
    params(
        ("event" = Option<String>, Query, description = "Of this type only"),
        ("limit" = Option<usize>, Query, description = "Rows of the page, 1 to 500; 50 when not given"),
        ("cursor" = Option<String>, Query, description = "The `next` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = Listing<MessageSchema>),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn poll(State(app): State<App>, caller: Caller, RawQuery(query): RawQuery) -> Answer<Json<Listing<Value>>> {
    let query = Query::read(query.as_deref(), &["event", "limit", "cursor"])?;
    let kind = match query.get("event") {
        Some(name) => Some(EventType::find(name).ok_or_else(|| unknown_type(name))?),
        None => None,
    };
    let page = query.page_by("cursor", |text| text.parse::<EventId>().map(|id| id.0))?;
    let filter = EventFilter {
        kind: kind.map(|kind| kind.name().to_owned()),
    };
    let rows = app.hub.events(caller.workspace, filter, page).await?;
    let items: Result<Vec<Value>, Problem> = rows.iter().map(|row| payload::of(&row.event)).collect();
    let listing = Listing::of(items?, page, |message| {
        message["id"].as_str().unwrap_or_default().to_owned()
    });
    Ok(Json(listing))
}

/// The types that a name means.
fn kinds(name: &str) -> Result<Vec<EventType>, Problem> {
    let is_meant = |known: &str| match name.strip_suffix('*') {
        Some(family) => known.starts_with(family),
        None => known == name,
    };
    let told = EventType::all().filter(|kind| !kind.is_internal());
    let kinds: Vec<EventType> = told.filter(|kind| is_meant(kind.name())).collect();
    match kinds.is_empty() {
        true => Err(unknown_type(name)),
        false => Ok(kinds),
    }
}

/// A type of events.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventType)]
pub struct EventTypeView {
    /// Its name.
    #[schema(example = "message.received")]
    id: &'static str,
    /// What happened.
    name: &'static str,
}

/// Every type of events.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventTypes {
    /// In the order of the documentation.
    items: Vec<EventTypeView>,
}

/// List the types of events.
#[utoipa::path(
    get, path = "/v1/event-types", tag = "events", operation_id = "eventTypes",
    responses(
        (status = 200, description = "All of them", body = EventTypes),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn event_types(_caller: Caller) -> Json<EventTypes> {
    let told = |id: &str| EventType::find(id).is_some_and(|kind| !kind.is_internal());
    let known = EVENT_TYPES.iter().filter(|(id, _)| told(id));
    let items = known.map(|(id, name)| EventTypeView { id, name });
    Json(EventTypes { items: items.collect() })
}
