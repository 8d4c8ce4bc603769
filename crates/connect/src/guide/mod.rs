//! Reads the users' configuration files: those of the guides as they are, and Switchboard's own form.
//!
//! Pure: nothing is stored and nothing is called. Everything that is wrong with a file is reported at once, each with its
//! place and what to do next. The forms are described in `docs/reference/configuration.md`.

mod automation;
mod cel;
mod classifier;
mod connection;
mod list;
mod mappings;
mod object;
mod reader;
mod route;
mod rules;
mod source;
mod target;
mod values;
mod write;

use std::collections::HashMap;

use serde_json::Value;
use switchboard_model::{
    automation::AutomationSpec,
    classify::ClassifierSpec,
    connection::{ConnectionSpec, Defaults},
    problem::{Code, Problem},
    route::RouteSpec,
};

use self::reader::{Part, Reader, question};
use crate::{document::Document, registry::Registry, source::SourceSpec};

pub use classifier::ClassifierItem;
pub use route::is_event_pattern;
pub use write::write;

/// Reads a document about one source.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read_source(document: &Document) -> Result<SourceSpec, Vec<Problem>> {
    let reader = Reader::new(document);
    let spec = source::read(&reader.root());
    let problems = reader.into_problems();
    match spec {
        Some(spec) if problems.is_empty() => Ok(spec),
        _ => Err(problems),
    }
}

/// One thing that a configuration file asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A connection, from `crmIntegrations`, `connections` or a file about a single system.
    Connection(ConnectionSpec),
    /// A route, from `routes` or a strategy file.
    Route(RouteSpec),
    /// A source, from `sources` or a file about a single receiver.
    Source(SourceSpec),
    /// How messages are classified, from `classifier`.
    Classifier(Box<ClassifierItem>),
    /// What holds for connections that say nothing else, from `defaults`.
    Defaults(Defaults),
    /// A table of the user's own, or what is added to a standard object, from `objects` or `tables`: its name, and what was said of it.
    Object(String, Value),
    /// A named list of values, from `lists`: its name, and what was said of it.
    List(String, Value),
    /// An automation, from `automations`.
    Automation(AutomationSpec),
}

/// What a file can hold side by side: lists, and what there is one of.
const LISTS: [&str; 10] = [
    "crmIntegrations",
    "connections",
    "routes",
    "sources",
    "objects",
    "tables",
    "lists",
    "automations",
    "classifier",
    "defaults",
];
const KINDS: &str = "the lists `crmIntegrations`, `connections`, `routes`, `sources`, `objects`, `tables`, `lists` and `automations`, and `classifier` and \
                     `defaults`; one integration with `type` and `config`; one receiver with `source` and `path`; one `strategy` \
                     (parallel_sync, category_routing, primary_backup)";

/// Reads a configuration file. Connectors say what their part of it means.
///
/// # Errors
/// Everything that is wrong, in the order of the file's lists.
pub fn read(document: &Document, registry: &Registry) -> Result<Vec<Item>, Vec<Problem>> {
    let reader = Reader::new(document);
    let items = read_kind(&reader.root(), registry);
    let problems = reader.into_problems();
    if problems.is_empty() { Ok(items) } else { Err(problems) }
}

/// Reads the description of a classifier alone, as it stands under `classifier` in a file.
///
/// # Errors
/// Everything that is wrong.
pub fn read_classifier(document: &Document) -> Result<ClassifierItem, Vec<Problem>> {
    let reader = Reader::new(document);
    let item = classifier::read(&reader.root());
    let problems = reader.into_problems();
    match item {
        Some(item) if problems.is_empty() => Ok(item),
        _ => Err(problems),
    }
}

/// The description of a classifier as [`read_classifier`] reads it, without the key of its model.
pub fn write_classifier(spec: &ClassifierSpec) -> serde_json::Value {
    classifier::write(spec)
}

