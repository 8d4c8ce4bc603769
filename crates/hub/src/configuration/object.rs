//! Kinds of records and named lists of a workspace, compiled.

use std::{collections::HashMap, sync::Arc};

use serde_json::{Map, Value};
use switchboard_model::{
    problem::{Code, Problem},
    record::{LONGEST_NAME, Objects, define, is_name},
    template::Lookups,
};

use crate::store::{DefinitionKind, DefinitionRow};

/// Most values of a list.
const MOST_VALUES: usize = 20_000;
/// Most characters of a key or a value of a list.
const LONGEST: usize = 1_000;

/// The kinds of records of a workspace, and the definitions that this version cannot read, each with the reason.
#[derive(Debug, Clone)]
pub struct Tables {
    /// Those that can be used.
    pub objects: Arc<Objects>,
    /// Kept, but not used: by name.
    pub broken: Vec<(String, Problem)>,
}

impl Default for Tables {
    fn default() -> Self {
        Self {
            objects: Objects::plain(),
            broken: Vec::new(),
        }
    }
}

impl Tables {
    /// Those of these definitions.
    pub(super) fn compile<'r>(rows: impl Iterator<Item = &'r DefinitionRow>) -> Self {
        let (mut objects, mut broken, mut any) = (Objects::default(), Vec::new(), false);
        for row in rows.filter(|row| row.kind == DefinitionKind::Object) {
            any = true;
            match define(&row.key, &row.spec) {
                Ok(object) => objects.insert(object),
                Err(problems) => broken.extend(Problem::all(problems).map(|problem| (row.key.clone(), problem))),
            }
        }
        match any {
            true => Self {
                objects: Arc::new(objects),
                broken,
            },
            false => Self::default(),
        }
    }
}

/// Named lists of values, for the filter `lookup`.
#[derive(Debug, Clone, Default)]
pub struct Lists(HashMap<String, HashMap<String, Value>>);

impl Lists {
    pub(super) fn compile<'r>(rows: impl Iterator<Item = &'r DefinitionRow>) -> Self {
        let lists = rows.filter(|row| row.kind == DefinitionKind::List);
        let values = |row: &DefinitionRow| {
            let members = row.spec.get("values").and_then(Value::as_object);
            let each = members.into_iter().flatten();
            each.map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        Self(lists.map(|row| (row.key.clone(), values(row))).collect())
    }

    /// What they are called.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl Lookups for Lists {
    fn find(&self, table: &str, key: &str) -> Option<Value> {
        self.0.get(table)?.get(key).cloned()
    }
}

