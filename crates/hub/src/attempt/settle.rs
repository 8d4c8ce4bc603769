//! Writes down what came of tries.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use switchboard_connect::connector::Doubt;
use switchboard_model::{
    connection::ConnectionState,
    delivery::DeliveryState,
    problem::{Problem, ProblemBody},
};

use super::{
    Desk,
    case::Case,
    verdict::{self, Next, Situation, Verdict},
};
use crate::{
    configuration::{Connection, reason_of},
    failpoint,
    store::{ConnectionNote, Fallback, Fence, InDoubt, LinkChange, NewDelivery, Pending, Settlement},
};

/// How long to wait before the store is asked again to write down what must not be forgotten.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// What the lane has to know.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// What waits once more.
    pub again: Vec<Pending>,
    /// Nothing of this connection is sent before this moment.
    pub hold_until_ms: Option<i64>,
}

/// Writes the results down, however long that takes.
pub(super) async fn write_down(desk: &Desk, connection: &Connection, fence: Fence, ended: Vec<Case>) -> Written {
    let now_ms = desk.clock.now_ms();
    let mut written = Written::default();
    let mut settlements = Vec::with_capacity(ended.len());
    let outage = connection.circuit.lock().is_outage();
    for case in ended {
        let Some(verdict) = &case.verdict else { continue };
        let hold_until_ms = verdict.hold_ms().map(|hold| now_ms + hold);
        let stops = match verdict {
            Verdict::Denied(message) => Some(verdict::refused(&connection.key, connection.signs_in(), message)),
            Verdict::Gone(message) => Some(verdict::gone(&connection.key, message)),
            Verdict::Stopped(problem) => Some(Problem::clone(problem)),
            _ => None,
        };
        if let Some(stops) = stops.filter(|_| written.hold_until_ms.is_none()) {
            Box::pin(mark_refused(desk, connection, &stops)).await;
        }
        written.hold_until_ms = written.hold_until_ms.max(hold_until_ms);
        if !matches!(verdict, Verdict::Withdrawn) {
            let situation = (outage, now_ms);
            conclude(desk, connection, case, situation, &mut settlements, &mut written.again);
        }
    }
    for (state, count) in by_state(&settlements) {
        desk.metrics.settled(&connection.spec.connector, state, count);
    }
    commit(desk, fence, settlements).await;
    written
}

/// How many there are of each state.
fn by_state(settlements: &[Settlement]) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for settlement in settlements {
        *counts.entry(settlement.state.name()).or_default() += 1;
    }
    counts
}

/// What becomes of each delivery of a case.
fn conclude(
    desk: &Desk,
    connection: &Connection,
    mut case: Case,
    (outage, now_ms): (bool, i64),
    settlements: &mut Vec<Settlement>,
    again: &mut Vec<Pending>,
) {
    let Some(verdict) = case.verdict.take() else { return };
    let alone = matches!(verdict, Verdict::NotYet { alone: true });
    let carrier = case.carrier();
    let of_case = case.doubt(now_ms);
    let untouched = case.calls.is_empty();
    let members = std::mem::take(&mut case.members);
    let concluded = members.into_iter().map(|pending| {
        let doubt = if untouched { pending.doubt } else { of_case };
        let situation = Situation {
            patience: connection.patience(desk.schedule),
            connection: &connection.key,
            signs_in: connection.signs_in(),
            pending: &pending,
            in_doubt: doubt.is_some(),
            record_in_doubt: case.record_in_doubt && of_case.is_some(),
            resolvable_ms: doubt.and_then(|doubt| resolvable_ms(desk, connection, &pending, doubt)),
            outage,
            now_ms,
        };
        let next = verdict::next(&situation, &verdict);
        let doubt = doubt.filter(|_| next.state != DeliveryState::Delivered);
        (pending, doubt, next)
    });
    let mut concluded: Vec<Concluded> = concluded.collect();
    wait_together(&mut concluded);
    let mut link = link_change(connection, &case, &verdict, &concluded);
    let mut calls: Vec<_> = case.calls.drain(..).map(Arc::new).collect();
    for (pending, doubt, next) in concluded {
        let fallback = pending.fallback.as_deref().filter(|_| next.hand_over);
        let settlement = Settlement {
            delivery: pending.id,
            connection: pending.connection,
            event: pending.event,
            workspace: connection.workspace,
            state: next.state,
            attempts: next.attempts,
            due_ms: next.due_ms,
            doubt,
            now_ms,
            external_id: next.external_id,
            link: std::mem::replace(&mut link, LinkChange::Keep),
            problem: next.problem.as_ref().map(ProblemBody::from),
            calls: std::mem::take(&mut calls),
            carrier: carrier.filter(|carrier| *carrier != pending.id),
            hand_over: fallback.map(given),
        };
        if !next.state.is_settled() {
            again.push(Pending {
                attempts: next.attempts,
                due_ms: next.due_ms,
                doubt,
                handed_over: pending.handed_over || next.hand_over,
                fresh: false,
                alone: alone || pending.alone,
                ..pending
            });
        }
        settlements.push(settlement);
    }
}

/// A delivery, what is in doubt about it, and what it becomes.
type Concluded = (Pending, Option<InDoubt>, Next);

/// When it can be found out at the earliest what became of a call whose end nobody saw. What can be repeated needs not be found out.
fn resolvable_ms(desk: &Desk, connection: &Connection, pending: &Pending, doubt: InDoubt) -> Option<i64> {
    if !doubt.open || doubt.is_repeatable() {
        return None;
    }
    let connector = connection.connector().ok()?;
    Some(doubt.since_ms + desk.client.limit_ms() + connector.read_lag_ms(&pending.object))
}

