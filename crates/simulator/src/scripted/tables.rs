//! The tables of a simulated account: rows in the order in which they came, found by id at once.

use std::collections::{BTreeMap, HashMap};

use rhai::{Dynamic, Map};

use super::json::{equal, own_map};
use super::paths::found;

/// All tables of an account by name. A table is there from its first row on.
#[derive(Debug, Default)]
pub struct Tables(BTreeMap<String, Table>);

#[derive(Debug, Default)]
struct Table {
    /// By the number of the insertion.
    rows: BTreeMap<u64, Row>,
    /// The numbers by the text of the id.
    numbers: HashMap<String, u64>,
    next: u64,
}

#[derive(Debug)]
struct Row {
    members: Map,
    changed_ms: i64,
}

/// Which rows are wanted.
#[derive(Debug, Default, Clone, Copy)]
pub struct Wanted<'a> {
    /// Members, by dotted path, and what they must be; all must fit.
    pub members: Option<&'a Map>,
    /// Only rows that were inserted or changed before this time, milliseconds since 1970.
    pub before_ms: Option<i64>,
    /// Texts fit also when they differ in capital letters only.
    pub folded: bool,
}

/// The text under which an id is found: 5 and "5" are the same id. `None` when it is neither text nor a whole number.
#[must_use]
pub fn id_text(id: &Dynamic) -> Option<String> {
    if let Ok(text) = id.as_immutable_string_ref() {
        return (!text.is_empty()).then(|| text.to_string());
    }
    id.as_int().map(|number| number.to_string()).ok()
}

impl Tables {
    /// Adds a row.
    ///
    /// # Errors
    /// A sentence when the row has no id, or the table has a row with this id.
    pub fn insert(&mut self, table: &str, row: Map, now_ms: i64) -> Result<(), String> {
        let id = row.get("id").and_then(id_text);
        let id = id.ok_or_else(|| format!("a row of table {table} has no id: it must be text or a whole number"))?;
        let into = self.0.entry(table.to_owned()).or_default();
        if into.numbers.contains_key(&id) {
            return Err(format!("table {table} has a row with the id {id} already"));
        }
        into.numbers.insert(id, into.next);
        let row = Row {
            members: own_map(row),
            changed_ms: now_ms,
        };
        into.rows.insert(into.next, row);
        into.next += 1;
        Ok(())
    }

    /// The row with an id.
    #[must_use]
    pub fn get(&self, table: &str, id: &Dynamic) -> Option<&Map> {
        let table = self.0.get(table)?;
        let number = table.numbers.get(&id_text(id)?)?;
        table.rows.get(number).map(|row| &row.members)
    }

    /// Changes the row with an id; it keeps its place. Says whether there is one.
    ///
    /// # Errors
    /// A sentence when the change gives the row another id.
    pub fn change(
        &mut self,
        table: &str,
        id: &Dynamic,
        now_ms: i64,
        change: impl FnOnce(&mut Map),
    ) -> Result<bool, String> {
        let Some(key) = id_text(id) else { return Ok(false) };
        let found = self.0.get_mut(table).and_then(|table| {
            let number = table.numbers.get(&key)?;
            table.rows.get_mut(number)
        });
        let Some(row) = found else { return Ok(false) };
        let mut members = row.members.clone();
        let old = members.get("id").cloned().unwrap_or(Dynamic::UNIT);
        change(&mut members);
        let new = members.entry("id".into()).or_insert_with(|| old.clone());
        if id_text(new).as_ref() != Some(&key) {
            return Err(format!("the row {key} of table {table} cannot get another id"));
        }
        *new = old;
        row.members = own_map(members);
        row.changed_ms = now_ms;
        Ok(true)
    }

    /// Takes the row with an id away; says whether there was one.
    pub fn remove(&mut self, table: &str, id: &Dynamic) -> bool {
        let removed = self.0.get_mut(table).and_then(|table| {
            let number = table.numbers.remove(&id_text(id)?)?;
            table.rows.remove(&number)
        });
        removed.is_some()
    }

    /// The rows that are wanted, in the order in which they were inserted.
    pub fn find<'a>(&'a self, table: &str, wanted: Wanted<'a>) -> Box<dyn Iterator<Item = &'a Map> + 'a> {
        let Some(table) = self.0.get(table) else {
            return Box::new(std::iter::empty());
        };
        let fits = move |row: &&Row| wanted.fits(row);
        let id = wanted.members.and_then(|members| members.get("id")).and_then(id_text);
        match id {
            None => Box::new(table.rows.values().filter(fits).map(|row| &row.members)),
            Some(id) => {
                let row = table.numbers.get(&id).and_then(|number| table.rows.get(number));
                Box::new(row.into_iter().filter(fits).map(|row| &row.members))
            }
        }
    }

    /// How many rows a table has.
    #[must_use]
    pub fn count(&self, table: &str) -> usize {
        self.0.get(table).map_or(0, |table| table.rows.len())
    }

    /// The tables that are there, by name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl Wanted<'_> {
    fn fits(&self, row: &Row) -> bool {
        let fits = |(path, value): (&rhai::Identifier, &Dynamic)| match found(&row.members, path) {
            Some(found) if path == "id" => id_text(&found) == id_text(value),
            Some(found) => equal(&found, value, self.folded),
            None => value.is_unit(),
        };
        self.before_ms.is_none_or(|ms| row.changed_ms < ms)
            && self.members.is_none_or(|members| members.iter().all(fits))
    }
}
