//! Databases, their data sources and the columns of these (fact sheet §2, §5).

use std::collections::HashMap;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use crate::chance::Chance;

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its id, by which it can be named too.
    pub id: String,
    /// `title`, `rich_text`, `select` …
    pub kind: String,
    /// Options of `select`, `multi_select` and `status`.
    pub options: Vec<String>,
}

/// A table.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its id.
    pub id: String,
    /// The database that it is in.
    pub database: String,
    /// Columns by name.
    pub columns: IndexMap<String, Column>,
}

/// Every database and data source of the workspace.
#[derive(Debug)]
pub struct Schemas {
    /// Data sources by database.
    pub databases: IndexMap<String, Vec<String>>,
    /// Data sources by id.
    pub sources: HashMap<String, Source>,
    chance: Chance,
}

/// The kinds of columns that can be written.
pub const KINDS: &[&str] = &[
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

impl Schemas {
    /// No databases yet.
    pub fn new(seed: u64) -> Self {
        Self {
            databases: IndexMap::new(),
            sources: HashMap::new(),
            chance: Chance::new(seed, "notion schemas"),
        }
    }

    /// Makes a database with one data source, with the columns of the messenger guide's example.
    pub fn make(&mut self, database: &str) -> String {
        let columns = [
            ("客户姓名", "title"),
            ("平台", "select"),
            ("分类", "select"),
            ("优先级", "select"),
            ("状态", "select"),
            ("内容", "rich_text"),
            ("创建时间", "date"),
        ];
        let columns = columns
            .into_iter()
            .map(|(name, kind)| (name.to_owned(), self.column(kind)))
            .collect();
        let id = self.chance.uuid();
        let source = Source {
            id: id.clone(),
            database: database.to_owned(),
            columns,
        };
        self.sources.insert(id.clone(), source);
        self.databases.entry(database.to_owned()).or_default().push(id.clone());
        id
    }

    fn column(&mut self, kind: &str) -> Column {
        let id = if kind == "title" {
            "title".to_owned()
        } else {
            self.chance.token(4)
        };
        Column {
            id,
            kind: kind.to_owned(),
            options: Vec::new(),
        }
    }

    /// Adds or renames nothing but new columns: `{"Name": {"rich_text": {}}}`.
    ///
    /// # Errors
    /// What is wrong with the description.
    pub fn add_columns(&mut self, source: &str, wanted: &Map<String, Value>) -> Result<(), String> {
        let mut new = Vec::new();
        for (name, description) in wanted {
            let kind = description
                .as_object()
                .and_then(|d| d.keys().find(|key| KINDS.contains(&key.as_str())).cloned());
            let kind = kind.ok_or_else(|| format!("body.properties.{name} should be a known property type"))?;
            new.push((name.clone(), self.column(&kind)));
        }
        if let Some(source) = self.sources.get_mut(source) {
            for (name, column) in new {
                match source.columns.get(&name) {
                    Some(old) if old.kind != column.kind => return Err(format!("{name} exists with another type")),
                    Some(_) => {}
                    None => {
                        source.columns.insert(name, column);
                    }
                }
            }
        }
        Ok(())
    }

    /// The database as the API shows it.
    pub fn show_database(&self, id: &str) -> Option<Value> {
        let sources = self.databases.get(id)?;
        let list: Vec<Value> = sources
            .iter()
            .map(|source| json!({"id": source, "name": "Leads"}))
            .collect();
        Some(json!({
            "object": "database", "id": id, "title": [{"type": "text", "plain_text": "Leads"}], "in_trash": false,
            "data_sources": list,
        }))
    }
}

impl Source {
    /// The data source as the API shows it.
    pub fn show(&self) -> Value {
        let column = |(name, column): (&String, &Column)| {
            let kind = column.kind.as_str();
            let mut shown = json!({"id": column.id, "name": name, "type": kind});
            let options: Vec<Value> = column.options.iter().map(|option| json!({"name": option})).collect();
            shown[kind] = match kind {
                "select" | "multi_select" | "status" => json!({"options": options}),
                _ => json!({}),
            };
            (name.clone(), shown)
        };
        let properties: Map<String, Value> = self.columns.iter().map(column).collect();
        json!({
            "object": "data_source", "id": self.id, "properties": properties, "in_trash": false,
            "parent": {"type": "database_id", "database_id": self.database}, "title": [{"type": "text", "plain_text": "Leads"}],
        })
    }

    /// The column with this name or id.
    pub fn column(&self, name: &str) -> Option<(String, Column)> {
        let named = self.columns.get_key_value(name);
        let found = named.or_else(|| self.columns.iter().find(|(_, column)| column.id == name));
        found.map(|(name, column)| (name.clone(), column.clone()))
    }
}
