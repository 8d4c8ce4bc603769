//! Where a value is: `customer.emails[0].address`, `data["key with space"]`, `items.last`.

use std::{borrow::Cow, fmt};

use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

use super::{parse, scope::Scope};

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A member of an object; of a list `first`, `last` or a position in digits.
    Key(String),
    /// A position in a list; negative ones count from the end.
    Index(i64),
}

/// A path from a variable to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    pub(crate) root: String,
    pub(crate) steps: Vec<Step>,
}

impl Path {
    /// The variable that it begins with.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The name of a step behind the variable, counted from 0; `None` when there is none or it is a position in a list.
    pub fn step(&self, at: usize) -> Option<&str> {
        match self.steps.get(at)? {
            Step::Key(key) => Some(key),
            Step::Index(_) => None,
        }
    }

    /// The value there, `null` included; `None` when there is none.
    pub(crate) fn locate<'v>(&self, scope: &Scope<'v>) -> Option<&'v Value> {
        self.steps.iter().try_fold(scope.variable(&self.root)?, child)
    }

    /// The value there or, when the last step is `size` and there is no such member, the size; `None` for `null` too.
    pub(super) fn find<'v>(&self, scope: &Scope<'v>) -> Option<Cow<'v, Value>> {
        let Some((last, before)) = self.steps.split_last() else {
            return scope
                .variable(&self.root)
                .filter(|value| !value.is_null())
                .map(Cow::Borrowed);
        };
        let parent = before.iter().try_fold(scope.variable(&self.root)?, child)?;
        match child(parent, last) {
            Some(value) => Some(Cow::Borrowed(value)).filter(|value| !value.is_null()),
            None if matches!(last, Step::Key(key) if key == "size") => size(parent).map(|size| Cow::Owned(size.into())),
            None => None,
        }
    }
}

fn child<'v>(value: &'v Value, step: &Step) -> Option<&'v Value> {
    match (value, step) {
        (Value::Object(map), Step::Key(key)) => map.get(key),
        (Value::Array(items), Step::Key(key)) => match key.as_str() {
            "first" => items.first(),
            "last" => items.last(),
            position => items.get(position.parse::<usize>().ok()?),
        },
        (Value::Array(items), Step::Index(index)) => {
            let from_start = usize::try_from(index.unsigned_abs()).ok()?;
            items.get(if *index < 0 {
                items.len().checked_sub(from_start)?
            } else {
                from_start
            })
        }
        _ => None,
    }
}

/// How many items, members or characters (grapheme clusters) a value has.
pub(super) fn size(value: &Value) -> Option<usize> {
    match value {
        Value::Array(items) => Some(items.len()),
        Value::Object(map) => Some(map.len()),
        Value::String(text) => Some(text.graphemes(true).count()),
        _ => None,
    }
}

impl fmt::Display for Path {
    /// As it is written in a template.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match parse::is_variable(&self.root) {
            true => f.write_str(&self.root)?,
            false => write_quoted(f, &self.root)?,
        }
        for step in &self.steps {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if parse::is_name(key) => write!(f, ".{key}")?,
                Step::Key(key) => write_quoted(f, key)?,
            }
        }
        Ok(())
    }
}

/// Templates know no escapes, so the quotes are the ones that the key does not hold.
fn write_quoted(f: &mut fmt::Formatter<'_>, key: &str) -> fmt::Result {
    let quote = if key.contains('"') { '\'' } else { '"' };
    write!(f, "[{quote}{key}{quote}]")
}
