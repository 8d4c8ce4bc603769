//! Brings a value into the form in which a field keeps it.

use jiff::civil::{Date, Time};
use phonenumber::{Mode, country::Id};
use serde_json::{Map, Number, Value, json};

use super::{
    field::{Choice, Field, FieldKind},
    key,
    object::ObjectType,
};
use crate::{id::RecordId, moment::read_moment, nearest::nearest};

/// Most bytes of a `json` field.
const MOST_JSON: usize = 65_536;
/// Most values of a list.
const MOST_VALUES: usize = 200;
/// Longest name of another system that ids are of, in characters. It is part of what records are found by.
const LONGEST_SYSTEM: usize = 60;

/// A value as it is kept, or what has to be looked for first.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Read {
    /// As it is kept.
    Kept(Value),
    /// A record of another object, by its name.
    Named(String),
}

/// Reads a value of a field; says in a sentence why it cannot be one.
pub(super) fn read(object: &ObjectType, field: &Field, value: &Value) -> Result<Read, String> {
    if let FieldKind::Lookup(_) = field.kind {
        return lookup(field, value);
    }
    let kept = match &field.kind {
        FieldKind::Text | FieldKind::Lookup(_) => Value::String(text(field, value)?),
        FieldKind::Integer => integer(value)
            .map(Value::from)
            .ok_or_else(|| expected(value, "a whole number"))?,
        FieldKind::Number => number(value)
            .map(Value::Number)
            .ok_or_else(|| expected(value, "a number"))?,
        FieldKind::Boolean => boolean(value)
            .map(Value::Bool)
            .ok_or_else(|| expected(value, "`true` or `false`"))?,
        FieldKind::Date => Value::String(date(value).ok_or_else(|| expected(value, "a day such as 2026-11-24"))?),
        FieldKind::Time => Value::String(time(value).ok_or_else(|| expected(value, "a time of day such as 09:30:00"))?),
        FieldKind::Datetime => read_moment(value)
            .map(|moment| Value::String(moment.to_string()))
            .ok_or_else(|| expected(value, "a moment such as 2026-11-24T09:30:00Z"))?,
        FieldKind::Email => {
            let text = text(field, value)?;
            Value::String(key::email(&text).ok_or_else(|| expected(value, "an e-mail address"))?)
        }
        FieldKind::Phone => {
            Value::String(phone(object, &text(field, value)?).ok_or_else(|| expected(value, "a telephone number"))?)
        }
        FieldKind::Url => {
            Value::String(url(&text(field, value)?).ok_or_else(|| expected(value, "an address on the web"))?)
        }
        FieldKind::Money => money(value)
            .ok_or_else(|| expected(value, "an amount such as {\"amount\": 12.5, \"currency\": \"EUR\"}"))?,
        FieldKind::Select(choices) => Value::String(choose(choices, &text(field, value)?)?),
        FieldKind::MultiSelect(choices) => several(field, choices, value)?,
        FieldKind::Json => anything(value)?,
        FieldKind::Ids => ids(value)?,
    };
    Ok(Read::Kept(kept))
}

/// A value in the form in which a field keeps it, for comparing with what is kept.
///
/// # Errors
/// Why it cannot be one, in words that follow the field's name.
pub fn bring(object: &ObjectType, field: &Field, value: &Value) -> Result<Value, String> {
    match read(object, field, value)? {
        Read::Kept(kept) => Ok(kept),
        Read::Named(_) => Err("refers to a record and is compared with its id (`rec_…`)".to_owned()),
    }
}

fn expected(value: &Value, what: &str) -> String {
    let shown = match value {
        Value::String(text) => format!("`{}`", text.chars().take(60).collect::<String>()),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => other.to_string(),
    };
    format!("is {shown}, and {what} is expected")
}

