//! Settlements: all that wait in one statement; only hand-overs need a second one in the same transaction.

mod parts;

use std::{borrow::Cow, collections::HashSet, sync::Arc};

use switchboard_connect::manifest::OperationKind;
use switchboard_model::id::{ConnectionId, DeliveryId};
use tokio_postgres::GenericClient;

use self::parts::Parts;
use super::{
    Core, Trouble, note_arrival, outbox,
    record::{self, borrowed, sparse},
    smallest,
    writer::Job,
};
use crate::store::{CallRecord, Fence, InDoubt, LinkChange, Settlement, StoreError};

/// Settlements under one right, with the ids of what they add.
pub(super) struct Settlements {
    slot: i16,
    fence: Fence,
    settlements: Vec<Settlement>,
    attempt_ids: Vec<i64>,
    handed_ids: Vec<i64>,
    /// Some of the calls have been handed over before.
    again: bool,
}

impl Settlements {
    /// Draws the ids. A call that has been handed over before keeps its own: it may have been written down although nobody heard of it.
    pub fn new(core: &Core, fence: Fence, settlements: Vec<Settlement>) -> Result<Self, StoreError> {
        let now_ms = settlements
            .iter()
            .map(|settlement| settlement.now_ms)
            .max()
            .unwrap_or_default();
        let calls = || settlements.iter().flat_map(|settlement| &settlement.calls);
        let handed = settlements
            .iter()
            .filter_map(|settlement| settlement.hand_over.as_ref());
        let handed = handed.map(|hand_over| hand_over.len()).sum();
        let mut identity = core.identity.lock();
        let nameless = calls().filter(|call| call.id.get().is_none()).count();
        let mut drawn = identity.ids(nameless, now_ms)?.into_iter();
        let id = |call: &Arc<CallRecord>| *call.id.get_or_init(|| drawn.next().unwrap_or_default());
        Ok(Self {
            slot: identity.slot()?,
            fence,
            again: nameless < calls().count(),
            attempt_ids: calls().map(id).collect(),
            handed_ids: identity.ids(handed, now_ms)?,
            settlements,
        })
    }
}

impl Job for Settlements {
    type Answer = ();

    fn weight(&self) -> usize {
        self.settlements.len()
    }

    fn dated_ids(&self) -> Vec<i64> {
        let deliveries = self.settlements.iter().map(|settlement| settlement.delivery.0);
        deliveries.chain(self.attempt_ids.iter().copied()).collect()
    }

    async fn commit(core: &Core, group: &[Self]) -> Result<Vec<()>, Trouble> {
        let mut client = core.client().await?;
        let statement = client.prepare_cached(&Parts::of(group).statement()).await?;
        if group.iter().all(|job| job.handed_ids.is_empty()) {
            settle(&**client, &statement, group).await?;
        } else {
            let tx = client.transaction().await?;
            let done = settle(&*tx, &statement, group).await?;
            let news = hand_over(&tx, group, &done).await?;
            let news = smallest(news);
            if let Some(job) = group.first() {
                note_arrival(&*tx, job.slot, core.clock.now_ms(), &news).await?;
            }
            tx.commit().await?;
            core.tell(news);
        }
        Ok(group.iter().map(|_| ()).collect())
    }
}

