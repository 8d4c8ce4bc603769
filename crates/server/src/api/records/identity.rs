//! `/v1/duplicates` and `/v1/merges`: records that may be one, and records that became one.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, RawQuery, State},
};
use serde_json::{Map, Value};
use switchboard_hub::{
    record,
    store::{DuplicateFilter, DuplicateRow, DuplicateState, How, RecordWrite, Written},
};
use switchboard_model::{
    id::{DuplicateId, MergeId, RecordId},
    problem::{Code, Problem},
    record::ObjectType,
};

use super::{
    super::{
        App,
        body::JsonBody,
        caller::Caller,
        page::{Listing, Query},
        problem::{Answer, ProblemSchema},
    },
    ground::members,
    views::{DuplicateView, MergeView, Titles, WrittenView},
};
use crate::nearest::did_you_mean;

/// List records that may be one, newest first.
///
/// The hub lists two records when they share a key and were kept apart all the same: because they contradict each other in a stronger key or
/// in their names, because the policy is `create` or `ask`, or because they have the same full name.
#[utoipa::path(
    get, path = "/v1/duplicates", tag = "records", operation_id = "listDuplicates",
    params(
        ("object" = Option<String>, Query, description = "Of this object or table only"),
        ("record" = Option<String>, Query, description = "With this record only"),
        ("state" = Option<String>, Query, description = "`open`, `merged` or `dismissed`; `open` when not given"),
        ("limit" = Option<usize>, Query, description = "Rows of the page, 1 to 500; 50 when not given"),
        ("before" = Option<String>, Query, description = "The `next` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = Listing<DuplicateView>),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn duplicates(
    State(app): State<App>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Answer<Json<Listing<DuplicateView>>> {
    let query = Query::read(query.as_deref(), &["object", "record", "state", "limit", "before"])?;
    let page = query.page(|text| text.parse::<DuplicateId>().map(|id| id.0))?;
    let objects = app.hub.objects(caller.workspace);
    let filter = DuplicateFilter {
        object: query.parse("object", |name| match objects.find(name) {
            Some(object) => Ok(object.name.clone()),
            None => Err(format!(
                "There is no object or table `{}`",
                name.chars().take(80).collect::<String>()
            )),
        })?,
        record: query.parse("record", |id| id.parse::<RecordId>().map_err(|error| error.to_string()))?,
        state: query
            .parse("state", |word| {
                let known = DuplicateState::ALL.map(DuplicateState::name);
                let state = DuplicateState::ALL.into_iter().find(|state| state.name() == word);
                state.ok_or_else(|| format!("`state` is one of {}{}", known.join(", "), did_you_mean(word, known)))
            })?
            .or(Some(DuplicateState::Open)),
        before: page.before,
        limit: page.limit,
    };
    let rows = app.hub.duplicates(caller.workspace, filter).await?;
    let items = rows.into_iter().map(DuplicateView::from).collect();
    Ok(Json(Listing::of(items, page, |duplicate| duplicate.id.clone())))
}

/// Say that two records are not one.
///
/// They are never merged by the hub itself from then on.
#[utoipa::path(
    post, path = "/v1/duplicates/{id}/dismiss", tag = "records", operation_id = "dismissDuplicate",
    params(("id" = String, Path, description = "The pair's id")),
    responses(
        (status = 200, description = "The pair as it is now", body = DuplicateView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn dismiss(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<Json<DuplicateView>> {
    let row = pair(&app, &caller, &id).await?;
    write(&app, &caller, &row.object, How::Dismiss(row.id)).await?;
    Ok(Json(pair(&app, &caller, &id).await?.into()))
}

/// Make one of two records that may be one.
///
/// The older one stays, unless `keep` names the other one. `POST /v1/merges/{id}/undo` takes it back.
#[utoipa::path(
    post, path = "/v1/duplicates/{id}/merge", tag = "records", operation_id = "mergeDuplicate",
    params(("id" = String, Path, description = "The pair's id")),
    request_body(content = serde_json::Value, content_type = "application/json", description = "`{}`, or `{\"keep\": \"rec_…\"}`"),
    responses(
        (status = 200, description = "The record that both are now", body = WrittenView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn merge_duplicate(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer<Json<WrittenView>> {
    let row = pair(&app, &caller, &id).await?;
    let body = members(body)?;
    let (winner, loser) = match body.get("keep") {
        None if body.is_empty() => (row.one, row.other),
        Some(Value::String(keep)) if *keep == row.one.to_string() => (row.one, row.other),
        Some(Value::String(keep)) if *keep == row.other.to_string() => (row.other, row.one),
        _ => {
            let detail = format!(
                "The body names neither {} nor {} as the record to `keep`",
                row.one, row.other
            );
            return Err(
                Problem::new(Code::WrongShape, detail, "Send {} or {\"keep\": \"rec_…\"}.")
                    .at("/keep")
                    .into(),
            );
        }
    };
    let (object, written) = write(&app, &caller, &row.object, How::Merge { winner, loser }).await?;
    Ok(Json(view(&app, &caller, &object, written).await?))
}

/// Why two records became one, and what that moved.
#[utoipa::path(
    get, path = "/v1/merges/{id}", tag = "records", operation_id = "getMerge",
    params(("id" = String, Path, description = "The merge's id")),
    responses(
        (status = 200, description = "The merge", body = MergeView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn get_merge(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<Json<MergeView>> {
    let id = merge_id(&id)?;
    Ok(Json(app.hub.merge(caller.workspace, id).await?.into()))
}

/// Take a merge back.
///
/// Both records are as they were; what was changed since stays with the one that had stayed. What the merge gave that one at vendors
/// goes back. The hub does not merge the two by itself again.
#[utoipa::path(
    post, path = "/v1/merges/{id}/undo", tag = "records", operation_id = "undoMerge",
    params(("id" = String, Path, description = "The merge's id")),
    responses(
        (status = 200, description = "The merge as it is now", body = MergeView),
        (status = 409, description = "It was undone already, or the record was itself merged since", body = ProblemSchema, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn undo_merge(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<Json<MergeView>> {
    let id = merge_id(&id)?;
    let merge = app.hub.merge(caller.workspace, id).await?;
    write(&app, &caller, &merge.object, How::Undo(id)).await?;
    Ok(Json(app.hub.merge(caller.workspace, id).await?.into()))
}

fn merge_id(text: &str) -> Result<MergeId, Problem> {
    text.parse().map_err(|error| {
        Problem::new(
            Code::NotFound,
            format!("{error}"),
            "The history of a record (GET …/history) names its merges.",
        )
    })
}

async fn pair(app: &App, caller: &Caller, id: &str) -> Result<DuplicateRow, Problem> {
    let nothing = |why: String| Problem::new(Code::NotFound, why, "GET /v1/duplicates lists them.");
    let id: DuplicateId = id.parse().map_err(|error| nothing(format!("{error}")))?;
    let filter = DuplicateFilter {
        before: Some(id.0.saturating_add(1)),
        limit: 1,
        ..DuplicateFilter::default()
    };
    let found = app.hub.duplicates(caller.workspace, filter).await?;
    let found = found.into_iter().find(|row| row.id == id);
    found.ok_or_else(|| nothing(format!("There is no pair {id}.")))
}

/// Does this with records of an object.
async fn write(app: &App, caller: &Caller, object: &str, how: How) -> Result<(Arc<ObjectType>, Written), Problem> {
    let objects = app.hub.objects(caller.workspace);
    let object = Arc::clone(record::object(&objects, object)?);
    let write = RecordWrite {
        object: Arc::clone(&object),
        how,
        data: Map::new(),
        lookups: Vec::new(),
        source: format!("api:{}", caller.name()).into(),
    };
    let written = app.hub.write_records(caller.workspace, vec![write]).await?;
    let written = written.into_iter().next().ok_or_else(|| {
        Problem::new(
            Code::Internal,
            "The hub gave no answer.",
            "Look what became of the records.",
        )
    })?;
    match written.outcome {
        switchboard_hub::store::Outcome::Refused(problem) => Err(*problem),
        _ => Ok((object, written)),
    }
}

async fn view(app: &App, caller: &Caller, object: &ObjectType, written: Written) -> Result<WrittenView, Problem> {
    let titles = Titles::of(&app.hub, caller.workspace, object, written.record.iter()).await?;
    WrittenView::of(object, written, &titles)
}
