//! One way to carry out an operation: when it can be used, what is sent, what proves success.

use serde_json::Value;
use serde_json_path::JsonPath;
use switchboard_model::{
    moment::read_moment,
    outcome::Outcome,
    template::{Scope, Template},
};

use crate::{
    account::Call,
    bulk::BulkPlan,
    call::Answer,
    compile::{Compiler, child},
    manifest::{OneOrMany, OperationKind, OperationSpec, Recovery, ResultSpec, SameForm, SameSpec},
    paging::{Next, PageAt, Pages},
    reading::{Source, When, text_of},
    request::Request,
    rule::{Circumstances, Rule, unexpected},
};

/// A compiled operation; see [`OperationSpec`].
#[derive(Debug)]
pub(crate) struct Operation {
    requires: Vec<Template>,
    unless: Vec<Template>,
    pub request: Request,
    result: Success,
    pub rules: Vec<Rule>,
    /// Whether the call may simply be sent again after its answer was lost.
    pub repeatable: bool,
    /// For how long after its first sending it may be sent again, in milliseconds; `None`: always.
    pub repeat_ms: Option<i64>,
    /// How long a written record may stay invisible to this read, in milliseconds.
    pub read_lag_ms: i64,
    /// How several records go in one request.
    pub bulk: Option<BulkPlan>,
    /// How a read goes on.
    pub pages: Option<Pages>,
}

/// What proves success; see [`ResultSpec`].
#[derive(Debug)]
pub(crate) struct Success {
    when: When,
    id: Option<Source>,
    created: Option<Source>,
    candidates: Option<JsonPath>,
    conditions: Vec<Source>,
    not_before: Option<Source>,
    newest_first: bool,
    same: Vec<Same>,
}

#[derive(Debug)]
struct Same {
    sent: JsonPath,
    got: JsonPath,
    form: SameForm,
}

impl Operation {
    /// Compiles the ways of one kind.
    pub fn compile_each(
        compiler: &mut Compiler<'_>,
        at: &str,
        kind: OperationKind,
        specs: &OneOrMany<OperationSpec>,
    ) -> Vec<Self> {
        let each = specs.each();
        each.filter_map(|(end, spec)| Self::compile(compiler, &format!("{at}{end}"), kind, spec))
            .collect()
    }

    fn compile(compiler: &mut Compiler<'_>, at: &str, kind: OperationKind, spec: &OperationSpec) -> Option<Self> {
        check_kind(compiler, at, kind, spec);
        check_pages(compiler, at, kind, spec);
        let requires = compiler.paths(&child(at, "requires"), &spec.requires);
        let unless = compiler.paths(&child(at, "unless"), &spec.unless);
        let request = Request::compile(compiler, &child(at, "request"), &spec.request);
        let result = Success::compile(compiler, &child(at, "result"), kind, &spec.result);
        let rules = compiler.list(&child(at, "classify"), &spec.classify, Rule::compile);
        let repeatable = kind != OperationKind::Create || spec.recovery == Recovery::Repeat;
        let read_lag_ms = i64::try_from(spec.read_lag_seconds * 1000).unwrap_or(i64::MAX);
        let bulk = optional(&spec.bulk, |bulk| {
            BulkPlan::compile(compiler, &child(at, "bulk"), kind, (spec, bulk))
        });
        let pages = optional(&spec.pages, |pages| {
            Pages::compile(compiler, &child(at, "pages"), pages)
        });
        Some(Self {
            requires,
            unless,
            request: request?,
            result: result?,
            rules,
            repeatable,
            repeat_ms: spec.repeat_seconds.map(|seconds| i64::from(seconds) * 1000),
            read_lag_ms,
            bulk: bulk?,
            pages: pages?,
        })
    }

    /// Whether everything is there that this way needs.
    pub fn is_available(&self, scope: &Scope<'_>) -> bool {
        self.requires.iter().all(|path| has_value(path, scope))
            && !self.unless.iter().any(|path| has_value(path, scope))
    }

    /// Whether this call may simply be sent again after its answer was lost, as old as it is.
    pub fn is_repeatable(&self, call: &Call) -> bool {
        self.repeatable && self.repeat_ms.is_none_or(|most| call.age_ms() <= most)
    }

    /// What comes after a page on which nothing was found.
    pub fn next_page(&self, at: &PageAt, answer: &Answer, scope: &Scope<'_>) -> Next {
        match &self.pages {
            Some(pages) if !self.result.is_too_early(answer, scope) => {
                pages.next(at, self.result.count(answer), answer, scope)
            }
            _ => Next::None,
        }
    }

    /// The outcome when the answer proves success, or proves that a read found nothing.
    pub fn succeeded(&self, answer: &Answer, record: &Value, around: Circumstances<'_>) -> Option<Outcome> {
        self.result.proven(answer, record, around)
    }
}

