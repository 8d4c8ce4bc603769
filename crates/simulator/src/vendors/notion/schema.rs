//! Databases, their data sources and the columns of these (fact sheet §2, §5).

use std::collections::HashMap;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::settings;
use super::trouble::Trouble;
use super::version::Version;
use crate::chance::Chance;

/// The columns of the guide's example.
const EXAMPLE: [(&str, &str); 7] = [
    ("客户姓名", "title"),
    ("平台", "select"),
    ("分类", "select"),
    ("优先级", "select"),
    ("状态", "select"),
    ("内容", "rich_text"),
    ("创建时间", "date"),
];
/// The kinds of columns that can be written.
const WRITABLE: [&str; 14] = [
    "title",
    "rich_text",
    "number",
    "select",
    "multi_select",
    "status",
    "date",
    "checkbox",
    "url",
    "email",
    "phone_number",
    "relation",
    "people",
    "files",
];
/// The kinds that Notion fills itself.
const READ_ONLY: [&str; 8] = [
    "formula",
    "rollup",
    "created_time",
    "created_by",
    "last_edited_time",
    "last_edited_by",
    "unique_id",
    "button",
];
/// What a new `status` column has.
const STATUSES: [&str; 3] = ["Not started", "In progress", "Done"];

/// A column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its id, which stays when it is renamed.
    pub id: String,
    /// `title`, `rich_text`, `select` …
    pub kind: &'static str,
    /// Names and ids of the options of `select`, `multi_select` and `status`.
    pub options: IndexMap<String, String>,
}

/// A table.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its id.
    pub id: String,
    /// The id of the database that it is in, as it was given.
    pub database: String,
    /// Its name.
    pub title: String,
    /// Columns by name.
    pub columns: IndexMap<String, Column>,
}

/// A container of tables.
#[derive(Debug)]
struct Database {
    id: String,
    title: String,
    /// Ids of its data sources without hyphens.
    sources: Vec<String>,
}

/// Every database and data source of the workspace, by id without hyphens.
#[derive(Debug)]
pub struct Schemas {
    databases: IndexMap<String, Database>,
    sources: HashMap<String, Source>,
    chance: Chance,
}

/// An id in the form in which it is compared: Notion takes ids with and without hyphens.
#[must_use]
pub fn plain_id(id: &str) -> String {
    id.replace('-', "").to_lowercase()
}

/// Whether a column of this kind is filled by Notion itself.
#[must_use]
pub fn is_read_only(kind: &str) -> bool {
    READ_ONLY.contains(&kind)
}

impl Schemas {
    /// No databases yet.
    pub fn new(seed: u64) -> Self {
        Self {
            databases: IndexMap::new(),
            sources: HashMap::new(),
            chance: Chance::new(seed, "notion schemas"),
        }
    }

    /// Makes a database with one data source that has the columns of the guide's example.
    pub fn make_example(&mut self, id: &str) {
        let columns = EXAMPLE.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
        self.make(id, "Leads", vec![columns]);
    }

    /// Makes those of `wanted` that there are not yet.
    ///
    /// # Errors
    /// A sentence about a column of an unknown kind, or a table without exactly one title; then none was made.
    pub fn make_missing(&mut self, wanted: &[settings::Database]) -> Result<(), String> {
        let mut new = Vec::new();
        for database in wanted {
            let tables = database.sources.iter().map(table).collect::<Result<Vec<_>, String>>()?;
            if !self.databases.contains_key(&plain_id(&database.id)) {
                new.push((database, tables));
            }
        }
        for (database, tables) in new {
            match tables.is_empty() {
                true => self.make_example(&database.id),
                false => self.make(&database.id, &database.title, tables),
            }
        }
        Ok(())
    }

