//! Up to 200 records in one call (fact sheet §6): 200 even when rows failed, results in the order of the rows.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::rows::{Rows, Upserted, external_field};
use super::schema::{Object, Schema};
use super::trouble::Trouble;

/// The most records of one call.
const MOST: usize = 200;

/// What the rows are for.
#[derive(Debug, Clone, Copy)]
pub enum Work<'a> {
    /// Making records of the types that the rows name.
    Create,
    /// Changing the records that the rows name.
    Update,
    /// Making or changing records of one object by the values of a field.
    Upsert(&'a Object, &'a str),
}

/// A row that went well: the id, and whether an upsert made it.
type Done = (String, Option<bool>);

/// Carries out a call with rows in its body.
///
/// # Errors
/// When the call as a whole is refused; rows fail on their own.
pub fn write(rows: &mut Rows<'_>, work: Work<'_>, body: &Map<String, Value>) -> Result<Value, Trouble> {
    let records: Vec<&Map<String, Value>> = match body.get("records") {
        Some(Value::Array(records)) => records.iter().filter_map(Value::as_object).collect(),
        _ => {
            return Err(Trouble::new(
                400,
                "JSON_PARSER_ERROR",
                "The body has no array of records",
            ));
        }
    };
    most(records.len())?;
    let all_or_none = body.get("allOrNone").and_then(Value::as_bool).unwrap_or(false);
    let twice = match work {
        Work::Upsert(object, field) => {
            external_field(object, field)?;
            repeated(&records, field)
        }
        _ => HashMap::new(),
    };
    let schema = rows.schema;
    run(rows, all_or_none, &records, |rows, record| match work {
        Work::Create => {
            let object = typed(schema, record)?;
            Ok((rows.create(object, record)?, None))
        }
        Work::Update => {
            let object = typed(schema, record)?;
            let (id, rest) = without(record, "Id");
            let id =
                id.ok_or_else(|| Trouble::row("MISSING_ARGUMENT", "Id not specified in an update call", [""; 0]))?;
            Ok((rows.update(object, &id, &rest)?, None))
        }
        Work::Upsert(object, field) => upsert(rows, object, field, record, &twice),
    })
}

/// `DELETE …?ids=a,b&allOrNone=`.
///
/// # Errors
/// When the call as a whole is refused; rows fail on their own.
pub fn delete(rows: &mut Rows<'_>, ids: &[String], all_or_none: bool) -> Result<Value, Trouble> {
    most(ids.len())?;
    let schema = rows.schema;
    run(rows, all_or_none, ids, |rows, id| {
        let malformed = || Trouble::row("MALFORMED_ID", format!("malformed id {id}"), [""; 0]);
        let object = schema.of_id(id).ok_or_else(malformed)?;
        Ok((rows.delete(object, id)?, None))
    })
}

fn run<T>(
    rows: &mut Rows<'_>,
    all_or_none: bool,
    inputs: &[T],
    mut one: impl FnMut(&mut Rows<'_>, &T) -> Result<Done, Trouble>,
) -> Result<Value, Trouble> {
    if all_or_none {
        rows.store.begin();
    }
    let mut done: Vec<Result<Done, Trouble>> = inputs.iter().map(|input| one(rows, input)).collect();
    if all_or_none {
        let good = done.iter().all(Result::is_ok);
        rows.store.end(good);
        if !good {
            let message =
                "Record rolled back because not all records were valid and the request was using AllOrNone header";
            let back = || Trouble::row("ALL_OR_NONE_OPERATION_ROLLED_BACK", message, [""; 0]);
            for result in done.iter_mut().filter(|result| result.is_ok()) {
                *result = Err(back());
            }
        }
    }
    Ok(done.iter().map(result).collect())
}

fn result(done: &Result<Done, Trouble>) -> Value {
    match done {
        Ok((id, None)) => json!({"id": id, "success": true, "errors": []}),
        Ok((id, Some(created))) => json!({"id": id, "success": true, "errors": [], "created": created}),
        Err(trouble) => json!({"success": false, "errors": [trouble.in_row()]}),
    }
}

fn upsert(
    rows: &mut Rows<'_>,
    object: &Object,
    field: &str,
    record: &Map<String, Value>,
    twice: &HashMap<String, usize>,
) -> Result<Done, Trouble> {
    let (key, rest) = without(record, field);
    let Some(key) = key.filter(|key| !key.is_empty()) else {
        return Err(Trouble::row(
            "MISSING_ARGUMENT",
            format!("{field} not specified"),
            [""; 0],
        ));
    };
    if twice.get(&key.to_lowercase()).is_some_and(|count| *count > 1) {
        return Err(Trouble::row(
            "DUPLICATE_VALUE",
            format!("Duplicate external id specified: {key}"),
            [field],
        ));
    }
    if rest.keys().any(|name| name.eq_ignore_ascii_case("id")) {
        let message = "The Id field should not be specified in the sobject data.";
        return Err(Trouble::row("INVALID_FIELD", message, ["Id"]));
    }
    match rows.upsert(object, (field, &key), &rest, false)? {
        Upserted::Created(id) => Ok((id, Some(true))),
        Upserted::Updated(id) => Ok((id, Some(false))),
        Upserted::Several(ids) => {
            let message = format!("{field}: more than one record found for external id field: {ids:?}");
            Err(Trouble::row("DUPLICATE_EXTERNAL_ID", message, [field]))
        }
    }
}

fn most(count: usize) -> Result<(), Trouble> {
    let message = format!("record limit reached. cannot submit more than {MOST} records into this call");
    (count <= MOST)
        .then_some(())
        .ok_or_else(|| Trouble::new(400, "EXCEEDED_ID_LIMIT", message))
}

/// The object that a row names in its attributes.
fn typed<'a>(schema: &'a Schema, record: &Map<String, Value>) -> Result<&'a Object, Trouble> {
    let name = record
        .get("attributes")
        .and_then(|attributes| attributes.get("type"))
        .and_then(Value::as_str);
    let object = name.and_then(|name| schema.object(name));
    object.ok_or_else(|| {
        let message = format!("sObject type '{}' is not supported.", name.unwrap_or_default());
        Trouble::row("INVALID_TYPE", message, [""; 0])
    })
}

/// How often each value of the field stands in the rows, in lower case.
fn repeated(records: &[&Map<String, Value>], field: &str) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for key in records.iter().filter_map(|record| without(record, field).0) {
        *counts.entry(key.to_lowercase()).or_default() += 1;
    }
    counts
}

/// A text field of a row by its name in any case, and the row without it.
fn without(record: &Map<String, Value>, name: &str) -> (Option<String>, Map<String, Value>) {
    let mut rest = record.clone();
    let found = record.keys().find(|key| key.eq_ignore_ascii_case(name));
    let value = found.and_then(|key| rest.shift_remove(key));
    (
        value
            .as_ref()
            .and_then(Value::as_str)
            .map(|text| text.trim().to_owned()),
        rest,
    )
}
