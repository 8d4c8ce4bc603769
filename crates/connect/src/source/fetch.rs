//! Thin callbacks: what they are completed with. The address is built from the source's own base address and from ids alone, each of
//! which has to have the form that the source says; an address that a callback brings is never called.

use indexmap::IndexMap;
use regex::Regex;
use serde_json::{Map, Value};
use switchboard_model::{
    condition::Condition,
    problem::{Code, Problem},
    template::Template,
};

use super::{
    checker::Checker,
    make::holds,
    shape::{FetchSpec, Missing},
    view::{Surroundings, View},
};
use crate::interpolation::{Escape, Interpolation};

/// A compiled way to complete a callback.
#[derive(Debug)]
pub(super) struct Fetch {
    when: Option<Condition>,
    base: Base,
    headers: Vec<(String, Template)>,
    ids: IndexMap<String, (Template, Regex)>,
    path: Interpolation,
    missing: Missing,
}

#[derive(Debug)]
enum Base {
    /// The name of the setting that holds the key of a connection.
    Connection(String),
    Literal(String),
}

/// A call that completes a callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchCall {
    /// Whose address and credentials are used; `None`: `address` is whole, and the headers carry the credentials.
    pub connection: Option<String>,
    /// The whole address, or what comes behind that of the connection.
    pub address: String,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// What a thing means that is not there.
    pub missing: Missing,
}

impl Fetch {
    pub fn compile(checker: &mut Checker, at: &str, spec: &FetchSpec) -> Option<Self> {
        let when = checker.optional_condition(&format!("{at}/when"), spec.when.as_ref());
        let base = match (&spec.connection, &spec.base_url) {
            (Some(setting), None) => Base::Connection(setting.clone()),
            (None, Some(url)) if is_plain(url) => Base::Literal(url.trim_end_matches('/').to_owned()),
            (None, Some(_)) => {
                let next = "Write an address as it is, beginning with https:// (http:// in a network of your own).";
                checker.report(&format!("{at}/base_url"), "this cannot be the base of an address", next);
                return None;
            }
            _ => {
                checker.report(
                    at,
                    "it is not said who is asked",
                    "Name exactly one of `connection` and `base_url`.",
                );
                return None;
            }
        };
        let mut headers = Vec::new();
        for (name, source) in &spec.headers {
            let template = checker.template(&format!("{at}/headers/{name}"), source);
            headers.extend(template.map(|template| (name.clone(), template)));
        }
        let mut ids = IndexMap::new();
        for (name, id) in &spec.ids {
            let at = format!("{at}/ids/{name}");
            let from = checker.template(&format!("{at}/from"), &id.from);
            let pattern = checker.regex(&format!("{at}/pattern"), &id.pattern);
            if pattern.as_ref().is_some_and(|pattern| pattern.captures_len() != 2) {
                checker.report(
                    &format!("{at}/pattern"),
                    "the expression has not one group",
                    "Put the id into ( ).",
                );
            }
            if let (Some(from), Some(pattern)) = (from, pattern) {
                ids.insert(name.clone(), (from, pattern));
            }
        }
        let path = match Interpolation::parse(&spec.path, Escape::Segment) {
            Ok(path) => path,
            Err((_, error)) => {
                checker.report(&format!("{at}/path"), error.to_string(), "Mend the template.");
                return None;
            }
        };
        Some(Self {
            when,
            base,
            headers,
            ids,
            path,
            missing: spec.missing,
        })
    }

    /// Whether an item is completed with this.
    pub fn applies(&self, slug: &str, view: &View, around: Surroundings<'_>) -> Result<bool, Problem> {
        holds(self.when.as_ref(), slug, &view.scope(around))
    }

    /// The call for an item.
    ///
    /// # Errors
    /// When an id does not have the form that it must have, or the connection is not named.
    pub fn call(
        &self,
        view: &View,
        around: Surroundings<'_>,
        settings: &Map<String, Value>,
        secrets: &Map<String, Value>,
    ) -> Result<FetchCall, Problem> {
        let mut ids = Map::new();
        for (name, (from, pattern)) in &self.ids {
            let text = from.render_text(&view.scope(around)).unwrap_or_default();
            let found = pattern.captures(&text).and_then(|groups| groups.get(1));
            let id = found.ok_or_else(|| {
                let detail = format!("the callback names no usable `{name}`: `{}`", shortened(&text));
                Problem::new(
                    Code::MappingFailed,
                    detail,
                    "Look at the raw callback: it does not have the form that the pusher's have.",
                )
            })?;
            ids.insert(name.clone(), id.as_str().into());
        }
        let of_path = View::of([
            ("ids", Value::Object(ids)),
            ("settings", Value::Object(settings.clone())),
        ]);
        let path = self.path.fill(&of_path.scope(around)).map_err(|error| {
            let next = "Mend the settings of the source, and process the callback anew.";
            Problem::new(
                Code::MappingFailed,
                format!("the address cannot be made: {error}"),
                next,
            )
        })?;
        let of_headers = View::of([
            ("secrets", Value::Object(secrets.clone())),
            ("settings", Value::Object(settings.clone())),
        ]);
        let headers = self.headers.iter().map(|(name, template)| {
            let value = template.render_text(&of_headers.scope(around)).unwrap_or_default();
            (name.clone(), value)
        });
        let headers = headers.collect();
        let (connection, address) = match &self.base {
            Base::Literal(base) => (None, format!("{base}{path}")),
            Base::Connection(setting) => {
                let key = settings
                    .get(setting)
                    .and_then(Value::as_str)
                    .filter(|key| !key.is_empty());
                let key = key.ok_or_else(|| {
                    let detail = format!("the setting `{setting}` of the source names no connection");
                    let next = "Name the connection whose credentials are used, and process the callback anew.";
                    Problem::new(Code::ConnectionIncomplete, detail, next)
                })?;
                (Some(key.to_owned()), path)
            }
        };
        Ok(FetchCall {
            connection,
            address,
            headers,
            missing: self.missing,
        })
    }
}

/// An address that nothing is put into.
fn is_plain(url: &str) -> bool {
    let scheme = ["https://", "http://"]
        .into_iter()
        .any(|scheme| url.starts_with(scheme));
    scheme && !url.contains("{{")
}

fn shortened(text: &str) -> String {
    text.chars().take(120).collect()
}
