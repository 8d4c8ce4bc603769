//! The filters. One list; the parser's checks, the suggestions and the documentation derive from it.

mod digest;
mod document;
mod list;
mod number;
mod people;
mod text;
mod time;
mod value;

use serde_json::Value;

use super::{expression::Operand, scope::Scope, text::to_text};

/// What a filter answers: a value, nothing, or why it cannot.
type Outcome = Result<Option<Value>, String>;

/// One filter.
pub(super) struct Filter {
    pub name: &'static str,
    /// Fewest and most positional arguments.
    arity: (usize, usize),
    pub named: &'static [&'static str],
    /// Whether it is asked about absent values too.
    pub takes_absent: bool,
    /// One line for the documentation.
    doc: &'static str,
    /// Looks at literal arguments when the template is saved.
    check: fn(&[&Value]) -> Result<(), String>,
    pub apply: fn(Option<Value>, &Arguments<'_, '_>) -> Outcome,
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Filter {
    const fn new(
        name: &'static str,
        arity: (usize, usize),
        doc: &'static str,
        apply: fn(Option<Value>, &Arguments<'_, '_>) -> Outcome,
    ) -> Self {
        Self {
            name,
            arity,
            named: &[],
            takes_absent: false,
            doc,
            check: |_| Ok(()),
            apply,
        }
    }

    const fn named(self, named: &'static [&'static str]) -> Self {
        Self { named, ..self }
    }

    const fn of_absent(self) -> Self {
        Self {
            takes_absent: true,
            ..self
        }
    }

    const fn checked(self, check: fn(&[&Value]) -> Result<(), String>) -> Self {
        Self { check, ..self }
    }

    /// Whether these arguments can be right.
    pub(super) fn check(&self, positional: &[Operand]) -> Result<(), String> {
        let (fewest, most) = self.arity;
        let given = positional.len();
        if given < fewest || given > most {
            let wanted = match (fewest, most) {
                (0, 0) => "no argument".to_owned(),
                (a, b) if a == b => format!("{a} argument{}", if a == 1 { "" } else { "s" }),
                (a, b) => format!("{a} to {b} arguments"),
            };
            return Err(format!("filter `{}` takes {wanted}, not {given}", self.name));
        }
        let literals: Vec<&Value> = positional
            .iter()
            .map_while(|operand| match operand {
                Operand::Literal(value) => Some(value),
                Operand::Path(_) => None,
            })
            .collect();
        (self.check)(&literals).map_err(|message| format!("filter `{}`: {message}", self.name))
    }
}

/// The arguments of one call.
pub(super) struct Arguments<'a, 's> {
    pub positional: Vec<Option<Value>>,
    pub named: Vec<(&'static str, Option<Value>)>,
    pub scope: &'a Scope<'s>,
}

impl Arguments<'_, '_> {
    fn get(&self, at: usize) -> Option<&Value> {
        self.positional.get(at)?.as_ref()
    }

    fn text(&self, at: usize) -> String {
        self.get(at).map(to_text).unwrap_or_default()
    }

    fn count(&self, at: usize, otherwise: usize) -> Result<usize, String> {
        match self.get(at) {
            None => Ok(otherwise),
            Some(value) => number::whole(value)
                .map(|number| usize::try_from(number).unwrap_or(0))
                .ok_or_else(|| format!("`{}` is no whole number", to_text(value))),
        }
    }

    fn named(&self, name: &str) -> Option<&Value> {
        self.named
            .iter()
            .find(|(known, _)| *known == name)
            .and_then(|(_, value)| value.as_ref())
    }
}

fn groups() -> [&'static [Filter]; 8] {
    [
        value::FILTERS,
        text::FILTERS,
        number::FILTERS,
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

/// The literal at `at` must be a whole number that is not negative.
fn whole_at(literals: &[&Value], at: usize) -> Result<(), String> {
    match literals.get(at) {
        Some(value) if number::whole(value).is_none_or(|number| number < 0) => {
            Err(format!("{value} is no whole number of 0 or more"))
        }
        _ => Ok(()),
    }
}
