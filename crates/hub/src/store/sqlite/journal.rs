//! Lists and single rows for people and programs. Every list is a range of an index that ends at its limit.

use rusqlite::{Connection, OptionalExtension, ToSql, params};
use switchboard_model::id::{ConnectionId, DeliveryId, EventId, WorkspaceId, floor_of};

use super::{SqliteStore, record};
use crate::store::{Answer, AttemptRow, DeliveryFilter, DeliveryRow, EventFilter, EventRow, Journal, Page, Tally};

const EVENT: &str = "SELECT id, workspace, kind, received_ms, data, note FROM event";
const DELIVERY: &str = "SELECT id, event, connection, object, record_key, state, attempts, due_ms, settled_ms, external_id, \
                        problem, carrier, handed_over_ms FROM delivery";
const ATTEMPT: &str = "SELECT id, started_ms, duration_ms, operation, request, status, answer, outcome, \
                       records FROM attempt";

/// A `WHERE` that grows.
#[derive(Default)]
struct Conditions {
    text: String,
    values: Vec<Box<dyn ToSql>>,
}

impl Conditions {
    fn and(&mut self, column: &str, value: impl ToSql + 'static) {
        self.text
            .push_str(if self.text.is_empty() { " WHERE " } else { " AND " });
        self.values.push(Box::new(value));
        self.text.push_str(&format!("{column} ?{}", self.values.len()));
    }

    fn page(mut self, select: &str, page: Page) -> (String, Vec<Box<dyn ToSql>>) {
        if let Some(before) = page.before {
            self.and("id <", before);
        }
        self.values.push(Box::new(page.limit));
        (
            format!("{select}{} ORDER BY id DESC LIMIT ?{}", self.text, self.values.len()),
            self.values,
        )
    }
}

/// The deliveries of a workspace that pass the filter.
fn passing(workspace: WorkspaceId, filter: &DeliveryFilter) -> Conditions {
    let mut conditions = Conditions::default();
    conditions.and("workspace =", workspace.0);
    if let Some(event) = filter.event {
        conditions.and("event =", event.0);
    }
    if let Some(connection) = filter.connection {
        conditions.and("connection =", connection.0);
    }
    if let Some(state) = filter.state {
        conditions.and("state =", state as u8);
    }
    if let Some(object) = &filter.object {
        conditions.and("object =", object.clone());
    }
    if let Some(from_ms) = filter.from_ms {
        conditions.and("id >=", floor_of(from_ms));
    }
    if let Some(until_ms) = filter.until_ms {
        conditions.and("id <", floor_of(until_ms));
    }
    conditions
}

/// The ids of those that pass the filter and are in one of `states` (numbers, separated by commas), oldest first.
pub(super) fn selected(
    db: &Connection,
    workspace: WorkspaceId,
    filter: &DeliveryFilter,
    states: &str,
    after: DeliveryId,
    limit: usize,
) -> rusqlite::Result<Vec<DeliveryId>> {
    let mut conditions = passing(workspace, filter);
    conditions.and("id >", after.0);
    conditions.values.push(Box::new(limit));
    let sql = format!(
        "SELECT id FROM delivery{} AND state IN ({states}) ORDER BY id LIMIT ?{}",
        conditions.text,
        conditions.values.len()
    );
    let mut select = db.prepare_cached(&sql)?;
    let rows = select.query_map(rusqlite::params_from_iter(conditions.values), |row| {
        row.get(0).map(DeliveryId)
    })?;
    rows.collect()
}

impl Journal for SqliteStore {
    fn events(&self, workspace: WorkspaceId, filter: EventFilter, page: Page) -> Answer<'_, Vec<EventRow>> {
        Box::pin(self.readers.read(move |db| {
            let mut conditions = Conditions::default();
            conditions.and("workspace =", workspace.0);
            if let Some(kind) = filter.kind {
                conditions.and("kind =", kind);
            }
            let (sql, values) = conditions.page(EVENT, page);
            let mut select = db.prepare_cached(&sql)?;
            let rows = select.query_map(rusqlite::params_from_iter(values), record::event_row)?;
            rows.collect()
        }))
    }

    fn event(&self, workspace: WorkspaceId, id: EventId) -> Answer<'_, Option<EventRow>> {
        Box::pin(self.readers.read(move |db| {
            db.prepare_cached(&format!("{EVENT} WHERE id = ?1 AND workspace = ?2"))?
                .query_row(params![id.0, workspace.0], record::event_row)
                .optional()
        }))
    }

    fn deliveries(&self, workspace: WorkspaceId, filter: DeliveryFilter, page: Page) -> Answer<'_, Vec<DeliveryRow>> {
        Box::pin(self.readers.read(move |db| {
            let (sql, values) = passing(workspace, &filter).page(DELIVERY, page);
            let mut select = db.prepare_cached(&sql)?;
            let rows = select.query_map(rusqlite::params_from_iter(values), record::delivery_row)?;
            rows.collect()
        }))
    }

    fn delivery(&self, workspace: WorkspaceId, id: DeliveryId) -> Answer<'_, Option<DeliveryRow>> {
        Box::pin(self.readers.read(move |db| {
            db.prepare_cached(&format!("{DELIVERY} WHERE id = ?1 AND workspace = ?2"))?
                .query_row(params![id.0, workspace.0], record::delivery_row)
                .optional()
        }))
    }

    fn attempts(&self, workspace: WorkspaceId, delivery: DeliveryId) -> Answer<'_, Vec<AttemptRow>> {
        Box::pin(self.readers.read(move |db| {
            let mut select = db.prepare_cached(&format!(
                "{ATTEMPT} WHERE delivery = ?1 AND workspace = ?2 ORDER BY id LIMIT 1000"
            ))?;
            let rows = select.query_map(params![delivery.0, workspace.0], record::attempt_row)?;
            rows.collect()
        }))
    }

    fn tally(&self, workspace: WorkspaceId, connection: ConnectionId) -> Answer<'_, Tally> {
        Box::pin(self.readers.read(move |db| {
            let counts: Option<(u64, Option<i64>)> = db
                .prepare_cached("SELECT delivered, last_delivered_ms FROM tally WHERE connection = ?1")?
                .query_row([connection.0], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let (delivered, last_delivered_ms) = counts.unwrap_or_default();
            let pending = db
                .prepare_cached("SELECT count(*) FROM delivery WHERE connection = ?1 AND state < 10")?
                .query_row([connection.0], |row| row.get(0))?;
            let dead = db
                .prepare_cached(
                    "SELECT count(*) FROM delivery WHERE workspace = ?1 AND connection = ?2 AND state = 11",
                )?
                .query_row([workspace.0, connection.0], |row| row.get(0))?;
            let last_problem = db
                .prepare_cached(
                    "SELECT problem FROM delivery WHERE workspace = ?1 AND connection = ?2 AND state = 11
                     ORDER BY id DESC LIMIT 1",
                )?
                .query_row([workspace.0, connection.0], |row| record::optional_from_text(row, 0))
                .optional()?
                .flatten();
            Ok(Tally {
                pending,
                delivered,
                dead,
                last_delivered_ms,
                last_problem,
            })
        }))
    }
}
