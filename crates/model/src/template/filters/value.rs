//! Filters about values of any type.

use serde_json::{Value, json};

use super::{Arguments, Filter, Kind, Outcome, as_text, number, to_text};
use crate::template::scope::Unknown;

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
    })
    .gives(Kind::Text),
    Filter::new("text", (0, 0), "the same as `string`", |input, _| {
        Ok(input.map(|value| to_text(&value).into()))
    })
    .gives(Kind::Text),
    Filter::new(
        "number",
        (0, 0),
        "text as a number; absent when it is none",
        |input, _| Ok(input.and_then(|value| number::read(&value)).map(Value::Number)),
    )
    .gives(Kind::Number),
    Filter::new(
        "integer",
        (0, 0),
        "a number, or text that is one, as a whole number, halves rounded away from zero; absent when it is none",
        |input, _| number::integer(input.as_ref()),
    )
    .gives(Kind::Integer),
    Filter::new(
        "boolean",
        (0, 0),
        "`true`, `yes`, `1`, `on`, `да`, `是`, `có` as true, their opposites as false; absent otherwise",
        boolean,
    )
    .gives(Kind::Boolean),
    Filter::new("json", (0, 0), "the value as JSON text", |input, _| {
        Ok(input.map(|value| value.to_string().into()))
    })
    .gives(Kind::Text),
    Filter::new(
        "lookup",
        (1, 1),
        "`lookup: 'list'`: what the list has for the value; what it does not have stays, as text; `default: 'x'`: this \
         for what it does not have, `default: nil`: nothing",
        lookup,
    )
    .named(&["default"]),
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
        "true" | "yes" | "1" | "on" | "да" | "是" | "có" => Some(json!(true)),
        "false" | "no" | "0" | "off" | "нет" | "否" | "không" => Some(json!(false)),
        _ => None,
    })
}

fn lookup(input: Option<Value>, arguments: &Arguments<'_, '_>) -> Outcome {
    let Some(value) = input else { return Ok(None) };
    let key = as_text(&value);
    let lookups = arguments.scope.lookups;
    if let Some(found) = lookups.and_then(|lookups| lookups.find(&arguments.text(0), &key)) {
        return Ok(Some(found));
    }
    if arguments.has_named("default") {
        return Ok(arguments.named("default").cloned());
    }
    let stays = lookups.is_none_or(|lookups| lookups.unknown() == Unknown::Stays);
    Ok(stays.then(|| Value::String(key.into_owned())))
}
