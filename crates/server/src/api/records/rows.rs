//! `/v1/tables/{table}/rows`: the rows of the user's own tables, and by their names those of the standard objects.

use axum::{Json, extract::RawQuery, response::Response};
use http::{HeaderMap, StatusCode};

use super::{
    super::{
        body::{FileBody, JsonBody},
        problem::{Answer, ProblemSchema},
    },
    acts::{self, RecordsPage},
    batch as many,
    files::{self, ImportedView},
    ground::Ground,
    views::{HistoryView, RecordView, ResultsView, WrittenView},
};

/// List rows, newest first unless `sort` says otherwise.
///
/// Each field is a filter: `city=Riga`, `value[gte]=100`, `name[contains]=acme`. The ways of comparing are `eq` (which needs not be written),
/// `ne`, `gt`, `gte`, `lt`, `lte`, `in` (values separated by commas), `contains`, `startsWith`, `empty` (`true` or `false`). Ids of other systems are filtered by
/// `externalIds.SYSTEM=ID`. All filters must hold.
#[utoipa::path(
    get, path = "/v1/tables/{table}/rows", tag = "records", operation_id = "listRows",
    params(
        ("table" = String, Path, description = "The table's name"),
        ("q" = Option<String>, Query, description = "A text that any value of the record contains"),
        ("createdAt[gte]" = Option<String>, Query, description = "Made at or after this moment (RFC 3339); so with `gt`, `lt`, `lte`"),
        ("updatedAt[gte]" = Option<String>, Query, description = "Changed at or after this moment (RFC 3339); so with `gt`, `lt`, `lte`"),
        ("needsReview" = Option<bool>, Query, description = "Those of which a person has to say whether they are duplicates"),
        ("sort" = Option<String>, Query, description = "A field, `createdAt` or `updatedAt`; with `-` before it the greatest come first. `-createdAt` when not given"),
        ("limit" = Option<usize>, Query, description = "Rows of the page, 1 to 500; 50 when not given"),
        ("after" = Option<String>, Query, description = "The `next` of the page before"),
    ),
    responses(
        (status = 200, description = "A page. It may be shorter than `limit`; there is more as long as `next` is there", body = RecordsPage),
        (status = 429, description = "The key has made its requests of this minute; see Retry-After", body = ProblemSchema, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn list(ground: Ground, RawQuery(query): RawQuery) -> Answer<Json<RecordsPage>> {
    Ok(Json(acts::list(&ground, query.as_deref()).await?))
}

/// Make a record, or change the one that is there already.
///
/// A record is there already when one of the object's keys leads to it: the id of another system, e-mail, telephone … `onDuplicate` says
/// what happens then: `update` changes it, `find` leaves it as it is, `create` makes another one and lists both as possible duplicates, `ask` does that and marks
/// the new one. The same Idempotency-Key makes one record.
#[utoipa::path(
    post, path = "/v1/tables/{table}/rows", tag = "records", operation_id = "createRow",
    params(
        ("table" = String, Path, description = "The table's name"),
        ("onDuplicate" = Option<String>, Query, description = "`update`, `find`, `create` or `ask`; as the object's definition says (`update`) when not given"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key again answers with the record of the first time"),
    ),
    request_body(content = serde_json::Value, content_type = "application/json", description = "Fields of the object; `GET /v1/objects` lists them"),
    responses(
        (status = 201, description = "It is new", body = WrittenView),
        (status = 200, description = "It was there already; `outcome` says whether it was changed, `foundBy` how it was found", body = WrittenView),
        (status = 422, description = "What does not fit, all of it, each with its place", body = ProblemSchema, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn create(
    ground: Ground,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Answer<(StatusCode, Json<WrittenView>)> {
    Ok(acts::create(&ground, &headers, query.as_deref(), body).await?)
}

/// One record.
#[utoipa::path(
    get, path = "/v1/tables/{table}/rows/{id}", tag = "records", operation_id = "getRow",
    params(("table" = String, Path, description = "The table's name"), ("id" = String, Path, description = "The record's id; that of one that was merged leads to the one that it was merged into")),
    responses(
        (status = 200, description = "The record", body = RecordView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn get(ground: Ground) -> Answer<Json<RecordView>> {
    Ok(acts::get(&ground).await?)
}

/// Change fields of a record.
///
/// Fields that are not sent stay; `null` empties one.
#[utoipa::path(
    patch, path = "/v1/tables/{table}/rows/{id}", tag = "records", operation_id = "updateRow",
    params(
        ("table" = String, Path, description = "The table's name"),
        ("id" = String, Path, description = "The record's id; that of one that was merged leads to the one that it was merged into"),
        ("If-Match" = Option<String>, Header, description = "The revision that the change is about; 409 when the record has another one by now"),
    ),
    request_body(content = serde_json::Value, content_type = "application/json", description = "Fields of the object; `GET /v1/objects` lists them"),
    responses(
        (status = 200, description = "The record as it is now", body = WrittenView),
        (status = 409, description = "The record has another revision by now", body = ProblemSchema, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn update(ground: Ground, headers: HeaderMap, JsonBody(body): JsonBody) -> Answer<Json<WrittenView>> {
    Ok(acts::update(&ground, &headers, body).await?)
}

/// Remove a record for good, with what was merged into it.
#[utoipa::path(
    delete, path = "/v1/tables/{table}/rows/{id}", tag = "records", operation_id = "deleteRow",
    params(("table" = String, Path, description = "The table's name"), ("id" = String, Path, description = "The record's id; that of one that was merged leads to the one that it was merged into")),
    responses(
        (status = 204, description = "It is gone"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn delete(ground: Ground) -> Answer<StatusCode> {
    Ok(acts::delete(&ground).await?)
}

/// Make or change many records, in one transaction, each as with POST of one.
///
/// What is wrong with one does not keep back the others: the answer is 200 when at least one was taken, 422 with the same body when none was.
#[utoipa::path(
    post, path = "/v1/tables/{table}/rows/batch", tag = "records", operation_id = "batchRows",
    params(
        ("table" = String, Path, description = "The table's name"),
        ("onDuplicate" = Option<String>, Query, description = "`update`, `find`, `create` or `ask`; as the object's definition says (`update`) when not given"),
    ),
    request_body(content = serde_json::Value, content_type = "application/json", description = "A list of records, or `{\"items\": […]}`; up to 1,000"),
    responses(
        (status = 200, description = "What became of each", body = ResultsView),
        (status = 422, description = "None of it was taken, or the body is no list (then a problem, `application/problem+json`)", content((ResultsView = "application/json"), (ProblemSchema = "application/problem+json"))),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn batch(
    ground: Ground,
    RawQuery(query): RawQuery,
    JsonBody(body): JsonBody,
) -> Answer<(StatusCode, Json<ResultsView>)> {
    Ok(many::batch(&ground, query.as_deref(), body).await?)
}

/// Change the record that is known by these keys, or make it.
///
/// `match` names the keys that count (`email`, `phone`, `externalId`, `externalId:SYSTEM` …); without it all of the object's keys do.
#[utoipa::path(
    post, path = "/v1/tables/{table}/rows/upsert", tag = "records", operation_id = "upsertRow",
    params(("table" = String, Path, description = "The table's name")),
    request_body(content = serde_json::Value, content_type = "application/json", description = "Fields of the object, and `match`, a list of keys"),
    responses(
        (status = 201, description = "It is new", body = WrittenView),
        (status = 200, description = "It was there already", body = WrittenView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn upsert(ground: Ground, JsonBody(body): JsonBody) -> Answer<(StatusCode, Json<WrittenView>)> {
    Ok(acts::upsert(&ground, body).await?)
}

/// Why a record is what it is: the keys by which it was found, what was merged, what it may be a duplicate of.
#[utoipa::path(
    get, path = "/v1/tables/{table}/rows/{id}/history", tag = "records", operation_id = "rowHistory",
    params(("table" = String, Path, description = "The table's name"), ("id" = String, Path, description = "The record's id; that of one that was merged leads to the one that it was merged into")),
    responses(
        (status = 200, description = "Matches, merges, possible duplicates", body = HistoryView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn history(ground: Ground) -> Answer<Json<HistoryView>> {
    Ok(acts::history(&ground).await?)
}

/// Make one of two records.
///
/// The record of the address stays and gets of the other one what it lacks; the other one's id, keys and vendors' ids lead to it from then
/// on. `POST /v1/merges/{id}/undo` takes it back.
#[utoipa::path(
    post, path = "/v1/tables/{table}/rows/{id}/merge", tag = "records", operation_id = "mergeRow",
    params(("table" = String, Path, description = "The table's name"), ("id" = String, Path, description = "The record's id; that of one that was merged leads to the one that it was merged into")),
    request_body(content = serde_json::Value, content_type = "application/json", description = "`{\"with\": \"rec_…\"}`: the record that goes"),
    responses(
        (status = 200, description = "The record that both are now", body = WrittenView),
        (status = 409, description = "They are one already", body = ProblemSchema, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn merge(ground: Ground, JsonBody(body): JsonBody) -> Answer<Json<WrittenView>> {
    Ok(acts::merge(&ground, body).await?)
}

/// Take the rows of a CSV or JSON file.
///
/// The first row of a CSV file names the fields, by their names or titles; cells are separated by commas, semicolons or tabs. A row with an
/// `id` changes that record; others are found by their keys or made.
#[utoipa::path(
    post, path = "/v1/tables/{table}/rows/import", tag = "records", operation_id = "importRows",
    params(
        ("table" = String, Path, description = "The table's name"),
        ("onDuplicate" = Option<String>, Query, description = "`update`, `find`, `create` or `ask`; as the object's definition says (`update`) when not given"),
    ),
    request_body(description = "A CSV file, or a list of records", content((String = "text/csv"), (serde_json::Value = "application/json"))),
    responses(
        (status = 200, description = "What was done, and what is wrong with the rest", body = ImportedView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn import(ground: Ground, RawQuery(query): RawQuery, body: FileBody) -> Answer<Json<ImportedView>> {
    Ok(files::import(&ground, query.as_deref(), body).await?)
}

/// Every record as a CSV or JSON file.
///
/// Takes the same filters as the list.
#[utoipa::path(
    get, path = "/v1/tables/{table}/rows/export", tag = "records", operation_id = "exportRows",
    params(
        ("table" = String, Path, description = "The table's name"),
        ("format" = Option<String>, Query, description = "`csv` or `json`; `csv` when not given"),
        ("q" = Option<String>, Query, description = "A text that any value of the record contains"),
        ("sort" = Option<String>, Query, description = "As in the list"),
    ),
    responses(
        (status = 200, description = "The file", content((String = "text/csv"), (Vec<RecordView> = "application/json"))),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn export(ground: Ground, RawQuery(query): RawQuery) -> Answer<Response> {
    Ok(files::export(ground, query.as_deref())?)
}
