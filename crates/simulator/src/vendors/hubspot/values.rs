//! Looks at the properties that a caller sends and brings them into the form in which they are stored (fact sheet §5, §9).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use indexmap::IndexMap;
use jiff::Timestamp;
use jiff::civil::Date;
use regex::Regex;
use serde_json::{Map, Value};

use super::schema::{Kind, Property};
use super::trouble::{BadValue, Trouble};

static EMAIL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$").ok());

/// The most characters of a text.
const MOST_TEXT: usize = 65_536;

/// The properties as they will be stored; an empty text clears a property.
///
/// # Errors
/// All properties that do not exist, are HubSpot's own, or have values that do not fit, in one error.
pub fn read(
    known: &IndexMap<String, Property>,
    properties: &Map<String, Value>,
) -> Result<BTreeMap<String, String>, Trouble> {
    let mut read = BTreeMap::new();
    let mut bad = Vec::new();
    for (name, value) in properties {
        // Names are compared without regard to case; HubSpot writes its own in lower case.
        let name = name.to_ascii_lowercase();
        let text = text(value)?;
        match stored(known.get(&name), &name, &text) {
            Ok(value) => {
                read.insert(name, value);
            }
            Err((code, message)) => bad.push(BadValue { name, code, message }),
        }
    }
    if bad.is_empty() {
        Ok(read)
    } else {
        Err(Trouble::values(&bad))
    }
}

/// A moment as HubSpot shows it: `2026-11-20T10:15:30.123Z`, without the fraction when there is none.
#[must_use]
pub fn moment(ms: i64) -> String {
    let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let format = if ms % 1_000 == 0 {
        "%Y-%m-%dT%H:%M:%SZ"
    } else {
        "%Y-%m-%dT%H:%M:%S.%3fZ"
    };
    at.strftime(format).to_string()
}

/// A moment from milliseconds since 1970, ISO 8601, or a day.
#[must_use]
pub fn parse_moment(text: &str) -> Option<i64> {
    let day = || {
        if text.len() == 10 {
            format!("{text}T00:00:00Z").parse::<Timestamp>().ok()
        } else {
            None
        }
    };
    let iso = || {
        text.parse::<Timestamp>()
            .ok()
            .or_else(day)
            .map(Timestamp::as_millisecond)
    };
    text.parse::<i64>()
        .ok()
        .filter(|ms| Timestamp::from_millisecond(*ms).is_ok())
        .or_else(iso)
}

/// Numbers and flags are taken for the texts that they are written as.
fn text(value: &Value) -> Result<String, Trouble> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Null => Ok(String::new()),
        Value::Array(_) | Value::Object(_) => {
            let token = if value.is_array() {
                "START_ARRAY"
            } else {
                "START_OBJECT"
            };
            Err(Trouble::invalid(format!(
                "Invalid input JSON on line 1, column 1: Cannot deserialize value of type `java.lang.String` from token \
                 `JsonToken.{token}`"
            )))
        }
    }
}

fn stored(property: Option<&Property>, name: &str, text: &str) -> Result<String, (&'static str, String)> {
    let Some(property) = property else {
        return Err(("PROPERTY_DOESNT_EXIST", format!("Property \"{name}\" does not exist")));
    };
    if property.read_only {
        let message = format!("\"{name}\" is a read only property; its value cannot be set.");
        return Err(("READ_ONLY_VALUE", message));
    }
    if text.is_empty() {
        return Ok(String::new());
    }
    match property.kind {
        Kind::Text if name == "email" => {
            let email = text.trim().to_lowercase();
            let good = EMAIL.as_ref().is_some_and(|pattern| pattern.is_match(&email));
            good.then_some(email)
                .ok_or_else(|| ("INVALID_EMAIL", format!("Email address {text} is invalid")))
        }
        Kind::Text | Kind::Phone => {
            let fits = text.chars().count() <= MOST_TEXT;
            let message = || format!("{name} has more than {MOST_TEXT} characters");
            fits.then(|| text.to_owned())
                .ok_or_else(|| ("PROPERTY_VALUE_TOO_LONG", message()))
        }
        Kind::Number => {
            let good = text.parse::<f64>().is_ok_and(f64::is_finite);
            good.then(|| text.to_owned())
                .ok_or_else(|| ("INVALID_LONG", format!("{text} was not a valid number.")))
        }
        Kind::DateTime => {
            let at = parse_moment(text).map(moment);
            at.ok_or_else(|| ("INVALID_DATE", format!("{text} was not a valid long.")))
        }
        Kind::Date => {
            let day = text
                .parse::<Date>()
                .ok()
                .filter(|_| text.len() == 10)
                .map(|_| text.to_owned());
            // A day given as a moment has to be its midnight in UTC.
            let midnight = || {
                let ms = parse_moment(text).filter(|ms| ms % 86_400_000 == 0)?;
                Some(moment(ms)[..10].to_owned())
            };
            let message = || format!("{text} is not a date: it is not midnight.");
            day.or_else(midnight).ok_or_else(|| ("INVALID_DATE", message()))
        }
        Kind::Bool => {
            let flag = text.to_ascii_lowercase();
            let good = matches!(flag.as_str(), "true" | "false");
            good.then_some(flag)
                .ok_or_else(|| ("INVALID_BOOLEAN", format!("{text} was not a valid boolean.")))
        }
        Kind::Enumeration => option(property, text).map(|()| text.to_owned()),
        Kind::Several => {
            let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
            parts.clone().try_for_each(|part| option(property, part))?;
            Ok(parts.collect::<Vec<_>>().join(";"))
        }
    }
}