/// Answers the deliveries that were changed; the others belong to a later holder, or a person has ended them.
async fn settle(
    client: &impl GenericClient,
    statement: &tokio_postgres::Statement,
    group: &[Settlements],
) -> Result<HashSet<i64>, Trouble> {
    let all = || {
        group
            .iter()
            .flat_map(|job| job.settlements.iter().map(move |settlement| (job.fence, settlement)))
    };
    let number = |of: fn(&Settlement) -> i64| all().map(|(_, settlement)| of(settlement)).collect::<Vec<i64>>();
    let maybe = |of: fn(&Settlement) -> Option<i64>| sparse(all().map(|(_, settlement)| of(settlement)));
    let links: Vec<_> = all().map(|(_, settlement)| link(&settlement.link)).collect();
    let calls = Calls::of(group);
    let rows = client
        .query(
            statement,
            &[
                &number(|settlement| settlement.delivery.0),
                &all().map(|(fence, _)| fence.0).collect::<Vec<_>>(),
                &all().map(|(_, settlement)| settlement.state as i16).collect::<Vec<_>>(),
                &all()
                    .map(|(_, settlement)| small(settlement.attempts))
                    .collect::<Vec<_>>(),
                &number(|settlement| settlement.due_ms),
                &maybe(|settlement| settlement.doubt.map(|doubt| doubt.since_ms)),
                &sparse(all().map(|(_, settlement)| operation(settlement))),
                &maybe(|settlement| settlement.state.is_settled().then_some(settlement.now_ms)),
                &sparse(all().map(|(_, settlement)| settlement.external_id.as_deref().map(borrowed))),
                &sparse(all().map(|(_, settlement)| settlement.problem.as_ref().map(record::to_text))),
                &maybe(|settlement| settlement.carrier.map(|carrier| carrier.0)),
                &maybe(|settlement| settlement.hand_over.as_ref().map(|_| settlement.now_ms)),
                &of_links(&links, |link| Some(link.connection)),
                &of_links(&links, |link| Some(link.object)),
                &of_links(&links, |link| Some(link.key.as_str())),
                &of_links(&links, |link| link.external_id.as_deref()),
                &calls.ids,
                &calls.workspaces,
                &calls.deliveries,
                &calls.number(|call| call.started_ms),
                &calls.number(|call| call.duration_ms.into()),
                &calls.records.iter().map(|call| call.operation).collect::<Vec<_>>(),
                &calls.text(|call| &call.request),
                &calls
                    .records
                    .iter()
                    .map(|call| call.status.map(i32::from))
                    .collect::<Vec<_>>(),
                &calls.text(|call| &call.answer),
                &calls.records.iter().map(|call| call.outcome).collect::<Vec<_>>(),
                &calls.number(|call| call.records.into()),
                &sparse(all().map(|(_, settlement)| settlement.doubt.as_ref().and_then(means))),
                &of_links(&links, |link| Some(link.forgotten)),
                &of_links(&links, |link| Some(link.doubt?.since_ms)),
                &of_links(&links, |link| Some(link.doubt?.operation?.name())),
                &of_links(&links, |link| link.doubt.as_ref().and_then(means)),
            ],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The calls of a group, by column.
struct Calls<'a> {
    ids: Vec<i64>,
    workspaces: Vec<i64>,
    deliveries: Vec<i64>,
    records: Vec<&'a CallRecord>,
}

impl<'a> Calls<'a> {
    fn of(group: &'a [Settlements]) -> Self {
        let all = || {
            let each = group.iter().flat_map(|job| &job.settlements);
            each.flat_map(|settlement| settlement.calls.iter().map(move |call| (settlement, &**call)))
        };
        Self {
            ids: group.iter().flat_map(|job| job.attempt_ids.iter().copied()).collect(),
            workspaces: all().map(|(settlement, _)| settlement.workspace.0).collect(),
            deliveries: all().map(|(settlement, _)| settlement.delivery.0).collect(),
            records: all().map(|(_, call)| call).collect(),
        }
    }

    fn number(&self, of: fn(&CallRecord) -> i64) -> Vec<i64> {
        self.records.iter().map(|call| of(call)).collect()
    }

    fn text(&self, of: fn(&CallRecord) -> &str) -> Vec<Cow<'a, str>> {
        self.records.iter().map(|call| borrowed(of(call))).collect()
    }
}

/// A change of a link, by column.
struct Link<'a> {
    connection: i64,
    object: &'a str,
    key: String,
    external_id: Option<String>,
    forgotten: bool,
    doubt: Option<InDoubt>,
}

fn link(change: &LinkChange) -> Option<Link<'_>> {
    let (connection, object, record_key, external_id, forgotten, doubt) = match change {
        LinkChange::Keep => return None,
        LinkChange::Set {
            connection,
            object,
            record_key,
            external_id,
            ..
        } => (connection, object, record_key, Some(external_id), false, None),
        LinkChange::Doubt {
            connection,
            object,
            record_key,
            doubt,
            forget,
        } => (connection, object, record_key, None, *forget, Some(*doubt)),
        LinkChange::Forget {
            connection,
            object,
            record_key,
        } => (connection, object, record_key, None, true, None),
    };
    Some(Link {
        connection: connection.0,
        object,
        key: record::storable(record_key.clone()),
        external_id: external_id.cloned().map(record::storable),
        forgotten,
        doubt,
    })
}

fn of_links<'a, T>(links: &'a [Option<Link<'a>>], of: impl Fn(&'a Link<'a>) -> Option<T>) -> Vec<Option<T>> {
    sparse(links.iter().map(|link| link.as_ref().and_then(&of)))
}

/// What could tell what became of what is in doubt.
fn means(doubt: &InDoubt) -> Option<String> {
    doubt.recovery.map(|recovery| recovery.to_string())
}

fn operation(settlement: &Settlement) -> Option<&'static str> {
    settlement
        .doubt
        .and_then(|doubt| doubt.operation)
        .map(OperationKind::name)
}

fn small(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// Gives the backups what those that were changed hand over.
async fn hand_over(
    tx: &deadpool_postgres::Transaction<'_>,
    group: &[Settlements],
    done: &HashSet<i64>,
) -> Result<Vec<(ConnectionId, DeliveryId)>, Trouble> {
    let mut added = Vec::new();
    for job in group {
        let mut ids = job.handed_ids.iter().copied();
        for settlement in &job.settlements {
            let Some(hand_over) = &settlement.hand_over else {
                continue;
            };
            let theirs: Vec<i64> = ids.by_ref().take(hand_over.len()).collect();
            if done.contains(&settlement.delivery.0) {
                added.extend(outbox::add(&**tx, settlement.event, &theirs, hand_over, settlement.now_ms).await?);
            }
        }
    }
    Ok(added)
}
