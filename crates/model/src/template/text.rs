//! Values as text.

use std::borrow::Cow;

use serde_json::Value;

/// The text of a value: text as it is, numbers and truth values as JSON writes them, nothing for `null`, the items of a
/// list one after the other (as Liquid does), an object as JSON.
pub(super) fn to_text(value: &Value) -> String {
    let mut out = String::new();
    push(&mut out, value);
    out
}

/// The same, borrowed when it is text already.
pub(super) fn as_text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(to_text(other)),
    }
}

/// Appends the text of a value.
pub(super) fn push(out: &mut String, value: &Value) {
    match value {
        Value::Null => {}
        Value::String(text) => out.push_str(text),
        Value::Array(items) => items.iter().for_each(|item| push(out, item)),
        other => out.push_str(&other.to_string()),
    }
}
