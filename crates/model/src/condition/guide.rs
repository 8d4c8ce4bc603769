//! The guides' conditions as CEL.

use serde_json::Value;

use super::ConditionError;
use crate::nearest::nearest;

/// What an operator compares and how.
#[derive(Clone, Copy)]
enum Form {
    /// `field OP value`
    Infix(&'static str),
    /// `field.METHOD(value)`
    Method(&'static str),
    /// `!field.METHOD(value)`
    NotMethod(&'static str),
    /// `field in [values]`
    In,
    /// `!(field in [values])`
    NotIn,
    /// The field is there.
    Exists,
    /// It is not.
    Missing,
    /// The field is missing or has no content.
    Empty,
    /// It has content.
    Filled,
}

/// Every operator of the guides with its other spellings.
const OPERATORS: &[(&str, Form)] = &[
    ("equals", Form::Infix("==")),
    ("eq", Form::Infix("==")),
    ("==", Form::Infix("==")),
    ("=", Form::Infix("==")),
    ("is", Form::Infix("==")),
    ("not_equals", Form::Infix("!=")),
    ("neq", Form::Infix("!=")),
    ("ne", Form::Infix("!=")),
    ("!=", Form::Infix("!=")),
    ("greater_than", Form::Infix(">")),
    ("gt", Form::Infix(">")),
    (">", Form::Infix(">")),
    ("gte", Form::Infix(">=")),
    (">=", Form::Infix(">=")),
    ("less_than", Form::Infix("<")),
    ("lt", Form::Infix("<")),
    ("<", Form::Infix("<")),
    ("lte", Form::Infix("<=")),
    ("<=", Form::Infix("<=")),
    ("contains", Form::Method("contains")),
    ("not_contains", Form::NotMethod("contains")),
    ("starts_with", Form::Method("startsWith")),
    ("ends_with", Form::Method("endsWith")),
    ("matches", Form::Method("matches")),
    ("regex", Form::Method("matches")),
    ("in", Form::In),
    ("not_in", Form::NotIn),
    ("exists", Form::Exists),
    ("not_exists", Form::Missing),
    ("is_empty", Form::Empty),
    ("is_not_empty", Form::Filled),
];

/// The CEL text for one condition or a list of conditions that must all hold.
pub(super) fn to_cel(conditions: &Value) -> Result<String, ConditionError> {
    match conditions {
        Value::Array(list) if list.is_empty() => Ok("true".into()),
        Value::Array(list) => {
            let parts: Result<Vec<String>, _> = list.iter().map(one).collect();
            Ok(parts?.join(" && "))
        }
        other => one(other),
    }
}

fn one(condition: &Value) -> Result<String, ConditionError> {
    let wrong = |message: String| ConditionError::Syntax(message);
    let map = condition.as_object().ok_or_else(|| {
        wrong(format!(
            "expected {{\"field\", \"operator\", \"value\"}}, found {condition}"
        ))
    })?;
    for key in map.keys() {
        if !["field", "operator", "value"].contains(&key.as_str()) {
            let hint = nearest(key, ["field", "operator", "value"]).map(|known| format!("; did you mean `{known}`?"));
            return Err(wrong(format!(
                "unknown key `{key}` in a condition{}",
                hint.unwrap_or_default()
            )));
        }
    }
    let text = |key: &str| {
        let found = map.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        found.ok_or_else(|| wrong(format!("a condition needs `{key}` as text")))
    };
    let (field, operator) = (text("field")?, text("operator")?);
    let found = OPERATORS.iter().find(|(name, _)| name.eq_ignore_ascii_case(operator));
    let Some((_, form)) = found else {
        let known: Vec<&str> = OPERATORS.iter().map(|(name, _)| *name).collect();
        return Err(wrong(format!(
            "there is no operator `{operator}`; known are {}",
            known.join(", ")
        )));
    };
    write(&path(field)?, *form, map.get("value"))
}

fn write(field: &str, form: Form, value: Option<&Value>) -> Result<String, ConditionError> {
    let value = |what: &str| {
        value
            .map(literal)
            .ok_or_else(|| ConditionError::Syntax(format!("the condition on {what} needs a `value`")))
    };
    Ok(match form {
        Form::Infix(operator) => format!("{field} {operator} {}", value(field)?),
        Form::Method(method) => format!("{field}.{method}({})", value(field)?),
        Form::NotMethod(method) => format!("!{field}.{method}({})", value(field)?),
        Form::In => format!("{field} in {}", value(field)?),
        Form::NotIn => format!("!({field} in {})", value(field)?),
        Form::Exists => format!("{field} != null"),
        Form::Missing => format!("{field} == null"),
        Form::Empty => format!("({field} == null || {field} == '' || {field} == [])"),
        Form::Filled => format!("({field} != null && {field} != '' && {field} != [])"),
    })
}

/// A dotted path. The first part is looked up in the event as a whole, so that any name works, whatever script it is in.
fn path(field: &str) -> Result<String, ConditionError> {
    let mut parts = field.split('.').map(str::trim);
    if field.split('.').any(|part| part.trim().is_empty()) {
        return Err(ConditionError::Syntax(format!("`{field}` is no field")));
    }
    let first = parts.next().unwrap_or_default();
    let mut text = match is_plain(first) {
        true => first.to_owned(),
        false => format!("event[{}]", quote(first)),
    };
    for part in parts {
        text.push_str(&format!("[{}]", quote(part)));
    }
    Ok(text)
}

/// Whether CEL reads the word as a variable.
fn is_plain(word: &str) -> bool {
    const RESERVED: &[&str] = &[
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
        "type",
        "event",
        "int",
        "uint",
        "double",
        "string",
        "bytes",
        "bool",
        "list",
        "map",
        "has",
        "size",
        "duration",
        "timestamp",
        "dyn",
    ];
    word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !RESERVED.contains(&word)
}

fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => quote(text),
        Value::Array(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let members: Vec<String> = map
                .iter()
                .map(|(key, value)| format!("{}: {}", quote(key), literal(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        other => other.to_string(),
    }
}

/// A CEL string: everything that is not a plain letter or digit is written as an escape, so that no text can end it.
fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for letter in text.chars() {
        match letter {
            ' ' | '_' | '-' | '.' | ',' | ':' | '@' | '/' | '+' => out.push(letter),
            letter if letter.is_alphanumeric() => out.push(letter),
            letter => out.push_str(&format!("\\U{:08x}", u32::from(letter))),
        }
    }
    out.push('\'');
    out
}
