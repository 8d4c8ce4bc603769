//! Lists and single rows for people and programs. Every list is made of ranges of indexes, each of which ends at the page's limit.

use deadpool_postgres::Transaction;
use switchboard_model::{
    delivery::DeliveryState,
    id::{ConnectionId, DeliveryId, EventId, WorkspaceId, floor_of, time_of},
};
use tokio_postgres::types::ToSql;

use super::{
    PostgresStore, Trouble,
    record::{self, stage},
};
use crate::store::{
    Answer, AttemptRow, DeliveryFilter, DeliveryRow, EventFilter, EventRow, Journal, Page, StoreError, Tally,
};

const EVENT: &str = "id, workspace, kind, received_ms, data, note";
const DELIVERY: &str = "id, event, connection, object, record_key, state, attempts, due_ms, settled_ms, external_id, \
                        problem, carrier, handed_over_ms, options";
const ATTEMPTS: &str = "
SELECT id, started_ms, duration_ms, operation, request, status, answer, outcome, records FROM attempt
WHERE delivery = $1 AND workspace = $2 AND id >= $3 ORDER BY id LIMIT 1000";
/// A call is made after its delivery; but another node makes the id, and its clock may be behind by this, in milliseconds.
const CLOCKS_APART: i64 = 3_600_000;
/// A page is looked for in these milliseconds before its end first.
const LAST: i64 = 24 * 3_600_000;
/// The stages of `delivery` (see the schema): what waits, held, delivered in no case, dead, cancelled.
const STAGES: [i16; 4] = [0, 3, 11, 12];

type Value = Box<dyn ToSql + Sync + Send>;

/// A `WHERE` that grows.
#[derive(Default)]
struct Conditions {
    text: String,
    values: Vec<Value>,
}

impl Conditions {
    fn and(&mut self, column: &str, value: impl ToSql + Sync + Send + 'static) {
        let place = self.value(value);
        self.text
            .push_str(if self.text.is_empty() { " WHERE " } else { " AND " });
        self.text.push_str(&format!("{column} {place}"));
    }

    fn value(&mut self, value: impl ToSql + Sync + Send + 'static) -> String {
        self.values.push(Box::new(value));
        format!("${}", self.values.len())
    }

    fn parameters(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.values
            .iter()
            .map(|value| &**value as &(dyn ToSql + Sync))
            .collect()
    }
}

/// The deliveries of a workspace that pass the filter, apart from their state.
fn passing(workspace: WorkspaceId, filter: DeliveryFilter) -> Conditions {
    let mut conditions = Conditions::default();
    conditions.and("workspace =", workspace.0);
    if let Some(event) = filter.event {
        conditions.and("event =", event.0);
    }
    if let Some(connection) = filter.connection {
        conditions.and("connection =", connection.0);
    }
    if let Some(object) = filter.object {
        conditions.and("object =", record::storable(object));
    }
    if let Some(from_ms) = filter.from_ms {
        conditions.and("id >=", floor_of(from_ms));
    }
    if let Some(until_ms) = filter.until_ms {
        conditions.and("id <", floor_of(until_ms));
    }
    conditions
}

/// The outbox by stage, each stage a range of an index.
fn of_outbox(columns: &str, conditions: &Conditions, stages: &[i16], order: &str, limit: &str) -> String {
    let condition = &conditions.text;
    let ranges = stages.iter().map(|stage| {
        format!("(SELECT {columns} FROM delivery{condition} AND stage = {stage} ORDER BY id {order} LIMIT {limit})")
    });
    ranges.collect::<Vec<_>>().join(" UNION ALL ")
}

