//! JSON Schemas inside manifests: of settings and of credentials. They drive the forms, so they stay plain objects with
//! properties.

use indexmap::IndexMap;
use jsonschema::{ValidationError, Validator, error::ValidationErrorKind};
use serde_json::{Map, Value};
use switchboard_model::{
    nearest::nearest,
    problem::{Code, Problem},
};

use crate::{
    compile::{Compiler, child},
    connector::Connector,
    shape::is_blank,
};

/// The setting that paths are put behind.
const BASE_ADDRESS: &str = "baseUrl";

/// A compiled schema of an object.
#[derive(Debug)]
pub(crate) struct Schema {
    source: Value,
    validator: Validator,
}

/// What is wrong with a connection. `missing` alone makes it a draft; `problems` have to be mended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Check {
    /// Values that are wrong.
    pub problems: Vec<Problem>,
    /// Names of settings and credentials that are not given yet.
    pub missing: Vec<String>,
}

impl Schema {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, source: &Value) -> Option<Self> {
        if source["type"] != "object" || !source["properties"].is_object() {
            compiler.report(
                at,
                "this schema describes no object with properties",
                "Write `type: object` and `properties`.",
            );
            return None;
        }
        let mut source = source.clone();
        if let Some(schema) = source.as_object_mut() {
            schema.entry("additionalProperties").or_insert(Value::Bool(false));
        }
        let validator = jsonschema::draft202012::options()
            .should_validate_formats(true)
            .build(&source);
        match validator {
            Ok(validator) => Some(Self { source, validator }),
            Err(error) => {
                let at = format!("{at}{}", error.instance_path());
                compiler.report(
                    &at,
                    format!("this is no JSON Schema: {error}"),
                    "See JSON Schema 2020-12.",
                );
                None
            }
        }
    }

    pub fn source(&self) -> &Value {
        &self.source
    }

    /// Names of the properties.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.source["properties"]
            .as_object()
            .into_iter()
            .flat_map(|properties| properties.keys().map(String::as_str))
    }

    pub fn has(&self, name: &str) -> bool {
        self.source["properties"].get(name).is_some()
    }

    /// Names of what is never shown again.
    pub fn write_only(&self) -> Vec<String> {
        let properties = self.source["properties"].as_object().into_iter().flatten();
        properties
            .filter(|(_, property)| property["writeOnly"] == true)
            .map(|(name, _)| name.clone())
            .collect()
    }

    pub fn required(&self) -> impl Iterator<Item = &str> {
        self.source["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
    }

    /// Adds to `check` what is wrong with values that a person gives, and what is missing. What a form sends blank counts as not given.
    pub fn check_given(&self, given: &Map<String, Value>, of: &str, check: &mut Check) {
        self.check(&without_blanks(given), of, check);
    }

    fn check(&self, value: &Value, of: &str, check: &mut Check) {
        for error in self.validator.iter_errors(value) {
            match error.kind() {
                ValidationErrorKind::Required { property } => {
                    check.missing.extend(property.as_str().map(str::to_owned));
                }
                ValidationErrorKind::AdditionalProperties { unexpected } => {
                    check
                        .problems
                        .extend(unexpected.iter().map(|name| self.unknown(name, of)));
                }
                _ => check.problems.push(wrong_value(&error, of)),
            }
        }
    }

    /// The problem of a name that the schema does not have.
    pub fn unknown(&self, name: &str, of: &str) -> Problem {
        let known: Vec<_> = self.names().collect();
        let near = nearest(name, known.iter().copied());
        let next = match near {
            Some(near) => format!("Did you mean `{near}`?"),
            None if known.is_empty() => "Leave it out.".to_owned(),
            None => format!("Known are: {}.", known.join(", ")),
        };
        Problem::new(Code::UnknownKey, format!("`{name}` is not known here"), next).at(child(of, name))
    }
}

fn wrong_value(error: &ValidationError<'_>, of: &str) -> Problem {
    let place = format!("{of}{}", error.instance_path());
    // The value itself is not repeated: it may be a credential that was put into the wrong field.
    let detail = format!("{place} is wrong: {}", error.masked_with("the value"));
    Problem::new(Code::WrongValue, detail, "Correct the value.").at(place)
}

impl Connector {
    /// Everything that is wrong with or missing from a connection.
    pub fn check(&self, auth_kind: &str, settings: &Map<String, Value>, secrets: &Map<String, Value>) -> Check {
        let mut check = Check::default();
        self.settings.check(&without_blanks(settings), "/settings", &mut check);
        let Some(auth) = self.auth.iter().find(|auth| auth.name == auth_kind) else {
            let known: Vec<_> = self.auth.iter().map(|auth| auth.name.as_str()).collect();
            let detail = format!("{} has no sign-in called `{auth_kind}`", self.name);
            let next = format!("Use one of {}.", known.join(", "));
            check
                .problems
                .push(Problem::new(Code::WrongValue, detail, next).at("/auth"));
            return check;
        };
        auth.credentials.check(&without_blanks(secrets), "/secrets", &mut check);
        let given = self.with_defaults(settings);
        let lacking = auth.needs.iter().filter(|name| given.get(*name).is_none_or(is_blank));
        check.missing.extend(lacking.cloned());
        check.missing.dedup();
        check
    }

    /// The settings with the defaults of the schema filled in.
    pub(crate) fn with_defaults(&self, settings: &Map<String, Value>) -> Value {
        let mut full = settings.clone();
        full.retain(|_, value| !is_blank(value));
        let properties = self.settings.source()["properties"].as_object().into_iter().flatten();
        for (name, property) in properties {
            if let Some(default) = property.get("default") {
                full.entry(name.clone()).or_insert_with(|| default.clone());
            }
        }
        if let Some(Value::String(address)) = full.get_mut(BASE_ADDRESS) {
            address.truncate(address.trim_end_matches('/').len());
        }
        Value::Object(full)
    }

    /// The names of the credentials that are never shown again.
    pub fn secret_names(&self, auth_kind: &str) -> Vec<String> {
        let auth = self.auth.iter().find(|auth| auth.name == auth_kind);
        auth.map(|auth| auth.secrets.clone()).unwrap_or_default()
    }
}

/// A form sends blank text for what is not filled in.
fn without_blanks(object: &Map<String, Value>) -> Value {
    let given = object.iter().filter(|(_, value)| !is_blank(value));
    Value::Object(given.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// The settings that every connector has beside its own.
pub(crate) fn common_settings() -> IndexMap<&'static str, Value> {
    IndexMap::from([
        (
            "limitScale",
            serde_json::json!({
                "type": "number", "exclusiveMinimum": 0, "maximum": 100_000, "default": 1,
                "title": "Pace",
                "description": "The vendor's limits are multiplied by this. Below 1 leaves room for other programs on the same account; above 1 is for accounts with raised limits.",
            }),
        ),
        (
            "objects",
            serde_json::json!({
                "type": "object", "additionalProperties": { "type": "object" },
                "title": "Settings of single objects",
            }),
        ),
    ])
}
