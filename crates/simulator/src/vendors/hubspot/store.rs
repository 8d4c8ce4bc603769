//! The stored objects of the portal, with indexes on ids and unique properties, and what the search index will hold of them.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::schema::{ObjectType, Property};
use super::values;

/// The properties of an object as they were at some time.
pub type Properties = Arc<BTreeMap<String, String>>;

/// One stored object.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The number, unique within the portal.
    pub id: u64,
    /// All values; a property without one is not here.
    pub properties: Properties,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Milliseconds since 1970.
    pub updated_ms: i64,
    /// When it was archived, milliseconds since 1970.
    pub archived_ms: Option<i64>,
    /// Plural of the other type, number of the other object, id of the kind of association.
    pub associations: BTreeSet<(&'static str, u64, u64)>,
}

/// The objects of one type.
#[derive(Debug, Default)]
pub struct Table {
    /// The properties that objects may have.
    pub properties: IndexMap<String, Property>,
    rows: BTreeMap<u64, Record>,
    live: u64,
    /// Property, value in lower case, object.
    unique: HashMap<String, HashMap<String, u64>>,
    /// What searches will see, and from when on, milliseconds since 1970.
    pub unseen: VecDeque<(i64, u64, Option<Properties>)>,
    undo: Option<Undo>,
}

/// What is put back when a batch fails as a whole.
#[derive(Debug, Default)]
struct Undo {
    records: Vec<(u64, Option<Record>)>,
    unseen: usize,
}

impl Table {
    /// A table without objects.
    #[must_use]
    pub fn new(properties: IndexMap<String, Property>) -> Self {
        Self {
            properties,
            ..Self::default()
        }
    }

    /// A live object by its number.
    #[must_use]
    pub fn live(&self, id: u64) -> Option<&Record> {
        self.rows.get(&id).filter(|record| record.archived_ms.is_none())
    }

    /// An object by its number, also an archived one.
    #[must_use]
    pub fn any(&self, id: u64) -> Option<&Record> {
        self.rows.get(&id)
    }

    /// How many objects are not archived.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.live
    }

    /// The live object that has the value of a unique property.
    #[must_use]
    pub fn by_value(&self, property: &str, value: &str) -> Option<u64> {
        self.unique.get(property)?.get(&value.trim().to_lowercase()).copied()
    }

    /// Whether objects can be named by this property.
    #[must_use]
    pub fn names(&self, property: &str) -> bool {
        self.properties.get(property).is_some_and(|property| property.unique)
    }

    /// Objects with a number above `after`, in the order of their numbers.
    pub fn after(&self, after: u64, archived: bool) -> impl Iterator<Item = &Record> {
        let rest = self.rows.range(after.saturating_add(1)..);
        rest.map(|(_, record)| record)
            .filter(move |record| record.archived_ms.is_some() == archived)
    }

    /// Stores an object, new or changed. Searches see it from `seen_ms` on.
    pub fn put(&mut self, record: Record, seen_ms: i64) {
        let id = record.id;
        let shown = record.archived_ms.is_none().then(|| Arc::clone(&record.properties));
        let previous = self.replace(id, Some(record));
        self.unseen.push_back((seen_ms, id, shown));
        if let Some(undo) = &mut self.undo {
            undo.records.push((id, previous));
        }
    }

    /// Adds an association of an object, or takes it away. Searches do not know associations.
    pub fn associate(&mut self, id: u64, association: (&'static str, u64, u64), there: bool) {
        if let Some(record) = self.rows.get_mut(&id) {
            if there {
                record.associations.insert(association);
            } else {
                record
                    .associations
                    .retain(|(kind, to, _)| (*kind, *to) != (association.0, association.1));
            }
        }
    }

    /// From now on changes can be taken back.
    pub fn begin(&mut self) {
        self.undo = Some(Undo {
            records: Vec::new(),
            unseen: self.unseen.len(),
        });
    }

    /// The changes since [`Table::begin`] stay, or are taken back.
    pub fn end(&mut self, keep: bool) {
        let Some(undo) = self.undo.take().filter(|_| !keep) else {
            return;
        };
        self.unseen.truncate(undo.unseen);
        for (id, previous) in undo.records.into_iter().rev() {
            self.replace(id, previous);
        }
    }

    /// A property was added; its values have to be found if it is unique.
    pub fn add_property(&mut self, property: Property) {
        self.properties.insert(property.name.clone(), property);
    }

    fn replace(&mut self, id: u64, record: Option<Record>) -> Option<Record> {
        let previous = match record {
            Some(record) => self.rows.insert(id, record),
            None => self.rows.remove(&id),
        };
        if let Some(old) = previous.as_ref().filter(|old| old.archived_ms.is_none()) {
            self.live -= 1;
            for (name, value) in keys(&self.properties, old) {
                if let Some(index) = self.unique.get_mut(name)
                    && index.get(&value) == Some(&id)
                {
                    index.remove(&value);
                }
            }
        }
        if let Some(new) = self.rows.get(&id).filter(|new| new.archived_ms.is_none()) {
            self.live += 1;
            for (name, value) in keys(&self.properties, new) {
                self.unique.entry(name.to_owned()).or_default().insert(value, id);
            }
        }
        previous
    }
}

/// The values of an object's unique properties.
fn keys<'a>(properties: &IndexMap<String, Property>, record: &'a Record) -> Vec<(&'a str, String)> {
    let unique = |name: &str| properties.get(name).is_some_and(|property| property.unique);
    let of = record.properties.iter().filter(|(name, _)| unique(name));
    of.map(|(name, value)| (name.as_str(), value.to_lowercase())).collect()
}

impl Record {
    /// The object as the API shows it: with these properties and the ones that are always there, or with all that have a value.
    #[must_use]
    pub fn show(&self, kind: &ObjectType, wanted: Option<&[String]>) -> Value {
        let mut shown = json!({
            "id": self.id.to_string(),
            "properties": show_properties(&self.properties, kind, wanted),
            "createdAt": values::moment(self.created_ms),
            "updatedAt": values::moment(self.updated_ms),
            "archived": self.archived_ms.is_some(),
        });
        if let Some(at) = self.archived_ms {
            shown["archivedAt"] = json!(values::moment(at));
        }
        shown
    }

    /// The associations with objects of some types, as a read with `?associations=` shows them.
    #[must_use]
    pub fn show_associations(&self, kind: &ObjectType, others: &[&'static ObjectType]) -> Value {
        let mut shown = Map::new();
        for other in others {
            let of = self
                .associations
                .iter()
                .filter(|(plural, _, _)| *plural == other.plural);
            let name = format!("{}_to_{}", kind.singular, other.singular);
            let list: Vec<Value> = of
                .map(|(_, id, _)| json!({"id": id.to_string(), "type": name}))
                .collect();
            if !list.is_empty() {
                shown.insert(other.plural.to_owned(), json!({ "results": list }));
            }
        }
        Value::Object(shown)
    }
}

/// Properties as the API shows them; one that was asked for and has no value is null.
#[must_use]
pub fn show_properties(properties: &Properties, kind: &ObjectType, wanted: Option<&[String]>) -> Value {
    let Some(wanted) = wanted else {
        return json!(properties.as_ref());
    };
    let always = ["createdate", kind.modified, "hs_object_id"];
    let names = wanted.iter().map(String::as_str).chain(always);
    let shown: Map<String, Value> = names
        .map(|name| (name.to_owned(), json!(properties.get(name))))
        .collect();
    Value::Object(shown)
}
