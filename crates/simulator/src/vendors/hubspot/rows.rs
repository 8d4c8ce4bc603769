//! The stored records of every object, with an index on unique properties.

use std::collections::{BTreeMap, HashMap};

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::schema::Schema;
use super::trouble::{Fault, Refusal};

/// A record. All values are text.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its id.
    pub id: u64,
    /// Values by property.
    pub properties: IndexMap<String, String>,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Milliseconds since 1970.
    pub updated_ms: i64,
    /// Whether it was deleted.
    pub archived: bool,
}

/// The records of one object.
#[derive(Debug, Default)]
struct Table {
    rows: BTreeMap<u64, Row>,
    /// Record by unique property and value, regardless of case.
    unique: HashMap<(String, String), u64>,
}

/// The records of every object.
#[derive(Debug)]
pub struct Rows {
    tables: HashMap<&'static str, Table>,
    next: u64,
}

impl Rows {
    /// No records yet.
    pub fn new() -> Self {
        Self {
            tables: HashMap::new(),
            next: 251,
        }
    }

    /// Makes a record.
    ///
    /// # Errors
    /// What HubSpot refuses.
    pub fn create(&mut self, schema: &Schema, object: &'static str, given: &Map<String, Value>, now_ms: i64) -> Result<u64, Refusal> {
        let mut properties = check(schema, object, given)?;
        require(object, &mut properties)?;
        check_pipeline(schema, object, &properties)?;
        self.check_unique(schema, object, &properties, None)?;
        let id = self.next;
        self.next += 1;
        properties.insert("hs_object_id".to_owned(), id.to_string());
        let row = Row {
            id,
            properties,
            created_ms: now_ms,
            updated_ms: now_ms,
            archived: false,
        };
        self.index(schema, object, &row);
        self.tables.entry(object).or_default().rows.insert(id, row);
        Ok(id)
    }

    /// Changes a record.
    ///
    /// # Errors
    /// What HubSpot refuses.
    pub fn update(&mut self, schema: &Schema, object: &'static str, id: u64, given: &Map<String, Value>, now_ms: i64) -> Result<(), Refusal> {
        let properties = check(schema, object, given)?;
        let old = self.get(object, id).ok_or(Refusal::NotFound)?;
        let mut whole = old.properties.clone();
        whole.extend(properties.clone());
        check_pipeline(schema, object, &whole)?;
        self.check_unique(schema, object, &properties, Some(id))?;
        let table = self.tables.entry(object).or_default();
        table.unique.retain(|(property, _), owner| *owner != id || !properties.contains_key(property));
        if let Some(row) = table.rows.get_mut(&id) {
            row.properties = whole;
            row.updated_ms = now_ms;
            let row = row.clone();
            self.index(schema, object, &row);
        }
        Ok(())
    }

    /// Deletes a record; it can be restored at the vendor, but is in nobody's way any more.
    pub fn archive(&mut self, object: &'static str, id: u64) {
        let table = self.tables.entry(object).or_default();
        if let Some(row) = table.rows.get_mut(&id) {
            row.archived = true;
        }
        table.unique.retain(|_, owner| *owner != id);
    }

    /// A record that is not deleted.
    pub fn get(&self, object: &str, id: u64) -> Option<&Row> {
        self.tables.get(object)?.rows.get(&id).filter(|row| !row.archived)
    }

    /// The record with this value of a unique property.
    pub fn by_unique(&self, object: &str, property: &str, value: &str) -> Option<u64> {
        let key = (property.to_owned(), value.trim().to_lowercase());
        self.tables.get(object)?.unique.get(&key).copied()
    }

    /// All that are not deleted, in the order of their ids.
    pub fn all(&self, object: &str) -> impl DoubleEndedIterator<Item = &Row> {
        self.tables.get(object).into_iter().flat_map(|table| table.rows.values()).filter(|row| !row.archived)
    }

    fn index(&mut self, schema: &Schema, object: &'static str, row: &Row) {
        let table = self.tables.entry(object).or_default();
        for (name, value) in &row.properties {
            if !value.is_empty() && schema.property(object, name).is_some_and(|property| property.unique) {
                table.unique.insert((name.clone(), value.trim().to_lowercase()), row.id);
            }
        }
    }

    fn check_unique(&self, schema: &Schema, object: &str, properties: &IndexMap<String, String>, own: Option<u64>) -> Result<(), Refusal> {
        for (name, value) in properties {
            let unique = !value.is_empty() && schema.property(object, name).is_some_and(|property| property.unique);
            let Some(other) = self.by_unique(object, name, value).filter(|other| unique && Some(*other) != own) else {
                continue;
            };
            return Err(match name.as_str() {
                "email" => Refusal::Conflict(format!("Contact already exists. Existing ID: {other}")),
                name => Refusal::Invalid(vec![Fault {
                    property: name.to_owned(),
                    code: "CONFLICTING_UNIQUE_VALUE",
                    message: format!("{object} {other} already has the value \"{value}\" for the unique property \"{name}\""),
                }]),
            });
        }
        Ok(())
    }
}

