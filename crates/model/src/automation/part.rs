//! Walks through what a person wrote and collects everything that is wrong with it.

use std::cell::RefCell;

use serde_json::Value;

use crate::{
    condition::Condition,
    mapping::Mapping,
    nearest::nearest,
    problem::{Code, Problem},
    template::{Path, Template},
};

/// A value, and where it is. What answers `None` for a value of a wrong form has noted that.
pub(super) struct Part<'v> {
    pub value: &'v Value,
    pointer: String,
    problems: &'v RefCell<Vec<Problem>>,
}

impl<'v> Part<'v> {
    pub fn root(value: &'v Value, problems: &'v RefCell<Vec<Problem>>) -> Self {
        Self {
            value,
            pointer: String::new(),
            problems,
        }
    }

    pub fn report(&self, code: Code, detail: impl Into<String>, next: impl Into<String>) {
        self.report_at("", code, detail, next);
    }

    pub fn report_at(&self, below: &str, code: Code, detail: impl Into<String>, next: impl Into<String>) {
        let problem = Problem::new(code, detail, next).at(format!("{}{below}", self.pointer));
        self.problems.borrow_mut().push(problem);
    }

    pub fn report_form(&self, expected: &str) {
        let name = self.pointer.rsplit('/').next().filter(|name| !name.is_empty());
        let name = name.map_or_else(|| "the automation".to_owned(), |name| format!("`{name}`"));
        self.report(
            Code::WrongValue,
            format!("{name} must be {expected}"),
            format!("Write {expected}."),
        );
    }

    /// The member with this key; one that is `null` counts as absent.
    pub fn member(&self, key: &str) -> Option<Part<'v>> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(self.below(key, value))
    }

    /// The member with this key, which must be there.
    pub fn need(&self, key: &str, example: &str) -> Option<Part<'v>> {
        let found = self.member(key);
        if found.is_none() {
            self.report(
                Code::WrongValue,
                format!("`{key}` is missing"),
                format!("Add it, for example {example}."),
            );
        }
        found
    }

    pub fn is_object(&self) -> bool {
        if !self.value.is_object() {
            self.report_form("an object");
        }
        self.value.is_object()
    }

    pub fn items(&self) -> Option<Vec<Part<'v>>> {
        let Some(items) = self.value.as_array() else {
            self.report_form("a list");
            return None;
        };
        let items = items.iter().enumerate();
        Some(items.map(|(at, item)| self.below(&at.to_string(), item)).collect())
    }

    /// One value, or the items of a list.
    pub fn one_or_more(&self) -> Vec<Part<'v>> {
        match self.value {
            Value::Array(_) => self.items().unwrap_or_default(),
            value => vec![Part {
                value,
                pointer: self.pointer.clone(),
                problems: self.problems,
            }],
        }
    }

    pub fn members(&self) -> Vec<(&'v str, Part<'v>)> {
        let members = self.value.as_object().into_iter().flatten();
        members
            .map(|(key, value)| (key.as_str(), self.below(key, value)))
            .collect()
    }

    pub fn text(&self) -> Option<&'v str> {
        let text = self.value.as_str().filter(|text| !text.trim().is_empty());
        if text.is_none() {
            self.report_form("a text that is not empty");
        }
        text
    }

    pub fn flag(&self) -> Option<bool> {
        if !self.value.is_boolean() {
            self.report_form("`true` or `false`");
        }
        self.value.as_bool()
    }

    pub fn condition(&self) -> Option<Condition> {
        match Condition::parse(self.text()?) {
            Ok(condition) => Some(condition),
            Err(error) => {
                self.report(
                    Code::ConditionSyntax,
                    format!("the condition cannot be read: {error}"),
                    "Correct it; the forms of conditions are in the configuration reference.",
                );
                None
            }
        }
    }

    /// A template; a number or a flag stands for itself.
    pub fn template(&self) -> Option<Template> {
        let text = match self.value {
            Value::String(_) => self.text()?.to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => {
                self.report_form("a text or template");
                return None;
            }
        };
        match Template::parse(&text) {
            Ok(template) => Some(template),
            Err(error) => {
                self.bad_template("", &error.to_string());
                None
            }
        }
    }

    /// An object whose texts are templates.
    pub fn mapping(&self) -> Option<Mapping> {
        if !self.is_object() {
            return None;
        }
        match Mapping::compile(self.value) {
            Ok(mapping) => Some(mapping),
            Err(errors) => {
                for error in errors {
                    self.bad_template(&error.pointer, &error.error.to_string());
                }
                None
            }
        }
    }

    fn bad_template(&self, below: &str, why: &str) {
        self.report_at(
            below,
            Code::TemplateSyntax,
            format!("the template cannot be read: {why}"),
            "Correct the template; the filters are listed in the configuration reference.",
        );
    }

    /// Notes each member whose key is not `known`.
    pub fn only(&self, known: &[&str]) {
        for (key, part) in self.members() {
            if !known.contains(&key) {
                let detail = format!("`{key}` is not known here{}", question(key, known.iter().copied()));
                part.report(Code::UnknownKey, detail, one_of(known));
            }
        }
    }

    /// Notes each path that reads something of a step that is not there.
    pub fn check_steps<'p>(
        &self,
        paths: impl IntoIterator<Item = &'p Path>,
        before: &[(String, &'static [&'static str])],
    ) {
        for path in paths {
            if path.root() != "steps" {
                continue;
            }
            let Some(name) = path.step(0) else { continue };
            let Some((_, brings)) = before.iter().find(|(known, _)| known == name) else {
                let known: Vec<&str> = before.iter().map(|(known, _)| known.as_str()).collect();
                let detail = format!(
                    "`{path}` reads the step `{name}`, which does not come before this one{}",
                    question(name, known.iter().copied())
                );
                let next = match known.is_empty() {
                    true => "The first step can read the event only.".to_owned(),
                    false => format!("Steps before this one: {}.", known.join(", ")),
                };
                self.report(Code::WrongValue, detail, next);
                continue;
            };
            if let Some(member) = path.step(1)
                && !brings.contains(&member)
            {
                let meant = question(member, brings.iter().copied());
                let detail = format!("the step `{name}` brings no `{member}`{meant}");
                self.report(Code::WrongValue, detail, one_of(brings));
            }
        }
    }

    fn below(&self, key: &str, value: &'v Value) -> Part<'v> {
        Part {
            value,
            pointer: format!("{}/{}", self.pointer, key.replace('~', "~0").replace('/', "~1")),
            problems: self.problems,
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
