//! What was pushed to a source.

use axum::{
    Json,
    extract::{Path, RawQuery, State},
};
use serde::{Deserialize, Serialize};
use switchboard_hub::store::{Anew, CallbackFilter, CallbackState};
use switchboard_model::{
    id::CallbackId,
    problem::{Code, Problem},
};
use utoipa::ToSchema;

use super::views::{CallbackView, RefusalView};
use crate::api::{
    App,
    body::JsonBody,
    caller::Caller,
    page::{Listing, Query},
    problem::{Answer, ProblemSchema},
};

/// Most callbacks that are processed anew by one request.
const MOST: usize = 1_000;

/// List what was pushed to a source, newest first.
#[utoipa::path(
    get, path = "/v1/sources/{key}/callbacks", tag = "sources", operation_id = "listCallbacks",
    params(
        ("key" = String, Path, description = "The source"),
        ("state" = Option<String>, Query, description = "`waiting`, `done`, `ignored`, `test` or `failed`"),
        ("limit" = Option<u32>, Query, description = "Rows of a page, 1 to 500; 50 when not given", minimum = 1, maximum = 500),
        ("before" = Option<String>, Query, description = "The `next` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = Listing<CallbackView>),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn callbacks(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer<Json<Listing<CallbackView>>> {
    let query = Query::read(query.as_deref(), &["state", "limit", "before"])?;
    let state = query.parse("state", |text| {
        CallbackState::find(text).ok_or_else(|| {
            let known: Vec<&str> = CallbackState::ALL.iter().map(|state| state.name()).collect();
            format!("`state` is one of {}, not `{text}`", known.join(", "))
        })
    })?;
    let page = query.page(|text| text.parse::<CallbackId>().map(|id| id.0))?;
    let rows = app
        .hub
        .callbacks(caller.workspace, &key, CallbackFilter { state }, page)
        .await?;
    let views = rows
        .into_iter()
        .map(|row| CallbackView::of(&app.hub, caller.workspace, row));
    Ok(Json(Listing::of(views.collect(), page, |view| view.id.clone())))
}

/// Show one callback.
#[utoipa::path(
    get, path = "/v1/sources/{key}/callbacks/{id}", tag = "sources", operation_id = "getCallback",
    params(("key" = String, Path, description = "The source"), ("id" = String, Path, description = "The callback, `cbk_…`")),
    responses(
        (status = 200, description = "The callback", body = CallbackView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn callback(
    State(app): State<App>,
    caller: Caller,
    Path((key, id)): Path<(String, String)>,
) -> Answer<Json<CallbackView>> {
    let row = app.hub.callback(caller.workspace, &key, read_id(&id)?).await?;
    Ok(Json(CallbackView::of(&app.hub, caller.workspace, row)))
}

/// The last requests that were refused, newest first, on this node.
#[derive(Debug, Serialize, ToSchema)]
pub struct Refusals {
    /// How many there were since this node started.
    count: u64,
    /// The last of them, at most 50.
    items: Vec<RefusalView>,
}

/// Show the requests to a source that were refused.
#[utoipa::path(
    get, path = "/v1/sources/{key}/refused", tag = "sources", operation_id = "listRefusals",
    params(("key" = String, Path, description = "The source")),
    responses(
        (status = 200, description = "The last of them", body = Refusals),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn refused(State(app): State<App>, caller: Caller, Path(key): Path<String>) -> Answer<Json<Refusals>> {
    let (count, last) = app.hub.source(caller.workspace, &key)?.refused;
    Ok(Json(Refusals {
        count,
        items: last.into_iter().map(RefusalView::from).collect(),
    }))
}

/// Which callbacks are processed anew.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Reprocess)]
pub struct Wanted {
    /// These, at most 1,000; without it, all that failed, at most 1,000 at once, oldest first.
    #[serde(default)]
    callbacks: Option<Vec<String>>,
    /// Also those of `callbacks` that have written records already: what has nothing that it is found by is made once more.
    #[serde(default)]
    force: bool,
}

/// The callbacks that are processed anew.
#[derive(Debug, Serialize, ToSchema)]
pub struct Begun {
    /// Their ids. Those that wait already are not among them.
    callbacks: Vec<String>,
    /// Callbacks that failed and were left as they are: they have made rows that would be made once more. Name them in `callbacks`, with
    /// `force`, if that is wanted.
    left: Vec<String>,
}

/// Process callbacks anew, after the source was mended.
///
/// Callbacks that were processed and have written records are refused, as their records might be doubled, unless `force` is given.
#[utoipa::path(
    post, path = "/v1/sources/{key}/reprocess", tag = "sources", operation_id = "reprocess",
    params(("key" = String, Path, description = "The source")),
    request_body(content = Wanted),
    responses(
        (status = 202, description = "They wait to be processed", body = Begun),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn reprocess(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer<(http::StatusCode, Json<Begun>)> {
    let wanted: Wanted = serde_json::from_value(body).map_err(|error| {
        let next = "Write {\"callbacks\": [\"cbk_…\"]}, or {} for all that failed.";
        Problem::new(Code::WrongShape, format!("The wish cannot be read: {error}"), next)
    })?;
    let which = match wanted.callbacks {
        None => Anew::Failed(MOST),
        Some(ids) if ids.len() > MOST => {
            let detail = format!("{} callbacks are named; at most {MOST} are possible.", ids.len());
            return Err(Problem::new(Code::TooLarge, detail, "Send several requests.").into());
        }
        Some(ids) => Anew::These {
            ids: ids.iter().map(|id| read_id(id)).collect::<Result<_, _>>()?,
            force: wanted.force,
        },
    };
    let begun = app.hub.reprocess(caller.workspace, &key, which).await?;
    let texts = |ids: Vec<CallbackId>| ids.iter().map(ToString::to_string).collect();
    Ok((
        http::StatusCode::ACCEPTED,
        Json(Begun {
            callbacks: texts(begun.begun),
            left: texts(begun.doubling),
        }),
    ))
}

/// An id of a callback.
pub(super) fn read_id(text: &str) -> Result<CallbackId, Problem> {
    text.parse().map_err(|error| {
        Problem::new(
            Code::NotFound,
            format!("{error}"),
            "Ids of callbacks begin with `cbk_`.",
        )
    })
}
