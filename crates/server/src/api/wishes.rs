//! What people want of deliveries: set aside, let go on, called off, tried anew; one, some, or all that pass a filter.

use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
use switchboard_hub::{Trial, done, store::DeliveryFilter, store::Wish};
use switchboard_model::{
    id::DeliveryId,
    problem::{Code, Problem},
};
use utoipa::ToSchema;

use super::{
    App,
    body::JsonBody,
    caller::Caller,
    deliveries, filter,
    problem::{Answer, ProblemSchema},
    views::{DeliveryView, Names},
};
use crate::nearest::did_you_mean;

/// Most ids in one request.
const MOST_IDS: usize = 1_000;
/// How many deliveries a dry run shows.
const SHOWN: usize = 20;
const EXAMPLE: &str = "Send for example {\"state\": \"dead\", \"connection\": \"primary-crm\"} or {\"ids\": [\"dlv_…\"]}; \
                       {\"all\": true} means every delivery.";

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

/// What a body asks for.
#[derive(Debug)]
enum Asked {
    These(Vec<DeliveryId>),
    All(Box<DeliveryFilter>),
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
    let (asked, dry_run) = read(&names, wish, &body)?;
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

/// Reads a body: which deliveries, and whether it is a dry run.
fn read(names: &Names, wish: Wish, body: &Value) -> Result<(Asked, bool), Problem> {
    let Value::Object(members) = body else {
        return Err(Problem::new(Code::WrongShape, "The body is not an object", EXAMPLE));
    };
    let mut problems = unknown_members(members);
    let all = flag(members, "all", &mut problems);
    let dry_run = flag(members, "dry_run", &mut problems);
    let words: Vec<&str> = filter::WORDS
        .into_iter()
        .filter(|word| members.contains_key(*word))
        .collect();
    let asked = match (members.get("ids"), words.is_empty(), all) {
        (Some(ids), true, false) => read_ids(ids, &mut problems).map(Asked::These),
        (None, false, false) => read_filter(names, wish, members, &mut problems),
        (None, true, true) => Some(Asked::All(Box::default())),
        (None, true, false) => {
            let detail = "The body does not say which deliveries are meant";
            problems.push(Problem::new(Code::WrongShape, detail, EXAMPLE));
            None
        }
        _ => {
            let detail = "`ids`, a filter and `all` exclude each other";
            problems.push(Problem::new(Code::WrongShape, detail, EXAMPLE));
            None
        }
    };
    match (Problem::all(problems), asked) {
        (None, Some(asked)) => Ok((asked, dry_run)),
        (Some(problem), _) => Err(problem),
        (None, None) => Err(Problem::new(Code::WrongShape, "The body cannot be read", EXAMPLE)),
    }
}

fn unknown_members(members: &Map<String, Value>) -> Vec<Problem> {
    let known = || filter::WORDS.into_iter().chain(["ids", "all", "dry_run"]);
    let unknown = members
        .keys()
        .filter(|name| known().all(|known| known != name.as_str()));
    let explain = |name: &String| {
        let shown: String = name.chars().take(80).collect();
        let hint = did_you_mean(name, known());
        let words: Vec<_> = known().collect();
        wrong(
            &shown,
            format!("There is no member `{shown}`{hint}"),
            &format!("There are: {}.", words.join(", ")),
        )
    };
    unknown.map(explain).collect()
}

fn flag(members: &Map<String, Value>, name: &str, problems: &mut Vec<Problem>) -> bool {
    match members.get(name) {
        None => false,
        Some(Value::Bool(flag)) => *flag,
        Some(_) => {
            problems.push(wrong(name, format!("`{name}` is true or false"), EXAMPLE));
            false
        }
    }
}

fn read_ids(ids: &Value, problems: &mut Vec<Problem>) -> Option<Vec<DeliveryId>> {
    let Some(list) = ids.as_array().filter(|list| (1..=MOST_IDS).contains(&list.len())) else {
        let detail = format!("`ids` is a list of 1 to {MOST_IDS} ids");
        problems.push(wrong("ids", detail, "Use a filter for more of them."));
        return None;
    };
    let mut read = Vec::with_capacity(list.len());
    for (at, id) in list.iter().enumerate() {
        match id.as_str().map(str::parse::<DeliveryId>) {
            Some(Ok(id)) if read.contains(&id) => {}
            Some(Ok(id)) => read.push(id),
            Some(Err(error)) => problems.push(wrong(&format!("ids/{at}"), error.to_string(), EXAMPLE)),
            None => problems.push(wrong(&format!("ids/{at}"), "An id is text".into(), EXAMPLE)),
        }
    }
    Some(read)
}

fn read_filter(names: &Names, wish: Wish, members: &Map<String, Value>, problems: &mut Vec<Problem>) -> Option<Asked> {
    let before = problems.len();
    for word in filter::WORDS {
        if members
            .get(word)
            .is_some_and(|value| value.as_str().is_none_or(str::is_empty))
        {
            problems.push(wrong(word, format!("`{word}` is text"), EXAMPLE));
        }
    }
    let filter = match filter::read(names, |word| {
        members
            .get(word)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    }) {
        Ok(filter) => filter,
        Err(faults) => {
            problems.extend(
                faults
                    .into_iter()
                    .map(|(word, why)| wrong(word, why, "Correct the member.")),
            );
            return None;
        }
    };
    let (allowed, _) = wish.states();
    if let Some(state) = filter.state.filter(|state| !allowed.contains(state)) {
        let names: Vec<_> = allowed.iter().map(|state| state.name()).collect();
        let detail = format!("What is {} cannot be {}", state.name(), done(wish));
        problems.push(wrong("state", detail, &format!("Possible is: {}.", names.join(", "))));
    }
    (problems.len() == before).then(|| Asked::All(Box::new(filter)))
}

fn wrong(member: &str, detail: String, next: &str) -> Problem {
    Problem::new(Code::WrongShape, detail, next).at(format!("/{member}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use switchboard_model::{delivery::DeliveryState, id::ConnectionId};

    use super::*;

    fn asked(wish: Wish, body: Value) -> Result<(Asked, bool), Problem> {
        read(
            &Names::from_iter([(ConnectionId(7), "primary-crm".to_owned())]),
            wish,
            &body,
        )
    }

    #[test]
    fn a_wish_is_for_ids_or_a_filter_or_everything() {
        let id = DeliveryId(77);
        let these = asked(Wish::Hold, json!({"ids": [id.to_string(), id.to_string()]})).unwrap();
        assert!(matches!(&these, (Asked::These(ids), false) if *ids == [id]));
        let body = json!({
            "state": "dead", "connection": "primary-crm", "object": "Lead", "from": "2026-11-24T09:30:00Z",
            "until": "2026-11-24T17:31:00+08:00", "dry_run": true,
        });
        let (Asked::All(filter), true) = asked(Wish::Replay, body).unwrap() else {
            panic!("a filter and a dry run")
        };
        assert_eq!(filter.state, Some(DeliveryState::Dead));
        assert_eq!(filter.connection, Some(ConnectionId(7)));
        assert_eq!(filter.object.as_deref(), Some("Lead"));
        assert_eq!(
            (filter.from_ms, filter.until_ms),
            (Some(1_795_512_600_000), Some(1_795_512_660_000))
        );
        let all = asked(Wish::Cancel, json!({"all": true})).unwrap();
        assert!(matches!(&all, (Asked::All(filter), false) if filter.state.is_none() && filter.connection.is_none()));
    }

    #[test]
    fn what_is_wrong_with_a_wish_is_said_with_its_place() {
        for (body, place, words) in [
            (json!([]), None, "not an object"),
            (json!({}), None, "does not say which"),
            (json!({"all": false}), None, "does not say which"),
            (json!({"dry_run": true}), None, "does not say which"),
            (json!({"all": true, "state": "dead"}), None, "exclude each other"),
            (json!({"ids": [], "all": false}), Some("/ids"), "1 to 1000"),
            (json!({"ids": ["evt_0000000000001"]}), Some("/ids/0"), "dlv_"),
            (json!({"ids": [7]}), Some("/ids/0"), "text"),
            (
                json!({"stat": "dead", "state": "dead"}),
                Some("/stat"),
                "did you mean `state`?",
            ),
            (json!({"state": "ded"}), Some("/state"), "did you mean `dead`?"),
            (json!({"state": 11}), Some("/state"), "text"),
            (json!({"state": ""}), Some("/state"), "text"),
            (json!({"state": "delivered"}), Some("/state"), "cannot be replayed"),
            (
                json!({"connection": "primary-crn"}),
                Some("/connection"),
                "did you mean `primary-crm`?",
            ),
            (json!({"from": "yesterday"}), Some("/from"), "RFC 3339"),
            (
                json!({"from": "2026-11-24T09:30:00Z", "until": "2026-11-24T09:30:00Z"}),
                Some("/until"),
                "not after",
            ),
            (
                json!({"state": "dead", "dry_run": "yes"}),
                Some("/dry_run"),
                "true or false",
            ),
        ] {
            let problem = asked(Wish::Replay, body.clone()).unwrap_err();
            assert_eq!(
                (problem.code, problem.place.as_deref()),
                (Code::WrongShape, place),
                "{body}"
            );
            assert!(problem.detail.contains(words), "{body}: {}", problem.detail);
            assert!(!problem.next.is_empty());
        }
    }
}
