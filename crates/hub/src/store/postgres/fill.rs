//! A measuring aid: puts delivered events into the history as if they had been accepted and sent on earlier days.

use jiff::ToSpan;
use switchboard_model::id::floor_of;
use tokio_postgres::error::SqlState;

use super::{PostgresStore, Trouble, days};
use crate::store::{Filling, StoreError};

/// The ids of a day are spread over it; node 63 keeps them apart from those that the store gives. 22 bits are below the milliseconds of an id,
/// 16 below the node.
const SERIES: &str = "(SELECT $1::bigint + ((i * 86400000 / $2::bigint) << 22) + (63 << 16) + (i * 2) % 65536 AS id, i
                      FROM generate_series(0, $2::bigint - 1) AS i) s";

impl PostgresStore {
    /// Puts delivered events into the history, for measurements with a large one.
    ///
    /// # Errors
    /// When the database fails, or the same days were filled before.
    pub async fn fill(&self, filling: Filling) -> Result<(), StoreError> {
        Ok(self.fill_days(filling).await?)
    }

    async fn fill_days(&self, filling: Filling) -> Result<(), Trouble> {
        let count = i64::from(filling.days.max(1));
        let each = i64::try_from(filling.events).unwrap_or(i64::MAX) / count;
        let today = days::day_of(floor_of(filling.now_ms));
        for back in (1..=count).rev() {
            let Ok(day) = today.checked_sub(back.days()) else {
                continue;
            };
            self.fill_day(&filling, day, each).await?;
        }
        let client = self.core.client().await?;
        let tally = "INSERT INTO tally (connection, delivered) VALUES ($1, $2)
                     ON CONFLICT (connection) DO UPDATE SET delivered = tally.delivered + excluded.delivered";
        client.execute(tally, &[&filling.connection.0, &(each * count)]).await?;
        // What has lain there for days is on the disk, and autovacuum and the planner know it.
        client.batch_execute("VACUUM (ANALYZE)").await?;
        client
            .batch_execute("CHECKPOINT")
            .await
            .or_else(|error| match error.code() {
                Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Ok(()),
                _ => Err(error),
            })?;
        Ok(())
    }

    async fn fill_day(&self, filling: &Filling, day: jiff::civil::Date, each: i64) -> Result<(), Trouble> {
        let (from, _) = days::range(day);
        let received = "(s.id >> 22) + 1577836800000";
        let (workspace, connection) = (filling.workspace.0, filling.connection.0);
        let text = "x".repeat(filling.bytes);
        let mut client = self.core.client().await?;
        let tx = client.transaction().await?;
        days::make_day(&*tx, day).await?;
        for sql in [
            format!(
                "INSERT INTO event (id, workspace, kind, received_ms, data)
                 SELECT s.id, {workspace}, 'message.received', {received}, '{{\"messageContent\":\"{text}\"}}' FROM {SERIES}"
            ),
            format!(
                "INSERT INTO delivery_history (id, workspace, event, connection, object, record_key, state, attempts, due_ms, fence,
                                               settled_ms, external_id)
                 SELECT s.id + 1, {workspace}, s.id, {connection}, 'lead', 'k-' || s.id, 10, 1, {received}, 1, {received}, 'x-' || s.id
                 FROM {SERIES}"
            ),
            format!(
                "INSERT INTO attempt (id, workspace, delivery, started_ms, duration_ms, operation, request, status, answer, outcome)
                 SELECT s.id, {workspace}, s.id + 1, {received}, 20, 'create', 'POST https://crm.example.org', 201, '{text}', 'delivered'
                 FROM {SERIES}"
            ),
            format!(
                "INSERT INTO seen (workspace, key, content, event)
                 SELECT {workspace}, decode(md5(s.id::text), 'hex'), '\\x0102030405060708', s.id FROM {SERIES}"
            ),
            format!(
                "INSERT INTO link (connection, object, record_key, external_id)
                 SELECT {connection}, 'lead', 'k-' || s.id, 'x-' || s.id FROM {SERIES}"
            ),
        ] {
            tx.execute(&sql, &[&from, &each]).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}
