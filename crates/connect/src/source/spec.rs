//! A source as a user has it: a ready one, with the user's path, settings and secrets, and with members of its own in place of the ready
//! one's.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::shape::RecordSpec;
use crate::manifest::OneOrMany;

/// What a user says about a source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceSpec {
    /// The user's own id.
    pub key: String,
    /// The ready source that it is.
    pub source: String,
    /// For people.
    pub name: String,
    /// What stands behind `/in/`; unique in the installation.
    pub path: String,
    /// A random segment is added to the path when it is written and has none yet.
    #[serde(skip)]
    pub unguessable: bool,
    /// Whether it takes anything.
    pub enabled: bool,
    /// What comes is kept and shown, and makes nothing.
    #[serde(default)]
    pub test_mode: bool,
    /// Settings that are no secrets.
    #[serde(default)]
    pub settings: Map<String, Value>,
    /// Secrets; never written with the rest.
    #[serde(skip)]
    pub secrets: Map<String, Value>,
    /// What the user calls the log of callbacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_table: Option<String>,
    /// Records that are written beside what the ready source makes: one or a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Value>,
    /// Tables for the filter `lookup`, beside those of the ready source and of the workspace.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub lookups: IndexMap<String, IndexMap<String, Value>>,
    /// Members that take the place of the ready source's: `verify`, `acknowledge`, `events` …
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub conduct: Map<String, Value>,
}

/// Members that a user's source may have in place of the ready source's.
pub const CONDUCT: [&str; 14] = [
    "time_zone",
    "country",
    "body",
    "verify",
    "handshake",
    "test",
    "dedupe",
    "acknowledge",
    "deadline",
    "split",
    "gather",
    "ignore",
    "fetch",
    "events",
];

impl SourceSpec {
    /// The records of `mapping`.
    ///
    /// # Errors
    /// When it has another form.
    pub(super) fn records(&self) -> Result<Vec<RecordSpec>, String> {
        let Some(mapping) = &self.mapping else {
            return Ok(Vec::new());
        };
        let specs: OneOrMany<RecordSpec> = match mapping {
            Value::Array(items) => {
                let items = items.iter().map(|item| serde_json::from_value(item.clone()));
                OneOrMany::Many(items.collect::<Result<_, _>>().map_err(|error| error.to_string())?)
            }
            one => OneOrMany::One(serde_json::from_value(one.clone()).map_err(|error| error.to_string())?),
        };
        Ok(specs.each().map(|(_, spec)| spec.clone()).collect())
    }
}