fn check_kind(compiler: &mut Compiler<'_>, at: &str, kind: OperationKind, spec: &OperationSpec) {
    if kind == OperationKind::Upsert && spec.recovery != Recovery::Repeat {
        let next = "Write `recovery: repeat`, or make it a `create`.";
        compiler.report(at, "an upsert that cannot be repeated is none", next);
    }
    if spec.repeat_seconds.is_some() && (kind != OperationKind::Create || spec.recovery != Recovery::Repeat) {
        let next = "Leave it out, or write `recovery: repeat` at a `create`.";
        compiler.report(
            &child(at, "repeat_seconds"),
            "`repeat_seconds` is about a create that may be repeated",
            next,
        );
    }
}

fn check_pages(compiler: &mut Compiler<'_>, at: &str, kind: OperationKind, spec: &OperationSpec) {
    if spec.pages.is_some() && (!kind.is_read() || spec.bulk.is_some()) {
        let next = "Leave `pages` out: one request has to answer for all records of a `bulk`.";
        let detail = "`pages` is about a read of one record";
        compiler.report(&child(at, "pages"), detail, next);
    }
    if spec.result.newest_first && (spec.pages.is_none() || spec.result.not_before.is_none()) {
        let next = "Add `pages` and `not_before`, or leave it out.";
        let detail = "`newest_first` says when no further page is read";
        compiler.report(&child(&child(at, "result"), "newest_first"), detail, next);
    }
}

fn check_result(compiler: &mut Compiler<'_>, at: &str, kind: OperationKind, spec: &ResultSpec) {
    let reads = spec.candidates.is_some();
    if kind.is_read() != reads {
        let detail = format!(
            "`{kind}` {} `candidates`",
            if reads {
                "changes something and has no"
            } else {
                "reads and needs"
            }
        );
        compiler.report(at, detail, "See connectors/manifest.schema.json.");
    }
    if reads && spec.id.is_none() {
        compiler.report(at, "what is found needs an `id`", "Say where a candidate has its id.");
    }
}

/// Whether a path has a value that is not blank.
pub(crate) fn has_value(path: &Template, scope: &Scope<'_>) -> bool {
    match path.render(scope) {
        Ok(Some(Value::String(text))) => !text.trim().is_empty(),
        Ok(Some(value)) => !value.is_null() && value != Value::Bool(false),
        Ok(None) | Err(_) => false,
    }
}

impl Success {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, kind: OperationKind, spec: &ResultSpec) -> Option<Self> {
        check_result(compiler, at, kind, spec);
        let when = When::compile(compiler, &child(at, "when"), &spec.when);
        let id = optional(&spec.id, |id| Source::compile(compiler, &child(at, "id"), id));
        let created = optional(&spec.created, |created| {
            Source::compile(compiler, &child(at, "created"), created)
        });
        let candidates = optional(&spec.candidates, |path| {
            compiler.json_path(&child(at, "candidates"), path)
        });
        let conditions = compiler.list(&child(at, "where"), &spec.conditions, Source::compile);
        let not_before = optional(&spec.not_before, |source| {
            Source::compile(compiler, &child(at, "not_before"), source)
        });
        let same = compiler.list(&child(at, "same"), &spec.same, Same::compile);
        let whole = same.len() == spec.same.len() && conditions.len() == spec.conditions.len();
        whole.then_some(Self {
            when: when?,
            id: id?,
            created: created?,
            candidates: candidates?,
            conditions,
            not_before: not_before?,
            newest_first: spec.newest_first,
            same,
        })
    }

    /// The outcome when the answer proves success, or proves that a read found nothing.
    pub fn proven(&self, answer: &Answer, record: &Value, around: Circumstances<'_>) -> Option<Outcome> {
        if !self.when.holds(answer, around.scope) {
            return None;
        }
        match &self.candidates {
            Some(candidates) => Some(self.choose(candidates, answer, record, around)),
            None => self.written(answer, around),
        }
    }

    /// A write that succeeded. One that should yield an id and does not proves nothing.
    fn written(&self, answer: &Answer, around: Circumstances<'_>) -> Option<Outcome> {
        let created = self
            .created
            .as_ref()
            .and_then(|created| created.first(answer, around.scope));
        let created = created.as_ref().and_then(Value::as_bool);
        let external_id = match &self.id {
            None => None,
            Some(id) => Some(usable_id(id.first(answer, around.scope)?, around)?),
        };
        Some(Outcome::Delivered { external_id, created })
    }

    /// The first candidate that agrees with what was sent.
    fn choose(&self, candidates: &JsonPath, answer: &Answer, record: &Value, around: Circumstances<'_>) -> Outcome {
        let Some(json) = answer.json() else {
            return Outcome::Unknown {
                message: unexpected(answer),
            };
        };
        let counts = |candidate: &&Value| {
            let mut conditions = self.conditions.iter();
            conditions.all(|condition| condition.first_in(candidate, around.scope).is_some())
                && self.age(candidate, around.scope) != Age::Older
        };
        let candidates: Vec<&Value> = candidates.query(json).all().into_iter().filter(counts).collect();
        if candidates.is_empty() {
            return Outcome::Missing;
        }
        let sent: Vec<_> = self
            .same
            .iter()
            .map(|same| (same, texts(&same.sent, record, same.form)))
            .collect();
        if !sent.is_empty() && sent.iter().all(|(_, texts)| texts.is_empty()) {
            let message = "records were found, but nothing was sent that they could be recognised by".to_owned();
            return Outcome::Unknown { message };
        }
        let agrees = |candidate: &Value| {
            sent.iter().all(|(same, sent)| {
                let got = texts(&same.got, candidate, same.form);
                sent.iter().all(|text| got.contains(text))
            })
        };
        match candidates.into_iter().find(|candidate| agrees(candidate)) {
            None => Outcome::Missing,
            Some(candidate) if self.age(candidate, around.scope) == Age::Unknown => Outcome::Unknown {
                message: "a record like this one was found, but it does not say when it was made".to_owned(),
            },
            Some(candidate) => {
                let id = self.id.as_ref().and_then(|id| id.first_in(candidate, around.scope));
                match id.and_then(|id| usable_id(id, around)) {
                    Some(id) => Outcome::Delivered {
                        external_id: Some(id),
                        created: None,
                    },
                    None => Outcome::Unknown {
                        message: unexpected(answer),
                    },
                }
            }
        }
    }
}

