//! Lists of records and of pairs.

use rusqlite::{
    Connection, params_from_iter,
    types::{ToSqlOutput, Value as Cell},
};
use serde_json::Value;
use switchboard_model::id::WorkspaceId;

use super::rows::{self, DUPLICATE, RECORD};
use crate::store::{Compare, DuplicateFilter, DuplicateRow, Filter, RecordQuery, RecordRow, SortBy};

/// A statement that is being written.
struct Draft {
    sql: String,
    values: Vec<Cell>,
}

impl Draft {
    /// The place of a value.
    fn value(&mut self, value: impl Into<Cell>) -> String {
        self.values.push(value.into());
        format!("?{}", self.values.len())
    }

    fn and(&mut self, condition: &str) {
        self.sql.push_str(" AND (");
        self.sql.push_str(condition);
        self.sql.push(')');
    }

    /// A field's value: text as text, numbers as numbers, `true` and `false` as these words.
    fn field(&mut self, field: &str) -> String {
        let path: String = field.split('.').map(|part| format!(".\"{part}\"")).collect();
        let path = self.value(format!("${path}"));
        format!(
            "CASE json_type(r.data, {path}) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE json_extract(r.data, {path}) END"
        )
    }

    /// The same, a number or nothing.
    fn number(&mut self, field: &str) -> String {
        let path: String = field.split('.').map(|part| format!(".\"{part}\"")).collect();
        let path = self.value(format!("${path}"));
        format!("CASE WHEN json_type(r.data, {path}) IN ('integer', 'real') THEN json_extract(r.data, {path}) END")
    }

    fn filter(&mut self, filter: &Filter) {
        match filter {
            Filter::Field { field, compare, value } => {
                let (left, right) = match value {
                    Value::Number(number) => (self.number(field), self.value(cell(number))),
                    Value::String(text) => (self.field(field), self.value(text.clone())),
                    other => (self.field(field), self.value(other.to_string())),
                };
                let sign = match compare {
                    Compare::Is => "=",
                    Compare::Not => "IS NOT",
                    Compare::Above => ">",
                    Compare::From => ">=",
                    Compare::Below => "<",
                    Compare::UpTo => "<=",
                };
                self.and(&format!("{left} {sign} {right}"));
            }
            Filter::OneOf { field, values } => {
                let field = self.field(field);
                let places: Vec<String> = values.iter().map(|value| self.value(value.clone())).collect();
                self.and(&format!("CAST({field} AS TEXT) IN ({})", places.join(", ")));
            }
            Filter::Present { field, present } => {
                let field = self.field(field);
                let not = if *present { "NOT " } else { "" };
                self.and(&format!("{field} IS {not}NULL"));
            }
            Filter::Key(key) => {
                let (kind, value) = (self.value(key.kind.clone()), self.value(key.value.clone()));
                self.and(&format!(
                    "r.id IN (SELECT coalesce(h.merged_into, h.id) FROM record_key k JOIN record h ON h.id = k.record
                     WHERE k.workspace = ?1 AND k.object = ?2 AND k.kind = {kind} AND k.value = {value})"
                ));
            }
            Filter::Moment {
                created,
                from_ms,
                until_ms,
            } => {
                let column = if *created { "r.created_ms" } else { "r.updated_ms" };
                let (from, until) = (self.value(*from_ms), self.value(*until_ms));
                self.and(&format!("{column} >= {from} AND {column} < {until}"));
            }
            Filter::Review(review) => {
                let review = self.value(*review);
                self.and(&format!("r.review = {review}"));
            }
        }
    }

    /// The page, in its order.
    fn page(&mut self, query: &RecordQuery) {
        let (sign, order) = if query.descending { ("<", "DESC") } else { (">", "ASC") };
        let sorted = match &query.sort {
            SortBy::Id => None,
            SortBy::Updated => Some("r.updated_ms".to_owned()),
            SortBy::Text(field) => {
                let field = self.field(field);
                Some(format!("CAST({field} AS TEXT)"))
            }
            SortBy::Number(field) => Some(self.number(field)),
        };
        if let Some(after) = &query.after {
            let id = self.value(after.id);
            let condition = match (&sorted, &after.value) {
                (None, _) => format!("r.id {sign} {id}"),
                (Some(sorted), Value::Null) => format!("{sorted} IS NULL AND r.id {sign} {id}"),
                (Some(sorted), value) => {
                    let value = match value {
                        Value::Number(number) => self.value(cell(number)),
                        Value::String(text) => self.value(text.clone()),
                        other => self.value(other.to_string()),
                    };
                    format!("{sorted} {sign} {value} OR ({sorted} = {value} AND r.id {sign} {id}) OR {sorted} IS NULL")
                }
            };
            self.and(&condition);
        }
        let sorted = sorted
            .map(|sorted| format!("{sorted} {order} NULLS LAST, "))
            .unwrap_or_default();
        self.sql
            .push_str(&format!(" ORDER BY {sorted}r.id {order} LIMIT {}", query.limit));
    }
}

fn cell(number: &serde_json::Number) -> Cell {
    match number.as_i64() {
        Some(whole) => Cell::Integer(whole),
        None => Cell::Real(number.as_f64().unwrap_or_default()),
    }
}

pub(super) fn records(
    db: &Connection,
    workspace: WorkspaceId,
    query: &RecordQuery,
) -> rusqlite::Result<Vec<RecordRow>> {
    let mut draft = Draft {
        sql: format!(
            "SELECT {RECORD} FROM record r WHERE r.workspace = ?1 AND r.object = ?2 AND r.merged_into IS NULL"
        ),
        values: vec![Cell::Integer(workspace.0), Cell::Text(query.object.to_string())],
    };
    query.filters.iter().for_each(|filter| draft.filter(filter));
    draft.page(query);
    let mut select = db.prepare_cached(&draft.sql)?;
    let rows = select.query_map(
        params_from_iter(draft.values.into_iter().map(ToSqlOutput::Owned)),
        rows::record,
    )?;
    rows.collect()
}

pub(super) fn duplicates(
    db: &Connection,
    workspace: WorkspaceId,
    filter: &DuplicateFilter,
) -> rusqlite::Result<Vec<DuplicateRow>> {
    let mut draft = Draft {
        sql: format!("SELECT {DUPLICATE} FROM duplicate WHERE workspace = ?1"),
        values: vec![Cell::Integer(workspace.0)],
    };
    if let Some(object) = &filter.object {
        let object = draft.value(object.clone());
        draft.and(&format!("object = {object}"));
    }
    if let Some(record) = filter.record {
        let record = draft.value(record.0);
        draft.and(&format!("one = {record} OR other = {record}"));
    }
    if let Some(state) = filter.state {
        let state = draft.value(state as i64);
        draft.and(&format!("state = {state}"));
    }
    if let Some(before) = filter.before {
        let before = draft.value(before);
        draft.and(&format!("id < {before}"));
    }
    draft.sql.push_str(&format!(" ORDER BY id DESC LIMIT {}", filter.limit));
    let mut select = db.prepare_cached(&draft.sql)?;
    let rows = select.query_map(
        params_from_iter(draft.values.into_iter().map(ToSqlOutput::Owned)),
        rows::duplicate,
    )?;
    rows.collect()
}
