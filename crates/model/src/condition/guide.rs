//! The guides' conditions as CEL.

use serde_json::Value;

use super::ConditionError;
use crate::nearest::nearest;

/// What an operator compares and how.
#[derive(Clone, Copy)]
enum Form {
    /// `field OP value`
    Infix(&'static str),
    /// `field OP value`; text that spells a number is compared as a number.
    Order(&'static str),
    /// `field.METHOD(value)`
    Method(&'static str),
    /// `field.contains(value)` does not hold; nothing contains nothing.
    Lacks,
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
    ("greater_than", Form::Order(">")),
    ("gt", Form::Order(">")),
    (">", Form::Order(">")),
    ("gte", Form::Order(">=")),
    (">=", Form::Order(">=")),
    ("less_than", Form::Order("<")),
    ("lt", Form::Order("<")),
    ("<", Form::Order("<")),
    ("lte", Form::Order("<=")),
    ("<=", Form::Order("<=")),
    ("contains", Form::Method("contains")),
    ("not_contains", Form::Lacks),
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
    let wrong = |what: &str| ConditionError::Syntax(format!("the condition on {field} needs {what}"));
    let given = || value.ok_or_else(|| wrong("a `value`"));
    let list = || {
        given()?
            .as_array()
            .map(|_| literal(value))
            .ok_or_else(|| wrong("a list as `value`"))
    };
    let text = || given()?.as_str().map(quote).ok_or_else(|| wrong("text as `value`"));
    Ok(match form {
        Form::Infix(operator) => format!("{field} {operator} {}", literal(Some(given()?))),
        Form::Order(operator) => match number(given()?) {
            // The field may be text that spells a number, as in forms.
            Some(number) => format!("double({field}) {operator} {number}"),
            None => format!("{field} {operator} {}", literal(value)),
        },
        // Lists contain values of any type.
        Form::Method(method @ "contains") => format!("{field}.{method}({})", literal(Some(given()?))),
        Form::Method(method) => format!("{field}.{method}({})", text()?),
        Form::Lacks => format!("({field} == null || !{field}.contains({}))", literal(Some(given()?))),
        Form::In => format!("{field} in {}", list()?),
        Form::NotIn => format!("!({field} in {})", list()?),
        Form::Exists => format!("{field} != null"),
        Form::Missing => format!("{field} == null"),
        Form::Empty => format!("({field} == null || {field} == '' || {field} == [] || {field} == {{}})"),
        Form::Filled => format!("({field} != null && {field} != '' && {field} != [] && {field} != {{}})"),
    })
}

/// A dotted path: `sender.country`, `items.0.price`, in any script.
fn path(field: &str) -> Result<String, ConditionError> {
    let parts: Vec<&str> = field.split('.').map(str::trim).collect();
    if parts.iter().any(|part| part.is_empty()) {
        return Err(ConditionError::Syntax(format!("`{field}` is no field")));
    }
    let mut text = String::new();
    for (at, part) in parts.into_iter().enumerate() {
        match (at, is_plain(part)) {
            (0, true) => text.push_str(part),
            // Any member of the event can be reached like this, whatever it is called.
            (0, false) => text.push_str(&format!("event[{}]", quote(part))),
            (_, true) => text.push_str(&format!(".{part}")),
            (_, false) => text.push_str(&format!("[{}]", quote(part))),
        }
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
        "null_type",
        "has",
        "size",
        "dyn",
    ];
    word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !RESERVED.contains(&word)
}

/// A number, or text that spells one, as CEL writes a `double`.
fn number(value: &Value) -> Option<String> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then(|| format!("{number:?}"))
}

fn literal(value: Option<&Value>) -> String {
    match value {
        None => "null".to_owned(),
        Some(Value::String(text)) => quote(text),
        Some(Value::Array(items)) => {
            format!(
                "[{}]",
                items
                    .iter()
                    .map(|item| literal(Some(item)))
                    .collect::<Vec<_>>()
                    .join(", ")
            )
        }
        Some(Value::Object(map)) => {
            let member = |(key, value): (&String, &Value)| format!("{}: {}", quote(key), literal(Some(value)));
            format!("{{{}}}", map.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        Some(other) => other.to_string(),
    }
}

/// A CEL string: everything that is no letter, digit or harmless sign is written as an escape, so that no text can end
/// it.
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
