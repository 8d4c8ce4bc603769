//! What a field of a record holds.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A value that a field may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What is kept.
    pub value: String,
    /// What people read, where it is something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldKind {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A day, `2026-11-24`.
    Date,
    /// A time of day, `09:30:00`.
    Time,
    /// A moment, RFC 3339 in UTC.
    Datetime,
    /// An e-mail address.
    Email,
    /// A telephone number, kept as E.164 where it can be read as one.
    Phone,
    /// An address on the web.
    Url,
    /// An amount: `{"amount": 12.5, "currency": "EUR"}`.
    Money,
    /// One of some values.
    Select(Vec<Choice>),
    /// Some of some values.
    MultiSelect(Vec<Choice>),
    /// Anything.
    Json,
    /// Texts by name: ids that other systems have for the record. Changing one leaves the others.
    Ids,
    /// Another record; the name of its object.
    Lookup(String),
}

impl FieldKind {
    /// The words for it in files and in the API.
    pub const NAMES: &'static [&'static str] = &[
        "text",
        "integer",
        "number",
        "boolean",
        "date",
        "time",
        "datetime",
        "email",
        "phone",
        "url",
        "money",
        "select",
        "multi-select",
        "json",
        "lookup",
    ];

    /// Its word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Time => "time",
            Self::Datetime => "datetime",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Url => "url",
            Self::Money => "money",
            Self::Select(_) => "select",
            Self::MultiSelect(_) => "multi-select",
            Self::Json => "json",
            Self::Ids => "ids",
            Self::Lookup(_) => "lookup",
        }
    }

    /// Whether its values are compared as numbers.
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Integer | Self::Number | Self::Money)
    }
}

/// A field of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name, the key in JSON.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether a new record needs it.
    pub required: bool,
    /// What a new record gets that brings none.
    pub default: Option<Value>,
    /// Most characters of a text; `None`: what fields of its kind may have.
    pub max: Option<usize>,
    /// Other names under which it is taken.
    pub aliases: Vec<String>,
    /// Whether a user defined it.
    pub custom: bool,
}

impl Field {
    /// A field with nothing but name and kind.
    pub fn new(name: impl Into<String>, kind: FieldKind) -> Self {
        Self {
            name: name.into(),
            title: None,
            kind,
            required: false,
            default: None,
            max: None,
            aliases: Vec::new(),
            custom: false,
        }
    }

    /// Most characters of its text.
    pub fn most(&self) -> usize {
        let usual = match self.kind {
            FieldKind::Email => 320,
            FieldKind::Phone => 64,
            FieldKind::Url => 2_048,
            FieldKind::Select(_) | FieldKind::MultiSelect(_) => 200,
            _ => 20_000,
        };
        self.max.unwrap_or(usual)
    }
}
