//! New events: all that wait in one statement, which is one transaction.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use deadpool_postgres::Client;
use switchboard_model::{
    event::{Event, EventType},
    id::{ConnectionId, DeliveryId, EventId, RunId},
};

use super::{
    Core, Trouble, automations,
    record::{self, sparse},
    smallest,
    writer::Job,
};
use crate::store::{Accepted, Fingerprint, NewDelivery, NewEvent, NewRun, Pending, StoreError};

/// Repeats fall out at `fresh`; what belongs to them falls out with them. Keys are inserted in their order, so that two nodes do not wait for
/// each other in a circle. The subqueries are such that no plan can turn them into joins, which would read all of `seen`.
///
/// Here and in other statements for many rows, `unnest` stands in the list of what is selected: there its rows go on as they come, and in
/// `FROM` each of its lists is put into a table of its own first, which takes three times as long.
const FRESH: &str = "
WITH fresh AS (
    INSERT INTO recent (workspace, key, content, event)
    SELECT f.workspace, f.key, f.content, f.event
    FROM (SELECT unnest($1::bigint[]) AS workspace, unnest($2::bytea[]) AS key, unnest($3::bytea[]) AS content,
                 unnest($4::bigint[]) AS event) f
    WHERE (SELECT s.event FROM seen s WHERE s.workspace = f.workspace AND s.key = f.key) IS NULL
      AND (SELECT r.event FROM recent r WHERE r.workspace = f.workspace AND r.key = f.key) IS NULL
    ORDER BY f.workspace, f.key, f.event";

/// For keys that come twice in this group, or that somebody else is writing at this moment. Being ready for that costs more than the insert.
const UNLESS_TAKEN: &str = " ON CONFLICT DO NOTHING";

const KEPT: &str = "
    RETURNING event
), kept AS (
    INSERT INTO event (id, workspace, kind, received_ms, data, note)
    SELECT e.id, e.workspace, e.kind, e.received_ms, e.data, e.note
    FROM (SELECT unnest($5::bigint[]) AS id, unnest($6::bigint[]) AS workspace, unnest($7::text[]) AS kind,
                 unnest($8::bigint[]) AS received_ms, unnest($9::text[]) AS data, unnest($10::text[]) AS note) e
    WHERE e.id <> ALL ($4) OR e.id IN (SELECT event FROM fresh)
    RETURNING id, workspace, kind
)";

/// For groups with messages that wait for their classification.
const WAITING: &str = ", waiting AS (
    INSERT INTO unclassified (event, workspace, until_ms)
    SELECT k.id, k.workspace, 0 FROM kept k WHERE k.kind = 'message.unclassified'
)";

const SENT: &str = ", sent AS (
    INSERT INTO delivery (id, workspace, event, connection, object, record_key, options, fallback, state, due_ms)
    SELECT d.id, d.workspace, d.event, d.connection, d.object, d.record_key, d.options, d.fallback, 0, d.due_ms
    FROM (SELECT unnest($11::bigint[]) AS id, unnest($12::bigint[]) AS workspace, unnest($13::bigint[]) AS event,
                 unnest($14::bigint[]) AS connection, unnest($15::text[]) AS object, unnest($16::text[]) AS record_key,
                 unnest($17::text[]) AS options, unnest($18::text[]) AS fallback, unnest($19::bigint[]) AS due_ms) d
    WHERE d.event IN (SELECT id FROM kept)
), told AS (
    INSERT INTO arrival (node, at_ms, connections, first_ids)
    SELECT $20::smallint, $21::bigint, $22::bigint[], $23::bigint[] WHERE cardinality($22::bigint[]) > 0
)
SELECT id FROM kept";

const BEFORE: &str = "
SELECT f.event, s.event, s.content
FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) AS f (event, workspace, key)
CROSS JOIN LATERAL (
    SELECT event, content FROM recent r WHERE r.workspace = f.workspace AND r.key = f.key
    UNION ALL
    SELECT event, content FROM seen s WHERE s.workspace = f.workspace AND s.key = f.key
    LIMIT 1
) s";

