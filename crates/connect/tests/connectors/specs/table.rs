//! Descriptions as a table of operations with the names and types of what they take: `"str"`, `"int"`, `"bool"`, `"Any"`, objects and
//! lists of them. Query parameters and members of the body are not told apart.

use std::{fs, path::Path};

use serde_json::{Map, Value};

use super::{
    description::{Checked, Description, Fault, fit},
    members::kind_of,
};
use crate::course::Made;

pub struct Table {
    operations: Vec<Value>,
}

impl Table {
    pub fn read(file: &Path) -> Self {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let services: Map<String, Value> = serde_json::from_str(&text).unwrap();
        let operations = services.values().filter_map(Value::as_array).flatten();
        Self {
            operations: operations.cloned().collect(),
        }
    }
}

impl Description for Table {
    fn check(&self, made: &Made) -> Option<Checked> {
        let path = made.path();
        let of_method = self
            .operations
            .iter()
            .filter(|known| known["method"] == made.request.method.as_str());
        let fitting = of_method.filter_map(|known| {
            let pattern = known["path"].as_str()?;
            Some((fit(pattern, &path, |segment| segment.starts_with('{'))?, known))
        });
        let (_, known) = fitting.max_by_key(|(fit, _)| *fit)?;
        let mut faults = Vec::new();
        for (name, text) in made.query() {
            let place = format!("query/{name}");
            match known["request"][&name].as_str() {
                None => faults.push(Fault::new(&place, "no such parameter")),
                Some("int") if text.parse::<i64>().is_err() => faults.push(Fault::new(&place, "no whole number")),
                Some("bool") if text != "true" && text != "false" => faults.push(Fault::new(&place, "no truth value")),
                Some(_) => {}
            }
        }
        match made.json() {
            Some(body) => compare(&known["request"], &body, "body", &mut faults),
            None if made.request.body.is_empty() => {}
            None => faults.push(Fault::new("body", "the body is no JSON")),
        }
        Some(Checked {
            operation: format!("{} {}", made.request.method, known["path"].as_str()?),
            faults,
        })
    }
}

fn compare(wanted: &Value, given: &Value, place: &str, faults: &mut Vec<Fault>) {
    match (wanted, given) {
        (Value::Object(known), Value::Object(members)) => {
            for (name, member) in members {
                let place = format!("{place}/{name}");
                match known.get(name) {
                    Some(wanted) => compare(wanted, member, &place, faults),
                    None => faults.push(Fault::new(&place, "no such member")),
                }
            }
        }
        (Value::Array(of), Value::Array(items)) => {
            for (at, item) in items.iter().enumerate() {
                compare(&of[0], item, &format!("{place}/{at}"), faults);
            }
        }
        (Value::String(kind), given) => {
            let is_right = match kind.as_str() {
                "str" => given.is_string(),
                "int" => given.is_i64() || given.is_u64(),
                "bool" => given.is_boolean(),
                "float" => given.is_number(),
                "Dict[str, Any]" => given.is_object(),
                "Dict[str, str]" => given
                    .as_object()
                    .is_some_and(|members| members.values().all(Value::is_string)),
                "Any" => true,
                other => panic!("the table has a type `{other}` that is not known here"),
            };
            if !is_right {
                faults.push(Fault::new(
                    place,
                    &format!("{kind} is wanted, {} is given", kind_of(given)),
                ));
            }
        }
        (wanted, given) => {
            let detail = format!("{} is wanted, {} is given", kind_of(wanted), kind_of(given));
            faults.push(Fault::new(place, &detail));
        }
    }
}
