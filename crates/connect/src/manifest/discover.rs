//! Manifest: fields, options and choices that are read from the account.

use indexmap::IndexMap;
use serde::Deserialize;

use super::{FieldType, OneOrMany, PagesSpec, RequestSpec, RuleSpec, SourceSpec, WhenSpec};

/// A list of the account that tells about an object: each item is a field (`name`), or an option of one field (`field` and
/// `value`).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiscoverSpec {
    /// Paths that must have a value; else the list is passed over.
    #[serde(default)]
    pub requires: Vec<String>,
    /// Paths that must have none; else the list is passed over.
    #[serde(default)]
    pub unless: Vec<String>,
    /// The request.
    pub request: RequestSpec,
    /// What proves that the answer is the list.
    pub when: WhenSpec,
    /// JSONPath of the items.
    pub items: String,
    /// How further pages are read.
    #[serde(default)]
    pub pages: Option<PagesSpec>,
    /// Rules that precede `when` and the connector's.
    #[serde(default)]
    pub classify: Vec<RuleSpec>,
    /// Whether a refusal by the vendor just leaves the list out.
    #[serde(default)]
    pub optional: bool,
    /// Items for which this holds do not count.
    #[serde(default)]
    pub skip: Option<WhenSpec>,
    /// The field's name, inside an item.
    #[serde(default)]
    pub name: Option<SourceSpec>,
    /// What people call the field or the option.
    #[serde(default)]
    pub title: Option<SourceSpec>,
    /// The vendor's word for what the field holds.
    #[serde(default, rename = "type")]
    pub field_type: Option<SourceSpec>,
    /// Those words → ours; others are `any`.
    #[serde(default)]
    pub types: IndexMap<String, FieldType>,
    /// Yields a value when a new record needs the field.
    #[serde(default)]
    pub required: Option<SourceSpec>,
    /// Most characters of its text.
    #[serde(default)]
    pub max: Option<SourceSpec>,
    /// The values that it takes.
    #[serde(default)]
    pub options: Option<OptionsSpec>,
    /// The member of the record, or JSON pointer inside it, that holds these fields; absent: the record itself.
    #[serde(default, rename = "in")]
    pub within: Option<String>,
    /// What the vendor does with a field that it does not have.
    #[serde(default)]
    pub unknown: Unlisted,
    /// The one field whose options the items are.
    #[serde(default)]
    pub field: Option<String>,
    /// The option's value, inside an item.
    #[serde(default)]
    pub value: Option<SourceSpec>,
}

/// The values that a field takes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionsSpec {
    /// JSONPath of the options, inside the field's item.
    pub each: String,
    /// Options for which this holds do not count.
    #[serde(default)]
    pub skip: Option<WhenSpec>,
    /// What is sent, inside an option.
    pub value: SourceSpec,
    /// What people read, inside an option.
    #[serde(default)]
    pub title: Option<SourceSpec>,
    /// Whether the vendor takes other values too; a source inside the field's item says so by yielding a value.
    #[serde(default)]
    pub open: Openness,
    /// JSONPaths of the options in what a mapping sends for the field; without them the value itself, or each item of a list.
    #[serde(default)]
    pub sent: OneOrMany<String>,
}

/// Whether something holds: always, never, or when a source yields a value.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Openness {
    /// Always, or never.
    Flag(bool),
    /// When this yields a value.
    Told(Box<SourceSpec>),
}

impl Default for Openness {
    fn default() -> Self {
        Self::Flag(false)
    }
}

/// What the vendor does with what it does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unlisted {
    /// It refuses the record.
    #[default]
    Refused,
    /// It takes no notice.
    Ignored,
}

/// Values of a setting that the account offers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChoicesSpec {
    /// Paths that must have a value; without them there is nothing to choose from yet.
    #[serde(default)]
    pub requires: Vec<String>,
    /// The request.
    pub request: RequestSpec,
    /// What proves that the answer is the list.
    pub when: WhenSpec,
    /// JSONPath of the items.
    pub items: String,
    /// How further pages are read.
    #[serde(default)]
    pub pages: Option<PagesSpec>,
    /// Rules that precede `when` and the connector's.
    #[serde(default)]
    pub classify: Vec<RuleSpec>,
    /// Items for which this holds do not count.
    #[serde(default)]
    pub skip: Option<WhenSpec>,
    /// The value of the setting, inside an item.
    pub value: SourceSpec,
    /// What people read, inside an item.
    #[serde(default)]
    pub title: Option<SourceSpec>,
}
