//! Where something is read in an answer, and what an answer must look like.

use std::{borrow::Cow, ops::RangeInclusive};

use http::HeaderName;
use regex::Regex;
use serde_json::Value;
use serde_json_path::JsonPath;
use switchboard_model::template::{Scope, Template};

use crate::{
    call::Answer,
    compile::{Compiler, child},
    manifest::{OneOrMany, SourceDetail, SourceSpec, StatusSpec, WhenSpec},
};

/// Regular expressions look at no more of a text than this.
const LONGEST_TEXT: usize = 64 * 1024;

/// A place in an answer.
#[derive(Debug)]
enum Place {
    Pointer(String),
    Path(JsonPath),
    Header(HeaderName),
    Text,
}

/// A place and what is taken there; see [`SourceSpec`].
#[derive(Debug)]
pub(crate) struct Source {
    among_items: Option<Items>,
    place: Place,
    regex: Option<Regex>,
    among: Option<Vec<Value>>,
    equals: Option<Template>,
}

/// Items in which a place is looked for.
#[derive(Debug)]
struct Items {
    each: JsonPath,
    conditions: Vec<Source>,
}

impl Items {
    fn compile(compiler: &mut Compiler<'_>, at: &str, detail: &SourceDetail) -> Option<Option<Self>> {
        let Some(each) = &detail.each else {
            if !detail.conditions.is_empty() {
                compiler.report(at, "`where` belongs to `each`", "Say in `each` which items are meant.");
            }
            return Some(None);
        };
        let each = compiler.json_path(&child(at, "each"), each);
        let conditions = compiler.list(&child(at, "where"), &detail.conditions, Source::compile);
        let whole = conditions.len() == detail.conditions.len();
        each.filter(|_| whole).map(|each| Some(Self { each, conditions }))
    }

    fn of<'j>(&self, json: &'j Value, scope: &Scope<'_>) -> Vec<&'j Value> {
        let holds = |item: &&Value| {
            self.conditions
                .iter()
                .all(|condition| condition.first_in(item, scope).is_some())
        };
        self.each.query(json).all().into_iter().filter(holds).collect()
    }
}

impl Source {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &SourceSpec) -> Option<Self> {
        match spec {
            SourceSpec::Place(place) => {
                let place = Place::compile(compiler, at, place)?;
                Some(Self {
                    among_items: None,
                    place,
                    regex: None,
                    among: None,
                    equals: None,
                })
            }
            SourceSpec::Detail(detail) => {
                let place = Place::compile(compiler, &child(at, "at"), &detail.at);
                let regex = match &detail.regex {
                    Some(regex) => Some(compiler.regex(&child(at, "regex"), regex)?),
                    None => None,
                };
                let equals = match &detail.equals {
                    Some(equals) => Some(compiler.template(&child(at, "equals"), equals)?),
                    None => None,
                };
                Some(Self {
                    among_items: Items::compile(compiler, at, detail)?,
                    place: place?,
                    regex,
                    among: detail.is.clone(),
                    equals,
                })
            }
        }
    }

    /// All of a list that is written as one or many.
    pub fn compile_each(compiler: &mut Compiler<'_>, at: &str, specs: &OneOrMany<SourceSpec>) -> Vec<Self> {
        specs
            .each()
            .filter_map(|(end, spec)| Self::compile(compiler, &format!("{at}{end}"), spec))
            .collect()
    }

    /// The first value that meets every demand.
    pub fn first(&self, answer: &Answer, scope: &Scope<'_>) -> Option<Value> {
        match &self.place {
            Place::Header(name) => self.take(&Value::from(answer.header(name.as_str())?), scope),
            Place::Text => self.take(&Value::from(clip(&answer.text())), scope),
            Place::Pointer(_) | Place::Path(_) => self.first_in(answer.json()?, scope),
        }
    }

    /// The same within one JSON value; headers and the whole text have none there.
    pub fn first_in(&self, json: &Value, scope: &Scope<'_>) -> Option<Value> {
        self.each_in(json, scope)
            .into_iter()
            .find_map(|node| self.take(node, scope))
    }

    /// Every value that meets the demands, in the order of the answer.
    pub fn each(&self, answer: &Answer, scope: &Scope<'_>) -> Vec<Value> {
        match &self.place {
            Place::Header(_) | Place::Text => self.first(answer, scope).into_iter().collect(),
            Place::Pointer(_) | Place::Path(_) => {
                let nodes = answer.json().map(|json| self.each_in(json, scope)).unwrap_or_default();
                nodes.into_iter().filter_map(|node| self.take(node, scope)).collect()
            }
        }
    }

    /// The text of every value within one JSON value that meets the demands.
    pub fn texts_in(&self, json: &Value, scope: &Scope<'_>) -> Vec<String> {
        let taken = self
            .each_in(json, scope)
            .into_iter()
            .filter_map(|node| self.take(node, scope));
        taken.filter_map(|value| text_of(&value).map(Cow::into_owned)).collect()
    }

    fn each_in<'j>(&self, json: &'j Value, scope: &Scope<'_>) -> Vec<&'j Value> {
        match &self.among_items {
            None => self.place.each_in(json),
            Some(items) => {
                let items = items.of(json, scope).into_iter();
                items.flat_map(|item| self.place.each_in(item)).collect()
            }
        }
    }

    fn take(&self, node: &Value, scope: &Scope<'_>) -> Option<Value> {
        if node.is_null() {
            return None;
        }
        let taken = match &self.regex {
            None => Cow::Borrowed(node),
            Some(regex) => {
                let text = text_of(node)?;
                let found = regex.captures(&text)?;
                Cow::Owned(Value::from(found.get(1).or_else(|| found.get(0))?.as_str()))
            }
        };
        let listed = self.among.as_ref().is_none_or(|among| among.contains(&taken));
        let equal = self
            .equals
            .as_ref()
            .is_none_or(|equals| equals_text(equals, &taken, scope));
        (listed && equal).then(|| taken.into_owned())
    }
}

