//! Looks at the fields that a caller sends, as Salesforce does: first whether the JSON fits the fields at all, then whether the
//! row makes sense (fact sheet §9).

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use regex::Regex;
use serde_json::{Map, Value, json};

use super::schema::{Access, Field, Kind, Object};
use super::trouble::Trouble;

static EMAIL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[^\s@<>,;:]+@[^\s@<>,;:.]+(\.[^\s@<>,;:.]+)+$").ok());

/// The fields of a body with their values as they will be stored; null clears a field.
///
/// # Errors
/// What Salesforce says of a body that it refuses before it looks at the row, or of a row with bad values.
pub fn read(object: &Object, body: &Map<String, Value>, creating: bool) -> Result<Vec<(Field, Value)>, Trouble> {
    let mut values = Vec::new();
    for (name, value) in body {
        if name == "attributes" {
            continue;
        }
        let field = *object.field(name).ok_or_else(|| unknown_field(object, name))?;
        values.push((field, parse(&field, value)?));
    }
    let closed = |field: &Field| field.access == Access::Read || (field.access == Access::Create && !creating);
    let closed: Vec<&str> = values
        .iter()
        .filter(|(field, _)| closed(field))
        .map(|(field, _)| field.name)
        .collect();
    if !closed.is_empty() {
        let message = format!(
            "Unable to create/update fields: {}. Please check the security settings of this field and verify that it is \
             read/write for your profile or permission set.",
            closed.join(", ")
        );
        return Err(Trouble::row("INVALID_FIELD_FOR_INSERT_UPDATE", message, closed));
    }
    let given = |field: &Field| {
        values
            .iter()
            .find(|(other, _)| other.name == field.name)
            .map(|(_, value)| value)
    };
    let missing = object.fields.iter().filter(|field| field.required);
    let missing = missing.filter(|field| given(field).map_or(creating, Value::is_null));
    let missing: Vec<&str> = missing.map(|field| field.name).collect();
    if !missing.is_empty() {
        let message = format!("Required fields are missing: [{}]", missing.join(", "));
        return Err(Trouble::row("REQUIRED_FIELD_MISSING", message, missing));
    }
    values.iter().try_for_each(|(field, value)| sensible(field, value))?;
    Ok(values)
}

/// A field that the object does not have.
#[must_use]
pub fn unknown_field(object: &Object, name: &str) -> Trouble {
    let message = format!("No such column '{name}' on sobject of type {}", object.name);
    Trouble::new(400, "INVALID_FIELD", message)
}

/// A moment as Salesforce shows it: `2026-11-20T10:15:30.000+0000`. Such texts sort like the moments.
#[must_use]
pub fn moment(ms: i64) -> String {
    let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string()
}

/// A moment from ISO 8601 with an offset, as [`moment`] writes it.
#[must_use]
pub fn parse_moment(text: &str) -> Option<String> {
    text.parse::<Timestamp>().ok().map(|at| moment(at.as_millisecond()))
}

/// The value as it will be stored, if its JSON fits the field.
fn parse(field: &Field, value: &Value) -> Result<Value, Trouble> {
    let refuse = |kind: &str| {
        let token = match value {
            Value::String(text) => format!("VALUE_STRING value {text}"),
            Value::Number(number) if number.is_f64() => format!("VALUE_NUMBER_FLOAT value {number}"),
            Value::Number(number) => format!("VALUE_NUMBER_INT value {number}"),
            Value::Bool(flag) => format!("VALUE_{} value {flag}", flag.to_string().to_uppercase()),
            Value::Array(_) => "START_ARRAY value [".to_owned(),
            _ => "START_OBJECT value {".to_owned(),
        };
        let message = format!(
            "Cannot deserialize instance of {kind} from {token} or request may be missing a required field at \
             [line:1, column:1]"
        );
        Trouble::new(400, "JSON_PARSER_ERROR", message)
    };
    if value.is_null() {
        return Ok(Value::Null);
    }
    let text = value.as_str().map(str::trim);
    if text == Some("") && field.kind != Kind::Boolean {
        return Ok(Value::Null);
    }
    match field.kind {
        Kind::Boolean => {
            let flag = value
                .as_bool()
                .or_else(|| text.and_then(|text| text.to_ascii_lowercase().parse().ok()));
            flag.map(Value::Bool).ok_or_else(|| refuse("boolean"))
        }
        Kind::Integer => {
            let number = value.as_i64().or_else(|| text.and_then(|text| text.parse().ok()));
            let number = number.filter(|number| i32::try_from(*number).is_ok());
            number.map(|number| json!(number)).ok_or_else(|| refuse("int"))
        }
        Kind::Double | Kind::Currency | Kind::Percent => {
            let number = value.as_f64().or_else(|| text.and_then(|text| text.parse().ok()));
            number.map(|number| json!(number)).ok_or_else(|| refuse("double"))
        }
        Kind::Date => {
            // A day followed by a time is not a day; the parser alone would take its first part.
            let day = text.filter(|text| text.len() == 10 && text.parse::<Date>().is_ok());
            day.map(|day| json!(day)).ok_or_else(|| refuse("date"))
        }
        Kind::DateTime => {
            let at = text.and_then(|text| {
                let plain = || text.parse::<DateTime>().ok().map(|_| format!("{text}Z"));
                parse_moment(text).or_else(|| parse_moment(&plain()?))
            });
            at.map(Value::String).ok_or_else(|| refuse("datetime"))
        }
        _ => text.map(|text| json!(text)).ok_or_else(|| refuse("string")),
    }
}

