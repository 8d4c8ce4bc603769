//! Connections: the guides' integrations and Switchboard's own form.

use std::sync::Arc;

use serde_json::Map;
use switchboard_model::{
    connection::{ConnectionSpec, ValueRules},
    problem::Code,
};

use super::{
    mappings,
    reader::{Part, question},
    rules::{self, Mappings, Rules},
    values,
};
use crate::{connector::Connector, registry::Registry, translate::Translated};

/// Where a connection without `priority` stands among those of one connector: behind those that have one.
const LAST_PRIORITY: i64 = 100;
const LONGEST_KEY: usize = 100;

const GUIDE_KEYS: [&str; 10] = [
    "id",
    "name",
    "type",
    "enabled",
    "priority",
    "config",
    "rules",
    "country",
    "time_zone",
    "fields",
];
#[rustfmt::skip]
const OWN_KEYS: [&str; 13] = [
    "key", "connector", "name", "enabled", "priority", "auth", "settings", "secrets", "mappings", "rules", "country", "time_zone", "fields",
];

/// Reads one integration of the guides: `{id, name, type, enabled, priority, config, rules}`. Only `type` and `config` are
/// needed; without `id` the type is the key. What `config` means is the connector's to say.
pub(super) fn read_integration(part: &Part<'_, '_>, registry: &Registry) -> Option<ConnectionSpec> {
    part.object()?;
    part.only(&GUIDE_KEYS);
    let kind = part.need("type", "\"hubspot\"");
    let config = part.need("config", "{\"authType\": …, \"credentials\": {…}}");
    let connector = kind.as_ref().and_then(|kind| find_connector(kind, registry));
    let key = match part.member("id") {
        Some(id) => read_key(&id),
        None => kind.and_then(|kind| kind.text().map(str::to_owned)),
    };
    let (connector, config) = (connector?, config?);
    config.object()?;
    if let Some(mappings) = config.member("mappings") {
        mappings::check_templates(&mappings);
    }
    let translated = match connector.translate(config.value()) {
        Ok(translated) => Some(translated),
        Err(problems) => {
            problems.into_iter().for_each(|problem| config.adopt(problem));
            None
        }
    };
    let common = Common::read(
        part,
        connector,
        translated.as_ref().map(|translated| &translated.mappings),
    );
    Some(common.with(key?, connector, translated?))
}

/// Reads one connection of Switchboard's own form. Settings and secrets are named as in the connector's manifest.
pub(super) fn read(part: &Part<'_, '_>, registry: &Registry) -> Option<ConnectionSpec> {
    part.object()?;
    part.only(&OWN_KEYS);
    let key = part.need("key", "\"primary-crm\"").and_then(|key| read_key(&key));
    let kind = part.need("connector", "\"hubspot\"");
    let connector = kind.and_then(|kind| find_connector(&kind, registry))?;
    let mappings = part
        .member("mappings")
        .map(|mappings| mappings::read(&mappings, connector));
    let mappings = mappings.unwrap_or_default();
    let common = Common::read(part, connector, Some(&mappings));
    let auth_kind = match part.member("auth") {
        Some(auth) => auth.text()?.to_owned(),
        None => connector.auth_kinds().next().map(|(name, ..)| name.to_owned())?,
    };
    let object = |member: Option<Part<'_, '_>>| member.map_or(Some(Map::new()), |member| member.object().cloned());
    let (settings, secrets) = (object(part.member("settings")), object(part.member("secrets")));
    let (settings, secrets) = (settings?, secrets?);
    for problem in connector.check(&auth_kind, &settings, &secrets).problems {
        part.adopt(problem);
    }
    Some(common.with(
        key?,
        connector,
        Translated {
            auth_kind,
            settings,
            secrets,
            mappings,
            notes: Vec::new(),
        },
    ))
}

/// What both forms write alike.
struct Common {
    name: String,
    enabled: bool,
    priority: i64,
    rules: Rules,
    values: ValueRules,
}

impl Common {
    /// A member of a wrong form is reported and stands at its default, so that the rest is checked too.
    fn read(part: &Part<'_, '_>, connector: &Connector, mapped: Option<&Mappings>) -> Self {
        let name = part
            .member("name")
            .and_then(|name| name.text())
            .unwrap_or(&connector.name);
        let rules = part.member("rules").map(|rules| rules::read(&rules, connector, mapped));
        Self {
            name: name.to_owned(),
            enabled: part.member("enabled").and_then(|flag| flag.flag()).unwrap_or(true),
            priority: part
                .member("priority")
                .and_then(|number| number.whole_number())
                .unwrap_or(LAST_PRIORITY),
            rules: rules.unwrap_or_default(),
            values: values::read(part, connector),
        }
    }

    fn with(self, key: String, connector: &Connector, account: Translated) -> ConnectionSpec {
        ConnectionSpec {
            key,
            connector: connector.slug.clone(),
            name: self.name,
            enabled: self.enabled,
            priority: self.priority,
            auth_kind: account.auth_kind,
            settings: account.settings,
            secrets: account.secrets,
            mappings: account.mappings,
            condition: self.rules.condition,
            objects: self.rules.objects,
            notes: account.notes,
            values: self.values,
        }
    }
}

fn find_connector<'g>(part: &Part<'_, '_>, registry: &'g Registry) -> Option<&'g Arc<Connector>> {
    let name = part.text()?;
    let found = registry.get(name);
    if found.is_none() {
        let known = registry.names();
        let detail = format!(
            "There is no connector `{name}`{}",
            question(name, known.iter().copied())
        );
        part.report(
            Code::UnknownConnector,
            detail,
            format!("Use one of {}.", known.join(", ")),
        );
    }
    found
}

/// Reads the user's own name of a connection or a route: it stands in addresses, and strategies refer to it.
pub(super) fn read_key(part: &Part<'_, '_>) -> Option<String> {
    let key = part.text()?;
    let is_usable = !key.is_empty()
        && key.chars().count() <= LONGEST_KEY
        && key.trim() == key
        && !key.chars().any(|letter| letter.is_control() || letter == '/');
    if !is_usable {
        let detail = format!("`{key}` cannot be a name that others refer to");
        let next = format!("Use 1 to {LONGEST_KEY} letters, digits, dots, hyphens or underscores.");
        part.report(Code::WrongValue, detail, next);
        return None;
    }
    Some(key.to_owned())
}