/// What was sent together and waits once more is due together, like the one that carries it: each alone would be something that was never sent,
/// and a search for it would find nothing.
fn wait_together(concluded: &mut [Concluded]) {
    let mut waiting = concluded.iter_mut().filter(|(.., next)| !next.state.is_settled());
    let Some((.., first)) = waiting.next() else { return };
    let due_ms = first.due_ms;
    waiting.for_each(|(.., next)| next.due_ms = due_ms);
}

async fn commit(desk: &Desk, fence: Fence, settlements: Vec<Settlement>) {
    if settlements.is_empty() {
        return;
    }
    while let Err(error) = desk.store.settle(fence, settlements.clone()).await {
        // The vendor may hold the records already: that must not be forgotten while this process lives.
        tracing::error!(%error, "outcomes could not be written down; trying again");
        if matches!(error, crate::store::StoreError::Closed) {
            return;
        }
        tokio::time::sleep(STORE_PAUSE).await;
    }
    failpoint::reach(failpoint::SETTLED);
}

/// Gives deliveries that wait for a connection to their backups because the connection is down; answers how many. None of them may be in flight.
/// Without `sync_back` those in doubt stay: they may be at the primary.
pub(crate) async fn hand_over(
    desk: &Desk,
    connection: &Connection,
    fence: Fence,
    waiting: Vec<Pending>,
    why: &str,
) -> usize {
    let now_ms = desk.clock.now_ms();
    let settlements: Vec<Settlement> = waiting
        .iter()
        .filter(|pending| !pending.handed_over)
        .filter_map(|pending| {
            let fallback = pending.fallback.as_deref()?;
            if !verdict::may_pass_on(fallback, pending.doubt.is_some()) {
                return None;
            }
            let problem = verdict::handed_over(&connection.key, why, fallback.sync_back);
            Some(Settlement {
                delivery: pending.id,
                connection: pending.connection,
                event: pending.event,
                workspace: connection.workspace,
                state: match fallback.sync_back {
                    true => pending.state(),
                    false => DeliveryState::Cancelled,
                },
                attempts: pending.attempts,
                due_ms: pending.due_ms,
                doubt: pending.doubt,
                now_ms,
                external_id: None,
                link: LinkChange::Keep,
                problem: Some(ProblemBody::from(&problem)),
                calls: Vec::new(),
                carrier: None,
                hand_over: Some(given(fallback)),
            })
        })
        .collect();
    let count = settlements.len();
    commit(desk, fence, settlements).await;
    count
}

fn given(fallback: &Fallback) -> Vec<NewDelivery> {
    let shares = fallback.objects.iter().cloned();
    let deliveries = shares.map(|share| share.delivery(fallback.connection, fallback.options.as_ref()));
    deliveries.collect()
}

/// Dead credentials, and what else only a person can mend, stop the whole connection, so that no delivery burns tries and no account is
/// banned. A late refusal of credentials that a person has replaced meanwhile stops nothing.
pub(crate) async fn mark_refused(desk: &Desk, connection: &Connection, problem: &Problem) {
    let note = ConnectionNote {
        state: Some((ConnectionState::Error, Some(reason_of(problem)))),
        about: Some(connection.sealed()),
        ..ConnectionNote::default()
    };
    if let Err(error) = desk.store.note_connection(connection.id, note).await {
        tracing::error!(connection = %connection.key, %error, "the connection's state could not be written down");
    }
}

/// What becomes of the link between our record and the vendor's. What was found is kept also when the try went on to fail: a search that lags
/// would miss it the next time. What is still in doubt when a delivery is given up stays with its record, for the next delivery of it.
fn link_change(connection: &Connection, case: &Case, verdict: &Verdict, concluded: &[Concluded]) -> LinkChange {
    let Some((first, ..)) = concluded.first() else {
        return LinkChange::Keep;
    };
    let (connection, object, record_key) = (connection.id, Arc::clone(&first.object), first.record_key.clone());
    let known = &case.call.known;
    let present = match verdict {
        Verdict::Delivered { .. } if known.is_removal() => None,
        Verdict::Delivered { external_id } => external_id.as_deref(),
        _ => known.target(),
    };
    let removed = known.is_removal() && verdict.is_delivered();
    let forget = removed || known.has_lost_link();
    let is_certain = known.doubt == Doubt::No;
    match (present, given_up_in_doubt(concluded)) {
        (Some(id), _) if known.link.as_deref() == Some(id) => LinkChange::Keep,
        (Some(id), _) => LinkChange::Set {
            connection,
            object,
            record_key,
            external_id: id.to_owned(),
            was_in_doubt: case.record_in_doubt,
        },
        (None, Some(doubt)) => LinkChange::Doubt {
            connection,
            object,
            record_key,
            doubt,
            forget,
        },
        (None, None) if forget || (case.record_in_doubt && (is_certain || verdict.is_delivered())) => {
            LinkChange::Forget {
                connection,
                object,
                record_key,
            }
        }
        (None, None) => LinkChange::Keep,
    }
}

/// What is in doubt about the record of a delivery that is given up. A record that is its event has no other deliveries, and keeps it to itself.
fn given_up_in_doubt(concluded: &[Concluded]) -> Option<InDoubt> {
    let of_one = |(pending, doubt, next): &Concluded| {
        let has_followers = pending.record_key != pending.event.to_string();
        doubt.filter(|doubt| next.state.is_settled() && has_followers && doubt.is_about_creation())
    };
    concluded.iter().find_map(of_one)
}

#[cfg(test)]
mod tests;
