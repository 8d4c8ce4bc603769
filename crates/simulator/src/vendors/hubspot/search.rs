//! Searches: groups of filters, one sort, pages (fact sheet §5).

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::index::Index;
use super::schema::{Kind, ObjectType};
use super::store::{Properties, Table, show_properties};
use super::trouble::Trouble;
use super::values;

/// Results beyond this cannot be reached.
const REACH: usize = 10_000;
/// The most results of a page.
const PAGE: usize = 200;
const MOST_GROUPS: usize = 5;
const MOST_FILTERS: usize = 10;
const MOST_FILTERS_IN_ALL: usize = 25;
const MOST_QUERY: usize = 3_000;

const OPERATORS: [&str; 13] = [
    "EQ",
    "NEQ",
    "LT",
    "LTE",
    "GT",
    "GTE",
    "BETWEEN",
    "IN",
    "NOT_IN",
    "HAS_PROPERTY",
    "NOT_HAS_PROPERTY",
    "CONTAINS_TOKEN",
    "NOT_CONTAINS_TOKEN",
];

type Found<'a> = (u64, &'a Properties);

/// Answers a search.
///
/// # Errors
/// 400 for a search that HubSpot does not understand or that asks for too much.
pub fn run(index: &Index, table: &Table, kind: &ObjectType, body: &Value) -> Result<Value, Trouble> {
    let groups = groups(table, body)?;
    let text = body["query"].as_str().unwrap_or_default();
    if text.chars().count() > MOST_QUERY {
        return Err(problem(&format!("query has more than {MOST_QUERY} characters")));
    }
    let limit = body["limit"]
        .as_u64()
        .map_or(10, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    if limit > PAGE {
        return Err(problem(&format!("limit must not be above {PAGE}")));
    }
    let after = match &body["after"] {
        Value::Null => 0,
        Value::String(after) if after.is_empty() => 0,
        after => {
            let number = after.as_u64().or_else(|| after.as_str()?.parse().ok());
            let number = number.and_then(|number| usize::try_from(number).ok());
            number.ok_or_else(|| problem("after is not a number"))?
        }
    };
    if after.saturating_add(limit) > REACH {
        return Err(problem(&format!("paging past {REACH} results is not supported")));
    }
    let holds = |(_, properties): &Found<'_>| {
        groups.is_empty()
            || groups
                .iter()
                .any(|group| group.iter().all(|filter| fits(table, properties, filter)))
    };
    let named = |(_, properties): &Found<'_>| text.is_empty() || mentions(properties, text);
    let candidates = candidates(index, table, &groups).unwrap_or_else(|| index.all().collect());
    let mut found: Vec<Found<'_>> = candidates.into_iter().filter(holds).filter(named).collect();
    sort(table, kind, &body["sorts"], &mut found)?;
    let wanted = body["properties"].as_array();
    let wanted: Vec<String> = wanted
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let page = found.iter().skip(after).take(limit);
    let results: Vec<Value> = page
        .map(|(id, properties)| show(*id, properties, kind, &wanted))
        .collect();
    let mut answer = json!({"total": found.len(), "results": results});
    if after + limit < found.len() {
        answer["paging"] = json!({"next": {"after": (after + limit).to_string()}});
    }
    Ok(answer)
}

/// The groups of filters, all of which make sense.
fn groups<'a>(table: &Table, body: &'a Value) -> Result<Vec<&'a Vec<Value>>, Trouble> {
    let groups = body["filterGroups"].as_array().into_iter().flatten();
    let groups: Vec<&Vec<Value>> = groups.filter_map(|group| group["filters"].as_array()).collect();
    let all: usize = groups.iter().map(|group| group.len()).sum();
    if groups.len() > MOST_GROUPS || all > MOST_FILTERS_IN_ALL || groups.iter().any(|group| group.len() > MOST_FILTERS)
    {
        return Err(problem("there are too many filters"));
    }
    for filter in groups.iter().copied().flatten() {
        let name = filter["propertyName"].as_str().unwrap_or_default();
        let operator = filter["operator"].as_str().unwrap_or_default();
        if !table.properties.contains_key(name) {
            return Err(problem(&format!("the property {name} does not exist")));
        }
        if !OPERATORS.contains(&operator) {
            return Err(problem(&format!("the operator {operator} does not exist")));
        }
        let complete = match operator {
            "HAS_PROPERTY" | "NOT_HAS_PROPERTY" => true,
            "IN" | "NOT_IN" => filter["values"].is_array(),
            "BETWEEN" => !filter["value"].is_null() && !filter["highValue"].is_null(),
            _ => !filter["value"].is_null(),
        };
        if !complete {
            return Err(problem(&format!("the filter on {name} has no value")));
        }
    }
    Ok(groups)
}

fn problem(what: &str) -> Trouble {
    Trouble::invalid(format!("There was a problem with the request: {what}."))
}

/// The objects among which all that fit are, when an index knows them: every group has an equality on an indexed property.
fn candidates<'a>(index: &'a Index, table: &Table, groups: &[&Vec<Value>]) -> Option<Vec<Found<'a>>> {
    if groups.is_empty() {
        return None;
    }
    let mut all: Vec<Found<'a>> = Vec::new();
    for group in groups {
        let found = group.iter().find_map(|filter| {
            let value = filter["value"].as_str().filter(|_| filter["operator"] == "EQ")?;
            index.with(table, filter["propertyName"].as_str()?, value)
        });
        all.extend(found?);
    }
    all.sort_by_key(|(id, _)| *id);
    all.dedup_by_key(|(id, _)| *id);
    Some(all)
}

