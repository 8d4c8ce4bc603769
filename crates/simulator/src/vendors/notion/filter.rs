//! Filters of queries (fact sheet §5, §10).

use std::collections::BTreeSet;

use serde_json::Value;

use super::dates;
use super::pages::{Page, Pages, is_indexed};
use super::schema::{Column, Source};
use super::trouble::Trouble;
use super::values::plain;

/// Lists of conditions may stand in lists of conditions, and no deeper.
const DEEPEST: usize = 2;

/// A filter that was checked against the columns.
#[derive(Debug)]
pub enum Filter {
    /// All of them hold.
    And(Vec<Filter>),
    /// One of them holds.
    Or(Vec<Filter>),
    /// The page was made (or, if `edited`, last changed) at such a time.
    Time {
        /// The last change, not the making.
        edited: bool,
        /// Operator and demand.
        tests: Vec<(String, Value)>,
    },
    /// The value of a column fits.
    Value {
        /// The column.
        column: Column,
        /// Operator and demand.
        tests: Vec<(String, Value)>,
    },
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// `validation_error` for unknown columns, a condition of another kind, unknown operators, too deep nesting.
    pub fn read(source: &Source, filter: &Value, depth: usize) -> Result<Self, Trouble> {
        for (name, make) in [("and", Self::And as fn(Vec<Self>) -> Self), ("or", Self::Or)] {
            if let Some(parts) = filter[name].as_array() {
                if depth >= DEEPEST {
                    return Err(Trouble::body("body.filter", "is nested too deeply."));
                }
                let parts = parts.iter().map(|part| Self::read(source, part, depth + 1));
                return parts.collect::<Result<Vec<Self>, Trouble>>().map(make);
            }
        }
        if let Some(stamp) = filter["timestamp"].as_str() {
            if !matches!(stamp, "created_time" | "last_edited_time") {
                return Err(Trouble::expected(
                    "body.filter.timestamp",
                    "a timestamp",
                    &filter["timestamp"],
                ));
            }
            let tests = tests("date", &filter[stamp], &format!("body.filter.{stamp}"))?;
            return Ok(Self::Time {
                edited: stamp == "last_edited_time",
                tests,
            });
        }
        let name = filter["property"].as_str();
        let name = name.ok_or_else(|| Trouble::expected("body.filter.property", "a string", &filter["property"]))?;
        let found = source.column(name);
        let (_, column) =
            found.ok_or_else(|| Trouble::bad(format!("Could not find property with name or id: {name}")))?;
        if filter[column.kind].is_null() {
            let other = filter
                .as_object()
                .and_then(|fields| fields.keys().find(|key| *key != "property"));
            let other = other.map_or("undefined", String::as_str);
            return Err(Trouble::bad(format!(
                "database property {} does not match filter {other}",
                column.kind
            )));
        }
        Ok(Self::Value {
            tests: tests(
                column.kind,
                &filter[column.kind],
                &format!("body.filter.{}", column.kind),
            )?,
            column: column.clone(),
        })
    }

    /// The only pages that can fit, when the index knows them.
    pub fn candidates(&self, source: &Source, pages: &Pages) -> Option<BTreeSet<u32>> {
        match self {
            Self::And(parts) => parts.iter().find_map(|part| part.candidates(source, pages)),
            Self::Or(parts) => {
                let found: Option<Vec<_>> = parts.iter().map(|part| part.candidates(source, pages)).collect();
                Some(found?.into_iter().flatten().collect())
            }
            Self::Value { column, tests } if is_indexed(column.kind) => {
                let equal = tests.iter().find(|(operator, _)| operator == "equals");
                let text = equal
                    .and_then(|(_, demand)| demand.as_str())
                    .filter(|text| !text.is_empty())?;
                Some(pages.with_text(&source.id, &column.id, text))
            }
            _ => None,
        }
    }

    /// Whether a page fits.
    pub fn holds(&self, page: &Page) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.holds(page)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(page)),
            Self::Time { edited, tests } => {
                let ms = dates::minute(if *edited { page.edited_ms } else { page.created_ms });
                tests
                    .iter()
                    .all(|(operator, demand)| in_time(Some(ms), operator, demand))
            }
            Self::Value { column, tests } => {
                let kept = page.values.get(&column.id);
                tests
                    .iter()
                    .all(|(operator, demand)| fits(column.kind, kept, operator, demand))
            }
        }
    }
}

