//! `a=1&b=2`

use serde_json::{Map, Value};

/// Forms have no more fields than this; what comes after them is left out.
pub(super) const MOST_FIELDS: usize = 10_000;

/// Fields that stand several times become lists.
pub(super) fn read(text: &str) -> Value {
    let mut form = Map::new();
    for (name, value) in url::form_urlencoded::parse(text.trim_end().as_bytes()).take(MOST_FIELDS) {
        add(&mut form, &name, Value::String(value.into_owned()));
    }
    Value::Object(form)
}

/// Adds a value under a name; several under one name become a list.
pub(in crate::source) fn add(form: &mut Map<String, Value>, name: &str, value: Value) {
    match form.get_mut(name) {
        None => {
            form.insert(name.to_owned(), value);
        }
        Some(Value::Array(values)) => values.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
    }
}
