//! What pushers have sent.

use std::collections::HashMap;

use switchboard_model::id::{CallbackId, WorkspaceId, floor_of};
use tokio_postgres::{GenericClient, Row};

use super::{Core, PostgresStore, Trouble, record, writer::Job};
use crate::store::{
    Answer, Page, StoreError,
    callbacks::{
        Anew, Begun, CallbackFilter, CallbackOutcome, CallbackRow, CallbackState, Callbacks, Kept, Made, NewCallback,
        Round, join_notes, together,
    },
};

/// In the order of [`row`].
const COLUMNS: &str = "id, workspace, source, received_ms, request, body, delivery, state, round, tries, settled_ms, repeats, notes, \
                       problem, made, starts";

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

const DUE: &str = "
SELECT workspace, source FROM callback WHERE state = 0
GROUP BY workspace, source HAVING min(due_ms) <= $1 ORDER BY min(due_ms)";

/// Several nodes take at once without waiting for each other.
const LOOK: &str = "
SELECT id, starts FROM callback WHERE state = 0 AND workspace = $1 AND source = $2 AND due_ms <= $3
ORDER BY due_ms, id LIMIT $4 FOR UPDATE SKIP LOCKED";
const TAKE: &str = "UPDATE callback SET due_ms = $2, starts = starts + 1 WHERE id = ANY ($1) RETURNING ";

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
    async fn due(&self, now_ms: i64) -> Result<Vec<(WorkspaceId, String)>, Trouble> {
        let client = self.core.client().await?;
        let due = client.prepare_cached(DUE).await?;
        let rows = client.query(&due, &[&now_ms]).await?;
        Ok(rows.iter().map(|row| (WorkspaceId(row.get(0)), row.get(1))).collect())
    }

    async fn take(
        &self,
        (workspace, source): (WorkspaceId, &str),
        now_ms: i64,
        lease_ms: i64,
        limit: usize,
    ) -> Result<Vec<CallbackRow>, Trouble> {
        let mut client = self.core.client().await?;
        let tx = client.transaction().await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let look = tx.prepare_cached(LOOK).await?;
        let due = tx.query(&look, &[&workspace.0, &source, &now_ms, &limit]).await?;
        let due: Vec<(CallbackId, i32)> = due.iter().map(|row| (CallbackId(row.get(0)), row.get(1))).collect();
        let ids: Vec<i64> = together(&due).iter().map(|id| id.0).collect();
        let take = tx.prepare_cached(&format!("{TAKE}{COLUMNS}")).await?;
        let rows = tx.query(&take, &[&ids, &now_ms.saturating_add(lease_ms)]).await?;
        tx.commit().await?;
        let mut rows = rows.iter().map(row).collect::<Result<Vec<_>, _>>()?;
        rows.sort_by_key(|row| ids.iter().position(|id| *id == row.id.0));
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
    ) -> Result<Begun, Trouble> {
        let waiting = CallbackState::Waiting.number();
        let mut client = self.core.client().await?;
        let tx = client.transaction().await?;
        let found = match which {
            Anew::These { ids, .. } => {
                let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
                let select = "SELECT id, state, made FROM callback
                              WHERE workspace = $1 AND source = $2 AND id = ANY ($3) AND state <> $4 ORDER BY id FOR UPDATE";
                tx.query(select, &[&workspace.0, &source, &ids, &waiting]).await?
            }
            Anew::Failed(most) => {
                let most = i64::try_from(*most).unwrap_or(i64::MAX);
                let failed = CallbackState::Failed.number();
                let select = "SELECT id, state, made FROM callback
                              WHERE workspace = $1 AND source = $2 AND state = $3 ORDER BY id LIMIT $4 FOR UPDATE";
                tx.query(select, &[&workspace.0, &source, &failed, &most]).await?
            }
        };
        let found = found.iter().map(|row| {
            let made = record::from_text(row, 2)?;
            Ok((CallbackId(row.get(0)), record::callback_state(row, 1)?, made))
        });
        let parted = Begun::of(which, found.collect::<Result<Vec<_>, Trouble>>()?);
        let ids: Vec<i64> = parted.begun.iter().map(|id| id.0).collect();
        let update =
            "UPDATE callback SET state = $2, round = round + 1, tries = 0, starts = 0, due_ms = $3, settled_ms = NULL
                      WHERE id = ANY ($1)";
        tx.execute(update, &[&ids, &waiting, &now_ms]).await?;
        tx.commit().await?;
        Ok(parted)
    }
}

impl Callbacks for PostgresStore {
    fn keep(&self, callback: NewCallback) -> Answer<'_, Kept> {
        Box::pin(self.writers.callbacks.write(move || Keeping::new(&self.core, callback)))
    }

    fn due_sources(&self, now_ms: i64) -> Answer<'_, Vec<(WorkspaceId, String)>> {
        Box::pin(async move { Ok(self.due(now_ms).await?) })
    }

    fn take_callbacks(
        &self,
        workspace: WorkspaceId,
        source: &str,
        now_ms: i64,
        lease_ms: i64,
        limit: usize,
    ) -> Answer<'_, Vec<CallbackRow>> {
        let source = source.to_owned();
        Box::pin(async move { Ok(self.take((workspace, &source), now_ms, lease_ms, limit).await?) })
    }

    fn settle_callback(&self, round: Round, outcome: CallbackOutcome, now_ms: i64) -> Answer<'_, bool> {
        Box::pin(async move {
            let client = self.core.client().await.map_err(StoreError::from)?;
            Ok(settle(&**client, round, &outcome, None, now_ms).await?)
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

    fn process_anew(&self, workspace: WorkspaceId, source: &str, which: Anew, now_ms: i64) -> Answer<'_, Begun> {
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

/// Settles a callback in the transaction of `client`; `false`: its turn is over already, and nothing is written. Without `made`, what it made
/// before stays named.
pub(super) async fn settle(
    client: &impl GenericClient,
    round: Round,
    outcome: &CallbackOutcome,
    made: Option<&Made>,
    now_ms: i64,
) -> Result<bool, Trouble> {
    let select = "SELECT notes FROM callback WHERE id = $1 AND round = $2 AND state = 0";
    let Some(found) = client.query_opt(select, &[&round.callback.0, &round.number]).await? else {
        return Ok(false);
    };
    let notes = join_notes(record::from_text(&found, 0)?, &outcome.notes);
    let again = outcome.state == CallbackState::Waiting;
    let update = "UPDATE callback SET state = $3, due_ms = $4, notes = $5, problem = $6, made = coalesce($7, made), settled_ms = $8,
                      tries = tries + $9, starts = 0
                  WHERE id = $1 AND round = $2 AND state = 0";
    let changed = client
        .execute(
            update,
            &[
                &round.callback.0,
                &round.number,
                &outcome.state.number(),
                &outcome.due_ms,
                &record::to_text(&notes),
                &outcome.problem.as_ref().map(record::to_text),
                &made.map(record::to_text),
                &(!again).then_some(now_ms),
                &i32::from(again && outcome.counts),
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
        starts: row.get(15),
    })
}
