//! Whether a record fits a condition, and which of two records comes first.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use super::super::ids;
use super::super::schema::{Field, Kind, Object};
use super::super::store::Record;
use super::super::trouble::Trouble;
use super::{Expr, Literal, Op, Order, column};

/// Whether every field of the condition exists and every value fits its field.
///
/// # Errors
/// `INVALID_FIELD`.
pub fn check(object: &Object, filter: &Expr) -> Result<(), Trouble> {
    match filter {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().try_for_each(|part| check(object, part)),
        Expr::Not(inner) => check(object, inner),
        Expr::Compare(name, _, value) => fits(column(object, name)?, value),
        Expr::In(name, _, values) => {
            let field = column(object, name)?;
            values.iter().try_for_each(|value| fits(field, value))
        }
    }
}

fn fits(field: &Field, value: &Literal) -> Result<(), Trouble> {
    if field.kind == Kind::LongText && field.length > 255 {
        let message = format!("field '{}' can not be filtered in a query call", field.name);
        return Err(Trouble::new(400, "INVALID_FIELD", message));
    }
    let good = match value {
        Literal::Null => true,
        Literal::Text(_) => field.kind.is_text(),
        Literal::Number(_) => field.kind.is_number(),
        Literal::Bool(_) => field.kind == Kind::Boolean,
        Literal::Day(_) => field.kind == Kind::Date,
        Literal::Moment(_) => field.kind == Kind::DateTime,
    };
    if good {
        return Ok(());
    }
    let enclosed = if matches!(value, Literal::Text(_)) {
        " and should not be enclosed in quotes"
    } else if field.kind.is_text() {
        " and should be enclosed in quotes"
    } else {
        ""
    };
    let message = format!(
        "value of filter criterion for field '{}' must be of type {}{enclosed}",
        field.name,
        field.kind.name()
    );
    Err(Trouble::new(400, "INVALID_FIELD", message))
}

/// Whether the record fits a condition that was checked.
#[must_use]
pub fn holds(object: &Object, filter: &Expr, record: &Record) -> bool {
    match filter {
        Expr::And(parts) => parts.iter().all(|part| holds(object, part, record)),
        Expr::Or(parts) => parts.iter().any(|part| holds(object, part, record)),
        Expr::Not(inner) => !holds(object, inner, record),
        Expr::Compare(name, op, value) => object
            .field(name)
            .is_some_and(|field| compares(&record.get(field), *op, &long_id(field, value))),
        Expr::In(name, not, values) => object.field(name).is_some_and(|field| {
            let found = record.get(field);
            *not != values
                .iter()
                .any(|value| compares(&found, Op::Equal, &long_id(field, value)))
        }),
    }
}

/// Ids are stored with 18 characters and may be asked for with 15.
fn long_id<'a>(field: &Field, value: &'a Literal) -> Cow<'a, Literal> {
    match (field.kind, value) {
        (Kind::Id | Kind::Reference(_), Literal::Text(id)) => Cow::Owned(Literal::Text(ids::long(id))),
        _ => Cow::Borrowed(value),
    }
}

fn compares(found: &Value, op: Op, wanted: &Literal) -> bool {
    let ordering = match (found, wanted) {
        (Value::Null, Literal::Null) => Some(Ordering::Equal),
        (Value::Bool(found), Literal::Bool(wanted)) => Some(found.cmp(wanted)),
        (Value::Number(found), Literal::Number(wanted)) => found.as_f64().and_then(|found| found.partial_cmp(wanted)),
        (Value::String(found), Literal::Text(wanted)) if op == Op::Like => {
            return like(&lower(found), &lower(wanted));
        }
        (Value::String(found), Literal::Text(wanted)) => Some(found.to_lowercase().cmp(&wanted.to_lowercase())),
        (Value::String(found), Literal::Day(wanted) | Literal::Moment(wanted)) => Some(found.cmp(wanted)),
        _ => None,
    };
    match op {
        Op::Equal => ordering == Some(Ordering::Equal),
        // A record without a value is unlike every value.
        Op::NotEqual => ordering != Some(Ordering::Equal),
        Op::Less => ordering == Some(Ordering::Less),
        Op::LessOrEqual => ordering.is_some_and(Ordering::is_le),
        Op::Greater => ordering == Some(Ordering::Greater),
        Op::GreaterOrEqual => ordering.is_some_and(Ordering::is_ge),
        Op::Like => false,
    }
}

fn lower(text: &str) -> Vec<char> {
    text.to_lowercase().chars().collect()
}

/// `%` stands for any text, `_` for any one character.
fn like(text: &[char], pattern: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('%', rest)) => (0..=text.len()).any(|skip| like(&text[skip..], rest)),
        Some((sign, rest)) => text
            .split_first()
            .is_some_and(|(first, after)| (*sign == '_' || sign == first) && like(after, rest)),
    }
}

/// Which of two records comes first.
#[must_use]
pub fn order(keys: &[(&Order, Field)], left: &Record, right: &Record) -> Ordering {
    let by = |(order, field): &(&Order, Field)| {
        let (left, right) = (left.get(field), right.get(field));
        let nulls_last = order.nulls_last.unwrap_or(order.descending);
        match (left.is_null(), right.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) if nulls_last => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, true) if nulls_last => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) if order.descending => values(&right, &left),
            (false, false) => values(&left, &right),
        }
    };
    keys.iter()
        .map(by)
        .find(|ordering| ordering.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn values(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Number(left), Value::Number(right)) => {
            left.as_f64().partial_cmp(&right.as_f64()).unwrap_or(Ordering::Equal)
        }
        (Value::String(left), Value::String(right)) => left.to_lowercase().cmp(&right.to_lowercase()),
        _ => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_knows_its_two_wildcards_and_no_case() {
        for (text, pattern, expected) in [
            ("Петрова", "пет%", true),
            ("Петрова", "%ОВА", true),
            ("Петрова", "%тро%", true),
            ("Петрова", "П_трова", true),
            ("Петрова", "П__трова", false),
            ("Петрова", "Петров", false),
            ("", "%", true),
        ] {
            assert_eq!(like(&lower(text), &lower(pattern)), expected, "{text} LIKE {pattern}");
        }
    }
}
