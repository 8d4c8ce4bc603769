//! `objects` and `tables`: definitions of the user's own tables, and what is added to standard objects. The form is that of
//! [`switchboard_model::record::define`], with the name as `key` beside it, or as the key of an object of definitions.

use serde_json::{Map, Value, json};
use switchboard_model::record::define;

use super::reader::Part;

/// Reads every definition of a list, or of an object by name.
pub(super) fn read_all<'r, 'd>(part: &Part<'r, 'd>) -> Vec<(Part<'r, 'd>, String, Value)> {
    let named: Vec<(String, Part<'r, 'd>)> = match part.value() {
        Value::Object(_) => {
            let members = part.members().unwrap_or_default().into_iter();
            members.map(|(name, entry)| (name.to_owned(), entry)).collect()
        }
        _ => {
            let items = part.items().unwrap_or_default().into_iter();
            items.filter_map(|entry| Some((name_of(&entry)?, entry))).collect()
        }
    };
    let each = named.into_iter();
    each.filter_map(|(name, entry)| {
        let spec = read(&entry, &name)?;
        Some((entry, name, spec))
    })
    .collect()
}

/// `key`, or `name` where there is none.
fn name_of(entry: &Part<'_, '_>) -> Option<String> {
    entry.object()?;
    let key = match entry.member("key").or_else(|| entry.member("name")) {
        Some(key) => key,
        None => entry.need("key", "\"customers\"")?,
    };
    key.text().map(str::to_owned)
}

fn read(entry: &Part<'_, '_>, name: &str) -> Option<Value> {
    let mut spec = entry.object()?.clone();
    if let Err(problems) = define(name, entry.value()) {
        problems.into_iter().for_each(|problem| entry.adopt(problem));
        return None;
    }
    spec.shift_remove("key");
    spec.shift_remove("name");
    Some(Value::Object(spec))
}

/// The definition as a file has it.
pub(super) fn write(name: &str, spec: &Value) -> Value {
    let mut written = Map::from_iter([("key".to_owned(), json!(name))]);
    for (key, value) in spec.as_object().into_iter().flatten() {
        written.insert(key.clone(), value.clone());
    }
    Value::Object(written)
}
