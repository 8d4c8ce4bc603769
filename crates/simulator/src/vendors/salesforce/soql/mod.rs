//! The part of SOQL that integrations use: one object, plain fields, conditions, order, limit (fact sheet §5).

mod lexer;
mod matching;
mod parser;

use super::schema::{Field, Object};
use super::store::{Record, Store};
use super::trouble::Trouble;

pub use parser::parse;

/// A query as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The selected fields; empty for `COUNT()`.
    pub fields: Vec<String>,
    /// The object.
    pub object: String,
    /// The condition.
    pub filter: Option<Expr>,
    /// What to sort by, most important first.
    pub order: Vec<Order>,
    /// The most records.
    pub limit: Option<usize>,
    /// How many records to leave out first.
    pub offset: usize,
}

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// All hold.
    And(Vec<Expr>),
    /// One holds.
    Or(Vec<Expr>),
    /// It does not hold.
    Not(Box<Expr>),
    /// A field is compared with a value.
    Compare(String, Op, Literal),
    /// A field has one of some values; with `true`, none of them.
    In(String, bool, Vec<Literal>),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `=`
    Equal,
    /// `!=`, `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `LIKE`
    Like,
}

/// A value in a query.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// `12.5`
    Number(f64),
    /// `'text'`, unescaped
    Text(String),
    /// `2026-11-20`
    Day(String),
    /// `2026-11-20T10:00:00Z`, as moments are stored
    Moment(String),
}

/// One thing to sort by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The field.
    pub field: String,
    /// Greatest first.
    pub descending: bool,
    /// Where records without a value stand; without this, where the least stand.
    pub nulls_last: Option<bool>,
}

impl Query {
    /// The selected fields as the object has them.
    ///
    /// # Errors
    /// `INVALID_FIELD` for one that it has not.
    pub fn selected(&self, object: &Object) -> Result<Vec<Field>, Trouble> {
        self.fields.iter().map(|name| column(object, name).copied()).collect()
    }

    /// The records that fit, sorted and cut. Deleted ones only when `with_deleted`.
    ///
    /// # Errors
    /// `INVALID_FIELD` for a field that the object has not, or a value that does not fit it.
    pub fn run<'a>(&self, object: &Object, store: &'a Store, with_deleted: bool) -> Result<Vec<&'a Record>, Trouble> {
        if let Some(filter) = &self.filter {
            matching::check(object, filter)?;
        }
        let fits = |record: &&Record| {
            (with_deleted || !record.deleted)
                && self
                    .filter
                    .as_ref()
                    .is_none_or(|filter| matching::holds(object, filter, record))
        };
        let few = (!with_deleted)
            .then(|| self.filter.as_ref().and_then(|filter| few(object, store, filter)))
            .flatten();
        let mut found: Vec<&Record> = match few {
            Some(records) => records.into_iter().filter(fits).collect(),
            None => store.all(object).filter(fits).collect(),
        };
        let keys = self
            .order
            .iter()
            .map(|order| Ok((order, *column(object, &order.field)?)));
        let keys = keys.collect::<Result<Vec<_>, Trouble>>()?;
        if !keys.is_empty() {
            found.sort_by(|left, right| matching::order(&keys, left, right));
        }
        let rest = found.into_iter().skip(self.offset);
        Ok(rest.take(self.limit.unwrap_or(usize::MAX)).collect())
    }
}

/// The records among which all that fit are, when an index knows them.
fn few<'a>(object: &Object, store: &'a Store, filter: &Expr) -> Option<Vec<&'a Record>> {
    match filter {
        Expr::Compare(name, Op::Equal, Literal::Text(text)) => store.find(object, object.field(name)?, text),
        Expr::And(parts) => parts.iter().find_map(|part| few(object, store, part)),
        Expr::In(name, false, values) => {
            let field = object.field(name)?;
            let mut all: Vec<&Record> = Vec::new();
            for value in values {
                let Literal::Text(text) = value else {
                    return None;
                };
                for record in store.find(object, field, text)? {
                    if !all.iter().any(|other| other.id == record.id) {
                        all.push(record);
                    }
                }
            }
            Some(all)
        }
        _ => None,
    }
}

/// The field of this name.
fn column<'a>(object: &'a Object, name: &str) -> Result<&'a Field, Trouble> {
    object.field(name).ok_or_else(|| {
        let message = match name.split_once('.') {
            Some((relationship, _)) => format!("Didn't understand relationship '{relationship}' in field path."),
            None => format!(
                "No such column '{name}' on entity '{}'. If you are attempting to use a custom field, be sure to append the \
                 '__c' after the custom field name.",
                object.name
            ),
        };
        Trouble::new(400, "INVALID_FIELD", message)
    })
}

/// A query that cannot be understood.
fn malformed(message: impl Into<String>) -> Trouble {
    Trouble::new(400, "MALFORMED_QUERY", message)
}
