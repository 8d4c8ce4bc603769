//! What the account itself has: fields of its objects with their options, and values of settings to choose from.
//!
//! [`plan`] is what a manifest says about that, [`survey`] makes the calls of one object or setting, [`fit`] compares a mapping
//! with what is known.

mod fit;
mod plan;
mod survey;
mod view;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::manifest::FieldType;

pub use fit::Misfit;
pub(crate) use plan::{ChoicePlan, DiscoveryPlan};
pub use survey::{Findings, Survey};
pub use view::FieldView;

/// A value that a field or a setting takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What people read, where it is something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// A field that the account has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundField {
    /// The vendor's name of it.
    pub name: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it holds.
    pub field_type: FieldType,
    /// Whether a new record needs it.
    #[serde(default)]
    pub required: bool,
    /// Most characters of its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
    /// The values that it takes; empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<Choice>,
    /// Whether it takes other values, too.
    #[serde(default)]
    pub open: bool,
}

/// What was found out about one object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundObject {
    /// The fields that can be written, in the vendor's order.
    pub fields: Vec<FoundField>,
    /// Options that came apart from their fields, by field.
    #[serde(default)]
    pub options: BTreeMap<String, Vec<Choice>>,
    /// Whether `fields` are all that there are.
    pub complete: bool,
}

impl FoundObject {
    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&FoundField> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The options of a field.
    pub fn options_of(&self, name: &str) -> &[Choice] {
        match self.options.get(name) {
            Some(options) => options,
            None => self
                .field(name)
                .map(|field| field.options.as_slice())
                .unwrap_or_default(),
        }
    }
}
