//! One request for several records, and what its answer says about each of them.

use std::collections::HashMap;

use serde_json::{Map, Value};
use serde_json_path::JsonPath;
use sha2::{Digest, Sha256};
use switchboard_model::{
    mapping::Mapping,
    outcome::Outcome,
    problem::Problem,
    template::{Scope, Template},
};

use crate::{
    account::{Account, Call},
    call::{Answer, HttpRequest},
    compile::{Compiler, child},
    connector::Connector,
    manifest::{Absent, BulkKeySpec, BulkSpec, OperationKind},
    object::Object,
    operation::Operation,
    reading::{Source, When, text_of},
    request::{Insert, Request, filled, render, text},
    rule::{Circumstances, Rule, judge, usable_id},
};

/// How a call may share a request with others of the same object, kind and way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bulk {
    /// Which of the operation's ways it is.
    pub way: usize,
    /// Most records of one request, at least 2.
    pub most_items: usize,
}

/// A request for several records.
#[derive(Debug)]
pub struct BulkRequest {
    /// The request.
    pub request: HttpRequest,
    /// How many of the calls it carries, counted from the first.
    pub taken: usize,
}

/// What the answer to a [`BulkRequest`] says.
#[derive(Debug, Clone, PartialEq)]
pub enum BulkAnswer {
    /// About each record, in the order of the calls.
    Each(Vec<Outcome>),
    /// About the request as a whole.
    Whole(Outcome),
}

/// A compiled [`BulkSpec`].
#[derive(Debug)]
pub(crate) struct BulkWay {
    most_items: MostItems,
    most_bytes: usize,
    item: Mapping,
    insert: Vec<Insert>,
    request: Request,
    when: When,
    each: Vec<JsonPath>,
    key: Option<Key>,
    success: When,
    id: Option<Source>,
    created: Option<Source>,
    absent: Absent,
    rules: Vec<Rule>,
}

#[derive(Debug)]
enum MostItems {
    Fixed(usize),
    Template(Template),
}

#[derive(Debug)]
struct Key {
    at: Vec<Source>,
    equals: Template,
}

impl BulkWay {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &BulkSpec) -> Option<Self> {
        let most_items = match &spec.most_items {
            Value::String(source) => compiler
                .template(&child(at, "most_items"), source)
                .map(MostItems::Template),
            number => number
                .as_u64()
                .and_then(|number| usize::try_from(number).ok())
                .map(MostItems::Fixed),
        };
        if most_items.is_none() {
            compiler.report(
                &child(at, "most_items"),
                "this is no number",
                "Write a number or a template of one.",
            );
        }
        let item = compiler.mapping(&child(at, "item"), &spec.item);
        let insert = compiler.list(&child(at, "insert"), &spec.insert, Insert::compile);
        let request = Request::compile(compiler, &child(at, "request"), &spec.request);
        let result = child(at, "result");
        let when = When::compile(compiler, &child(&result, "when"), &spec.result.when);
        let each = compiler.list(
            &child(&result, "each"),
            &spec.result.each,
            |compiler, at, path: &String| compiler.json_path(at, path),
        );
        let key = match &spec.result.key {
            None => None,
            Some(key) => Some(Key::compile(compiler, &child(&result, "key"), key)?),
        };
        let success = When::compile(compiler, &child(&result, "success"), &spec.result.success);
        let mut source = |name: &str, spec: &Option<_>| match spec {
            None => Some(None),
            Some(spec) => Source::compile(compiler, &child(&result, name), spec).map(Some),
        };
        let (id, created) = (source("id", &spec.result.id), source("created", &spec.result.created));
        let rules = compiler.list(&child(at, "classify"), &spec.classify, Rule::compile);
        Some(Self {
            most_items: most_items?,
            most_bytes: spec.most_bytes,
            item: item?,
            insert,
            request: request?,
            when: when?,
            each,
            key,
            success: success?,
            id: id?,
            created: created?,
            absent: spec.result.absent,
            rules,
        })
    }

    /// Most records of one request on this account.
    fn most(&self, scope: &Scope<'_>) -> usize {
        match &self.most_items {
            MostItems::Fixed(most) => *most,
            MostItems::Template(template) => {
                let most = template.render(scope).ok().flatten();
                let most = most
                    .as_ref()
                    .and_then(text_of)
                    .and_then(|text| text.trim().parse().ok());
                most.unwrap_or(1)
            }
        }
    }

    /// The result of each record, as far as there is one.
    fn results<'a>(&self, answer: &'a Answer, keys: &[Option<String>]) -> Vec<Option<&'a Value>> {
        let Some(json) = answer.json() else {
            return vec![None; keys.len()];
        };
        let all = self.each.iter().flat_map(|path| path.query(json).all());
        let Some(key) = &self.key else {
            let mut results: Vec<_> = all.map(Some).collect();
            results.resize(keys.len(), None);
            return results;
        };
        let mut by_key: HashMap<String, &Value> = HashMap::with_capacity(keys.len());
        for result in all {
            let found = key
                .at
                .iter()
                .find_map(|source| source.first_in(result, &Scope::empty()));
            if let Some(text) = found.as_ref().and_then(text_of) {
                by_key.entry(text.to_lowercase()).or_insert(result);
            }
        }
        let of = |key: &Option<String>| key.as_ref().and_then(|key| by_key.get(key).copied());
        keys.iter().map(of).collect()
    }

    /// What the result of one record means.
    fn judge(&self, part: &Answer, way: &Operation, rules: (&Object, &[Rule]), around: Circumstances<'_>) -> Outcome {
        let success = self
            .success
            .holds(part, around.scope)
            .then(|| self.succeeded(part, around));
        success.flatten().unwrap_or_else(|| {
            let (object, of_all) = rules;
            let rules = self.rules.iter().chain(&way.rules).chain(&object.rules).chain(of_all);
            judge(rules, part, around)
        })
    }

    fn succeeded(&self, part: &Answer, around: Circumstances<'_>) -> Option<Outcome> {
        let external_id = match &self.id {
            None => None,
            Some(id) => Some(usable_id(id.first(part, around.scope)?, around)?),
        };
        let created = self
            .created
            .as_ref()
            .and_then(|created| created.first(part, around.scope));
        Some(Outcome::Delivered {
            external_id,
            created: created.as_ref().and_then(Value::as_bool),
        })
    }
}

