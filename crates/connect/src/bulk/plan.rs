//! How several records go in one request, compiled.

use std::collections::HashMap;

use serde_json::Value;
use serde_json_path::JsonPath;
use switchboard_model::template::{Scope, Template};

use crate::{
    compile::{Compiler, child},
    manifest::{Absent, BulkAnswerSpec, BulkListSpec, BulkSpec, OperationKind, RequestSpec},
    operation::{Success, optional},
    reading::{Source, When, text_of},
    request::Request,
    rule::Rule,
    tree::{JSON_TEXT, Tree},
};

/// Where a request takes the items.
const ITEMS: &str = "{{ items }}";

/// A compiled bulk call; see [`BulkSpec`].
#[derive(Debug)]
pub(crate) struct BulkPlan {
    most_items: MostItems,
    pub most_bytes: usize,
    pub distinct: Option<Template>,
    pub item: Tree,
    pub request: Request,
    /// JSON pointer of the items in the body; `None`: templates of the request see them as `items`.
    pub items_at: Option<String>,
    pub when: When,
    pub lists: Lists,
    pub absent: Absent,
    pub rules: Vec<Rule>,
}

#[derive(Debug)]
enum MostItems {
    Fixed(usize),
    Template(Template),
}

/// Where the results of the records are.
#[derive(Debug)]
pub(crate) enum Lists {
    /// Nowhere: success of the whole is success of each.
    None,
    /// In the order of the items.
    InOrder { each: JsonPath, result: Success },
    /// In any order, each result with the name of its record.
    Named { lists: Vec<NamedList>, result: Success },
}

/// Results that name their records.
#[derive(Debug)]
pub(crate) struct NamedList {
    pub each: JsonPath,
    pub at: Source,
    pub equals: Template,
    /// The text of `equals`: lists with the same one share an index.
    pub source: String,
    pub ignore_case: bool,
}

impl BulkPlan {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, kind: OperationKind, spec: &BulkSpec) -> Option<Self> {
        let most_items = MostItems::compile(compiler, &child(at, "most_items"), &spec.most_items);
        let distinct = optional(&spec.distinct, |source| {
            compiler.template(&child(at, "distinct"), source)
        });
        let inserts = (&*child(at, "insert"), &*spec.insert);
        let item = Tree::compile(compiler, (&child(at, "item"), &spec.item), inserts);
        let (request, items_at) = without_items(&spec.request);
        let request = Request::compile(compiler, &child(at, "request"), &request);
        let answer = child(at, "answer");
        let when = When::compile(compiler, &child(&answer, "when"), &spec.answer.when);
        if spec.result.as_ref().is_some_and(|result| result.newest_first) {
            let at = child(&child(at, "result"), "newest_first");
            compiler.report(&at, "a `bulk` reads no further pages", "Leave it out.");
        }
        let result = optional(&spec.result, |result| {
            Success::compile(compiler, &child(at, "result"), kind, result)
        });
        let lists = Lists::compile(compiler, &answer, &spec.answer, result?);
        let rules = compiler.list(&child(at, "classify"), &spec.classify, Rule::compile);
        let silence = if kind.is_read() {
            Absent::Missing
        } else {
            Absent::Unknown
        };
        Some(Self {
            most_items: most_items?,
            most_bytes: spec.most_bytes,
            distinct: distinct?,
            item: item?,
            request: request?,
            items_at,
            when: when?,
            lists: lists?,
            absent: spec.answer.absent.unwrap_or(silence),
            rules,
        })
    }

    /// The most records of one request on an account; at least 1.
    pub fn most_items(&self, scope: &Scope<'_>) -> usize {
        let most = match &self.most_items {
            MostItems::Fixed(most) => Some(*most),
            MostItems::Template(template) => template
                .render(scope)
                .ok()
                .flatten()
                .as_ref()
                .and_then(text_of)
                .and_then(|text| text.trim().parse().ok()),
        };
        most.unwrap_or(1).max(1)
    }
}

impl MostItems {
    fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &Value) -> Option<Self> {
        match spec {
            Value::String(source) => compiler.template(at, source).map(Self::Template),
            other => {
                let most = other.as_u64().and_then(|most| usize::try_from(most).ok());
                if most.is_none() {
                    compiler.report(
                        at,
                        "this is no number of records",
                        "Write a number, or a template of one.",
                    );
                }
                most.map(Self::Fixed)
            }
        }
    }
}

impl Lists {
    fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &BulkAnswerSpec, result: Option<Success>) -> Option<Self> {
        let lists_at = child(at, "lists");
        match (&*spec.lists, result) {
            ([], None) => Some(Self::None),
            ([], Some(_)) | ([_, ..], None) => {
                let next = "Say in `result` what proves success of one record, and in `lists` where that is read.";
                compiler.report(at, "`lists` and `result` belong together", next);
                None
            }
            (
                [
                    BulkListSpec {
                        each,
                        at: None,
                        equals: None,
                        ..
                    },
                ],
                Some(result),
            ) => {
                let each = compiler.json_path(&format!("{lists_at}/0/each"), each)?;
                Some(Self::InOrder { each, result })
            }
            (specs, Some(result)) => {
                let lists = compiler.list(&lists_at, specs, NamedList::compile);
                (lists.len() == specs.len()).then_some(Self::Named { lists, result })
            }
        }
    }
}

impl NamedList {
    fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &BulkListSpec) -> Option<Self> {
        let each = compiler.json_path(&child(at, "each"), &spec.each);
        let (Some(place), Some(source)) = (&spec.at, &spec.equals) else {
            let next = "Write both `at` and `equals`. Results in the order of the items are in one list alone.";
            compiler.report(at, "nobody knows which records these results are about", next);
            return None;
        };
        let place = Source::compile(compiler, &child(at, "at"), place);
        let equals = compiler.template(&child(at, "equals"), source);
        Some(Self {
            each: each?,
            at: place?,
            equals: equals?,
            source: source.clone(),
            ignore_case: spec.ignore_case,
        })
    }

    /// A name as names are compared in this list.
    pub fn name(&self, text: String) -> String {
        if self.ignore_case { text.to_lowercase() } else { text }
    }

    /// The positions of the records by name. `scopes` are those of the records, in their order.
    pub fn index<'s>(&self, scopes: impl Iterator<Item = Scope<'s>>) -> HashMap<String, Vec<usize>> {
        let mut index: HashMap<String, Vec<usize>> = HashMap::with_capacity(scopes.size_hint().0);
        for (at, scope) in scopes.enumerate() {
            let name = self.equals.render_text(&scope).unwrap_or_default();
            if !name.is_empty() {
                index.entry(self.name(name)).or_default().push(at);
            }
        }
        index
    }
}

/// The request without the place of the items in its body, and that place.
fn without_items(spec: &RequestSpec) -> (RequestSpec, Option<String>) {
    let mut spec = spec.clone();
    let at = spec.body.as_mut().and_then(|body| take_items(body, String::new()));
    (spec, at)
}

/// Only whole values are taken out: the items are put there later without being copied.
fn take_items(tree: &mut Value, at: String) -> Option<String> {
    match tree {
        Value::String(text) if text.trim() == ITEMS => {
            *tree = Value::Null;
            Some(at)
        }
        Value::Object(members) => members
            .iter_mut()
            .filter(|(name, _)| *name != JSON_TEXT)
            .find_map(|(name, member)| take_items(member, child(&at, name))),
        Value::Array(items) => {
            let mut each = items.iter_mut().enumerate();
            each.find_map(|(index, item)| take_items(item, format!("{at}/{index}")))
        }
        _ => None,
    }
}
