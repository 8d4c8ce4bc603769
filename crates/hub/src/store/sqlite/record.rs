//! Rows of the database as values of the store.

use rusqlite::{Row, types::Type};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use switchboard_connect::{connector::Recovery, manifest::OperationKind};
use switchboard_model::{
    delivery::DeliveryState,
    event::{Event, EventType},
    id::{AttemptId, ConnectionId, DeliveryId, EventId, WorkspaceId},
};

use crate::store::{AttemptRow, CallbackState, DeliveryRow, EventRow, InDoubt, Linked, Pending};

/// JSON text of something whose serialisation cannot fail (maps with text keys).
pub(super) fn to_text<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The JSON value in a column.
pub(super) fn from_text<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|error| broken(column, error))
}

pub(super) fn optional_from_text<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    match row.get_ref(column)?.as_str_or_null()? {
        None => Ok(None),
        Some(text) => serde_json::from_str(text)
            .map(Some)
            .map_err(|error| broken(column, error)),
    }
}

fn broken(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}

#[derive(Debug, thiserror::Error)]
#[error("the database holds {what} `{value}`, which this version does not know")]
struct Strange {
    what: &'static str,
    value: String,
}

pub(super) fn state(row: &Row<'_>, column: usize) -> rusqlite::Result<DeliveryState> {
    let number: u8 = row.get(column)?;
    DeliveryState::from_number(number).ok_or_else(|| {
        broken(
            column,
            Strange {
                what: "the delivery state",
                value: number.to_string(),
            },
        )
    })
}

pub(super) fn callback_state(row: &Row<'_>, column: usize) -> rusqlite::Result<CallbackState> {
    let number: i16 = row.get(column)?;
    CallbackState::from_number(number).ok_or_else(|| {
        broken(
            column,
            Strange {
                what: "the callback state",
                value: number.to_string(),
            },
        )
    })
}

/// An event whose five columns (id, workspace, kind, received, data) begin at `at`.
pub(super) fn event(row: &Row<'_>, at: usize) -> rusqlite::Result<Event> {
    let kind = row.get_ref(at + 2)?.as_str()?;
    Ok(Event {
        id: EventId(row.get(at)?),
        workspace: WorkspaceId(row.get(at + 1)?),
        kind: EventType::find(kind).ok_or_else(|| {
            broken(
                at + 2,
                Strange {
                    what: "the event type",
                    value: kind.to_owned(),
                },
            )
        })?,
        received_ms: row.get(at + 3)?,
        data: from_text::<Map<String, Value>>(row, at + 4)?,
    })
}

/// See the statement in `outbox.rs` for the columns.
pub(super) fn pending(row: &Row<'_>, connection: ConnectionId) -> rusqlite::Result<Pending> {
    let object: String = row.get(2)?;
    let open = state(row, 12)? == DeliveryState::Sending;
    let handed_over: Option<i64> = row.get(10)?;
    Ok(Pending {
        id: DeliveryId(row.get(0)?),
        event: EventId(row.get(1)?),
        body: None,
        connection,
        object: object.into(),
        record_key: row.get(3)?,
        options: optional_from_text(row, 4)?,
        attempts: row.get(5)?,
        due_ms: row.get(6)?,
        doubt: doubt(row, [7, 8, 11], open)?,
        fallback: optional_from_text(row, 9)?,
        handed_over: handed_over.is_some(),
        fresh: false,
        alone: false,
    })
}

/// What is in doubt, from the columns of the moment, the operation and the means. The means are those of the operation.
fn doubt(row: &Row<'_>, [since, operation, means]: [usize; 3], open: bool) -> rusqlite::Result<Option<InDoubt>> {
    let Some(since_ms) = row.get::<_, Option<i64>>(since)? else {
        return Ok(None);
    };
    let operation = row.get_ref(operation)?.as_str_or_null()?;
    let operation = operation.and_then(OperationKind::from_name);
    let means = row.get_ref(means)?.as_str_or_null()?;
    Ok(Some(InDoubt {
        since_ms,
        operation,
        recovery: means.filter(|_| operation.is_some()).and_then(Recovery::read),
        open,
    }))
}

/// The vendor's id, or else what is in doubt (moment, operation, means).
pub(super) fn linked(row: &Row<'_>) -> rusqlite::Result<Option<Linked>> {
    Ok(match row.get(0)? {
        Some(external_id) => Some(Linked::To(external_id)),
        None => doubt(row, [1, 2, 3], false)?.map(Linked::InDoubt),
    })
}

/// Columns: those of [`event`], then the note.
pub(super) fn event_row(row: &Row<'_>) -> rusqlite::Result<EventRow> {
    Ok(EventRow {
        event: event(row, 0)?,
        note: row.get(5)?,
    })
}

/// Columns as in `journal.rs`.
pub(super) fn delivery_row(row: &Row<'_>) -> rusqlite::Result<DeliveryRow> {
    Ok(DeliveryRow {
        id: DeliveryId(row.get(0)?),
        event: EventId(row.get(1)?),
        connection: ConnectionId(row.get(2)?),
        object: row.get(3)?,
        record_key: row.get(4)?,
        state: state(row, 5)?,
        attempts: row.get(6)?,
        due_ms: row.get(7)?,
        settled_ms: row.get(8)?,
        external_id: row.get(9)?,
        problem: optional_from_text(row, 10)?,
        carrier: row.get::<_, Option<i64>>(11)?.map(DeliveryId),
        handed_over_ms: row.get(12)?,
        options: optional_from_text(row, 13)?,
    })
}

/// Columns as in `journal.rs`.
pub(super) fn attempt_row(row: &Row<'_>) -> rusqlite::Result<AttemptRow> {
    Ok(AttemptRow {
        id: AttemptId(row.get(0)?),
        started_ms: row.get(1)?,
        duration_ms: row.get(2)?,
        operation: row.get(3)?,
        request: row.get(4)?,
        status: row.get(5)?,
        answer: row.get(6)?,
        outcome: row.get(7)?,
        records: row.get(8)?,
    })
}