    fn make(&mut self, id: &str, title: &str, tables: Vec<Vec<(String, &'static str)>>) {
        let mut sources = Vec::new();
        for columns in tables {
            let mut made = IndexMap::new();
            for (name, kind) in columns {
                let column = self.column(kind, &[]);
                made.insert(name, column);
            }
            let source = Source {
                id: self.chance.uuid(),
                database: id.to_owned(),
                title: title.to_owned(),
                columns: made,
            };
            sources.push(plain_id(&source.id));
            self.sources.insert(plain_id(&source.id), source);
        }
        let database = Database {
            id: id.to_owned(),
            title: title.to_owned(),
            sources,
        };
        self.databases.insert(plain_id(id), database);
    }

    /// Whether there is such a database.
    pub fn has_database(&self, id: &str) -> bool {
        self.databases.contains_key(&plain_id(id))
    }

    /// The data source with this id.
    pub fn source(&self, id: &str) -> Option<&Source> {
        self.sources.get(&plain_id(id))
    }

    /// The one data source of a database.
    ///
    /// # Errors
    /// 404, and `validation_error` when there are several: who names a database cannot mean one of them (fact sheet §9).
    pub fn only_source(&self, database: &str) -> Result<&Source, Trouble> {
        let found = self.databases.get(&plain_id(database));
        match found.map(|database| database.sources.as_slice()) {
            None => Err(Trouble::not_found("database", database)),
            Some([source]) => self
                .source(source)
                .ok_or_else(|| Trouble::not_found("database", database)),
            Some(_) => Err(Trouble::bad(
                "Databases with multiple data sources are not supported in this API version.",
            )),
        }
    }

    fn column(&mut self, kind: &'static str, options: &[&str]) -> Column {
        let id = match kind {
            "title" => "title".to_owned(),
            _ => self.chance.token(4),
        };
        let mut column = Column {
            id,
            kind,
            options: IndexMap::new(),
        };
        let options = if kind == "status" && options.is_empty() {
            &STATUSES
        } else {
            options
        };
        options
            .iter()
            .for_each(|name| column.add_option(name, &mut self.chance));
        column
    }

    /// Adds options that do not exist yet: pairs of column id and name.
    pub fn add_options(&mut self, source: &str, new: &[(String, String)]) {
        let Some(source) = self.sources.get_mut(&plain_id(source)) else {
            return;
        };
        for (column, name) in new {
            if let Some(column) = source.columns.values_mut().find(|known| known.id == *column) {
                column.add_option(name, &mut self.chance);
            }
        }
    }

    /// Changes columns: `{"New": {"rich_text": {}}, "Old": {"name": "Renamed"}, "Gone": null}`. Nothing is changed when
    /// anything is wrong.
    ///
    /// # Errors
    /// `validation_error`.
    pub fn change(&mut self, id: &str, wanted: &Map<String, Value>) -> Result<(), Trouble> {
        let Some(mut source) = self.source(id).cloned() else {
            return Err(Trouble::not_found("data source", id));
        };
        for (key, description) in wanted {
            let place = format!("body.properties.{key}");
            let known = source.column(key).map(|(name, column)| (name.to_owned(), column.kind));
            let kind = described_kind(description);
            match (known, kind) {
                (Some((_, "title")), _) if description.is_null() => {
                    return Err(Trouble::body(&place, "cannot remove the title property."));
                }
                (Some((name, _)), _) if description.is_null() => {
                    source.columns.shift_remove(&name);
                }
                (Some((name, old)), kind) if kind.is_none_or(|kind| kind == old) => {
                    let options = option_names(&description[old]);
                    let Some(column) = source.columns.get_mut(&name) else {
                        continue;
                    };
                    options
                        .iter()
                        .for_each(|option| column.add_option(option, &mut self.chance));
                    if let Some(new) = description["name"].as_str().filter(|new| *new != name) {
                        source.rename(&name, new)?;
                    }
                }
                (Some((name, old)), _) => {
                    return Err(Trouble::bad(format!(
                        "Cannot change the type of property {name} from {old}."
                    )));
                }
                (None, Some("title")) => return Err(Trouble::bad("A data source has exactly one title property.")),
                (None, Some(kind)) => {
                    let column = self.column(kind, &option_names(&description[kind]));
                    source.columns.insert(key.clone(), column);
                }
                (None, None) => return Err(Trouble::expected(&place, "a known property schema", description)),
            }
        }
        self.sources.insert(plain_id(id), source);
        Ok(())
    }

    /// The database as the API shows it; `None` when there is none.
    pub fn show_database(&self, id: &str, version: Version) -> Option<Value> {
        let database = self.databases.get(&plain_id(id))?;
        let sources = database.sources.iter().filter_map(|id| self.source(id));
        let mut shown = json!({
            "object": "database", "id": database.id, "title": title(&database.title), "is_inline": false,
            "in_trash": false, "parent": {"type": "workspace", "workspace": true},
            "url": format!("https://www.notion.so/{}", plain_id(&database.id)),
        });
        if version.has_archived() {
            shown["archived"] = json!(false);
        }
        if version.has_sources() {
            shown["data_sources"] = sources
                .map(|source| json!({"id": source.id, "name": source.title}))
                .collect();
        } else {
            // Old versions show the columns of a database that has but one table.
            let only = sources.map(Source::show_columns).next();
            shown["properties"] = only
                .filter(|_| database.sources.len() == 1)
                .unwrap_or_else(|| json!({}));
        }
        Some(shown)
    }
}

impl Column {
    fn add_option(&mut self, name: &str, chance: &mut Chance) {
        if !self.options.contains_key(name) {
            self.options.insert(name.to_owned(), chance.uuid());
        }
    }