impl Key {
    fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &BulkKeySpec) -> Option<Self> {
        let sources = Source::compile_each(compiler, &child(at, "at"), &spec.at);
        let equals = compiler.template(&child(at, "equals"), &spec.equals);
        Some(Self {
            at: sources,
            equals: equals?,
        })
    }
}

impl Connector {
    /// Whether the call that [`Connector::next_call`] asks for may share a request, and with how many others.
    pub fn bulk(&self, object: &str, kind: OperationKind, account: &Account, call: &Call) -> Option<Bulk> {
        let object = self.object(object)?;
        let id = call.id_layer();
        let scope = self.scope(account, Some(&object.name), call).with_map(&id);
        let (way, operation) = self.way_at(object, kind, &scope)?;
        let most_items = operation.bulk.as_ref()?.most(&scope);
        (most_items > 1).then_some(Bulk { way, most_items })
    }

    /// How many records of this object one request may carry at most; 1 when each goes alone.
    pub fn most_records(&self, object: &str, account: &Account) -> usize {
        let Some(object) = self.object(object) else { return 1 };
        let call = Call::plain();
        let scope = self.scope(account, Some(&object.name), &call);
        let writes = OperationKind::ALL.into_iter().filter(|kind| !kind.is_read());
        let bulk = writes
            .flat_map(|kind| self.ways(object, kind))
            .filter_map(|way| way.bulk.as_ref());
        bulk.map(|bulk| bulk.most(&scope)).max().unwrap_or(1).max(1)
    }