/// The ids of those that pass the filter and are in one of `states`, oldest first. What has arrived is in none of them.
pub(super) async fn selected(
    tx: &Transaction<'_>,
    workspace: WorkspaceId,
    filter: DeliveryFilter,
    states: &[DeliveryState],
    after: DeliveryId,
    limit: usize,
) -> Result<Vec<i64>, Trouble> {
    let states = states.iter().copied();
    let states: Vec<DeliveryState> = states
        .filter(|known| filter.state.is_none_or(|state| state == *known))
        .collect();
    let mut stages: Vec<i16> = states.iter().map(|state| stage(*state)).collect();
    stages.dedup();
    if stages.is_empty() {
        return Ok(Vec::new());
    }
    let mut conditions = passing(workspace, filter);
    conditions.and("id >", after.0);
    let states = conditions.value(states.iter().map(|state| *state as i16).collect::<Vec<_>>());
    conditions.text.push_str(&format!(" AND state = ANY ({states})"));
    let limit = conditions.value(i64::try_from(limit).unwrap_or(i64::MAX));
    let ranges = of_outbox("id", &conditions, &stages, "", &limit);
    let sql = format!("SELECT id FROM ({ranges}) all_stages ORDER BY id LIMIT {limit}");
    let statement = tx.prepare_cached(&sql).await?;
    let rows = tx.query(&statement, &conditions.parameters()).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The statement of a page of deliveries.
fn page_of_deliveries(workspace: WorkspaceId, filter: DeliveryFilter, page: Page) -> (String, Conditions) {
    let state = filter.state;
    let mut conditions = passing(workspace, filter);
    if let Some(before) = page.before {
        conditions.and("id <", before);
    }
    if let Some(state) = state {
        conditions.and("state =", state as i16);
    }
    let limit = conditions.value(i64::try_from(page.limit).unwrap_or(i64::MAX));
    let stages: Vec<i16> = match state {
        Some(DeliveryState::Delivered) => Vec::new(),
        Some(state) => vec![stage(state)],
        None => STAGES.to_vec(),
    };
    let mut ranges = Vec::new();
    if !stages.is_empty() {
        ranges.push(of_outbox(DELIVERY, &conditions, &stages, "DESC", &limit));
    }
    if state.is_none_or(|state| state == DeliveryState::Delivered) {
        ranges.push(format!(
            "(SELECT {DELIVERY} FROM delivery_history{} ORDER BY id DESC LIMIT {limit})",
            conditions.text
        ));
    }
    let ranges = ranges.join(" UNION ALL ");
    let sql = format!("SELECT * FROM ({ranges}) everywhere ORDER BY id DESC LIMIT {limit}");
    (sql, conditions)
}

/// What is left of a page when its last days have been looked through.
fn rest(page: Page, border_ms: i64, found: usize) -> Option<Page> {
    let limit = page.limit.saturating_sub(found);
    (limit > 0).then(|| Page {
        before: Some(floor_of(border_ms)),
        limit,
    })
}

impl PostgresStore {
    /// From here on a page is looked for first: a statement takes time for every day that it may have to read, and the last ones before its
    /// end fill most pages. Unix milliseconds.
    fn border_ms(&self, page: Page) -> i64 {
        page.before.map_or_else(|| self.core.clock.now_ms(), time_of) - LAST
    }

    async fn page_of_deliveries(
        &self,
        workspace: WorkspaceId,
        filter: DeliveryFilter,
        page: Page,
    ) -> Result<Vec<DeliveryRow>, Trouble> {
        let (sql, conditions) = page_of_deliveries(workspace, filter, page);
        let rows = self.rows(&sql, &conditions.parameters()).await?;
        rows.iter().map(record::delivery_row).collect()
    }

    async fn page_of_events(
        &self,
        workspace: WorkspaceId,
        filter: &EventFilter,
        from_ms: Option<i64>,
        page: Page,
    ) -> Result<Vec<EventRow>, Trouble> {
        let mut conditions = Conditions::default();
        conditions.and("workspace =", workspace.0);
        if let Some(kind) = &filter.kind {
            conditions.and("kind =", kind.clone());
        }
        if let Some(from_ms) = from_ms {
            conditions.and("id >=", floor_of(from_ms));
        }
        if let Some(before) = page.before {
            conditions.and("id <", before);
        }
        let limit = conditions.value(i64::try_from(page.limit).unwrap_or(i64::MAX));
        let range = |table: &str| {
            let condition = &conditions.text;
            format!("(SELECT {EVENT} FROM {table}{condition} ORDER BY id DESC LIMIT {limit})")
        };
        let (days, kept) = (range("event"), range("event_kept"));
        let sql = format!("SELECT * FROM ({days} UNION ALL {kept}) everywhere ORDER BY id DESC LIMIT {limit}");
        let rows = self.rows(&sql, &conditions.parameters()).await?;
        let mut found = rows.iter().map(record::event_row).collect::<Result<Vec<_>, _>>()?;
        // An event is at both places while its day is being dropped.
        found.dedup_by_key(|row| row.event.id);
        Ok(found)
    }

    async fn rows(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<tokio_postgres::Row>, Trouble> {
        let client = self.core.client().await?;
        let statement = client.prepare_cached(sql).await?;
        Ok(client.query(&statement, values).await?)
    }
}

impl Journal for PostgresStore {
    fn events(&self, workspace: WorkspaceId, filter: EventFilter, page: Page) -> Answer<'_, Vec<EventRow>> {
        Box::pin(async move {
            let border_ms = self.border_ms(page);
            let mut rows = self.page_of_events(workspace, &filter, Some(border_ms), page).await?;
            if let Some(rest) = rest(page, border_ms, rows.len()) {
                rows.extend(self.page_of_events(workspace, &filter, None, rest).await?);
            }
            Ok(rows)
        })
    }

    fn event(&self, workspace: WorkspaceId, id: EventId) -> Answer<'_, Option<EventRow>> {
        Box::pin(async move {
            let sql = format!(
                "SELECT {EVENT} FROM event WHERE id = $1 AND workspace = $2
                 UNION ALL SELECT {EVENT} FROM event_kept WHERE id = $1 AND workspace = $2 LIMIT 1"
            );
            let rows = self.rows(&sql, &[&id.0, &workspace.0]).await?;
            Ok(rows.first().map(record::event_row).transpose()?)
        })
    }

    fn deliveries(&self, workspace: WorkspaceId, filter: DeliveryFilter, page: Page) -> Answer<'_, Vec<DeliveryRow>> {
        Box::pin(async move {
            let border_ms = self.border_ms(page);
            if filter.from_ms.is_some_and(|from_ms| from_ms >= border_ms) {
                return Ok(self.page_of_deliveries(workspace, filter, page).await?);
            }
            let last = DeliveryFilter {
                from_ms: Some(border_ms),
                ..filter.clone()
            };
            let mut rows = self.page_of_deliveries(workspace, last, page).await?;
            if let Some(rest) = rest(page, border_ms, rows.len()) {
                rows.extend(self.page_of_deliveries(workspace, filter, rest).await?);
            }
            Ok(rows)
        })
    }

    fn delivery(&self, workspace: WorkspaceId, id: DeliveryId) -> Answer<'_, Option<DeliveryRow>> {
        Box::pin(async move {
            let sql = format!(
                "SELECT {DELIVERY} FROM delivery WHERE id = $1 AND workspace = $2
                 UNION ALL SELECT {DELIVERY} FROM delivery_history WHERE id = $1 AND workspace = $2"
            );
            let rows = self.rows(&sql, &[&id.0, &workspace.0]).await?;
            Ok(rows.first().map(record::delivery_row).transpose()?)
        })
    }

    fn attempts(&self, workspace: WorkspaceId, delivery: DeliveryId) -> Answer<'_, Vec<AttemptRow>> {
        Box::pin(async move {
            let from = floor_of(time_of(delivery.0) - CLOCKS_APART);
            let rows = self.rows(ATTEMPTS, &[&delivery.0, &workspace.0, &from]).await?;
            Ok(rows.iter().map(record::attempt_row).collect())
        })
    }

    fn tally(&self, workspace: WorkspaceId, connection: ConnectionId) -> Answer<'_, Tally> {
        Box::pin(async move {
            let sql = "SELECT (SELECT count(*) FROM delivery WHERE connection = $1 AND stage IN (0, 3)),
                              (SELECT count(*) FROM delivery WHERE connection = $1 AND stage = 11 AND workspace = $2),
                              (SELECT problem FROM delivery WHERE connection = $1 AND stage = 11 AND workspace = $2
                               ORDER BY id DESC LIMIT 1),
                              t.delivered, t.last_delivered_ms
                       FROM (VALUES (1)) one LEFT JOIN tally t ON t.connection = $1";
            let rows = self.rows(sql, &[&connection.0, &workspace.0]).await?;
            let row = rows.first().ok_or(StoreError::Closed)?;
            Ok(Tally {
                pending: record::count(row.get(0)),
                dead: record::count(row.get(1)),
                last_problem: record::optional_from_text(row, 2)?,
                delivered: record::count(row.get::<_, Option<i64>>(3).unwrap_or_default()),
                last_delivered_ms: row.get(4),
            })
        })
    }
}
