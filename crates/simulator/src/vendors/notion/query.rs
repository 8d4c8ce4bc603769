//! Queries of data sources: filters, sorts, pages (fact sheet §5, §10).

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::filter::Filter;
use super::pages::{Page, Pages};
use super::schema::Source;
use super::trouble::Trouble;
use super::values::plain;
use super::version::Version;

/// More rows are never returned in one page.
const LARGEST: usize = 100;

/// Answers a query; over all pages it shows at most `most` rows.
///
/// # Errors
/// `validation_error`.
pub fn run(pages: &Pages, source: &Source, body: &Value, version: Version, most: usize) -> Result<Value, Trouble> {
    const KNOWN: [&str; 7] = [
        "filter",
        "sorts",
        "start_cursor",
        "page_size",
        "in_trash",
        "archived",
        "result_type",
    ];
    if let Some(stranger) = body
        .as_object()
        .and_then(|body| body.keys().find(|key| !KNOWN.contains(&key.as_str())))
    {
        return Err(Trouble::body(&format!("body.{stranger}"), "should be not present."));
    }
    let filter = match &body["filter"] {
        Value::Null => None,
        filter => Some(Filter::read(source, filter, 0)?),
    };
    let wants_trash = body["in_trash"]
        .as_bool()
        .or(body["archived"].as_bool())
        .unwrap_or(false);
    let candidates = filter.as_ref().and_then(|filter| filter.candidates(source, pages));
    let candidates = candidates.unwrap_or_else(|| pages.of_source(&source.id));
    let mut found: Vec<&Page> = candidates
        .into_iter()
        .filter_map(|number| pages.by_number(number))
        .filter(|page| page.in_trash == wants_trash && filter.as_ref().is_none_or(|filter| filter.holds(page)))
        .collect();
    sort(&mut found, source, &body["sorts"])?;
    let whole = found.len();
    found.truncate(most);
    let size = match &body["page_size"] {
        Value::Null => LARGEST,
        size => match size.as_u64().and_then(|size| usize::try_from(size).ok()) {
            Some(size @ 1..=LARGEST) => size,
            _ => return Err(Trouble::expected("body.page_size", "a number from `1` to `100`", size)),
        },
    };
    let start = match body["start_cursor"].as_str() {
        None => 0,
        Some(cursor) => {
            let place = found.iter().position(|page| page.id == cursor);
            place.ok_or_else(|| Trouble::bad(format!("The start_cursor provided is invalid: {cursor}")))?
        }
    };
    let next = found.get(start + size).map(|page| page.id.clone());
    let status = match next.is_none() && whole > most {
        true => json!({"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}),
        false => json!({"type": "complete"}),
    };
    let results = found[start..]
        .iter()
        .take(size)
        .map(|page| page.show(source, version, None));
    Ok(json!({
        "object": "list", "results": results.collect::<Vec<_>>(), "has_more": next.is_some(), "next_cursor": next,
        "type": "page_or_data_source", "page_or_data_source": {}, "request_status": status,
    }))
}

/// By each demand in turn; rows without the value come last.
fn sort(found: &mut [&Page], source: &Source, sorts: &Value) -> Result<(), Trouble> {
    for sort in sorts.as_array().into_iter().flatten().rev() {
        let descending = match sort["direction"].as_str() {
            Some("ascending") => false,
            Some("descending") => true,
            _ => {
                return Err(Trouble::expected(
                    "body.sorts.direction",
                    "ascending or descending",
                    &sort["direction"],
                ));
            }
        };
        let turn = |order: Ordering| if descending { order.reverse() } else { order };
        match (sort["timestamp"].as_str(), sort["property"].as_str()) {
            (Some("created_time"), _) => found.sort_by(|a, b| turn(a.created_ms.cmp(&b.created_ms))),
            (Some("last_edited_time"), _) => found.sort_by(|a, b| turn(a.edited_ms.cmp(&b.edited_ms))),
            (None, Some(name)) => {
                let column = source.column(name);
                let (_, column) = column
                    .ok_or_else(|| Trouble::bad(format!("Could not find sort property with name or id: {name}")))?;
                found.sort_by(|a, b| {
                    let (a, b) = (a.values.get(&column.id), b.values.get(&column.id));
                    let number = |value: Option<&Value>| value.and_then(Value::as_f64);
                    let (left, right) = (plain(column.kind, a), plain(column.kind, b));
                    match (number(a), number(b)) {
                        (Some(a), Some(b)) => turn(a.total_cmp(&b)),
                        (Some(_), None) => Ordering::Less,
                        (None, Some(_)) => Ordering::Greater,
                        _ => left
                            .is_empty()
                            .cmp(&right.is_empty())
                            .then_with(|| turn(left.cmp(&right))),
                    }
                });
            }
            _ => {
                return Err(Trouble::expected(
                    "body.sorts",
                    "sorts by a timestamp or a property",
                    sorts,
                ));
            }
        }
    }
    Ok(())
}
