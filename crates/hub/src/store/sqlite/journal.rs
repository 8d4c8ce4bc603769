//! Lists and single rows for people and programs. Every list is a range of an index that ends at its limit, in the database and then in one
//! day after the other until the page is full.

use std::{collections::BTreeMap, sync::Arc};

use rusqlite::{Connection, OptionalExtension, ToSql, params};
use switchboard_model::{
    delivery::DeliveryState,
    id::{ConnectionId, DeliveryId, EventId, WorkspaceId, floor_of},
};

use super::{
    SqliteStore,
    days::{Day, Days},
    record,
};
use crate::store::{Answer, AttemptRow, DeliveryFilter, DeliveryRow, EventFilter, EventRow, Journal, Page, Tally};

const EVENT: &str = "SELECT id, workspace, kind, received_ms, data, note FROM event";
const DELIVERY: &str = "SELECT id, event, connection, object, record_key, state, attempts, due_ms, settled_ms, external_id, \
                        problem, carrier, handed_over_ms, options FROM delivery";
const ATTEMPT: &str = "SELECT id, started_ms, duration_ms, operation, request, status, answer, outcome, \
                       records FROM attempt";
/// More calls of one delivery are not shown.
const MOST_ATTEMPTS: usize = 1_000;

/// A `WHERE` that grows.
#[derive(Default)]
struct Conditions {
    text: String,
    values: Vec<Box<dyn ToSql + Send>>,
}

impl Conditions {
    fn and(&mut self, column: &str, value: impl ToSql + Send + 'static) {
        self.values.push(Box::new(value));
        let place = self.values.len();
        self.and_text(&format!("{column} ?{place}"));
    }

    fn and_text(&mut self, condition: &str) {
        self.text
            .push_str(if self.text.is_empty() { " WHERE " } else { " AND " });
        self.text.push_str(condition);
    }

    fn limited(mut self, select: &str, order: &str, limit: usize) -> (String, Vec<Box<dyn ToSql + Send>>) {
        self.values.push(Box::new(limit));
        (
            format!("{select}{} ORDER BY {order} LIMIT ?{}", self.text, self.values.len()),
            self.values,
        )
    }
}

/// The deliveries of a workspace that pass the filter. A plus keeps an index that holds much from being chosen before one that holds little.
fn passing(workspace: WorkspaceId, filter: &DeliveryFilter, state: Option<DeliveryState>) -> Conditions {
    let mut conditions = Conditions::default();
    let narrow = filter.event.is_some() || filter.connection.is_some();
    conditions.and(if narrow { "+workspace =" } else { "workspace =" }, workspace.0);
    if let Some(event) = filter.event {
        conditions.and("event =", event.0);
    }
    if let Some(connection) = filter.connection {
        let column = if filter.event.is_some() {
            "+connection ="
        } else {
            "connection ="
        };
        conditions.and(column, connection.0);
    }
    if let Some(state) = state {
        // Written out, so that the indexes of rare states can be used; all open states are in the outbox's.
        conditions.and_text(&format!("state = {}", state as u8));
        if !state.is_settled() {
            conditions.and_text("state < 10");
        }
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

/// The ids of those in the database that pass the filter and are in one of `states`, oldest first.
pub(super) fn selected(
    db: &Connection,
    workspace: WorkspaceId,
    filter: &DeliveryFilter,
    states: &[DeliveryState],
    after: DeliveryId,
    limit: usize,
) -> rusqlite::Result<Vec<DeliveryId>> {
    let mut all = Vec::new();
    let wanted = |state: &&DeliveryState| filter.state.is_none_or(|only| only == **state);
    for state in states.iter().filter(wanted) {
        let mut conditions = passing(workspace, filter, Some(*state));
        conditions.and("id >", after.0);
        let (sql, values) = conditions.limited("SELECT id FROM delivery", "id", limit);
        let mut select = db.prepare_cached(&sql)?;
        let rows = select.query_map(rusqlite::params_from_iter(values), |row| row.get(0).map(DeliveryId))?;
        for id in rows {
            all.push(id?);
        }
    }
    all.sort_unstable();
    all.truncate(limit);
    Ok(all)
}

/// A page of rows: those of the database, which count where a row is in both, and those of the days that can hold any of the page.
struct Paging<'a> {
    hot: &'a Connection,
    days: &'a Days,
    /// No row of the page has this id or a greater one.
    below: i64,
    /// Every row of the page has this id or a greater one.
    least: i64,
    limit: usize,
}

impl Paging<'_> {
    fn rows<T>(
        &self,
        read: impl Fn(&Connection) -> rusqlite::Result<Vec<T>>,
        id: impl Fn(&T) -> i64,
    ) -> rusqlite::Result<Vec<T>> {
        let mut page: BTreeMap<i64, T> = read(self.hot)?.into_iter().map(|row| (id(&row), row)).collect();
        let days = self.days.all().into_iter().rev();
        for day in days.filter(|day| day.floor() < self.below && day.end() > self.least) {
            // What is there already and newer than this day fills the page.
            if page.range(day.end()..).count() >= self.limit {
                break;
            }
            for row in self.days.read(day, &read)?.into_iter().flatten() {
                page.entry(id(&row)).or_insert(row);
            }
        }
        Ok(page.into_values().rev().take(self.limit).collect())
    }
}

fn list<T>(
    db: &Connection,
    sql: &str,
    values: &[Box<dyn ToSql + Send>],
    row: fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let mut select = db.prepare_cached(sql)?;
    let rows = select.query_map(rusqlite::params_from_iter(values), row)?;
    rows.collect()
}

