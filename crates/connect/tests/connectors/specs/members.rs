//! Members of a body that no schema of it names: OpenAPI allows them unless it says otherwise, vendors ignore or refuse them.

use serde_json::Value;

use super::description::Fault;

/// What a schema is in the end, when it refers to another one.
pub fn target<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    let mut schema = schema;
    for _ in 0..16 {
        match schema["$ref"].as_str() {
            Some(reference) => schema = root.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null),
            None => break,
        }
    }
    schema
}

/// Adds members of `value` that none of the schemas names.
pub fn unknown(root: &Value, schemas: &[&Value], value: &Value, place: &str, faults: &mut Vec<Fault>) {
    let mut all = Vec::new();
    schemas.iter().for_each(|schema| flatten(root, schema, 0, &mut all));
    match value {
        Value::Array(items) => {
            let each: Vec<_> = all
                .iter()
                .map(|schema| &schema["items"])
                .filter(|items| items.is_object())
                .collect();
            for (at, item) in items.iter().enumerate() {
                unknown(root, &each, item, &format!("{place}/{at}"), faults);
            }
        }
        Value::Object(members) => {
            let is_open = |schema: &&&Value| {
                let further = &schema["additionalProperties"];
                further.is_object() || further == &Value::Bool(true) || schema["patternProperties"].is_object()
            };
            let is_described = all.iter().any(|schema| schema["properties"].is_object());
            let is_open = !is_described || all.iter().any(|schema| is_open(&schema));
            for (name, member) in members {
                let place = format!("{place}/{name}");
                let of_name = all.iter().map(|schema| &schema["properties"][name.as_str()]);
                let of_name: Vec<_> = of_name.filter(|schema| !schema.is_null()).collect();
                if of_name.is_empty() && !is_open {
                    faults.push(Fault::new(&place, "no such member is described"));
                }
                unknown(root, &of_name, member, &place, faults);
            }
        }
        _ => {}
    }
}

/// The schema and all that it is made of.
fn flatten<'s>(root: &'s Value, schema: &'s Value, depth: u8, all: &mut Vec<&'s Value>) {
    let schema = target(root, schema);
    all.push(schema);
    if depth < 8 {
        let parts = ["allOf", "anyOf", "oneOf"]
            .iter()
            .filter_map(|of| schema[*of].as_array());
        parts.flatten().for_each(|part| flatten(root, part, depth + 1, all));
    }
}

/// The type of a value in the words of JSON Schema.
pub fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// A scalar as a query parameter shows it.
pub fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
