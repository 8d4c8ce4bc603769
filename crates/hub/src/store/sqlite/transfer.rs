//! Export and import of the database with its days, for a move to or from another one.
//!
//! Fingerprints go by their event. In the days they lie in runs (see `seen.rs`), which are read one after the other and made anew; those of
//! the newest day go into `recent`, as if they had just come.

mod export;
mod import;

use rusqlite::{
    ToSql,
    types::{ToSqlOutput, Value, ValueRef},
};

use crate::store::transfer::{Cell, Part};

pub use export::SqliteSource;
pub use import::SqliteTarget;

/// Columns that deliveries of the days do not have: what has arrived is not in doubt.
const DAYS_LACK: &[&str] = &["doubt_ms", "operation", "means", "request_digest"];

/// Where rows of a part lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lies {
    /// In the database alone.
    Hot,
    /// In the database, or in the day that their id names.
    Dated,
    /// Fingerprints.
    Runs,
}

fn lies(part: &Part) -> Lies {
    match part.name {
        "event" | "delivery" | "attempt" => Lies::Dated,
        "seen" => Lies::Runs,
        _ => Lies::Hot,
    }
}

fn cell(value: Value) -> Cell {
    match value {
        Value::Null => Cell::Null,
        Value::Integer(number) => Cell::Number(number),
        // No column holds fractions.
        Value::Real(number) => Cell::Number(number as i64),
        Value::Text(text) => Cell::Text(text),
        Value::Blob(bytes) => Cell::Bytes(bytes),
    }
}

fn number(cell: Option<&Cell>) -> i64 {
    match cell {
        Some(Cell::Number(number)) => *number,
        _ => 0,
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Number(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
