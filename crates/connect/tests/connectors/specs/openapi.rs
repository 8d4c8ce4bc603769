//! Descriptions in OpenAPI 3, and in its predecessor Swagger 2: paths, methods, parameters and bodies.

use std::{cell::RefCell, collections::HashMap, fs, path::Path};

use jsonschema::Validator;
use serde_json::{Map, Value, json};
use switchboard_connect::document::Document;

use super::{
    description::{Checked, Description, Fault, Fit, fit},
    members,
};
use crate::course::Made;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The files of one vendor, which may refer to each other.
pub struct OpenApi {
    /// Every file by its name without ending; all references lead to below `#/files`.
    files: Value,
    operations: Vec<Operation>,
    validators: RefCell<HashMap<String, Validator>>,
}

struct Operation {
    method: String,
    path: String,
    parameters: Vec<Value>,
    body: Value,
    is_body_required: bool,
    form: Value,
}

impl OpenApi {
    /// Reads `files` of the folder. `prefix` stands before every path of the description.
    pub fn read(folder: &Path, files: &[&str], prefix: &str) -> Self {
        let mut all = Map::new();
        for file in files {
            let path = folder.join(file);
            let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let mut value = match serde_json::from_str(&text) {
                Ok(value) => value,
                Err(_) => Document::parse(&text, file).unwrap().into_value(),
            };
            let name = file.split('.').next().unwrap();
            modernise(&mut value, name);
            all.insert(name.to_owned(), value);
        }
        let mut files = json!({ "files": all });
        let whole = files.clone();
        loosen(&mut files, &whole);
        let mut operations = Vec::new();
        for file in files["files"].as_object().into_iter().flat_map(Map::values) {
            for (path, methods) in file["paths"].as_object().unwrap() {
                for method in METHODS.iter().filter(|method| methods[**method].is_object()) {
                    operations.push(Operation::read(&files, prefix, path, methods, method));
                }
            }
        }
        Self {
            files,
            operations,
            validators: RefCell::default(),
        }
    }

    fn faults(&self, operation: &Operation, made: &Made) -> Vec<Fault> {
        let mut faults = operation.check_parameters(made, &self.files);
        if let Some(form) = made.form() {
            faults.extend(operation.check_form(&form, &self.files));
        } else if let Some(body) = made.json() {
            if operation.body.is_null() && operation.has_form_parameters() {
                faults.extend(operation.check_form(body.as_object().unwrap(), &self.files));
            } else if operation.body.is_null() {
                faults.push(Fault::new("body", "no body is described"));
            } else {
                faults.extend(self.check_body(operation, &body));
            }
        } else if operation.is_body_required {
            faults.push(Fault::new("body", "a body is required"));
        }
        faults
    }

    fn check_body(&self, operation: &Operation, body: &Value) -> Vec<Fault> {
        let mut validators = self.validators.borrow_mut();
        let validator = validators.entry(operation.name()).or_insert_with(|| {
            let mut whole = self.files.clone();
            whole["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
            whole["allOf"] = json!([operation.body]);
            jsonschema::options()
                .should_validate_formats(false)
                .build(&whole)
                .unwrap_or_else(|error| panic!("{}: {error}", operation.name()))
        });
        let wrong = validator
            .iter_errors(body)
            .map(|error| Fault::new(&format!("body{}", error.instance_path()), &error.to_string()));
        let mut faults: Vec<_> = wrong.collect();
        members::unknown(&self.files, &[&operation.body], body, "body", &mut faults);
        faults
    }
}

impl Description for OpenApi {
    fn check(&self, made: &Made) -> Option<Checked> {
        let (method, path) = (made.request.method.as_str().to_lowercase(), made.path());
        let of_method = self
            .operations
            .iter()
            .filter(|operation| operation.method == method)
            .filter_map(|operation| Some((fit(&operation.path, &path, |segment| segment.contains('{'))?, operation)));
        // A literal path comes before one with a placeholder.
        let (_, operation): (Fit, _) = of_method.max_by_key(|(fit, _)| *fit)?;
        Some(Checked {
            operation: operation.name(),
            faults: self.faults(operation, made),
        })
    }
}

impl Operation {
    fn read(files: &Value, prefix: &str, path: &str, methods: &Value, method: &str) -> Self {
        let operation = &methods[method];
        let common = methods["parameters"].as_array().into_iter().flatten();
        let own = operation["parameters"].as_array().into_iter().flatten();
        let parameters = own
            .chain(common)
            .map(|parameter| members::target(files, parameter).clone());
        let body = members::target(files, &operation["requestBody"]);
        let content = |kind: &str| body["content"][kind]["schema"].clone();
        Self {
            method: method.to_owned(),
            path: format!("{prefix}{path}"),
            parameters: parameters.collect(),
            body: ["application/json", "application/json; charset=utf-8", "*/*"]
                .iter()
                .map(|kind| content(kind))
                .find(|schema| !schema.is_null())
                .unwrap_or(Value::Null),
            is_body_required: body["required"] == true,
            form: content("application/x-www-form-urlencoded"),
        }
    }

    fn name(&self) -> String {
        format!("{} {}", self.method.to_uppercase(), self.path)
    }

