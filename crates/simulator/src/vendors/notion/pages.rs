//! The stored pages, with an index on their texts.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::values::plain_text;
use crate::chance::Chance;

/// A row.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its id.
    pub id: String,
    /// The data source that it is in.
    pub source: String,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Milliseconds since 1970.
    pub edited_ms: i64,
    /// Values by column name, as they are shown.
    pub properties: Map<String, Value>,
    /// Whether it is in the trash.
    pub in_trash: bool,
}

/// Every page, in the order in which they were made.
#[derive(Debug)]
pub struct Pages {
    by_number: BTreeMap<u64, Page>,
    numbers: HashMap<String, u64>,
    /// Page numbers by data source, column and plain text.
    texts: HashMap<(String, String, String), Vec<u64>>,
    next: u64,
    chance: Chance,
}

impl Pages {
    /// No pages yet.
    pub fn new(seed: u64) -> Self {
        Self {
            by_number: BTreeMap::new(),
            numbers: HashMap::new(),
            texts: HashMap::new(),
            next: 1,
            chance: Chance::new(seed, "notion pages"),
        }
    }

    /// Stores a new page.
    pub fn insert(&mut self, source: &str, properties: Map<String, Value>, now_ms: i64) -> &Page {
        let number = self.next;
        self.next += 1;
        let id = self.chance.uuid();
        self.numbers.insert(id.clone(), number);
        let page = Page {
            id,
            source: source.to_owned(),
            created_ms: now_ms,
            edited_ms: now_ms,
            properties,
            in_trash: false,
        };
        self.index(number, &page);
        self.by_number.entry(number).or_insert(page)
    }

    fn index(&mut self, number: u64, page: &Page) {
        for (name, value) in &page.properties {
            let key = (page.source.clone(), name.clone(), plain_text(value));
            let numbers = self.texts.entry(key).or_default();
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
    }

    /// The page with this id.
    pub fn get(&self, id: &str) -> Option<&Page> {
        self.by_number.get(self.numbers.get(id)?)
    }

    /// Changes a page.
    pub fn update(
        &mut self,
        id: &str,
        properties: Map<String, Value>,
        in_trash: Option<bool>,
        now_ms: i64,
    ) -> Option<&Page> {
        let number = *self.numbers.get(id)?;
        let page = self.by_number.get_mut(&number)?;
        page.properties.extend(properties);
        page.in_trash = in_trash.unwrap_or(page.in_trash);
        page.edited_ms = now_ms;
        let page = page.clone();
        self.index(number, &page);
        self.by_number.get(&number)
    }

    /// The pages of a data source; with `equals`, only those whose column has exactly this text. Old texts of changed pages are filtered out.
    pub fn of_source<'p>(
        &'p self,
        source: &'p str,
        equals: Option<(&str, &str)>,
    ) -> Box<dyn Iterator<Item = &'p Page> + 'p> {
        match equals {
            None => Box::new(self.by_number.values().filter(move |page| page.source == source)),
            Some((column, text)) => {
                let key = (source.to_owned(), column.to_owned(), text.to_owned());
                let numbers = self.texts.get(&key).map(Vec::as_slice).unwrap_or_default();
                Box::new(numbers.iter().filter_map(|number| self.by_number.get(number)))
            }
        }
    }

    /// How many are not in the trash.
    pub fn count(&self) -> u64 {
        self.by_number.values().filter(|page| !page.in_trash).count() as u64
    }

    /// All that are not in the trash.
    pub fn all(&self) -> impl Iterator<Item = &Page> {
        self.by_number.values().filter(|page| !page.in_trash)
    }
}

impl Page {
    /// The page as the API shows it.
    pub fn show(&self, database: &str) -> Value {
        json!({
            "object": "page", "id": self.id, "created_time": minute(self.created_ms), "last_edited_time": minute(self.edited_ms),
            "in_trash": self.in_trash, "archived": self.in_trash,
            "parent": {"type": "data_source_id", "data_source_id": self.source, "database_id": database},
            "properties": self.properties, "url": format!("https://www.notion.so/{}", self.id.replace('-', "")),
        })
    }
}

/// Notion rounds its times down to the minute (fact sheet §10).
fn minute(ms: i64) -> String {
    let rounded = ms.div_euclid(60_000) * 60_000;
    let moment = jiff::Timestamp::from_millisecond(rounded).unwrap_or_default();
    moment.strftime("%Y-%m-%dT%H:%M:00.000Z").to_string()
}
