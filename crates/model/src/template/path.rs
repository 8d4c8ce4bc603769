//! Where a value is: `customer.emails[0].address`, `data["key with space"]`, `items.last`.

use std::fmt;

use serde_json::{Map, Value};

use super::scope::Scope;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(i64),
}

/// A path from a variable to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    pub(super) root: String,
    pub(super) steps: Vec<Step>,
}

impl Path {
    /// The variable that it begins with.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The value there; `None` when it is missing or `null`.
    pub(super) fn find(&self, scope: &Scope<'_>) -> Option<Value> {
        let mut value = scope.variable(&self.root)?;
        for (at, step) in self.steps.iter().enumerate() {
            match child(value, step) {
                Some(next) => value = next,
                None if at + 1 == self.steps.len() => return size(value, step),
                None => return None,
            }
        }
        Some(value.clone()).filter(|value| !value.is_null())
    }
}

fn child<'v>(value: &'v Value, step: &Step) -> Option<&'v Value> {
    match (value, step) {
        (Value::Object(map), Step::Key(key)) => map.get(key),
        (Value::Array(items), Step::Key(key)) if key == "first" => items.first(),
        (Value::Array(items), Step::Key(key)) if key == "last" => items.last(),
        (Value::Array(items), Step::Index(index)) => {
            let at = if *index < 0 {
                items.len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?
            } else {
                usize::try_from(*index).ok()?
            };
            items.get(at)
        }
        _ => None,
    }
}

/// `size` of lists, texts (in characters) and objects without a member of that name.
fn size(value: &Value, step: &Step) -> Option<Value> {
    if *step != Step::Key("size".to_owned()) {
        return None;
    }
    match value {
        Value::Array(items) => Some(items.len().into()),
        Value::Object(map) => Some(Map::len(map).into()),
        Value::String(text) => Some(text.chars().count().into()),
        _ => None,
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.root)?;
        for step in &self.steps {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if key.chars().all(super::parse::is_name_character) && !key.is_empty() => {
                    write!(f, ".{key}")?
                }
                Step::Key(key) => write!(f, "[{}]", Value::from(key.as_str()))?,
            }
        }
        Ok(())
    }
}
