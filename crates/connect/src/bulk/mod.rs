//! Several records in one request: which calls may share one, how they are packed, and what the answer says about each.
//!
//! Pure, like single calls. The one who sends asks [`Connector::bulk`] about each call that
//! [`Connector::next_call`] wants, collects calls of the same object, kind and way, packs them from the front with
//! [`Connector::build_bulk`], and gives the answer with exactly the calls that were packed to [`Connector::read_bulk`].
//!
//! Records go as items of one body (`pack.rs`, `answer.rs`), or each as the request that it would be alone, in an envelope
//! (`envelope/`, `parts.rs`).

mod answer;
mod envelope;
mod pack;
mod parts;
mod plan;
mod whole;

use serde_json::value::RawValue;
use switchboard_model::{
    outcome::Outcome,
    problem::{Code, Problem},
};

use crate::{
    account::{Account, Call},
    call::{Answer, HttpRequest},
    connector::{Connector, id_layer},
    manifest::OperationKind,
    operation::Operation,
};

use answer::Reading;
use pack::Group;
pub(crate) use plan::BulkPlan;
use plan::Content;

/// How calls may share a request. Calls of the same object, kind and `way` may go together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bulk {
    /// Which of the ways of the operation it is.
    pub way: usize,
    /// The most records of one request, at least 2.
    pub most_items: usize,
    /// The most bytes of its body.
    pub most_bytes: usize,
}

/// A request about several records.
#[derive(Debug)]
pub struct BulkRequest {
    /// The request.
    pub request: HttpRequest,
    /// What it says about each of the calls that are in it, as JSON; the calls are counted from the first, and there is at least one.
    pub items: Vec<Box<RawValue>>,
}

impl BulkRequest {
    /// How many of the calls are in it.
    pub fn taken(&self) -> usize {
        self.items.len()
    }
}

/// What the answer to a request about several records means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BulkAnswer {
    /// One outcome for each call, in the order of the calls.
    Each(Vec<Outcome>),
    /// The answer speaks about the request as a whole, and this holds for each call. Never success, absence or a
    /// duplicate where there are several calls: what the vendor refuses because of one of them is `Rejected`, and the
    /// others may pass in a smaller request. So is an answer to a read that says too little about so many records.
    Whole(Outcome),
}

/// The answers within the answer to a request about `sent` records, in the order of the records, where each went as a request of its own;
/// for those who show what was answered. `None` inside: that one is not there as a whole.
pub fn answers_within(answer: &Answer, sent: usize) -> Option<Vec<Option<Answer>>> {
    let mut opened = envelope::open(answer, sent).filter(|opened| !opened.is_off(sent))?;
    opened.answers.resize_with(sent, || None);
    Some(opened.answers)
}

impl Connector {
    /// How many records of this object one request may carry at most; 1 when each goes alone.
    pub fn most_records(&self, object: &str, account: &Account) -> usize {
        let Some(object) = self.object(object) else { return 1 };
        let call = Call::plain();
        let scope = self.scope(account, Some(&object.name), &call);
        let writes = OperationKind::ALL.into_iter().filter(|kind| !kind.is_read());
        let plans = writes
            .flat_map(|kind| self.ways(object, kind))
            .filter_map(|way| way.bulk.as_ref());
        plans.map(|plan| plan.most_items(&scope)).max().unwrap_or(1).max(1)
    }

    /// Whether the call of this kind that [`Connector::next_call`] asks for may share a request, and how. `None`: it
    /// goes alone.
    ///
    /// A call that may be in doubt afterwards may share a request all the same: its outcome is its own.
    pub fn bulk(&self, object: &str, kind: OperationKind, account: &Account, call: &Call) -> Option<Bulk> {
        let (group, _) = self.group(object, kind, account, call)?;
        let id = id_layer(call);
        let most_items = group.plan.most_items(&group.scope(call, &id));
        (most_items > 1).then_some(Bulk {
            way: group.way,
            most_items,
            most_bytes: group.plan.most_bytes,
        })
    }

    /// A request about as many of the calls, counted from the first, as fit into it. The calls are of one object, kind
    /// and way ([`Connector::bulk`]), and each has begun ([`Call::begin`]). What stands around the records (token,
    /// time) is taken from the first call.
    ///
    /// Packing ends early at a call that cannot be in the same request: one whose way is another, whose item cannot be
    /// made, or that is about the same record of the vendor as an earlier one. A single record that is over the limit
    /// of bytes is sent all the same, alone.
    ///
    /// # Errors
    /// When the first call cannot be sent; the others may be good.
    pub fn build_bulk(
        &self,
        object: &str,
        kind: OperationKind,
        account: &Account,
        calls: &[&Call],
    ) -> Result<BulkRequest, Problem> {
        self.known_object(object)?;
        let group = calls.first().and_then(|first| self.group(object, kind, account, first));
        let (group, _) = group.ok_or_else(|| {
            let detail = format!("{} does not {kind} several records at once", self.name);
            Problem::new(Code::ObjectUnsupported, detail, "Send each record alone.")
        })?;
        group.pack(calls)
    }

    /// What the answer to a request of [`Connector::build_bulk`] means; `calls` are those that are in it. What the
    /// answer does not prove about a record is never `Delivered` for it.
    pub fn read_bulk(
        &self,
        object: &str,
        kind: OperationKind,
        account: &Account,
        calls: &[&Call],
        answer: &Answer,
    ) -> BulkAnswer {
        let group = calls.first().and_then(|first| self.group(object, kind, account, first));
        match group {
            Some((group, way)) => match &group.plan.content {
                Content::Items(plan) => Reading::new(group, way, plan, calls).read(answer),
                Content::Requests => parts::read(&group, way, calls, answer),
            },
            None => BulkAnswer::Whole(Outcome::Unknown {
                message: format!("{} cannot {kind} these records at once any more", self.name),
            }),
        }
    }

    /// The group that a call would be in, and the way that it goes.
    fn group<'a>(
        &'a self,
        object: &str,
        kind: OperationKind,
        account: &'a Account,
        call: &Call,
    ) -> Option<(Group<'a>, &'a Operation)> {
        let object = self.object(object)?;
        let id = id_layer(call);
        let scope = self.scope(account, Some(&object.name), call).with_map(&id);
        let (way, operation) = self.numbered_way(object, kind, call, &scope)?;
        let group = Group {
            connector: self,
            account,
            object,
            kind,
            way,
            plan: operation.bulk.as_ref()?,
        };
        Some((group, operation))
    }
}