/// The values as text, when all of them are allowed.
fn check(schema: &Schema, object: &str, given: &Map<String, Value>) -> Result<IndexMap<String, String>, Refusal> {
    let mut properties = IndexMap::new();
    let mut faults = Vec::new();
    for (name, value) in given {
        match check_one(schema, object, name, value) {
            Ok(text) => {
                properties.insert(name.clone(), text);
            }
            Err((code, message)) => faults.push(Fault { property: name.clone(), code, message }),
        }
    }
    if faults.is_empty() { Ok(properties) } else { Err(Refusal::Invalid(faults)) }
}

fn check_one(schema: &Schema, object: &str, name: &str, value: &Value) -> Result<String, (&'static str, String)> {
    let property = schema.property(object, name).ok_or(("PROPERTY_DOESNT_EXIST", format!("Property \"{name}\" does not exist")))?;
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => return Err(("INVALID_TYPE", format!("{name} must be a string"))),
    };
    if text.is_empty() {
        return Ok(text);
    }
    let wrong = match property.kind.as_str() {
        "number" => text.parse::<f64>().is_err().then_some("INVALID_NUMBER"),
        "datetime" => (text.parse::<i64>().is_err() && text.parse::<jiff::Timestamp>().is_err() && text.parse::<jiff::civil::Date>().is_err()).then_some("INVALID_DATE"),
        "enumeration" => text.split(';').any(|part| !property.options.iter().any(|option| option == part)).then_some("INVALID_OPTION"),
        _ if name == "email" => (!is_email(&text)).then_some("INVALID_EMAIL"),
        _ => (text.len() > 65_536).then_some("VALUE_TOO_LONG"),
    };
    match wrong {
        None => Ok(text),
        Some(code) => Err((code, format!("{text} was not valid for the property {name}"))),
    }
}

fn is_email(text: &str) -> bool {
    let parts: Vec<&str> = text.split('@').collect();
    matches!(parts.as_slice(), [local, domain] if !local.is_empty() && domain.contains('.') && !text.contains(char::is_whitespace))
}

/// Fills in what HubSpot fills in, and demands what it demands (fact sheet §5).
fn require(object: &str, properties: &mut IndexMap<String, String>) -> Result<(), Refusal> {
    let missing = |name: &str| {
        let message = format!("Property \"{name}\" is required");
        Refusal::Invalid(vec![Fault { property: name.to_owned(), code: "REQUIRED_PROPERTY_MISSING", message }])
    };
    match object {
        "tickets" => {
            properties.entry("hs_pipeline".to_owned()).or_insert_with(|| "0".to_owned());
            properties.get("hs_pipeline_stage").map(|_| ()).ok_or_else(|| missing("hs_pipeline_stage"))
        }
        "deals" => {
            properties.entry("pipeline".to_owned()).or_insert_with(|| "default".to_owned());
            Ok(())
        }
        "notes" | "tasks" | "calls" if !properties.contains_key("hs_timestamp") => Err(missing("hs_timestamp")),
        _ => Ok(()),
    }
}

fn check_pipeline(schema: &Schema, object: &str, properties: &IndexMap<String, String>) -> Result<(), Refusal> {
    let (pipeline, stage) = match object {
        "tickets" => ("hs_pipeline", "hs_pipeline_stage"),
        "deals" => ("pipeline", "dealstage"),
        _ => return Ok(()),
    };
    let text = |name: &str| properties.get(name).map(String::as_str).unwrap_or_default();
    let fault = |property: &str, code: &'static str| {
        let message = format!("{} was not one of the allowed options for {property}", text(property));
        Err(Refusal::Invalid(vec![Fault { property: property.to_owned(), code, message }]))
    };
    match schema.pipelines(object).iter().find(|(id, _)| id == text(pipeline)) {
        None => fault(pipeline, "INVALID_PIPELINE"),
        Some((_, stages)) if !text(stage).is_empty() && !stages.iter().any(|known| known == text(stage)) => fault(stage, "INVALID_PIPELINE_STAGE"),
        Some(_) => Ok(()),
    }
}

impl Row {
    /// The record as the API shows it; with `wanted`, only these properties and those that are always shown.
    pub fn show(&self, object: &str, wanted: Option<&[String]>) -> Value {
        let modified = if object == "contacts" { "lastmodifieddate" } else { "hs_lastmodifieddate" };
        let mut properties: Map<String, Value> = self
            .properties
            .iter()
            .filter(|(name, _)| wanted.is_none_or(|wanted| wanted.contains(name) || name.as_str() == "hs_object_id"))
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
            .collect();
        properties.insert("createdate".to_owned(), moment(self.created_ms).into());
        properties.insert(modified.to_owned(), moment(self.updated_ms).into());
        json!({
            "id": self.id.to_string(), "properties": properties, "createdAt": moment(self.created_ms),
            "updatedAt": moment(self.updated_ms), "archived": self.archived,
        })
    }
}

/// A moment with milliseconds, as HubSpot writes it.
pub fn moment(ms: i64) -> String {
    let moment = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    moment.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}
