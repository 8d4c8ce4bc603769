//! Writes connections, routes, sources, automations and the classifier in Switchboard's own form.

use serde_json::{Map, Value, json};
use switchboard_model::{
    connection::ConnectionSpec,
    route::{RouteSpec, Strategy, Target},
};

use super::{Item, automation, classifier, list, object};
use crate::source;

/// The items as a file that [`read`](super::read) reads back to the same items, except for secrets, which are never
/// written, and notes, which belong to the file that they came from.
pub fn write(items: &[Item]) -> Value {
    let mut connections = Vec::new();
    let mut routes = Vec::new();
    let mut automations = Vec::new();
    let mut sources = Vec::new();
    let (mut objects, mut lists) = (Vec::new(), Map::new());
    let mut file = Map::new();
    for item in items {
        match item {
            Item::Connection(spec) => connections.push(connection(spec)),
            Item::Route(spec) => routes.push(route(spec)),
            Item::Source(spec) => sources.push(source::write(spec)),
            Item::Defaults(defaults) => {
                file.insert("defaults".into(), json!(defaults));
            }
            Item::Classifier(item) => {
                file.insert("classifier".into(), classifier::write(&item.spec));
            }
            Item::Object(name, spec) => objects.push(object::write(name, spec)),
            Item::Automation(spec) => automations.push(automation::write(spec)),
            Item::List(name, spec) => {
                lists.insert(name.clone(), list::write(spec));
            }
        }
    }
    file.insert("connections".into(), connections.into());
    file.insert("routes".into(), routes.into());
    if !sources.is_empty() {
        file.insert("sources".into(), json!(sources));
    }
    if !objects.is_empty() {
        file.insert("tables".into(), json!(objects));
    }
    if !automations.is_empty() {
        file.insert("automations".into(), json!(automations));
    }
    if !lists.is_empty() {
        file.insert("lists".into(), Value::Object(lists));
    }
    Value::Object(file)
}

fn connection(spec: &ConnectionSpec) -> Value {
    let mut written = Map::new();
    written.insert("key".into(), json!(spec.key));
    written.insert("connector".into(), json!(spec.connector));
    written.insert("name".into(), json!(spec.name));
    written.insert("enabled".into(), json!(spec.enabled));
    written.insert("priority".into(), json!(spec.priority));
    written.insert("auth".into(), json!(spec.auth_kind));
    written.insert("settings".into(), json!(spec.settings));
    written.insert("mappings".into(), json!(spec.mappings));
    let actions: Vec<_> = spec
        .objects
        .iter()
        .map(|object| json!({ "type": "create", "object": object }))
        .collect();
    let conditions: Vec<_> = spec.condition.iter().collect();
    written.insert("rules".into(), json!({ "conditions": conditions, "actions": actions }));
    if let Value::Object(values) = json!(spec.values) {
        written.extend(values);
    }
    Value::Object(written)
}

fn route(spec: &RouteSpec) -> Value {
    let mut written = Map::new();
    written.insert("key".into(), json!(spec.key));
    written.insert("on".into(), json!(spec.on));
    if let Some(condition) = &spec.condition {
        written.insert("when".into(), json!(condition));
    }
    written.insert("enabled".into(), json!(spec.enabled));
    written.insert("strategy".into(), json!(spec.strategy.name()));
    match &spec.strategy {
        Strategy::ParallelSync { targets: to } => {
            written.insert("to".into(), targets(to));
        }
        Strategy::CategoryRouting {
            field,
            routes,
            otherwise,
        } => {
            let routes: Map<_, _> = routes.iter().map(|(value, to)| (value.clone(), targets(to))).collect();
            written.insert("field".into(), json!(field));
            written.insert("routes".into(), Value::Object(routes));
            written.insert("otherwise".into(), targets(otherwise));
        }
        Strategy::PrimaryBackup {
            primary,
            backup,
            sync_back,
        } => {
            written.insert("to".into(), json!([target(primary), target(backup)]));
            written.insert("sync_back".into(), json!(sync_back));
        }
    }
    Value::Object(written)
}

fn targets(targets: &[Target]) -> Value {
    targets.iter().map(target).collect()
}

/// The name alone where that says everything.
fn target(target: &Target) -> Value {
    if target.objects.is_empty() && target.options.is_empty() {
        json!(target.system)
    } else {
        json!(target)
    }
}