fn option(property: &Property, value: &str) -> Result<(), (&'static str, String)> {
    if property.choices.iter().any(|choice| choice.value == value) {
        return Ok(());
    }
    let allowed: Vec<&str> = property.choices.iter().map(|choice| choice.value.as_str()).collect();
    Err((
        "INVALID_OPTION",
        format!("{value} was not one of the allowed options: [{}]", allowed.join(", ")),
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::schema::{object_type, properties};
    use super::*;

    fn one(kind: &str, name: &str, value: Value) -> Result<String, String> {
        let known = properties(object_type(kind).unwrap());
        let read = read(&known, json!({ name: value }).as_object().unwrap());
        read.map(|mut read| read.remove(&name.to_ascii_lowercase()).unwrap())
            .map_err(|trouble| {
                trouble.errors.first().map_or(trouble.message.clone(), |error| {
                    error["code"].as_str().unwrap().to_owned()
                })
            })
    }

    #[test]
    fn values_are_stored_as_texts_or_refused_with_a_code() {
        for (kind, name, value, expected) in [
            ("contacts", "email", json!(" Ana@Example.ORG "), Ok("ana@example.org")),
            ("contacts", "email", json!("ana@example"), Err("INVALID_EMAIL")),
            ("contacts", "FirstName", json!("Ана"), Ok("Ана")),
            ("contacts", "foo", json!("x"), Err("PROPERTY_DOESNT_EXIST")),
            ("contacts", "createdate", json!("1"), Err("READ_ONLY_VALUE")),
            ("contacts", "phone", json!(null), Ok("")),
            ("contacts", "lifecyclestage", json!("lead"), Ok("lead")),
            ("contacts", "lifecyclestage", json!("Lead"), Err("INVALID_OPTION")),
            ("tickets", "hs_ticket_priority", json!("HIGH"), Ok("HIGH")),
            ("tickets", "hs_ticket_priority", json!("high"), Err("INVALID_OPTION")),
            ("deals", "amount", json!(1200.5), Ok("1200.5")),
            ("deals", "amount", json!("1,200.50"), Err("INVALID_LONG")),
            (
                "deals",
                "closedate",
                json!("2026-12-15T00:00:00.000Z"),
                Ok("2026-12-15T00:00:00Z"),
            ),
            (
                "deals",
                "closedate",
                json!(1_765_756_800_123_i64),
                Ok("2025-12-15T00:00:00.123Z"),
            ),
            ("deals", "closedate", json!("next week"), Err("INVALID_DATE")),
            (
                "notes",
                "hs_timestamp",
                json!("2026-11-20T10:15:00+01:00"),
                Ok("2026-11-20T09:15:00Z"),
            ),
        ] {
            let found = one(kind, name, value.clone());
            assert_eq!(found.as_deref().map_err(String::as_str), expected, "{name} = {value}");
        }
    }

    #[test]
    fn all_bad_properties_are_told_at_once_in_both_shapes() {
        let known = properties(object_type("contacts").unwrap());
        let trouble = read(&known, json!({"a": "1", "b": "2"}).as_object().unwrap()).unwrap_err();
        assert_eq!(
            (trouble.status, trouble.category, trouble.errors.len()),
            (400, "VALIDATION_ERROR", 2)
        );
        assert_eq!(trouble.errors[1]["context"]["propertyName"], json!(["b"]));
        let list = trouble
            .message
            .strip_prefix("Property values were not valid: ")
            .unwrap();
        let list: Value = serde_json::from_str(list).unwrap();
        assert_eq!(
            (&list[0]["error"], &list[1]["name"]),
            (&json!("PROPERTY_DOESNT_EXIST"), &json!("b"))
        );
    }

    #[test]
    fn a_list_or_an_object_is_no_value() {
        let found = one("contacts", "firstname", json!(["a"])).unwrap_err();
        assert!(found.starts_with("Invalid input JSON"), "{found}");
    }
}
