//! Walks through a document and collects everything that is wrong with it, each with its place.

use std::cell::{Cell, RefCell};

use serde_json::{Map, Value};
use switchboard_model::{
    nearest::nearest,
    problem::{Code, Problem},
};

use crate::document::{Document, PROBLEM_LIMIT, not_told};

/// A document while it is read.
pub(super) struct Reader<'d> {
    document: &'d Document,
    problems: RefCell<Vec<Problem>>,
    /// How many problems there are beyond [`PROBLEM_LIMIT`].
    untold: Cell<usize>,
}

impl<'d> Reader<'d> {
    pub(super) fn new(document: &'d Document) -> Self {
        Self {
            document,
            problems: RefCell::default(),
            untold: Cell::default(),
        }
    }

    /// The whole document.
    pub(super) fn root(&self) -> Part<'_, 'd> {
        Part {
            reader: self,
            value: self.document.value(),
            pointer: String::new(),
        }
    }

    /// Keeps a problem. Its place is worked out only then: inside of a text that takes a walk through the document.
    fn add(&self, problem: Problem, place: impl FnOnce(&Document) -> String) {
        let mut problems = self.problems.borrow_mut();
        if problems.len() < PROBLEM_LIMIT {
            problems.push(problem.at(place(self.document)));
        } else {
            self.untold.set(self.untold.get() + 1);
        }
    }

    /// Everything that was wrong.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.extend(not_told(self.untold.get()));
        problems
    }
}

/// A value of the document, and where it is. A method that returns `None` for a value of a wrong form has reported it.
#[derive(Clone)]
pub(super) struct Part<'r, 'd> {
    reader: &'r Reader<'d>,
    value: &'d Value,
    pointer: String,
}