fn fits(table: &Table, properties: &Properties, filter: &Value) -> bool {
    let name = filter["propertyName"].as_str().unwrap_or_default();
    let kind = table.properties.get(name).map_or(Kind::Text, |property| property.kind);
    let found = properties.get(name);
    let against = |value: &Value| found.and_then(|found| compare(kind, found, &written(value)));
    let within = || {
        filter["values"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|value| against(value) == Some(Ordering::Equal))
    };
    let value = &filter["value"];
    match filter["operator"].as_str().unwrap_or_default() {
        "EQ" => against(value) == Some(Ordering::Equal),
        "NEQ" => against(value) != Some(Ordering::Equal),
        "LT" => against(value) == Some(Ordering::Less),
        "LTE" => against(value).is_some_and(Ordering::is_le),
        "GT" => against(value) == Some(Ordering::Greater),
        "GTE" => against(value).is_some_and(Ordering::is_ge),
        "BETWEEN" => {
            against(value).is_some_and(Ordering::is_ge) && against(&filter["highValue"]).is_some_and(Ordering::is_le)
        }
        "IN" => within(),
        "NOT_IN" => !within(),
        "HAS_PROPERTY" => found.is_some(),
        "NOT_HAS_PROPERTY" => found.is_none(),
        "CONTAINS_TOKEN" => found.is_some_and(|found| contains(found, &written(value))),
        _ => !found.is_some_and(|found| contains(found, &written(value))),
    }
}

fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Numbers and moments by their size, texts without regard to case. `None`: the wanted value does not fit the property.
fn compare(kind: Kind, found: &str, wanted: &str) -> Option<Ordering> {
    match kind {
        Kind::Number => found.parse::<f64>().ok()?.partial_cmp(&wanted.parse::<f64>().ok()?),
        Kind::DateTime | Kind::Date => Some(values::parse_moment(found)?.cmp(&values::parse_moment(wanted)?)),
        _ => Some(found.to_lowercase().cmp(&wanted.to_lowercase())),
    }
}

/// Whether all words of `wanted` are words of the text. A star stands for the rest of a word.
fn contains(text: &str, wanted: &str) -> bool {
    let between = |sign: char| !sign.is_alphanumeric() && sign != '*' && sign != '+';
    let words = |text: &str| -> Vec<String> {
        text.to_lowercase()
            .split(between)
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let own = words(text);
    words(wanted)
        .iter()
        .all(|word| own.iter().any(|own| matches_word(own, word)))
}

fn matches_word(own: &str, wanted: &str) -> bool {
    let bare = wanted.trim_matches('*');
    match (wanted.starts_with('*'), wanted.ends_with('*')) {
        (true, true) => own.contains(bare),
        (true, false) => own.ends_with(bare),
        (false, true) => own.starts_with(bare),
        (false, false) => own == bare,
    }
}

fn mentions(properties: &Properties, text: &str) -> bool {
    properties.values().any(|value| contains(value, text))
}

/// Only the first sort counts: an object with `propertyName` and `direction`, or a name, with a minus for descending.
fn sort(table: &Table, kind: &ObjectType, sorts: &Value, found: &mut [Found<'_>]) -> Result<(), Trouble> {
    let first = &sorts[0];
    let (name, descending) = match first.as_str() {
        Some(text) => (text.trim_start_matches('-'), text.starts_with('-')),
        None => (
            first["propertyName"].as_str().unwrap_or("createdate"),
            first["direction"] == "DESCENDING",
        ),
    };
    let Some(property) = table.properties.get(name) else {
        return Err(problem(&format!("{} cannot be sorted by {name}", kind.plural)));
    };
    found.sort_by(|(left_id, left), (right_id, right)| {
        let by_value = match (left.get(name), right.get(name)) {
            (Some(left), Some(right)) => compare(property.kind, left, right).unwrap_or(Ordering::Equal),
            (left, right) => left.is_some().cmp(&right.is_some()),
        };
        let by_value = if descending { by_value.reverse() } else { by_value };
        by_value.then(left_id.cmp(right_id))
    });
    Ok(())
}

fn show(id: u64, properties: &Properties, kind: &ObjectType, wanted: &[String]) -> Value {
    json!({
        "id": id.to_string(),
        "properties": show_properties(properties, kind, Some(wanted)),
        "createdAt": properties.get("createdate"),
        "updatedAt": properties.get(kind.modified),
        "archived": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_whole_words_unless_a_star_says_otherwise() {
        for (text, wanted, expected) in [
            ("ana@example.org", "ana", true),
            ("ana@example.org", "example.org", true),
            ("ana@example.org", "exam", false),
            ("ana@example.org", "exam*", true),
            ("ana@example.org", "*ple", true),
            ("Анна Петрова", "петрова", true),
            ("+49301234567", "*1234567", true),
            ("a b c", "c a", true),
            ("a b", "a d", false),
        ] {
            assert_eq!(contains(text, wanted), expected, "{wanted} in {text}");
        }
    }
}