/// Events that are kept together, with the ids that they will have.
pub(super) struct Acceptance {
    slot: i16,
    now_ms: i64,
    drafts: Vec<Draft>,
}

pub(super) struct Draft {
    pub event: Arc<Event>,
    data: String,
    note: Option<String>,
    fingerprint: Option<Fingerprint>,
    pub deliveries: Vec<Pending>,
    runs: Vec<(RunId, NewRun)>,
}

impl Acceptance {
    /// Draws the ids.
    pub fn new(core: &Core, events: Vec<NewEvent>) -> Result<Self, StoreError> {
        let mut identity = core.identity.lock();
        let slot = identity.slot()?;
        let drafts = events.into_iter().map(|new| {
            let mut ids = identity
                .ids(1 + new.deliveries.len() + new.runs.len(), new.received_ms)?
                .into_iter();
            Ok(Draft::new(new, &mut ids))
        });
        let drafts = drafts.collect::<Result<_, StoreError>>()?;
        Ok(Self {
            slot,
            now_ms: core.clock.now_ms(),
            drafts,
        })
    }
}

impl Draft {
    pub fn new(new: NewEvent, ids: &mut impl Iterator<Item = i64>) -> Self {
        let id = EventId(ids.next().unwrap_or_default());
        let (members, data) = new.data.into_parts();
        let event = Arc::new(Event {
            id,
            workspace: new.workspace,
            kind: new.kind,
            received_ms: new.received_ms,
            data: members,
        });
        let deliveries = new.deliveries.into_iter().zip(ids.by_ref());
        let deliveries = deliveries.map(|(new, id)| fresh(&event, new, DeliveryId(id))).collect();
        let runs = new.runs.into_iter().zip(ids);
        let runs = runs.map(|(new, id)| (RunId(id), new)).collect();
        Self {
            event,
            data,
            note: new.note.map(record::storable),
            fingerprint: new.fingerprint,
            deliveries,
            runs,
        }
    }
}

/// A delivery that nobody has tried.
fn fresh(event: &Arc<Event>, new: NewDelivery, id: DeliveryId) -> Pending {
    Pending {
        id,
        event: event.id,
        body: Some(Arc::clone(event)),
        connection: new.connection,
        record_key: record::storable(new.key(event.id)),
        object: new.object,
        options: new.options,
        attempts: 0,
        due_ms: event.received_ms,
        doubt: None,
        fallback: new.fallback.map(Arc::new),
        handed_over: false,
        fresh: true,
        alone: false,
    }
}

impl Job for Acceptance {
    type Answer = Vec<Accepted>;

    fn weight(&self) -> usize {
        self.drafts.iter().map(|draft| 1 + draft.deliveries.len()).sum()
    }

    fn dated_ids(&self) -> Vec<i64> {
        self.drafts.iter().map(|draft| draft.event.id.0).collect()
    }

    async fn commit(core: &Core, group: &[Self]) -> Result<Vec<Vec<Accepted>>, Trouble> {
        let drafts: Vec<&Draft> = group.iter().flat_map(|acceptance| &acceptance.drafts).collect();
        let news = smallest(
            drafts
                .iter()
                .flat_map(|draft| draft.deliveries.iter().map(|new| (new.connection, new.id))),
        );
        let mut client = core.client().await?;
        let told = group.first().map_or((0, 0), |first| (first.slot, first.now_ms));
        let kept = match keep(&mut client, &drafts, Keys::of(&drafts), &news, told).await {
            Err(trouble) if trouble.is_taken() => keep(&mut client, &drafts, Keys::Contested, &news, told).await?,
            kept => kept?,
        };
        let before = match kept.len() == drafts.len() {
            true => HashMap::new(),
            false => look_up(&client, &drafts, &kept).await?,
        };
        let hints = drafts.iter().filter(|draft| kept.contains(&draft.event.id.0));
        let hints: Vec<Pending> = hints.flat_map(|draft| draft.deliveries.iter().cloned()).collect();
        let listener = core.listener.lock().clone();
        if let Some(listener) = listener.filter(|_| !hints.is_empty()) {
            listener.accepted(hints);
        }
        core.tell(news);
        group
            .iter()
            .map(|acceptance| {
                acceptance
                    .drafts
                    .iter()
                    .map(|draft| accepted(draft, &kept, &before))
                    .collect()
            })
            .collect()
    }
}

