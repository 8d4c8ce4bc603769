//! What pushers have sent.

use std::collections::HashMap;

use switchboard_model::id::{CallbackId, WorkspaceId, floor_of};
use tokio_postgres::{GenericClient, Row};

use super::{Core, PostgresStore, Trouble, record, writer::Job};
use crate::store::{
    Answer, Page, StoreError,
    callbacks::{
        Anew, CallbackFilter, CallbackOutcome, CallbackRow, CallbackState, Callbacks, Kept, Made, NewCallback, Round,
    },
};

/// In the order of [`row`].
const COLUMNS: &str = "id, workspace, source, received_ms, request, body, delivery, state, round, tries, settled_ms, repeats, notes, \
                       problem, made";

/// In the order of their deliveries, so that two nodes do not wait for each other in a circle. What came before falls out.
const KEEP: &str = "
INSERT INTO callback (id, workspace, source, received_ms, request, body, delivery, state, due_ms, settled_ms, notes)
SELECT c.id, c.workspace, c.source, c.received_ms, c.request, c.body, c.delivery, c.state, c.received_ms,
       CASE WHEN c.state = 0 THEN NULL ELSE c.received_ms END, c.notes
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::bytea[], $7::text[], $8::smallint[], $9::text[])
    AS c (id, workspace, source, received_ms, request, body, delivery, state, notes)
ORDER BY c.workspace, c.source, c.delivery, c.id
ON CONFLICT (workspace, source, delivery) WHERE delivery IS NOT NULL DO NOTHING
RETURNING id";

/// Counts repeats with the callback that came first.
const REPEAT: &str = "
UPDATE callback c SET repeats = c.repeats + r.times
FROM (SELECT workspace, source, delivery, count(*)::integer AS times
      FROM unnest($1::bigint[], $2::text[], $3::text[]) AS f (workspace, source, delivery)
      GROUP BY workspace, source, delivery) AS r
WHERE c.workspace = r.workspace AND c.source = r.source AND c.delivery = r.delivery
RETURNING c.workspace, c.source, c.delivery, c.id";

/// Several nodes take at once without waiting for each other.
const TAKE: &str = "
UPDATE callback SET due_ms = $2
WHERE id IN (SELECT id FROM callback WHERE state = 0 AND due_ms <= $1 ORDER BY due_ms, id LIMIT $3 FOR UPDATE SKIP LOCKED)
RETURNING ";

/// A callback with the id that it will have.
pub(super) struct Keeping {
    id: CallbackId,
    new: NewCallback,
    request: String,
    notes: String,
}

impl Keeping {
    pub fn new(core: &Core, mut new: NewCallback) -> Result<Self, StoreError> {
        let id = core.ids(1, new.received_ms)?.pop().unwrap_or_default();
        new.delivery = new.delivery.map(record::storable);
        new.source = record::storable(new.source);
        Ok(Self {
            id: CallbackId(id),
            request: record::to_text(&new.request),
            notes: record::to_text(&new.notes),
            new,
        })
    }
}

impl Job for Keeping {
    type Answer = Kept;

    fn weight(&self) -> usize {
        1
    }

    fn dated_ids(&self) -> Vec<i64> {
        Vec::new()
    }

    async fn commit(core: &Core, group: &[Self]) -> Result<Vec<Kept>, Trouble> {
        let mut client = core.client().await?;
        let tx = client.transaction().await?;
        let kept = insert(&*tx, group).await?;
        let repeats: Vec<&Self> = group.iter().filter(|one| !kept.contains(&one.id.0)).collect();
        let firsts = match repeats.is_empty() {
            true => HashMap::new(),
            false => count(&*tx, &repeats).await?,
        };
        tx.commit().await?;
        let answer = |one: &Self| {
            let key = || {
                let delivery = one.new.delivery.clone().unwrap_or_default();
                (one.new.workspace.0, one.new.source.clone(), delivery)
            };
            match kept.contains(&one.id.0) {
                true => Ok(Kept::New(one.id)),
                false => firsts.get(&key()).map(|first| Kept::Repeat(*first)).ok_or_else(|| {
                    // It was deleted between the two statements: its pusher sends it again.
                    Trouble::Other(StoreError::Failed("the callback that came first is gone".into()))
                }),
            }
        };
        group.iter().map(answer).collect()
    }
}