/// Text of at most so many characters. U+0000, which no database of ours keeps, is replaced by the sign for what cannot be shown.
fn text(field: &Field, value: &Value) -> Result<String, String> {
    let text = match value {
        Value::String(text) => text.replace('\0', "\u{fffd}"),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => return Err(expected(value, "a text")),
    };
    let (length, most) = (text.chars().count(), field.most());
    if length > most {
        return Err(format!("has {length} characters; at most {most} are possible"));
    }
    Ok(text)
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64()?;
            // Beyond this not every whole number has a value of its own.
            (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => {
            let text = text.trim();
            let whole = text.parse::<i64>().map(Number::from).ok();
            whole.or_else(|| text.parse::<f64>().ok().and_then(Number::from_f64))
        }
        _ => None,
    }
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Value::String(text) => match text.trim().to_lowercase().as_str() {
            "true" | "yes" | "1" => Some(true),
            "false" | "no" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn date(value: &Value) -> Option<String> {
    let text = value.as_str().map(str::trim).unwrap_or_default();
    let plain = text.parse::<Date>().ok().filter(|_| text.len() <= 10);
    let dotted = || jiff::fmt::strtime::parse("%d.%m.%Y", text).ok()?.to_date().ok();
    let of_moment = || Some(read_moment(value)?.to_zoned_datetime(jiff::tz::TimeZone::UTC).date());
    let date = plain.or_else(dotted).or_else(of_moment)?;
    Some(date.to_string())
}

fn time(value: &Value) -> Option<String> {
    let text = value.as_str()?.trim();
    let time: Time = match text.len() {
        5 => format!("{text}:00").parse().ok()?,
        _ => text.parse().ok()?,
    };
    Some(time.to_string())
}

/// As E.164 where it can be read as a number with its country; else as it was written.
fn phone(object: &ObjectType, written: &str) -> Option<String> {
    let written = written.trim();
    let normal = match written.strip_prefix("00") {
        Some(rest) => format!("+{rest}"),
        None => written.to_owned(),
    };
    let country = object.country.as_deref().and_then(|country| country.parse::<Id>().ok());
    let parsed = phonenumber::parse(country, &normal).ok();
    if let Some(number) = parsed.filter(phonenumber::is_valid) {
        return Some(number.format().mode(Mode::E164).to_string());
    }
    let digits = written.chars().filter(char::is_ascii_digit).count();
    (digits >= 3).then(|| written.to_owned())
}

fn url(text: &str) -> Option<String> {
    let text = text.trim();
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let is_one = !text.contains(char::is_whitespace) && rest.split('/').next()?.contains('.');
    is_one.then(|| text.to_owned())
}

fn money(value: &Value) -> Option<Value> {
    let (amount, currency) = match value {
        Value::Object(members) => (
            number(members.get("amount")?)?,
            members.get("currency").and_then(Value::as_str),
        ),
        Value::String(text) => match text.trim().rsplit_once(' ') {
            Some((amount, currency)) => (number(&json!(amount))?, Some(currency)),
            None => (number(value)?, None),
        },
        other => (number(other)?, None),
    };
    let mut members = Map::from_iter([("amount".to_owned(), Value::Number(amount))]);
    if let Some(currency) = currency.map(str::trim).filter(|currency| !currency.is_empty()) {
        let is_code = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_alphabetic());
        if !is_code {
            return None;
        }
        members.insert("currency".into(), currency.to_ascii_uppercase().into());
    }
    Some(Value::Object(members))
}

/// The choice that is meant by its value or title, in any case; anything where there are none to choose from.
fn choose(choices: &[Choice], text: &str) -> Result<String, String> {
    if choices.is_empty() {
        return Ok(text.to_owned());
    }
    let plain = |text: &str| text.trim().to_lowercase().replace(['_', '-'], " ");
    let wanted = plain(text);
    let found = choices.iter().find(|choice| choice.value == text);
    let found = found.or_else(|| {
        choices.iter().find(|choice| {
            plain(&choice.value) == wanted || choice.title.as_deref().is_some_and(|title| plain(title) == wanted)
        })
    });
    found.map(|choice| choice.value.clone()).ok_or_else(|| {
        let known: Vec<&str> = choices.iter().map(|choice| choice.value.as_str()).collect();
        let hint = nearest(text, known.iter().copied());
        let hint = hint.map(|hint| format!("; did you mean `{hint}`?")).unwrap_or_default();
        let shown: String = text.chars().take(60).collect();
        format!("is `{shown}`, and there are {}{hint}", known.join(", "))
    })
}

fn several(field: &Field, choices: &[Choice], value: &Value) -> Result<Value, String> {
    let items: Vec<Value> = match value {
        Value::Array(items) => items.clone(),
        Value::String(text) => text.split([',', ';']).map(|part| json!(part.trim())).collect(),
        _ => return Err(expected(value, "a list of texts")),
    };
    if items.len() > MOST_VALUES {
        return Err(format!(
            "has {} values; at most {MOST_VALUES} are possible",
            items.len()
        ));
    }
    let mut chosen: Vec<String> = Vec::with_capacity(items.len());
    for item in &items {
        let one = choose(choices, &text(field, item)?)?;
        if !one.is_empty() && !chosen.contains(&one) {
            chosen.push(one);
        }
    }
    Ok(json!(chosen))
}

fn anything(value: &Value) -> Result<Value, String> {
    let text = value.to_string();
    if text.len() > MOST_JSON {
        return Err(format!(
            "takes {} bytes as JSON; at most {MOST_JSON} are possible",
            text.len()
        ));
    }
    Ok(without_nul(value))
}

fn without_nul(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('\0', "\u{fffd}")),
        Value::Array(items) => items.iter().map(without_nul).collect(),
        Value::Object(members) => {
            let each = members.iter();
            Value::Object(
                each.map(|(key, value)| (key.replace('\0', "\u{fffd}"), without_nul(value)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

fn ids(value: &Value) -> Result<Value, String> {
    let members = value
        .as_object()
        .ok_or_else(|| expected(value, "an object such as {\"shopify\": \"1001\"}"))?;
    if members.len() > MOST_VALUES {
        return Err(format!("has {} ids; at most {MOST_VALUES} are possible", members.len()));
    }
    let mut read = Map::new();
    for (system, id) in members {
        let length = system.chars().count();
        if length > LONGEST_SYSTEM {
            let shown: String = system.chars().take(LONGEST_SYSTEM).collect();
            return Err(format!(
                "names a system `{shown}…` with {length} characters; at most {LONGEST_SYSTEM} are possible"
            ));
        }
        let id = match id {
            Value::Null => Value::Null,
            Value::String(text) if text.chars().count() <= 200 => json!(text.replace('\0', "\u{fffd}")),
            Value::Number(number) => json!(number.to_string()),
            other => {
                return Err(format!(
                    "has for `{system}` what {}",
                    expected(other, "a text of at most 200 characters")
                ));
            }
        };
        read.insert(system.replace('\0', "\u{fffd}"), id);
    }
    Ok(Value::Object(read))
}

/// An id, or a name by which the record is found or made; also as `{"id": …}` or `{"name": …}`.
fn lookup(field: &Field, value: &Value) -> Result<Read, String> {
    let value = match value {
        Value::Object(members) => members
            .get("id")
            .or_else(|| members.get("name"))
            .ok_or_else(|| expected(value, "the id or the name of a record"))?,
        other => other,
    };
    let text = text(field, value)?;
    let text = text.trim();
    if text.is_empty() {
        return Ok(Read::Kept(Value::Null));
    }
    Ok(match text.parse::<RecordId>() {
        Ok(id) => Read::Kept(json!(id.to_string())),
        Err(_) => Read::Named(text.to_owned()),
    })
}
