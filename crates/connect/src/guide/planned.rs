//! Systems that the users' guides name and that this version has no connector for yet. Their files are read and kept as drafts, so that
//! nothing has to be entered twice when the connector comes; a name that nobody knows is a mistake.

use serde_json::{Map, Value};
use switchboard_model::connection::ConnectionSpec;

use super::{
    connection::{LAST_PRIORITY, read_key},
    mappings,
    reader::Part,
};

/// Slug, and other names that the guides use.
const PLANNED: &[(&str, &[&str])] = &[];

/// The slug of a system that is planned, by any of its names.
pub fn planned(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    let found = PLANNED
        .iter()
        .find(|(slug, others)| *slug == name || others.contains(&name.as_str()));
    found.map(|(slug, _)| *slug)
}

/// Reads an integration of the guides for a planned system: credentials apart, everything else as it is.
pub(super) fn read(part: &Part<'_, '_>, config: &Part<'_, '_>, slug: &str) -> Option<ConnectionSpec> {
    let kind = part.member("type").and_then(|kind| kind.text().map(str::to_owned))?;
    let key = match part.member("id") {
        Some(id) => read_key(&id)?,
        None => kind,
    };
    if let Some(mappings) = config.member("mappings") {
        mappings::check_templates(&mappings);
    }
    let object = |name: &str| {
        config
            .member(name)
            .and_then(|member| member.object().cloned())
            .unwrap_or_default()
    };
    let mut rest: Map<String, Value> = config.object()?.clone();
    for apart in ["credentials", "mappings"] {
        rest.shift_remove(apart);
    }
    let mut settings = Map::from_iter([("config".to_owned(), Value::Object(rest))]);
    if let Some(rules) = part.member("rules") {
        settings.insert("rules".to_owned(), rules.value().clone());
    }
    let note = format!("{slug} has no connector in this version; the connection is kept and waits for it");
    Some(ConnectionSpec {
        key,
        connector: slug.to_owned(),
        name: part
            .member("name")
            .and_then(|name| name.text().map(str::to_owned))
            .unwrap_or_else(|| slug.to_owned()),
        enabled: part.member("enabled").and_then(|flag| flag.flag()).unwrap_or(true),
        priority: part
            .member("priority")
            .and_then(|number| number.whole_number())
            .unwrap_or(LAST_PRIORITY),
        auth_kind: config
            .member("authType")
            .and_then(|kind| kind.text().map(str::to_owned))
            .unwrap_or_default(),
        settings,
        secrets: object("credentials"),
        mappings: object("mappings").into_iter().collect(),
        condition: None,
        objects: Vec::new(),
        notes: vec![note],
    })
}
