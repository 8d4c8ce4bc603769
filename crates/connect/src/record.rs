//! Places inside a mapped record, as manifests name them: a member, or a JSON pointer.

use std::borrow::Cow;

use serde_json::Value;

fn pointer(place: &str) -> Cow<'_, str> {
    match place.starts_with('/') {
        true => Cow::Borrowed(place),
        false => Cow::Owned(crate::compile::child("", place)),
    }
}

/// The value at a place.
pub(crate) fn member<'r>(record: &'r Value, place: &str) -> Option<&'r Value> {
    record.pointer(&pointer(place))
}

/// Puts a value in the place of the one that is there; puts it there when only the last step of the place is missing.
pub(crate) fn replace(record: &mut Value, place: &str, value: Value) {
    let pointer = pointer(place);
    if let Some(there) = record.pointer_mut(&pointer) {
        *there = value;
        return;
    }
    let Some((parent, name)) = pointer.rsplit_once('/') else {
        return;
    };
    if let Some(Value::Object(members)) = record.pointer_mut(parent) {
        members.insert(unescaped(name), value);
    }
}

/// Takes a value away, and the objects that hold nothing else.
pub(crate) fn remove(record: &mut Value, place: &str) {
    let pointer = pointer(place);
    let Some((parent, name)) = pointer.rsplit_once('/') else {
        return;
    };
    let Some(Value::Object(members)) = record.pointer_mut(parent) else {
        return;
    };
    members.remove(&unescaped(name));
    if members.is_empty() && !parent.is_empty() {
        remove(record, parent);
    }
}

fn unescaped(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

/// The place that a JSON pointer names, with the objects on the way to it; `null` when there was nothing. `None`: something else is in
/// the way.
pub(crate) fn place_for<'v>(value: &'v mut Value, pointer: &str) -> Option<&'v mut Value> {
    let mut place = value;
    for step in pointer.split('/').skip(1) {
        if place.is_null() {
            *place = Value::Object(serde_json::Map::new());
        }
        place = match place {
            Value::Object(members) => members.entry(unescaped(step)).or_insert(Value::Null),
            Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(place)
}
