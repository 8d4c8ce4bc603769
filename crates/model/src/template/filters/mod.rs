//! The filters. One list; the parser's checks, the suggestions and the documentation derive from it.

mod currency;
mod digest;
mod document;
mod html;
mod list;
mod number;
mod people;
mod text;
mod time;
mod value;

use std::borrow::Cow;

use serde_json::Value;

use super::{
    expression::{Call, Operand},
    kind::Kind,
    scope::Scope,
    text::{as_text, to_text},
};

/// Filters make no longer lists than this.
const MOST_ITEMS: usize = 10_000;

/// What a filter answers: a value, nothing, or why it cannot.
type Outcome = Result<Option<Value>, String>;

/// What a filter does.
type Apply = fn(Option<Value>, &Arguments<'_, '_>) -> Outcome;

/// One filter.
pub(super) struct Filter {
    pub name: &'static str,
    /// Fewest and most positional arguments.
    arity: (usize, usize),
    pub named: &'static [&'static str],
    /// Whether it is asked about absent values too.
    pub takes_absent: bool,
    /// What kind of value it makes.
    pub gives: Kind,
    /// One line for the documentation.
    doc: &'static str,
    /// Looks at literal arguments when the template is saved.
    check: fn(&Literals<'_>) -> Result<(), String>,
    pub apply: Apply,
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Filter {
    const fn new(name: &'static str, arity: (usize, usize), doc: &'static str, apply: Apply) -> Self {
        Self {
            name,
            arity,
            named: &[],
            takes_absent: false,
            gives: Kind::Any,
            doc,
            check: |_| Ok(()),
            apply,
        }
    }

    const fn named(self, named: &'static [&'static str]) -> Self {
        Self { named, ..self }
    }

    const fn gives(self, gives: Kind) -> Self {
        Self { gives, ..self }
    }

    const fn of_absent(self) -> Self {
        Self {
            takes_absent: true,
            ..self
        }
    }

    const fn checked(self, check: fn(&Literals<'_>) -> Result<(), String>) -> Self {
        Self { check, ..self }
    }

    /// Whether the arguments of a call can be right.
    pub(super) fn check(&self, call: &Call) -> Result<(), String> {
        let (fewest, most) = self.arity;
        let given = call.positional.len();
        if given < fewest || given > most {
            let wanted = match (fewest, most) {
                (0, 0) => "no argument".to_owned(),
                (a, b) if a == b => format!("{a} argument{}", if a == 1 { "" } else { "s" }),
                (a, b) => format!("{a} to {b} arguments"),
            };
            return Err(format!("filter `{}` takes {wanted}, not {given}", self.name));
        }
        (self.check)(&Literals(call)).map_err(|message| format!("filter `{}`: {message}", self.name))
    }
}

/// The arguments of a call that are known when the template is saved.
struct Literals<'c>(&'c Call);

impl Literals<'_> {
    fn at(&self, at: usize) -> Option<&Value> {
        self.0.positional.get(at).and_then(literal)
    }

    fn named(&self, name: &str) -> Option<&Value> {
        self.0
            .named
            .iter()
            .find(|(known, _)| *known == name)
            .and_then(|(_, operand)| literal(operand))
    }

    /// The argument must be a whole number of `least` or more.
    fn whole(&self, at: usize, least: i64) -> Result<(), String> {
        match self.at(at) {
            Some(value) if number::whole(value).is_none_or(|number| number < least) => {
                Err(format!("{value} is no whole number of {least} or more"))
            }
            _ => Ok(()),
        }
    }
}

fn literal(operand: &Operand) -> Option<&Value> {
    match operand {
        Operand::Literal(value) => Some(value),
        Operand::Path(_) => None,
    }
}

/// The arguments of one call.
pub(super) struct Arguments<'a, 's> {
    pub positional: Vec<Option<Cow<'a, Value>>>,
    pub named: Vec<(&'static str, Option<Cow<'a, Value>>)>,
    pub scope: &'a Scope<'s>,
}

impl Arguments<'_, '_> {
    fn get(&self, at: usize) -> Option<&Value> {
        self.positional.get(at)?.as_deref()
    }

    /// The argument as text; empty when it is absent.
    fn text(&self, at: usize) -> Cow<'_, str> {
        self.get(at).map(as_text).unwrap_or_default()
    }

    /// The argument as text, `otherwise` when none was written.
    fn text_or<'t>(&'t self, at: usize, otherwise: &'t str) -> Cow<'t, str> {
        if self.positional.len() > at {
            self.text(at)
        } else {
            Cow::Borrowed(otherwise)
        }
    }

    /// The argument as a count, `otherwise` when it is absent; negative numbers count as 0.
    fn count(&self, at: usize, otherwise: usize) -> Result<usize, String> {
        match self.get(at) {
            None => Ok(otherwise),
            Some(value) => number::whole(value)
                .map(|number| usize::try_from(number).unwrap_or(0))
                .ok_or_else(|| format!("`{}` is no whole number", excerpt(value))),
        }
    }

    fn named(&self, name: &str) -> Option<&Value> {
        self.named
            .iter()
            .find(|(known, _)| *known == name)
            .and_then(|(_, value)| value.as_deref())
    }

    /// Whether the argument was written, be its value absent.
    fn has_named(&self, name: &str) -> bool {
        self.named.iter().any(|(known, _)| *known == name)
    }

    /// For filters whose result can be far longer than what they get: whether so many bytes are allowed, asked
    /// beforehand.
    fn has_room_for(&self, bytes: usize) -> Result<(), String> {
        self.scope.check_size(bytes).map_err(|error| error.to_string())
    }
}

/// Lists that are too long are refused before they are made.
fn has_room_for_items(count: usize) -> Result<(), String> {
    if count > MOST_ITEMS {
        Err(format!("the list would have more than {MOST_ITEMS} items"))
    } else {
        Ok(())
    }
}

/// The first characters of a value for a message.
fn excerpt(value: &Value) -> String {
    as_text(value).chars().take(40).collect()
}

fn groups() -> [&'static [Filter]; 9] {
    [
        value::FILTERS,
        text::FILTERS,
        number::FILTERS,
        currency::FILTERS,
        list::FILTERS,
        time::FILTERS,
        people::FILTERS,
        document::FILTERS,
        digest::FILTERS,
    ]
}

/// The filter with this name.
pub(super) fn find(name: &str) -> Option<&'static Filter> {
    groups().into_iter().flatten().find(|filter| filter.name == name)
}

/// Every name.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    groups().into_iter().flatten().map(|filter| filter.name)
}

/// What the documentation says about a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilterDoc {
    /// Its name.
    pub name: &'static str,
    /// One line.
    pub doc: &'static str,
}

/// Every filter, grouped by theme.
pub fn filter_docs() -> impl Iterator<Item = FilterDoc> {
    groups().into_iter().flatten().map(|filter| FilterDoc {
        name: filter.name,
        doc: filter.doc,
    })
}

/// For filters that turn text into text.
fn on_text(input: Option<Value>, change: impl FnOnce(String) -> String) -> Outcome {
    let text = match input {
        None => return Ok(None),
        Some(Value::String(text)) => text,
        Some(other) => to_text(&other),
    };
    Ok(Some(Value::String(change(text))))
}
