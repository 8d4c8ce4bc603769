//! Sources: the guides' receivers and Switchboard's own form, which is the same with more members.

use std::sync::LazyLock;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use switchboard_model::problem::{Code, Problem};

use super::{
    connection::read_key,
    reader::{Part, question},
};
use crate::{
    form,
    source::{
        Source, SourceSpec,
        ready::{self, Ready, SOURCE_SCHEMA},
        spec::CONDUCT,
    },
};

/// Members that are no conduct.
const OWN_KEYS: [&str; 13] = [
    "key",
    "source",
    "name",
    "path",
    "unguessable",
    "enabled",
    "test_mode",
    "settings",
    "secrets",
    "log_table",
    "reply",
    "mapping",
    "lookups",
];
const LONGEST_PATH: usize = 200;
const SEE: &str = "See the page about receiving, docs/guide/receive.md.";

/// The published schema, of those members alone that users may write.
static FORM: LazyLock<Value> = LazyLock::new(|| {
    let whole: Value = serde_json::from_str(SOURCE_SCHEMA).unwrap_or_default();
    let mut properties = Map::new();
    for name in CONDUCT {
        properties.insert(name.to_owned(), whole["properties"][name].clone());
    }
    let record = json!({ "$ref": "#/$defs/record" });
    properties.insert(
        "mapping".into(),
        json!({ "anyOf": [record, { "type": "array", "items": record }] }),
    );
    properties.insert("lookups".into(), whole["properties"]["lookups"].clone());
    json!({ "type": "object", "properties": properties, "$defs": whole["$defs"] })
});

/// Whether a file is about one source.
pub(super) fn is_one(root: &Part<'_, '_>) -> bool {
    root.member("source").is_some() && root.member("path").is_some()
}

/// Reads one source. `source` and `path` are needed; without `key` the source's name is the key.
pub(super) fn read(part: &Part<'_, '_>) -> Option<SourceSpec> {
    part.object()?;
    let known: Vec<&str> = OWN_KEYS.iter().chain(&CONDUCT).copied().collect();
    part.only(&known);
    let kind = part.need("source", "\"feiyu\"");
    let path = part.need("path", "\"callback\"").and_then(|path| read_path(&path));
    let ready = kind.as_ref().and_then(find);
    let key = match part.member("key") {
        Some(key) => read_key(&key),
        None => ready.map(|ready| ready.slug.clone()),
    };
    let faults = form::faults_of(&only_conduct(part.value()), &FORM, SEE);
    let is_formed = faults.is_empty();
    for mut fault in faults {
        fault.code = Code::WrongValue;
        part.adopt(fault);
    }
    let common = Common::read(part);
    let ready = ready?;
    let spec = common.with(key?, ready, path?)?;
    for problem in ready.check(&spec.settings, &spec.secrets).problems {
        part.adopt(problem);
    }
    if is_formed {
        for problem in Source::compile(&spec, ready).err().into_iter().flatten() {
            part.adopt(problem);
        }
    }
    Some(spec)
}

fn only_conduct(value: &Value) -> Value {
    let members = value.as_object().into_iter().flatten();
    let members = members.filter(|(name, value)| {
        let checked = CONDUCT.contains(&name.as_str()) || matches!(name.as_str(), "mapping" | "lookups");
        checked && !value.is_null()
    });
    members
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect::<Map<_, _>>()
        .into()
}

/// Members that every source may have.
struct Common {
    name: Option<String>,
    unguessable: bool,
    enabled: bool,
    test_mode: bool,
    settings: Option<Map<String, Value>>,
    secrets: Option<Map<String, Value>>,
    log_table: Option<String>,
    mapping: Option<Value>,
    lookups: IndexMap<String, IndexMap<String, Value>>,
    conduct: Map<String, Value>,
}

