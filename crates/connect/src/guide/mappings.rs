//! `mappings`: which object of a connector is made how.

use indexmap::{IndexMap, map::Entry};
use serde_json::Value;
use switchboard_model::{
    mapping::Mapping,
    problem::{Code, Problem},
    template::{Template, TemplateError},
};

use super::reader::Part;
use crate::connector::Connector;

/// Reads mappings of Switchboard's own form, by the connector's names of their objects. Objects that the connector does not
/// have, objects that are mapped twice and templates that cannot be read are reported.
pub(super) fn read(part: &Part<'_, '_>, connector: &Connector) -> IndexMap<String, Value> {
    let mut mappings = IndexMap::new();
    for (name, mapping) in part.members().unwrap_or_default() {
        let object = match connector.known_object(name) {
            Ok(object) => &object.name,
            Err(problem) => {
                mapping.adopt_at_key(problem);
                continue;
            }
        };
        match mappings.entry(object.clone()) {
            Entry::Vacant(free) => {
                free.insert(mapping.value().clone());
            }
            Entry::Occupied(_) => {
                let detail = format!("`{name}` and another mapping are both for `{object}`");
                mapping.report_key(Code::WrongValue, detail, "Keep one of the two.");
            }
        }
    }
    check_templates(part);
    mappings
}

/// Checks that each mapping is an object whose templates can be read. Says nothing about mappings that are no object
/// themselves.
pub(super) fn check_templates(part: &Part<'_, '_>) {
    if !part.value().is_object() {
        return;
    }
    for (_, mapping) in part.members().unwrap_or_default() {
        if mapping.object().is_some() {
            check_tree(&mapping);
        }
    }
}

fn check_tree(mapping: &Part<'_, '_>) {
    for error in Mapping::compile(mapping.value()).err().into_iter().flatten() {
        // Parsing the text alone tells where inside of it the mistake is.
        let text = mapping.value().pointer(&error.pointer).and_then(Value::as_str);
        let (offset, detail) = match text.and_then(|text| Template::parse(text).err()) {
            Some(mistake) => (mistake.offset, explain(&mistake)),
            None => (0, error.to_string()),
        };
        let next = "Correct the template; the filters are listed in the configuration reference.";
        let problem = Problem::new(Code::TemplateSyntax, detail, next);
        mapping.report_inside(&error.pointer, offset, problem);
    }
}

/// Without the line and column that the mistake has within its text: the problem has those of the file.
fn explain(mistake: &TemplateError) -> String {
    match &mistake.hint {
        Some(hint) => format!("{} ({hint})", mistake.message),
        None => mistake.message.clone(),
    }
}
