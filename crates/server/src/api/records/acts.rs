//! What can be done with records, whatever address they have.

use axum::{
    Json,
    http::{HeaderMap, StatusCode},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use switchboard_hub::store::{DuplicateFilter, How};
use switchboard_model::{
    id::RecordId,
    problem::{Code, Problem},
    record::{EXTERNAL_IDS, MatchKey, Policy},
};
use utoipa::ToSchema;

use super::{
    ground::{Ground, members},
    query::{self, cursor},
    views::{DuplicateView, HistoryView, MatchView, MergeView, RecordView, Titles, WrittenView},
};

/// Under which name an Idempotency-Key is kept among the ids of a record.
const REQUEST: &str = "idempotencyKey";
/// Most characters of an Idempotency-Key.
const LONGEST_KEY: usize = 200;

/// A page of records.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Records)]
pub struct RecordsPage {
    /// The records.
    pub items: Vec<RecordView>,
    /// Give it as `after`, with the other parameters unchanged, to get the next page; `null` on the last one.
    pub next: Option<String>,
}

/// A page of records that pass the filters.
pub async fn list(ground: &Ground, query: Option<&str>) -> Result<RecordsPage, Problem> {
    let wanted = query::read(&ground.object, query, &[])?;
    let hub = &ground.app().hub;
    let page = hub.records(ground.workspace, wanted.query, &wanted.contains).await?;
    let titles = Titles::of(hub, ground.workspace, &ground.object, page.rows.iter()).await?;
    let items = page.rows.iter().map(|row| RecordView::of(&ground.object, row, &titles));
    Ok(RecordsPage {
        items: items.collect(),
        next: page.next.as_ref().map(cursor),
    })
}

/// One record.
pub async fn get(ground: &Ground) -> Result<Json<RecordView>, Problem> {
    let row = ground.row().await?;
    let titles = Titles::of(
        &ground.app().hub,
        ground.workspace,
        &ground.object,
        std::iter::once(&row),
    )
    .await?;
    Ok(Json(RecordView::of(&ground.object, &row, &titles)))
}

/// What happens with a record that is there already: as the request says, else as the object's definition says.
pub fn policy(ground: &Ground, query: Option<&str>) -> Result<Policy, Problem> {
    let query = super::super::page::Query::read(query, &["onDuplicate"])?;
    let asked = query.parse("onDuplicate", |word| {
        Policy::find(word).ok_or_else(|| format!("`onDuplicate` is one of {}, not `{word}`", Policy::NAMES.join(", ")))
    })?;
    Ok(asked.unwrap_or(ground.object.policy))
}

/// A new record, or the one that is known by what comes.
pub async fn create(
    ground: &Ground,
    headers: &HeaderMap,
    query: Option<&str>,
    body: Value,
) -> Result<(StatusCode, Json<WrittenView>), Problem> {
    let policy = policy(ground, query)?;
    let mut values = filled(members(body)?)?;
    if let Some(key) = request_key(headers)? {
        let known = MatchKey {
            kind: format!("externalId:{}", REQUEST.to_lowercase()),
            value: key.clone(),
        };
        let hub = &ground.app().hub;
        let before = hub.known_by(ground.workspace, &ground.object.name, known).await?;
        if let Some(row) = before.first() {
            let titles = Titles::of(hub, ground.workspace, &ground.object, std::iter::once(row)).await?;
            let record = RecordView::of(&ground.object, row, &titles);
            return Ok((StatusCode::OK, Json(WrittenView::seen(record))));
        }
        let ids = values.entry(EXTERNAL_IDS).or_insert_with(|| json!({}));
        if let Some(ids) = ids.as_object_mut() {
            ids.insert(REQUEST.into(), json!(key));
        }
    }
    let write = ground.prepare(How::Match { policy, only: None }, &values)?;
    let written = ground.write(write).await?;
    let status = if written.outcome == "created" {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(written)))
}

/// A record without any value says nothing.
fn filled(values: Map<String, Value>) -> Result<Map<String, Value>, Problem> {
    match values.values().all(|value| value.is_null() || value == "") {
        true => Err(Problem::new(
            Code::WrongShape,
            "The record has no value at all.",
            "Send at least one field.",
        )),
        false => Ok(values),
    }
}

