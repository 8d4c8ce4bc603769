//! Manifest: the vendor's objects and their fields.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{DiscoverSpec, OneOrMany, OperationKind, OperationSpec, RuleSpec};

/// What the hub takes as the identity of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// One record per person: a contact, a lead. Later events about the person update it.
    Person,
    /// One record per company.
    Company,
    /// One record per event: a ticket, a task, a message. It is made once; only where a record of the hub stands behind it, like a task or the row
    /// of a table, do changes of that change it.
    Event,
}

/// How the vendor wants scalar values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueStyle {
    /// As JSON has them.
    #[default]
    Typed,
    /// Numbers and truth values as text too.
    Text,
}

/// One object.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectSpec {
    /// For people.
    pub title: String,
    /// The vendor's name of it.
    #[serde(rename = "type")]
    pub vendor_type: String,
    /// Other names that configuration files use.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// What the hub takes as identity.
    pub record: RecordKind,
    /// Regular expression that every id of it matches.
    #[serde(default)]
    pub id_pattern: Option<String>,
    /// Whatever templates need to know of this object; they see it as `object.…`.
    #[serde(default)]
    pub vars: Map<String, Value>,
    /// Whether fields that are not listed pass (custom fields).
    #[serde(default)]
    pub open: bool,
    /// How scalars are written.
    #[serde(default)]
    pub values: ValueStyle,
    /// What joins the items of a list in a field of several values; absent: lists stay lists.
    #[serde(default)]
    pub join: Option<String>,
    /// The fields that are known.
    #[serde(default)]
    pub fields: IndexMap<String, FieldSpec>,
    /// Further fields and options that the account tells.
    #[serde(default)]
    pub discover: OneOrMany<DiscoverSpec>,
    /// Changes at places deep inside, in this order, after the fields.
    #[serde(default)]
    pub rules: Vec<ShapeRuleSpec>,
    /// The mapping that is used when a connection has none.
    #[serde(default)]
    pub mapping: Option<Value>,
    /// It is made only where a route or the connection names it.
    #[serde(default)]
    pub on_request: bool,
    /// It tells what happened: that something is deleted is told like anything else, and removes nothing.
    #[serde(default)]
    pub tells_removals: bool,
    /// It goes to places that routes name, a record to each.
    #[serde(default)]
    pub places: Option<PlacesSpec>,
    /// Operations that differ from the connector's; an empty list takes one away.
    #[serde(default)]
    pub operations: IndexMap<OperationKind, OneOrMany<OperationSpec>>,
    /// Rules that precede the connector's.
    #[serde(default)]
    pub classify: Vec<RuleSpec>,
}

/// Where records of an object go: to places (channels, chats) that a route lists, a record of its own to each.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlacesSpec {
    /// The option of routes that lists them; the mapping finds the place of a record as its first item.
    pub option: String,
    /// The setting that names where a record goes whose route names no place.
    #[serde(default)]
    pub setting: Option<String>,
    /// What may stand in front of a name without being part of it, like the `#` of a channel.
    #[serde(default)]
    pub sign: Option<String>,
    /// Ways to sign in that reach one place only, whatever a route names.
    #[serde(default)]
    pub fixed: Vec<String>,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// Text.
    #[default]
    Text,
    /// An e-mail address.
    Email,
    /// A telephone number, passed as it is.
    Phone,
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
    /// A day, `YYYY-MM-DD`.
    Date,
    /// A moment, RFC 3339 in UTC.
    Datetime,
    /// One of the listed values.
    Choice,
    /// Anything, untouched.
    Any,
}

/// What becomes of text over the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlong {
    /// The record is refused.
    #[default]
    Reject,
    /// The text is cut, with an ellipsis.
    Cut,
}

/// What becomes of a choice that is not listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Other {
    /// It is sent as it is; the vendor decides.
    #[default]
    Pass,
    /// The record is refused.
    Reject,
    /// The field is left out.
    Drop,
}

/// What becomes of a value that is not of the field's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Invalid {
    /// The record is refused.
    #[default]
    Reject,
    /// The field is left out.
    Drop,
}

/// One field.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FieldSpec {
    /// For people.
    pub title: Option<String>,
    /// Other names; like the name itself they match regardless of case.
    pub aliases: Vec<String>,
    /// What it holds.
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// Whether a new record needs it.
    pub required: bool,
    /// Most UTF-16 units of its text.
    pub max: Option<usize>,
    /// What becomes of longer text.
    pub over: Overlong,
    /// Values, each with other words for it (regardless of case).
    pub values: IndexMap<String, Vec<String>>,
    /// What becomes of other values.
    pub other: Other,
    /// What becomes of a value of another type.
    pub invalid: Invalid,
}

/// A change at places deep inside a record. `at` is a JSONPath of names and wildcards only.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum ShapeRuleSpec {
    /// Each element of the list at `at` whose text (at the JSON pointer `text`) is over `limit` UTF-16 units becomes several.
    SplitText {
        /// Where the lists are.
        at: String,
        /// Where the text is inside an element.
        text: String,
        /// Most UTF-16 units of one element.
        limit: usize,
        /// Most elements; what is beyond is cut, with an ellipsis.
        items: usize,
    },
    /// Replaces text in the strings at `at`.
    Replace {
        /// Where the strings are.
        at: String,
        /// What → by what.
        with: IndexMap<String, String>,
    },
    /// Cuts the strings at `at`, with an ellipsis.
    Cut {
        /// Where the strings are.
        at: String,
        /// Most UTF-16 units.
        limit: usize,
    },
    /// Writes the moments or days at `at` as RFC 3339.
    Moment {
        /// Where they are.
        at: String,
    },
    /// Puts `null` in place of the value at `at` when it (or its member at `member`) is blank text.
    BlankToNull {
        /// Where the values are.
        at: String,
        /// JSON pointer inside the value.
        #[serde(default)]
        member: String,
    },
    /// Puts a tree of templates that see the scalar at `at` as `value` in its place; objects and lists stay.
    Wrap {
        /// Where the scalars are.
        at: String,
        /// The tree.
        with: Value,
    },
    /// Turns the text at `at` into a number, or `null` when it is none.
    Number {
        /// Where they are.
        at: String,
    },
}
