//! One record inside a flight: the deliveries whose content it carries, what is known of it, and how its try ended.

use std::{collections::HashMap, sync::Arc};

use serde_json::Value;
use switchboard_connect::connector::{Call, Doubt, Known};
use switchboard_model::{
    event::Event,
    id::{DeliveryId, EventId},
    problem::{Code, Problem},
};

use super::{
    fold::{Change, fold},
    names::Names,
    record,
    verdict::Verdict,
};
use crate::{
    configuration::Connection,
    route::takes_removals,
    store::{CallRecord, InDoubt, Pending},
};

/// One record inside a flight.
#[derive(Debug)]
pub(super) struct Case {
    /// The deliveries that it carries, oldest first; never empty.
    pub members: Vec<Pending>,
    /// What is sent and what is known of the record.
    pub call: Call,
    /// When a write that may have made the record was first sent.
    pub first_sent_ms: Option<i64>,
    /// The calls that were made for it.
    pub calls: Vec<CallRecord>,
    /// How far the names in it are looked up.
    pub names: Names,
    /// How the try ended; `None` while it goes on.
    pub verdict: Option<Verdict>,
}

impl Case {
    /// A delivery that cannot even be tried.
    pub fn hopeless(pending: Pending, verdict: Verdict) -> Self {
        Self {
            call: Call::new(&pending.record_key, Value::Null, Known::default()),
            first_sent_ms: None,
            members: vec![pending],
            calls: Vec::new(),
            names: Names::Open,
            verdict: Some(verdict),
        }
    }

    fn of(members: Vec<Pending>, change: Change, link: Option<String>) -> Self {
        let doubts: Vec<InDoubt> = members.iter().filter_map(|pending| pending.doubt).collect();
        let key = members
            .first()
            .map(|first| first.record_key.clone())
            .unwrap_or_default();
        let doubt = doubts.last().map(|doubt| match doubt.operation {
            Some(kind) => Doubt::Of(kind),
            None => Doubt::Yes,
        });
        let doubt = doubt.unwrap_or_default();
        let happened_once = members.iter().all(|pending| pending.is_its_event());
        let (record, known) = match change {
            Change::Write(record) if happened_once => (record, Known::new(link, doubt)),
            Change::Write(record) => (record, Known::new(link, doubt).standing()),
            Change::Remove(record) => (record, Known::removal(link, doubt)),
        };
        Self {
            members,
            call: Call::new(&key, record, known),
            first_sent_ms: doubts.iter().map(|doubt| doubt.since_ms).min(),
            calls: Vec::new(),
            names: Names::Open,
            verdict: None,
        }
    }

    /// The delivery that the calls are written down with.
    pub fn carrier(&self) -> Option<DeliveryId> {
        self.members.first().map(|first| first.id)
    }

    /// The write that is in doubt when the try ends.
    pub fn doubt(&self, now_ms: i64) -> Option<InDoubt> {
        let operation = match self.call.known.doubt {
            Doubt::No => return None,
            Doubt::Yes => None,
            Doubt::Of(kind) => Some(kind),
        };
        Some(InDoubt {
            since_ms: self.first_sent_ms.unwrap_or(now_ms),
            operation,
        })
    }
}

/// Makes the cases of a flight: fills in the mapping for each delivery and folds those of one record. `groups` are by record; `links` are the
/// external ids that are known.
pub(super) fn cases(
    connection: &Connection,
    groups: Vec<Vec<Pending>>,
    bodies: &HashMap<EventId, Arc<Event>>,
    links: &HashMap<String, String>,
) -> Vec<Case> {
    let mut cases = Vec::with_capacity(groups.len());
    for group in groups {
        let mut members = Vec::with_capacity(group.len());
        let mut changes = Vec::with_capacity(group.len());
        for pending in group {
            match change_of(connection, &pending, bodies) {
                Ok(change) => {
                    changes.push(change);
                    members.push(pending);
                }
                Err(problem) => cases.push(Case::hopeless(pending, Verdict::Dead(problem))),
            }
        }
        let Some((change, count)) = fold(changes) else {
            continue;
        };
        let later = members.split_off(count);
        let link = members.first().and_then(|first| links.get(&first.record_key)).cloned();
        cases.push(Case::of(members, change, link));
        // What is behind a removal makes a new record, after it.
        let not_yet = |pending| Case::hopeless(pending, Verdict::NotYet { alone: false });
        cases.extend(later.into_iter().map(not_yet));
    }
    cases
}

fn change_of(
    connection: &Connection,
    pending: &Pending,
    bodies: &HashMap<EventId, Arc<Event>>,
) -> Result<Change, Problem> {
    let body = pending.body.as_ref().or_else(|| bodies.get(&pending.event));
    let event = body.ok_or_else(|| {
        let detail = format!("the event {} of this delivery is no longer kept", pending.event);
        Problem::new(Code::NotFound, detail, "Send the event again if it still matters.")
    })?;
    if event.kind.is_removal() && !connection.tells_removals(&pending.object) {
        if !pending.options.as_ref().is_some_and(takes_removals) {
            let detail = format!("`{}` keeps what is deleted elsewhere", connection.key);
            let next = "Write `deletions: true` among the options of this target of the route if its records are to be removed, too.";
            return Err(Problem::new(Code::ObjectUnsupported, detail, next));
        }
        // Removing takes no complete record.
        let record = record::make(connection, &pending.object, pending.options.as_ref(), event).unwrap_or_default();
        return Ok(Change::Remove(record));
    }
    record::make(connection, &pending.object, pending.options.as_ref(), event).map(Change::Write)
}
