//! The outbox as the lanes and people see it.

use std::{collections::HashMap, sync::Arc};

use switchboard_model::{
    event::Event,
    id::{ConnectionId, DeliveryId, EventId, WorkspaceId},
};
use tokio_postgres::GenericClient;

use super::{
    PostgresStore, Trouble, accept::Acceptance, intend::Intents, journal, note_arrival, record, settle::Settlements,
    smallest,
};
use crate::store::{
    Accepted, Answer, Changed, Fence, Intent, Linked, Listener, NewDelivery, NewEvent, Outbox, Pending, Selection,
    Settlement, Wish,
};

const PENDING: &str = "
SELECT id, event, object, record_key, options, attempts, due_ms, doubt_ms, operation, fallback, handed_over_ms, means, state
FROM delivery WHERE connection = $1 AND stage = 0 AND id > $2 ORDER BY id LIMIT $3";

/// The borders let the server look into the partitions of these days only.
const BODIES: &str = "
SELECT id, workspace, kind, received_ms, data FROM event WHERE id = ANY ($1) AND id >= $2 AND id <= $3
UNION ALL SELECT id, workspace, kind, received_ms, data FROM event_kept WHERE id = ANY ($1)";

const LINKS: &str = "
SELECT k.key, l.external_id, d.doubt_ms, d.operation, d.means FROM unnest($3::text[]) AS k (key)
LEFT JOIN link l ON l.connection = $1 AND l.object = $2 AND l.record_key = k.key
LEFT JOIN link_doubt d ON d.connection = $1 AND d.object = $2 AND d.record_key = k.key";

const ADD: &str = "
INSERT INTO delivery (id, workspace, event, connection, object, record_key, options, fallback, state, due_ms)
SELECT n.id, e.workspace, $1::bigint, n.connection, n.object, n.record_key, n.options, n.fallback, 0, $2::bigint
FROM unnest($3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[])
         AS n (id, connection, object, record_key, options, fallback),
     (SELECT workspace FROM event WHERE id = $1 UNION ALL SELECT workspace FROM event_kept WHERE id = $1 LIMIT 1) e
RETURNING connection, id";

const PRESENT: &str = "
SELECT connection, object, options, state FROM delivery WHERE event = $1
UNION ALL SELECT connection, object, options, state FROM delivery_history WHERE event = $1";

const CHANGE: &str = "
WITH changed AS (
UPDATE delivery
SET state = $4::smallint, stage = $8::smallint, due_ms = $3::bigint, settled_ms = CASE WHEN $4::smallint >= 10 THEN $3::bigint END,
    attempts = CASE WHEN $6::boolean THEN 0 ELSE attempts END,
    handed_over_ms = CASE WHEN $6::boolean THEN NULL ELSE handed_over_ms END,
    doubt_ms = CASE WHEN $7::boolean THEN NULL ELSE doubt_ms END, operation = CASE WHEN $7::boolean THEN NULL ELSE operation END,
    means = CASE WHEN $7::boolean THEN NULL ELSE means END
WHERE id = ANY ($1) AND workspace = $2 AND state = ANY ($5)
RETURNING id, connection, object, record_key
), certain AS (
DELETE FROM link_doubt l USING changed c
WHERE $7::boolean AND l.connection = c.connection AND l.object = c.object AND l.record_key = c.record_key
)
SELECT id, connection FROM changed";

impl Outbox for PostgresStore {
    fn listen(&self, listener: Arc<dyn Listener>) {
        *self.core.listener.lock() = Some(listener);
    }

    fn accept(&self, events: Vec<NewEvent>) -> Answer<'_, Vec<Accepted>> {
        Box::pin(self.writers.accepts.write(|| Acceptance::new(&self.core, events)))
    }

    fn pending(&self, connection: ConnectionId, after: DeliveryId, limit: usize) -> Answer<'_, Vec<Pending>> {
        Box::pin(async move {
            let client = self.core.client().await?;
            let statement = client.prepare_cached(PENDING).await.map_err(Trouble::from)?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let rows = client.query(&statement, &[&connection.0, &after.0, &limit]).await;
            let rows = rows.map_err(Trouble::from)?;
            let found: Result<_, Trouble> = rows.iter().map(|row| record::pending(row, connection)).collect();
            Ok(found?)
        })
    }

    fn bodies(&self, events: Vec<EventId>) -> Answer<'_, Vec<Arc<Event>>> {
        Box::pin(async move {
            let ids: Vec<i64> = events.iter().map(|id| id.0).collect();
            let (Some(least), Some(greatest)) = (ids.iter().min(), ids.iter().max()) else {
                return Ok(Vec::new());
            };
            let client = self.core.client().await?;
            let statement = client.prepare_cached(BODIES).await.map_err(Trouble::from)?;
            let rows = client.query(&statement, &[&ids, least, greatest]).await;
            let rows = rows.map_err(Trouble::from)?;
            let found: Result<_, Trouble> = rows.iter().map(|row| record::event(row).map(Arc::new)).collect();
            Ok(found?)
        })
    }

    fn intend(&self, fence: Fence, intents: Vec<Intent>) -> Answer<'_, Vec<DeliveryId>> {
        Box::pin(
            self.writers
                .intents
                .write(move || Intents::new(&self.core, fence, intents)),
        )
    }

    fn settle(&self, fence: Fence, settlements: Vec<Settlement>) -> Answer<'_, ()> {
        let make = move || Settlements::new(&self.core, fence, settlements);
        Box::pin(self.writers.settlements.write(make))
    }

    fn links(&self, connection: ConnectionId, object: &str, keys: Vec<String>) -> Answer<'_, HashMap<String, Linked>> {
        let object = object.to_owned();
        Box::pin(async move {
            let client = self.core.client().await?;
            let statement = client.prepare_cached(LINKS).await.map_err(Trouble::from)?;
            let stored: Vec<String> = keys.iter().map(|key| record::storable(key.clone())).collect();
            let rows = client.query(&statement, &[&connection.0, &object, &stored]).await;
            let rows = rows.map_err(Trouble::from)?;
            let found = rows.iter().filter_map(|row| Some((row.get(0), record::linked(row)?)));
            let found: HashMap<String, Linked> = found.collect();
            let each = keys.into_iter().zip(stored);
            Ok(each
                .filter_map(|(key, stored)| Some((key, found.get(&stored)?.clone())))
                .collect())
        })
    }

    fn change(&self, workspace: WorkspaceId, wish: Wish, which: Selection, now_ms: i64) -> Answer<'_, Changed> {
        Box::pin(async move { Ok(self.fulfil(workspace, wish, which, now_ms).await?) })
    }

    fn add_deliveries(&self, event: EventId, deliveries: Vec<NewDelivery>) -> Answer<'_, Vec<DeliveryId>> {
        Box::pin(async move { Ok(self.add_all(event, &deliveries).await?) })
    }
}