impl<'r, 'd> Part<'r, 'd> {
    pub(super) fn value(&self) -> &'d Value {
        self.value
    }

    /// The file's name.
    pub(super) fn file(&self) -> &'d str {
        self.reader.document.name()
    }

    /// `file:line:column` of the value.
    pub(super) fn place(&self) -> String {
        self.reader.document.place(&self.pointer)
    }

    /// Reports something that is wrong with the value.
    pub(super) fn report(&self, code: Code, detail: impl Into<String>, next: impl Into<String>) {
        self.reader.add(Problem::new(code, detail, next), |document| {
            document.place(&self.pointer)
        });
    }

    /// Reports something that is wrong with the key that the value stands under.
    pub(super) fn report_key(&self, code: Code, detail: impl Into<String>, next: impl Into<String>) {
        self.adopt_at_key(Problem::new(code, detail, next));
    }

    /// Reports something that is wrong `offset` bytes into the text at `pointer` below this value.
    pub(super) fn report_inside(&self, pointer: &str, offset: usize, problem: Problem) {
        let pointer = format!("{}{pointer}", self.pointer);
        self.reader
            .add(problem, |document| document.place_inside(&pointer, offset));
    }

    /// Takes over a problem whose place is a JSON pointer below this value, with those that follow it.
    pub(super) fn adopt(&self, mut problem: Problem) {
        let others = std::mem::take(&mut problem.others);
        let below = problem
            .place
            .take()
            .filter(|place| place.starts_with('/'))
            .unwrap_or_default();
        self.reader
            .add(problem, |document| document.place(&format!("{}{below}", self.pointer)));
        for other in others {
            self.adopt(other);
        }
    }

    /// Takes over a problem with the key that the value stands under.
    pub(super) fn adopt_at_key(&self, problem: Problem) {
        self.reader
            .add(problem, |document| document.place_of_key(&self.pointer));
    }

    /// What leads to the value, for a message.
    fn name(&self) -> String {
        let Some((parent, last)) = self.pointer.rsplit_once('/') else {
            return "The file".to_owned();
        };
        match last.parse::<usize>() {
            Ok(at)
                if self
                    .reader
                    .document
                    .value()
                    .pointer(parent)
                    .is_some_and(Value::is_array) =>
            {
                let list = parent.rsplit('/').next().unwrap_or_default();
                format!("Entry {} of `{}`", at + 1, unescape(list))
            }
            _ => format!("`{}`", unescape(last)),
        }
    }

    /// Reports a value of a wrong form.
    pub(super) fn report_form(&self, expected: &str) {
        let detail = format!("{} must be {expected}, but it is {}", self.name(), form(self.value));
        self.report(Code::WrongValue, detail, format!("Write {expected}."));
    }

    /// The member with this key; one that is `null` counts as absent.
    pub(super) fn member(&self, key: &str) -> Option<Part<'r, 'd>> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(self.below(key, value))
    }

    /// The member with this key, which must be there.
    pub(super) fn need(&self, key: &str, example: &str) -> Option<Part<'r, 'd>> {
        let found = self.member(key);
        if found.is_none() && self.value.is_object() {
            self.report(
                Code::WrongValue,
                format!("`{key}` is missing"),
                format!("Add it, for example {example}."),
            );
        }
        found
    }

    /// The members of an object.
    pub(super) fn members(&self) -> Option<Vec<(&'d str, Part<'r, 'd>)>> {
        let object = self.object()?;
        Some(
            object
                .iter()
                .map(|(key, value)| (key.as_str(), self.below(key, value)))
                .collect(),
        )
    }

    /// The items of a list.
    pub(super) fn items(&self) -> Option<Vec<Part<'r, 'd>>> {
        let Some(items) = self.value.as_array() else {
            self.report_form("a list");
            return None;
        };
        Some(
            items
                .iter()
                .enumerate()
                .map(|(at, item)| self.below(&at.to_string(), item))
                .collect(),
        )
    }

    /// The value as an object.
    pub(super) fn object(&self) -> Option<&'d Map<String, Value>> {
        if !self.value.is_object() {
            self.report_form("an object");
        }
        self.value.as_object()
    }

    /// The value as text.
    pub(super) fn text(&self) -> Option<&'d str> {
        if !self.value.is_string() {
            self.report_form("a text");
        }
        self.value.as_str()
    }

    /// The value as a list of texts; those that are none are reported.
    pub(super) fn texts(&self) -> Vec<String> {
        let items = self.items().unwrap_or_default();
        items.iter().filter_map(|item| item.text().map(str::to_owned)).collect()
    }

    /// The value as `true` or `false`.
    pub(super) fn flag(&self) -> Option<bool> {
        if !self.value.is_boolean() {
            self.report_form("`true` or `false`");
        }
        self.value.as_bool()
    }

    /// The value as a whole number.
    pub(super) fn whole_number(&self) -> Option<i64> {
        if self.value.as_i64().is_none() {
            self.report_form("a whole number");
        }
        self.value.as_i64()
    }

    /// Reports each member whose key is not `known`.
    pub(super) fn only(&self, known: &[&str]) {
        for (key, _) in self
            .value
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(key, _)| !known.contains(&key.as_str()))
        {
            let detail = format!("`{key}` is not known here{}", question(key, known.iter().copied()));
            self.below(key, self.value)
                .report_key(Code::UnknownKey, detail, one_of(known));
        }
    }

    fn below(&self, key: &str, value: &'d Value) -> Part<'r, 'd> {
        let pointer = format!("{}/{}", self.pointer, key.replace('~', "~0").replace('/', "~1"));
        Part {
            reader: self.reader,
            value,
            pointer,
        }
    }
}

/// Advice to use one of some words.
pub(super) fn one_of(known: &[&str]) -> String {
    match known {
        [] => "Remove it.".to_owned(),
        _ => format!("Use one of {}.", known.join(", ")),
    }
}

/// The end of a sentence about an unknown word: `; did you mean …?`, or nothing.
pub(super) fn question<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known)
        .map(|found| format!("; did you mean `{found}`?"))
        .unwrap_or_default()
}

fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

fn form(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "`true` or `false`",
        Value::Number(number) if number.is_f64() => "a number with decimals",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
