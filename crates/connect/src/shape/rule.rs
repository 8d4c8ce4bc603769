//! Changes at places deep inside a record; see [`ShapeRuleSpec`].

use indexmap::IndexMap;
use serde_json::{Map, Value};
use switchboard_model::{mapping::Mapping, template::Scope};

use super::{field, is_blank, length, moment, pattern::Pattern};
use crate::{
    compile::{Compiler, child},
    manifest::ShapeRuleSpec,
};

/// A compiled rule.
#[derive(Debug)]
pub(super) struct ShapeRule {
    at: Pattern,
    change: Change,
}

#[derive(Debug)]
enum Change {
    SplitText { text: String, limit: usize, items: usize },
    Replace(IndexMap<String, String>),
    Cut(usize),
    Moment,
    BlankToNull { member: String },
    Number,
    Wrap(Mapping),
}

impl ShapeRule {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &ShapeRuleSpec) -> Option<Self> {
        let (place, change) = match spec.clone() {
            ShapeRuleSpec::SplitText { at, text, limit, items } => (at, Change::SplitText { text, limit, items }),
            ShapeRuleSpec::Replace { at, with } => (at, Change::Replace(with)),
            ShapeRuleSpec::Cut { at, limit } => (at, Change::Cut(limit)),
            ShapeRuleSpec::Moment { at } => (at, Change::Moment),
            ShapeRuleSpec::BlankToNull { at, member } => (at, Change::BlankToNull { member }),
            ShapeRuleSpec::Number { at } => (at, Change::Number),
            ShapeRuleSpec::Wrap { at: place, with } => {
                let with = compiler.mapping(&child(at, "with"), &with)?;
                (place, Change::Wrap(with))
            }
        };
        let pattern = Pattern::parse(&place);
        if pattern.is_none() {
            let detail = format!("`{place}` is no JSONPath of names and wildcards");
            compiler.report(&child(at, "at"), detail, "Use only $, .name, ['name'], .* and [*].");
        }
        Some(Self { at: pattern?, change })
    }

    pub fn apply(&self, record: &mut Value) {
        self.at.visit(record, &mut |value| self.change.apply(value));
    }
}

impl Change {
    fn apply(&self, value: &mut Value) {
        match self {
            Self::SplitText { text, limit, items } => split(value, text, *limit, *items),
            Self::Replace(with) => {
                if let Value::String(text) = value {
                    for (what, by) in with {
                        if text.contains(what.as_str()) {
                            *text = text.replace(what.as_str(), by);
                        }
                    }
                }
            }
            Self::Cut(limit) => {
                if let Value::String(text) = value
                    && !length::fits(text, *limit)
                {
                    *text = length::cut(text, *limit);
                }
            }
            // What is no moment stays: the vendor says what is wrong with it.
            Self::Moment => {
                if let Some(moment) = moment::either(value) {
                    *value = moment;
                }
            }
            Self::BlankToNull { member } => {
                if value.pointer(member).is_none_or(is_blank) {
                    *value = Value::Null;
                }
            }
            // A template that fails gives nothing; the vendor says what it thinks of the value as it is.
            Self::Wrap(with) => {
                if matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_)) {
                    let scalar = Map::from_iter([("value".to_owned(), value.clone())]);
                    if let Ok(Some(wrapped)) = with.render(&Scope::of(&scalar)) {
                        *value = wrapped;
                    }
                }
            }
            Self::Number => {
                if value.is_string() {
                    *value = field::number(value).unwrap_or(Value::Null);
                }
            }
        }
    }
}

fn split(list: &mut Value, pointer: &str, limit: usize, items: usize) {
    let Value::Array(list) = list else { return };
    let text_of = |element: &Value| element.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let fits = |element: &Value| {
        element
            .pointer(pointer)
            .and_then(Value::as_str)
            .is_none_or(|text| length::fits(text, limit))
    };
    if list.len() <= items && list.iter().all(fits) {
        return;
    }
    let mut whole = Vec::with_capacity(list.len() + 1);
    for element in std::mem::take(list) {
        match text_of(&element).filter(|_| !fits(&element)) {
            None => whole.push(element),
            Some(text) => whole.extend(
                length::pieces(&text, limit)
                    .into_iter()
                    .map(|piece| with_text(&element, pointer, piece)),
            ),
        }
    }
    if whole.len() > items {
        whole.truncate(items);
        if let Some(last) = whole.last_mut().and_then(|last| last.pointer_mut(pointer))
            && let Some(text) = last.as_str()
        {
            let mut short = length::cut(text, limit.saturating_sub(1));
            if !short.ends_with('…') {
                short.push('…');
            }
            *last = short.into();
        }
    }
    *list = whole;
}

fn with_text(element: &Value, pointer: &str, text: &str) -> Value {
    let mut element = element.clone();
    if let Some(place) = element.pointer_mut(pointer) {
        *place = text.into();
    }
    element
}
