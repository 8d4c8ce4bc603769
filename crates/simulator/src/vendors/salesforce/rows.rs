//! Making, changing, deleting and upserting one record (fact sheet §5, §7).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::duplicates;
use super::ids;
use super::schema::{Field, Kind, Object, Schema};
use super::settings::DuplicateRule;
use super::store::{Record, Store, USER_ID};
use super::trouble::Trouble;
use super::values;

/// Everything that a write to one record needs.
pub struct Rows<'a> {
    /// The objects.
    pub schema: &'a Schema,
    /// The records.
    pub store: &'a mut Store,
    /// What the org does with duplicates.
    pub rule: DuplicateRule,
    /// The caller insists on a record that a duplicate rule in alert mode refuses.
    pub insist: bool,
    /// Milliseconds since 1970.
    pub now_ms: i64,
}

/// How an upsert ended.
pub enum Upserted {
    /// A record was made; its id.
    Created(String),
    /// The one record with the key was changed; its id.
    Updated(String),
    /// Several records have the key; nothing was written. Their ids.
    Several(Vec<String>),
}

impl Rows<'_> {
    /// Makes a record and returns its id.
    ///
    /// # Errors
    /// What Salesforce says of a record that it refuses.
    pub fn create(&mut self, object: &Object, body: &Map<String, Value>) -> Result<String, Trouble> {
        if !object.createable {
            let message = format!("entity type {} does not support create", object.name);
            return Err(Trouble::row("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, [""; 0]));
        }
        let given = values::read(object, body, true)?;
        self.related(object, &given)?;
        self.unique(object, &given, None)?;
        duplicates::check(self.rule, self.insist, self.store, object, &given)?;
        let (id, number) = self.store.next_id(object);
        let mut values = first_values(object, &id, number, self.now_ms);
        assign(&mut values, given);
        let mut record = Record {
            id: id.clone(),
            deleted: false,
            values,
        };
        self.stamp(object, &mut record);
        self.store.put(object, record);
        Ok(id)
    }

    /// Changes the fields of a record that the body names.
    ///
    /// # Errors
    /// What Salesforce says of a change that it refuses.
    pub fn update(&mut self, object: &Object, id: &str, body: &Map<String, Value>) -> Result<String, Trouble> {
        let mut record = self.live(object, id)?.clone();
        let given = values::read(object, body, false)?;
        self.related(object, &given)?;
        self.unique(object, &given, Some(&record.id))?;
        assign(&mut record.values, given);
        self.stamp(object, &mut record);
        let id = record.id.clone();
        self.store.put(object, record);
        Ok(id)
    }

    /// Moves a record to the recycle bin.
    ///
    /// # Errors
    /// When it is not there, or is there already.
    pub fn delete(&mut self, object: &Object, id: &str) -> Result<String, Trouble> {
        let mut record = self.live(object, id)?.clone();
        record.deleted = true;
        record.values.insert("IsDeleted", Value::Bool(true));
        self.stamp(object, &mut record);
        let id = record.id.clone();
        self.store.put(object, record);
        Ok(id)
    }

    /// Changes the record whose external id is `value`, or makes one.
    ///
    /// # Errors
    /// What Salesforce says of a field that is no external id, a body that names it again, or a record that it refuses.
    pub fn upsert(
        &mut self,
        object: &Object,
        key: (&str, &str),
        body: &Map<String, Value>,
        update_only: bool,
    ) -> Result<Upserted, Trouble> {
        let (name, value) = key;
        let field = external_field(object, name)?;
        if body.keys().any(|given| given.eq_ignore_ascii_case(name)) {
            let message = format!("The {} field should not be specified in the sobject data.", field.name);
            return Err(Trouble::new(400, "INVALID_FIELD", message));
        }
        let found = self.store.find(object, field, value.trim()).unwrap_or_default();
        let ids: Vec<String> = found.iter().map(|record| record.id.clone()).collect();
        match ids.as_slice() {
            [] if update_only => Err(Trouble::not_found()),
            [] => {
                let mut body = body.clone();
                body.insert(field.name.to_owned(), json!(value));
                self.create(object, &body).map(Upserted::Created)
            }
            [id] => self.update(object, id, body).map(Upserted::Updated),
            _ => Ok(Upserted::Several(ids)),
        }
    }

    fn live(&self, object: &Object, id: &str) -> Result<&Record, Trouble> {
        match self.store.get(object, id) {
            None => Err(Trouble::not_found()),
            Some(record) if record.deleted => Err(Trouble {
                status: 404,
                ..Trouble::row("ENTITY_IS_DELETED", "entity is deleted", [""; 0])
            }),
            Some(record) => Ok(record),
        }
    }

    /// Every id points to a record of the right object.
    fn related(&self, object: &Object, given: &[(Field, Value)]) -> Result<(), Trouble> {
        for (field, value) in given {
            let (Kind::Reference(targets), Some(id)) = (field.kind, value.as_str()) else {
                continue;
            };
            let target = self.schema.of_id(id).filter(|target| targets.contains(&target.name));
            let Some(target) = target.filter(|_| ids::key(id).is_some()) else {
                let message = format!("{}: id value of incorrect type: {id}", field.name);
                return Err(Trouble::row("MALFORMED_ID", message, [field.name]));
            };
            let there = self.store.get(target, id).is_some_and(|record| !record.deleted);
            if !there && target.createable {
                let message = "invalid cross reference id";
                return Err(Trouble::row("INVALID_CROSS_REFERENCE_KEY", message, [field.name]));
            }
        }
        // A lead is not related to anything else yet (fact sheet §5).
        let text = |name: &str| {
            given
                .iter()
                .find(|(field, _)| field.name == name)
                .and_then(|(_, value)| value.as_str())
        };
        if object.name == "Task" && text("WhatId").is_some() && text("WhoId").is_some_and(|who| who.starts_with("00Q"))
        {
            let message = "WhatId: a task for a lead cannot be related to another record";
            return Err(Trouble::row("FIELD_INTEGRITY_EXCEPTION", message, ["WhatId"]));
        }
        Ok(())
    }

    /// No other record has the value of a unique field.
    fn unique(&self, object: &Object, given: &[(Field, Value)], own: Option<&str>) -> Result<(), Trouble> {
        for (field, value) in given.iter().filter(|(field, _)| field.unique) {
            let Some(text) = value.as_str() else {
                continue;
            };
            let others = self.store.find(object, field, text).unwrap_or_default();
            if let Some(other) = others.iter().find(|other| own != Some(other.id.as_str())) {
                let message = format!(
                    "duplicate value found: {} duplicates value on record with id: {}",
                    field.name,
                    &other.id[..15]
                );
                return Err(Trouble::row("DUPLICATE_VALUE", message, [""; 0]));
            }
        }
        Ok(())
    }

    /// Sets what Salesforce computes or keeps itself.
    fn stamp(&self, object: &Object, record: &mut Record) {
        let now = json!(values::moment(self.now_ms));
        record.values.insert("LastModifiedDate", now.clone());
        record.values.insert("SystemModstamp", now.clone());
        record.values.insert("LastModifiedById", json!(USER_ID));
        let text = |name: &str| record.values.get(name).and_then(Value::as_str).unwrap_or_default();
        let computed = match object.name {
            "Lead" | "Contact" => {
                let name = format!("{} {}", text("FirstName"), text("LastName"));
                vec![("Name", json!(name.trim()))]
            }
            "Opportunity" => {
                let stage = text("StageName");
                vec![
                    ("IsClosed", json!(stage.starts_with("Closed"))),
                    ("IsWon", json!(stage == "Closed Won")),
                ]
            }
            "Case" => {
                let closed = text("Status") == "Closed";
                let since = record.values.get("ClosedDate").cloned().unwrap_or(now);
                let since = if closed { since } else { Value::Null };
                vec![("IsClosed", json!(closed)), ("ClosedDate", since)]
            }
            "Task" => vec![
                ("IsClosed", json!(text("Status") == "Completed")),
                ("IsHighPriority", json!(text("Priority") == "High")),
            ],
            _ => Vec::new(),
        };
        record.values.extend(computed);
    }
}

/// The external id field of this name.
///
/// # Errors
/// 404 when the object has no such field or it is no external id.
pub fn external_field<'a>(object: &'a Object, name: &str) -> Result<&'a Field, Trouble> {
    let field = object.field(name).filter(|field| field.external);
    field.ok_or_else(|| {
        let message = format!("Provided external ID field does not exist or is not accessible: {name}");
        Trouble::new(404, "NOT_FOUND", message)
    })
}

fn first_values(object: &Object, id: &str, number: u64, now_ms: i64) -> BTreeMap<&'static str, Value> {
    let mut values = BTreeMap::from([
        ("Id", json!(id)),
        ("CreatedDate", json!(values::moment(now_ms))),
        ("CreatedById", json!(USER_ID)),
    ]);
    for field in &object.fields {
        match (field.name, field.default) {
            (_, Some(default)) => values.insert(field.name, json!(default)),
            ("OwnerId", _) => values.insert(field.name, json!(USER_ID)),
            ("CaseNumber", _) => values.insert(field.name, json!(format!("{number:08}"))),
            _ => None,
        };
    }
    values
}

fn assign(values: &mut BTreeMap<&'static str, Value>, given: Vec<(Field, Value)>) {
    for (field, value) in given {
        let value = match (&value, field.kind) {
            // Ids are always shown with 18 characters, whatever was sent.
            (Value::String(id), Kind::Reference(_)) => json!(ids::long(id)),
            _ => value,
        };
        if value.is_null() {
            values.remove(field.name);
        } else {
            values.insert(field.name, value);
        }
    }
}
