//! Filters about values of any type.

use serde_json::{Value, json};

use super::{Arguments, Filter, Outcome, as_text, number, to_text};

pub(super) const FILTERS: &[Filter] = &[
    Filter::new(
        "default",
        (1, 1),
        "`default: 'x'`: this when the value is missing, null, false or empty; `allow_false: true` keeps false",
        default,
    )
    .named(&["allow_false"])
    .of_absent()
    .checked(|literals| match literals.named("allow_false") {
        Some(other) if !other.is_boolean() => Err(format!("`allow_false` is true or false, not {other}")),
        _ => Ok(()),
    }),
    Filter::new("string", (0, 0), "the value as text", |input, _| {
        Ok(input.map(|value| to_text(&value).into()))
    }),
    Filter::new(
        "number",
        (0, 0),
        "text as a number; absent when it is none",
        |input, _| Ok(input.and_then(|value| number::read(&value)).map(Value::Number)),
    ),
    Filter::new(
        "boolean",
        (0, 0),
        "`true`, `yes`, `1`, `on` as true, their opposites as false; absent otherwise",
        boolean,
    ),
    Filter::new("json", (0, 0), "the value as JSON text", |input, _| {
        Ok(input.map(|value| value.to_string().into()))
    }),
    Filter::new(
        "lookup",
        (1, 1),
        "`lookup: 'table'`: what the table has for the value; absent when it has nothing",
        lookup,
    ),
];

fn default(input: Option<Value>, arguments: &Arguments<'_, '_>) -> Outcome {
    let allow_false = arguments.named("allow_false") == Some(&Value::Bool(true));
    let empty = match &input {
        None | Some(Value::Null) => true,
        Some(Value::Bool(flag)) => !flag && !allow_false,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Object(map)) => map.is_empty(),
        Some(Value::Number(_)) => false,
    };
    Ok(if empty { arguments.get(0).cloned() } else { input })
}

fn boolean(input: Option<Value>, _: &Arguments<'_, '_>) -> Outcome {
    let text = input
        .map(|value| as_text(&value).trim().to_lowercase())
        .unwrap_or_default();
    Ok(match text.as_str() {
        "true" | "yes" | "1" | "on" => Some(json!(true)),
        "false" | "no" | "0" | "off" => Some(json!(false)),
        _ => None,
    })
}

fn lookup(input: Option<Value>, arguments: &Arguments<'_, '_>) -> Outcome {
    let Some(lookups) = arguments.scope.lookups else {
        return Ok(None);
    };
    Ok(input.and_then(|key| lookups.find(&arguments.text(0), &as_text(&key))))
}
