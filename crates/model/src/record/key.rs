//! What a record is known by: values in one form, whoever wrote them and however.

use phonenumber::{Mode, country::Id};
use serde_json::{Map, Value};

use super::{
    field::{Field, FieldKind},
    object::{EXTERNAL_IDS, MESSENGER_IDS, ObjectType},
};

/// By what two records are known to be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MatchBy {
    /// The id that a system has for it.
    External,
    /// The id that a messenger has for a person.
    Messenger,
    /// The value of a field.
    Field(String),
}

impl MatchBy {
    /// The word for it, with which a caller asks for this key alone.
    pub fn word(&self) -> &str {
        match self {
            Self::External => "externalId",
            Self::Messenger => "messengerId",
            Self::Field(name) => name,
        }
    }
}

/// One thing that a record is known by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MatchKey {
    /// What it is: `email`, `phone`, `externalId:shopify`.
    pub kind: String,
    /// The value in its one form.
    pub value: String,
}

/// Longest value of a key; what is longer is no key.
const LONGEST: usize = 400;

/// What a record with these values is known by, the strongest first.
pub fn keys(object: &ObjectType, data: &Map<String, Value>) -> Vec<MatchKey> {
    let mut found = Vec::new();
    for by in &object.keys {
        match by {
            MatchBy::External => of_ids("externalId", data.get(EXTERNAL_IDS), &mut found),
            MatchBy::Messenger => of_ids("messengerId", data.get(MESSENGER_IDS), &mut found),
            MatchBy::Field(name) => found.extend(
                object
                    .fields
                    .get(name)
                    .and_then(|field| Some((field, data.get(name)?)))
                    .and_then(|(field, value)| of_field(object, field, value)),
            ),
        }
    }
    found
}

/// What makes a record with these values suspicious of being another one that has the same: never enough to take them for one.
pub fn suspicions(object: &ObjectType, data: &Map<String, Value>) -> Vec<MatchKey> {
    let all = object.suspicions.iter().filter_map(|fields| {
        let parts: Option<Vec<String>> = fields.iter().map(|name| plain(data.get(name)?)).collect();
        Some(MatchKey {
            kind: format!("~{}", fields.join("+")),
            value: short(parts?.join("\u{1f}"))?,
        })
    });
    all.collect()
}

fn of_ids(kind: &str, ids: Option<&Value>, found: &mut Vec<MatchKey>) {
    for (system, id) in ids.and_then(Value::as_object).into_iter().flatten() {
        let value = match id {
            Value::String(text) => short(text.trim().to_owned()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        found.extend(value.map(|value| MatchKey {
            kind: format!("{kind}:{}", system.to_lowercase()),
            value,
        }));
    }
}

fn of_field(object: &ObjectType, field: &Field, value: &Value) -> Option<MatchKey> {
    let value = match &field.kind {
        FieldKind::Email => email(value.as_str()?)?,
        FieldKind::Phone => phone(value.as_str()?, object.country.as_deref())?,
        FieldKind::Url => host(value.as_str()?)?,
        _ => plain(value)?,
    };
    Some(MatchKey {
        kind: field.name.clone(),
        value: short(value)?,
    })
}

fn short(value: String) -> Option<String> {
    (!value.is_empty() && value.len() <= LONGEST).then_some(value)
}

/// Letters in lower case, one space between words.
fn plain(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.to_lowercase(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => return None,
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    Some(words.join(" ")).filter(|text| !text.is_empty())
}

/// An e-mail address in the one form in which it is compared; `None` when it is none.
pub fn email(text: &str) -> Option<String> {
    let text = text.trim();
    let (name, host) = text.rsplit_once('@')?;
    let is_one = !name.is_empty() && !host.is_empty() && !text.contains(char::is_whitespace);
    is_one.then(|| text.trim_end_matches('.').to_lowercase())
}

/// A telephone number in the one form in which it is compared: its digits with the country's code and without any prefix. `country` is that
/// of numbers that come without one; where there is none, their digits are compared as they are. `None`: fewer than six digits.
pub fn phone(text: &str, country: Option<&str>) -> Option<String> {
    let text = text.trim();
    let has_country = text.starts_with('+') || text.starts_with("00");
    if let Some(country) = country.filter(|_| !has_country)
        && let Ok(region) = country.parse::<Id>()
        && let Ok(number) = phonenumber::parse(Some(region), text)
        && phonenumber::is_valid(&number)
    {
        let full = number.format().mode(Mode::E164).to_string();
        return Some(full.trim_start_matches('+').to_owned());
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.strip_prefix("00").map(str::to_owned).unwrap_or(digits);
    (6..=20).contains(&digits.len()).then_some(digits)
}

/// The host of an address on the web, without `www.`.
fn host(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let rest = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next()?;
    let host = host.rsplit('@').next()?.split(':').next()?;
    let host = host.strip_prefix("www.").unwrap_or(host).trim_end_matches('.');
    (host.contains('.')).then(|| host.to_owned())
}
