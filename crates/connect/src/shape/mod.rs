//! A mapped record → a record as the vendor takes it: names, types, choices, lengths; then changes at places deep inside.
//!
//! What is absent or blank is left out: an event that lacks something never clears it at the vendor.

mod field;
mod length;
mod moment;
mod pattern;
mod rule;

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};
use switchboard_model::nearest::nearest;

pub use field::Field;
use rule::ShapeRule;

use crate::{
    compile::{Compiler, child},
    manifest::{ObjectSpec, ValueStyle},
    reading::text_of,
};

/// One field that the vendor would refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// The vendor's name of the field; empty when it is about the whole record.
    pub field: String,
    /// What is wrong with it, for a person.
    pub message: String,
    /// True when nothing is wrong with the value but that there is none.
    pub is_missing: bool,
}

/// How records of one object are brought into form.
#[derive(Debug)]
pub(crate) struct Shape {
    fields: Vec<Field>,
    by_name: HashMap<String, usize>,
    open: bool,
    style: ValueStyle,
    join: Option<String>,
    rules: Vec<ShapeRule>,
}

impl Shape {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &ObjectSpec) -> Option<Self> {
        let fields: Vec<_> = spec
            .fields
            .iter()
            .map(|(name, field)| Field::new(name, field))
            .collect();
        let mut by_name = HashMap::new();
        for (index, field) in fields.iter().enumerate() {
            for name in std::iter::once(&field.name).chain(&field.aliases) {
                if by_name
                    .insert(name.to_lowercase(), index)
                    .is_some_and(|other| other != index)
                {
                    let at = child(&child(at, "fields"), &field.name);
                    compiler.report(
                        &at,
                        format!("two fields are called `{name}`"),
                        "Take the alias away from one of them.",
                    );
                }
            }
        }
        let rules = compiler.list(&child(at, "rules"), &spec.rules, ShapeRule::compile);
        Some(Self {
            fields,
            by_name,
            open: spec.open,
            style: spec.values,
            join: spec.join.clone(),
            rules,
        })
    }

    pub fn is_open(&self) -> bool {
        self.open
    }

    pub fn joint(&self) -> Option<&str> {
        self.join.as_deref()
    }

    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter()
    }

    /// Brings a mapped record into form.
    ///
    /// # Errors
    /// Every field that the vendor would refuse.
    pub fn apply(&self, mapped: Value) -> Result<Value, Vec<FieldFault>> {
        let Value::Object(mapped) = mapped else {
            return Err(vec![problem("", "the mapping gives no object with fields")]);
        };
        let mut problems = Vec::new();
        let mut record = Map::with_capacity(mapped.len());
        let mut given = HashSet::with_capacity(mapped.len());
        for (key, value) in mapped {
            if is_blank(&value) {
                continue;
            }
            match self.place(&key, value) {
                Ok(Some((name, value))) if given.insert(name.clone()) => {
                    record.insert(name, value);
                }
                Ok(Some((name, _))) => {
                    problems.push(problem(&name, &format!("the mapping gives it twice, also as `{key}`")));
                }
                Ok(None) => {}
                Err(wrong) => problems.push(wrong),
            }
        }
        let lacking = self
            .fields
            .iter()
            .filter(|field| field.required && !record.contains_key(&field.name));
        let named: HashSet<_> = problems.iter().map(|problem| problem.field.clone()).collect();
        let lacking = lacking.filter(|field| !named.contains(&field.name));
        problems.extend(lacking.map(|field| FieldFault {
            is_missing: true,
            ..problem(&field.name, "is needed and has no value")
        }));
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut record = Value::Object(record);
        for rule in &self.rules {
            rule.apply(&mut record);
        }
        Ok(record)
    }

    /// The vendor's name and value of one member; `None` when it is left out.
    fn place(&self, key: &str, value: Value) -> Result<Option<(String, Value)>, FieldFault> {
        let index = self.by_name.get(key).or_else(|| self.by_name.get(&key.to_lowercase()));
        let Some(field) = index.map(|index| &self.fields[*index]) else {
            if self.open {
                return Ok(Some((key.to_owned(), self.styled(value))));
            }
            let near = nearest(key, self.fields.iter().map(|field| field.name.as_str()));
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(problem(key, &format!("there is no such field{near}")));
        };
        let value = match value {
            Value::Array(items) if field.joins() => self.joined(items),
            other => other,
        };
        let value = field.convert(value).map_err(|message| problem(&field.name, &message))?;
        Ok(value.map(|value| (field.name.clone(), self.styled(value))))
    }

    fn styled(&self, value: Value) -> Value {
        match value {
            Value::Array(items) => self.joined(items),
            Value::Number(number) if self.style == ValueStyle::Text => number.to_string().into(),
            Value::Bool(flag) if self.style == ValueStyle::Text => flag.to_string().into(),
            other => other,
        }
    }

    fn joined(&self, items: Vec<Value>) -> Value {
        let Some(between) = &self.join else {
            return Value::Array(items);
        };
        let texts: Option<Vec<_>> = items.iter().map(text_of).collect();
        match texts {
            Some(texts) => texts.join(between).into(),
            None => Value::Array(items),
        }
    }
}

/// Whether nothing is there: `null`, or text of nothing but blanks.
pub(crate) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

fn problem(field: &str, message: &str) -> FieldFault {
    FieldFault {
        field: field.to_owned(),
        message: message.to_owned(),
        is_missing: false,
    }
}