/// Checks what a person says of a list: `{"title": …, "values": {"0": "first"}}`.
///
/// # Errors
/// Everything that is wrong, each with a JSON pointer as its place.
pub fn check_list(name: &str, spec: &Value) -> Result<Value, Vec<Problem>> {
    let wrong = |place: &str, detail: String, next: &str| Problem::new(Code::WrongValue, detail, next).at(place);
    let mut problems = Vec::new();
    if !is_name(name) {
        let detail = format!(
            "The name of a list has letters, digits, `_` and `-`, begins with a letter and has at most {LONGEST_NAME} of them"
        );
        problems.push(wrong("/key", detail, "Choose another name."));
    }
    for key in spec.as_object().into_iter().flatten().map(|(key, _)| key) {
        if !["key", "title", "values"].contains(&key.as_str()) {
            let shown: String = key.chars().take(80).collect();
            let problem = Problem::new(
                Code::UnknownKey,
                format!("`{shown}` is not known here"),
                "Use one of key, title, values.",
            );
            problems.push(problem.at(format!("/{}", shown.replace('~', "~0").replace('/', "~1"))));
        }
    }
    if spec
        .get("title")
        .is_some_and(|title| !title.is_null() && title.as_str().is_none_or(|title| title.chars().count() > 200))
    {
        problems.push(wrong(
            "/title",
            "`title` must be a text of at most 200 characters".into(),
            "Write a text.",
        ));
    }
    match spec.get("values").and_then(Value::as_object) {
        None => problems.push(wrong(
            "/values",
            "`values` must be an object of values by key".into(),
            "Write for example {\"7\": \"Partners\"}.",
        )),
        Some(values) if values.len() > MOST_VALUES => {
            let detail = format!("There are {} values; at most {MOST_VALUES} are possible", values.len());
            problems.push(wrong("/values", detail, "Use several lists."));
        }
        Some(values) => problems.extend(values.iter().filter_map(|(key, value)| misfit(key, value))),
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut list = Map::new();
    if let Some(title) = spec.get("title").filter(|title| !title.is_null()) {
        list.insert("title".into(), title.clone());
    }
    list.insert("values".into(), spec.get("values").cloned().unwrap_or_default());
    Ok(Value::Object(list))
}

/// What is wrong with a value of a list.
fn misfit(key: &str, value: &Value) -> Option<Problem> {
    let fits = key.chars().count() <= LONGEST
        && match value {
            Value::String(text) => text.chars().count() <= LONGEST,
            Value::Number(_) | Value::Bool(_) => true,
            _ => false,
        };
    if fits {
        return None;
    }
    let shown: String = key.chars().take(80).collect();
    let detail =
        format!("The value of `{shown}` must be a text of at most {LONGEST} characters, a number, `true` or `false`");
    let place = format!("/values/{}", shown.replace('~', "~0").replace('/', "~1"));
    Some(Problem::new(Code::WrongValue, detail, "Correct the value.").at(place))
}

/// A definition of an object as it is kept: what the person said, without its name.
///
/// # Errors
/// Everything that is wrong, each with a JSON pointer as its place.
pub fn check_object(name: &str, spec: &Value) -> Result<Value, Vec<Problem>> {
    define(name, spec)?;
    let mut kept = spec.as_object().cloned().unwrap_or_default();
    kept.shift_remove("key");
    kept.shift_remove("name");
    Ok(Value::Object(kept))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use switchboard_model::id::WorkspaceId;

    use super::*;

    fn row(kind: DefinitionKind, key: &str, spec: Value) -> DefinitionRow {
        DefinitionRow {
            workspace: WorkspaceId(1),
            kind,
            key: key.into(),
            spec,
            sealed: vec![],
            changed_ms: 0,
        }
    }

    #[test]
    fn a_definition_that_cannot_be_read_is_kept_apart_with_its_reason() {
        let rows = [
            row(DefinitionKind::Object, "customers", json!({"fields": {"name": "text"}})),
            row(DefinitionKind::Object, "later", json!({"fields": {"name": "hologram"}})),
            row(DefinitionKind::List, "channels", json!({"values": {"7": "Partners"}})),
        ];
        let tables = Tables::compile(rows.iter());
        assert!(tables.objects.find("customers").is_some() && tables.objects.find("later").is_none());
        assert_eq!(tables.broken[0].0, "later");
        assert!(tables.broken[0].1.detail.contains("hologram"));
        let lists = Lists::compile(rows.iter());
        assert_eq!(lists.find("channels", "7"), Some(json!("Partners")));
        assert_eq!((lists.find("channels", "8"), lists.find("other", "7")), (None, None));
    }

    #[test]
    fn a_list_is_checked_value_by_value() {
        let good = json!({"key": "c", "title": "Channels", "values": {"0": "a", "1": 2, "2": true}});
        assert_eq!(
            check_list("c", &good).unwrap(),
            json!({"title": "Channels", "values": {"0": "a", "1": 2, "2": true}})
        );
        let bad = json!({"valuse": {}, "title": 7, "values": {"a/b": []}});
        let places: Vec<_> = check_list("9", &bad)
            .unwrap_err()
            .into_iter()
            .filter_map(|problem| problem.place)
            .collect();
        assert_eq!(places, ["/key", "/valuse", "/title", "/values/a~1b"]);
    }
}
