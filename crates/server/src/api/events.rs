//! `/v1/events`: list, the whole story of one. Posting has a file of its own.

use axum::{
    Json,
    extract::{Path, RawQuery, State},
};
use serde::Serialize;
use switchboard_hub::store::{DeliveryFilter, EventFilter, Page};
use switchboard_model::{
    event::EventType,
    id::EventId,
    problem::{Code, Problem},
};
use utoipa::ToSchema;

use super::{
    App,
    caller::Caller,
    page::{Listing, Query},
    problem::{Answer, ProblemSchema},
    views::{DeliveryStory, EventView, Names},
};

/// List events, newest first.
#[utoipa::path(
    get, path = "/v1/events", tag = "events", operation_id = "listEvents",
    params(
        ("type" = Option<String>, Query, description = "Of this type only"),
        ("limit" = Option<usize>, Query, description = "Rows of the page, 1 to 500; 50 when not given"),
        ("before" = Option<String>, Query, description = "The `next` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = Listing<EventView>),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Answer<Json<Listing<EventView>>> {
    let query = Query::read(query.as_deref(), &["type", "limit", "before"])?;
    let kind = query.parse("type", |name| match EventType::find(name) {
        Some(kind) => Ok(kind.name().to_owned()),
        None => Err(format!("There is no type `{name}`")),
    })?;
    let page = query.page(|text| text.parse::<EventId>().map(|id| id.0))?;
    let rows = app.hub.events(caller.workspace, EventFilter { kind }, page).await?;
    let items = rows.into_iter().map(EventView::from).collect();
    Ok(Json(Listing::of(items, page, |event| event.id.clone())))
}

/// An event with everything that came of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventStory {
    /// The event.
    #[serde(flatten)]
    event: EventView,
    /// Its deliveries, oldest first, each with its calls.
    deliveries: Vec<DeliveryStory>,
}

/// Most deliveries of one event that are shown.
pub const MOST_DELIVERIES: usize = 500;

/// The whole story of one event.
#[utoipa::path(
    get, path = "/v1/events/{id}", tag = "events", operation_id = "getEvent",
    params(("id" = String, Path, description = "The event's id")),
    responses(
        (status = 200, description = "The event, its deliveries, each with its calls", body = EventStory),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<Json<EventStory>> {
    let id: EventId = id.parse().map_err(|error| unknown(&format!("{error}")))?;
    let row = app
        .hub
        .event(caller.workspace, id)
        .await?
        .ok_or_else(|| unknown(&format!("There is no event {id}.")))?;
    let filter = DeliveryFilter {
        event: Some(id),
        ..DeliveryFilter::default()
    };
    let page = Page {
        before: None,
        limit: MOST_DELIVERIES,
    };
    let mut rows = app.hub.deliveries(caller.workspace, filter, page).await?;
    rows.reverse();
    let names = Names::of(&app.hub, caller.workspace);
    let mut deliveries = Vec::with_capacity(rows.len());
    for row in rows {
        let calls = app
            .hub
            .attempts(caller.workspace, row.id)
            .await?
            .into_iter()
            .map(Into::into)
            .collect();
        deliveries.push(DeliveryStory {
            delivery: names.view(row),
            calls,
        });
    }
    Ok(Json(EventStory {
        event: row.into(),
        deliveries,
    }))
}

/// The problem that there is no such event.
pub fn unknown(why: &str) -> Problem {
    Problem::new(Code::NotFound, why, "GET /v1/events lists the events with their ids.")
}