impl Common {
    fn read(part: &Part<'_, '_>) -> Self {
        let text = |name: &str| part.member(name).and_then(|member| member.text()).map(str::to_owned);
        let flag = |name: &str, usual: bool| part.member(name).and_then(|member| member.flag()).unwrap_or(usual);
        let object = |name: &str| {
            part.member(name)
                .map_or(Some(Map::new()), |member| member.object().cloned())
        };
        let mut conduct = Map::new();
        for name in CONDUCT {
            if let Some(member) = part.member(name) {
                conduct.insert(name.to_owned(), member.value().clone());
            }
        }
        if let Some(reply) = part.member("reply") {
            if conduct.contains_key("acknowledge") {
                let next = "Keep one of the two.";
                reply.report_key(Code::WrongValue, "`reply` and `acknowledge` say the same", next);
            }
            // Whatever it is, that is the body of the answer.
            let form = if reply.value().is_string() { "text" } else { "json" };
            conduct.insert(
                "acknowledge".into(),
                json!({ "received": { "status": 200, form: reply.value() } }),
            );
        }
        let lookups = part.member("lookups").map(|lookups| lookups.value().clone());
        Self {
            name: text("name"),
            unguessable: flag("unguessable", false),
            enabled: flag("enabled", true),
            test_mode: flag("test_mode", false),
            settings: object("settings"),
            secrets: object("secrets"),
            log_table: text("log_table"),
            mapping: part.member("mapping").map(|mapping| mapping.value().clone()),
            // Another form has been reported.
            lookups: lookups
                .and_then(|lookups| serde_json::from_value(lookups).ok())
                .unwrap_or_default(),
            conduct,
        }
    }

    fn with(self, key: String, ready: &Ready, path: String) -> Option<SourceSpec> {
        Some(SourceSpec {
            key,
            source: ready.slug.clone(),
            name: self.name.unwrap_or_else(|| ready.name.clone()),
            path,
            unguessable: self.unguessable,
            enabled: self.enabled,
            test_mode: self.test_mode,
            settings: self.settings?,
            secrets: self.secrets?,
            log_table: self.log_table,
            mapping: self.mapping,
            lookups: self.lookups,
            conduct: self.conduct,
        })
    }
}

fn find(part: &Part<'_, '_>) -> Option<&'static Ready> {
    let name = part.text()?;
    let found = ready::find(name);
    if found.is_none() {
        let known: Vec<&str> = ready::ready().map(|ready| ready.slug.as_str()).collect();
        let detail = format!("There is no source `{name}`{}", question(name, known.iter().copied()));
        let next = format!("Use one of {}; `json` takes whatever is sent.", known.join(", "));
        part.report(Code::WrongValue, detail, next);
    }
    found.map(|ready| &**ready)
}

/// Reads what stands behind `/in/`: segments of letters, digits, dots, hyphens and underscores.
fn read_path(part: &Part<'_, '_>) -> Option<String> {
    let text = part.text()?;
    match usable_path(text) {
        Ok(path) => Some(path.to_owned()),
        Err(problem) => {
            part.adopt(problem);
            None
        }
    }
}

/// What stands behind `/in/`, without slashes around it.
///
/// # Errors
/// When it cannot stand in an address as it is.
fn usable_path(text: &str) -> Result<&str, Problem> {
    let path = text.trim().trim_matches('/');
    let path = path.strip_prefix("in/").unwrap_or(path);
    let is_segment = |segment: &str| {
        let mut letters = segment.bytes();
        let plain = letters.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~'));
        !segment.is_empty() && plain && segment != "." && segment != ".."
    };
    if path.len() <= LONGEST_PATH && path.split('/').all(is_segment) {
        return Ok(path);
    }
    let shown: String = text.chars().take(60).collect();
    let detail = format!("`{shown}` cannot stand in an address");
    let next =
        format!("Use up to {LONGEST_PATH} letters, digits, dots, hyphens, underscores, and slashes between them.");
    Err(Problem::new(Code::WrongValue, detail, next))
}
