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
    store::{CallRecord, InDoubt, Linked, Pending},
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
    /// Nobody saw how that write ended: the vendor may still be at work on it.
    pub open: bool,
    /// Whether the record itself is known to be in doubt, not only a delivery of it.
    pub record_in_doubt: bool,
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
            open: false,
            record_in_doubt: false,
            members: vec![pending],
            calls: Vec::new(),
            names: Names::Open,
            verdict: Some(verdict),
        }
    }

    fn of(members: Vec<Pending>, change: Change, linked: Option<Linked>) -> Self {
        let (link, of_record) = match linked {
            Some(Linked::To(external_id)) => (Some(external_id), None),
            Some(Linked::InDoubt(doubt)) => (None, Some(doubt)),
            None => (None, None),
        };
        // What a member left in doubt itself is newer than what is in doubt about its record.
        let own = members.iter().filter_map(|pending| pending.doubt);
        let doubts: Vec<InDoubt> = of_record.into_iter().chain(own).collect();
        let key = members
            .first()
            .map(|first| first.record_key.clone())
            .unwrap_or_default();
        let last = doubts.last();
        let doubt = last.map(|doubt| match doubt.operation {
            Some(kind) => Doubt::Of(kind),
            None => Doubt::Yes,
        });
        let doubt = doubt.unwrap_or_default();
        let happened_once = members.iter().all(|pending| pending.is_its_event());
        let recovery = last.and_then(|doubt| doubt.recovery);
        let (record, known) = match change {
            Change::Write(record) if happened_once => (record, Known::new(link, doubt)),
            Change::Write(record) => (record, Known::new(link, doubt).standing()),
            Change::Remove(record) => (record, Known::removal(link, doubt)),
        };
        Self {
            members,
            call: Call::new(&key, record, known.with_recovery(recovery)),
            open: doubts.iter().any(|doubt| doubt.open),
            record_in_doubt: of_record.is_some(),
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

    /// From when on a search shows what the write that is in doubt has made. The vendor shows it `lag_ms` after it was written, and a call whose
    /// end nobody saw may be under way there for `call_ms`.
    pub fn visible_ms(&self, call_ms: i64, lag_ms: i64) -> Option<i64> {
        let at_work_ms = if self.open { call_ms } else { 0 };
        Some(self.first_sent_ms? + at_work_ms + lag_ms)
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
            recovery: self.call.known.recovery(),
            open: self.open,
        })
    }
}

/// Makes the cases of a flight: fills in the mapping for each delivery and folds those of one record. `groups` are by record; `links` are the
/// external ids, or doubts, that are known.
pub(super) fn cases(
    connection: &Connection,
    groups: Vec<Vec<Pending>>,
    bodies: &HashMap<EventId, Arc<Event>>,
    links: &HashMap<String, Linked>,
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
        let linked = members.first().and_then(|first| links.get(&first.record_key)).cloned();
        cases.push(Case::of(members, change, linked));
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

#[cfg(test)]
mod tests {
    use serde_json::json;
    use switchboard_connect::{
        connector::{Means, Recovery},
        manifest::OperationKind,
    };
    use switchboard_model::id::ConnectionId;

    use super::*;

    const DOUBT: InDoubt = InDoubt {
        since_ms: 1_000,
        operation: Some(OperationKind::Create),
        recovery: Some(Recovery {
            means: Means::Probe,
            way: 0,
            probe: Some(1),
        }),
        open: false,
    };

    fn case(doubt: Option<InDoubt>, linked: Option<Linked>) -> Case {
        let pending = Pending {
            id: DeliveryId(1),
            event: EventId(1),
            body: None,
            connection: ConnectionId(1),
            object: "lead".into(),
            record_key: "p-1".into(),
            options: None,
            attempts: 0,
            due_ms: 0,
            doubt,
            fallback: None,
            handed_over: false,
            fresh: false,
            alone: false,
        };
        Case::of(vec![pending], Change::Write(json!({})), linked)
    }

    #[test]
    fn what_is_in_doubt_about_a_record_is_in_doubt_for_its_next_delivery() {
        let next = case(None, Some(Linked::InDoubt(DOUBT)));
        assert_eq!(next.call.known.doubt, Doubt::Of(OperationKind::Create));
        assert_eq!(next.call.known.recovery(), DOUBT.recovery);
        assert_eq!((next.doubt(9_000), next.record_in_doubt), (Some(DOUBT), true));
        // What this delivery itself left in doubt is newer; what is looked for may be as old as the first of both.
        let own = InDoubt {
            since_ms: 5_000,
            operation: Some(OperationKind::Update),
            ..DOUBT
        };
        let both = case(Some(own), Some(Linked::InDoubt(DOUBT)));
        assert_eq!(both.call.known.doubt, Doubt::Of(OperationKind::Update));
        assert_eq!(both.first_sent_ms, Some(1_000));
        let known = case(None, Some(Linked::To("7".into())));
        assert_eq!((known.call.known.target(), known.doubt(9_000)), (Some("7"), None));
        assert!(!known.record_in_doubt);
    }

    #[test]
    fn a_record_is_looked_for_when_the_call_must_be_over_and_the_vendor_shows_what_it_wrote() {
        assert_eq!(case(Some(DOUBT), None).visible_ms(75_000, 10_000), Some(11_000));
        let open = InDoubt { open: true, ..DOUBT };
        assert_eq!(case(Some(open), None).visible_ms(75_000, 10_000), Some(86_000));
        assert_eq!(case(None, None).visible_ms(75_000, 10_000), None);
    }
}