/// When a candidate was made, seen from the moment when our record was first sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Age {
    Younger,
    Older,
    Unknown,
}

impl Success {
    /// How many items the answer to a read holds.
    fn count(&self, answer: &Answer) -> usize {
        let items = self.candidates.as_ref().zip(answer.json());
        items.map_or(0, |(path, json)| path.query(json).all().len())
    }

    /// Whether the answer ends with what was made before the record was first sent, and nothing newer can follow.
    fn is_too_early(&self, answer: &Answer, scope: &Scope<'_>) -> bool {
        let items = self.candidates.as_ref().zip(answer.json());
        let last = items.and_then(|(path, json)| path.query(json).all().last().copied());
        self.newest_first && last.is_some_and(|last| self.age(last, scope) == Age::Older)
    }

    fn age(&self, candidate: &Value, scope: &Scope<'_>) -> Age {
        let Some(source) = &self.not_before else {
            return Age::Younger;
        };
        let made = source
            .first_in(candidate, scope)
            .and_then(|moment| read_moment(&moment));
        let since_ms = scope.variable("since_ms").and_then(Value::as_i64);
        match made.zip(since_ms) {
            None => Age::Unknown,
            Some((made, since_ms)) if made.as_millisecond() < since_ms => Age::Older,
            Some(_) => Age::Younger,
        }
    }
}

/// `None` inside means: not given. `None` outside means: given and wrong.
pub(crate) fn optional<T, U>(spec: &Option<T>, compile: impl FnOnce(&T) -> Option<U>) -> Option<Option<U>> {
    match spec {
        None => Some(None),
        Some(spec) => compile(spec).map(Some),
    }
}

impl Same {
    fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &SameSpec) -> Option<Self> {
        let sent = compiler.json_path(&child(at, "sent"), &spec.sent);
        let got = compiler.json_path(&child(at, "got"), &spec.got);
        Some(Self {
            sent: sent?,
            got: got?,
            form: spec.form,
        })
    }
}

/// The texts at a path, as far as vendors keep them: ends trimmed, one kind of line end.
fn texts(path: &JsonPath, json: &Value, form: SameForm) -> Vec<String> {
    let texts = path.query(json).all().into_iter().filter_map(text_of);
    let formed = |text: String| match form {
        SameForm::Text => text,
        SameForm::Lower => text.to_lowercase(),
        SameForm::Digits => {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            digits.trim_start_matches('0').to_owned()
        }
    };
    texts
        .map(|text| formed(text.replace("\r\n", "\n").trim().to_owned()))
        .filter(|text| !text.is_empty())
        .collect()
}

fn usable_id(id: Value, around: Circumstances<'_>) -> Option<String> {
    let id = text_of(&id)?.into_owned();
    let usable = !id.is_empty() && around.id_pattern.is_none_or(|pattern| pattern.is_match(&id));
    usable.then_some(id)
}
