//! The stored pages, with an index on their texts.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Map, Value, json};

use super::dates::stamp;
use super::schema::{Source, plain_id};
use super::values;
use super::version::Version;
use crate::chance::Chance;

/// The integration itself, which makes every change.
pub const BOT_ID: &str = "00000000-0000-4000-8000-0000000000b0";

/// A row.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its id.
    pub id: String,
    /// Counts the pages, from 1.
    pub number: u32,
    /// The id of the data source that it is in.
    pub source: String,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Milliseconds since 1970.
    pub edited_ms: i64,
    /// Kept values by column id.
    pub values: BTreeMap<String, Value>,
    /// Whether it is in the trash.
    pub in_trash: bool,
}

/// Every page, in the order in which they were made. None ever goes away: the API knows no permanent deletion.
#[derive(Debug)]
pub struct Pages {
    all: Vec<Page>,
    /// By id without hyphens.
    numbers: HashMap<String, u32>,
    by_source: HashMap<String, BTreeSet<u32>>,
    /// Pages by a hash of data source, column and text. Who asks compares the text itself.
    texts: HashMap<u64, BTreeSet<u32>>,
    live: u64,
    chance: Chance,
}

impl Pages {
    /// No pages yet.
    pub fn new(seed: u64) -> Self {
        Self {
            all: Vec::new(),
            numbers: HashMap::new(),
            by_source: HashMap::new(),
            texts: HashMap::new(),
            live: 0,
            chance: Chance::new(seed, "notion pages"),
        }
    }

    /// Stores a new page.
    pub fn insert(&mut self, source: &Source, values: Vec<(String, Value)>, now_ms: i64) -> Page {
        let page = Page {
            id: self.chance.uuid(),
            number: u32::try_from(self.all.len() + 1).unwrap_or(u32::MAX),
            source: source.id.clone(),
            created_ms: now_ms,
            edited_ms: now_ms,
            values: values.into_iter().collect(),
            in_trash: false,
        };
        self.numbers.insert(plain_id(&page.id), page.number);
        self.by_source
            .entry(page.source.clone())
            .or_default()
            .insert(page.number);
        for key in keys(source, &page) {
            self.texts.entry(key).or_default().insert(page.number);
        }
        self.live += 1;
        self.all.push(page.clone());
        page
    }

    /// The page with this id.
    pub fn get(&self, id: &str) -> Option<&Page> {
        self.by_number(*self.numbers.get(&plain_id(id))?)
    }

    /// The page with this number.
    pub fn by_number(&self, number: u32) -> Option<&Page> {
        self.all.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// Changes values of a page of this data source, and puts it into the trash or takes it out.
    pub fn update(
        &mut self,
        source: &Source,
        page: &Page,
        values: Vec<(String, Value)>,
        in_trash: bool,
        now_ms: i64,
    ) -> Page {
        let mut changed = page.clone();
        changed.values.extend(values);
        changed.in_trash = in_trash;
        changed.edited_ms = now_ms;
        for key in keys(source, page) {
            if let Some(numbers) = self.texts.get_mut(&key) {
                numbers.remove(&page.number);
            }
        }
        for key in keys(source, &changed) {
            self.texts.entry(key).or_default().insert(page.number);
        }
        match (page.in_trash, in_trash) {
            (false, true) => self.live -= 1,
            (true, false) => self.live += 1,
            _ => {}
        }
        let place = usize::try_from(page.number).unwrap_or_default().saturating_sub(1);
        if let Some(stored) = self.all.get_mut(place) {
            *stored = changed.clone();
        }
        changed
    }

    /// The numbers of the pages of a data source.
    pub fn of_source(&self, source: &str) -> BTreeSet<u32> {
        self.by_source.get(source).cloned().unwrap_or_default()
    }

    /// The numbers of the pages whose column may have this text, and of all that do.
    pub fn with_text(&self, source: &str, column: &str, text: &str) -> BTreeSet<u32> {
        self.texts.get(&key(source, column, text)).cloned().unwrap_or_default()
    }

    /// How many are not in the trash.
    pub fn count(&self) -> u64 {
        self.live
    }

    /// All that are not in the trash.
    pub fn all(&self) -> impl Iterator<Item = &Page> {
        self.all.iter().filter(|page| !page.in_trash)
    }
}

/// Whether equal texts of such a column are looked up and not searched for.
#[must_use]
pub fn is_indexed(kind: &str) -> bool {
    matches!(kind, "title" | "rich_text" | "email" | "phone_number" | "url")
}

fn keys(source: &Source, page: &Page) -> Vec<u64> {
    let indexed = source.columns.values().filter(|column| is_indexed(column.kind));
    let written = indexed.filter_map(|column| Some((column, page.values.get(&column.id)?)));
    written
        .map(|(column, kept)| key(&source.id, &column.id, &values::plain(column.kind, Some(kept))))
        .collect()
}

fn key(source: &str, column: &str, text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (source, column, text).hash(&mut hasher);
    hasher.finish()
}

impl Page {
    /// The page as the API shows it; with `only`, no columns but those with these names or ids.
    pub fn show(&self, source: &Source, version: Version, only: Option<&[String]>) -> Value {
        let wanted = |name: &String, id: &String| only.is_none_or(|only| only.contains(name) || only.contains(id));
        let columns = source.columns.iter().filter(|(name, column)| wanted(name, &column.id));
        let properties: Map<String, Value> = columns
            .map(|(name, column)| {
                let mut shown = json!({"id": column.id, "type": column.kind});
                shown[column.kind] = match column.kind {
                    "created_time" => json!(stamp(self.created_ms)),
                    "last_edited_time" => json!(stamp(self.edited_ms)),
                    "created_by" | "last_edited_by" => json!({"object": "user", "id": BOT_ID}),
                    "unique_id" => json!({"prefix": null, "number": self.number}),
                    _ => values::show(column, self.values.get(&column.id)),
                };
                if column.kind == "relation" {
                    shown["has_more"] = json!(false);
                }
                (name.clone(), shown)
            })
            .collect();
        let parent = match version.has_sources() {
            true => json!({"type": "data_source_id", "data_source_id": self.source, "database_id": source.database}),
            false => json!({"type": "database_id", "database_id": source.database}),
        };
        let mut page = json!({
            "object": "page", "id": self.id, "created_time": stamp(self.created_ms),
            "last_edited_time": stamp(self.edited_ms), "created_by": {"object": "user", "id": BOT_ID},
            "last_edited_by": {"object": "user", "id": BOT_ID}, "cover": null, "icon": null, "parent": parent,
            "in_trash": self.in_trash, "properties": properties, "public_url": null,
            "url": format!("https://www.notion.so/{}", plain_id(&self.id)),
        });
        if version.has_archived() {
            page["archived"] = json!(self.in_trash);
        }
        page
    }
}
