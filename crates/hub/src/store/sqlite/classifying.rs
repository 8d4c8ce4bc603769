//! Messages that wait for their classification, and what models have cost.

use std::sync::Arc;

use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension, params};
use switchboard_model::{
    event::Event,
    id::{EventId, WorkspaceId},
};

use super::{SqliteStore, accept::is_over, outbox::body};
use crate::store::{
    Answer,
    classifying::{Classifying, Expense, forgotten},
};

impl Classifying for SqliteStore {
    fn unclassified_workspaces(&self, now_ms: i64) -> Answer<'_, Vec<WorkspaceId>> {
        Box::pin(self.readers.read(move |db| {
            let mut select = db.prepare_cached("SELECT DISTINCT workspace FROM unclassified WHERE until_ms <= ?1")?;
            let rows = select.query_map([now_ms], |row| row.get(0).map(WorkspaceId))?;
            rows.collect()
        }))
    }

    fn claim_unclassified(
        &self,
        workspace: WorkspaceId,
        now_ms: i64,
        until_ms: i64,
        limit: usize,
    ) -> Answer<'_, Vec<Arc<Event>>> {
        Box::pin(self.writer.write(move |db| {
            let ids: Vec<i64> = db
                .prepare_cached(
                    "SELECT event FROM unclassified WHERE workspace = ?1 AND until_ms <= ?2 ORDER BY event LIMIT ?3",
                )?
                .query_map(params![workspace.0, now_ms, limit], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            let mut claim = db.prepare_cached("UPDATE unclassified SET until_ms = ?2 WHERE event = ?1")?;
            let mut events = Vec::with_capacity(ids.len());
            for id in ids {
                claim.execute(params![id, until_ms])?;
                // What waits is in the database: only what is over leaves it.
                events.extend(body(db, EventId(id))?.map(Arc::new));
            }
            Ok(events)
        }))
    }

    fn postpone_unclassified(&self, event: EventId, from_ms: i64) -> Answer<'_, ()> {
        Box::pin(self.writer.write(move |db| {
            db.prepare_cached("UPDATE unclassified SET until_ms = ?2 WHERE event = ?1")?
                .execute(params![event.0, from_ms])
                .map(|_| ())
        }))
    }

    fn release_unclassified(&self) -> Answer<'_, ()> {
        Box::pin(
            self.writer
                .write(|db| db.execute("UPDATE unclassified SET until_ms = 0", []).map(|_| ())),
        )
    }

    fn classified(&self, event: EventId, note: String) -> Answer<'_, ()> {
        Box::pin(self.writer.write(move |db| {
            let waited = db
                .prepare_cached("DELETE FROM unclassified WHERE event = ?1")?
                .execute([event.0])?;
            if waited > 0 {
                db.prepare_cached("UPDATE event SET note = ?2 WHERE id = ?1")?
                    .execute(params![event.0, note])?;
                is_over(db, event)?;
            }
            Ok(())
        }))
    }

    fn spend_request(&self, workspace: WorkspaceId, day: Date, limit: Expense) -> Answer<'_, bool> {
        Box::pin(self.writer.write(move |db| {
            let spent = spent(db, workspace, day)?;
            if spent.requests >= limit.requests || spent.tokens >= limit.tokens {
                return Ok(false);
            }
            if spent == Expense::default() {
                db.prepare_cached("DELETE FROM classifier_use WHERE workspace = ?1 AND day <= ?2")?
                    .execute(params![workspace.0, forgotten(day)])?;
            }
            add(db, workspace, day, Expense { requests: 1, tokens: 0 })?;
            Ok(true)
        }))
    }

    fn spend_tokens(&self, workspace: WorkspaceId, day: Date, tokens: u64) -> Answer<'_, ()> {
        Box::pin(
            self.writer
                .write(move |db| add(db, workspace, day, Expense { requests: 0, tokens })),
        )
    }

    fn spent(&self, workspace: WorkspaceId, day: Date) -> Answer<'_, Expense> {
        Box::pin(self.readers.read(move |db| spent(db, workspace, day)))
    }

    fn unclassified(&self, workspace: WorkspaceId, most: usize) -> Answer<'_, usize> {
        Box::pin(self.readers.read(move |db| {
            db.prepare_cached("SELECT count(*) FROM (SELECT 1 FROM unclassified WHERE workspace = ?1 LIMIT ?2)")?
                .query_row(params![workspace.0, most], |row| row.get(0))
        }))
    }
}

/// Puts a new event among those that wait.
pub(super) fn wait(db: &Connection, event: &Event) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO unclassified (event, workspace, until_ms) VALUES (?1, ?2, 0)")?
        .execute(params![event.id.0, event.workspace.0])
        .map(|_| ())
}

fn spent(db: &Connection, workspace: WorkspaceId, day: Date) -> rusqlite::Result<Expense> {
    let row = db
        .prepare_cached("SELECT requests, tokens FROM classifier_use WHERE workspace = ?1 AND day = ?2")?
        .query_row(params![workspace.0, day.to_string()], |row| {
            Ok(Expense {
                requests: row.get::<_, i64>(0)?.cast_unsigned(),
                tokens: row.get::<_, i64>(1)?.cast_unsigned(),
            })
        })
        .optional()?;
    Ok(row.unwrap_or_default())
}

fn add(db: &Connection, workspace: WorkspaceId, day: Date, more: Expense) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO classifier_use (workspace, day, requests, tokens) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (workspace, day) DO UPDATE SET requests = requests + excluded.requests, tokens = tokens + excluded.tokens",
    )?
    .execute(params![
        workspace.0,
        day.to_string(),
        more.requests.cast_signed(),
        more.tokens.cast_signed()
    ])
    .map(|_| ())
}
