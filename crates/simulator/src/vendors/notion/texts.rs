//! Rich text: what is taken and how it is shown (fact sheet §5, formats).

use serde_json::{Value, json};

use super::trouble::Trouble;

/// Most UTF-16 units of one text object.
const TEXT: usize = 2_000;
/// Most items of a list.
pub const ITEMS: usize = 100;

/// A list with at most [`ITEMS`] items.
///
/// # Errors
/// `validation_error` with the place.
pub fn list<'v>(place: &str, value: &'v Value) -> Result<&'v Vec<Value>, Trouble> {
    match value.as_array() {
        Some(items) if items.len() <= ITEMS => Ok(items),
        Some(items) => Err(Trouble::length(place, ITEMS, items.len())),
        None => Err(Trouble::expected(place, "an array", value)),
    }
}

/// A string of at most so many UTF-16 units.
///
/// # Errors
/// `validation_error` with the place.
pub fn string<'v>(place: &str, value: &'v Value, most: usize) -> Result<&'v str, Trouble> {
    let text = value
        .as_str()
        .ok_or_else(|| Trouble::expected(place, "a string", value))?;
    match text.encode_utf16().count() {
        length if length > most => Err(Trouble::length(place, most, length)),
        _ => Ok(text),
    }
}

/// A list of text objects in the form in which they are shown.
///
/// # Errors
/// `validation_error` with the place.
pub fn read(place: &str, value: &Value) -> Result<Value, Trouble> {
    let item = |(at, item): (usize, &Value)| {
        let place = format!("{place}[{at}]");
        match item["type"].as_str().unwrap_or("text") {
            "text" if item["text"].is_object() => {}
            "text" => {
                return Err(Trouble::body(
                    &format!("{place}.text"),
                    "should be defined, instead was `undefined`.",
                ));
            }
            other => return Err(Trouble::body(&place, &format!("of type `{other}` is not simulated."))),
        }
        let content = string(&format!("{place}.text.content"), &item["text"]["content"], TEXT)?;
        let link = &item["text"]["link"];
        if !link.is_null() {
            string(&format!("{place}.text.link.url"), &link["url"], TEXT)?;
        }
        Ok(json!({
            "type": "text",
            "text": {"content": content, "link": link},
            "annotations": annotations(&item["annotations"]),
            "plain_text": content,
            "href": link["url"],
        }))
    };
    let items = list(place, value)?.iter().enumerate().map(item);
    items.collect::<Result<Vec<Value>, Trouble>>().map(Value::Array)
}

fn annotations(given: &Value) -> Value {
    let flag = |name: &str| given[name].as_bool().unwrap_or(false);
    json!({
        "bold": flag("bold"), "italic": flag("italic"), "strikethrough": flag("strikethrough"),
        "underline": flag("underline"), "code": flag("code"), "color": given["color"].as_str().unwrap_or("default"),
    })
}

/// The text of a list of shown text objects.
#[must_use]
pub fn plain(value: &Value) -> String {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(|item| item["plain_text"].as_str()).collect()
}