impl Place {
    fn each_in<'j>(&self, json: &'j Value) -> Vec<&'j Value> {
        match self {
            Self::Pointer(pointer) => json.pointer(pointer).into_iter().collect(),
            Self::Path(path) => path.query(json).all(),
            Self::Header(_) | Self::Text => Vec::new(),
        }
    }

    fn compile(compiler: &mut Compiler<'_>, at: &str, source: &str) -> Option<Self> {
        if let Some(name) = source.strip_prefix("header:") {
            return compiler.header(at, name.trim()).map(Self::Header);
        }
        match source.chars().next() {
            Some('$') => compiler.json_path(at, source).map(Self::Path),
            Some('/') => Some(Self::Pointer(source.to_owned())),
            _ if source == "text" => Some(Self::Text),
            _ => {
                let next = "Use a JSON Pointer (/a/b), a JSONPath ($.a[*].b), header:Name or text.";
                compiler.report(at, format!("`{source}` is no place in an answer"), next);
                None
            }
        }
    }
}

fn equals_text(wanted: &Template, value: &Value, scope: &Scope<'_>) -> bool {
    let wanted = wanted.render_text(scope).unwrap_or_default();
    !wanted.is_empty() && text_of(value).is_some_and(|text| text.to_lowercase() == wanted.to_lowercase())
}

/// The text of a scalar; `None` for containers and `null`.
pub(crate) fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(flag) => Some(Cow::Owned(flag.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn clip(text: &str) -> &str {
    let end = (0..=LONGEST_TEXT.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

/// What must hold of an answer; see [`WhenSpec`].
#[derive(Debug)]
pub(crate) struct When {
    status: Vec<RangeInclusive<u16>>,
    all: Vec<Source>,
    any: Vec<Source>,
    none: Vec<Source>,
}

impl When {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &WhenSpec) -> Option<Self> {
        let status = compiler.list(&child(at, "status"), &spec.status, range);
        let all = compiler.list(&child(at, "all"), &spec.all, Source::compile);
        let any = compiler.list(&child(at, "any"), &spec.any, Source::compile);
        let none = compiler.list(&child(at, "none"), &spec.none, Source::compile);
        let whole = [(status.len(), spec.status.len()), (all.len(), spec.all.len())];
        let whole = whole
            .into_iter()
            .chain([(any.len(), spec.any.len()), (none.len(), spec.none.len())]);
        // A condition that lost a part would hold too often.
        whole
            .into_iter()
            .all(|(compiled, given)| compiled == given)
            .then_some(Self { status, all, any, none })
    }

    pub fn holds(&self, answer: &Answer, scope: &Scope<'_>) -> bool {
        let yields = |source: &Source| source.first(answer, scope).is_some();
        (self.status.is_empty() || self.status.iter().any(|range| range.contains(&answer.status)))
            && self.all.iter().all(yields)
            && (self.any.is_empty() || self.any.iter().any(yields))
            && !self.none.iter().any(yields)
    }
}

fn range(compiler: &mut Compiler<'_>, at: &str, spec: &StatusSpec) -> Option<RangeInclusive<u16>> {
    let range = match spec {
        StatusSpec::One(status) => Some(*status..=*status),
        StatusSpec::Range(text) => text.split_once('-').and_then(|(first, last)| {
            let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            (first <= last).then_some(first..=last)
        }),
    };
    if range.is_none() {
        compiler.report(
            at,
            "this is neither a status nor a range of them",
            "Write 404 or 500-599.",
        );
    }
    range
}
