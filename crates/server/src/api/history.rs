//! `/v1/history`: the days that are kept, and dropping one.

use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use jiff::civil::Date;
use serde::Serialize;
use switchboard_model::problem::{Code, Problem};
use utoipa::ToSchema;

use super::{
    App,
    caller::Caller,
    problem::{Answer, ProblemSchema},
};

/// A day of the history.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryDay {
    /// The day, in UTC.
    #[schema(example = "2026-11-24")]
    day: String,
    /// What it takes on the disk.
    bytes: u64,
}

/// What is kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryDays {
    /// Oldest first.
    items: Vec<HistoryDay>,
    /// Days that are older than this many days are dropped by themselves; 0: none is. The setting history.keep_days.
    keep_days: u32,
}

/// List the days of the history.
///
/// An event whose deliveries have all arrived moves into the history of the day of its acceptance.
#[utoipa::path(
    get, path = "/v1/history", tag = "operation", operation_id = "listHistory",
    responses(
        (status = 200, description = "All of them", body = HistoryDays),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn list(State(app): State<App>, caller: Caller) -> Answer<Json<HistoryDays>> {
    caller.check_operator(&app, "The history").await?;
    let days = app.hub.history().await?.into_iter().map(|row| HistoryDay {
        day: row.day.to_string(),
        bytes: row.bytes,
    });
    Ok(Json(HistoryDays {
        items: days.collect(),
        keep_days: app.hub.keep_days(),
    }))
}

/// Drop a day of the history.
///
/// Its events, deliveries and calls are gone at once, and with them what recognises repeats of its events. What of that day is
/// not settled stays.
#[utoipa::path(
    delete, path = "/v1/history/{day}", tag = "operation", operation_id = "dropHistory",
    params(("day" = String, Path, description = "The day, YYYY-MM-DD, in UTC")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 409, description = "The day is not over", body = ProblemSchema, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn drop_day(State(app): State<App>, caller: Caller, Path(day): Path<String>) -> Answer<StatusCode> {
    caller.check_operator(&app, "The history").await?;
    let Ok(date) = day.parse::<Date>() else {
        let shown: String = day.chars().take(40).collect();
        let next = "Give a day such as 2026-11-24; GET /v1/history lists them.";
        return Err(Problem::new(Code::WrongParameter, format!("`{shown}` is no day"), next)
            .at("day")
            .into());
    };
    app.hub.drop_day(date).await?;
    tracing::info!(key = caller.name(), day = %date, "a day of the history was dropped");
    Ok(StatusCode::NO_CONTENT)
}
