//! Searches (fact sheet §5): groups of filters, sorts, pages, and an index that lags behind.

use serde_json::{Value, json};

use super::rows::{Row, Rows};
use super::schema::Schema;
use super::trouble::Refusal;

/// Rows beyond this are never returned by one query.
const DEEPEST: usize = 10_000;

/// Answers a search; records that are younger than `lag_ms` are not found yet.
///
/// # Errors
/// What HubSpot refuses.
pub fn run(rows: &Rows, schema: &Schema, object: &str, body: &Value, now_ms: i64, lag_ms: i64) -> Result<Value, Refusal> {
    let empty = Vec::new();
    let groups = body["filterGroups"].as_array().unwrap_or(&empty);
    for filter in groups.iter().flat_map(|group| group["filters"].as_array().unwrap_or(&empty)) {
        let name = filter["propertyName"].as_str().unwrap_or_default();
        if schema.property(object, name).is_none() {
            return Err(Refusal::Malformed(format!("There was a problem with the request: property `{name}` does not exist")));
        }
    }
    if groups.len() > 5 {
        return Err(Refusal::Malformed("Only 5 filterGroups are allowed".to_owned()));
    }
    let visible = |row: &&Row| row.created_ms + lag_ms <= now_ms;
    let holds = |row: &&Row| groups.is_empty() || groups.iter().any(|group| group_holds(row, group));
    let mut found: Vec<&Row> = rows.all(object).filter(visible).filter(holds).collect();
    if let Some(sort) = body["sorts"].get(0) {
        let name = sort["propertyName"].as_str().unwrap_or_default();
        found.sort_by_key(|row| value_of(row, name));
        if sort["direction"] == "DESCENDING" {
            found.reverse();
        }
    }
    let limit = body["limit"].as_u64().map_or(10, |limit| usize::try_from(limit).unwrap_or(10));
    if limit > 200 {
        return Err(Refusal::Malformed("limit must not be above 200".to_owned()));
    }
    let after = body["after"].as_str().and_then(|after| after.parse().ok()).unwrap_or(0);
    if after + limit > DEEPEST {
        return Err(Refusal::Malformed(format!("paging past {DEEPEST} results is not supported")));
    }
    let wanted: Option<Vec<String>> = body["properties"].as_array().map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    let results: Vec<Value> = found.iter().skip(after).take(limit).map(|row| row.show(object, wanted.as_deref())).collect();
    let mut answer = json!({"total": found.len(), "results": results});
    if after + limit < found.len() {
        answer["paging"] = json!({"next": {"after": (after + limit).to_string()}});
    }
    Ok(answer)
}

fn group_holds(row: &Row, group: &Value) -> bool {
    group["filters"].as_array().is_some_and(|filters| filters.iter().all(|filter| filter_holds(row, filter)))
}

fn value_of(row: &Row, name: &str) -> String {
    match name {
        "createdate" => row.created_ms.to_string(),
        "lastmodifieddate" | "hs_lastmodifieddate" => row.updated_ms.to_string(),
        name => row.properties.get(name).cloned().unwrap_or_default(),
    }
}

/// Times are compared in milliseconds, whichever way they are written.
fn comparable(value: &Value) -> String {
    let text = value.as_str().map(str::to_owned).unwrap_or_else(|| value.to_string());
    let moment = text.parse::<jiff::Timestamp>().ok().map(|moment| moment.as_millisecond().to_string());
    moment.unwrap_or(text).to_lowercase()
}

fn filter_holds(row: &Row, filter: &Value) -> bool {
    let own = value_of(row, filter["propertyName"].as_str().unwrap_or_default()).to_lowercase();
    let wanted = comparable(&filter["value"]);
    let number = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
    match filter["operator"].as_str().unwrap_or_default() {
        "EQ" => own == wanted,
        "NEQ" => own != wanted,
        "GT" => number(&own) > number(&wanted),
        "GTE" => number(&own) >= number(&wanted),
        "LT" => number(&own) < number(&wanted),
        "LTE" => number(&own) <= number(&wanted),
        "BETWEEN" => number(&own) >= number(&wanted) && number(&own) <= number(&comparable(&filter["highValue"])),
        "IN" => filter["values"].as_array().is_some_and(|values| values.iter().any(|value| comparable(value) == own)),
        "NOT_IN" => !filter["values"].as_array().is_some_and(|values| values.iter().any(|value| comparable(value) == own)),
        "HAS_PROPERTY" => !own.is_empty(),
        "NOT_HAS_PROPERTY" => own.is_empty(),
        "CONTAINS_TOKEN" => own.contains(wanted.trim_matches('*')),
        "NOT_CONTAINS_TOKEN" => !own.contains(wanted.trim_matches('*')),
        _ => false,
    }
}
