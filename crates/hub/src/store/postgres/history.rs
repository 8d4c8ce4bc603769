//! Days: listed from the catalogue, dropped with their partitions.
//!
//! Only fingerprints have to be moved on this store: events are written into the partition of their day, and a delivery goes there when it
//! arrives.

use std::collections::BTreeMap;

use jiff::civil::Date;
use tokio_postgres::error::SqlState;

use super::{
    PostgresStore, Trouble,
    days::{LOCK, TABLES, partition, range},
    seen,
};
use crate::store::{Answer, DayRow, History};

/// A slice of a deletion that does not go by partitions; larger ones keep other transactions waiting for the disk.
const SLICE: i64 = 20_000;
/// Dropping waits for statements that read the day; others wait behind it, so it gives up and tries again.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '300ms'";
/// How often.
const TRIES: usize = 50;

impl History for PostgresStore {
    fn archive(&self, most: usize) -> Answer<'_, usize> {
        Box::pin(async move { Ok(seen::move_slice(&self.core, most).await?) })
    }

    fn archivable(&self) -> Answer<'_, usize> {
        Box::pin(async { Ok(0) })
    }

    fn days(&self) -> Answer<'_, Vec<DayRow>> {
        Box::pin(async move { Ok(self.list_days().await?) })
    }

    fn drop_day(&self, day: Date) -> Answer<'_, ()> {
        Box::pin(async move { Ok(self.drop_one(day).await?) })
    }
}

impl PostgresStore {
    /// The days that hold anything.
    async fn list_days(&self) -> Result<Vec<DayRow>, Trouble> {
        let client = self.core.client().await?;
        let rows = client
            .query(
                "SELECT c.relname::text, pg_relation_size(c.oid), pg_total_relation_size(c.oid)
                 FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
                 WHERE p.oid = ANY (SELECT to_regclass(t)::oid FROM unnest($1::text[]) AS t)",
                &[&&TABLES[..]],
            )
            .await?;
        let mut days = BTreeMap::new();
        for row in &rows {
            let (rows_bytes, bytes): (i64, i64) = (row.get(1), row.get(2));
            let name: &str = row.get(0);
            let day = name
                .rsplit('_')
                .next()
                .and_then(|day| Date::strptime("%Y%m%d", day).ok());
            // Partitions that were made ahead are empty.
            if let Some(day) = day.filter(|_| rows_bytes > 0) {
                *days.entry(day).or_default() += u64::try_from(bytes).unwrap_or_default();
            }
        }
        Ok(days.into_iter().map(|(day, bytes)| DayRow { day, bytes }).collect())
    }

    async fn drop_one(&self, day: Date) -> Result<(), Trouble> {
        let (from, to) = range(day);
        self.in_slices(
            "DELETE FROM delivery WHERE id IN
             (SELECT id FROM delivery WHERE id >= $1 AND id < $2 AND state >= 10 ORDER BY id LIMIT $3)",
            from,
            to,
        )
        .await?;
        self.drop_runs(from, to).await?;
        self.drop_partitions(day).await?;
        self.core.days.forget();
        self.in_slices(
            "DELETE FROM event_kept WHERE id IN
             (SELECT id FROM event_kept k WHERE id >= $1 AND id < $2
              AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.event = k.id)
              AND NOT EXISTS (SELECT 1 FROM unclassified u WHERE u.event = k.id) ORDER BY id LIMIT $3)",
            from,
            to,
        )
        .await?;
        self.drop_fingerprints(from, to).await
    }

    /// First those that have not moved. A slice that is on its way is waited for before the others: it has read what is gone now.
    async fn drop_fingerprints(&self, from: i64, to: i64) -> Result<(), Trouble> {
        for table in ["recent", "seen"] {
            let client = self.core.client().await?;
            client.execute("UPDATE recent_moved SET copied = copied", &[]).await?;
            drop(client);
            let delete = format!(
                "DELETE FROM {table} WHERE (workspace, key) IN
                 (SELECT workspace, key FROM {table} s WHERE event >= $1 AND event < $2
                  AND NOT EXISTS (SELECT 1 FROM event_kept k WHERE k.id = s.event) ORDER BY event LIMIT $3)"
            );
            self.in_slices(&delete, from, to).await?;
        }
        Ok(())
    }

    /// Events that something waits for are copied first, which takes as long as it takes and keeps nobody waiting; what came to them meanwhile
    /// is copied in the transaction that drops the day.
    async fn drop_partitions(&self, day: Date) -> Result<(), Trouble> {
        let (from, to) = range(day);
        let keep = "INSERT INTO event_kept SELECT * FROM event e
                    WHERE e.id >= $1 AND e.id < $2
                      AND (EXISTS (SELECT 1 FROM delivery d WHERE d.event = e.id)
                           OR EXISTS (SELECT 1 FROM unclassified u WHERE u.event = e.id))
                      AND NOT EXISTS (SELECT 1 FROM event_kept k WHERE k.id = e.id)
                    ON CONFLICT DO NOTHING";
        let mut client = self.core.client().await?;
        client.execute(keep, &[&from, &to]).await?;
        let tables: Vec<String> = TABLES.iter().map(|table| partition(table, day)).collect();
        let drop = format!("DROP TABLE IF EXISTS {}", tables.join(", "));
        let mut tries = 0;
        loop {
            let tx = client.transaction().await?;
            tx.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
            tx.batch_execute(LOCK_TIMEOUT).await?;
            tx.execute(keep, &[&from, &to]).await?;
            match tx.batch_execute(&drop).await {
                Ok(()) => return Ok(tx.commit().await?),
                Err(error) if tries < TRIES && error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
                    tx.rollback().await?;
                }
                Err(error) => return Err(error.into()),
            }
            tries += 1;
        }
    }

    /// Runs that are over, with their steps, and versions that no run has any more.
    async fn drop_runs(&self, from: i64, to: i64) -> Result<(), Trouble> {
        self.in_slices(
            "WITH gone AS (DELETE FROM run WHERE id IN
                 (SELECT id FROM run WHERE id >= $1 AND id < $2 AND state >= 10 ORDER BY id LIMIT $3) RETURNING id)
             DELETE FROM run_step WHERE run IN (SELECT id FROM gone)",
            from,
            to,
        )
        .await?;
        // Those that failed before their first step have no steps.
        self.in_slices(
            "DELETE FROM run WHERE id IN (SELECT id FROM run WHERE id >= $1 AND id < $2 AND state >= 10 ORDER BY id LIMIT $3)",
            from,
            to,
        )
        .await?;
        let client = self.core.client().await?;
        client
            .execute(
                "DELETE FROM automation_version v WHERE NOT EXISTS
                     (SELECT 1 FROM run r WHERE r.workspace = v.workspace AND r.version = v.digest)",
                &[],
            )
            .await?;
        Ok(())
    }

    async fn in_slices(&self, delete: &str, from: i64, to: i64) -> Result<(), Trouble> {
        let client = self.core.client().await?;
        let statement = client.prepare_cached(delete).await?;
        while client.execute(&statement, &[&from, &to, &SLICE]).await? > 0 {}
        Ok(())
    }
}
