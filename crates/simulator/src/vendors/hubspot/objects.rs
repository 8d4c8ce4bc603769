//! Calls about one object, and lists (fact sheet §5, §10).

use serde_json::{Map, Value, json};

use super::batch::has_associations;
use super::rows::Rows;
use super::schema::{self, ObjectType};
use super::trouble::Trouble;
use crate::message::{Reply, Request};

/// The most objects of a list.
const PAGE: usize = 100;

/// `POST O/{type}`.
///
/// # Errors
/// What HubSpot says of an object that it refuses.
pub fn create(
    rows: &mut Rows,
    kind: &'static ObjectType,
    body: &Value,
    needs_associations: bool,
    now_ms: i64,
) -> Result<Reply, Trouble> {
    has_associations(needs_associations, body)?;
    let id = rows.create(kind, properties(body)?, &body["associations"], now_ms)?;
    show(rows, kind, id, 201)
}

/// `PATCH O/{type}/{id}`, also `?idProperty=`.
///
/// # Errors
/// What HubSpot says of a change that it refuses.
pub fn update(
    rows: &mut Rows,
    kind: &'static ObjectType,
    key: &str,
    request: &Request,
    body: &Value,
) -> Result<Reply, Trouble> {
    let id = rows.find(kind, key, request.param("idProperty").as_deref())?;
    rows.update(kind, id, properties(body)?, request.now_ms)?;
    show(rows, kind, id, 200)
}

/// `GET O/{type}/{id}` with `properties`, `associations`, `idProperty`, `archived`.
///
/// # Errors
/// 404 when it is not there.
pub fn read(rows: &Rows, kind: &'static ObjectType, key: &str, request: &Request) -> Result<Reply, Trouble> {
    let archived = request.param("archived").is_some_and(|value| value == "true");
    let table = rows.table(kind)?;
    let record = if archived {
        let record = key.parse().ok().and_then(|id| table.any(id));
        record.filter(|record| record.archived_ms.is_some())
    } else {
        table.live(rows.find(kind, key, request.param("idProperty").as_deref())?)
    };
    let record = record.ok_or_else(|| Trouble::not_found("objectId are usually numeric."))?;
    let mut shown = record.show(kind, Some(&wanted(kind, request)));
    if let Some(others) = request.list("associations") {
        let others: Vec<&'static ObjectType> = others.iter().filter_map(|name| schema::object_type(name)).collect();
        shown["associations"] = record.show_associations(kind, &others);
    }
    Ok(Reply::json(200, &shown))
}

/// `GET O/{type}` with `limit`, `after`, `properties`, `archived`.
///
/// # Errors
/// Never for known types.
pub fn list(rows: &Rows, kind: &'static ObjectType, request: &Request) -> Result<Reply, Trouble> {
    let number = |name: &str| request.param(name).and_then(|text| text.parse::<u64>().ok());
    let limit = usize::try_from(number("limit").unwrap_or(10))
        .unwrap_or(PAGE)
        .clamp(1, PAGE);
    let archived = request.param("archived").is_some_and(|value| value == "true");
    // The cursor is the number of the next object.
    let after = number("after").unwrap_or(0).saturating_sub(1);
    let wanted = wanted(kind, request);
    let mut rest = rows.table(kind)?.after(after, archived);
    let results: Vec<Value> = rest
        .by_ref()
        .take(limit)
        .map(|record| record.show(kind, Some(&wanted)))
        .collect();
    let mut answer = json!({ "results": results });
    if let Some(next) = rest.next() {
        answer["paging"] = json!({"next": {"after": next.id.to_string()}});
    }
    Ok(Reply::json(200, &answer))
}

/// `DELETE O/{type}/{id}`: 204 also when it is not there.
///
/// # Errors
/// Never for known types.
pub fn archive(rows: &mut Rows, kind: &'static ObjectType, key: &str, now_ms: i64) -> Result<Reply, Trouble> {
    if let Ok(id) = rows.find(kind, key, None) {
        rows.archive(kind, id, now_ms)?;
    }
    Ok(Reply::empty(204))
}

/// `POST O/contacts/gdpr-delete`: 204 also when there is no such contact.
///
/// # Errors
/// 400 for a property that does not name contacts.
pub fn erase(rows: &mut Rows, kind: &'static ObjectType, body: &Value, now_ms: i64) -> Result<Reply, Trouble> {
    let key = body["objectId"].as_str().unwrap_or_default();
    match rows.find(kind, key, body["idProperty"].as_str()) {
        Ok(id) => rows.archive(kind, id, now_ms)?,
        Err(trouble) if trouble.status == 404 => {}
        Err(trouble) => return Err(trouble),
    }
    Ok(Reply::empty(204))
}

fn properties(body: &Value) -> Result<&Map<String, Value>, Trouble> {
    let message = "Invalid input JSON on line 1, column 1: Some required fields were not set: [properties]";
    body["properties"].as_object().ok_or_else(|| Trouble::invalid(message))
}

fn show(rows: &Rows, kind: &ObjectType, id: u64, status: u16) -> Result<Reply, Trouble> {
    let record = rows.table(kind)?.live(id).ok_or_else(|| Trouble::not_found(""))?;
    Ok(Reply::json(status, &record.show(kind, None)))
}

/// The properties that a read names, or those that are shown when it names none.
fn wanted(kind: &ObjectType, request: &Request) -> Vec<String> {
    let usual: &[&str] = match kind.plural {
        "contacts" => &["email", "firstname", "lastname"],
        "companies" => &["name", "domain"],
        "deals" => &["dealname", "amount", "closedate", "dealstage", "pipeline"],
        "tickets" => &[
            "subject",
            "content",
            "hs_pipeline",
            "hs_pipeline_stage",
            "hs_ticket_priority",
            "hs_ticket_category",
        ],
        _ => &[],
    };
    request
        .list("properties")
        .unwrap_or_else(|| usual.iter().map(|name| (*name).to_owned()).collect())
}