fn request_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    match value.to_str().map(str::trim) {
        Ok(key) if (1..=LONGEST_KEY).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => Err(Problem::new(
            Code::WrongParameter,
            format!("The Idempotency-Key is not 1 to {LONGEST_KEY} printable ASCII characters."),
            "Use for example a UUID.",
        )
        .at("header Idempotency-Key")),
    }
}

/// The record that is known by the keys that `match` names (by any, where it names none) is changed; where there is none, one is made.
pub async fn upsert(ground: &Ground, body: Value) -> Result<(StatusCode, Json<WrittenView>), Problem> {
    let mut values = members(body)?;
    let only = match values.shift_remove("match") {
        None | Some(Value::Null) => None,
        Some(words) => Some(words_of(&words)?),
    };
    let values = filled(values)?;
    let policy = Policy::Update;
    let write = ground.prepare(How::Match { policy, only }, &values)?;
    let written = ground.write(write).await?;
    let status = if written.outcome == "created" {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(written)))
}

fn words_of(words: &Value) -> Result<Vec<String>, Problem> {
    let listed = match words {
        Value::String(word) => Some(vec![word.clone()]),
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => None,
    };
    listed.filter(|words| !words.is_empty()).ok_or_else(|| {
        Problem::new(
            Code::WrongShape,
            "`match` is a list of keys",
            "Write for example [\"email\"], or leave it out.",
        )
        .at("/match")
    })
}

/// The fields that are sent are changed, `null` empties one. `If-Match` names the revision that the change is about.
pub async fn update(ground: &Ground, headers: &HeaderMap, body: Value) -> Result<Json<WrittenView>, Problem> {
    let values = members(body)?;
    let id = ground.id()?;
    let revision = revision(headers)?;
    let write = ground.prepare(How::Update { id, revision }, &values)?;
    Ok(Json(ground.write(write).await?))
}

fn revision(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get("if-match") else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().trim().trim_matches('"');
    match text {
        "*" => Ok(None),
        text => text.parse().map(Some).map_err(|_| {
            Problem::new(
                Code::WrongParameter,
                "The header If-Match is not a revision of the record.",
                "Send the number in `revision`, for example If-Match: \"3\".",
            )
            .at("header If-Match")
        }),
    }
}

/// Removes the record for good.
pub async fn delete(ground: &Ground) -> Result<StatusCode, Problem> {
    let write = ground.prepare(How::Delete(ground.id()?), &Map::new())?;
    ground.write(write).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Two become one: the record of the address stays, `with` goes.
pub async fn merge(ground: &Ground, body: Value) -> Result<Json<WrittenView>, Problem> {
    let body = members(body)?;
    let with = body.get("with").and_then(Value::as_str);
    let with = with.filter(|_| body.len() == 1).ok_or_else(|| {
        Problem::new(
            Code::WrongShape,
            "The body does not name the other record as `with`, and nothing else",
            "Send {\"with\": \"rec_…\"}.",
        )
        .at("/with")
    })?;
    let loser: RecordId = with.parse().map_err(|_| {
        let shown: String = with.chars().take(80).collect();
        Problem::new(
            Code::WrongShape,
            format!("`{shown}` is no id of a record"),
            "Send {\"with\": \"rec_…\"}.",
        )
        .at("/with")
    })?;
    let winner = ground.id()?;
    let write = ground.prepare(How::Merge { winner, loser }, &Map::new())?;
    Ok(Json(ground.write(write).await?))
}

/// By which keys the record was found, and what was merged.
pub async fn history(ground: &Ground) -> Result<Json<HistoryView>, Problem> {
    let row = ground.row().await?;
    let hub = &ground.app().hub;
    let filter = DuplicateFilter {
        record: Some(row.id),
        limit: 100,
        ..DuplicateFilter::default()
    };
    let matches = hub.matches(ground.workspace, row.id).await?;
    let merges = hub.merges(ground.workspace, row.id).await?;
    let duplicates = hub.duplicates(ground.workspace, filter).await?;
    Ok(Json(HistoryView {
        matches: matches.into_iter().map(MatchView::from).collect(),
        merges: merges.into_iter().map(MergeView::from).collect(),
        duplicates: duplicates.into_iter().map(DuplicateView::from).collect(),
    }))
}

impl WrittenView {
    /// A record that a request has made before.
    fn seen(record: RecordView) -> Self {
        Self {
            record,
            outcome: "unchanged",
            found_by: None,
            merges: Vec::new(),
            duplicates: Vec::new(),
        }
    }
}
