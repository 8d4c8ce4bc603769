//! The shape of what is made of a callback.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::manifest::OneOrMany;

/// A list, and what its items are called.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalkSpec {
    /// JSON pointer of the list; empty: the item itself is the list.
    pub at: String,
    /// The variable that it points into: `payload`, or `fetched`.
    #[serde(default)]
    pub from: Option<String>,
    /// The name by which templates see the item.
    #[serde(rename = "as", default)]
    pub name: Option<String>,
}

/// Pairs of a list as an object, because nothing searches a list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatherSpec {
    /// JSON pointer of the list, in the item.
    pub at: String,
    /// The variable that it points into: `payload`, or `fetched`.
    #[serde(default)]
    pub from: Option<String>,
    /// The key of a pair; a template that sees it as `item`.
    pub key: String,
    /// Its value: a tree of templates that sees the pair as `item`; without it the pair itself.
    #[serde(default)]
    pub value: Option<Value>,
}

/// What is made of an item.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventSpec {
    /// For which items. CEL.
    pub when: Option<String>,
    /// A further list below the item.
    pub each: Option<WalkSpec>,
    /// Lists of pairs, by the names under which templates see them as objects.
    pub gather: IndexMap<String, GatherSpec>,
    /// The type of the event; without it only records are written.
    pub event: Option<String>,
    /// What recognises the same thing. A template.
    pub id: Option<String>,
    /// What the event tells: a tree of templates for each member.
    pub data: IndexMap<String, Value>,
    /// The record that is written.
    pub record: Option<RecordSpec>,
    /// The records that are written.
    pub records: Vec<RecordSpec>,
}

/// A record that is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordSpec {
    /// For which items. CEL.
    #[serde(default)]
    pub when: Option<String>,
    /// A kind of record that everybody has: `people`.
    #[serde(default)]
    pub object: Option<String>,
    /// A table of the user's own.
    #[serde(default)]
    pub table: Option<String>,
    /// The fields by which it is found, in this order; none: those of the object.
    #[serde(rename = "match", default)]
    pub keys: OneOrMany<String>,
    /// A tree of templates for each field.
    pub fields: IndexMap<String, Value>,
    /// What is done.
    #[serde(default)]
    pub mode: Mode,
}

/// What is done with a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The one that is found is changed, else one is made.
    #[default]
    Upsert,
    /// The one that is found stays as it is, else one is made.
    Find,
    /// One is made.
    Create,
    /// The one that is found is changed.
    Update,
    /// The one that is found is deleted.
    Delete,
}

/// What a thin callback is completed with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FetchSpec {
    /// For which callbacks. CEL.
    #[serde(default)]
    pub when: Option<String>,
    /// The name of the setting that holds the key of a connection, whose address and credentials are used.
    #[serde(default)]
    pub connection: Option<String>,
    /// An address as it stands here.
    #[serde(default)]
    pub base_url: Option<String>,
    /// Headers; templates that see `secrets` and `settings`.
    #[serde(default)]
    pub headers: IndexMap<String, String>,
    /// Ids that are taken out of the callback.
    pub ids: IndexMap<String, IdSpec>,
    /// What comes behind the base address; a template that sees `ids` and `settings`. Ids are escaped.
    pub path: String,
    /// What a thing means that is not there.
    #[serde(default)]
    pub missing: Missing,
}

/// What a thing means that is not there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// A person has to look.
    #[default]
    Fail,
    /// It is not readable yet: it is asked for again after a while.
    Retry,
    /// It is gone since; what is made does without it.
    Skip,
}

/// An id that is taken out of the callback.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdSpec {
    /// A template.
    pub from: String,
    /// A regular expression for the whole text, with one group: the id.
    pub pattern: String,
}
