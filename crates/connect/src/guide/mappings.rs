//! `mappings`: which object of a connector is made how.

use std::collections::HashSet;

use indexmap::IndexMap;
use serde_json::Value;
use switchboard_model::{
    mapping::Mapping,
    problem::{Code, Problem},
    template::{Template, TemplateError},
};

use super::{reader::Part, rules::find_object};
use crate::connector::Connector;

/// Checks mappings: the connector has their objects, each once, and their templates can be read. Gives the connector's
/// names of the objects.
pub(super) fn check<'c>(part: &Part<'_, '_>, connector: &'c Connector) -> HashSet<&'c str> {
    let mut objects = HashSet::new();
    for (name, mapping) in part.members().unwrap_or_default() {
        check_templates(&mapping);
        if let Some(object) = find_object(&mapping, name, connector)
            && !objects.insert(object)
        {
            let detail = format!("`{name}` is the same object as another mapping: `{object}`");
            mapping.report_key(Code::WrongValue, detail, "Keep one of the two.");
        }
    }
    objects
}

fn check_templates(mapping: &Part<'_, '_>) {
    if mapping.object().is_none() {
        return;
    }
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

/// Mappings as they are written, once they have been checked.
pub(super) fn take(part: &Part<'_, '_>) -> IndexMap<String, Value> {
    let members = part.value().as_object().into_iter().flatten();
    members.map(|(name, mapping)| (name.clone(), mapping.clone())).collect()
}