fn read_kind(root: &Part<'_, '_>, registry: &Registry) -> Vec<Item> {
    let is_connector = |kind: Part<'_, '_>| kind.value().as_str().is_some_and(|name| registry.get(name).is_some());
    if root.member("strategy").is_some() {
        return route::read_file(root).map(Item::Route).into_iter().collect();
    }
    if root.member("config").is_some() || root.member("type").is_some_and(is_connector) {
        return connection::read_integration(root, registry)
            .map(Item::Connection)
            .into_iter()
            .collect();
    }
    if source::is_one(root) {
        return source::read(root).map(Item::Source).into_iter().collect();
    }
    if LISTS.iter().any(|list| root.member(list).is_some()) {
        return read_lists(root, registry);
    }
    report_unknown(root);
    Vec::new()
}

fn read_lists(root: &Part<'_, '_>, registry: &Registry) -> Vec<Item> {
    root.only(&LISTS);
    let list = |key| root.member(key).and_then(|list| list.items()).unwrap_or_default();
    let mut seen = Seen::default();
    let mut items = Vec::new();
    for (entry, spec) in list("crmIntegrations")
        .iter()
        .map(|entry| (entry, connection::read_integration(entry, registry)))
    {
        items.extend(
            spec.filter(|spec| seen.is_new("connection", &spec.key, entry))
                .map(Item::Connection),
        );
    }
    for (entry, spec) in list("connections")
        .iter()
        .map(|entry| (entry, connection::read(entry, registry)))
    {
        items.extend(
            spec.filter(|spec| seen.is_new("connection", &spec.key, entry))
                .map(Item::Connection),
        );
    }
    for (entry, spec) in list("sources").iter().map(|entry| (entry, source::read(entry))) {
        items.extend(
            spec.filter(|spec| seen.is_new("source", &spec.key, entry) && seen.is_new("path", &spec.path, entry))
                .map(Item::Source),
        );
    }
    for (entry, spec) in list("routes").iter().map(|entry| (entry, route::read(entry))) {
        items.extend(
            spec.filter(|spec| seen.is_new("route", &spec.key, entry))
                .map(Item::Route),
        );
    }
    for entry in &list("automations") {
        let spec = automation::read(entry);
        items.extend(
            spec.filter(|spec| seen.is_new("automation", &spec.key, entry))
                .map(Item::Automation),
        );
    }
    let classifier = root.member("classifier").and_then(|part| classifier::read(&part));
    items.extend(classifier.map(|item| Item::Classifier(Box::new(item))));
    let defaults = root.member("defaults").and_then(|part| values::read_defaults(&part));
    items.extend(defaults.map(Item::Defaults));
    for kind in ["objects", "tables"] {
        for (entry, name, spec) in root
            .member(kind)
            .map(|list| object::read_all(&list))
            .unwrap_or_default()
        {
            if seen.is_new("table", &name, &entry) {
                items.push(Item::Object(name, spec));
            }
        }
    }
    for (entry, name, spec) in root
        .member("lists")
        .map(|list| list::read_all(&list))
        .unwrap_or_default()
    {
        if seen.is_new("list", &name, &entry) {
            items.push(Item::List(name, spec));
        }
    }
    items
}

/// Where each name was given first.
#[derive(Default)]
struct Seen(HashMap<(&'static str, String), String>);

impl Seen {
    fn is_new(&mut self, kind: &'static str, key: &str, part: &Part<'_, '_>) -> bool {
        let name = (kind, key.to_owned());
        if let Some(first) = self.0.get(&name) {
            let detail = format!("There is another {kind} `{key}`, at {first}");
            part.report(Code::WrongValue, detail, "Give each its own name.");
            return false;
        }
        self.0.insert(name, part.place());
        true
    }
}

fn report_unknown(root: &Part<'_, '_>) {
    let mut detail = format!("{} is no configuration file that this version knows", root.file());
    if root.value().is_null() {
        detail = format!("{} is empty", root.file());
    }
    for key in root.value().as_object().into_iter().flatten().map(|(key, _)| key) {
        let meant = question(key, LISTS.into_iter().chain(["strategy", "config", "source"]));
        if !meant.is_empty() {
            detail = format!("{detail}; it has `{key}`{meant}");
            break;
        }
    }
    root.report(
        Code::UnknownFile,
        format!("{detail}. Understood are: {KINDS}"),
        "Give a file of one of these kinds.",
    );
}