    /// One request for as many of `calls`, from the first on, as the vendor takes at once; at least one.
    ///
    /// # Errors
    /// When something that the request needs has no value.
    pub fn build_bulk(
        &self,
        object: &str,
        kind: OperationKind,
        account: &Account,
        calls: &[&Call],
    ) -> Result<BulkRequest, Problem> {
        let object = self.known_object(object)?;
        let (way, first) = self.shared_way(object, kind, account, calls)?;
        let id = first.id_layer();
        let scope = self.scope(account, Some(&object.name), first).with_map(&id);
        let most = way.most(&scope).max(1);
        let (mut items, mut bytes) = (Vec::with_capacity(calls.len().min(most)), 0);
        let mut group = Sha256::new();
        for call in calls.iter().take(most) {
            let id = call.id_layer();
            let scope = self.scope(account, Some(&object.name), call).with_map(&id);
            let item = filled(render(&way.item, &scope)?, &way.insert, &scope)?;
            bytes += size(&item);
            if bytes > way.most_bytes && !items.is_empty() {
                break;
            }
            items.push(item);
            group.update((call.key().len() as u64).to_be_bytes());
            group.update(call.key());
        }
        let taken = items.len();
        let layer = Map::from_iter([
            ("items".to_owned(), Value::Array(items)),
            ("group".to_owned(), hex::encode(&group.finalize()[..16]).into()),
        ]);
        let request = self.authorised(&way.request, account, &scope.with_map(&layer))?;
        Ok(BulkRequest { request, taken })
    }

    /// What the answer to a request for `calls` means. A record of which the answer says nothing that proves success is never `Delivered`.
    pub fn read_bulk(
        &self,
        object: &str,
        kind: OperationKind,
        account: &Account,
        calls: &[&Call],
        answer: &Answer,
    ) -> BulkAnswer {
        let Ok(object) = self.known_object(object) else {
            return lost("there is no such object");
        };
        let Ok((bulk, first)) = self.shared_way(object, kind, account, calls) else {
            return lost("it can no longer be sent together");
        };
        let id = first.id_layer();
        let scope = self.scope(account, Some(&object.name), first).with_map(&id);
        let Some((_, way)) = self.way_at(object, kind, &scope) else {
            return lost("it can no longer be sent");
        };
        if !bulk.when.holds(answer, &scope) {
            let rules = way.rules.iter().chain(&object.rules).chain(&self.rules);
            return BulkAnswer::Whole(self.without_refresh(judge(rules, answer, way.around(object, &scope)), account));
        }
        if bulk.each.is_empty() {
            let outcome = bulk.judge(answer, way, (object, &self.rules), way.around(object, &scope));
            return BulkAnswer::Each(vec![outcome; calls.len()]);
        }
        let keys: Vec<Option<String>> = calls
            .iter()
            .map(|call| {
                let id = call.id_layer();
                let scope = self.scope(account, Some(&object.name), call).with_map(&id);
                let equals = &bulk.key.as_ref()?.equals;
                text(equals, &scope).ok().flatten().map(|key| key.to_lowercase())
            })
            .collect();
        let results = bulk.results(answer, &keys);
        let outcomes = calls.iter().zip(results).map(|(call, result)| {
            let Some(result) = result else {
                return absent(bulk.absent);
            };
            let id = call.id_layer();
            let scope = self.scope(account, Some(&object.name), call).with_map(&id);
            let part = answer.part(result.clone());
            self.without_refresh(
                bulk.judge(&part, way, (object, &self.rules), way.around(object, &scope)),
                account,
            )
        });
        BulkAnswer::Each(outcomes.collect())
    }

    /// How the first of the calls is sent together with others.
    fn shared_way<'c, 'a>(
        &'c self,
        object: &'c Object,
        kind: OperationKind,
        account: &Account,
        calls: &[&'a Call],
    ) -> Result<(&'c BulkWay, &'a Call), Problem> {
        let alone = || crate::request::failed(&format!("{} takes no several records at once here", self.name));
        let first = *calls.first().ok_or_else(alone)?;
        let id = first.id_layer();
        let scope = self.scope(account, Some(&object.name), first).with_map(&id);
        let way = self.way_at(object, kind, &scope).and_then(|(_, way)| way.bulk.as_ref());
        Ok((way.ok_or_else(alone)?, first))
    }
}

fn lost(why: &str) -> BulkAnswer {
    BulkAnswer::Whole(Outcome::Unknown {
        message: format!("the answer cannot be read: {why}"),
    })
}

fn absent(absent: Absent) -> Outcome {
    match absent {
        Absent::Missing => Outcome::Missing,
        Absent::Unknown => Outcome::Unknown {
            message: "the answer says nothing about this record".into(),
        },
    }
}

/// How many bytes a value takes as JSON.
fn size(value: &Value) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Counting cannot fail.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}
