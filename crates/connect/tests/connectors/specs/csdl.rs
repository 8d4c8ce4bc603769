//! Descriptions in the language of OData: paths lead from the container over navigation properties; bodies have the properties of the
//! type at the path's end.

use std::{collections::BTreeMap, fs, path::Path};

use regex::Regex;
use serde_json::Value;

use super::{
    description::{Checked, Description, Fault},
    members::kind_of,
};
use crate::course::Made;

/// What OData lets every collection be asked (fact sheet §5).
const OPTIONS: [&str; 8] = [
    "$count",
    "$expand",
    "$filter",
    "$orderby",
    "$search",
    "$select",
    "$skiptoken",
    "$top",
];

#[derive(Default)]
pub struct Csdl {
    prefix: &'static str,
    /// Entity sets and singletons with their types.
    roots: BTreeMap<String, String>,
    types: BTreeMap<String, Type>,
    enumerations: BTreeMap<String, Vec<String>>,
}

#[derive(Default)]
struct Type {
    base: Option<String>,
    /// The type of each property; the flag says whether a path can go on there.
    properties: BTreeMap<String, (String, bool)>,
}

impl Csdl {
    /// `prefix` stands before every path.
    pub fn read(file: &Path, prefix: &'static str) -> Self {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let element = Regex::new(r"<(/?)(\w+)((?:\s+[\w:.]+=\x22[^\x22]*\x22)*)\s*(/?)>").unwrap();
        let attribute = Regex::new(r"([\w:.]+)=\x22([^\x22]*)\x22").unwrap();
        let mut read = Self {
            prefix,
            ..Self::default()
        };
        let (mut within, mut is_main) = (String::new(), false);
        for found in element.captures_iter(&text).filter(|found| found[1].is_empty()) {
            let attributes: BTreeMap<_, _> = attribute
                .captures_iter(&found[3])
                .map(|pair| {
                    (
                        pair[1].to_owned(),
                        pair[2].replace("microsoft.graph.", "").replace("graph.", ""),
                    )
                })
                .collect();
            // Other name spaces have types of the same names.
            if &found[2] == "Schema" {
                is_main = found[3].contains("Namespace=\"microsoft.graph\"");
            }
            if !is_main {
                continue;
            }
            read.take(&found[2], &attributes, &mut within);
        }
        read
    }

    fn take(&mut self, element: &str, attributes: &BTreeMap<String, String>, within: &mut String) {
        let given = |name: &str| attributes.get(name).cloned();
        let Some(name) = given("Name") else { return };
        match element {
            "EntityType" | "ComplexType" => {
                within.clone_from(&name);
                self.types.entry(name).or_default().base = given("BaseType");
            }
            "EnumType" => {
                within.clone_from(&name);
                self.enumerations.insert(name, Vec::new());
            }
            "Member" => self.enumerations.entry(within.clone()).or_default().push(name),
            "EntitySet" | "Singleton" => {
                let leads_to = given("EntityType")
                    .map(|kind| format!("Collection({kind})"))
                    .or_else(|| given("Type"));
                self.roots.extend(leads_to.map(|kind| (name, kind)));
            }
            "Property" | "NavigationProperty" => {
                let kind = (given("Type").unwrap_or_default(), element == "NavigationProperty");
                self.types
                    .entry(within.clone())
                    .or_default()
                    .properties
                    .insert(name, kind);
            }
            _ => {}
        }
    }

    fn property(&self, kind: &str, name: &str) -> Option<&(String, bool)> {
        let kind = self.types.get(kind)?;
        let own = kind.properties.get(name);
        own.or_else(|| self.property(kind.base.as_deref()?, name))
    }

    /// The name of the operation at a path, and the type at its end.
    fn walk(&self, path: &str) -> Option<(String, String)> {
        let mut segments = path.strip_prefix(self.prefix)?.trim_matches('/').split('/');
        let root = segments.next()?;
        let mut kind = self.roots.get(root)?.clone();
        let mut name = format!("{}/{root}", self.prefix);
        for segment in segments {
            match element(&kind) {
                Some(of) => {
                    kind = of.to_owned();
                    name.push_str("/{id}");
                }
                None => {
                    let (leads_to, is_path) = self.property(&kind, segment)?;
                    is_path.then_some(())?;
                    kind.clone_from(leads_to);
                    name = format!("{name}/{segment}");
                }
            }
        }
        Some((name, kind))
    }

    fn compare(&self, kind: &str, given: &Value, place: &str, faults: &mut Vec<Fault>) {
        let is_right = match (element(kind), given) {
            (Some(of), Value::Array(items)) => {
                for (at, item) in items.iter().enumerate() {
                    self.compare(of, item, &format!("{place}/{at}"), faults);
                }
                true
            }
            (Some(_), _) => false,
            (None, Value::Object(members)) if self.types.contains_key(kind) => {
                // Annotations say of which type something is, or bind it to what is there.
                for (name, member) in members.iter().filter(|(name, _)| !name.contains("@odata.")) {
                    let place = format!("{place}/{name}");
                    match self.property(kind, name) {
                        Some((kind, _)) => self.compare(kind, member, &place, faults),
                        None => faults.push(Fault::new(&place, &format!("{kind} has no such property"))),
                    }
                }
                true
            }
            (None, given) => match (self.enumerations.get(kind), kind) {
                (Some(names), _) => given
                    .as_str()
                    .is_some_and(|given| names.iter().any(|name| name == given)),
                (None, "Edm.Boolean") => given.is_boolean(),
                (None, "Edm.Int16" | "Edm.Int32" | "Edm.Int64") => given.is_i64(),
                (None, "Edm.Double" | "Edm.Decimal") => given.is_number(),
                (None, kind) => kind.starts_with("Edm.") && given.is_string(),
            },
        };
        if !is_right {
            faults.push(Fault::new(
                place,
                &format!("{kind} is wanted, {} is given", kind_of(given)),
            ));
        }
    }

    fn check_query(&self, made: &Made, kind: &str) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (name, text) in made.query() {
            let place = format!("query/{name}");
            if !OPTIONS.contains(&name.as_str()) {
                faults.push(Fault::new(&place, "no such query option"));
            }
            if name == "$top" && text.parse::<u32>().is_err() {
                faults.push(Fault::new(&place, "no whole number"));
            }
            if ["$select", "$expand", "$orderby"].contains(&name.as_str()) {
                let names = text
                    .split(',')
                    .filter_map(|part| part.trim().split([' ', '/', '(']).next());
                let unknown = names.filter(|name| self.property(kind, name).is_none());
                faults.extend(unknown.map(|name| Fault::new(&place, &format!("{kind} has no property `{name}`"))));
            }
        }
        faults
    }
}

fn element(kind: &str) -> Option<&str> {
    kind.strip_prefix("Collection(")?.strip_suffix(')')
}

impl Description for Csdl {
    fn check(&self, made: &Made) -> Option<Checked> {
        let (name, kind) = self.walk(&made.path())?;
        let of = element(&kind).unwrap_or(&kind);
        let mut faults = self.check_query(made, of);
        if made.request.method == "POST" {
            match (element(&kind), made.json()) {
                (Some(of), Some(body)) => self.compare(of, &body, "body", &mut faults),
                _ => faults.push(Fault::new(
                    "body",
                    "only an object can be added, and only to a collection",
                )),
            }
        }
        Some(Checked {
            operation: format!("{} {name}", made.request.method),
            faults,
        })
    }
}
