//! One field of a vendor's object.

use std::collections::HashMap;

use serde_json::{Number, Value};

use super::{length, moment};
use crate::{
    manifest::{FieldSpec, FieldType, Invalid, Other, Overlong},
    reading::text_of,
};

/// A field that a manifest lists.
#[derive(Debug)]
pub struct Field {
    /// The vendor's name of it.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// Other names that mappings use.
    pub aliases: Vec<String>,
    /// What it holds.
    pub field_type: FieldType,
    /// Whether a new record needs it.
    pub required: bool,
    /// Most UTF-16 units of its text.
    pub max: Option<usize>,
    over: Overlong,
    choices: Vec<String>,
    by_word: HashMap<String, usize>,
    other: Other,
    invalid: Invalid,
}

impl Field {
    pub(super) fn new(name: &str, spec: &FieldSpec) -> Self {
        let mut by_word = HashMap::new();
        for (index, (value, words)) in spec.values.iter().enumerate() {
            for word in std::iter::once(value).chain(words) {
                by_word.entry(word.to_lowercase()).or_insert(index);
            }
        }
        Self {
            name: name.to_owned(),
            title: spec.title.clone(),
            aliases: spec.aliases.clone(),
            field_type: spec.field_type,
            required: spec.required,
            max: spec.max,
            over: spec.over,
            choices: spec.values.keys().cloned().collect(),
            by_word,
            other: spec.other,
            invalid: spec.invalid,
        }
    }

    /// The values that a choice is made of.
    pub fn choices(&self) -> &[String] {
        &self.choices
    }

    /// Whether a value of another type is refused, and not just left out.
    pub(crate) fn refuses(&self) -> bool {
        self.invalid == Invalid::Reject
    }

    /// Whether it takes values that the manifest does not list.
    pub(crate) fn takes_other(&self) -> bool {
        self.field_type != FieldType::Choice || self.other == Other::Pass
    }

    /// Whether the manifest has this word for one of its values.
    pub(crate) fn translates(&self, word: &str) -> bool {
        self.by_word.contains_key(&word.trim().to_lowercase())
    }

    /// Whether several values of it are written as one text.
    pub(super) fn joins(&self) -> bool {
        matches!(self.field_type, FieldType::Text | FieldType::Choice)
    }

    /// The value as the vendor takes it; `None` when it is left out; or why it cannot be taken.
    pub(super) fn convert(&self, value: Value) -> Result<Option<Value>, String> {
        match self.typed(value) {
            Ok(value) => Ok(value),
            Err(_) if self.invalid == Invalid::Drop => Ok(None),
            Err(message) => Err(message),
        }
    }

    fn typed(&self, value: Value) -> Result<Option<Value>, String> {
        match self.field_type {
            FieldType::Any => Ok(Some(value)),
            FieldType::Text => self.text(scalar(&value)?),
            FieldType::Phone => self.text(scalar(&value)?.trim().to_owned()),
            FieldType::Email => {
                let text = scalar(&value)?.trim().to_owned();
                if looks_like_email(&text) {
                    self.text(text)
                } else {
                    Err(format!("`{text}` is no e-mail address"))
                }
            }
            FieldType::Number => number(&value).map(Some).ok_or_else(|| format!("{value} is no number")),
            FieldType::Integer => {
                let whole = number(&value).filter(|number| number.is_i64() || number.is_u64());
                whole.map(Some).ok_or_else(|| format!("{value} is no whole number"))
            }
            FieldType::Boolean => boolean(&value)
                .map(|flag| Some(flag.into()))
                .ok_or_else(|| format!("{value} is neither yes nor no")),
            FieldType::Date => moment::date(&value)
                .map(Some)
                .ok_or_else(|| format!("{value} is no day")),
            FieldType::Datetime => moment::datetime(&value)
                .map(Some)
                .ok_or_else(|| format!("{value} is no point in time")),
            FieldType::Choice => self.choice(scalar(&value)?),
        }
    }

    fn text(&self, text: String) -> Result<Option<Value>, String> {
        match self.max {
            Some(max) if !length::fits(&text, max) => match self.over {
                Overlong::Cut => Ok(Some(length::cut(&text, max).into())),
                Overlong::Reject => Err(format!("is longer than {max} characters")),
            },
            _ => Ok(Some(text.into())),
        }
    }

    fn choice(&self, text: String) -> Result<Option<Value>, String> {
        if let Some(index) = self.by_word.get(&text.trim().to_lowercase()) {
            return Ok(Some(self.choices[*index].clone().into()));
        }
        match self.other {
            Other::Pass => self.text(text),
            Other::Drop => Ok(None),
            Other::Reject => Err(format!("`{text}` is none of {}", self.choices.join(", "))),
        }
    }
}

fn scalar(value: &Value) -> Result<String, String> {
    let kind = if value.is_array() { "a list" } else { "an object" };
    text_of(value)
        .map(|text| text.into_owned())
        .ok_or_else(|| format!("is {kind}, where text is wanted"))
}

/// Good enough to spare the vendor what is surely none; the vendor checks the rest.
fn looks_like_email(text: &str) -> bool {
    let plain = !text.chars().any(|letter| letter.is_whitespace() || letter.is_control());
    let parts = text
        .rsplit_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !name.contains('@'));
    plain && parts
}

/// The number that a value is or that a text names; whole where it is written so.
pub(super) fn number(value: &Value) -> Option<Value> {
    match value {
        Value::Number(_) => Some(value.clone()),
        Value::String(text) => {
            let text = text.trim();
            let whole = text.parse::<i64>().ok().map(Value::from);
            whole.or_else(|| Number::from_f64(text.parse().ok()?).map(Value::Number))
        }
        _ => None,
    }
}

fn boolean(value: &Value) -> Option<bool> {
    match text_of(value)?.trim().to_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}
