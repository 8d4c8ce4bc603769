//! From what a person wrote to a compiled automation.

use std::cell::RefCell;

use serde_json::Value;

use super::{
    Automation, MOST_STEPS, Step,
    act::{self, WORDS},
    part::{Part, one_of, question},
};
use crate::{
    condition::Condition,
    event::EventType,
    problem::{Code, Problem},
};

/// Names of steps, with what they bring.
pub(super) type Before = Vec<(String, &'static [&'static str])>;

pub(super) fn automation(body: &Value) -> Result<Automation, Problem> {
    let problems = RefCell::default();
    let read = read(&Part::root(body, &problems));
    match (Problem::all(problems.into_inner()), read) {
        (None, Some(automation)) => Ok(automation),
        (Some(problem), _) => Err(problem),
        (None, None) => Err(Problem::new(
            Code::WrongValue,
            "the automation cannot be read",
            "See the guide to automations.",
        )),
    }
}

fn read(root: &Part<'_>) -> Option<Automation> {
    if !root.is_object() {
        return None;
    }
    root.only(&["key", "name", "enabled", "on", "when", "steps"]);
    let key = root.need("key", "\"hot-leads\"").and_then(|key| read_key(&key));
    let name = root.member("name").map(|name| name.text());
    let enabled = root.member("enabled").map_or(Some(true), |flag| flag.flag());
    let on = root.need("on", "[order.created]").map(|on| read_types(&on));
    let when = root.member("when");
    let condition = when.as_ref().map(Part::condition);
    if let (Some(when), Some(Some(condition))) = (&when, &condition) {
        when.check_steps(condition.paths(), &[]);
    }
    let steps = root
        .need("steps", "[{stop: true}]")
        .and_then(|steps| read_steps(&steps));
    let key = key?;
    Some(Automation {
        name: name.map_or(Some(key), |name| name)?.to_owned(),
        key: key.into(),
        enabled: enabled?,
        on: on?,
        condition: match condition {
            Some(condition) => Some(condition?),
            None => None,
        },
        steps: steps?,
    })
}

fn read_key<'v>(part: &Part<'v>) -> Option<&'v str> {
    let key = part.text()?;
    let is_fine = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if key.chars().all(is_fine) && key.chars().count() <= 100 {
        return Some(key);
    }
    part.report(
        Code::WrongValue,
        "a key has letters, digits, `-`, `_` and `.` only, at most 100",
        "Write a short name without spaces; `name` is what people see.",
    );
    None
}

fn read_types(part: &Part<'_>) -> Vec<String> {
    let items = part.one_or_more();
    if items.is_empty() {
        part.report(
            Code::WrongValue,
            "`on` names no event type",
            "Name at least one, for example order.created.",
        );
    }
    let mut types: Vec<String> = Vec::new();
    for item in items {
        let Some(name) = item.text() else { continue };
        let is_known = match name.strip_suffix('*') {
            Some("") => true,
            Some(family) => family.ends_with('.') && EventType::names().any(|known| known.starts_with(family)),
            None => EventType::find(name).is_some_and(|kind| !kind.is_internal()),
        };
        if !is_known {
            let known: Vec<&str> = EventType::names().collect();
            let detail = format!(
                "there is no event type `{name}`{}",
                question(name, known.iter().copied())
            );
            let next = format!("{} Or a family like call.*, or *.", one_of(&known));
            item.report(Code::UnknownEventType, detail, next);
        } else if !types.iter().any(|known| known == name) {
            types.push(name.to_owned());
        }
    }
    types
}

fn read_steps(part: &Part<'_>) -> Option<Vec<Step>> {
    let items = part.items()?;
    if items.is_empty() || items.len() > MOST_STEPS {
        let detail = format!("an automation has 1 to {MOST_STEPS} steps, not {}", items.len());
        part.report(
            Code::WrongValue,
            detail,
            "Write what is to be done, or split it into several automations.",
        );
        return None;
    }
    let mut before = Before::new();
    let mut steps = Vec::with_capacity(items.len());
    for item in &items {
        steps.push(read_step(item, &mut before));
    }
    steps.into_iter().collect()
}

fn read_step(part: &Part<'_>, before: &mut Before) -> Option<Step> {
    if !part.is_object() {
        return None;
    }
    part.only(&[&["name", "when"], &WORDS[..]].concat());
    let words: Vec<&str> = WORDS.into_iter().filter(|word| part.member(word).is_some()).collect();
    let &[word] = &words[..] else {
        let detail = match words.is_empty() {
            true => "the step does nothing".to_owned(),
            false => format!("the step does {} things at once: {}", words.len(), words.join(", ")),
        };
        part.report(
            Code::WrongValue,
            detail,
            format!("Give each step exactly one of {}.", WORDS.join(", ")),
        );
        return None;
    };
    let condition = part.member("when").map(|when| read_when(&when, before));
    let action = part.member(word).and_then(|action| act::read(word, &action, before));
    let name = match part.member("name") {
        Some(name) => read_step_name(&name, before),
        None => Some(free_name(word, before)),
    };
    if let Some(name) = &name {
        before.push((name.clone(), act::brings(word)));
    }
    Some(Step {
        name: name?.into(),
        condition: match condition {
            Some(condition) => Some(condition?),
            None => None,
        },
        action: action?,
    })
}

fn read_when(part: &Part<'_>, before: &Before) -> Option<Condition> {
    let condition = part.condition()?;
    part.check_steps(condition.paths(), before);
    Some(condition)
}

/// A name that can stand in a path without quotes.
fn read_step_name(part: &Part<'_>, before: &Before) -> Option<String> {
    let name = part.text()?;
    let mut chars = name.chars();
    let begins = chars.next().is_some_and(|first| first.is_alphabetic() || first == '_');
    if !begins || !chars.all(|c| c.is_alphanumeric() || c == '_') || name.chars().count() > 60 {
        part.report(
            Code::WrongValue,
            "the name of a step has letters, digits and `_` only, and begins with a letter",
            "Write a short name, for example person.",
        );
        return None;
    }
    if before.iter().any(|(known, _)| known == name) {
        part.report(
            Code::WrongValue,
            format!("there is another step `{name}`"),
            "Give each step its own name.",
        );
        return None;
    }
    Some(name.to_owned())
}

/// The word for what the step does, with a number where that is taken.
fn free_name(word: &str, before: &Before) -> String {
    let is_free = |name: &String| before.iter().all(|(known, _)| known != name);
    let mut names = std::iter::once(word.to_owned()).chain((2..).map(|number| format!("{word}_{number}")));
    names.find(is_free).unwrap_or_default()
}
