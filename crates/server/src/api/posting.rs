//! `POST /v1/events`: one event or a batch.

use axum::{
    Json,
    extract::{FromRequestParts, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, request::Parts};
use serde::Serialize;
use serde_json::{Map, Value};
use switchboard_hub::{
    intake::{Incoming, Receipt},
    store::{DeliveryFilter, Page},
};
use switchboard_model::problem::{Code, Problem, ProblemBody};
use utoipa::ToSchema;

use super::{
    App,
    body::JsonBody,
    caller::Caller,
    events::MOST_DELIVERIES,
    incoming,
    problem::{Answer, Failure, ProblemSchema},
};

/// Longest Idempotency-Key, in characters.
const LONGEST_KEY: usize = 255;
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What became of one event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Receipt)]
pub struct ReceiptView {
    /// Its id; of a duplicate, the id of the event that came first.
    id: String,
    /// `accepted`, or `duplicate` when it came before.
    status: &'static str,
    /// How many deliveries it led to.
    deliveries: usize,
    /// Why it goes nowhere, or what a route waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl From<Receipt> for ReceiptView {
    fn from(receipt: Receipt) -> Self {
        Self {
            id: receipt.event.to_string(),
            status: if receipt.repeat { "duplicate" } else { "accepted" },
            deliveries: receipt.deliveries,
            note: receipt.note,
        }
    }
}

/// What became of a batch, item by item in the order of the request.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchAnswer {
    /// One for each item.
    results: Vec<BatchResult>,
}

/// What became of one item of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchResult {
    /// Its place in the batch, from 0.
    index: usize,
    /// `accepted`, `duplicate` or `rejected`.
    status: &'static str,
    /// Its id, unless it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// How many deliveries it led to, unless it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    deliveries: Option<usize>,
    /// Why it goes nowhere, or what a route waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// Why it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ProblemSchema>)]
    problem: Option<ProblemBody>,
}

/// What can be posted.
#[derive(Debug, Serialize, ToSchema)]
#[allow(dead_code, reason = "a description, not a value")]
#[schema(as = NewEvent)]
pub struct NewEventSchema {
    /// One of the known types, for example `message.received`.
    #[serde(rename = "type")]
    #[schema(example = "message.received")]
    kind: String,
    /// The id that the event has at the sender; the same id twice is one event.
    #[schema(required = false, max_length = 255)]
    id: Option<String>,
    /// What the sender knows about it; mappings read it.
    data: Map<String, Value>,
}

/// One event or a batch of them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "a description, not a value")]
pub enum OneOrMany {
    /// One.
    One(NewEventSchema),
    /// Up to 1,000.
    Many(Vec<NewEventSchema>),
}

/// One receipt or those of a batch.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "a description, not a value")]
pub enum OneOrManyReceipts {
    /// Of one event.
    One(ReceiptView),
    /// Of a batch.
    Many(BatchAnswer),
}

