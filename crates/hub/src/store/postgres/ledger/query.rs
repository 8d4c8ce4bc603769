//! Lists of records and of pairs.

use deadpool_postgres::GenericClient;
use serde_json::Value;
use switchboard_model::id::WorkspaceId;
use tokio_postgres::types::ToSql;

use super::{
    super::Trouble,
    rows::{self, DUPLICATE, RECORD},
};
use crate::store::{Compare, DuplicateFilter, DuplicateRow, Filter, RecordQuery, RecordRow, SortBy};

/// A statement that is being written.
struct Draft {
    sql: String,
    values: Vec<Box<dyn ToSql + Sync + Send>>,
}

impl Draft {
    /// The place of a value.
    fn value(&mut self, value: impl ToSql + Sync + Send + 'static) -> String {
        self.values.push(Box::new(value));
        format!("${}", self.values.len())
    }

    fn and(&mut self, condition: &str) {
        self.sql.push_str(" AND (");
        self.sql.push_str(condition);
        self.sql.push(')');
    }

    fn path(&mut self, field: &str) -> String {
        let path: Vec<String> = field.split('.').map(str::to_owned).collect();
        format!("{}::text[]", self.value(path))
    }

    /// A field's value as text, compared by code point.
    fn field(&mut self, field: &str) -> String {
        let path = self.path(field);
        format!("((r.data::json #>> {path}) COLLATE \"C\")")
    }

    /// The same, a number or nothing.
    fn number(&mut self, field: &str) -> String {
        let path = self.path(field);
        format!(
            "(CASE WHEN json_typeof(r.data::json #> {path}) = 'number' THEN (r.data::json #>> {path})::numeric END)"
        )
    }

    fn numeric(&mut self, number: &serde_json::Number) -> String {
        format!("({}::text)::numeric", self.value(number.to_string()))
    }

    fn text(&mut self, text: String) -> String {
        format!("{}::text", self.value(text))
    }

    fn filter(&mut self, filter: &Filter) {
        match filter {
            Filter::Field { field, compare, value } => {
                let (left, right) = match value {
                    Value::Number(number) => (self.number(field), self.numeric(number)),
                    Value::String(text) => (self.field(field), self.text(text.clone())),
                    other => (self.field(field), self.text(other.to_string())),
                };
                let sign = match compare {
                    Compare::Is => "=",
                    Compare::Not => "IS DISTINCT FROM",
                    Compare::Above => ">",
                    Compare::From => ">=",
                    Compare::Below => "<",
                    Compare::UpTo => "<=",
                };
                self.and(&format!("{left} {sign} {right}"));
            }
            Filter::OneOf { field, values } => {
                let field = self.field(field);
                let values = self.value(values.clone());
                self.and(&format!("{field} = ANY ({values}::text[])"));
            }
            Filter::Present { field, present } => {
                let field = self.field(field);
                let not = if *present { "NOT " } else { "" };
                self.and(&format!("{field} IS {not}NULL"));
            }
            Filter::Key(key) => {
                let (kind, value) = (self.text(key.kind.clone()), self.text(key.value.clone()));
                self.and(&format!(
                    "r.id IN (SELECT coalesce(h.merged_into, h.id) FROM record_key k JOIN record h ON h.id = k.record
                     WHERE k.workspace = $1 AND k.object = $2 AND k.kind = {kind} AND k.value = {value})"
                ));
            }
            Filter::Moment {
                created,
                from_ms,
                until_ms,
            } => {
                let column = if *created { "r.created_ms" } else { "r.updated_ms" };
                let (from, until) = (self.value(*from_ms), self.value(*until_ms));
                self.and(&format!("{column} >= {from}::bigint AND {column} < {until}::bigint"));
            }
            Filter::Review(review) => {
                let review = self.value(i16::from(*review));
                self.and(&format!("r.review = {review}::smallint"));
            }
        }
    }

    /// The page, in its order.
    fn page(&mut self, query: &RecordQuery) {
        let (sign, order) = if query.descending { ("<", "DESC") } else { (">", "ASC") };
        let sorted = match &query.sort {
            SortBy::Id => None,
            SortBy::Updated => Some("r.updated_ms".to_owned()),
            SortBy::Text(field) => Some(self.field(field)),
            SortBy::Number(field) => Some(self.number(field)),
        };
        if let Some(after) = &query.after {
            let id = format!("{}::bigint", self.value(after.id));
            let condition = match (&sorted, &after.value) {
                (None, _) => format!("r.id {sign} {id}"),
                (Some(sorted), Value::Null) => format!("{sorted} IS NULL AND r.id {sign} {id}"),
                (Some(sorted), value) => {
                    let value = match value {
                        Value::Number(number) => self.numeric(number),
                        Value::String(text) => self.text(text.clone()),
                        other => self.text(other.to_string()),
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

    async fn rows(&self, client: &impl GenericClient) -> Result<Vec<tokio_postgres::Row>, Trouble> {
        let values: Vec<&(dyn ToSql + Sync)> = self
            .values
            .iter()
            .map(|value| &**value as &(dyn ToSql + Sync))
            .collect();
        Ok(client.query(&self.sql, &values).await?)
    }
}

pub(super) async fn records(
    client: &impl GenericClient,
    workspace: WorkspaceId,
    query: &RecordQuery,
) -> Result<Vec<RecordRow>, Trouble> {
    let mut draft = Draft {
        sql: format!(
            "SELECT {RECORD} FROM record r WHERE r.workspace = $1 AND r.object = $2 AND r.merged_into IS NULL"
        ),
        values: vec![Box::new(workspace.0), Box::new(query.object.to_string())],
    };
    query.filters.iter().for_each(|filter| draft.filter(filter));
    draft.page(query);
    draft.rows(client).await?.iter().map(rows::record).collect()
}

pub(super) async fn duplicates(
    client: &impl GenericClient,
    workspace: WorkspaceId,
    filter: &DuplicateFilter,
) -> Result<Vec<DuplicateRow>, Trouble> {
    let mut draft = Draft {
        sql: format!("SELECT {DUPLICATE} FROM duplicate WHERE workspace = $1"),
        values: vec![Box::new(workspace.0)],
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
        let state = draft.value(state as i16);
        draft.and(&format!("state = {state}"));
    }
    if let Some(before) = filter.before {
        let before = draft.value(before);
        draft.and(&format!("id < {before}"));
    }
    draft.sql.push_str(&format!(" ORDER BY id DESC LIMIT {}", filter.limit));
    Ok(draft.rows(client).await?.iter().map(rows::duplicate).collect())
}
