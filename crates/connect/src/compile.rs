//! What turns the texts of a manifest into compiled parts, and collects everything that is wrong on the way.

use http::{HeaderName, Method};
use indexmap::IndexMap;
use regex::Regex;
use serde_json::Value;
use serde_json_path::JsonPath;
use switchboard_model::{
    mapping::Mapping,
    problem::{Code, Problem},
    template::Template,
};

use crate::{
    document::Document,
    interpolation::{Escape, Interpolation},
};

/// Compiles the parts of one document. A part that cannot be compiled is reported and comes back as `None`.
#[derive(Debug)]
pub(crate) struct Compiler<'d> {
    document: &'d Document,
    problems: Vec<Problem>,
}

impl<'d> Compiler<'d> {
    pub fn new(document: &'d Document) -> Self {
        Self {
            document,
            problems: Vec::new(),
        }
    }

    /// Everything that was wrong.
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Reports something that is wrong at a JSON pointer.
    pub fn report(&mut self, at: &str, detail: impl Into<String>, next: &str) {
        self.problems
            .push(self.document.problem(Code::ManifestInvalid, at, detail, next));
    }

    /// Whether the text at a JSON pointer has this word.
    pub fn mentions(&self, at: &str, word: &str) -> bool {
        let part = self.document.value().pointer(at);
        part.is_some_and(|part| part.to_string().contains(word))
    }

    pub fn template(&mut self, at: &str, source: &str) -> Option<Template> {
        Template::parse(source)
            .map_err(|error| self.template_problem(at, 0, &error))
            .ok()
    }

    pub fn optional_template(&mut self, at: &str, source: Option<&String>) -> Option<Template> {
        source.and_then(|source| self.template(at, source))
    }

    /// A template that says whether a path has a value.
    pub fn path(&mut self, at: &str, path: &str) -> Option<Template> {
        self.template(at, &format!("{{{{ {path} }}}}"))
    }

    pub fn paths(&mut self, at: &str, paths: &[String]) -> Vec<Template> {
        let each = paths.iter().enumerate();
        each.filter_map(|(index, path)| self.path(&format!("{at}/{index}"), path))
            .collect()
    }

    pub fn interpolation(&mut self, at: &str, source: &str, escape: Escape) -> Option<Interpolation> {
        Interpolation::parse(source, escape)
            .map_err(|(start, error)| self.template_problem(at, start, &error))
            .ok()
    }

    fn template_problem(&mut self, at: &str, start: usize, error: &switchboard_model::template::TemplateError) {
        let place = self.document.place_inside(at, start + error.offset);
        self.problems
            .push(Problem::new(Code::ManifestInvalid, error.to_string(), "Mend the template.").at(place));
    }

    pub fn mapping(&mut self, at: &str, tree: &Value) -> Option<Mapping> {
        let errors = Mapping::compile(tree).err();
        for error in errors.into_iter().flatten() {
            self.report(
                &format!("{at}{}", error.pointer),
                error.error.to_string(),
                "Mend the template.",
            );
        }
        Mapping::compile(tree).ok()
    }

    pub fn json_path(&mut self, at: &str, source: &str) -> Option<JsonPath> {
        JsonPath::parse(source)
            .map_err(|error| self.report(at, format!("`{source}` is no JSONPath: {error}"), "See RFC 9535."))
            .ok()
    }

    pub fn regex(&mut self, at: &str, source: &str) -> Option<Regex> {
        Regex::new(source)
            .map_err(|error| self.report(at, format!("`{source}` is no regular expression: {error}"), "Mend it."))
            .ok()
    }

    pub fn header(&mut self, at: &str, name: &str) -> Option<HeaderName> {
        HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| {
                self.report(
                    at,
                    format!("`{name}` is no name of a header"),
                    "See RFC 9110, section 5.1.",
                );
            })
            .ok()
    }

    pub fn method(&mut self, at: &str, name: &str) -> Option<Method> {
        match name {
            "GET" => Some(Method::GET),
            "POST" => Some(Method::POST),
            "PUT" => Some(Method::PUT),
            "PATCH" => Some(Method::PATCH),
            "DELETE" => Some(Method::DELETE),
            other => {
                self.report(
                    at,
                    format!("`{other}` is no known method"),
                    "Use GET, POST, PUT, PATCH or DELETE.",
                );
                None
            }
        }
    }

    /// Compiles each entry of a table, whose keys become parts of the JSON pointer.
    pub fn table<T, U>(
        &mut self,
        at: &str,
        table: &IndexMap<String, T>,
        mut one: impl FnMut(&mut Self, &str, &T) -> Option<U>,
    ) -> IndexMap<String, U> {
        let mut compiled = IndexMap::with_capacity(table.len());
        for (key, item) in table {
            if let Some(item) = one(self, &child(at, key), item) {
                compiled.insert(key.clone(), item);
            }
        }
        compiled
    }

    /// Compiles each item of a list.
    pub fn list<T, U>(
        &mut self,
        at: &str,
        items: &[T],
        mut one: impl FnMut(&mut Self, &str, &T) -> Option<U>,
    ) -> Vec<U> {
        let each = items.iter().enumerate();
        each.filter_map(|(index, item)| one(self, &format!("{at}/{index}"), item))
            .collect()
    }
}

/// The JSON pointer of a member.
pub(crate) fn child(at: &str, key: &str) -> String {
    format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"))
}
