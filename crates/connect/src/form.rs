//! Whether a file has the form that a published JSON Schema describes. Each fault is named at the line where it is to be mended.

use jsonschema::{ValidationError, error::ValidationErrorKind};
use serde_json::Value;
use switchboard_model::{
    nearest::nearest,
    problem::{Code, Problem},
};

use crate::{compile::child, document::Document};

/// Everything in which a document differs from the JSON Schema `schema`. `see` tells where the form is described.
pub fn faults(document: &Document, schema: &str, see: &str) -> Vec<Problem> {
    let found = match serde_json::from_str(schema) {
        Ok(schema) => find(document.value(), &schema, see),
        Err(error) => vec![broken(error.to_string())],
    };
    let place = |fault: Fault| {
        let place = match fault.at_key {
            true => document.place_of_key(&fault.pointer),
            false => document.place(&fault.pointer),
        };
        fault.problem.at(place)
    };
    found.into_iter().map(place).collect()
}

/// The same of a value; the places are JSON pointers.
pub fn faults_of(value: &Value, schema: &Value, see: &str) -> Vec<Problem> {
    let found = find(value, schema, see).into_iter();
    found.map(|fault| fault.problem.at(fault.pointer)).collect()
}

/// What is wrong, and where.
struct Fault {
    problem: Problem,
    pointer: String,
    /// Whether it is about the key that the value stands under.
    at_key: bool,
}

fn broken(detail: String) -> Fault {
    Fault {
        problem: Problem::new(Code::Internal, detail, "Report this."),
        pointer: String::new(),
        at_key: false,
    }
}

fn find(value: &Value, schema: &Value, see: &str) -> Vec<Fault> {
    let form = Form { schema, see };
    match jsonschema::draft202012::new(schema) {
        Ok(validator) => validator
            .iter_errors(value)
            .flat_map(|error| form.explain(&error))
            .collect(),
        Err(error) => vec![broken(error.to_string())],
    }
}

struct Form<'f> {
    schema: &'f Value,
    see: &'f str,
}

impl Form<'_> {
    /// What a schema error means.
    fn explain(&self, error: &ValidationError<'_>) -> Vec<Fault> {
        let at = error.instance_path().to_string();
        let wrong = |detail: String| {
            vec![Fault {
                problem: Problem::new(Code::ManifestInvalid, detail, self.see),
                pointer: at.clone(),
                at_key: false,
            }]
        };
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                unexpected.iter().map(|key| self.unknown_key(&at, key, error)).collect()
            }
            // Of several allowed forms the one that comes nearest tells most.
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                let nearest = context
                    .iter()
                    .filter(|errors| !is_other_type(errors, &at))
                    .min_by_key(|errors| errors.len());
                match nearest {
                    Some(errors) => errors.iter().flat_map(|error| self.explain(error)).collect(),
                    None => wrong("this has none of the allowed forms".to_owned()),
                }
            }
            _ => wrong(error.to_string()),
        }
    }

    fn unknown_key(&self, at: &str, key: &str, error: &ValidationError<'_>) -> Fault {
        let beside = error.schema_path().to_string();
        let properties = beside
            .strip_suffix("/additionalProperties")
            .map(|of| format!("{of}/properties"));
        let properties = properties
            .and_then(|pointer| self.schema.pointer(&pointer))
            .and_then(Value::as_object);
        let known: Vec<_> = properties
            .into_iter()
            .flat_map(|properties| properties.keys().map(String::as_str))
            .collect();
        let next = match nearest(key, known.iter().copied()) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => self.see.to_owned(),
        };
        Fault {
            problem: Problem::new(Code::ManifestInvalid, format!("nobody reads the key `{key}`"), next),
            pointer: child(at, key),
            at_key: true,
        }
    }
}

/// Whether a form fails because the value at `at` is of another JSON type altogether.
fn is_other_type(errors: &[ValidationError<'_>], at: &str) -> bool {
    errors
        .iter()
        .any(|error| matches!(error.kind(), ValidationErrorKind::Type { .. }) && error.instance_path().as_str() == at)
}
