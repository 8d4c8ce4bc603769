//! What people want of deliveries: set aside, let go on, called off, tried anew; one, some, or all that pass a filter.

mod selection;

use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use switchboard_hub::{Trial, done, store::Wish};
use switchboard_model::id::DeliveryId;
use utoipa::ToSchema;

use selection::{Asked, Reading, read};

use super::{
    App,
    body::JsonBody,
    caller::Caller,
    deliveries,
    problem::{Answer, ProblemSchema},
    views::{DeliveryView, Names},
};

/// How many deliveries a dry run shows.
const SHOWN: usize = 20;

/// What became of a delivery.
#[derive(Debug, Serialize, ToSchema)]
pub struct Changed {
    /// The delivery.
    id: String,
    /// Its state now.
    state: &'static str,
}

/// Which deliveries are meant: `ids`, or a filter of the other members, or `all`.
#[derive(Debug, Serialize, ToSchema)]
#[allow(dead_code, reason = "a description, not a value")]
#[schema(as = Selection)]
pub struct SelectionSchema {
    /// These, up to 1,000.
    #[schema(required = false)]
    ids: Vec<String>,
    /// In this state only.
    #[schema(required = false, example = "dead")]
    state: String,
    /// For the connection with this key only.
    #[schema(required = false, example = "primary-crm")]
    connection: String,
    /// Of this object only, by the name that deliveries show.
    #[schema(required = false)]
    object: String,
    /// Of this event only.
    #[schema(required = false)]
    event: String,
    /// Accepted at or after this moment (RFC 3339).
    #[schema(required = false, example = "2026-11-24T09:30:00Z")]
    from: String,
    /// Accepted before this moment (RFC 3339).
    #[schema(required = false)]
    until: String,
    /// `true`: every delivery; instead of a filter.
    #[schema(required = false)]
    all: bool,
    /// `true`: only say what would be changed.
    #[schema(required = false)]
    dry_run: bool,
    /// With `ids`, to replay: `true`: a person has looked in the other system, and these records are not there. What was in doubt is sent again.
    #[schema(required = false)]
    not_there: bool,
}

/// How many deliveries were changed.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct WishAnswer {
    /// So many; 0 in a dry run.
    changed: u64,
    /// Of `ids`: those whose state does not allow it, or that are not there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    unchanged: Vec<UnchangedView>,
    /// In a dry run: how many would be changed, counted up to 10,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    would_change: Option<usize>,
    /// In a dry run: whether there are more than were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<bool>,
    /// In a dry run: the newest of them, up to 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<Vec<DeliveryView>>,
}

/// A delivery that stayed as it was.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Unchanged)]
pub struct UnchangedView {
    /// The delivery.
    id: String,
    /// Its state, which does not allow it; `null` when there is no such delivery.
    state: Option<&'static str>,
}

macro_rules! wishes {
    ($($one:ident, $many:ident, $word:literal, $wish:ident, $id_one:literal, $id_many:literal, $doc_one:literal, $doc_many:literal;)*) => {
        $(
            #[doc = $doc_one]
            #[utoipa::path(
                post, path = concat!("/v1/deliveries/{id}/", $word), tag = "deliveries", operation_id = $id_one,
                params(("id" = String, Path, description = "The delivery's id")),
                responses(
                    (status = 202, description = "Done", body = Changed),
                    (status = 409, description = "Its state does not allow it", body = ProblemSchema, content_type = "application/problem+json"),
                    (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
                ),
            )]
            pub async fn $one(
                State(app): State<App>,
                caller: Caller,
                Path(id): Path<String>,
            ) -> Answer<(StatusCode, Json<Changed>)> {
                one(&app, &caller, Wish::$wish, &id).await
            }

            #[doc = $doc_many]
            ///
            /// Works through any number in small steps. What is accepted after the request has begun is left alone. With `dry_run`
            /// nothing is changed.
            #[utoipa::path(
                post, path = concat!("/v1/deliveries/", $word), tag = "deliveries", operation_id = $id_many,
                request_body = SelectionSchema,
                responses(
                    (status = 200, description = "How many", body = WishAnswer),
                    (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
                ),
            )]
            pub async fn $many(State(app): State<App>, caller: Caller, body: JsonBody) -> Answer<Json<WishAnswer>> {
                many(&app, &caller, Wish::$wish, body.0).await
            }
        )*
    };
}

