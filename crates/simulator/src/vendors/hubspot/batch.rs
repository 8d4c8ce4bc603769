//! Up to 100 objects in one call (fact sheet §6): partial success only when every input bears an own trace id; results are not
//! in the order of the inputs.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::rows::Rows;
use super::schema::ObjectType;
use super::trouble::Trouble;
use super::values;
use crate::message::Reply;

/// The most inputs of one call.
const MOST: usize = 100;

/// What stands around a batch.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// The type of the objects.
    pub kind: &'static ObjectType,
    /// Milliseconds since 1970.
    pub now_ms: i64,
    /// Whether the schema of the version demands associations for new objects.
    pub needs_associations: bool,
    /// A partial success is answered with the status of a full one.
    pub partial_as_success: bool,
}

/// Carries out `…/batch/{action}`.
///
/// # Errors
/// When the batch as a whole is refused; then nothing was changed.
pub fn run(rows: &mut Rows, call: Call, action: &str, body: &Value) -> Result<Reply, Trouble> {
    let Some(inputs) = body["inputs"].as_array() else {
        let message = "Invalid input JSON on line 1, column 1: Some required fields were not set: [inputs]";
        return Err(Trouble::invalid(message));
    };
    if inputs.len() > MOST {
        let message =
            format!("The maximum number of inputs supported in a batch request for property histories is {MOST}");
        return Err(Trouble::invalid(message));
    }
    match action {
        "read" => read(rows, call, body, inputs),
        "archive" => {
            for key in inputs.iter().filter_map(|input| input["id"].as_str()) {
                if let Ok(id) = rows.find(call.kind, key, None) {
                    rows.archive(call.kind, id, call.now_ms)?;
                }
            }
            Ok(Reply::empty(204))
        }
        "create" | "update" | "upsert" => write(rows, call, action, inputs),
        _ => Err(Trouble::not_found(&format!("There is no batch action {action}."))),
    }
}

fn write(rows: &mut Rows, call: Call, action: &str, inputs: &[Value]) -> Result<Reply, Trouble> {
    if action != "create" {
        unrepeated(inputs)?;
    }
    let trace = |input: &Value| input["objectWriteTraceId"].as_str().map(str::to_owned);
    let traces: HashSet<String> = inputs.iter().filter_map(trace).collect();
    // Upserts by e-mail address do not know partial success.
    let by_email = action == "upsert" && inputs.iter().any(|input| input["idProperty"] == "email");
    let partial = traces.len() == inputs.len() && !by_email;
    rows.table_mut(call.kind)?.begin();
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for input in inputs {
        let trace = trace(input).unwrap_or_default();
        match one(rows, call, action, input) {
            Ok(mut result) => {
                if !trace.is_empty() {
                    result["objectWriteTraceId"] = json!(trace);
                }
                results.push(result);
            }
            Err(trouble) if partial => errors.push(trouble.in_batch(&trace)),
            Err(trouble) => {
                rows.table_mut(call.kind)?.end(false);
                return Err(trouble);
            }
        }
    }
    rows.table_mut(call.kind)?.end(true);
    // The order of results says nothing; a caller that relies on it is to notice.
    results.reverse();
    let success = if action == "create" { 201 } else { 200 };
    Ok(answer(call, success, results, errors))
}

fn one(rows: &mut Rows, call: Call, action: &str, input: &Value) -> Result<Value, Trouble> {
    let (kind, now_ms) = (call.kind, call.now_ms);
    let empty = Map::new();
    let properties = input["properties"].as_object().unwrap_or(&empty);
    let by = input["idProperty"].as_str();
    let key = input["id"].as_str().unwrap_or_default();
    let (id, new) = match action {
        "create" => {
            has_associations(call.needs_associations, input)?;
            (rows.create(kind, properties, &input["associations"], now_ms)?, None)
        }
        "update" => {
            let id = rows.find(kind, key, by)?;
            rows.update(kind, id, properties, now_ms)?;
            (id, None)
        }
        _ => match (rows.find(kind, key, by), by) {
            (Ok(id), _) => {
                rows.update(kind, id, properties, now_ms)?;
                (id, Some(false))
            }
            (Err(trouble), Some(by)) if trouble.status == 404 => {
                let mut properties = properties.clone();
                properties.insert(by.to_owned(), json!(key));
                (rows.create(kind, &properties, &Value::Null, now_ms)?, Some(true))
            }
            (Err(trouble), _) => return Err(trouble),
        },
    };
    let record = rows.table(kind)?.live(id).ok_or_else(|| Trouble::not_found(""))?;
    let mut shown = record.show(kind, None);
    if let Some(new) = new {
        shown["new"] = json!(new);
    }
    Ok(shown)
}

fn read(rows: &Rows, call: Call, body: &Value, inputs: &[Value]) -> Result<Reply, Trouble> {
    let by = body["idProperty"].as_str();
    let wanted = body["properties"].as_array();
    let wanted: Vec<String> = wanted
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let (mut results, mut missing) = (Vec::new(), Vec::new());
    for key in inputs.iter().map(|input| input["id"].as_str().unwrap_or_default()) {
        match rows.find(call.kind, key, by) {
            Ok(id) => {
                let record = rows.table(call.kind)?.live(id);
                results.extend(record.map(|record| record.show(call.kind, Some(&wanted))));
            }
            Err(trouble) if trouble.status == 404 => missing.push(key),
            Err(trouble) => return Err(trouble),
        }
    }
    results.reverse();
    let mut errors = Vec::new();
    if !missing.is_empty() {
        let name = call.kind.singular.to_ascii_uppercase();
        let message =
            format!("Could not get some {name} objects, they may be deleted or not exist. Check that ids are valid.");
        errors.push(json!({
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "message": message,
            "context": {"ids": missing},
            "errors": [],
            "links": {},
        }));
    }
    Ok(answer(call, 200, results, errors))
}

fn answer(call: Call, success: u16, results: Vec<Value>, errors: Vec<Value>) -> Reply {
    let at = values::moment(call.now_ms);
    let mut body = json!({"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at});
    if errors.is_empty() {
        return Reply::json(success, &body);
    }
    body["numErrors"] = json!(errors.len());
    body["errors"] = Value::Array(errors);
    Reply::json(if call.partial_as_success { success } else { 207 }, &body)
}

/// The same object twice in one batch is refused as a whole.
fn unrepeated(inputs: &[Value]) -> Result<(), Trouble> {
    let mut counts: HashMap<String, u64> = HashMap::new();
    for key in inputs.iter().filter_map(|input| input["id"].as_str()) {
        *counts.entry(key.trim().to_lowercase()).or_default() += 1;
    }
    let mut twice: Vec<String> = counts
        .into_iter()
        .filter(|(_, count)| *count > 1)
        .map(|(key, _)| key)
        .collect();
    twice.sort();
    if twice.is_empty() {
        return Ok(());
    }
    let message = format!(
        "Duplicate IDs found in batch input: [{}]. IDs must be unique",
        twice.join(", ")
    );
    Err(Trouble::invalid(message))
}

/// The schema lists `associations` as required for every new object; an empty list will do.
///
/// # Errors
/// 400 when they are demanded and not there.
pub fn has_associations(demanded: bool, body: &Value) -> Result<(), Trouble> {
    let good = body["associations"].is_array() || (!demanded && body["associations"].is_null());
    let message = "Invalid input JSON on line 1, column 2: Some required fields were not set: [associations]";
    good.then_some(()).ok_or_else(|| Trouble::invalid(message))
}
