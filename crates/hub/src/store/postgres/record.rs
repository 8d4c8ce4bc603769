//! Rows of the database as values of the store, and the other way round.

use std::borrow::Cow;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use switchboard_connect::{connector::Recovery, manifest::OperationKind};
use switchboard_model::{
    delivery::DeliveryState,
    event::{Event, EventType},
    id::{AttemptId, ConnectionId, DeliveryId, EventId, WorkspaceId},
};
use tokio_postgres::Row;

use super::Trouble;
use crate::store::{
    AttemptRow, CallbackState, DeliveryRow, EventRow, InDoubt, Linked, Pending, StoreError, place::Present,
};

/// JSON text of something whose serialisation cannot fail (maps with text keys).
pub(super) fn to_text<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// PostgreSQL's texts hold every character but U+0000; in its place stands the sign for one that cannot be shown. (JSON writes that
/// character as an escape sequence and needs no such change.)
pub(super) fn storable(text: String) -> String {
    match borrowed(&text) {
        Cow::Owned(mended) => mended,
        Cow::Borrowed(_) => text,
    }
}

/// The same for a text that belongs to somebody else.
pub(super) fn borrowed(text: &str) -> Cow<'_, str> {
    match text.contains('\0') {
        true => Cow::Owned(text.replace('\0', "\u{fffd}")),
        false => Cow::Borrowed(text),
    }
}

/// The stage of the outbox that a delivery in this state is at: the indexes of the outbox name it instead of the state, so that an intent or a
/// retry changes no indexed column and PostgreSQL updates the row within its page.
pub(super) fn stage(state: DeliveryState) -> i16 {
    match state as i16 {
        ..3 => 0,
        state => state,
    }
}

/// What rows have in a column of which mostly nothing is known: an empty list when none has anything. `unnest` makes `NULL` of what a list lacks,
/// and a list that is not sent is not read either.
pub(super) fn sparse<T>(values: impl IntoIterator<Item = Option<T>>) -> Vec<Option<T>> {
    let mut values: Vec<Option<T>> = values.into_iter().collect();
    let last = values.iter().rposition(Option::is_some);
    values.truncate(last.map_or(0, |last| last + 1));
    values
}

/// The JSON value in a column.
pub(super) fn from_text<T: DeserializeOwned>(row: &Row, column: usize) -> Result<T, Trouble> {
    serde_json::from_str(row.get(column)).map_err(|error| strange("the text", &error))
}

pub(super) fn optional_from_text<T: DeserializeOwned>(row: &Row, column: usize) -> Result<Option<T>, Trouble> {
    let text: Option<&str> = row.get(column);
    let read = |text| serde_json::from_str(text).map_err(|error| strange("the text", &error));
    text.map(read).transpose()
}

fn strange(what: &str, value: &dyn std::fmt::Display) -> Trouble {
    Trouble::Other(StoreError::Failed(format!(
        "the database holds {what} `{value}`, which this version does not know"
    )))
}

fn state(row: &Row, column: usize) -> Result<DeliveryState, Trouble> {
    let number: i16 = row.get(column);
    let known = u8::try_from(number).ok().and_then(DeliveryState::from_number);
    known.ok_or_else(|| strange("the delivery state", &number))
}

pub(super) fn callback_state(row: &Row, column: usize) -> Result<CallbackState, Trouble> {
    let number: i16 = row.get(column);
    CallbackState::from_number(number).ok_or_else(|| strange("the callback state", &number))
}

/// A number that is never negative and that the column has more room than needed for.
pub(super) fn count<T: TryFrom<i64> + Default>(number: i64) -> T {
    T::try_from(number).unwrap_or_default()
}

