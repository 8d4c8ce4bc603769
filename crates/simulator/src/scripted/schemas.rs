//! JSON Schema for what a request must look like. A schema that was used once is kept ready.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use parking_lot::Mutex;
use rhai::{Array, Dynamic, Engine, Map};
use serde_json::Value;

use super::Wrong;
use super::json::{from_map, from_script};

/// More are never kept; scripts have some dozens.
const KEPT: usize = 2_000;

static READY: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// `check(value, schema)`.
pub fn register(engine: &mut Engine) {
    engine.register_fn("check", |value: Dynamic, schema: Map| -> Result<Array, Wrong> {
        let validator = ready(&schema)?;
        let value = from_script(&value)?;
        Ok(validator
            .iter_errors(&value)
            .flat_map(|error| problems(&error))
            .collect())
    });
}

fn ready(schema: &Map) -> Result<Arc<Validator>, Wrong> {
    let schema = from_map(schema)?;
    let key = schema.to_string();
    if let Some(validator) = READY.lock().get(&key) {
        return Ok(Arc::clone(validator));
    }
    let made = jsonschema::options().should_validate_formats(true).build(&schema);
    let made = made.map_err(|error| Wrong::from(format!("the schema is none: {error}")))?;
    let validator = Arc::new(made);
    let mut all = READY.lock();
    if all.len() >= KEPT {
        all.clear();
    }
    all.insert(key, Arc::clone(&validator));
    Ok(validator)
}

/// A missing or unknown member is a problem of its own place and not of what should hold it, as vendors report it.
fn problems(error: &jsonschema::ValidationError<'_>) -> Vec<Dynamic> {
    let at = error.instance_path().to_string();
    let kind = error.kind();
    // The value itself can be long, and the caller knows it.
    let said = error.masked_with("the value").to_string();
    match kind {
        ValidationErrorKind::Required {
            property: Value::String(name),
        } => vec![problem(&at, Some(name), said, "required")],
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            let unknown = |name: &String| problem(&at, Some(name), format!("`{name}` is unknown"), kind.keyword());
            unexpected.iter().map(unknown).collect()
        }
        _ => vec![problem(&at, None, said, kind.keyword())],
    }
}

fn problem(at: &str, member: Option<&str>, said: String, rule: &str) -> Dynamic {
    let at = match member {
        None => at.to_owned(),
        Some(name) => format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")),
    };
    let name = at
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .replace("~1", "/")
        .replace("~0", "~");
    Dynamic::from_map(Map::from([
        ("at".into(), at.into()),
        ("name".into(), name.into()),
        ("problem".into(), said.into()),
        ("rule".into(), rule.to_owned().into()),
    ]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::scripted::trial::{fails, says};

    #[test]
    fn every_problem_has_its_place_and_its_rule() {
        let schema = r#"#{type: "object", required: ["name"], additionalProperties: false, properties: #{
            name: #{type: "string", maxLength: 3}, tags: #{type: "array", maxItems: 1, items: #{enum: ["a", "b"]}},
            mail: #{type: "string", format: "email"}, age: #{type: "integer", minimum: 0}}}"#;
        for (value, expected) in [
            (
                r#"#{name: "ab", tags: ["a"], mail: "a@example.org", age: 3}"#,
                json!([]),
            ),
            ("#{}", json!(["/name name required"])),
            (
                r#"#{name: "ab", x: 1, "y/z": 2}"#,
                json!(["/x x additionalProperties", "/y~1z y/z additionalProperties"]),
            ),
            (r#"#{name: "abcd"}"#, json!(["/name name maxLength"])),
            (r#"#{name: 5}"#, json!(["/name name type"])),
            (
                r#"#{name: "a", tags: ["a", "c"]}"#,
                json!(["/tags tags maxItems", "/tags/1 1 enum"]),
            ),
            (r#"#{name: "a", mail: "nobody"}"#, json!(["/mail mail format"])),
            (r#"#{name: "a", age: -1}"#, json!(["/age age minimum"])),
            ("()", json!(["  type"])),
        ] {
            let script = format!(
                "let p = check({value}, {schema}).map(|p| p.at + \" \" + p.name + \" \" + p.rule); p.sort(); p"
            );
            assert_eq!(says(&script), expected, "{value}");
        }
        let said = says(&format!("check(#{{name: 5}}, {schema})[0].problem"));
        assert_eq!(said, json!("the value is not of type \"string\""));
    }

    #[test]
    fn a_schema_that_is_none_is_an_error_of_the_script() {
        assert!(fails(r#"check(1, #{type: "whatever"})"#).contains("schema"));
    }
}