/// Writes them in one transaction; answers which events were kept.
async fn keep(
    client: &mut Client,
    drafts: &[&Draft],
    keys: Keys,
    news: &HashMap<ConnectionId, DeliveryId>,
    (slot, now_ms): (i16, i64),
) -> Result<HashSet<i64>, Trouble> {
    if drafts.iter().all(|draft| draft.runs.is_empty()) {
        return insert(client, drafts, keys, news, (slot, now_ms)).await;
    }
    let tx = client.transaction().await?;
    let kept = insert(&tx, drafts, keys, news, (slot, now_ms)).await?;
    begin_runs(&tx, drafts, &kept).await?;
    tx.commit().await?;
    Ok(kept)
}

/// What became of one event.
pub(super) fn accepted(
    draft: &Draft,
    kept: &HashSet<i64>,
    before: &HashMap<i64, (EventId, Vec<u8>)>,
) -> Result<Accepted, Trouble> {
    let event = draft.event.id;
    if kept.contains(&event.0) {
        return Ok(Accepted::New {
            event,
            deliveries: draft.deliveries.len(),
        });
    }
    let content = draft.fingerprint.map(|fingerprint| fingerprint.content);
    match before.get(&event.0) {
        Some((first, known)) if content.is_some_and(|content| content[..] == **known) => Ok(Accepted::Repeat(*first)),
        Some((first, _)) => Ok(Accepted::Conflict(*first)),
        // Its day was dropped between the two statements.
        None => Err(Trouble::Other(StoreError::Failed(
            "the first event with this key has just gone".into(),
        ))),
    }
}

/// Begins the runs of the events that were kept.
pub(super) async fn begin_runs(
    tx: &deadpool_postgres::Transaction<'_>,
    drafts: &[&Draft],
    kept: &HashSet<i64>,
) -> Result<(), Trouble> {
    let kept = drafts.iter().filter(|draft| kept.contains(&draft.event.id.0));
    let runs = kept.flat_map(|draft| {
        let event = &draft.event;
        let each = draft.runs.iter();
        each.map(|(id, new)| (event.workspace, event.id, event.received_ms, *id, new))
    });
    let runs: Vec<_> = runs.collect();
    match runs.is_empty() {
        true => Ok(()),
        false => automations::begin(&**tx, &runs).await,
    }
}

/// Whether others may have the keys of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// Each is in it once, and if somebody else writes one at the same moment, the statement fails.
    Own,
    /// The first one has it.
    Contested,
}

impl Keys {
    fn of(drafts: &[&Draft]) -> Self {
        let mut seen = HashSet::with_capacity(drafts.len());
        let mut keys = drafts
            .iter()
            .filter_map(|draft| Some((draft.event.workspace, draft.fingerprint?.key)));
        match keys.all(|key| seen.insert(key)) {
            true => Self::Own,
            false => Self::Contested,
        }
    }
}