/// An event from id, workspace, kind, received, data.
pub(super) fn event(row: &Row) -> Result<Event, Trouble> {
    let kind: &str = row.get(2);
    Ok(Event {
        id: EventId(row.get(0)),
        workspace: WorkspaceId(row.get(1)),
        kind: EventType::find(kind).ok_or_else(|| strange("the event type", &kind))?,
        received_ms: row.get(3),
        data: from_text::<Map<String, Value>>(row, 4)?,
    })
}

/// A delivery that an event has, from connection, object, options, state.
pub(super) fn present(row: &Row) -> Result<Present, Trouble> {
    Ok(Present {
        connection: ConnectionId(row.get(0)),
        object: row.get(1),
        options: optional_from_text(row, 2)?,
        arrived: state(row, 3)? == DeliveryState::Delivered,
    })
}

/// Columns: those of [`event`], then the note.
pub(super) fn event_row(row: &Row) -> Result<EventRow, Trouble> {
    Ok(EventRow {
        event: event(row)?,
        note: row.get(5),
    })
}

/// See the statement in `outbox.rs` for the columns.
pub(super) fn pending(row: &Row, connection: ConnectionId) -> Result<Pending, Trouble> {
    let open = state(row, 12)? == DeliveryState::Sending;
    let handed_over: Option<i64> = row.get(10);
    Ok(Pending {
        id: DeliveryId(row.get(0)),
        event: EventId(row.get(1)),
        body: None,
        connection,
        object: row.get::<_, &str>(2).into(),
        record_key: row.get(3),
        options: optional_from_text(row, 4)?,
        attempts: count(row.get::<_, i32>(5).into()),
        due_ms: row.get(6),
        doubt: doubt(row, [7, 8, 11], open),
        fallback: optional_from_text(row, 9)?,
        handed_over: handed_over.is_some(),
        fresh: false,
        alone: false,
    })
}

/// What is in doubt, from the columns of the moment, the operation and the means. The means are those of the operation.
fn doubt(row: &Row, [since, operation, means]: [usize; 3], open: bool) -> Option<InDoubt> {
    let operation: Option<&str> = row.get(operation);
    let operation = operation.and_then(OperationKind::from_name);
    let means: Option<&str> = row.get(means);
    row.get::<_, Option<i64>>(since).map(|since_ms| InDoubt {
        since_ms,
        operation,
        recovery: means.filter(|_| operation.is_some()).and_then(Recovery::read),
        open,
    })
}

/// After our key: the vendor's id, or else what is in doubt (moment, operation, means).
pub(super) fn linked(row: &Row) -> Option<Linked> {
    let external_id: Option<String> = row.get(1);
    match external_id {
        Some(external_id) => Some(Linked::To(external_id)),
        None => doubt(row, [2, 3, 4], false).map(Linked::InDoubt),
    }
}

/// Columns as in `journal.rs`.
pub(super) fn delivery_row(row: &Row) -> Result<DeliveryRow, Trouble> {
    Ok(DeliveryRow {
        id: DeliveryId(row.get(0)),
        event: EventId(row.get(1)),
        connection: ConnectionId(row.get(2)),
        object: row.get(3),
        record_key: row.get(4),
        state: state(row, 5)?,
        attempts: count(row.get::<_, i32>(6).into()),
        due_ms: row.get(7),
        settled_ms: row.get(8),
        external_id: row.get(9),
        problem: optional_from_text(row, 10)?,
        carrier: row.get::<_, Option<i64>>(11).map(DeliveryId),
        handed_over_ms: row.get(12),
        options: optional_from_text(row, 13)?,
    })
}

/// Columns as in `journal.rs`.
pub(super) fn attempt_row(row: &Row) -> AttemptRow {
    AttemptRow {
        id: AttemptId(row.get(0)),
        started_ms: row.get(1),
        duration_ms: count(row.get(2)),
        operation: row.get(3),
        request: row.get(4),
        status: row.get::<_, Option<i32>>(5).map(|status| count(status.into())),
        answer: row.get(6),
        outcome: row.get(7),
        records: count(row.get(8)),
    }
}
