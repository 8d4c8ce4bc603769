//! Making, changing and archiving one object (fact sheet §5, §7).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::schema::{self, ObjectType};
use super::store::{Record, Table};
use super::trouble::{BadValue, Trouble};
use super::values;

/// All objects of the portal.
#[derive(Debug)]
pub struct Rows {
    tables: HashMap<&'static str, Table>,
    next: u64,
    /// How long searches do not see a write, milliseconds.
    pub search_lag_ms: i64,
}

/// An association that a new object is to have.
type Wanted = (&'static ObjectType, u64, u64);

impl Rows {
    /// A portal without objects.
    #[must_use]
    pub fn new(search_lag_ms: i64) -> Self {
        let table = |kind: &'static ObjectType| {
            let mut properties = schema::properties(kind);
            if let Some(email) = properties.get_mut("email").filter(|_| kind.plural == "contacts") {
                email.unique = true;
            }
            (kind.plural, Table::new(properties))
        };
        Self {
            tables: schema::object_types().iter().map(table).collect(),
            next: 251,
            search_lag_ms,
        }
    }

    /// The objects of a type.
    ///
    /// # Errors
    /// Never for the types of [`schema::object_types`].
    pub fn table(&self, kind: &ObjectType) -> Result<&Table, Trouble> {
        self.tables
            .get(kind.plural)
            .ok_or_else(|| Trouble::not_found(kind.plural))
    }

    /// The objects of a type, to be changed.
    ///
    /// # Errors
    /// Never for the types of [`schema::object_types`].
    pub fn table_mut(&mut self, kind: &ObjectType) -> Result<&mut Table, Trouble> {
        self.tables
            .get_mut(kind.plural)
            .ok_or_else(|| Trouble::not_found(kind.plural))
    }

    /// The live object that a path or an input names: by its number, or by the value of a unique property.
    ///
    /// # Errors
    /// 400 for a property that does not name objects, 404 when there is no such object.
    pub fn find(&self, kind: &ObjectType, key: &str, id_property: Option<&str>) -> Result<u64, Trouble> {
        let table = self.table(kind)?;
        let missing = || Trouble::not_found(&format!("No {} with id {key}.", kind.singular)).about("ids", json!(key));
        match id_property.filter(|name| *name != "hs_object_id") {
            None => key
                .parse()
                .ok()
                .filter(|id| table.live(*id).is_some())
                .ok_or_else(missing),
            Some(name) if table.names(name) => table.by_value(name, key).ok_or_else(missing),
            Some(name) => {
                let message = format!("Property '{name}' is not a unique property of {}", kind.plural);
                Err(Trouble::invalid(message).about("idProperty", json!(name)))
            }
        }
    }

    /// Makes an object and returns its number.
    ///
    /// # Errors
    /// What HubSpot says of an object that it refuses.
    pub fn create(
        &mut self,
        kind: &'static ObjectType,
        properties: &Map<String, Value>,
        associations: &Value,
        now_ms: i64,
    ) -> Result<u64, Trouble> {
        let table = self.table(kind)?;
        let mut stored = values::read(&table.properties, properties)?;
        stored.retain(|_, value| !value.is_empty());
        if let Some((pipeline, _)) = schema::pipeline_properties(kind) {
            let first = schema::pipelines(kind).first().map_or("", |pipeline| pipeline.id);
            stored.entry(pipeline.to_owned()).or_insert_with(|| first.to_owned());
        }
        required(kind, &stored)?;
        in_pipeline(kind, &stored)?;
        conflict(kind, table, &stored, None)?;
        let wanted = self.wanted(kind, associations)?;
        if kind.plural == "leads" && !wanted.iter().any(|(other, _, _)| other.plural == "contacts") {
            return Err(Trouble::invalid(
                "Error creating LEAD. A lead must be associated to a contact.",
            ));
        }
        let id = self.next;
        self.next += 1;
        stored.insert("hs_object_id".to_owned(), id.to_string());
        stored.insert("createdate".to_owned(), values::moment(now_ms));
        let record = Record {
            id,
            properties: Arc::new(stamped(kind, stored, now_ms)),
            created_ms: now_ms,
            updated_ms: now_ms,
            archived_ms: None,
            associations: BTreeSet::new(),
        };
        let seen_ms = now_ms + self.search_lag_ms;
        self.table_mut(kind)?.put(record, seen_ms);
        for (other, to, label) in wanted {
            self.associate((kind, id), (other, to), label)?;
        }
        Ok(id)
    }

    /// Changes the properties that are named; an empty text clears one.
    ///
    /// # Errors
    /// What HubSpot says of a change that it refuses.
    pub fn update(
        &mut self,
        kind: &'static ObjectType,
        id: u64,
        properties: &Map<String, Value>,
        now_ms: i64,
    ) -> Result<(), Trouble> {
        let table = self.table(kind)?;
        let record = table.live(id).ok_or_else(|| Trouble::not_found("It is archived."))?;
        let given = values::read(&table.properties, properties)?;
        let mut stored = record.properties.as_ref().clone();
        stored.extend(given.clone());
        stored.retain(|_, value| !value.is_empty());
        required(kind, &stored)?;
        in_pipeline(kind, &stored)?;
        conflict(kind, table, &given, Some(id))?;
        let record = Record {
            properties: Arc::new(stamped(kind, stored, now_ms)),
            updated_ms: now_ms,
            ..record.clone()
        };
        let seen_ms = now_ms + self.search_lag_ms;
        self.table_mut(kind)?.put(record, seen_ms);
        Ok(())
    }

    /// Archives an object. One that is not there is no error.
    ///
    /// # Errors
    /// Never for known types.
    pub fn archive(&mut self, kind: &'static ObjectType, id: u64, now_ms: i64) -> Result<(), Trouble> {
        let seen_ms = now_ms + self.search_lag_ms;
        let table = self.table_mut(kind)?;
        if let Some(record) = table.live(id) {
            let record = Record {
                archived_ms: Some(now_ms),
                ..record.clone()
            };
            table.put(record, seen_ms);
        }
        Ok(())
    }

    /// Associates two live objects, in both directions.
    ///
    /// # Errors
    /// 404 when one is not there.
    pub fn associate(
        &mut self,
        (kind, id): (&'static ObjectType, u64),
        (other, to): (&'static ObjectType, u64),
        label: u64,
    ) -> Result<(), Trouble> {
        for (kind, id) in [(kind, id), (other, to)] {
            let there = self.table(kind)?.live(id).is_some();
            there
                .then_some(())
                .ok_or_else(|| Trouble::not_found(&format!("No {} with id {id}.", kind.singular)))?;
        }
        let back = schema::association_type(other, kind).unwrap_or(label);
        self.table_mut(kind)?.associate(id, (other.plural, to, label), true);
        self.table_mut(other)?.associate(to, (kind.plural, id, back), true);
        Ok(())
    }

    /// Ends all associations of two objects, in both directions.
    ///
    /// # Errors
    /// Never for known types.
    pub fn part(
        &mut self,
        (kind, id): (&'static ObjectType, u64),
        (other, to): (&'static ObjectType, u64),
    ) -> Result<(), Trouble> {
        self.table_mut(kind)?.associate(id, (other.plural, to, 0), false);
        self.table_mut(other)?.associate(to, (kind.plural, id, 0), false);
        Ok(())
    }

    /// The associations in the body of a create: `[{"to": {"id"}, "types": [{"associationTypeId"}]}]`.
    fn wanted(&self, kind: &'static ObjectType, associations: &Value) -> Result<Vec<Wanted>, Trouble> {
        let mut wanted = Vec::new();
        for association in associations.as_array().into_iter().flatten() {
            let to = association["to"]["id"].as_str().and_then(|id| id.parse::<u64>().ok());
            let to = to.ok_or_else(|| Trouble::invalid("Invalid input JSON: associations need a numeric to.id"))?;
            for label in association["types"].as_array().into_iter().flatten() {
                let label = label["associationTypeId"].as_u64();
                let other = schema::object_types()
                    .iter()
                    .find(|other| label.is_some() && schema::association_type(kind, other) == label);
                let (Some(other), Some(label)) = (other, label) else {
                    let message = format!("No association type of {} has the id {label:?}", kind.singular);
                    return Err(Trouble::invalid(message));
                };
                if self.table(other)?.live(to).is_none() {
                    let message = format!("No {} with id {to} to associate with.", other.singular);
                    return Err(Trouble::not_found(&message));
                }
                wanted.push((other, to, label));
            }
        }
        Ok(wanted)
    }
}

/// The properties with what HubSpot computes or keeps itself.
fn stamped(kind: &ObjectType, mut stored: BTreeMap<String, String>, now_ms: i64) -> BTreeMap<String, String> {
    stored.insert(kind.modified.to_owned(), values::moment(now_ms));
    if kind.plural == "contacts" {
        let phone = stored
            .get("phone")
            .map(|phone| phone.chars().filter(char::is_ascii_digit).collect::<String>());
        match phone.filter(|digits| !digits.is_empty()) {
            Some(digits) => stored.insert("hs_searchable_calculated_phone_number".to_owned(), digits),
            None => stored.remove("hs_searchable_calculated_phone_number"),
        };
    }
    stored
}

fn required(kind: &ObjectType, stored: &BTreeMap<String, String>) -> Result<(), Trouble> {
    let missing: Vec<&str> = kind
        .required
        .iter()
        .filter(|name| !stored.contains_key(**name))
        .copied()
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!(
        "Error creating {}. Some required properties were not set.",
        kind.singular.to_ascii_uppercase()
    );
    let mut trouble = Trouble::invalid(message);
    trouble.errors = vec![json!({
        "message": trouble.message,
        "code": "REQUIRED_PROPERTY_MISSING",
        "context": {"properties": missing, "propertyName": missing},
    })];
    trouble.context.push(("properties", json!(missing)));
    Err(trouble)
}

/// Pipeline and stage exist, and the stage is one of the pipeline.
fn in_pipeline(kind: &ObjectType, stored: &BTreeMap<String, String>) -> Result<(), Trouble> {
    let Some((pipeline, stage)) = schema::pipeline_properties(kind) else {
        return Ok(());
    };
    let text = |name: &str| stored.get(name).map_or("", String::as_str);
    let bad = |name: &str, code, allowed: Vec<&str>| {
        let message = format!(
            "{} was not one of the allowed options: [{}]",
            text(name),
            allowed.join(", ")
        );
        let name = name.to_owned();
        Err(Trouble::values(&[BadValue { name, code, message }]))
    };
    let pipelines = schema::pipelines(kind);
    let Some(found) = pipelines.iter().find(|candidate| candidate.id == text(pipeline)) else {
        return bad(
            pipeline,
            "INVALID_PIPELINE",
            pipelines.iter().map(|pipeline| pipeline.id).collect(),
        );
    };
    if found.stages.iter().any(|(id, _)| *id == text(stage)) {
        return Ok(());
    }
    bad(
        stage,
        "INVALID_PIPELINE_STAGE",
        found.stages.iter().map(|(id, _)| *id).collect(),
    )
}

/// No other live object has the value of a unique property. For the e-mail address of a contact the existing number stands in
/// the message and nowhere else.
fn conflict(
    kind: &ObjectType,
    table: &Table,
    given: &BTreeMap<String, String>,
    own: Option<u64>,
) -> Result<(), Trouble> {
    for (name, value) in given
        .iter()
        .filter(|(name, value)| !value.is_empty() && table.names(name))
    {
        let Some(other) = table.by_value(name, value).filter(|other| Some(*other) != own) else {
            continue;
        };
        if name == "email" {
            let message = format!("Contact already exists. Existing ID: {other}");
            return Err(Trouble::new(409, "CONFLICT", message));
        }
        let message = format!("{} {other} already has that value.", kind.singular);
        let (name, code) = (name.clone(), "CONFLICTING_UNIQUE_VALUE");
        return Err(Trouble::values(&[BadValue { name, code, message }]));
    }
    Ok(())
}
