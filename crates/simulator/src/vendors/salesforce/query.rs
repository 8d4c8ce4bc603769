//! `query` and `queryAll`: running SOQL and handing out the result in pages (fact sheet §5, §10).

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::schema::{Field, Object, Schema};
use super::soql;
use super::store::{Record, Store};
use super::trouble::Trouble;
use crate::message::Request;

/// A page has at most so many records unless the caller asks for fewer.
const PAGE: usize = 2_000;
/// As many unfinished queries are remembered.
const OPEN: usize = 100;

/// The queries whose results were not fetched to the end.
#[derive(Debug, Default)]
pub struct Queries {
    open: HashMap<u64, Open>,
    next: u64,
}

#[derive(Debug)]
struct Open {
    records: Vec<Value>,
    page: usize,
}

impl Queries {
    /// The first page of a query.
    ///
    /// # Errors
    /// `MALFORMED_QUERY`, `INVALID_TYPE`, `INVALID_FIELD`.
    pub fn start(
        &mut self,
        request: &Request,
        version: &str,
        with_deleted: bool,
        (schema, store): (&Schema, &Store),
    ) -> Result<Value, Trouble> {
        let text = request.param("q").filter(|text| !text.trim().is_empty());
        let text = text.ok_or_else(|| Trouble::new(400, "MALFORMED_QUERY", "A query string has to be specified"))?;
        let query = soql::parse(&text)?;
        let object = schema.object(&query.object).ok_or_else(|| {
            let message = format!("sObject type '{}' is not supported.", query.object);
            Trouble::new(400, "INVALID_TYPE", message)
        })?;
        let fields = query.selected(object)?;
        let found = query.run(object, store, with_deleted)?;
        if fields.is_empty() {
            return Ok(json!({"totalSize": found.len(), "done": true, "records": []}));
        }
        let records: Vec<Value> = found
            .iter()
            .map(|record| show(version, object, record, &fields))
            .collect();
        let page = page_size(request);
        if records.len() <= page {
            return Ok(json!({"totalSize": records.len(), "done": true, "records": records}));
        }
        self.next += 1;
        self.open.remove(&self.next.saturating_sub(OPEN as u64));
        self.open.insert(self.next, Open { records, page });
        self.page(version, self.next, 0)
    }

    /// A following page, from the locator at the end of `nextRecordsUrl`.
    ///
    /// # Errors
    /// `INVALID_QUERY_LOCATOR`.
    pub fn more(&self, version: &str, locator: &str) -> Result<Value, Trouble> {
        let parts = locator.strip_prefix("01g").and_then(|rest| rest.split_once('-'));
        let parts = parts.and_then(|(number, from)| Some((number.parse().ok()?, from.parse().ok()?)));
        let (number, from) = parts.ok_or_else(bad_locator)?;
        self.page(version, number, from)
    }

    fn page(&self, version: &str, number: u64, from: usize) -> Result<Value, Trouble> {
        let open = self
            .open
            .get(&number)
            .filter(|open| from < open.records.len())
            .ok_or_else(bad_locator)?;
        let to = open.records.len().min(from + open.page);
        let mut page = json!({
            "totalSize": open.records.len(),
            "done": to == open.records.len(),
            "records": &open.records[from..to],
        });
        if to < open.records.len() {
            page["nextRecordsUrl"] = json!(format!("/services/data/{version}/query/01g{number:012}-{to}"));
        }
        Ok(page)
    }
}

/// A record with these fields, as queries and single reads show it.
#[must_use]
pub fn show(version: &str, object: &Object, record: &Record, fields: &[Field]) -> Value {
    let url = format!("/services/data/{version}/sobjects/{}/{}", object.name, record.id);
    let mut shown = Map::new();
    shown.insert("attributes".into(), json!({"type": object.name, "url": url}));
    for field in fields {
        shown.insert(field.name.to_owned(), record.get(field));
    }
    Value::Object(shown)
}

fn bad_locator() -> Trouble {
    Trouble::new(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
}

fn page_size(request: &Request) -> usize {
    let options = request.header("sforce-query-options").unwrap_or_default();
    let asked = options
        .split(',')
        .find_map(|option| option.trim().strip_prefix("batchSize=")?.parse().ok());
    asked.map_or(PAGE, |size: usize| size.clamp(200, PAGE))
}