/// The operators that a kind of column knows, each with its demand.
fn tests(kind: &str, condition: &Value, place: &str) -> Result<Vec<(String, Value)>, Trouble> {
    let known: &[&str] = match kind {
        "title" | "rich_text" | "url" | "email" | "phone_number" => &[
            "equals",
            "does_not_equal",
            "contains",
            "does_not_contain",
            "starts_with",
            "ends_with",
        ],
        "number" | "unique_id" => &[
            "equals",
            "does_not_equal",
            "greater_than",
            "less_than",
            "greater_than_or_equal_to",
            "less_than_or_equal_to",
        ],
        "select" | "status" | "checkbox" => &["equals", "does_not_equal"],
        "date" | "created_time" | "last_edited_time" => &["equals", "before", "after", "on_or_before", "on_or_after"],
        _ => &["contains", "does_not_contain"],
    };
    let fields = condition.as_object().filter(|fields| !fields.is_empty());
    let fields = fields.ok_or_else(|| Trouble::expected(place, "an object with a condition", condition))?;
    for (operator, demand) in fields {
        let empty = matches!(operator.as_str(), "is_empty" | "is_not_empty") && kind != "checkbox";
        let place = format!("{place}.{operator}");
        if !empty && !known.contains(&operator.as_str()) {
            return Err(Trouble::body(&place, "should be not present."));
        }
        let (good, expected) = match kind {
            _ if empty => (*demand == Value::Bool(true), "`true`"),
            "number" | "unique_id" => (demand.is_number(), "a number"),
            "checkbox" => (demand.is_boolean(), "a boolean"),
            "date" | "created_time" | "last_edited_time" => (
                demand.as_str().and_then(dates::read).is_some(),
                "a valid ISO 8601 date string",
            ),
            _ => (demand.is_string(), "a string"),
        };
        if !good {
            return Err(Trouble::expected(&place, expected, demand));
        }
    }
    Ok(fields
        .iter()
        .map(|(operator, demand)| (operator.clone(), demand.clone()))
        .collect())
}

fn fits(kind: &str, kept: Option<&Value>, operator: &str, demand: &Value) -> bool {
    let text = plain(kind, kept);
    let is_empty = match kept {
        None | Some(Value::Null) => true,
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::String(text)) => text.is_empty(),
        _ => false,
    };
    let wanted = demand.as_str().unwrap_or_default();
    match (kind, operator) {
        (_, "is_empty") => is_empty,
        (_, "is_not_empty") => !is_empty,
        ("date", _) => in_time(dates::read(&text).map(|when| when.ms), operator, demand),
        ("number", _) => {
            let (value, bound) = (kept.and_then(Value::as_f64), demand.as_f64().unwrap_or_default());
            value.is_some_and(|value| compares(value.partial_cmp(&bound), operator))
                || (is_empty && operator == "does_not_equal")
        }
        ("checkbox", _) => (kept.unwrap_or(&Value::Bool(false)) == demand) == (operator == "equals"),
        ("multi_select" | "relation" | "people", _) => {
            let items = kept.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let there = items.iter().any(|item| item == demand || item["id"] == *demand);
            there == (operator == "contains")
        }
        (_, "equals") => text == wanted,
        (_, "does_not_equal") => text != wanted,
        (_, "contains") => text.contains(wanted),
        (_, "does_not_contain") => !text.contains(wanted),
        (_, "starts_with") => text.starts_with(wanted),
        (_, "ends_with") => text.ends_with(wanted),
        _ => false,
    }
}

fn compares(order: Option<std::cmp::Ordering>, operator: &str) -> bool {
    let Some(order) = order else { return false };
    match operator {
        "equals" => order.is_eq(),
        "does_not_equal" => order.is_ne(),
        "greater_than" | "after" => order.is_gt(),
        "less_than" | "before" => order.is_lt(),
        "greater_than_or_equal_to" | "on_or_after" => order.is_ge(),
        "less_than_or_equal_to" | "on_or_before" => order.is_le(),
        _ => false,
    }
}

/// A demanded day is compared with the day of the moment, in UTC.
fn in_time(ms: Option<i64>, operator: &str, demand: &Value) -> bool {
    const DAY_MS: i64 = 86_400_000;
    let (Some(ms), Some(bound)) = (ms, demand.as_str().and_then(dates::read)) else {
        return false;
    };
    let ms = if bound.is_day {
        ms.div_euclid(DAY_MS) * DAY_MS
    } else {
        ms
    };
    compares(Some(ms.cmp(&bound.ms)), operator)
}