impl PostgresStore {
    async fn fulfil(
        &self,
        workspace: WorkspaceId,
        wish: Wish,
        which: Selection,
        now_ms: i64,
    ) -> Result<Changed, Trouble> {
        let slot = self.core.identity.lock().slot()?;
        let (from, to) = wish.states();
        let mut client = self.core.client().await?;
        let tx = client.transaction().await?;
        let ids = match which {
            Selection::These(ids) => ids.into_iter().map(|id| id.0).collect(),
            Selection::Filter { filter, after, limit } => {
                journal::selected(&tx, workspace, filter, &from, after, limit).await?
            }
        };
        let from: Vec<i16> = from.into_iter().map(|state| state as i16).collect();
        let statement = tx.prepare_cached(CHANGE).await?;
        let (anew, certain) = (wish.is_anew(), wish == Wish::ReplayNotThere);
        let rows = tx
            .query(
                &statement,
                &[
                    &ids,
                    &workspace.0,
                    &now_ms,
                    &(to as i16),
                    &from,
                    &anew,
                    &certain,
                    &record::stage(to),
                ],
            )
            .await?;
        let mut moved: Vec<(DeliveryId, ConnectionId)> = rows
            .iter()
            .map(|row| (DeliveryId(row.get(0)), ConnectionId(row.get(1))))
            .collect();
        moved.sort_unstable_by_key(|(id, _)| *id);
        let news = match to.is_settled() || wish == Wish::Hold {
            true => HashMap::new(),
            false => smallest(moved.iter().map(|(id, connection)| (*connection, *id))),
        };
        note_arrival(&*tx, slot, now_ms, &news).await?;
        tx.commit().await?;
        self.core.tell(news);
        let mut changed = Changed::default();
        for (id, connection) in moved {
            changed.deliveries.push(id);
            if !changed.connections.contains(&connection) {
                changed.connections.push(connection);
            }
        }
        Ok(changed)
    }

    async fn add_all(&self, event: EventId, deliveries: &[NewDelivery]) -> Result<Vec<DeliveryId>, Trouble> {
        let now_ms = self.core.clock.now_ms();
        let slot = self.core.identity.lock().slot()?;
        let ids = self.core.ids(deliveries.len(), now_ms)?;
        let mut client = self.core.client().await?;
        let tx = client.transaction().await?;
        let mut added = add(&*tx, event, &ids, deliveries, now_ms).await?;
        let news = smallest(added.iter().copied());
        note_arrival(&*tx, slot, now_ms, &news).await?;
        tx.commit().await?;
        self.core.tell(news);
        added.sort_unstable_by_key(|(_, id)| *id);
        Ok(added.into_iter().map(|(_, id)| id).collect())
    }
}

/// Adds the deliveries that the event does not have yet, each once.
pub(super) async fn add(
    client: &impl GenericClient,
    event: EventId,
    ids: &[i64],
    deliveries: &[NewDelivery],
    now_ms: i64,
) -> Result<Vec<(ConnectionId, DeliveryId)>, Trouble> {
    let rows = client.query(PRESENT, &[&event.0]).await?;
    let present = rows.iter().map(record::present).collect::<Result<Vec<_>, _>>()?;
    let mut lacking: Vec<(i64, &NewDelivery)> = Vec::with_capacity(deliveries.len());
    for (id, new) in ids.iter().zip(deliveries) {
        let is_there = present.iter().any(|present| new.is_present(present));
        if !is_there && !lacking.iter().any(|(_, other)| other.is_same(new)) {
            lacking.push((*id, new));
        }
    }
    if lacking.is_empty() {
        return Ok(Vec::new());
    }
    let all = || lacking.iter().map(|(_, new)| *new);
    let ids: Vec<i64> = lacking.iter().map(|(id, _)| *id).collect();
    let connections: Vec<i64> = all().map(|new| new.connection.0).collect();
    let objects: Vec<&str> = all().map(|new| &*new.object).collect();
    let keys: Vec<String> = all().map(|new| record::storable(new.key(event))).collect();
    let options: Vec<_> = all().map(|new| new.options.as_ref().map(record::to_text)).collect();
    let fallbacks: Vec<_> = all().map(|new| new.fallback.as_ref().map(record::to_text)).collect();
    let rows = client
        .query(
            ADD,
            &[
                &event.0,
                &now_ms,
                &ids,
                &connections,
                &objects,
                &keys,
                &options,
                &fallbacks,
            ],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| (ConnectionId(row.get(0)), DeliveryId(row.get(1))))
        .collect())
}
