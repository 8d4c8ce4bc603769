//! Filters on lists.

use serde_json::Value;

use super::{Arguments, Filter, Outcome, to_text};

pub(super) const FILTERS: &[Filter] = &[
    Filter::new("split", (1, 1), "`split: ','`: text as a list", |input, arguments| {
        let (text, separator) = (
            input.map(|value| to_text(&value)).unwrap_or_default(),
            arguments.text(0),
        );
        let parts: Vec<Value> = match separator.as_str() {
            "" => text.chars().map(|letter| letter.to_string().into()).collect(),
            _ if text.is_empty() => Vec::new(),
            separator => text.split(separator).map(Value::from).collect(),
        };
        Ok(Some(parts.into()))
    }),
    Filter::new("join", (0, 1), "`join: ', '`: a list as text", |input, arguments| {
        let separator = if arguments.positional.is_empty() {
            " ".to_owned()
        } else {
            arguments.text(0)
        };
        let texts: Vec<String> = items(input)?.iter().map(to_text).collect();
        Ok(Some(texts.join(&separator).into()))
    }),
    Filter::new("first", (0, 0), "the first item", |input, _| {
        Ok(items(input)?.into_iter().next())
    }),
    Filter::new("last", (0, 0), "the last item", |input, _| Ok(items(input)?.pop())),
    Filter::new("reverse", (0, 0), "the items in reverse", |input, _| {
        let mut items = items(input)?;
        items.reverse();
        Ok(Some(items.into()))
    }),
    Filter::new(
        "sort",
        (0, 0),
        "the items in order: numbers by size, everything else by its text",
        |input, _| {
            let mut items = items(input)?;
            items.sort_by(|a, b| match (a.as_f64(), b.as_f64()) {
                (Some(a), Some(b)) => a.total_cmp(&b),
                _ => to_text(a).cmp(&to_text(b)),
            });
            Ok(Some(items.into()))
        },
    ),
    Filter::new("uniq", (0, 0), "each item once", |input, _| {
        let mut seen: Vec<Value> = Vec::new();
        for item in items(input)? {
            if !seen.contains(&item) {
                seen.push(item);
            }
        }
        Ok(Some(seen.into()))
    }),
    Filter::new("compact", (0, 0), "without null", |input, _| {
        let items = items(input)?.into_iter().filter(|item| !item.is_null());
        Ok(Some(items.collect::<Vec<_>>().into()))
    }),
    Filter::new("concat", (1, 1), "both lists in one", concat),
];

/// The items of a list; any other value is a list of one.
fn items(input: Option<Value>) -> Result<Vec<Value>, String> {
    Ok(match input {
        None => Vec::new(),
        Some(Value::Array(items)) => items,
        Some(other) => vec![other],
    })
}

fn concat(input: Option<Value>, arguments: &Arguments<'_, '_>) -> Outcome {
    let mut all = items(input)?;
    match arguments.get(0) {
        Some(Value::Array(more)) => all.extend(more.iter().cloned()),
        _ => return Err("the argument is no list".into()),
    }
    Ok(Some(all.into()))
}
