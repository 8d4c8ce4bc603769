//! Bodies: JSON, forms, multipart, text. Whatever comes, there is an answer and never a panic: what cannot be read becomes its text,
//! with the reason beside it, and the bytes stay in the callback.

mod charset;
mod form;
mod json;
mod multipart;

use serde_json::Value;

pub(super) use charset::is_known;
pub(super) use form::add;

use super::{
    request::Request,
    shape::{BodySpec, Format},
};

/// A body that was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Body {
    /// What it says.
    pub value: Value,
    /// Why it is not what it claims to be; then `value` is its text.
    pub fault: Option<String>,
    /// What a person should know: keys that stand twice, bytes that are no text.
    pub notes: Vec<String>,
}

/// Reads the body of a request.
pub fn read(request: &Request, spec: &BodySpec) -> Body {
    let mut notes = Vec::new();
    let text = || charset::decode(request, spec.charset.as_deref());
    let read = match format_of(request, spec.format) {
        Format::Json => text().and_then(|text| json::read(&text, &mut notes)),
        Format::Form => text().map(|text| form::read(&text)),
        Format::Multipart => multipart::read(request, &mut notes),
        Format::Text | Format::Auto => text().map(Value::String),
    };
    let body = match read.and_then(|value| unfold(value, spec.json_field.as_deref(), &mut notes)) {
        Ok(value) => Body {
            value,
            fault: None,
            notes: Vec::new(),
        },
        Err(fault) => Body {
            value: Value::String(String::from_utf8_lossy(&request.body).into_owned()),
            fault: Some(fault),
            notes: Vec::new(),
        },
    };
    Body { notes, ..body }
}

/// What the content type says; without a usable one, what the body looks like.
fn format_of(request: &Request, format: Format) -> Format {
    if format != Format::Auto {
        return format;
    }
    let media = request.media_type();
    if media == "application/x-www-form-urlencoded" {
        // `curl -d` says so of every body that it is given.
        return if looks_like_json(&request.body) {
            Format::Json
        } else {
            Format::Form
        };
    }
    if media == "multipart/form-data" {
        return Format::Multipart;
    }
    if media == "application/json" || media.ends_with("+json") || looks_like_json(&request.body) {
        return Format::Json;
    }
    Format::Text
}

fn looks_like_json(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    let last = body.iter().rev().find(|byte| !byte.is_ascii_whitespace());
    matches!((first, last), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')))
}

/// The JSON in a field of a form, where the source says that there is one.
fn unfold(value: Value, field: Option<&str>, notes: &mut Vec<String>) -> Result<Value, String> {
    let text = field.and_then(|field| value.get(field)).and_then(Value::as_str);
    match (text, field) {
        (Some(text), Some(field)) => {
            json::read(text, notes).map_err(|why| format!("the field `{field}` holds no JSON: {why}"))
        }
        _ => Ok(value),
    }
}

#[cfg(test)]
mod tests;
