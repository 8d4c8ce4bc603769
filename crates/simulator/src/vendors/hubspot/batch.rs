//! Batches (fact sheet §6): at most 100 inputs; partial success only where every input carries a trace id.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::HubSpot;
use super::rows::moment;
use super::trouble::Refusal;
use crate::message::Reply;

/// Most inputs of one batch.
const MOST: usize = 100;

/// Carries out a batch.
pub fn run(portal: &mut HubSpot, object: &'static str, action: &str, body: &Value, now_ms: i64) -> Reply {
    let Some(inputs) = body["inputs"].as_array() else {
        return Refusal::Malformed("inputs must not be null".to_owned()).reply();
    };
    if inputs.len() > MOST {
        return Refusal::Malformed(format!("Maximum batch size is {MOST}, got {}", inputs.len())).reply();
    }
    let traces: HashSet<&str> = inputs.iter().filter_map(|input| input["objectWriteTraceId"].as_str()).collect();
    let partial = traces.len() == inputs.len() || action == "read";
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for input in inputs {
        match one(portal, object, action, input, body, now_ms) {
            Ok(Some(result)) => results.push(result),
            Ok(None) => {}
            Err(refusal) if !partial => return refusal.reply(),
            Err(refusal) => {
                let mut error = refusal.body();
                error["context"] = json!({"objectWriteTraceId": [input["objectWriteTraceId"]], "ids": [input["id"]]});
                errors.push(error);
            }
        }
    }
    if action == "archive" {
        return Reply::empty(204);
    }
    let mut answer = json!({"status": "COMPLETE", "results": results, "startedAt": moment(now_ms), "completedAt": moment(now_ms)});
    if errors.is_empty() {
        return Reply::json(if action == "create" { 201 } else { 200 }, &answer);
    }
    answer["numErrors"] = errors.len().into();
    answer["errors"] = errors.into();
    Reply::json(207, &answer)
}

fn one(portal: &mut HubSpot, object: &'static str, action: &str, input: &Value, body: &Value, now_ms: i64) -> Result<Option<Value>, Refusal> {
    let empty = Map::new();
    let properties = input["properties"].as_object().unwrap_or(&empty);
    let by = input["idProperty"].as_str().or_else(|| body["idProperty"].as_str());
    let key = input["id"].as_str().unwrap_or_default();
    match action {
        "create" => {
            let id = portal.rows.create(&portal.schema, object, properties, now_ms)?;
            Ok(portal.rows.get(object, id).map(|row| row.show(object, None)))
        }
        "update" => {
            let id = portal.find(object, key, by).ok_or(Refusal::NotFound)?;
            portal.rows.update(&portal.schema, object, id, properties, now_ms)?;
            Ok(portal.rows.get(object, id).map(|row| row.show(object, None)))
        }
        "upsert" => upsert(portal, object, (key, by), properties, now_ms).map(Some),
        "read" => {
            let id = portal.find(object, key, by).ok_or(Refusal::NotFound)?;
            Ok(portal.rows.get(object, id).map(|row| row.show(object, None)))
        }
        "archive" => {
            if let Some(id) = portal.find(object, key, by) {
                portal.rows.archive(object, id);
            }
            Ok(None)
        }
        _ => Err(Refusal::Malformed(format!("unknown batch action {action}"))),
    }
}

fn upsert(portal: &mut HubSpot, object: &'static str, (key, by): (&str, Option<&str>), properties: &Map<String, Value>, now_ms: i64) -> Result<Value, Refusal> {
    let Some(property) = by.filter(|by| portal.schema.property(object, by).is_some_and(|property| property.unique)) else {
        return Err(Refusal::Malformed("idProperty must be a property with unique values".to_owned()));
    };
    let mut properties = properties.clone();
    let known = portal.rows.by_unique(object, property, key);
    let id = match known {
        Some(id) => {
            portal.rows.update(&portal.schema, object, id, &properties, now_ms)?;
            id
        }
        None => {
            properties.insert(property.to_owned(), key.into());
            portal.rows.create(&portal.schema, object, &properties, now_ms)?
        }
    };
    let mut shown = portal.rows.get(object, id).map(|row| row.show(object, None)).unwrap_or_default();
    shown["new"] = known.is_none().into();
    Ok(shown)
}
