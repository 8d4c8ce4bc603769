//! What turns the texts of a source into compiled parts, and collects everything that is wrong on the way, each with its place as a
//! JSON pointer.

use regex::Regex;
use serde_json::Value;
use switchboard_model::{
    condition::Condition,
    mapping::Mapping,
    problem::{Code, Problem},
    template::Template,
};

/// Compiles parts. One that cannot be compiled is reported and comes back as `None`.
#[derive(Debug, Default)]
pub(super) struct Checker {
    problems: Vec<Problem>,
}

impl Checker {
    /// Everything that was wrong.
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    pub fn report(&mut self, at: &str, detail: impl Into<String>, next: &str) {
        self.add(at, Code::WrongValue, detail, next);
    }

    /// Takes over what another one found, with other places.
    pub fn adopt(&mut self, other: Self, place: impl Fn(&str) -> String) {
        for mut problem in other.problems {
            let found = problem.place.take().unwrap_or_default();
            self.problems.push(problem.at(place(&found)));
        }
    }

    fn add(&mut self, at: &str, code: Code, detail: impl Into<String>, next: &str) {
        self.problems.push(Problem::new(code, detail, next).at(at));
    }

    pub fn condition(&mut self, at: &str, source: &str) -> Option<Condition> {
        Condition::parse(source)
            .map_err(|error| {
                let detail = format!("the condition cannot be read: {error}");
                self.add(at, Code::ConditionSyntax, detail, "Mend the condition; it is CEL.");
            })
            .ok()
    }

    pub fn optional_condition(&mut self, at: &str, source: Option<&String>) -> Option<Condition> {
        source.and_then(|source| self.condition(at, source))
    }

    pub fn template(&mut self, at: &str, source: &str) -> Option<Template> {
        Template::parse(source)
            .map_err(|error| {
                let next = "Mend the template; the filters are listed in the configuration reference.";
                self.add(at, Code::TemplateSyntax, error.to_string(), next);
            })
            .ok()
    }

    pub fn mapping(&mut self, at: &str, tree: &Value) -> Option<Mapping> {
        match Mapping::compile(tree) {
            Ok(mapping) => Some(mapping),
            Err(errors) => {
                for error in errors {
                    let next = "Mend the template; the filters are listed in the configuration reference.";
                    let at = format!("{at}{}", error.pointer);
                    self.add(&at, Code::TemplateSyntax, error.error.to_string(), next);
                }
                None
            }
        }
    }

    pub fn regex(&mut self, at: &str, source: &str) -> Option<Regex> {
        Regex::new(&format!("^(?:{source})$"))
            .map_err(|error| {
                self.report(at, format!("`{source}` is no regular expression: {error}"), "Mend it.");
            })
            .ok()
    }

    /// Whether a text is a JSON pointer (RFC 6901).
    pub fn pointer(&mut self, at: &str, source: &str) -> bool {
        let valid = source.is_empty() || source.starts_with('/');
        if !valid {
            let detail = format!("`{source}` is no JSON pointer");
            self.report(
                at,
                detail,
                "A JSON pointer begins with a slash: /payload/id (RFC 6901).",
            );
        }
        valid
    }
}
