//! The stored records of the org, with indexes on ids, external ids and e-mail addresses.

use std::collections::{BTreeMap, HashMap};

use indexmap::IndexMap;
use serde_json::Value;

use super::ids;
use super::schema::{Field, Object};

/// The user that every session belongs to.
pub const USER_ID: &str = "0055g000000HubUAAS";
/// The org.
pub const ORG_ID: &str = "00D5g000000HubOEAS";

/// One stored record.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The id with 18 characters.
    pub id: String,
    /// Whether it lies in the recycle bin.
    pub deleted: bool,
    /// What its fields hold; a field that is not here is null.
    pub values: BTreeMap<&'static str, Value>,
}

impl Record {
    /// What a field holds; null when nothing, false for a boolean.
    #[must_use]
    pub fn get(&self, field: &Field) -> Value {
        let empty = || match field.kind {
            super::schema::Kind::Boolean => Value::Bool(false),
            _ => Value::Null,
        };
        self.values.get(field.name).cloned().unwrap_or_else(empty)
    }
}

#[derive(Debug, Default)]
struct Table {
    /// By the first 15 characters of the id.
    rows: IndexMap<String, Record>,
    /// Field, value in lower case, keys of the rows.
    indexes: HashMap<&'static str, HashMap<String, Vec<String>>>,
    live: u64,
}

/// All records of the org.
#[derive(Debug, Default)]
pub struct Store {
    tables: HashMap<&'static str, Table>,
    next: u64,
    /// What to put back when an all-or-none call fails; `None` outside such a call.
    undo: Option<Vec<(Object, String, Option<Record>)>>,
}

impl Store {
    /// A new id for a record of the object, and the number in it.
    pub fn next_id(&mut self, object: &Object) -> (String, u64) {
        self.next += 1;
        (ids::make(object.prefix, self.next), self.next)
    }

    /// A record by its id of 15 or 18 characters, also a deleted one.
    #[must_use]
    pub fn get(&self, object: &Object, id: &str) -> Option<&Record> {
        self.tables.get(object.name)?.rows.get(ids::key(id)?)
    }

    /// Stores a record, new or changed.
    pub fn put(&mut self, object: &Object, record: Record) {
        let Some(key) = ids::key(&record.id).map(str::to_owned) else {
            return;
        };
        let previous = self.replace(object, &key, Some(record));
        if let Some(undo) = &mut self.undo {
            undo.push((object.clone(), key, previous));
        }
    }

    /// From now on changes can be taken back.
    pub fn begin(&mut self) {
        self.undo = Some(Vec::new());
    }

    /// The changes since [`Store::begin`] stay, or are taken back.
    pub fn end(&mut self, keep: bool) {
        let changes = self.undo.take().unwrap_or_default();
        for (object, key, previous) in changes.into_iter().rev().filter(|_| !keep) {
            self.replace(&object, &key, previous);
        }
    }

    /// The live records whose indexed field holds the value, ignoring case. `None` when the field has no index.
    #[must_use]
    pub fn find(&self, object: &Object, field: &Field, value: &str) -> Option<Vec<&Record>> {
        if field.name == "Id" {
            return Some(self.get(object, value).into_iter().collect());
        }
        object.indexed().find(|indexed| indexed.name == field.name)?;
        let Some(table) = self.tables.get(object.name) else {
            return Some(Vec::new());
        };
        let keys = table
            .indexes
            .get(field.name)
            .and_then(|index| index.get(&value.to_lowercase()));
        Some(
            keys.into_iter()
                .flatten()
                .filter_map(|key| table.rows.get(key))
                .collect(),
        )
    }

    /// All records of an object in the order in which they were made, deleted ones too.
    pub fn all(&self, object: &Object) -> impl Iterator<Item = &Record> {
        self.tables
            .get(object.name)
            .into_iter()
            .flat_map(|table| table.rows.values())
    }

    /// How many live records each object has.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.tables
            .iter()
            .map(|(name, table)| ((*name).to_owned(), table.live))
            .collect()
    }

    fn replace(&mut self, object: &Object, key: &str, record: Option<Record>) -> Option<Record> {
        let table = self.tables.entry(object.name).or_default();
        if let Some(old) = table.rows.get(key).filter(|old| !old.deleted) {
            table.live -= 1;
            for (name, value) in entries(object, old) {
                if let Some(keys) = table.indexes.get_mut(name).and_then(|index| index.get_mut(&value)) {
                    keys.retain(|other| other != key);
                }
            }
        }
        let Some(record) = record else {
            return table.rows.shift_remove(key);
        };
        if !record.deleted {
            table.live += 1;
            for (name, value) in entries(object, &record) {
                table
                    .indexes
                    .entry(name)
                    .or_default()
                    .entry(value)
                    .or_default()
                    .push(key.to_owned());
            }
        }
        table.rows.insert(key.to_owned(), record)
    }
}

/// What stands of a record in the indexes.
fn entries(object: &Object, record: &Record) -> Vec<(&'static str, String)> {
    let entry = |field: &Field| Some((field.name, record.values.get(field.name)?.as_str()?.to_lowercase()));
    object.indexed().filter_map(entry).collect()
}
