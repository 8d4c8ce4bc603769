//! `rules`: when an event comes to a connection, and which objects are made of it.
//!
//! The users' guides show both lists empty, so their forms are ours. A condition is `{field, operator, value}` or a CEL
//! text; all of them must hold. An action names an object to make: `"create_lead"`, `{"type": "create", "object": "lead"}`
//! or `{"action": "create_lead"}`. Creating is the only verb: whether a record is changed instead follows from what the
//! system holds already.

use indexmap::IndexMap;
use serde_json::Value;
use switchboard_model::{condition::Condition, problem::Code};

use super::{
    cel,
    reader::{Part, question},
};
use crate::connector::Connector;

const CREATE: &str = "create";

/// What `rules` says.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// CEL; `None` is always.
    pub(super) condition: Option<String>,
    /// The connector's names of the objects to make; empty is each that has a mapping.
    pub(super) objects: Vec<String>,
}

/// The mappings of a connection by the connector's names of their objects.
pub(super) type Mappings = IndexMap<String, Value>;

/// Reads `{conditions, actions}`. `mapped` are the connection's own mappings, `None` when they are wrong.
pub(super) fn read(part: &Part<'_, '_>, connector: &Connector, mapped: Option<&Mappings>) -> Rules {
    if part.object().is_none() {
        return Rules::default();
    }
    part.only(&["conditions", "actions"]);
    let condition = part
        .member("conditions")
        .and_then(|conditions| read_conditions(&conditions));
    let actions = part
        .member("actions")
        .map(|actions| one_or_many(&actions))
        .unwrap_or_default();
    let mut objects = Vec::new();
    for object in actions.iter().flat_map(|action| read_action(action, connector, mapped)) {
        if !objects.contains(&object) {
            objects.push(object);
        }
    }
    Rules { condition, objects }
}

/// A list, or its only item written alone.
fn one_or_many<'r, 'd>(part: &Part<'r, 'd>) -> Vec<Part<'r, 'd>> {
    match part.value() {
        Value::Array(_) => part.items().unwrap_or_default(),
        _ => vec![part.clone()],
    }
}

fn read_conditions(part: &Part<'_, '_>) -> Option<String> {
    let mut sources: Vec<String> = one_or_many(part).iter().filter_map(read_condition).collect();
    if sources.len() < 2 {
        return sources.pop();
    }
    // Each one alone is within the limits; all together may not be.
    let joined = sources
        .iter()
        .map(|source| bracketed(source))
        .collect::<Vec<_>>()
        .join(" && ");
    match Condition::parse(&joined) {
        Ok(_) => Some(joined),
        Err(error) => {
            part.report_inside("", 0, cel::problem(&error.to_string()));
            None
        }
    }
}

/// A comment at the end would hide the closing bracket.
fn bracketed(source: &str) -> String {
    if source.contains("//") {
        format!("({source}\n)")
    } else {
        format!("({source})")
    }
}

/// Reads one condition, in CEL or as the guides write it, and says it in CEL.
fn read_condition(part: &Part<'_, '_>) -> Option<String> {
    match part.value() {
        Value::String(_) => cel::read(part),
        Value::Object(_) => match Condition::from_guide(part.value()) {
            Ok(condition) => Some(condition.source().to_owned()),
            Err(error) => {
                part.report_inside("", 0, cel::problem(&error.to_string()));
                None
            }
        },
        _ => {
            part.report_form("a condition: {\"field\": …, \"operator\": …, \"value\": …} or a CEL text");
            None
        }
    }
}

/// The objects that an action makes.
fn read_action(part: &Part<'_, '_>, connector: &Connector, mapped: Option<&Mappings>) -> Vec<String> {
    let named = match part.value() {
        Value::String(_) => from_verb(part).into_iter().collect(),
        Value::Object(_) => from_object(part),
        _ => {
            part.report_form("an action such as \"create_lead\" or {\"type\": \"create\", \"object\": \"lead\"}");
            Vec::new()
        }
    };
    named
        .iter()
        .filter_map(|(place, name)| known_object(place, name, connector, mapped))
        .collect()
}

type Named<'r, 'd> = (Part<'r, 'd>, String);

/// `create_lead`
fn from_verb<'r, 'd>(part: &Part<'r, 'd>) -> Option<Named<'r, 'd>> {
    let text = part.text()?;
    match text.split_once('_') {
        Some((CREATE, object)) if !object.is_empty() => Some((part.clone(), object.to_owned())),
        _ => {
            report_verb(part, text);
            None
        }
    }
}

/// `{"type": "create", "object": "lead"}`, with `action` for `type` and `objects` for several.
fn from_object<'r, 'd>(part: &Part<'r, 'd>) -> Vec<Named<'r, 'd>> {
    part.only(&["type", "action", "object", "objects"]);
    let Some(verb) = part.member("action").or_else(|| part.need("type", "\"create\"")) else {
        return Vec::new();
    };
    let Some(text) = verb.text() else { return Vec::new() };
    if text != CREATE {
        return from_verb(&verb).into_iter().collect();
    }
    let one = part.member("object").into_iter().collect();
    let objects = part
        .member("objects")
        .map_or(one, |many| many.items().unwrap_or_default());
    if objects.is_empty() {
        part.report(
            Code::WrongValue,
            "The action does not say what to create",
            "Add \"object\": \"…\".",
        );
    }
    objects
        .into_iter()
        .filter_map(|object| object.text().map(|name| (object.clone(), name.to_owned())))
        .collect()
}

fn report_verb(part: &Part<'_, '_>, text: &str) {
    let detail = format!("`{text}` is no known action{}", question(text, [CREATE]));
    part.report(
        Code::WrongValue,
        detail,
        "Use create_ and the name of an object; there are no other actions.",
    );
}

/// The connector's own name of an object that is to be made.
fn known_object(part: &Part<'_, '_>, name: &str, connector: &Connector, mapped: Option<&Mappings>) -> Option<String> {
    let object = match connector.known_object(name) {
        Ok(object) => &object.name,
        Err(problem) => {
            part.adopt(problem);
            return None;
        }
    };
    if mapped.is_some_and(|mapped| !mapped.is_empty() && !mapped.contains_key(object)) {
        let detail = format!("`{name}` is to be created, but `mappings` does not say how");
        part.report(
            Code::WrongValue,
            detail,
            format!("Add \"{name}\" to `mappings`, or remove the action."),
        );
        return None;
    }
    Some(object.clone())
}
