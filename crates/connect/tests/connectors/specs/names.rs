//! Descriptions that only name the fields of the standard objects, whose paths are made of the objects' plurals.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use super::description::{Checked, Description, Fault};
use crate::course::Made;

/// Fields by the plural of their object.
pub struct Names {
    objects: BTreeMap<String, Vec<String>>,
}

/// Query parameters of every operation (fact sheet §5, §7).
const QUERY: [&str; 6] = ["depth", "filter", "limit", "order_by", "soft_delete", "upsert"];

impl Names {
    pub fn read(file: &Path) -> Self {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let known: Value = serde_json::from_str(&text).unwrap();
        let objects = known["objects"].as_object().unwrap().iter().map(|(name, object)| {
            let fields = object["fields"].as_array().into_iter().flatten();
            let fields = fields.filter_map(|field| field.as_str().map(str::to_owned));
            (plural(name), fields.collect())
        });
        Self {
            objects: objects.collect(),
        }
    }
}

fn plural(name: &str) -> String {
    match (name, name.strip_suffix('y')) {
        ("person", _) => "people".to_owned(),
        (_, Some(stem)) => format!("{stem}ies"),
        _ => format!("{name}s"),
    }
}

impl Description for Names {
    fn check(&self, made: &Made) -> Option<Checked> {
        let path = made.path();
        let segments: Vec<_> = path.trim_matches('/').split('/').collect();
        let method = made.request.method.as_str();
        let (operation, object) = match (method, segments.as_slice()) {
            ("POST", ["rest", "batch", object]) => (format!("POST /rest/batch/{object}"), *object),
            ("GET" | "POST", ["rest", object]) => (format!("{method} /rest/{object}"), *object),
            ("GET" | "PATCH" | "DELETE", ["rest", object, _]) => (format!("{method} /rest/{object}/{{id}}"), *object),
            _ => return None,
        };
        let fields = self.objects.get(object)?;
        let mut faults = Vec::new();
        for (name, _) in made.query() {
            if !QUERY.contains(&name.as_str()) {
                faults.push(Fault::new(&format!("query/{name}"), "no such query parameter"));
            }
        }
        let records = match made.json() {
            Some(Value::Array(records)) => records,
            Some(record) => vec![record],
            None => Vec::new(),
        };
        for name in records
            .iter()
            .filter_map(Value::as_object)
            .flat_map(|record| record.keys())
        {
            // A relation is set by the id of what it leads to.
            let relation = name.strip_suffix("Id").unwrap_or(name);
            if !fields.iter().any(|field| field == name || field == relation) {
                faults.push(Fault::new(&format!("body/{name}"), "the object has no such field"));
            }
        }
        Some(Checked { operation, faults })
    }
}
