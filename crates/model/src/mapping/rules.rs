//! Rules for the fields of an object: filters that each value passes through on its way, whichever mapping has made it.
//!
//! `phone: "phone_e164: 'VN'"` is `{{ value | phone_e164: 'VN' }}` with what the mapping gives as `value`. A field that the mapping leaves out
//! gets what `default` gives; a rule whose result is absent takes the field away.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{MappingError, MappingFault};
use crate::template::{Path, Scope, Template};

/// The rules of one object, compiled.
#[derive(Debug, Clone, Default)]
pub struct FieldRules(Vec<(String, Template)>);

impl FieldRules {
    /// Compiles rules: filters by field.
    ///
    /// # Errors
    /// Every rule that cannot be read; pointers name the field.
    pub fn compile(rules: &IndexMap<String, String>) -> Result<Self, Vec<MappingError>> {
        let mut compiled = Vec::with_capacity(rules.len());
        let mut errors = Vec::new();
        for (field, filters) in rules {
            match template(filters) {
                Ok(template) => compiled.push((field.clone(), template)),
                Err(error) => errors.push(MappingError {
                    pointer: pointer(field),
                    error,
                }),
            }
        }
        if errors.is_empty() {
            Ok(Self(compiled))
        } else {
            Err(errors)
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every path that they read.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().flat_map(|(_, template)| template.paths())
    }

    /// Whether a field that the mapping leaves out may get a value.
    pub fn can_fill(&self, field: &str) -> bool {
        let data = Map::new();
        let fills = |template: &Template| template.render(&Scope::of(&data)).is_ok_and(|value| value.is_some());
        self.0
            .iter()
            .any(|(known, template)| same(known, field) && fills(template))
    }

    /// Takes the fields of a record through their rules. Names match regardless of case. What is no object stays.
    ///
    /// # Errors
    /// Every rule that failed; pointers name the field.
    pub fn apply(&self, record: &mut Value, scope: &Scope<'_>) -> Result<(), Vec<MappingError>> {
        let Some(members) = record.as_object_mut() else {
            return Ok(());
        };
        let mut errors = Vec::new();
        for (field, template) in &self.0 {
            let key = members.keys().find(|key| same(key, field)).cloned();
            let key = key.unwrap_or_else(|| field.clone());
            // Also when there is none, so that an event's own `value` is not taken for it.
            let layer = Map::from_iter([("value".to_owned(), members.get(&key).cloned().unwrap_or_default())]);
            match template.render(&scope.clone().above(&layer)) {
                Ok(Some(value)) => {
                    members.insert(key, value);
                }
                Ok(None) => {
                    members.shift_remove(&key);
                }
                Err(error) => errors.push(MappingError {
                    pointer: pointer(field),
                    error: error.into(),
                }),
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

/// The filters as a template.
fn template(filters: &str) -> Result<Template, MappingFault> {
    let filters = filters.trim().trim_start_matches('|');
    let template = Template::parse(&format!("{{{{ value | {filters} }}}}"))?;
    match template.is_expression() {
        true => Ok(template),
        false => Err(MappingFault::NoFilters),
    }
}

fn same(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase() == b.to_lowercase()
}

fn pointer(field: &str) -> String {
    format!("/{}", field.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules(rules: Value) -> Result<FieldRules, Vec<MappingError>> {
        FieldRules::compile(&serde_json::from_value(rules).unwrap())
    }

    #[test]
    fn every_value_passes_through_the_rule_of_its_field() {
        let rules = rules(json!({
            "phone": "phone_e164: 'VN'", "Amount": "number | default: 0", "vip": "| boolean", "note": "default: senderName",
            "drop": "lookup: 'none', default: nil"
        }))
        .unwrap();
        let data = json!({"senderName": "Nguyễn Văn A", "value": "of the event"});
        let mut record = json!({"Phone": "0912 345 678", "amount": "12.5", "vip": "có", "drop": "x", "other": 1});
        rules.apply(&mut record, &Scope::new(&data)).unwrap();
        assert_eq!(
            record,
            json!({"Phone": "+84912345678", "amount": 12.5, "vip": true, "other": 1, "note": "Nguyễn Văn A"})
        );
        assert!(rules.can_fill("amount") && !rules.can_fill("phone"));
        let mut text = json!("no object");
        assert!(rules.apply(&mut text, &Scope::new(&data)).is_ok());
    }

    #[test]
    fn a_rule_that_cannot_be_read_or_fails_names_its_field() {
        let errors = rules(json!({"a": "phone_e146", "b": "append: '}}'", "c/d": "default: 1 }} {{ x"})).unwrap_err();
        let text: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert!(
            text[0].starts_with("/a: ") && text[0].contains("did you mean `phone_e164`?"),
            "{text:?}"
        );
        assert_eq!(errors.last().map(|error| error.pointer.as_str()), Some("/c~1d"));
        let rules = rules(json!({"a": "currency: 'USD', 'EUR'"})).unwrap();
        let data = json!({});
        let errors = rules.apply(&mut json!({"a": 5}), &Scope::new(&data)).unwrap_err();
        assert!(
            errors[0].to_string().contains("no rate from USD to EUR"),
            "{}",
            errors[0]
        );
    }
}