async fn insert(client: &impl GenericClient, group: &[Keeping]) -> Result<Vec<i64>, Trouble> {
    let ids: Vec<i64> = group.iter().map(|one| one.id.0).collect();
    let workspaces: Vec<i64> = group.iter().map(|one| one.new.workspace.0).collect();
    let sources: Vec<&str> = group.iter().map(|one| &*one.new.source).collect();
    let received: Vec<i64> = group.iter().map(|one| one.new.received_ms).collect();
    let requests: Vec<&str> = group.iter().map(|one| &*one.request).collect();
    let bodies: Vec<&[u8]> = group.iter().map(|one| &*one.new.body).collect();
    let deliveries: Vec<Option<&str>> = group.iter().map(|one| one.new.delivery.as_deref()).collect();
    let states: Vec<i16> = group.iter().map(|one| one.new.state.number()).collect();
    let notes: Vec<&str> = group.iter().map(|one| &*one.notes).collect();
    let rows = client
        .query(
            KEEP,
            &[
                &ids,
                &workspaces,
                &sources,
                &received,
                &requests,
                &bodies,
                &deliveries,
                &states,
                &notes,
            ],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

async fn count(
    client: &impl GenericClient,
    repeats: &[&Keeping],
) -> Result<HashMap<(i64, String, String), CallbackId>, Trouble> {
    let workspaces: Vec<i64> = repeats.iter().map(|one| one.new.workspace.0).collect();
    let sources: Vec<&str> = repeats.iter().map(|one| &*one.new.source).collect();
    let deliveries: Vec<&str> = repeats
        .iter()
        .map(|one| one.new.delivery.as_deref().unwrap_or_default())
        .collect();
    let rows = client.query(REPEAT, &[&workspaces, &sources, &deliveries]).await?;
    let firsts = rows
        .iter()
        .map(|row| ((row.get(0), row.get(1), row.get(2)), CallbackId(row.get(3))));
    Ok(firsts.collect())
}

impl PostgresStore {
    async fn take(&self, now_ms: i64, lease_ms: i64, limit: usize) -> Result<Vec<CallbackRow>, Trouble> {
        let client = self.core.client().await?;
        let take = client.prepare_cached(&format!("{TAKE}{COLUMNS}")).await?;
        let until = now_ms.saturating_add(lease_ms);
        let rows = client
            .query(&take, &[&now_ms, &until, &i64::try_from(limit).unwrap_or(i64::MAX)])
            .await?;
        let mut rows = rows.iter().map(row).collect::<Result<Vec<_>, _>>()?;
        rows.sort_by_key(|row| row.id);
        Ok(rows)
    }

    async fn list_callbacks(
        &self,
        workspace: WorkspaceId,
        source: &str,
        filter: CallbackFilter,
        page: Page,
    ) -> Result<Vec<CallbackRow>, Trouble> {
        let client = self.core.client().await?;
        let select = format!(
            "SELECT {COLUMNS} FROM callback
             WHERE workspace = $1 AND source = $2 AND id < $3 AND ($4::smallint IS NULL OR state = $4)
             ORDER BY id DESC LIMIT $5"
        );
        let select = client.prepare_cached(&select).await?;
        let state = filter.state.map(CallbackState::number);
        let (before, limit) = (
            page.before.unwrap_or(i64::MAX),
            i64::try_from(page.limit).unwrap_or(i64::MAX),
        );
        let rows = client
            .query(&select, &[&workspace.0, &source, &before, &state, &limit])
            .await?;
        rows.iter().map(row).collect()
    }

    async fn begin_anew(
        &self,
        workspace: WorkspaceId,
        source: &str,
        which: &Anew,
        now_ms: i64,
    ) -> Result<Vec<CallbackId>, Trouble> {
        let (ids, most) = match which {
            Anew::These(ids) => (Some(ids.iter().map(|id| id.0).collect::<Vec<_>>()), i64::MAX),
            Anew::Failed(most) => (None, i64::try_from(*most).unwrap_or(i64::MAX)),
        };
        let update = "
            UPDATE callback SET state = 0, round = round + 1, tries = 0, due_ms = $4, settled_ms = NULL
            WHERE state <> 0 AND id IN (
                SELECT id FROM callback WHERE workspace = $1 AND source = $2
                  AND (id = ANY ($3::bigint[]) OR ($3::bigint[] IS NULL AND state = 4)) ORDER BY id LIMIT $5)
            RETURNING id";
        let client = self.core.client().await?;
        let rows = client
            .query(update, &[&workspace.0, &source, &ids, &now_ms, &most])
            .await?;
        let mut begun: Vec<CallbackId> = rows.iter().map(|row| CallbackId(row.get(0))).collect();
        begun.sort();
        Ok(begun)
    }
}

impl Callbacks for PostgresStore {
    fn keep(&self, callback: NewCallback) -> Answer<'_, Kept> {
        Box::pin(self.writers.callbacks.write(move || Keeping::new(&self.core, callback)))
    }

    fn take_callbacks(&self, now_ms: i64, lease_ms: i64, limit: usize) -> Answer<'_, Vec<CallbackRow>> {
        Box::pin(async move { Ok(self.take(now_ms, lease_ms, limit).await?) })
    }

    fn settle_callback(&self, round: Round, outcome: CallbackOutcome, now_ms: i64) -> Answer<'_, bool> {
        Box::pin(async move {
            let client = self.core.client().await.map_err(StoreError::from)?;
            Ok(settle(&**client, round, &outcome, &Made::default(), now_ms).await?)
        })
    }

    fn callbacks(
        &self,
        workspace: WorkspaceId,
        source: &str,
        filter: CallbackFilter,
        page: Page,
    ) -> Answer<'_, Vec<CallbackRow>> {
        let source = source.to_owned();
        Box::pin(async move { Ok(self.list_callbacks(workspace, &source, filter, page).await?) })
    }

    fn callback(&self, workspace: WorkspaceId, id: CallbackId) -> Answer<'_, Option<CallbackRow>> {
        Box::pin(async move {
            let client = self.core.client().await.map_err(StoreError::from)?;
            let select = format!("SELECT {COLUMNS} FROM callback WHERE workspace = $1 AND id = $2");
            let found = client.query_opt(&select, &[&workspace.0, &id.0]).await;
            let found = found.map_err(Trouble::from)?;
            Ok(found.as_ref().map(row).transpose()?)
        })
    }

    fn process_anew(
        &self,
        workspace: WorkspaceId,
        source: &str,
        which: Anew,
        now_ms: i64,
    ) -> Answer<'_, Vec<CallbackId>> {
        let source = source.to_owned();
        Box::pin(async move { Ok(self.begin_anew(workspace, &source, &which, now_ms).await?) })
    }

    fn drop_callbacks(&self, before_ms: i64, most: usize) -> Answer<'_, usize> {
        Box::pin(async move {
            let client = self.core.client().await.map_err(StoreError::from)?;
            let delete = "DELETE FROM callback WHERE id IN
                (SELECT id FROM callback WHERE id < $1 AND state <> 0 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)";
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let deleted = client.execute(delete, &[&floor_of(before_ms), &most]).await;
            Ok(usize::try_from(deleted.map_err(Trouble::from)?).unwrap_or(usize::MAX))
        })
    }
}

