//! JSON as CEL values.

use std::collections::HashMap;

use cel::objects::{Key, Map};
use serde_json::Value;

use crate::template::Scope;

/// A whole number becomes an `int`, any other number a `double`.
pub(super) fn from_json(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(flag) => cel::Value::Bool(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => cel::Value::Int(whole),
            None => cel::Value::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => cel::Value::from(text.as_str()),
        Value::Array(items) => cel::Value::from(items.iter().map(from_json).collect::<Vec<_>>()),
        Value::Object(map) => object(map.iter()),
    }
}

/// The data of the event as a whole, for conditions that name `event`.
pub(super) fn from_layers(scope: &Scope<'_>) -> cel::Value {
    object(scope.members())
}

fn object<'v>(members: impl Iterator<Item = (&'v String, &'v Value)>) -> cel::Value {
    let mut map: HashMap<Key, cel::Value> = HashMap::new();
    for (name, value) in members {
        map.entry(Key::from(name.as_str())).or_insert_with(|| from_json(value));
    }
    cel::Value::Map(Map::from(map))
}