    fn parameters_in<'o>(&'o self, place: &'static str) -> impl Iterator<Item = (&'o str, &'o Value)> {
        let here = self.parameters.iter().filter(move |parameter| parameter["in"] == place);
        here.filter_map(|parameter| Some((parameter["name"].as_str()?, parameter)))
    }

    fn has_form_parameters(&self) -> bool {
        self.parameters_in("formData").next().is_some()
    }

    fn check_parameters(&self, made: &Made, files: &Value) -> Vec<Fault> {
        let mut faults = Vec::new();
        let query = made.query();
        for (name, text) in &query {
            let plain = name.trim_end_matches("[]");
            let found = self
                .parameters_in("query")
                .find(|(known, _)| known.trim_end_matches("[]") == plain);
            match found {
                None => faults.push(Fault::new(&format!("query/{name}"), "no such query parameter")),
                Some((_, parameter)) => faults.extend(check_text(&format!("query/{name}"), text, parameter, files)),
            }
        }
        let required = |(_, parameter): &(&str, &Value)| parameter["required"] == true;
        for (name, _) in self.parameters_in("query").filter(required) {
            if !query.iter().any(|(given, _)| given == name) {
                faults.push(Fault::new(&format!("query/{name}"), "the query parameter is required"));
            }
        }
        for (name, _) in self.parameters_in("header").filter(required) {
            if !made.request.headers.contains_key(name.to_lowercase()) {
                faults.push(Fault::new(&format!("header/{name}"), "the header is required"));
            }
        }
        faults
    }

    /// Fields of a form, which Swagger describes as parameters.
    fn check_form(&self, form: &Map<String, Value>, files: &Value) -> Vec<Fault> {
        let described = members::target(files, &self.form);
        let mut known: Map<String, Value> = described["properties"].as_object().cloned().unwrap_or_default();
        let mut required: Vec<String> = described["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect();
        for (name, parameter) in self.parameters_in("formData").chain(self.parameters_in("query")) {
            known.insert(name.to_owned(), parameter.clone());
            required.extend((parameter["required"] == true).then(|| name.to_owned()));
        }
        let missing = required
            .iter()
            .filter(|name| !form.contains_key(*name) && *name != "token");
        let mut faults: Vec<_> = missing
            .map(|name| Fault::new(&format!("body/{name}"), "the field is required"))
            .collect();
        for (name, value) in form {
            let place = format!("body/{name}");
            match (known.get(name), value.as_str()) {
                (None, _) => faults.push(Fault::new(&place, "no such field")),
                (Some(parameter), Some(text)) => faults.extend(check_text(&place, text, parameter, files)),
                (Some(parameter), None) => {
                    let kind = members::kind_of(value);
                    let wanted = parameter["type"].as_str().unwrap_or(kind);
                    if wanted != kind {
                        faults.push(Fault::new(&place, &format!("{wanted} is wanted, {kind} is given")));
                    }
                }
            }
        }
        faults
    }
}

/// Whether the text of a parameter can be read as what is described.
fn check_text(place: &str, text: &str, parameter: &Value, files: &Value) -> Option<Fault> {
    let schema = match &parameter["schema"] {
        Value::Null => parameter,
        schema => members::target(files, schema),
    };
    let values = schema["enum"].as_array();
    let is_listed = values.is_none_or(|values| values.iter().any(|value| members::text(value) == text));
    let is_read = match schema["type"].as_str() {
        Some("integer") => text.parse::<i64>().is_ok(),
        Some("number") => text.parse::<f64>().is_ok(),
        Some("boolean") => ["true", "false"].contains(&text),
        _ => true,
    };
    (!is_listed || !is_read).then(|| Fault::new(place, &format!("`{text}` is not what is described")))
}

/// Makes a file of OpenAPI 3.0 one of 3.1, whose schemas are JSON Schemas, and its references those into the whole of the files.
fn modernise(value: &mut Value, file: &str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| modernise(item, file)),
        Value::Object(members) => {
            members.values_mut().for_each(|member| modernise(member, file));
            if let Some(Value::String(reference)) = members.get_mut("$ref") {
                let (other, pointer) = reference.split_once('#').unwrap_or((reference, ""));
                let name = other.rsplit('/').next().unwrap().split('.').next().unwrap();
                let name = if name.is_empty() { file } else { name };
                *reference = format!("#/files/{name}{pointer}");
            }
            // Bounds that 3.0 excludes by a flag stay included.
            for bound in ["exclusiveMinimum", "exclusiveMaximum"] {
                if members.get(bound).is_some_and(Value::is_boolean) {
                    members.shift_remove(bound);
                }
            }
            if members.get("nullable") == Some(&Value::Bool(true)) {
                if let Some(kind @ Value::String(_)) = members.get_mut("type") {
                    *kind = json!([kind.clone(), "null"]);
                }
                if let Some(Value::Array(values)) = members.get_mut("enum") {
                    values.push(Value::Null);
                }
            }
        }
        _ => {}
    }
}

/// What is described in a file that is not at hand may be anything.
fn loosen(value: &mut Value, whole: &Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| loosen(item, whole)),
        Value::Object(members) => {
            let leads_to = members.get("$ref").and_then(Value::as_str);
            if leads_to.is_some_and(|reference| whole.pointer(reference.trim_start_matches('#')).is_none()) {
                members.shift_remove("$ref");
            }
            members.values_mut().for_each(|member| loosen(member, whole));
        }
        _ => {}
    }
}