/// Whether the callback still waits in this turn. It is locked until the end of the transaction of `client`, which writes what comes of it.
pub(super) async fn holds(client: &impl GenericClient, round: Round) -> Result<bool, Trouble> {
    let select = "SELECT 1 FROM callback WHERE id = $1 AND round = $2 AND state = 0 FOR UPDATE";
    let found = client.query_opt(select, &[&round.callback.0, &round.number]).await?;
    Ok(found.is_some())
}

/// Settles a callback in the transaction of `client`; `false`: its turn is over already, and nothing is written.
pub(super) async fn settle(
    client: &impl GenericClient,
    round: Round,
    outcome: &CallbackOutcome,
    made: &Made,
    now_ms: i64,
) -> Result<bool, Trouble> {
    let again = outcome.state == CallbackState::Waiting;
    let update = "UPDATE callback SET state = $3, due_ms = $4, notes = $5, problem = $6, made = $7, settled_ms = $8, tries = tries + $9
                  WHERE id = $1 AND round = $2 AND state = 0";
    let changed = client
        .execute(
            update,
            &[
                &round.callback.0,
                &round.number,
                &outcome.state.number(),
                &outcome.due_ms,
                &record::to_text(&outcome.notes),
                &outcome.problem.as_ref().map(record::to_text),
                &record::to_text(made),
                &(!again).then_some(now_ms),
                &i32::from(again),
            ],
        )
        .await?;
    Ok(changed > 0)
}

fn row(row: &Row) -> Result<CallbackRow, Trouble> {
    Ok(CallbackRow {
        id: CallbackId(row.get(0)),
        workspace: WorkspaceId(row.get(1)),
        source: row.get(2),
        received_ms: row.get(3),
        request: record::from_text(row, 4)?,
        body: row.get(5),
        delivery: row.get(6),
        state: record::callback_state(row, 7)?,
        round: row.get(8),
        tries: row.get(9),
        settled_ms: row.get(10),
        repeats: row.get(11),
        notes: record::from_text(row, 12)?,
        problem: record::optional_from_text(row, 13)?,
        made: record::from_text(row, 14)?,
    })
}
