//! Associations between objects (fact sheet §5).

use serde_json::{Value, json};

use super::rows::Rows;
use super::schema::{self, ObjectType};
use super::trouble::Trouble;
use super::values;
use crate::message::Reply;

/// One end of an association.
type End = (&'static ObjectType, u64);

/// One end by the names in a path.
///
/// # Errors
/// 400 for an unknown type, 404 for an object that is not there.
pub fn end(rows: &Rows, kind: &str, key: &str) -> Result<End, Trouble> {
    let kind = schema::object_type(kind).ok_or_else(|| unknown_type(kind))?;
    Ok((kind, rows.find(kind, key, None)?))
}

/// A type that the portal does not have.
#[must_use]
pub fn unknown_type(name: &str) -> Trouble {
    Trouble::invalid(format!("Unable to infer object type from: {name}"))
}

/// `PUT …/associations/default/{toType}/{toId}`: the association that needs no id of a kind.
///
/// # Errors
/// 400 when the types cannot be associated.
pub fn default(rows: &mut Rows, from: End, to: End, now_ms: i64) -> Result<Reply, Trouble> {
    let results = both(rows, from, to)?;
    let at = values::moment(now_ms);
    let body = json!({"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at});
    Ok(Reply::json(200, &body))
}

/// `PUT …/associations/{toType}/{toId}` with the kinds of association in the body.
///
/// # Errors
/// 400 when a kind does not fit the types.
pub fn labelled(rows: &mut Rows, from: End, to: End, body: &Value) -> Result<Reply, Trouble> {
    for kind in kinds(body, from, to)? {
        rows.associate(from, to, kind)?;
    }
    let body = json!({
        "fromObjectTypeId": from.0.id,
        "fromObjectId": from.1.to_string(),
        "toObjectTypeId": to.0.id,
        "toObjectId": to.1.to_string(),
        "labels": [],
    });
    Ok(Reply::json(201, &body))
}

/// `DELETE …/associations/{toType}/{toId}`.
///
/// # Errors
/// Never for ends that are there.
pub fn remove(rows: &mut Rows, from: End, to: End) -> Result<Reply, Trouble> {
    rows.part(from, to)?;
    Ok(Reply::empty(204))
}

/// `POST /crm/associations/{version}/{from}/{to}/batch/{create|associate/default|archive}`.
///
/// # Errors
/// 400, or 404 for an object that is not there; earlier inputs stay done.
pub fn batch(
    rows: &mut Rows,
    (from, to): (&str, &str),
    action: &str,
    body: &Value,
    now_ms: i64,
) -> Result<Reply, Trouble> {
    let mut results = Vec::new();
    for input in body["inputs"].as_array().into_iter().flatten() {
        let key = |end: &Value| end["id"].as_str().unwrap_or_default().to_owned();
        let left = end(rows, from, &key(&input["from"]))?;
        if action == "archive" {
            for other in input["to"].as_array().into_iter().flatten() {
                let right = end(rows, to, &key(other))?;
                rows.part(left, right)?;
            }
            continue;
        }
        let right = end(rows, to, &key(&input["to"]))?;
        if action == "create" {
            for kind in kinds(&input["types"], left, right)? {
                rows.associate(left, right, kind)?;
            }
            results.push(json!({
                "fromObjectTypeId": left.0.id,
                "fromObjectId": left.1.to_string(),
                "toObjectTypeId": right.0.id,
                "toObjectId": right.1.to_string(),
                "labels": [],
            }));
        } else {
            results.extend(both(rows, left, right)?);
        }
    }
    if action == "archive" {
        return Ok(Reply::empty(204));
    }
    let at = values::moment(now_ms);
    let body = json!({"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at});
    Ok(Reply::json(if action == "create" { 201 } else { 200 }, &body))
}

/// Associates two objects and tells both directions.
fn both(rows: &mut Rows, from: End, to: End) -> Result<Vec<Value>, Trouble> {
    let kind = schema::association_type(from.0, to.0).or_else(|| schema::association_type(to.0, from.0));
    let kind = kind.ok_or_else(|| {
        Trouble::invalid(format!(
            "No default association from {} to {}",
            from.0.singular, to.0.singular
        ))
    })?;
    rows.associate(from, to, kind)?;
    let back = schema::association_type(to.0, from.0).unwrap_or(kind);
    let one = |from: End, to: End, kind: u64| {
        json!({
            "from": {"id": from.1.to_string()},
            "to": {"id": to.1.to_string()},
            "associationSpec": {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind},
        })
    };
    Ok(vec![one(from, to, kind), one(to, from, back)])
}

fn kinds(list: &Value, from: End, to: End) -> Result<Vec<u64>, Trouble> {
    let known = schema::association_type(from.0, to.0);
    let of = |kind: &Value| {
        let id = kind["associationTypeId"].as_u64().filter(|id| Some(*id) == known);
        id.ok_or_else(|| {
            let message = format!(
                "{kind} is no association type from {} to {}",
                from.0.singular, to.0.singular
            );
            Trouble::invalid(message)
        })
    };
    list.as_array().into_iter().flatten().map(of).collect()
}
