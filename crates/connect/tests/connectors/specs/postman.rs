//! Descriptions as a collection of request definitions: methods, paths, the names of query parameters, form fields and members.

use std::{collections::BTreeSet, fs, path::Path};

use regex::Regex;
use serde_json::{Map, Value};

use super::description::{Checked, Description, Fault, fit};
use crate::course::Made;

pub struct Collection {
    requests: Vec<Definition>,
}

struct Definition {
    method: String,
    path: String,
    query: BTreeSet<String>,
    form: Map<String, Value>,
    members: Option<BTreeSet<String>>,
}

impl Collection {
    pub fn read(file: &Path) -> Self {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let definitions: Vec<Value> = serde_json::from_str(&text).unwrap();
        Self {
            requests: definitions.iter().map(Definition::read).collect(),
        }
    }
}

impl Definition {
    fn read(given: &Value) -> Self {
        let url = given["url"].as_str().unwrap();
        let (url, query) = url.split_once('?').unwrap_or((url, ""));
        let hosts = Regex::new(r"^(\{\{_endpoint\}\}|\{\{url\}\}(\{\{site\}\})?)").unwrap();
        let path = hosts.replace(url, "").replace("v{{version}}", "{{version}}");
        let pairs = |list: &Value| -> Vec<(String, Value)> {
            let each = list.as_array().into_iter().flatten();
            each.filter_map(|pair| Some((pair["key"].as_str()?.to_owned(), pair["value"].clone())))
                .collect()
        };
        let named = query.split('&').filter(|part| !part.is_empty());
        let named = named.map(|part| part.split('=').next().unwrap_or(part).to_owned());
        let members = given["rawModeData"]
            .as_str()
            .and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
        Self {
            method: given["method"].as_str().unwrap().to_owned(),
            path,
            query: named
                .chain(pairs(&given["queryParams"]).into_iter().map(|(name, _)| name))
                .collect(),
            form: pairs(&given["data"]).into_iter().collect(),
            members: members.map(|members| members.keys().cloned().collect()),
        }
    }

    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// A token request is the one of its kind of grant.
    fn is_grant(&self, form: &Option<Map<String, Value>>) -> bool {
        form.as_ref()
            .is_none_or(|form| form.get("grant_type") == self.form.get("grant_type"))
    }

    fn faults(&self, made: &Made) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (name, _) in made.query() {
            if !self.query.contains(&name) {
                faults.push(Fault::new(&format!("query/{name}"), "no such query parameter"));
            }
        }
        if let Some(form) = made.form() {
            let unknown = form.keys().filter(|name| !self.form.contains_key(*name));
            faults.extend(unknown.map(|name| Fault::new(&format!("body/{name}"), "no such field")));
            let missing = self.form.keys().filter(|name| !form.contains_key(*name));
            faults.extend(missing.map(|name| Fault::new(&format!("body/{name}"), "the field is missing")));
        } else if let (Some(Value::Object(body)), Some(members)) = (made.json(), &self.members)
            && self.path.contains("/composite/")
        {
            let unknown = body.keys().filter(|name| !members.contains(*name));
            faults.extend(unknown.map(|name| Fault::new(&format!("body/{name}"), "no such member")));
        }
        faults
    }
}

impl Description for Collection {
    fn check(&self, made: &Made) -> Option<Checked> {
        let (path, form) = (made.path(), made.form());
        let is_placeholder = |segment: &str| segment.starts_with('<') || segment.starts_with("{{");
        let fitting = self
            .requests
            .iter()
            .filter(|known| known.method == made.request.method.as_str());
        let fitting = fitting.filter(|known| known.is_grant(&form));
        let fitting = fitting.filter_map(|known| Some((fit(&known.path, &path, is_placeholder)?, known)));
        let (_, known) = fitting.max_by_key(|(fit, _)| *fit)?;
        Some(Checked {
            operation: known.name(),
            faults: known.faults(made),
        })
    }
}
