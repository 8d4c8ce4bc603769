//! Queries of data sources: filters, sorts, pages (fact sheet §5, §10).

use serde_json::{Value, json};

use super::pages::{Page, Pages};
use super::schema::Source;
use super::values::plain_text;

/// Filters nested more deeply are refused.
const DEEPEST: usize = 3;
/// More rows are never returned in one page.
const LARGEST: usize = 100;

/// Answers a query.
///
/// # Errors
/// The message of the `validation_error`.
pub fn run(pages: &Pages, source: &Source, body: &Value) -> Result<Value, String> {
    let filter = &body["filter"];
    if !filter.is_null() {
        check(source, filter, 0)?;
    }
    let wants_trash = body["in_trash"].as_bool().unwrap_or(false);
    let mut found: Vec<&Page> = pages
        .of_source(
            &source.id,
            index_hint(source, filter)
                .as_ref()
                .map(|(column, text)| (column.as_str(), text.as_str())),
        )
        .filter(|page| page.in_trash == wants_trash && (filter.is_null() || holds(source, page, filter)))
        .collect();
    if let Some(sort) = body["sorts"].get(0) {
        let by_edit = sort["timestamp"] == "last_edited_time";
        found.sort_by_key(|page| if by_edit { page.edited_ms } else { page.created_ms });
        if sort["direction"] == "descending" {
            found.reverse();
        }
    }
    let size = body["page_size"].as_u64().map_or(LARGEST, |size| {
        usize::try_from(size).unwrap_or(LARGEST).clamp(1, LARGEST)
    });
    let start = match body["start_cursor"].as_str() {
        None => 0,
        Some(cursor) => found
            .iter()
            .position(|page| page.id == cursor)
            .ok_or("start_cursor is not valid")?,
    };
    let next = found.get(start + size).map(|page| page.id.clone());
    let results: Vec<Value> = found[start..]
        .iter()
        .take(size)
        .map(|page| page.show(&source.database))
        .collect();
    Ok(json!({
        "object": "list", "results": results, "has_more": next.is_some(), "next_cursor": next,
        "type": "page_or_data_source", "page_or_data_source": {}, "request_status": {"type": "complete"},
    }))
}

/// A single `equals` on a text column can be looked up.
fn index_hint(source: &Source, filter: &Value) -> Option<(String, String)> {
    let parts = filter["and"].as_array();
    let one = parts
        .and_then(|parts| parts.iter().find(|part| part.get("property").is_some()))
        .unwrap_or(filter);
    let (name, column) = source.column(one["property"].as_str()?)?;
    let text = one[column.kind.as_str()]["equals"].as_str()?;
    matches!(column.kind.as_str(), "title" | "rich_text" | "email" | "phone_number").then(|| (name, text.to_owned()))
}

fn check(source: &Source, filter: &Value, depth: usize) -> Result<(), String> {
    if depth > DEEPEST {
        return Err("filters are nested too deeply".to_owned());
    }
    for list in ["and", "or"] {
        if let Some(parts) = filter[list].as_array() {
            return parts.iter().try_for_each(|part| check(source, part, depth + 1));
        }
    }
    if let Some(stamp) = filter["timestamp"].as_str() {
        let known = matches!(stamp, "created_time" | "last_edited_time") && filter[stamp].is_object();
        return if known {
            Ok(())
        } else {
            Err(format!("body.filter.timestamp `{stamp}` is not valid"))
        };
    }
    let name = filter["property"]
        .as_str()
        .ok_or("body.filter should have a property")?;
    let (_, column) = source
        .column(name)
        .ok_or_else(|| format!("Could not find property with name or id: {name}"))?;
    match filter[column.kind.as_str()].is_object() {
        true => Ok(()),
        false => Err(format!("database property {} does not match filter", column.kind)),
    }
}

fn holds(source: &Source, page: &Page, filter: &Value) -> bool {
    if let Some(parts) = filter["and"].as_array() {
        return parts.iter().all(|part| holds(source, page, part));
    }
    if let Some(parts) = filter["or"].as_array() {
        return parts.iter().any(|part| holds(source, page, part));
    }
    if let Some(stamp) = filter["timestamp"].as_str() {
        let ms = if stamp == "created_time" {
            page.created_ms
        } else {
            page.edited_ms
        };
        return in_time(ms, &filter[stamp]);
    }
    let Some((name, column)) = filter["property"].as_str().and_then(|name| source.column(name)) else {
        return false;
    };
    let text = page.properties.get(&name).map(plain_text).unwrap_or_default();
    let demands = filter[column.kind.as_str()].as_object();
    demands.is_some_and(|demands| demands.iter().all(|(operator, value)| compares(operator, &text, value)))
}

fn compares(operator: &str, text: &str, value: &Value) -> bool {
    let wanted = value.as_str().map(str::to_owned).unwrap_or_else(|| value.to_string());
    match operator {
        "equals" => text == wanted,
        "does_not_equal" => text != wanted,
        "contains" => text.contains(&wanted),
        "does_not_contain" => !text.contains(&wanted),
        "starts_with" => text.starts_with(&wanted),
        "ends_with" => text.ends_with(&wanted),
        "is_empty" => text.is_empty(),
        "is_not_empty" => !text.is_empty(),
        _ => false,
    }
}

/// Times are compared as they are shown: rounded down to the minute.
fn in_time(ms: i64, demand: &Value) -> bool {
    let shown = ms.div_euclid(60_000) * 60_000;
    let Some(demands) = demand.as_object() else {
        return false;
    };
    demands.iter().all(|(operator, value)| {
        let Some(moment) = value.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok()) else {
            return false;
        };
        let moment = moment.as_millisecond().div_euclid(60_000) * 60_000;
        match operator.as_str() {
            "on_or_after" => shown >= moment,
            "after" => shown > moment,
            "on_or_before" => shown <= moment,
            "before" => shown < moment,
            "equals" => shown == moment,
            _ => false,
        }
    })
}
