//! Checks what somebody says about a record, field by field.

use serde_json::{Map, Value, json};

use super::{
    field::{Field, FieldKind},
    object::{EXTERNAL_IDS, MESSENGER_IDS, ObjectType},
    value::{Read, read},
};
use crate::{
    name,
    nearest::nearest,
    problem::{Code, Problem},
};

/// What is known to fit.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Checked {
    /// Values in the form in which they are kept; `null` empties a field.
    pub data: Map<String, Value>,
    /// Fields whose record is named and has to be found or made.
    pub lookups: Vec<Lookup>,
}

/// A field whose record is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// The field.
    pub field: String,
    /// Of which object the record is.
    pub object: String,
    /// Its name.
    pub name: String,
}

/// Checks `values` and brings them into the form in which they are kept. `system` is the name under which an `externalId` is kept. Whether
/// everything is there that a new record needs is for whoever knows whether it is new.
///
/// # Errors
/// A problem for each value that does not fit, its place a JSON pointer.
pub fn check(object: &ObjectType, values: &Map<String, Value>, system: &str) -> Result<Checked, Vec<Problem>> {
    let mut checked = Checked::default();
    let mut problems = Vec::new();
    for (name, value) in values {
        if let Some(unfolded) = unfold(object, name, value, system) {
            for (name, value) in unfolded {
                one(object, &name, &value, &mut checked, &mut problems);
            }
        } else {
            one(object, name, value, &mut checked, &mut problems);
        }
    }
    if problems.is_empty() {
        Ok(checked)
    } else {
        Err(problems)
    }
}

fn one(object: &ObjectType, name: &str, value: &Value, checked: &mut Checked, problems: &mut Vec<Problem>) {
    let Some(field) = object.field(name) else {
        problems.push(unknown(object, name));
        return;
    };
    let empty = value.is_null() || (value.as_str() == Some("") && !matches!(field.kind, FieldKind::Text));
    if empty {
        checked.data.insert(field.name.clone(), Value::Null);
        return;
    }
    match read(object, field, value) {
        Ok(Read::Kept(kept)) => keep(field, kept, checked),
        Ok(Read::Named(name)) => {
            if let FieldKind::Lookup(of) = &field.kind {
                checked.lookups.push(Lookup {
                    field: field.name.clone(),
                    object: of.clone(),
                    name,
                });
            }
        }
        Err(why) => problems.push(
            Problem::new(
                Code::WrongShape,
                format!("`{name}` {why}"),
                "Correct the value, or leave the field out.",
            )
            .at(pointer(name)),
        ),
    }
}

/// Ids by system add up.
fn keep(field: &Field, kept: Value, checked: &mut Checked) {
    if let (FieldKind::Ids, Some(Value::Object(known)), Value::Object(more)) =
        (&field.kind, checked.data.get_mut(&field.name), &kept)
    {
        known.extend(more.clone());
        return;
    }
    checked.data.insert(field.name.clone(), kept);
}

/// What stands for several fields at once: an id with the system that it comes from, a full name, an address with what goes with it.
fn unfold(object: &ObjectType, name: &str, value: &Value, system: &str) -> Option<Vec<(String, Value)>> {
    if object.fields.contains_key(name) {
        return None;
    }
    let named = |name: &str, value: Value| vec![(name.to_owned(), value)];
    let id = |field: &str, system: &str| named(field, json!({ system: value }));
    match name {
        "externalId" if object.fields.contains_key(EXTERNAL_IDS) => Some(id(EXTERNAL_IDS, system)),
        "messengerId" if object.fields.contains_key(MESSENGER_IDS) => Some(id(MESSENGER_IDS, system)),
        "name" if object.fields.contains_key("firstName") => Some(match value {
            Value::Object(parts) => parts
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            Value::String(full) => {
                let (first, last) = name::split(full);
                vec![
                    ("firstName".to_owned(), json!(first)),
                    ("lastName".to_owned(), json!(last)),
                ]
            }
            other => named("firstName", other.clone()),
        }),
        "emails" => Some(named(
            "email",
            value
                .get("primaryEmail")
                .or_else(|| value.get(0))
                .cloned()
                .unwrap_or_default(),
        )),
        "phones" => {
            let part = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
            let number = match part("primaryPhoneNumber") {
                "" => value.get(0).cloned().unwrap_or_default(),
                number => json!(format!("{}{number}", part("primaryPhoneCallingCode"))),
            };
            Some(named("phone", number))
        }
        _ => None,
    }
}

fn unknown(object: &ObjectType, name: &str) -> Problem {
    let hint = nearest(name, object.names());
    let hint = hint.map(|hint| format!("; did you mean `{hint}`?")).unwrap_or_default();
    let shown: String = name.chars().take(80).collect();
    let known: Vec<&str> = object.fields.keys().map(String::as_str).collect();
    Problem::new(
        Code::WrongShape,
        format!("`{shown}` is no field of {}{hint}", object.name),
        format!(
            "There are {}. Further ones can be added to the object's definition.",
            known.join(", ")
        ),
    )
    .at(pointer(&shown))
}

fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}
