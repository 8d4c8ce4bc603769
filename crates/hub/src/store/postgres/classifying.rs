//! Messages that wait for their classification, and what models have cost.

use std::sync::Arc;

use jiff::civil::Date;
use switchboard_model::{
    event::Event,
    id::{EventId, WorkspaceId},
};

use super::{PostgresStore, Trouble, record};
use crate::store::{
    Answer, Outbox,
    classifying::{Classifying, Expense, forgotten},
};

/// Two nodes can find the same rows; the second waits for the first and then sees that they are taken.
const CLAIM: &str = "
UPDATE unclassified u SET until_ms = $3
FROM (SELECT event FROM unclassified WHERE workspace = $1 AND until_ms <= $2 ORDER BY event LIMIT $4 FOR UPDATE SKIP LOCKED) f
WHERE u.event = f.event AND u.until_ms <= $2
RETURNING u.event";

/// Counts the call only while both limits leave room for it.
const SPEND: &str = "
INSERT INTO classifier_use AS u (workspace, day, requests, tokens)
SELECT $1::bigint, $2::text, 1, 0 WHERE $3::bigint > 0 AND $4::bigint > 0
ON CONFLICT (workspace, day) DO UPDATE SET requests = u.requests + 1 WHERE u.requests < $3::bigint AND u.tokens < $4::bigint
RETURNING requests";

impl PostgresStore {
    async fn workspaces_waiting(&self, now_ms: i64) -> Result<Vec<WorkspaceId>, Trouble> {
        let client = self.core.client().await?;
        let select = "SELECT DISTINCT workspace FROM unclassified WHERE until_ms <= $1";
        let statement = client.prepare_cached(select).await?;
        let rows = client.query(&statement, &[&now_ms]).await?;
        Ok(rows.iter().map(|row| WorkspaceId(row.get(0))).collect())
    }

    async fn claim(
        &self,
        workspace: WorkspaceId,
        now_ms: i64,
        until_ms: i64,
        limit: usize,
    ) -> Result<Vec<EventId>, Trouble> {
        let client = self.core.client().await?;
        let statement = client.prepare_cached(CLAIM).await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = client
            .query(&statement, &[&workspace.0, &now_ms, &until_ms, &limit])
            .await?;
        Ok(rows.iter().map(|row| EventId(row.get(0))).collect())
    }

    async fn waits_no_longer(&self, event: EventId, note: String) -> Result<(), Trouble> {
        let mut client = self.core.client().await?;
        let tx = client.transaction().await?;
        let waited = tx
            .execute("DELETE FROM unclassified WHERE event = $1", &[&event.0])
            .await?;
        if waited > 0 {
            let note = record::storable(note);
            for table in ["event", "event_kept"] {
                let update = format!("UPDATE {table} SET note = $2 WHERE id = $1");
                tx.execute(&update, &[&event.0, &note]).await?;
            }
        }
        Ok(tx.commit().await?)
    }

    async fn spend(&self, workspace: WorkspaceId, day: Date, limit: Expense) -> Result<bool, Trouble> {
        let client = self.core.client().await?;
        let day_text = day.to_string();
        let (requests, tokens) = (number(limit.requests), number(limit.tokens));
        let row = client
            .query_opt(SPEND, &[&workspace.0, &day_text, &requests, &tokens])
            .await?;
        let count: Option<i64> = row.map(|row| row.get(0));
        if count == Some(1) {
            let delete = "DELETE FROM classifier_use WHERE workspace = $1 AND day <= $2";
            client.execute(delete, &[&workspace.0, &forgotten(day)]).await?;
        }
        Ok(count.is_some())
    }

    async fn add_tokens(&self, workspace: WorkspaceId, day: Date, tokens: u64) -> Result<(), Trouble> {
        let add = "INSERT INTO classifier_use AS u (workspace, day, requests, tokens) VALUES ($1, $2, 0, $3)
                   ON CONFLICT (workspace, day) DO UPDATE SET tokens = u.tokens + excluded.tokens";
        let client = self.core.client().await?;
        client
            .execute(add, &[&workspace.0, &day.to_string(), &number(tokens)])
            .await?;
        Ok(())
    }

    async fn read_spent(&self, workspace: WorkspaceId, day: Date) -> Result<Expense, Trouble> {
        let select = "SELECT requests, tokens FROM classifier_use WHERE workspace = $1 AND day = $2";
        let client = self.core.client().await?;
        let row = client.query_opt(select, &[&workspace.0, &day.to_string()]).await?;
        let expense = row.map(|row| Expense {
            requests: row.get::<_, i64>(0).cast_unsigned(),
            tokens: row.get::<_, i64>(1).cast_unsigned(),
        });
        Ok(expense.unwrap_or_default())
    }

    async fn count_waiting(&self, workspace: WorkspaceId, most: usize) -> Result<usize, Trouble> {
        let select = "SELECT count(*) FROM (SELECT 1 FROM unclassified WHERE workspace = $1 LIMIT $2) waiting";
        let client = self.core.client().await?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let count: i64 = client.query_one(select, &[&workspace.0, &most]).await?.get(0);
        Ok(usize::try_from(count).unwrap_or_default())
    }

    async fn set_until(&self, event: Option<EventId>, until_ms: i64) -> Result<(), Trouble> {
        let client = self.core.client().await?;
        let update = "UPDATE unclassified SET until_ms = $1 WHERE $2::bigint IS NULL OR event = $2";
        client
            .execute(update, &[&until_ms, &event.map(|event| event.0)])
            .await?;
        Ok(())
    }
}

impl Classifying for PostgresStore {
    fn unclassified_workspaces(&self, now_ms: i64) -> Answer<'_, Vec<WorkspaceId>> {
        Box::pin(async move { Ok(self.workspaces_waiting(now_ms).await?) })
    }

    fn claim_unclassified(
        &self,
        workspace: WorkspaceId,
        now_ms: i64,
        until_ms: i64,
        limit: usize,
    ) -> Answer<'_, Vec<Arc<Event>>> {
        Box::pin(async move {
            let ids = self.claim(workspace, now_ms, until_ms, limit).await?;
            let mut events = self.bodies(ids).await?;
            events.sort_unstable_by_key(|event| event.id);
            Ok(events)
        })
    }

    fn postpone_unclassified(&self, event: EventId, from_ms: i64) -> Answer<'_, ()> {
        Box::pin(async move { Ok(self.set_until(Some(event), from_ms).await?) })
    }

    fn release_unclassified(&self) -> Answer<'_, ()> {
        Box::pin(async move { Ok(self.set_until(None, 0).await?) })
    }

    fn classified(&self, event: EventId, note: String) -> Answer<'_, ()> {
        Box::pin(async move { Ok(self.waits_no_longer(event, note).await?) })
    }

    fn spend_request(&self, workspace: WorkspaceId, day: Date, limit: Expense) -> Answer<'_, bool> {
        Box::pin(async move { Ok(self.spend(workspace, day, limit).await?) })
    }

    fn spend_tokens(&self, workspace: WorkspaceId, day: Date, tokens: u64) -> Answer<'_, ()> {
        Box::pin(async move { Ok(self.add_tokens(workspace, day, tokens).await?) })
    }

    fn spent(&self, workspace: WorkspaceId, day: Date) -> Answer<'_, Expense> {
        Box::pin(async move { Ok(self.read_spent(workspace, day).await?) })
    }

    fn unclassified(&self, workspace: WorkspaceId, most: usize) -> Answer<'_, usize> {
        Box::pin(async move { Ok(self.count_waiting(workspace, most).await?) })
    }
}

/// PostgreSQL counts no further than this.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
