//! Filters on lists.

use std::{cmp::Ordering, collections::HashSet};

use serde_json::Value;

use super::{Arguments, Filter, Kind, Outcome, as_text, has_room_for_items};

pub(super) const FILTERS: &[Filter] = &[
    Filter::new("split", (1, 1), "`split: ','`: text as a list", split).gives(Kind::List),
    Filter::new("join", (0, 1), "`join: ', '`: a list as text", join).gives(Kind::Text),
    Filter::new("first", (0, 0), "the first item", |input, _| {
        Ok(items(input).into_iter().next())
    }),
    Filter::new("last", (0, 0), "the last item", |input, _| Ok(items(input).pop())),
    Filter::new("reverse", (0, 0), "the items in reverse", |input, _| {
        Ok(Some(items(input).into_iter().rev().collect::<Vec<_>>().into()))
    })
    .gives(Kind::List),
    Filter::new(
        "sort",
        (0, 0),
        "the items in order: numbers by size, everything else by its text",
        |input, _| {
            let mut items = items(input);
            items.sort_by(order);
            Ok(Some(items.into()))
        },
    )
    .gives(Kind::List),
    Filter::new("uniq", (0, 0), "each item once", |input, _| {
        let mut seen = HashSet::new();
        let once = items(input).into_iter().filter(|item| seen.insert(item.to_string()));
        Ok(Some(once.collect::<Vec<_>>().into()))
    })
    .gives(Kind::List),
    Filter::new("compact", (0, 0), "without null", |input, _| {
        let filled = items(input).into_iter().filter(|item| !item.is_null());
        Ok(Some(filled.collect::<Vec<_>>().into()))
    })
    .gives(Kind::List),
    Filter::new("concat", (1, 1), "both lists in one", concat)
        .gives(Kind::List)
        .checked(|literals| match literals.at(0) {
            Some(value) => Err(format!("{value} is no list")),
            None => Ok(()),
        }),
];

/// The items of a list; any other value is a list of one.
fn items(input: Option<Value>) -> Vec<Value> {
    match input {
        None => Vec::new(),
        Some(Value::Array(items)) => items,
        Some(other) => vec![other],
    }
}

fn split(input: Option<Value>, arguments: &Arguments<'_, '_>) -> Outcome {
    let Some(value) = input else { return Ok(None) };
    let (text, separator) = (as_text(&value), arguments.text(0));
    if text.is_empty() {
        return Ok(Some(Vec::<Value>::new().into()));
    }
    if separator.is_empty() {
        has_room_for_items(text.chars().count())?;
        return Ok(Some(
            text.chars()
                .map(|letter| Value::from(letter.to_string()))
                .collect::<Vec<_>>()
                .into(),
        ));
    }
    has_room_for_items(text.matches(&*separator).count() + 1)?;
    Ok(Some(
        text.split(&*separator).map(Value::from).collect::<Vec<_>>().into(),
    ))
}

fn join(input: Option<Value>, arguments: &Arguments<'_, '_>) -> Outcome {
    let separator = arguments.text_or(0, " ");
    let items = items(input);
    let texts: Vec<_> = items.iter().map(as_text).collect();
    let length: usize = texts.iter().map(|text| text.len()).sum();
    arguments.has_room_for(length.saturating_add(separator.len().saturating_mul(texts.len())))?;
    Ok(Some(texts.join(&*separator).into()))
}

/// Numbers come first: with numbers among texts neither rule alone would be an order.
fn order(a: &Value, b: &Value) -> Ordering {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => as_text(a).cmp(&as_text(b)),
    }
}

fn concat(input: Option<Value>, arguments: &Arguments<'_, '_>) -> Outcome {
    let mut all = items(input);
    match arguments.get(0) {
        Some(Value::Array(more)) => all.extend(more.iter().cloned()),
        // What is absent adds nothing.
        None => {}
        Some(_) => return Err("the argument is no list".into()),
    }
    Ok(Some(all.into()))
}