wishes! {
    hold, hold_many, "hold", Hold, "holdDelivery", "holdDeliveries",
        "Set a delivery aside that waits.", "Set deliveries aside that wait.";
    release, release_many, "release", Release, "releaseDelivery", "releaseDeliveries",
        "Let a delivery go on that was held.", "Let deliveries go on that were held.";
    cancel, cancel_many, "cancel", Cancel, "cancelDelivery", "cancelDeliveries",
        "Call a delivery off that waits or is held.", "Call deliveries off that wait or are held.";
    replay, replay_many, "replay", Replay, "replayDelivery", "replayDeliveries",
        "Try a delivery again that is dead or cancelled, with the mapping as it is now.",
        "Try deliveries again that are dead or cancelled, with the mapping as it is now.";
}

async fn one(app: &App, caller: &Caller, wish: Wish, id: &str) -> Answer<(StatusCode, Json<Changed>)> {
    let id: DeliveryId = id.parse().map_err(|error| deliveries::unknown(&format!("{error}")))?;
    let state = app.hub.wish(caller.workspace, wish, id).await?;
    tracing::info!(key = caller.name(), delivery = %id, "a delivery was {}", done(wish));
    let changed = Changed {
        id: id.to_string(),
        state: state.name(),
    };
    Ok((StatusCode::ACCEPTED, Json(changed)))
}

async fn many(app: &App, caller: &Caller, wish: Wish, body: Value) -> Answer<Json<WishAnswer>> {
    let names = Names::of(&app.hub, caller.workspace);
    let Reading { asked, wish, dry_run } = read(&names, wish, &body)?;
    let answer = match (asked, dry_run) {
        (Asked::These(ids), false) => {
            let (changed, unchanged) = app.hub.wish_these(caller.workspace, wish, ids).await?;
            let unchanged = unchanged.into_iter().map(|one| UnchangedView {
                id: one.id.to_string(),
                state: one.state.map(|state| state.name()),
            });
            WishAnswer {
                changed,
                unchanged: unchanged.collect(),
                ..WishAnswer::default()
            }
        }
        (Asked::These(ids), true) => try_these(app, caller, wish, &names, ids).await?,
        (Asked::All(filter), false) => WishAnswer {
            changed: app.hub.wish_all(caller.workspace, wish, *filter).await?,
            ..WishAnswer::default()
        },
        (Asked::All(filter), true) => {
            let trial = app.hub.try_wish(caller.workspace, wish, *filter, SHOWN).await?;
            tried(trial, &names)
        }
    };
    if !dry_run {
        // The filter says which, and holds nothing that customers wrote.
        let (key, changed) = (caller.name(), answer.changed);
        tracing::info!(key, changed, asked = %body, "deliveries were {}", done(wish));
    }
    Ok(Json(answer))
}

async fn try_these(app: &App, caller: &Caller, wish: Wish, names: &Names, ids: Vec<DeliveryId>) -> Answer<WishAnswer> {
    let (allowed, _) = wish.states();
    let mut trial = Trial::default();
    let mut unchanged = Vec::new();
    for id in ids {
        match app.hub.delivery(caller.workspace, id).await? {
            Some(row) if allowed.contains(&row.state) => {
                trial.count += 1;
                if trial.first.len() < SHOWN {
                    trial.first.push(row);
                }
            }
            other => unchanged.push(UnchangedView {
                id: id.to_string(),
                state: other.map(|row| row.state.name()),
            }),
        }
    }
    Ok(WishAnswer {
        unchanged,
        ..tried(trial, names)
    })
}

fn tried(trial: Trial, names: &Names) -> WishAnswer {
    WishAnswer {
        would_change: Some(trial.count),
        more: Some(trial.more),
        first: Some(trial.first.into_iter().map(|row| names.view(row)).collect()),
        ..WishAnswer::default()
    }
}
