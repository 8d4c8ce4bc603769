//! How several records go in one request, compiled.

use std::collections::HashMap;

use serde_json::Value;
use serde_json_path::JsonPath;
use switchboard_model::template::{Scope, Template};

use crate::{
    compile::{Compiler, child},
    manifest::{Absent, BulkAnswerSpec, BulkListSpec, BulkSpec, OperationKind, OperationSpec, RequestSpec},
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
    pub request: Request,
    /// What proves that an answer speaks about single records.
    pub when: When,
    pub content: Content,
}

/// What of the records is in the request.
#[derive(Debug)]
pub(crate) enum Content {
    /// An item of each.
    Items(Box<ItemPlan>),
    /// The whole request that each would be alone, in an envelope.
    Requests,
}

/// How records go as items of one body, and what is said about them.
#[derive(Debug)]
pub(crate) struct ItemPlan {
    pub item: Tree,
    /// JSON pointer of the items in the body; `None`: templates of the request see them as `items`.
    pub at: Option<String>,
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
    /// Compiles the bulk call at `at` of an operation.
    pub fn compile(
        compiler: &mut Compiler<'_>,
        at: &str,
        kind: OperationKind,
        (operation, spec): (&OperationSpec, &BulkSpec),
    ) -> Option<Self> {
        let most_items = MostItems::compile(compiler, &child(at, "most_items"), &spec.most_items);
        let distinct = optional(&spec.distinct, |source| {
            compiler.template(&child(at, "distinct"), source)
        });
        let (request, items_at) = without_items(&spec.request);
        let request = Request::compile(compiler, &child(at, "request"), &request);
        let when = When::compile(compiler, &child(&child(at, "answer"), "when"), &spec.answer.when);
        let content = match spec.envelope {
            None => {
                let plan = ItemPlan::compile(compiler, at, kind, spec, items_at);
                plan.map(|plan| Content::Items(Box::new(plan)))
            }
            Some(_) => check_envelope(compiler, at, operation, spec).then_some(Content::Requests),
        };
        Some(Self {
            most_items: most_items?,
            most_bytes: spec.most_bytes,
            distinct: distinct?,
            request: request?,
            when: when?,
            content: content?,
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

/// Reports what has no meaning where each record goes as a request of its own.
fn check_envelope(compiler: &mut Compiler<'_>, at: &str, operation: &OperationSpec, spec: &BulkSpec) -> bool {
    let of_items = [
        ("item", spec.item.is_some()),
        ("insert", !spec.insert.is_empty()),
        ("result", spec.result.is_some()),
        ("classify", !spec.classify.is_empty()),
        ("answer/lists", !spec.answer.lists.is_empty()),
        ("answer/absent", spec.answer.absent.is_some()),
    ];
    let mut good = true;
    for (name, _) in of_items.iter().filter(|(_, given)| *given) {
        let next = "Leave it out: requests and answers are those of the operation.";
        compiler.report(&format!("{at}/{name}"), "an `envelope` has no items", next);
        good = false;
    }
    let request = &spec.request;
    if request.body.is_some() || request.form.is_some() || !request.insert.is_empty() {
        let next = "Leave `body`, `form` and `insert` out.";
        compiler.report(
            &child(at, "request"),
            "the body of an `envelope` are the requests in it",
            next,
        );
        good = false;
    }
    if request.url.is_some() || operation.request.url.is_some() {
        let next = "Write `path` in both requests, or leave the envelope out.";
        compiler.report(
            at,
            "what is in an `envelope` goes to the place that the envelope goes to",
            next,
        );
        good = false;
    }
    good
}

impl ItemPlan {
    fn compile(
        compiler: &mut Compiler<'_>,
        at: &str,
        kind: OperationKind,
        spec: &BulkSpec,
        items_at: Option<String>,
    ) -> Option<Self> {
        let inserts = (&*child(at, "insert"), &*spec.insert);
        let item = match &spec.item {
            Some(item) => Tree::compile(compiler, (&child(at, "item"), item), inserts),
            None => {
                let next = "Write `item`, or `envelope` where records go as requests of their own.";
                compiler.report(at, "nobody knows what is sent of a record", next);
                None
            }
        };
        if spec.result.as_ref().is_some_and(|result| result.newest_first) {
            let at = child(&child(at, "result"), "newest_first");
            compiler.report(&at, "a `bulk` reads no further pages", "Leave it out.");
        }
        let result = optional(&spec.result, |result| {
            Success::compile(compiler, &child(at, "result"), kind, result)
        });
        let lists = Lists::compile(compiler, &child(at, "answer"), &spec.answer, result?);
        let rules = compiler.list(&child(at, "classify"), &spec.classify, Rule::compile);
        let silence = if kind.is_read() {
            Absent::Missing
        } else {
            Absent::Unknown
        };
        Some(Self {
            item: item?,
            at: items_at,
            lists: lists?,
            absent: spec.answer.absent.unwrap_or(silence),
            rules,
        })
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
