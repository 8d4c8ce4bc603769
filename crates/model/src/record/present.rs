//! How a record looks to the outside: the same in answers of the API, in events and in files.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{field::FieldKind, object::ObjectType};
use crate::id::RecordId;

/// The values of a record in the order of its object's fields. A field that refers to another record shows its title, and beside it, with
/// `Id` at its end, its id.
pub fn present(
    object: &ObjectType,
    data: &Map<String, Value>,
    titles: &HashMap<RecordId, String>,
) -> Map<String, Value> {
    let mut shown = Map::new();
    for field in object.fields.values() {
        let Some(value) = data.get(&field.name).filter(|value| !value.is_null()) else {
            continue;
        };
        if let FieldKind::Lookup(_) = field.kind {
            let id = value.as_str().and_then(|id| id.parse().ok());
            if let Some(title) = id.and_then(|id: RecordId| titles.get(&id)) {
                shown.insert(field.name.clone(), json!(title));
            }
            shown.insert(format!("{}Id", field.name), value.clone());
        } else {
            shown.insert(field.name.clone(), value.clone());
        }
    }
    shown
}

/// What a person calls the record: the values of the fields that title it; empty when it has none of them.
pub fn title(object: &ObjectType, data: &Map<String, Value>) -> String {
    let parts = object.titled_by.iter().filter_map(|name| data.get(name));
    let parts: Vec<String> = parts
        .filter_map(|value| match value {
            Value::String(text) => Some(text.trim().to_owned()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
        .filter(|text| !text.is_empty())
        .collect();
    if parts.is_empty() {
        let other = ["email", "phone", "name", "title"]
            .iter()
            .find_map(|name| data.get(*name)?.as_str());
        return other.unwrap_or_default().to_owned();
    }
    parts.join(" ")
}