    /// An option as it is shown.
    #[must_use]
    pub fn show_option(&self, name: &str) -> Value {
        json!({"id": self.options.get(name), "name": name, "color": "default"})
    }
}

impl Source {
    /// The data source as the API shows it.
    pub fn show(&self, version: Version) -> Value {
        let mut shown = json!({
            "object": "data_source", "id": self.id, "title": title(&self.title), "description": [],
            "properties": self.show_columns(), "in_trash": false,
            "parent": {"type": "database_id", "database_id": self.database},
            "database_parent": {"type": "workspace", "workspace": true},
        });
        if version.has_archived() {
            shown["archived"] = json!(false);
        }
        shown
    }

    fn show_columns(&self) -> Value {
        let column = |(name, column): (&String, &Column)| {
            let kind = column.kind;
            let mut shown = json!({"id": column.id, "name": name, "type": kind, "description": null});
            shown[kind] = match kind {
                "select" | "multi_select" | "status" => {
                    let options: Vec<Value> = column.options.keys().map(|name| column.show_option(name)).collect();
                    json!({ "options": options })
                }
                "number" => json!({"format": "number"}),
                _ => json!({}),
            };
            (name.clone(), shown)
        };
        Value::Object(self.columns.iter().map(column).collect())
    }

    /// The column with this name or id, and its name.
    pub fn column(&self, key: &str) -> Option<(&str, &Column)> {
        let named = self.columns.get_key_value(key);
        let found = named.or_else(|| self.columns.iter().find(|(_, column)| column.id == key));
        found.map(|(name, column)| (name.as_str(), column))
    }

    fn rename(&mut self, old: &str, new: &str) -> Result<(), Trouble> {
        if self.columns.contains_key(new) {
            return Err(Trouble::bad(format!("A property named {new} already exists.")));
        }
        let columns = std::mem::take(&mut self.columns).into_iter();
        self.columns = columns
            .map(|(name, column)| {
                if name == old {
                    (new.to_owned(), column)
                } else {
                    (name, column)
                }
            })
            .collect();
        Ok(())
    }
}

fn title(text: &str) -> Value {
    json!([{"type": "text", "text": {"content": text, "link": null}, "plain_text": text, "href": null}])
}

fn known_kind(name: &str) -> Option<&'static str> {
    WRITABLE.iter().chain(&READ_ONLY).copied().find(|kind| *kind == name)
}

fn described_kind(description: &Value) -> Option<&'static str> {
    description.as_object()?.keys().find_map(|key| known_kind(key))
}

fn option_names(config: &Value) -> Vec<&str> {
    let options = config["options"].as_array().map(Vec::as_slice).unwrap_or_default();
    options.iter().filter_map(|option| option["name"].as_str()).collect()
}

/// The columns of a table that is set up from outside.
fn table(columns: &IndexMap<String, String>) -> Result<Vec<(String, &'static str)>, String> {
    let column = |(name, kind): (&String, &String)| match known_kind(kind) {
        Some(kind) => Ok((name.clone(), kind)),
        None => Err(format!("there is no kind of column `{kind}`")),
    };
    let columns: Vec<(String, &str)> = columns.iter().map(column).collect::<Result<_, String>>()?;
    match columns.iter().filter(|(_, kind)| *kind == "title").count() {
        1 => Ok(columns),
        count => Err(format!("a data source has exactly one title column, not {count}")),
    }
}
