//! Values of columns: what is taken, how it is kept, how it is shown (fact sheet §5, formats).
//!
//! Kept are: shown text objects for `title` and `rich_text`; names for options; for the rest what was sent.

use serde_json::{Map, Value, json};

use super::dates;
use super::schema::{Column, Source, is_read_only};
use super::texts;
use super::trouble::Trouble;

const URL: usize = 2_000;
const SHORT: usize = 200;
const OPTION: usize = 100;

/// Values that were checked.
#[derive(Debug, Default, PartialEq)]
pub struct Written {
    /// By column id.
    pub values: Vec<(String, Value)>,
    /// Options that do not exist yet: column id and name.
    pub options: Vec<(String, String)>,
}

/// Checks the values of `properties`, whose keys are names or ids of columns.
///
/// # Errors
/// `validation_error`.
pub fn read(source: &Source, properties: &Map<String, Value>, may_add_options: bool) -> Result<Written, Trouble> {
    let mut written = Written::default();
    for (key, value) in properties {
        let Some((name, column)) = source.column(key) else {
            return Err(Trouble::bad(format!("{key} is not a property that exists.")));
        };
        let place = format!("body.properties.{key}");
        let Some(given) = value.as_object() else {
            return Err(Trouble::expected(&place, "an object", value));
        };
        if is_read_only(column.kind) {
            return Err(Trouble::bad(format!(
                "{name} is of type {} and cannot be written.",
                column.kind
            )));
        }
        let Some(inner) = given.get(column.kind) else {
            return Err(Trouble::bad(format!("{name} is expected to be {}.", column.kind)));
        };
        let kept = read_kind(&format!("{place}.{}", column.kind), column, inner)?;
        for option in new_options(column, &kept) {
            if !may_add_options {
                return Err(Trouble::bad(format!(
                    "Cannot create a new option `{option}` for {name}."
                )));
            }
            written.options.push((column.id.clone(), option));
        }
        written.values.push((column.id.clone(), kept));
    }
    Ok(written)
}

fn read_kind(place: &str, column: &Column, value: &Value) -> Result<Value, Trouble> {
    let takes = |fits: bool, expected: &str| match fits {
        true => Ok(value.clone()),
        false => Err(Trouble::expected(place, expected, value)),
    };
    match column.kind {
        "title" | "rich_text" => texts::read(place, value),
        "checkbox" => takes(value.is_boolean(), "a boolean"),
        "multi_select" => {
            let option = |(at, option)| read_option(&format!("{place}[{at}]"), column, option);
            let options = texts::list(place, value)?.iter().enumerate().map(option);
            options.collect::<Result<Vec<Value>, Trouble>>().map(Value::Array)
        }
        "relation" | "people" | "files" => texts::list(place, value).map(|items| json!(items)),
        _ if value.is_null() => Ok(Value::Null),
        "number" => takes(value.is_number(), "a number"),
        "select" => read_option(place, column, value),
        "status" => match read_option(place, column, value)? {
            Value::String(name) if !column.options.contains_key(&name) => Err(Trouble::bad(format!(
                "Invalid status option. Status option \"{name}\" does not exist."
            ))),
            option => Ok(option),
        },
        "date" => read_date(place, value),
        "url" => texts::string(place, value, URL).map(Value::from),
        _ => texts::string(place, value, SHORT).map(Value::from),
    }
}

/// The name of an option that is given by name or by id.
fn read_option(place: &str, column: &Column, value: &Value) -> Result<Value, Trouble> {
    if let Some(id) = value["id"].as_str() {
        let known = column.options.iter().find(|(_, known)| *known == id);
        return match known {
            Some((name, _)) => Ok(json!(name)),
            None => Err(Trouble::bad(format!("Option with id {id} does not exist."))),
        };
    }
    let place = format!("{place}.name");
    let name = texts::string(&place, &value["name"], OPTION)?;
    match name {
        "" => Err(Trouble::body(
            &format!("{place}.length"),
            "should be ≥ `1`, instead was `0`.",
        )),
        _ if name.contains(',') => Err(Trouble::bad(format!(
            "Invalid select option, commas not allowed: {name}"
        ))),
        _ => Ok(json!(name)),
    }
}

fn new_options(column: &Column, kept: &Value) -> Vec<String> {
    let names = match (column.kind, kept) {
        ("select", Value::String(_)) => std::slice::from_ref(kept),
        ("multi_select", Value::Array(names)) => names.as_slice(),
        _ => &[],
    };
    let new = names.iter().filter_map(Value::as_str);
    new.filter(|name| !column.options.contains_key(*name))
        .map(str::to_owned)
        .collect()
}

fn read_date(place: &str, value: &Value) -> Result<Value, Trouble> {
    let read = |field: &str| {
        let text = value[field].as_str().and_then(dates::read);
        text.ok_or_else(|| {
            Trouble::expected(
                &format!("{place}.{field}"),
                "a valid ISO 8601 date string",
                &value[field],
            )
        })
    };
    let start = read("start")?;
    let end = if value["end"].is_null() {
        None
    } else {
        Some(read("end")?)
    };
    if end.as_ref().is_some_and(|end| end.ms < start.ms) {
        return Err(Trouble::bad(format!(
            "{place}: the end date must not be before the start date."
        )));
    }
    Ok(json!({"start": start.shown, "end": end.map(|end| end.shown), "time_zone": value["time_zone"]}))
}

/// A kept value as a page shows it; `None` is a value that was never written. What Notion computes is not here.
#[must_use]
pub fn show(column: &Column, kept: Option<&Value>) -> Value {
    let kept = kept.unwrap_or(&Value::Null);
    let option = |name: &Value| name.as_str().map_or(Value::Null, |name| column.show_option(name));
    match (column.kind, kept) {
        ("select" | "status", name) => option(name),
        ("multi_select", Value::Array(names)) => names.iter().map(option).collect(),
        ("title" | "rich_text" | "multi_select" | "relation" | "people" | "files", Value::Null) => json!([]),
        ("checkbox", Value::Null) => json!(false),
        ("formula", _) => json!({"type": "string", "string": null}),
        ("rollup", _) => json!({"type": "array", "array": [], "function": "show_original"}),
        ("button", _) => json!({}),
        _ => kept.clone(),
    }
}

/// The text by which a value is searched and sorted; empty when there is none.
#[must_use]
pub fn plain(kind: &str, kept: Option<&Value>) -> String {
    match (kind, kept) {
        ("title" | "rich_text", Some(kept)) => texts::plain(kept),
        ("date", Some(kept)) => kept["start"].as_str().unwrap_or_default().to_owned(),
        (_, Some(Value::String(text))) => text.clone(),
        _ => String::new(),
    }
}
