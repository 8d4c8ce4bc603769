//! `lists`: named lists of values for the filter `lookup`: an object by name, each list as values by key or as `{title, values}`; or a list of
//! `{key, title, values}`.

use serde_json::{Value, json};
use switchboard_model::problem::Code;

use super::reader::Part;

/// Reads every list.
pub(super) fn read_all<'r, 'd>(part: &Part<'r, 'd>) -> Vec<(Part<'r, 'd>, String, Value)> {
    let named: Vec<(String, Part<'r, 'd>)> = match part.value() {
        Value::Object(_) => {
            let members = part.members().unwrap_or_default().into_iter();
            members.map(|(name, entry)| (name.to_owned(), entry)).collect()
        }
        _ => {
            let items = part.items().unwrap_or_default().into_iter();
            items
                .filter_map(|entry| Some((entry.need("key", "\"channels\"")?.text()?.to_owned(), entry)))
                .collect()
        }
    };
    let each = named.into_iter();
    each.filter_map(|(name, entry)| {
        let spec = read(&entry)?;
        Some((entry, name, spec))
    })
    .collect()
}

fn read(entry: &Part<'_, '_>) -> Option<Value> {
    let members = entry.object()?;
    // The long form has its values in an object of their own.
    let Some(values) = entry.member("values").filter(|values| values.value().is_object()) else {
        check(entry);
        return Some(json!({ "values": members }));
    };
    entry.only(&["key", "title", "values"]);
    check(&values);
    let title = entry.member("title").and_then(|title| title.text());
    Some(match title {
        Some(title) => json!({ "title": title, "values": values.value() }),
        None => json!({ "values": values.value() }),
    })
}

fn check(values: &Part<'_, '_>) {
    for (key, value) in values.members().unwrap_or_default() {
        if value.value().is_array() || value.value().is_object() || value.value().is_null() {
            value.report(
                Code::WrongValue,
                format!("The value of `{key}` must be a text, a number, `true` or `false`"),
                "Write such a value.",
            );
        }
    }
}

/// The list as a file has it: short where it has no title.
pub(super) fn write(spec: &Value) -> Value {
    match spec.get("title") {
        Some(_) => spec.clone(),
        None => spec.get("values").cloned().unwrap_or_default(),
    }
}
