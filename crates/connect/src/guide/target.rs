//! Targets: where a route sends to. A system that is not connected, or that this version does not know, is no mistake: the
//! route waits for it.

use serde_json::{Map, Value};
use switchboard_model::{problem::Code, route::Target};

use super::reader::Part;

/// Lists that some connectors read beside the mapping, written next to the target's name.
const OPTION_LISTS: [&str; 2] = ["channels", "recipients"];

/// Reads a list of targets; those that cannot be read are reported and left out.
pub(super) fn read_list(part: &Part<'_, '_>) -> Vec<Target> {
    part.items().unwrap_or_default().iter().filter_map(read).collect()
}

/// Reads a name alone, or `{system, objects, channels, recipients, options}`, where the guides write `type` for `system`.
fn read(part: &Part<'_, '_>) -> Option<Target> {
    match part.value() {
        Value::String(_) => named(part),
        Value::Object(_) => {
            part.only(&["system", "type", "objects", "channels", "recipients", "options"]);
            read_object(part)
        }
        _ => {
            part.report_form("the name of a connection or a connector, or {\"system\": …, \"objects\": […]}");
            None
        }
    }
}

/// Reads `{type, fallback}` and whatever else a target has; the fallback is a target itself.
pub(super) fn read_with_fallback(part: &Part<'_, '_>) -> Option<(Target, Target)> {
    part.object()?;
    part.only(&[
        "system",
        "type",
        "objects",
        "channels",
        "recipients",
        "options",
        "fallback",
    ]);
    let primary = read_object(part);
    let fallback = part
        .need("fallback", "\"hubspot\"")
        .and_then(|fallback| read(&fallback));
    Some((primary?, fallback?))
}

fn read_object(part: &Part<'_, '_>) -> Option<Target> {
    let name = part.member("type").or_else(|| part.need("system", "\"salesforce\""))?;
    let objects = part
        .member("objects")
        .map(|objects| objects.texts())
        .unwrap_or_default();
    let mut options = match part.member("options") {
        Some(options) => options.object().cloned().unwrap_or_default(),
        None => Map::new(),
    };
    for key in OPTION_LISTS {
        if let Some(list) = part.member(key) {
            options.insert(key.to_owned(), Value::from(list.texts()));
        }
    }
    Some(Target {
        objects,
        options,
        ..named(&name)?
    })
}

fn named(part: &Part<'_, '_>) -> Option<Target> {
    let system = part.text()?.trim();
    if system.is_empty() {
        part.report(
            Code::WrongValue,
            "A target has no name",
            "Write the key of a connection or the name of a connector.",
        );
        return None;
    }
    Some(Target {
        system: system.to_owned(),
        objects: Vec::new(),
        options: Map::new(),
    })
}
