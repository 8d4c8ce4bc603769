//! How records look in answers.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Map, Value};
use switchboard_hub::{
    Hub,
    clock::moment,
    store::{DuplicateRow, MatchRow, MergeRow, Outcome, RecordRow, Written},
};
use switchboard_model::{
    id::{RecordId, WorkspaceId},
    problem::{Problem, ProblemBody},
    record::{FieldKind, ObjectType, present},
};
use utoipa::ToSchema;

use super::super::problem::ProblemSchema;

/// What people call the records that others refer to.
#[derive(Debug, Default)]
pub struct Titles(HashMap<RecordId, String>);

impl Titles {
    /// Those that these rows refer to.
    pub async fn of<'r>(
        hub: &Hub,
        workspace: WorkspaceId,
        object: &ObjectType,
        rows: impl Iterator<Item = &'r RecordRow>,
    ) -> Result<Self, Problem> {
        let lookups: Vec<&str> = object
            .fields
            .values()
            .filter(|field| matches!(field.kind, FieldKind::Lookup(_)))
            .map(|field| field.name.as_str())
            .collect();
        let mut ids: Vec<RecordId> = rows
            .flat_map(|row| {
                lookups
                    .iter()
                    .filter_map(|name| row.data.get(*name)?.as_str()?.parse().ok())
            })
            .collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(Self(hub.titles(workspace, ids).await?))
    }
}

/// A record: its fields beside what the hub knows of it. A field that refers to another record shows that one's name, and beside it, with
/// `Id` at its end, its id.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Record)]
#[serde(rename_all = "camelCase")]
pub struct RecordView {
    /// Its id.
    #[schema(example = "rec_0r3kd8m2v0000")]
    pub id: String,
    /// Its fields.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
    /// Grows with each change, from 1.
    pub revision: i64,
    /// Who made it.
    #[schema(example = "api:first key")]
    pub source: String,
    /// A person has to say whether it is the same as another one; see `/v1/duplicates`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub needs_review: bool,
    /// When it was made.
    pub created_at: String,
    /// When it was changed last.
    pub updated_at: String,
}

impl RecordView {
    /// How a row looks.
    pub fn of(object: &ObjectType, row: &RecordRow, titles: &Titles) -> Self {
        Self {
            id: row.id.to_string(),
            fields: present(object, &row.data, &titles.0),
            revision: row.revision,
            source: row.source.to_string(),
            needs_review: row.review,
            created_at: moment(row.created_ms),
            updated_at: moment(row.updated_ms),
        }
    }
}

/// A key of a record.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordKey)]
pub struct KeyView {
    /// What it is: `email`, `phone`, `externalId:shopify`; one that begins with `~` makes suspicious only; `person`: somebody said so.
    #[schema(example = "email")]
    pub kind: String,
    /// The value in the form in which it is compared.
    #[schema(example = "ana@example.org")]
    pub value: String,
}

/// A record, and what was done with it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WrittenRecord)]
#[serde(rename_all = "camelCase")]
pub struct WrittenView {
    /// The record as it is now.
    #[serde(flatten)]
    pub record: RecordView,
    /// `created`, `updated` or `unchanged`.
    pub outcome: &'static str,
    /// The key that it was found by; absent when it is new or was named by its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found_by: Option<KeyView>,
    /// Merges that came of it (`/v1/merges/{id}`): what was sent named two records that were one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub merges: Vec<String>,
    /// Possible duplicates that came of it (`/v1/duplicates`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub duplicates: Vec<String>,
}

impl WrittenView {
    /// What came of a write.
    ///
    /// # Errors
    /// Why nothing was done.
    pub fn of(object: &ObjectType, written: Written, titles: &Titles) -> Result<Self, Problem> {
        let outcome = match written.outcome {
            Outcome::Refused(problem) => return Err(*problem),
            Outcome::Created => "created",
            Outcome::Updated => "updated",
            Outcome::Unchanged => "unchanged",
            Outcome::Deleted => "deleted",
        };
        let row = written.record.ok_or_else(|| {
            Problem::new(
                switchboard_model::problem::Code::Internal,
                "The hub wrote a record and has lost sight of it.",
                "Look whether it is there.",
            )
        })?;
        Ok(Self {
            record: RecordView::of(object, &row, titles),
            outcome,
            found_by: written.found_by.map(|key| KeyView {
                kind: key.kind,
                value: key.value,
            }),
            merges: written.merges.iter().map(ToString::to_string).collect(),
            duplicates: written.duplicates.iter().map(ToString::to_string).collect(),
        })
    }
}