/// Whether a stored text is allowed in the field.
fn sensible(field: &Field, value: &Value) -> Result<(), Trouble> {
    let Some(text) = value.as_str() else {
        return Ok(());
    };
    let trouble = |code, message: String| Err(Trouble::row(code, message, [field.name]));
    let long = field.length > 0 && !matches!(field.kind, Kind::Reference(_));
    if long && text.encode_utf16().count() > field.length {
        let shown: String = text.chars().take(100).collect();
        let message = format!(
            "{}: data value too large: {shown} (max length={})",
            field.name, field.length
        );
        return trouble("STRING_TOO_LONG", message);
    }
    match field.kind {
        Kind::Email if !EMAIL.as_ref().is_some_and(|pattern| pattern.is_match(text)) => trouble(
            "INVALID_EMAIL_ADDRESS",
            format!("{}: invalid email address: {text}", field.name),
        ),
        Kind::Picklist(values) if field.restricted && !values.contains(&text) => {
            let message = format!("{}: bad value for restricted picklist field: {text}", field.name);
            trouble("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::Schema;
    use super::super::settings::Settings;
    use super::*;

    fn code(object: &str, body: &Value, creating: bool) -> String {
        let schema = Schema::new(&Settings::default());
        let object = schema.object(object).unwrap();
        match read(object, body.as_object().unwrap(), creating) {
            Ok(_) => "ok".to_owned(),
            Err(trouble) => format!("{}: {}", trouble.code, trouble.message),
        }
    }

    #[test]
    fn texts_that_do_not_fit_are_refused_with_the_code_of_the_sheet() {
        let long = "ж".repeat(81);
        for (object, body, expected) in [
            ("Lead", json!({"lastname": "Петрова", "COMPANY": "客户"}), "ok"),
            (
                "Lead",
                json!({"LastName": "A", "Company": "B", "Foo__c": 1}),
                "INVALID_FIELD: No such column 'Foo__c' on sobject",
            ),
            (
                "Lead",
                json!({"Company": "B"}),
                "REQUIRED_FIELD_MISSING: Required fields are missing: [LastName]",
            ),
            (
                "Lead",
                json!({"LastName": " ", "Company": null}),
                "REQUIRED_FIELD_MISSING: Required fields are missing: [LastName, Company]",
            ),
            (
                "Lead",
                json!({"LastName": long, "Company": "B"}),
                "STRING_TOO_LONG: LastName: data value too large",
            ),
            (
                "Lead",
                json!({"LastName": "A", "Company": "B", "Email": "a@b"}),
                "INVALID_EMAIL_ADDRESS: Email: invalid email address: a@b",
            ),
            (
                "Lead",
                json!({"LastName": "A", "Company": "B", "IsConverted": true}),
                "INVALID_FIELD_FOR_INSERT_UPDATE: Unable to",
            ),
            (
                "Lead",
                json!({"LastName": 5, "Company": "B"}),
                "JSON_PARSER_ERROR: Cannot deserialize instance of string from VALUE_NUMBER_INT value 5",
            ),
            (
                "Lead",
                json!({"LastName": "A", "Company": "B", "LeadSource": "微信"}),
                "ok",
            ),
        ] {
            let found = code(object, &body, true);
            assert!(found.starts_with(expected), "{body}: {found}");
        }
    }

    #[test]
    fn picklists_numbers_and_days_are_refused_with_the_code_of_the_sheet() {
        for (object, body, expected) in [
            ("Task", json!({"TaskSubtype": "Call", "CallType": "Inbound"}), "ok"),
            (
                "Task",
                json!({"CallType": "inbound"}),
                "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST: CallType: bad value for restricted picklist field: inbound",
            ),
            (
                "Task",
                json!({"CallDurationInSeconds": "12s"}),
                "JSON_PARSER_ERROR: Cannot deserialize instance of int",
            ),
            (
                "Opportunity",
                json!({"Name": "Q", "StageName": "Prospecting", "CloseDate": "2026-12-15", "Amount": 1200.5}),
                "ok",
            ),
            (
                "Opportunity",
                json!({"Name": "Q", "StageName": "X", "CloseDate": "2026-12-15T00:00:00Z"}),
                "JSON_PARSER_ERROR: Cannot deserialize instance of date",
            ),
            (
                "Opportunity",
                json!({"Name": "Q", "StageName": "X", "CloseDate": "2026-13-15"}),
                "JSON_PARSER_ERROR: Cannot deserialize instance of date",
            ),
        ] {
            let found = code(object, &body, true);
            assert!(found.starts_with(expected), "{body}: {found}");
        }
    }

    #[test]
    fn an_update_needs_nothing_but_may_not_clear_what_is_required() {
        assert_eq!(code("Lead", &json!({"Phone": null}), false), "ok");
        assert!(code("Lead", &json!({"LastName": null}), false).starts_with("REQUIRED_FIELD_MISSING"));
        assert!(code("Task", &json!({"TaskSubtype": "Call"}), false).starts_with("INVALID_FIELD_FOR_INSERT_UPDATE"));
    }

    #[test]
    fn moments_are_stored_in_utc() {
        for (text, expected) in [
            ("2026-11-20T10:15:30.5+01:00", Some("2026-11-20T09:15:30.500+0000")),
            ("2026-11-20T10:15:30Z", Some("2026-11-20T10:15:30.000+0000")),
            ("2026-11-20T10:15:30.000+0000", Some("2026-11-20T10:15:30.000+0000")),
            ("2026-11-20T10:15:30", None),
            ("tomorrow", None),
        ] {
            assert_eq!(parse_moment(text).as_deref(), expected, "{text}");
        }
    }
}