/// Writes them as part of a transaction, or as one; answers which events were kept. `told` is who tells other nodes of `news`, and when.
pub(super) async fn insert(
    client: &impl deadpool_postgres::GenericClient,
    drafts: &[&Draft],
    keys: Keys,
    news: &HashMap<ConnectionId, DeliveryId>,
    (slot, now_ms): (i16, i64),
) -> Result<HashSet<i64>, Trouble> {
    let printed = || {
        drafts
            .iter()
            .filter_map(|draft| Some((draft, draft.fingerprint.as_ref()?)))
    };
    let column = |of: fn(&Draft) -> i64| drafts.iter().map(|draft| of(draft)).collect::<Vec<i64>>();
    let deliveries = || {
        let each = drafts.iter();
        each.flat_map(|draft| {
            draft
                .deliveries
                .iter()
                .map(move |delivery| (draft.event.workspace, delivery))
        })
    };
    let number = |of: fn(&Pending) -> i64| deliveries().map(|(_, delivery)| of(delivery)).collect::<Vec<i64>>();
    let any_waits = drafts.iter().any(|draft| draft.event.kind == EventType::UNCLASSIFIED);
    let waiting = if any_waits { WAITING } else { "" };
    let unless_taken = if keys == Keys::Contested { UNLESS_TAKEN } else { "" };
    let statement = [FRESH, unless_taken, KEPT, waiting, SENT].concat();
    let statement = client.prepare_cached(&statement).await?;
    let rows = client
        .query(
            &statement,
            &[
                &printed().map(|(draft, _)| draft.event.workspace.0).collect::<Vec<_>>(),
                &printed().map(|(_, print)| &print.key[..]).collect::<Vec<_>>(),
                &printed().map(|(_, print)| &print.content[..]).collect::<Vec<_>>(),
                &printed().map(|(draft, _)| draft.event.id.0).collect::<Vec<_>>(),
                &column(|draft| draft.event.id.0),
                &column(|draft| draft.event.workspace.0),
                &drafts.iter().map(|draft| draft.event.kind.name()).collect::<Vec<_>>(),
                &column(|draft| draft.event.received_ms),
                &drafts.iter().map(|draft| draft.data.as_str()).collect::<Vec<_>>(),
                &sparse(drafts.iter().map(|draft| draft.note.as_deref())),
                &number(|delivery| delivery.id.0),
                &deliveries().map(|(workspace, _)| workspace.0).collect::<Vec<_>>(),
                &number(|delivery| delivery.event.0),
                &number(|delivery| delivery.connection.0),
                &deliveries().map(|(_, delivery)| &*delivery.object).collect::<Vec<_>>(),
                &deliveries()
                    .map(|(_, delivery)| delivery.record_key.as_str())
                    .collect::<Vec<_>>(),
                &sparse(deliveries().map(|(_, delivery)| delivery.options.as_ref().map(record::to_text))),
                &sparse(deliveries().map(|(_, delivery)| delivery.fallback.as_deref().map(record::to_text))),
                &number(|delivery| delivery.due_ms),
                &slot,
                &now_ms,
                &news.keys().map(|connection| connection.0).collect::<Vec<_>>(),
                &news.values().map(|first| first.0).collect::<Vec<_>>(),
            ],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The events that came first under the keys of those that were not kept.
pub(super) async fn look_up(
    client: &impl deadpool_postgres::GenericClient,
    drafts: &[&Draft],
    kept: &HashSet<i64>,
) -> Result<HashMap<i64, (EventId, Vec<u8>)>, Trouble> {
    let repeats = || {
        let each = drafts.iter().filter(|draft| !kept.contains(&draft.event.id.0));
        each.filter_map(|draft| Some((draft, draft.fingerprint.as_ref()?)))
    };
    let statement = client.prepare_cached(BEFORE).await?;
    let rows = client
        .query(
            &statement,
            &[
                &repeats().map(|(draft, _)| draft.event.id.0).collect::<Vec<_>>(),
                &repeats().map(|(draft, _)| draft.event.workspace.0).collect::<Vec<_>>(),
                &repeats().map(|(_, print)| &print.key[..]).collect::<Vec<_>>(),
            ],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| (row.get(0), (EventId(row.get(1)), row.get(2))))
        .collect())
}