/// What became of one record of a batch.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordResult)]
#[serde(rename_all = "camelCase")]
pub struct ResultView {
    /// Its place in the request, from 0.
    pub index: usize,
    /// `created`, `updated`, `unchanged` or `refused`.
    pub status: &'static str,
    /// The record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<WrittenView>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ProblemSchema>)]
    pub problem: Option<ProblemBody>,
}

impl ResultView {
    /// What became of the record at this place.
    pub fn of(index: usize, result: Result<WrittenView, Problem>) -> Self {
        match result {
            Ok(written) => Self {
                index,
                status: written.outcome,
                record: Some(written),
                problem: None,
            },
            Err(problem) => {
                let place = problem.place.clone().unwrap_or_default();
                Self {
                    index,
                    status: "refused",
                    record: None,
                    problem: Some(ProblemBody::from(&problem.at(format!("/{index}{place}")))),
                }
            }
        }
    }
}

/// What became of the records of a batch.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordResults)]
pub struct ResultsView {
    /// In the order of the request.
    pub results: Vec<ResultView>,
}

/// By which key a record was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordMatch)]
pub struct MatchView {
    /// When.
    at: String,
    /// Who asked.
    source: String,
    /// The key.
    key: KeyView,
    /// What was done then: `updated`, `unchanged`, `merged` (it brought this record and another one together) or `listed` (it was put on
    /// the list of possible duplicates).
    outcome: String,
}

impl From<MatchRow> for MatchView {
    fn from(row: MatchRow) -> Self {
        Self {
            at: moment(row.at_ms),
            source: row.source,
            key: KeyView {
                kind: row.key.kind,
                value: row.key.value,
            },
            outcome: row.outcome,
        }
    }
}

/// Two records that may be one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Duplicate)]
#[serde(rename_all = "camelCase")]
pub struct DuplicateView {
    /// Its id.
    #[schema(example = "dup_0r3kd8m2v0002")]
    pub id: String,
    /// The object or table.
    #[schema(example = "people")]
    pub object: String,
    /// The older record.
    pub one: String,
    /// The younger record.
    pub other: String,
    /// What they have in common.
    pub key: KeyView,
    /// `open`, `merged` or `dismissed`.
    pub state: &'static str,
    /// When it was found.
    pub found_at: String,
    /// When it was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<String>,
}

impl From<DuplicateRow> for DuplicateView {
    fn from(row: DuplicateRow) -> Self {
        Self {
            id: row.id.to_string(),
            object: row.object,
            one: row.one.to_string(),
            other: row.other.to_string(),
            key: KeyView {
                kind: row.key.kind,
                value: row.key.value,
            },
            state: row.state.name(),
            found_at: moment(row.found_ms),
            decided_at: row.decided_ms.map(moment),
        }
    }
}

/// Two records that became one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Merge)]
#[serde(rename_all = "camelCase")]
pub struct MergeView {
    /// Its id.
    #[schema(example = "mrg_0r3kd8m2v0003")]
    id: String,
    /// The object or table.
    object: String,
    /// The record that stayed.
    winner: String,
    /// The record that went; its id leads to the winner.
    loser: String,
    /// When.
    at: String,
    /// Who did it, or who sent what made the hub do it.
    source: String,
    /// Whether the hub did it by itself.
    automatic: bool,
    /// The keys for which the hub did it: one led to the one record, one to the other.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    keys: Vec<KeyView>,
    /// When it was undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    undone_at: Option<String>,
    /// How many records at vendors the winner has got of the loser.
    links: usize,
    /// Vendors' ids of the loser where the winner has a record of its own: those stay two.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    left_at_vendors: Vec<String>,
}

impl From<MergeRow> for MergeView {
    fn from(row: MergeRow) -> Self {
        let keys = row.story.keys.into_iter().map(|(kind, value)| KeyView { kind, value });
        Self {
            id: row.id.to_string(),
            object: row.object,
            winner: row.winner.to_string(),
            loser: row.loser.to_string(),
            at: moment(row.at_ms),
            source: row.story.source,
            automatic: row.story.automatic,
            keys: keys.collect(),
            undone_at: row.undone_ms.map(moment),
            links: row.story.links.len(),
            left_at_vendors: row.story.both.into_iter().map(|(_, _, id)| id).collect(),
        }
    }
}

/// Why a record is what it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordHistory)]
pub struct HistoryView {
    /// By which keys it was found, newest first, the last hundred.
    pub matches: Vec<MatchView>,
    /// What was merged into it and out of it, newest first.
    pub merges: Vec<MergeView>,
    /// What it may be a duplicate of, newest first.
    pub duplicates: Vec<DuplicateView>,
}
