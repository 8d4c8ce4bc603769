//! What searches see: the objects as they were some seconds ago (fact sheet §5).

use std::collections::{BTreeSet, HashMap};

use super::store::{Properties, Table};

/// Values of these properties are found without looking at all objects; so are those of unique properties.
const INDEXED: [&str; 6] = [
    "email",
    "phone",
    "mobilephone",
    "domain",
    "hs_object_id",
    "hs_searchable_calculated_phone_number",
];

/// The search index of one object type.
#[derive(Debug, Default)]
pub struct Index {
    seen: HashMap<u64, Properties>,
    ids: BTreeSet<u64>,
    /// Property, value in lower case, objects.
    values: HashMap<String, HashMap<String, BTreeSet<u64>>>,
}

impl Index {
    /// Takes in what has become visible by now.
    pub fn catch_up(&mut self, table: &mut Table, now_ms: i64) {
        while let Some((seen_ms, _, _)) = table.unseen.front()
            && *seen_ms <= now_ms
            && let Some((_, id, properties)) = table.unseen.pop_front()
        {
            if let Some(old) = self.seen.remove(&id) {
                self.enter(table, id, &old, false);
                self.ids.remove(&id);
            }
            if let Some(properties) = properties {
                self.enter(table, id, &properties, true);
                self.ids.insert(id);
                self.seen.insert(id, properties);
            }
        }
    }

    /// The visible objects in the order of their numbers.
    pub fn all(&self) -> impl Iterator<Item = (u64, &Properties)> {
        self.ids.iter().filter_map(|id| Some((*id, self.seen.get(id)?)))
    }

    /// The visible objects with a value of a property, ignoring case; `None` when all have to be looked at.
    #[must_use]
    pub fn with(&self, table: &Table, property: &str, value: &str) -> Option<Vec<(u64, &Properties)>> {
        if !indexed(table, property) {
            return None;
        }
        let ids = self
            .values
            .get(property)
            .and_then(|values| values.get(&value.to_lowercase()));
        Some(
            ids.into_iter()
                .flatten()
                .filter_map(|id| Some((*id, self.seen.get(id)?)))
                .collect(),
        )
    }

    fn enter(&mut self, table: &Table, id: u64, properties: &Properties, there: bool) {
        for (name, value) in properties.iter().filter(|(name, _)| indexed(table, name)) {
            let ids = self
                .values
                .entry(name.clone())
                .or_default()
                .entry(value.to_lowercase())
                .or_default();
            if there {
                ids.insert(id);
            } else {
                ids.remove(&id);
            }
        }
    }
}

fn indexed(table: &Table, property: &str) -> bool {
    INDEXED.contains(&property) || table.names(property)
}