/// A row by its id: from the database, else from its day.
fn single<T>(
    db: &Connection,
    days: &Days,
    select: &str,
    (id, workspace): (i64, WorkspaceId),
    row: fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    let sql = format!("{select} WHERE id = ?1 AND workspace = ?2");
    let read = |db: &Connection| {
        db.prepare_cached(&sql)?
            .query_row(params![id, workspace.0], row)
            .optional()
    };
    match read(db)? {
        Some(found) => Ok(Some(found)),
        None => Ok(days.read(Day::of(id), read)?.flatten()),
    }
}

fn attempts(
    db: &Connection,
    days: &Days,
    workspace: WorkspaceId,
    delivery: DeliveryId,
) -> rusqlite::Result<Vec<AttemptRow>> {
    let Some(row) = single(db, days, DELIVERY, (delivery.0, workspace), record::delivery_row)? else {
        return Ok(Vec::new());
    };
    let sql = format!("{ATTEMPT} WHERE delivery = ?1 AND +workspace = ?2 ORDER BY id LIMIT {MOST_ATTEMPTS}");
    let values: [Box<dyn ToSql + Send>; 2] = [Box::new(delivery.0), Box::new(workspace.0)];
    let read = |db: &Connection| list(db, &sql, &values, record::attempt_row);
    let mut found: BTreeMap<i64, AttemptRow> = read(db)?.into_iter().map(|row| (row.id.0, row)).collect();
    let last = row
        .settled_ms
        .filter(|_| row.state == DeliveryState::Delivered)
        .map(Day::at);
    let first = Day::of(row.event.0).min(Day::of(delivery.0));
    let between = |day: &Day| *day >= first && last.is_none_or(|last| *day <= last);
    for day in days.all().into_iter().filter(between) {
        for row in days.read(day, read)?.into_iter().flatten() {
            found.entry(row.id.0).or_insert(row);
        }
    }
    Ok(found.into_values().take(MOST_ATTEMPTS).collect())
}

impl Journal for SqliteStore {
    fn events(&self, workspace: WorkspaceId, filter: EventFilter, page: Page) -> Answer<'_, Vec<EventRow>> {
        let days = Arc::clone(&self.days);
        Box::pin(self.readers.read(move |db| {
            let mut conditions = Conditions::default();
            conditions.and("workspace =", workspace.0);
            if let Some(kind) = filter.kind {
                conditions.and("kind =", kind);
            }
            if let Some(before) = page.before {
                conditions.and("id <", before);
            }
            let (sql, values) = conditions.limited(EVENT, "id DESC", page.limit);
            let paging = Paging {
                hot: db,
                days: &days,
                below: page.before.unwrap_or(i64::MAX),
                least: 0,
                limit: page.limit,
            };
            paging.rows(|db| list(db, &sql, &values, record::event_row), |row| row.event.id.0)
        }))
    }

    fn event(&self, workspace: WorkspaceId, id: EventId) -> Answer<'_, Option<EventRow>> {
        let days = Arc::clone(&self.days);
        let read = move |db: &Connection| single(db, &days, EVENT, (id.0, workspace), record::event_row);
        Box::pin(self.readers.read(read))
    }

    fn deliveries(&self, workspace: WorkspaceId, filter: DeliveryFilter, page: Page) -> Answer<'_, Vec<DeliveryRow>> {
        let days = Arc::clone(&self.days);
        Box::pin(self.readers.read(move |db| {
            let mut conditions = passing(workspace, &filter, filter.state);
            if let Some(before) = page.before {
                conditions.and("id <", before);
            }
            let (sql, values) = conditions.limited(DELIVERY, "id DESC", page.limit);
            let only_hot = filter.state.is_some_and(|state| state != DeliveryState::Delivered);
            let below = [page.before, filter.until_ms.map(floor_of), only_hot.then_some(0)];
            // A delivery is younger than its event.
            let least = [filter.event.map(|event| event.0), filter.from_ms.map(floor_of)];
            let paging = Paging {
                hot: db,
                days: &days,
                below: below.into_iter().flatten().min().unwrap_or(i64::MAX),
                least: least.into_iter().flatten().max().unwrap_or_default(),
                limit: page.limit,
            };
            paging.rows(|db| list(db, &sql, &values, record::delivery_row), |row| row.id.0)
        }))
    }

    fn delivery(&self, workspace: WorkspaceId, id: DeliveryId) -> Answer<'_, Option<DeliveryRow>> {
        let days = Arc::clone(&self.days);
        let read = move |db: &Connection| single(db, &days, DELIVERY, (id.0, workspace), record::delivery_row);
        Box::pin(self.readers.read(read))
    }

    fn attempts(&self, workspace: WorkspaceId, delivery: DeliveryId) -> Answer<'_, Vec<AttemptRow>> {
        let days = Arc::clone(&self.days);
        Box::pin(self.readers.read(move |db| attempts(db, &days, workspace, delivery)))
    }

    fn tally(&self, _workspace: WorkspaceId, connection: ConnectionId) -> Answer<'_, Tally> {
        Box::pin(self.readers.read(move |db| {
            let counts = db
                .prepare_cached("SELECT pending, delivered, dead, last_delivered_ms FROM tally WHERE connection = ?1")?
                .query_row([connection.0], |row| {
                    Ok(Tally {
                        pending: row.get(0)?,
                        delivered: row.get(1)?,
                        dead: row.get(2)?,
                        last_delivered_ms: row.get(3)?,
                        last_problem: None,
                    })
                })
                .optional()?;
            let last_problem = db
                .prepare_cached(
                    "SELECT problem FROM delivery WHERE connection = ?1 AND state = 11 ORDER BY id DESC LIMIT 1",
                )?
                .query_row([connection.0], |row| record::optional_from_text(row, 0))
                .optional()?
                .flatten();
            Ok(Tally {
                last_problem,
                ..counts.unwrap_or_default()
            })
        }))
    }
}
