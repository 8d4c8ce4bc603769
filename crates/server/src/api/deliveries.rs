//! `/v1/deliveries`: list, one with its calls.

use axum::{
    Json,
    extract::{Path, RawQuery, State},
};
use switchboard_model::{
    id::DeliveryId,
    problem::{Code, Problem},
};

use super::{
    App,
    caller::Caller,
    filter,
    page::{Listing, Query},
    problem::{Answer, ProblemSchema},
    views::{DeliveryStory, DeliveryView, Names},
};

/// List deliveries, newest first.
#[utoipa::path(
    get, path = "/v1/deliveries", tag = "deliveries", operation_id = "listDeliveries",
    params(
        ("state" = Option<String>, Query, description = "In this state only: waiting, sending, unknown, held, delivered, dead, cancelled"),
        ("connection" = Option<String>, Query, description = "For the connection with this key only"),
        ("object" = Option<String>, Query, description = "Of this object only, by the name that deliveries show"),
        ("event" = Option<String>, Query, description = "Of this event only"),
        ("from" = Option<String>, Query, description = "Accepted at or after this moment (RFC 3339)"),
        ("until" = Option<String>, Query, description = "Accepted before this moment (RFC 3339)"),
        ("limit" = Option<usize>, Query, description = "Rows of the page, 1 to 500; 50 when not given"),
        ("before" = Option<String>, Query, description = "The `next` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = Listing<DeliveryView>),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Answer<Json<Listing<DeliveryView>>> {
    let query = Query::read(
        query.as_deref(),
        &[filter::WORDS.as_slice(), &["limit", "before"]].concat(),
    )?;
    let names = Names::of(&app.hub, caller.workspace);
    let filter = filter::read(&names, |word| query.get(word)).map_err(|faults| {
        let wrong = faults.into_iter().map(|(word, why)| {
            Problem::new(Code::WrongParameter, why, "Correct the parameter.").at(format!("parameter {word}"))
        });
        Problem::all(wrong.collect())
            .unwrap_or_else(|| Problem::new(Code::WrongParameter, "The filter is wrong", "Correct it."))
    })?;
    let page = query.page(|text| text.parse::<DeliveryId>().map(|id| id.0))?;
    let rows = app.hub.deliveries(caller.workspace, filter, page).await?;
    let items = rows.into_iter().map(|row| names.view(row)).collect();
    Ok(Json(Listing::of(items, page, |delivery| delivery.id.clone())))
}

/// One delivery with every call that was made for it.
#[utoipa::path(
    get, path = "/v1/deliveries/{id}", tag = "deliveries", operation_id = "getDelivery",
    params(("id" = String, Path, description = "The delivery's id")),
    responses(
        (status = 200, description = "The delivery and its calls", body = DeliveryStory),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<Json<DeliveryStory>> {
    let id: DeliveryId = id.parse().map_err(|error| unknown(&format!("{error}")))?;
    let row = app.hub.delivery(caller.workspace, id).await?;
    let row = row.ok_or_else(|| unknown(&format!("There is no delivery {id}.")))?;
    let calls = app
        .hub
        .attempts(caller.workspace, id)
        .await?
        .into_iter()
        .map(Into::into)
        .collect();
    Ok(Json(DeliveryStory {
        delivery: Names::of(&app.hub, caller.workspace).view(row),
        calls,
    }))
}

/// The problem that there is no such delivery.
pub fn unknown(why: &str) -> Problem {
    Problem::new(
        Code::NotFound,
        why,
        "GET /v1/deliveries lists the deliveries with their ids.",
    )
}