/// Post one event or a batch.
///
/// What was answered with 202 is on the disk and is delivered, whatever happens to the hub afterwards. A batch is answered item
/// by item: 202 when at least one item was taken, 422 with the same body when every item was rejected.
#[utoipa::path(
    post, path = "/v1/events", tag = "events", operation_id = "postEvents",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key with the same body gets the same answer, with the header `Idempotency-Replayed: true`; with another body 422. At most 255 printable ASCII characters.")),
    request_body(content = OneOrMany, description = "An event, or a list of up to 1,000 events."),
    responses(
        (status = 202, description = "Taken", body = OneOrManyReceipts),
        (status = 429, description = "Too much waits to be stored; nothing was kept, send it again after Retry-After", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Wrong shape; or every item of the batch was rejected, with a reason for each", content(
            (ProblemSchema = "application/problem+json"),
            (BatchAnswer = "application/json"),
        )),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn post(
    State(app): State<App>,
    caller: Caller,
    _room: Room,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Answer<Response> {
    let key = idempotency_key(&headers)?;
    let (status, replayed, answer) = match body {
        Value::Array(items) => post_batch(&app, &caller, items, key).await?,
        one => post_one(&app, &caller, one, key).await?,
    };
    let mut response = (status, answer).into_response();
    if replayed {
        response
            .headers_mut()
            .insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// That there is room for events at all: told before a body is read, so that a hub that cannot keep up spends nothing on what it refuses.
pub struct Room;

impl FromRequestParts<App> for Room {
    type Rejection = Failure;

    async fn from_request_parts(_: &mut Parts, app: &App) -> Result<Self, Failure> {
        app.hub.has_room()?;
        Ok(Self)
    }
}

/// The status, whether it is the answer of the first time, and the answer.
type Posted = (StatusCode, bool, Response);

async fn post_one(app: &App, caller: &Caller, value: Value, key: Option<&str>) -> Answer<Posted> {
    let item = incoming::read(value, "", &app.limits)?;
    let (replayed, receipts) = accept_together(app, caller, vec![item], key).await?;
    let receipt = receipts.into_iter().next().ok_or_else(|| {
        Problem::new(
            Code::Internal,
            "The hub gave no receipt for the event.",
            "Send it again with the same id.",
        )
    })?;
    Ok((StatusCode::ACCEPTED, replayed, Json(receipt).into_response()))
}

async fn post_batch(app: &App, caller: &Caller, items: Vec<Value>, key: Option<&str>) -> Answer<Posted> {
    let most = app.limits.batch;
    if items.is_empty() || items.len() > most {
        let code = if items.is_empty() {
            Code::WrongShape
        } else {
            Code::TooLarge
        };
        let detail = format!("The batch has {} events; 1 to {most} are possible.", items.len());
        return Err(Problem::new(
            code,
            detail,
            "Split it into several requests. The limit is the setting limits.batch.",
        )
        .into());
    }
    let mut results: Vec<Option<Result<ReceiptView, Problem>>> = Vec::with_capacity(items.len());
    let mut taken = Vec::with_capacity(items.len());
    let mut places = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        match incoming::read(item, &format!("/{index}"), &app.limits) {
            Ok(item) => {
                taken.push(item);
                places.push(index);
                results.push(None);
            }
            Err(problem) => results.push(Some(Err(problem))),
        }
    }
    let (replayed, receipts) = match key {
        _ if taken.is_empty() => (false, Vec::new()),
        None => (false, accept_each(app, caller, taken, &places).await?),
        Some(_) => {
            let (replayed, receipts) = accept_together(app, caller, taken, key).await?;
            (replayed, receipts.into_iter().map(Ok).collect())
        }
    };
    let mut receipts = receipts.into_iter();
    let results: Vec<BatchResult> = results
        .into_iter()
        .enumerate()
        .filter_map(|(index, known)| Some(result(index, known.or_else(|| receipts.next())?)))
        .collect();
    let nothing_taken = results.iter().all(|result| result.problem.is_some());
    let status = if nothing_taken {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::ACCEPTED
    };
    Ok((status, replayed, Json(BatchAnswer { results }).into_response()))
}

/// Hands over the events of a batch. One whose id came before with another content is refused alone.
async fn accept_each(
    app: &App,
    caller: &Caller,
    items: Vec<Incoming>,
    places: &[usize],
) -> Result<Vec<Result<ReceiptView, Problem>>, Problem> {
    let accepted = app.hub.accept(caller.workspace, items, None).await?;
    let each = accepted.into_iter().zip(places);
    let each = each.map(|(receipt, index)| match receipt {
        Ok(receipt) => Ok(receipt.into()),
        Err(problem) => Err(problem.at(format!("/{index}/id"))),
    });
    Ok(each.collect())
}

/// Hands over the events of one request that counts as a whole. `true` when it came before under its Idempotency-Key; the
/// receipts are then those of the first time.
async fn accept_together(
    app: &App,
    caller: &Caller,
    items: Vec<Incoming>,
    key: Option<&str>,
) -> Result<(bool, Vec<ReceiptView>), Problem> {
    let receipts = app.hub.accept(caller.workspace, items, key).await?;
    let receipts = receipts.into_iter().collect::<Result<Vec<_>, _>>()?;
    let replayed = key.is_some() && receipts.iter().all(|receipt| receipt.repeat);
    let mut views = Vec::with_capacity(receipts.len());
    for receipt in receipts {
        views.push(if replayed {
            first_receipt(app, caller, receipt).await?
        } else {
            receipt.into()
        });
    }
    Ok((replayed, views))
}

/// The receipt that the event got when it came first.
async fn first_receipt(app: &App, caller: &Caller, receipt: Receipt) -> Result<ReceiptView, Problem> {
    let filter = DeliveryFilter {
        event: Some(receipt.event),
        ..DeliveryFilter::default()
    };
    let page = Page {
        before: None,
        limit: MOST_DELIVERIES,
    };
    let deliveries = app.hub.deliveries(caller.workspace, filter, page).await?.len();
    let note = app
        .hub
        .event(caller.workspace, receipt.event)
        .await?
        .and_then(|row| row.note);
    Ok(Receipt {
        repeat: false,
        deliveries,
        note,
        ..receipt
    }
    .into())
}

fn result(index: usize, result: Result<ReceiptView, Problem>) -> BatchResult {
    let rejected = BatchResult {
        index,
        status: "rejected",
        id: None,
        deliveries: None,
        note: None,
        problem: None,
    };
    match result {
        Err(problem) => BatchResult {
            problem: Some(ProblemBody::from(&problem)),
            ..rejected
        },
        Ok(ReceiptView {
            id,
            status,
            deliveries,
            note,
        }) => BatchResult {
            status,
            id: Some(id),
            deliveries: Some(deliveries),
            note,
            ..rejected
        },
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(key) if (1..=LONGEST_KEY).contains(&key.trim().len()) => Ok(Some(key.trim())),
        _ => Err(Problem::new(
            Code::WrongParameter,
            format!("The Idempotency-Key is not 1 to {LONGEST_KEY} printable ASCII characters."),
            "Use for example a UUID.",
        )
        .at("header Idempotency-Key")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idempotency_key_is_short_and_printable() {
        let key = |bytes: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert("idempotency-key", HeaderValue::from_bytes(bytes).unwrap());
            idempotency_key(&headers)
                .map(|key| key.map(str::to_owned))
                .map_err(|problem| problem.code)
        };
        assert_eq!(idempotency_key(&HeaderMap::new()), Ok(None));
        assert_eq!(key(b"a-1"), Ok(Some("a-1".into())));
        assert_eq!(key(&[b'k'; 255]), Ok(Some("k".repeat(255))));
        assert_eq!(key(&[b'k'; 256]), Err(Code::WrongParameter));
        assert_eq!(key(b" "), Err(Code::WrongParameter));
        assert_eq!(key("ключ".as_bytes()), Err(Code::WrongParameter));
    }
}
