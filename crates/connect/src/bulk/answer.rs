//! One answer with a result for each record → what it means for each.

use std::collections::HashMap;

use serde_json::{Map, Value};
use switchboard_model::{outcome::Outcome, template::Scope};

use super::{
    BulkAnswer,
    pack::Group,
    plan::{ItemPlan, Lists, NamedList},
    whole::whole,
};
use crate::{
    account::Call,
    call::Answer,
    connector::{concerning, id_layer},
    manifest::Absent,
    operation::{Operation, Success},
    rule::{Circumstances, judge, unexpected},
};

/// What is read out of one answer.
pub(super) struct Reading<'a> {
    pub group: Group<'a>,
    pub way: &'a Operation,
    pub plan: &'a ItemPlan,
    pub calls: &'a [&'a Call],
    /// The layer with the id of each record.
    ids: Vec<Map<String, Value>>,
}

/// What the answer says about one record.
#[derive(Clone, Copy)]
enum Said<'j> {
    Nothing,
    Once(&'j Value),
    Twice(&'j Value),
}

impl<'a> Reading<'a> {
    pub fn new(group: Group<'a>, way: &'a Operation, plan: &'a ItemPlan, calls: &'a [&'a Call]) -> Self {
        let ids = calls.iter().map(|call| id_layer(call)).collect();
        Self {
            group,
            way,
            plan,
            calls,
            ids,
        }
    }

    pub fn read(&self, answer: &Answer) -> BulkAnswer {
        if self.calls.is_empty() {
            return BulkAnswer::Each(Vec::new());
        }
        if !self.group.plan.when.holds(answer, &self.scope(0)) {
            return BulkAnswer::Whole(whole(&self.group, self.way, self.calls, answer));
        }
        let each = match (&self.plan.lists, answer.json()) {
            (Lists::None, _) => vec![succeeded(); self.calls.len()],
            (_, None) => return BulkAnswer::Whole(self.unknown(unexpected(answer))),
            (Lists::InOrder { each, result }, Some(json)) => {
                let results = each.query(json).all();
                if results.len() != self.calls.len() {
                    let (got, sent) = (results.len(), self.calls.len());
                    let message = format!("{sent} records were sent, and the answer speaks about {got}");
                    return BulkAnswer::Whole(self.unknown(message));
                }
                let said: Vec<_> = results.into_iter().map(Said::Once).collect();
                self.judge_each(&said, &[], result, answer)
            }
            (Lists::Named { lists, result }, Some(json)) => {
                let (said, strays) = self.assign(lists, json);
                self.judge_each(&said, &strays, result, answer)
            }
        };
        BulkAnswer::Each(each)
    }

    /// Gives each result to its record. What belongs to none comes back apart.
    fn assign<'j>(&self, lists: &[NamedList], json: &'j Value) -> (Vec<Said<'j>>, Vec<&'j Value>) {
        let mut said = vec![Said::Nothing; self.calls.len()];
        let mut strays = Vec::new();
        let mut indexes: HashMap<(&str, bool), HashMap<String, Vec<usize>>> = HashMap::new();
        let around = self.scope(0);
        for list in lists {
            let index = indexes.entry((&list.source, list.ignore_case));
            let index = index.or_insert_with(|| list.index((0..self.calls.len()).map(|at| self.scope(at))));
            for result in list.each.query(json).all() {
                let names = list.at.texts_in(result, &around);
                let records = names.into_iter().filter_map(|name| index.get(&list.name(name)));
                let mut stray = true;
                for at in records.flatten() {
                    stray = false;
                    said[*at] = match said[*at] {
                        Said::Nothing => Said::Once(result),
                        Said::Once(earlier) if std::ptr::eq(earlier, result) => Said::Once(earlier),
                        Said::Once(earlier) | Said::Twice(earlier) => Said::Twice(earlier),
                    };
                }
                if stray {
                    strays.push(result);
                }
            }
        }
        (said, strays)
    }

    fn judge_each(&self, said: &[Said<'_>], strays: &[&Value], result: &Success, answer: &Answer) -> Vec<Outcome> {
        let mut part = answer.without_body();
        let reads = self.group.kind.is_read();
        let mut trouble = None;
        let mut outcomes = Vec::with_capacity(said.len());
        for (at, said) in said.iter().enumerate() {
            outcomes.push(match *said {
                Said::Once(result_of) => self.judge(at, result_of, result, &mut part),
                // Of several records that a read finds, the first is as good as any.
                Said::Twice(first) if reads => self.judge(at, first, result, &mut part),
                Said::Twice(_) => self.unknown("the answer speaks about this record more than once".into()),
                Said::Nothing => {
                    let trouble = trouble.get_or_insert_with(|| self.trouble(strays, result, &mut part));
                    self.silence(trouble.as_deref())
                }
            });
        }
        outcomes
    }

    fn judge(&self, at: usize, said: &Value, result: &Success, part: &mut Answer) -> Outcome {
        part.turn_to(said.clone());
        let scope = self.scope(at);
        let around = self.around(&scope);
        let outcome = result.proven(part, self.calls[at].record(), around).unwrap_or_else(|| {
            let rules = self.plan.rules.iter().chain(&self.way.rules);
            judge(
                rules.chain(&self.group.object.rules).chain(&self.group.connector.rules),
                part,
                around,
            )
        });
        let outcome = self.group.connector.without_refresh(outcome, self.group.account);
        concerning(self.group.kind, outcome)
    }

    /// The message of an error that names none of the records. Whatever it is about, a read cannot say that something
    /// is not there.
    fn trouble(&self, strays: &[&Value], result: &Success, part: &mut Answer) -> Option<String> {
        let outcomes = strays.iter().map(|stray| self.judge(0, stray, result, part));
        let mut messages = outcomes.filter_map(|outcome| match outcome {
            Outcome::Delivered { .. } | Outcome::Missing | Outcome::Duplicate { .. } => None,
            Outcome::Retry { message, .. }
            | Outcome::Throttled { message, .. }
            | Outcome::Reauthorise { message }
            | Outcome::Denied { message }
            | Outcome::Gone { message }
            | Outcome::Blocked { message }
            | Outcome::Rejected { message, .. }
            | Outcome::Unknown { message } => Some(message),
        });
        messages.next()
    }

    /// What it means that the answer says nothing about a record.
    fn silence(&self, trouble: Option<&str>) -> Outcome {
        match (self.plan.absent, trouble) {
            (Absent::Missing, None) => Outcome::Missing,
            (Absent::Delivered, None) => succeeded(),
            (_, Some(message)) => self.unknown(format!("the answer is silent about this record and says: {message}")),
            (Absent::Unknown, None) => self.unknown("the answer is silent about this record".into()),
        }
    }

    fn unknown(&self, message: String) -> Outcome {
        Outcome::Unknown { message }
    }

    fn scope(&self, at: usize) -> Scope<'_> {
        self.group.scope(self.calls[at], &self.ids[at])
    }

    fn around<'s>(&'s self, scope: &'s Scope<'s>) -> Circumstances<'s> {
        self.group.around(self.way, scope)
    }
}

fn succeeded() -> Outcome {
    Outcome::Delivered {
        external_id: None,
        created: None,
    }
}
