//! Checks property values as the API does, and brings them into the form in which it shows them (fact sheet §5).

use serde_json::{Map, Value, json};

use super::schema::{Column, Source};

/// Most UTF-16 units of one text object.
const TEXT: usize = 2000;
/// Most items of a list.
const ITEMS: usize = 100;

/// The values of `properties` in the form in which they are shown, by the columns' names. New options of selects are added to the source.
///
/// # Errors
/// The message of the `validation_error`.
pub fn check(
    source: &mut Source,
    properties: &Map<String, Value>,
    may_add_options: bool,
) -> Result<Map<String, Value>, String> {
    let mut shown = Map::new();
    for (name, value) in properties {
        let (name, column) = source
            .column(name)
            .ok_or_else(|| format!("{name} is not a property that exists."))?;
        let kind = column.kind.as_str();
        let inner = match value.as_object() {
            Some(object) => object
                .get(kind)
                .ok_or_else(|| format!("{name} is expected to be {kind}."))?,
            None => {
                return Err(format!(
                    "body.properties.{name} should be an object, instead was `{value}`."
                ));
            }
        };
        let checked = check_kind(&name, &column, inner)?;
        if may_add_options {
            add_options(source, &name, kind, &checked);
        }
        shown.insert(name.clone(), json!({"id": column.id, "type": kind, kind: checked}));
    }
    Ok(shown)
}

fn check_kind(name: &str, column: &Column, value: &Value) -> Result<Value, String> {
    let place = format!("body.properties.{name}.{}", column.kind);
    let wrong = |expected: &str| Err(format!("{place} should be {expected}, instead was `{value}`."));
    match column.kind.as_str() {
        "title" | "rich_text" => check_text(&place, value),
        _ if value.is_null() => Ok(Value::Null),
        "number" if value.is_number() => Ok(value.clone()),
        "number" => wrong("a number"),
        "checkbox" if value.is_boolean() => Ok(value.clone()),
        "checkbox" => wrong("a boolean"),
        "select" => check_option(&place, value),
        "status" => match check_option(&place, value)? {
            option if column.options.iter().any(|known| option["name"] == *known) => Ok(option),
            option => Err(format!(
                "Invalid status option. Status option \"{}\" does not exist.",
                option["name"]
            )),
        },
        "multi_select" => {
            let options: Result<Vec<Value>, String> = list(&place, value)?
                .iter()
                .map(|option| check_option(&place, option))
                .collect();
            options.map(Value::Array)
        }
        "date" => check_date(&place, value),
        "url" | "email" | "phone_number" => match value.as_str() {
            Some(text) if text.encode_utf16().count() <= if column.kind == "url" { TEXT } else { 200 } => {
                Ok(value.clone())
            }
            _ => wrong("a string of allowed length"),
        },
        _ => list(&place, value).map(|items| Value::Array(items.clone())),
    }
}

fn list<'v>(place: &str, value: &'v Value) -> Result<&'v Vec<Value>, String> {
    match value.as_array() {
        Some(items) if items.len() <= ITEMS => Ok(items),
        Some(items) => Err(format!(
            "{place}.length should be ≤ `{ITEMS}`, instead was `{}`.",
            items.len()
        )),
        None => Err(format!("{place} should be an array, instead was `{value}`.")),
    }
}

fn check_text(place: &str, value: &Value) -> Result<Value, String> {
    let mut shown = Vec::new();
    for (at, item) in list(place, value)?.iter().enumerate() {
        let content = item["text"]["content"].as_str();
        let content = content.ok_or_else(|| format!("{place}[{at}].text.content should be a string."))?;
        let length = content.encode_utf16().count();
        if length > TEXT {
            return Err(format!(
                "{place}[{at}].text.content.length should be ≤ `{TEXT}`, instead was `{length}`."
            ));
        }
        let mut text = json!({"type": "text", "text": {"content": content, "link": Value::Null}});
        text["plain_text"] = content.into();
        shown.push(text);
    }
    Ok(shown.into())
}

fn check_option(place: &str, value: &Value) -> Result<Value, String> {
    match value["name"].as_str().or_else(|| value["id"].as_str()) {
        Some(name) if name.contains(',') => Err(format!("Invalid select option, commas not allowed: {name}")),
        Some(name) if name.is_empty() || name.encode_utf16().count() > 100 => {
            Err(format!("{place}.name.length should be 1 to 100."))
        }
        Some(name) => Ok(json!({"id": format!("opt-{name}"), "name": name, "color": "default"})),
        None => Err(format!("{place} should have a name, instead was `{value}`.")),
    }
}

fn check_date(place: &str, value: &Value) -> Result<Value, String> {
    let start = value["start"].as_str().unwrap_or_default();
    let is_day = start.parse::<jiff::civil::Date>().is_ok() && start.len() == 10;
    if is_day || start.parse::<jiff::Timestamp>().is_ok() || start.parse::<jiff::civil::DateTime>().is_ok() {
        let end = value.get("end").cloned().unwrap_or(Value::Null);
        Ok(json!({"start": start, "end": end, "time_zone": Value::Null}))
    } else {
        Err(format!(
            "{place}.start should be a valid ISO 8601 date string, instead was `{}`.",
            value["start"]
        ))
    }
}

fn add_options(source: &mut Source, name: &str, kind: &str, value: &Value) {
    let options: Vec<&Value> = match kind {
        "select" => vec![value],
        "multi_select" => value.as_array().map(|items| items.iter().collect()).unwrap_or_default(),
        _ => Vec::new(),
    };
    let names: Vec<String> = options
        .iter()
        .filter_map(|option| option["name"].as_str())
        .map(str::to_owned)
        .collect();
    if let Some(column) = source.columns.get_mut(name) {
        for name in names {
            if !column.options.contains(&name) {
                column.options.push(name);
            }
        }
    }
}

/// The plain text of a property as it is shown.
pub fn plain_text(property: &Value) -> String {
    let kind = property["type"].as_str().unwrap_or_default();
    match &property[kind] {
        Value::Array(items) => items.iter().filter_map(|item| item["plain_text"].as_str()).collect(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        other => other["name"]
            .as_str()
            .or_else(|| other["start"].as_str())
            .unwrap_or_default()
            .to_owned(),
    }
}
