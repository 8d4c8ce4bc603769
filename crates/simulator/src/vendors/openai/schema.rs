//! Structured output: which schemas strict mode takes (fact sheet §5), and an answer in the form of one.

use serde_json::{Map, Value};

use super::trouble::Trouble;

/// Keywords of strict schemas that are known everywhere.
const KEYWORDS: [&str; 10] = [
    "type",
    "properties",
    "required",
    "additionalProperties",
    "enum",
    "items",
    "anyOf",
    "const",
    "description",
    "title",
];
/// Documented levels of nesting.
const DEEPEST: usize = 10;

/// Refuses a `response_format` that strict mode does not take. `prompt` is everything that the model reads.
///
/// # Errors
/// 400 with what is wrong.
pub fn check(format: &Value, prompt: &str) -> Result<(), Trouble> {
    let bad = |message: String| Err(Trouble::bad("invalid_json_schema", "response_format", message));
    match format["type"].as_str() {
        None if format.is_null() => Ok(()),
        Some("text") => Ok(()),
        Some("json_object") if prompt.contains("JSON") || prompt.contains("json") => Ok(()),
        Some("json_object") => Err(Trouble::bad(
            "invalid_value",
            "messages",
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
        )),
        Some("json_schema") => {
            let schema = &format["json_schema"];
            let name = schema["name"].as_str().unwrap_or_default();
            let fine = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
            if name.is_empty() || name.len() > 64 || !name.chars().all(fine) {
                return bad(format!("Invalid 'response_format.json_schema.name': '{name}'."));
            }
            if schema["schema"]["type"] != "object" {
                return bad("schema must be a JSON Schema of 'type: \"object\"'".into());
            }
            match strict(&schema["schema"], 1) {
                Err(message) if schema["strict"] == true => bad(message),
                _ => Ok(()),
            }
        }
        other => bad(format!("Invalid 'response_format.type': {other:?}.")),
    }
}

fn strict(schema: &Value, depth: usize) -> Result<(), String> {
    let Some(members) = schema.as_object() else {
        return Err("a schema is an object".into());
    };
    if depth > DEEPEST {
        return Err(format!("more than {DEEPEST} levels of nesting"));
    }
    if let Some(other) = members.keys().find(|keyword| !KEYWORDS.contains(&keyword.as_str())) {
        return Err(format!("'{other}' is not permitted"));
    }
    if schema["type"] == "object" {
        if schema["additionalProperties"] != false {
            return Err("'additionalProperties' is required to be supplied and to be false".into());
        }
        let none = Map::new();
        let properties = schema["properties"].as_object().unwrap_or(&none);
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        if let Some(missing) = properties
            .keys()
            .find(|name| !required.contains(&Value::from(name.as_str())))
        {
            return Err(format!(
                "'required' is required to include every key in properties. Missing '{missing}'"
            ));
        }
        for property in properties.values() {
            strict(property, depth + 1)?;
        }
    }
    if schema.get("items").is_some() {
        strict(&schema["items"], depth + 1)?;
    }
    Ok(())
}

/// An object in the form of a schema. Of several values it takes the one whose name stands in the message, else the last.
pub fn fill(schema: &Value, message: &str) -> Value {
    let none = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    let value = |property: &Value| match property["enum"].as_array() {
        Some(values) => chosen(values, message),
        None => match property["type"].as_str() {
            Some("integer" | "number") => 0.into(),
            Some("boolean") => false.into(),
            _ => "it reads like that".into(),
        },
    };
    let members = properties
        .iter()
        .map(|(name, property)| (name.clone(), value(property)));
    Value::Object(members.collect())
}

/// The value whose name stands in the message, else the last.
pub fn chosen(values: &[Value], message: &str) -> Value {
    let message = message.to_lowercase();
    let named = values.iter().find(|value| {
        let name = value.as_str().unwrap_or_default().to_lowercase();
        !name.is_empty() && message.contains(&name)
    });
    named.or(values.last()).cloned().unwrap_or_default()
}
