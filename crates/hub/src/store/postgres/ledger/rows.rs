//! Rows of the tables of records.

use switchboard_model::{
    id::{DuplicateId, MergeId, RecordId, WorkspaceId},
    record::MatchKey,
};
use tokio_postgres::Row;

use super::super::{Trouble, record::from_text};
use crate::store::{DuplicateRow, DuplicateState, MatchRow, MergeRow, RecordRow};

/// The columns that [`record`] reads, of the table `r`.
pub(super) const RECORD: &str = "r.id, r.workspace, r.object, r.title, r.data, r.revision, r.source, r.review, r.merged_into, r.created_ms, \
                                 r.updated_ms";

pub(super) fn record(row: &Row) -> Result<RecordRow, Trouble> {
    Ok(RecordRow {
        id: RecordId(row.get(0)),
        workspace: WorkspaceId(row.get(1)),
        object: row.get::<_, &str>(2).into(),
        title: row.get(3),
        data: from_text(row, 4)?,
        revision: row.get(5),
        source: row.get::<_, &str>(6).into(),
        review: row.get::<_, i16>(7) != 0,
        merged_into: row.get::<_, Option<i64>>(8).map(RecordId),
        created_ms: row.get(9),
        updated_ms: row.get(10),
    })
}

/// The columns that [`merge`] reads.
pub(super) const MERGE: &str = "id, object, winner, loser, at_ms, undone_ms, story";

pub(super) fn merge(row: &Row) -> Result<MergeRow, Trouble> {
    Ok(MergeRow {
        id: MergeId(row.get(0)),
        object: row.get(1),
        winner: RecordId(row.get(2)),
        loser: RecordId(row.get(3)),
        at_ms: row.get(4),
        undone_ms: row.get(5),
        story: from_text(row, 6)?,
    })
}

/// The columns that [`duplicate`] reads.
pub(super) const DUPLICATE: &str = "id, object, one, other, kind, value, state, found_ms, decided_ms";

pub(super) fn duplicate(row: &Row) -> DuplicateRow {
    DuplicateRow {
        id: DuplicateId(row.get(0)),
        object: row.get(1),
        one: RecordId(row.get(2)),
        other: RecordId(row.get(3)),
        key: MatchKey {
            kind: row.get(4),
            value: row.get(5),
        },
        // A state of a later version is one that a person looks at.
        state: DuplicateState::from_number(row.get::<_, i16>(6).into()).unwrap_or(DuplicateState::Open),
        found_ms: row.get(7),
        decided_ms: row.get(8),
    }
}

/// Columns: at, source, kind, value, outcome.
pub(super) fn found(row: &Row) -> MatchRow {
    MatchRow {
        at_ms: row.get(0),
        source: row.get(1),
        key: MatchKey {
            kind: row.get(2),
            value: row.get(3),
        },
        outcome: row.get(4),
    }
}
