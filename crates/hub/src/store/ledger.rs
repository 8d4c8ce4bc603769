//! Records, and what comes of one thing in one transaction: what is written down of it, the records that it changes, the events that it makes.

use std::{collections::HashMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use switchboard_model::{
    id::{ConnectionId, DuplicateId, MergeId, RecordId, WorkspaceId},
    problem::{Problem, ProblemBody},
    record::{MatchKey, ObjectType, Policy, keys},
};

use super::{
    Accepted, Answer, CallbackOutcome, CallbackState, Made, MadeEvent, MadeRecord, NewEvent, Round, StepGuard,
};

/// Records of all kinds.
pub trait Ledger: Send + Sync {
    /// Does everything that is asked for in one transaction. Nothing of it happens when the guard does not hold.
    ///
    /// Several that write about one person at once leave one person, also on several nodes.
    fn commit(&self, commit: Commit) -> Answer<'_, Committed>;

    /// One record. The id of one that was merged into another leads to that one.
    fn record(&self, workspace: WorkspaceId, id: RecordId) -> Answer<'_, Option<RecordRow>>;

    /// What people call the records with these ids; that of the other one, where one was merged.
    fn titles(&self, workspace: WorkspaceId, ids: Vec<RecordId>) -> Answer<'_, HashMap<RecordId, String>>;

    /// Records of an object that pass the filters, in the order that is asked for. Those that were merged into others are left out.
    fn records(&self, workspace: WorkspaceId, query: RecordQuery) -> Answer<'_, Vec<RecordRow>>;

    /// The records that a key leads to, oldest first.
    fn known_by(&self, workspace: WorkspaceId, object: &str, key: MatchKey) -> Answer<'_, Vec<RecordRow>>;

    /// By which keys a record was found, newest first.
    fn matches(&self, workspace: WorkspaceId, record: RecordId) -> Answer<'_, Vec<MatchRow>>;

    /// Pairs of records that may be one, newest first.
    fn duplicates(&self, workspace: WorkspaceId, filter: DuplicateFilter) -> Answer<'_, Vec<DuplicateRow>>;

    /// What was merged into a record or out of it, newest first.
    fn merges(&self, workspace: WorkspaceId, record: RecordId) -> Answer<'_, Vec<MergeRow>>;

    /// One merge.
    fn merge(&self, workspace: WorkspaceId, id: MergeId) -> Answer<'_, Option<MergeRow>>;
}

/// Makes the events of a change of a record, with their routes planned. Called inside the transaction, perhaps more than once for one change: it
/// must be pure, and must not block.
pub type Announce = Arc<dyn Fn(&RecordChange) -> Vec<NewEvent> + Send + Sync>;

/// What is done in one transaction.
#[derive(Clone)]
pub struct Commit {
    /// The tenant of everything in it.
    pub workspace: WorkspaceId,
    /// When, Unix milliseconds.
    pub now_ms: i64,
    /// What has to be so for anything to happen, and what is written down with it.
    pub guard: Guard,
    /// What is done with records, one after the other.
    pub records: Vec<RecordWrite>,
    /// Events that are accepted as [`super::Outbox::accept`] does it, fingerprints included.
    pub events: Vec<NewEvent>,
    /// Makes the events of changed records.
    pub announce: Announce,
    /// Where the vendors' ids of records may be kept: every connection of the workspace with each of its objects.
    pub link_places: Arc<[(ConnectionId, Arc<str>)]>,
}

impl fmt::Debug for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Commit")
            .field("workspace", &self.workspace)
            .field("guard", &self.guard)
            .field("records", &self.records.len())
            .field("events", &self.events.len())
            .finish_non_exhaustive()
    }
}

/// What has to be so for a commit to happen, and what is written down with it. To add one: a variant here, and a line in each store's
/// `ledger/guard.rs`.
#[derive(Debug, Clone, Default)]
pub enum Guard {
    /// Nothing.
    #[default]
    None,
    /// A run of an automation stands at this step.
    Step(StepGuard),
    /// A callback still waits in this turn; then it is settled, with what was made of it.
    Callback {
        /// Its turn.
        round: Round,
        /// What is written down of it.
        outcome: CallbackOutcome,
    },
}

/// What is done with a record.
#[derive(Debug, Clone)]
pub struct RecordWrite {
    /// Of which kind it is.
    pub object: Arc<ObjectType>,
    /// What is done.
    pub how: How,
    /// Checked values by field (see [`switchboard_model::record::check`]); `null` empties one.
    pub data: Map<String, Value>,
    /// Records that fields refer to and that are found, or made, first: the field, and the record.
    pub lookups: Vec<(String, RecordWrite)>,
    /// Who does it, for people: `api:NAME`, `source:feiyu`, `automation:KEY`.
    pub source: Arc<str>,
}

/// What is done with a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// It is found by its keys, the strongest first, or made.
    Match {
        /// What happens when it is there.
        policy: Policy,
        /// Only by these keys (the words of [`switchboard_model::record::MatchBy::word`]); `None`: by all.
        only: Option<Vec<String>>,
    },
    /// This one is changed.
    Update {
        /// Which.
        id: RecordId,
        /// It must have this revision; `None`: any.
        revision: Option<i64>,
    },
    /// This one is removed for good, with those that were merged into it.
    Delete(RecordId),
    /// Two become one.
    Merge {
        /// It stays.
        winner: RecordId,
        /// It goes; its id leads to the winner.
        loser: RecordId,
    },
    /// A merge is taken back.
    Undo(MergeId),
    /// Two records that may be one are not.
    Dismiss(DuplicateId),
}

/// What came of a commit.
#[derive(Debug, Clone, Default)]
pub struct Committed {
    /// Whether the guard held; if not, nothing happened.
    pub held: bool,
    /// What came of each write.
    pub records: Vec<Written>,
    /// What came of each event of [`Commit::events`].
    pub events: Vec<Accepted>,
    /// The events that the changes of records made, in their order.
    pub announced: Vec<Accepted>,
}

impl Commit {
    /// What is written down of a callback of which this has come: what it has made, and what of it could not be. A record that was refused
    /// makes it fail, so that a person finds it; what else was written stays.
    pub fn concluded(&self, outcome: &CallbackOutcome, committed: &Committed) -> (CallbackOutcome, Made) {
        let (mut outcome, mut made) = (outcome.clone(), Made::default());
        for (new, accepted) in self.events.iter().zip(&committed.events) {
            let (id, repeat, conflict) = match accepted {
                Accepted::New { event, .. } => (*event, false, false),
                Accepted::Repeat(event) => (*event, true, false),
                Accepted::Conflict(event) => (*event, true, true),
            };
            made.events.push(MadeEvent { id, repeat, conflict });
            if conflict {
                let kind = new.kind.name();
                outcome.notes.push(format!(
                    "{kind}: the same id came with other content; that event was not made again ({id})"
                ));
            }
        }
        for (write, written) in self.records.iter().zip(&committed.records) {
            if let Outcome::Refused(problem) = &written.outcome {
                let object = &write.object.name;
                outcome
                    .notes
                    .push(format!("{object}: nothing was written: {}", problem.detail));
                outcome.state = CallbackState::Failed;
                outcome.problem.get_or_insert_with(|| ProblemBody::from(&**problem));
            }
            made.records.extend(written.record.as_ref().map(|row| MadeRecord {
                object: row.object.to_string(),
                id: row.id.to_string(),
                change: written.outcome.name().to_owned(),
                doubles: written.outcome == Outcome::Created && write.makes_anew(),
            }));
        }
        (outcome, made)
    }
}

impl RecordWrite {
    /// Whether the same again makes another record: it is to be made in any case, or has nothing that it would be found by.
    fn makes_anew(&self) -> bool {
        match &self.how {
            How::Match { policy, .. } => *policy == Policy::Create || keys(&self.object, &self.data).is_empty(),
            _ => false,
        }
    }
}

/// What came of a write.
#[derive(Debug, Clone)]
pub struct Written {
    /// What was done.
    pub outcome: Outcome,
    /// The record as it is now; as it was, when it was removed.
    pub record: Option<RecordRow>,
    /// The key that it was found by.
    pub found_by: Option<MatchKey>,
    /// Merges that came of it.
    pub merges: Vec<MergeId>,
    /// Possible duplicates that came of it.
    pub duplicates: Vec<DuplicateId>,
}

/// What was done with a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is new.
    Created,
    /// It was changed.
    Updated,
    /// It is as it was.
    Unchanged,
    /// It is gone.
    Deleted,
    /// Nothing was done, for this reason.
    Refused(Box<Problem>),
}

impl Outcome {
    /// Its word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
            Self::Refused(_) => "refused",
        }
    }
}

/// A record as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordRow {
    /// Its id.
    pub id: RecordId,
    /// Its tenant.
    pub workspace: WorkspaceId,
    /// Of which kind it is: [`ObjectType::name`].
    pub object: Arc<str>,
    /// What people call it.
    pub title: String,
    /// Its values by field.
    pub data: Map<String, Value>,
    /// Grows with each change, from 1.
    pub revision: i64,
    /// Who made it.
    pub source: Arc<str>,
    /// A person has to say whether it is a duplicate.
    pub review: bool,
    /// The record that it was merged into.
    pub merged_into: Option<RecordId>,
    /// When it was made, Unix milliseconds.
    pub created_ms: i64,
    /// When it was changed last, Unix milliseconds.
    pub updated_ms: i64,
}

/// A change of a record.
#[derive(Debug, Clone)]
pub struct RecordChange {
    /// Of which kind the record is.
    pub object: Arc<ObjectType>,
    /// What was done with it.
    pub kind: ChangeKind,
    /// The record as it is now; as it was, when it was removed.
    pub record: RecordRow,
    /// Its values before; empty when it is new.
    pub before: Map<String, Value>,
    /// The titles of the records that it refers to.
    pub titles: HashMap<RecordId, String>,
    /// Who did it.
    pub source: Arc<str>,
    /// The record that was merged into it by this.
    pub merged: Option<RecordId>,
    /// When, Unix milliseconds.
    pub now_ms: i64,
}

/// What was done with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new, or back after a merge was undone.
    Created,
    /// It was changed.
    Updated,
    /// It is gone.
    Deleted,
}

/// Which records, in which order, from where on.
#[derive(Debug, Clone)]
pub struct RecordQuery {
    /// Of this kind.
    pub object: Arc<str>,
    /// They pass all of these.
    pub filters: Vec<Filter>,
    /// By what they are sorted; those that are equal, by id.
    pub sort: SortBy,
    /// Greatest first.
    pub descending: bool,
    /// The page begins behind this place.
    pub after: Option<Place>,
    /// How many at most.
    pub limit: usize,
}

/// The place of a record in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// What it is sorted by; `null` where the record has no value.
    pub value: Value,
    /// Its id.
    pub id: i64,
}

/// By what records are sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortBy {
    /// The order in which they were made.
    Id,
    /// When they were changed last.
    Updated,
    /// The value of a field, as text. Those without one come last.
    Text(String),
    /// The value of a field, as a number. Those without one come last.
    Number(String),
}

impl SortBy {
    /// Where a record stands in a list that is sorted like this.
    pub fn place(&self, row: &RecordRow) -> Place {
        let value = match self {
            Self::Id => Value::Null,
            Self::Updated => row.updated_ms.into(),
            Self::Text(field) => match find_value(&row.data, field) {
                None | Some(Value::Null) => Value::Null,
                Some(Value::String(text)) => Value::String(text.clone()),
                Some(other) => Value::String(other.to_string()),
            },
            Self::Number(field) => find_value(&row.data, field)
                .filter(|value| value.is_number())
                .cloned()
                .unwrap_or_default(),
        };
        Place { value, id: row.id.0 }
    }
}

/// The value of a field, or inside of one (`total.amount`).
pub fn find_value<'d>(data: &'d Map<String, Value>, field: &str) -> Option<&'d Value> {
    let mut parts = field.split('.');
    let first = data.get(parts.next()?);
    parts.try_fold(first?, |value, part| value.get(part))
}

/// A condition on records.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// A field's value compares like this with a value. A record without one passes [`Compare::Not`] only.
    Field {
        /// Which field; inside of an amount `total.amount`.
        field: String,
        /// How.
        compare: Compare,
        /// With what; a number is compared as a number, everything else as text.
        value: Value,
    },
    /// A field's value is one of these.
    OneOf {
        /// Which field.
        field: String,
        /// Which values, as text.
        values: Vec<String>,
    },
    /// A field has a value, or has none.
    Present {
        /// Which field.
        field: String,
        /// Whether it has one.
        present: bool,
    },
    /// A key leads to the record.
    Key(MatchKey),
    /// Made (`true`) or changed (`false`) at or after the first moment and before the second, Unix milliseconds.
    Moment {
        /// Whether it is about when the record was made.
        created: bool,
        /// From.
        from_ms: i64,
        /// Until, not included.
        until_ms: i64,
    },
    /// A person has to say whether it is a duplicate, or not.
    Review(bool),
}

/// How a value compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// The same.
    Is,
    /// Another one, or none.
    Not,
    /// Greater.
    Above,
    /// Greater or the same.
    From,
    /// Smaller.
    Below,
    /// Smaller or the same.
    UpTo,
}

/// By which key a record was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchRow {
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// Who asked.
    pub source: String,
    /// The key that it was found by.
    pub key: MatchKey,
    /// What was done with it then: `updated`, `unchanged`, `merged`, `listed`.
    pub outcome: String,
}

/// Which pairs.
#[derive(Debug, Clone, Default)]
pub struct DuplicateFilter {
    /// Of this kind of record only.
    pub object: Option<String>,
    /// With this record only.
    pub record: Option<RecordId>,
    /// In this state only.
    pub state: Option<DuplicateState>,
    /// With an id below this.
    pub before: Option<i64>,
    /// How many at most.
    pub limit: usize,
}

/// Where a pair stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DuplicateState {
    /// Nobody has decided.
    Open = 0,
    /// They are one.
    Merged = 1,
    /// They are two.
    Dismissed = 2,
}

impl DuplicateState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Open, Self::Merged, Self::Dismissed];

    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Merged => "merged",
            Self::Dismissed => "dismissed",
        }
    }

    /// The state with this number.
    pub(crate) fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| *state as i64 == number)
    }
}

/// Two records that may be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicateRow {
    /// Its id.
    pub id: DuplicateId,
    /// Of which kind they are.
    pub object: String,
    /// The older one.
    pub one: RecordId,
    /// The younger one.
    pub other: RecordId,
    /// What they have in common.
    pub key: MatchKey,
    /// Where it stands.
    pub state: DuplicateState,
    /// When it was found, Unix milliseconds.
    pub found_ms: i64,
    /// When it was decided, Unix milliseconds.
    pub decided_ms: Option<i64>,
}

/// A merge.
#[derive(Debug, Clone, PartialEq)]
pub struct MergeRow {
    /// Its id.
    pub id: MergeId,
    /// Of which kind they are.
    pub object: String,
    /// It stayed.
    pub winner: RecordId,
    /// It went.
    pub loser: RecordId,
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// When it was undone, Unix milliseconds.
    pub undone_ms: Option<i64>,
    /// Why, and what there was before.
    pub story: MergeStory,
}

/// Why two records were merged, and what there was before.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MergeStory {
    /// Who did it.
    pub source: String,
    /// Whether the hub did it by itself.
    pub automatic: bool,
    /// The keys that led to both, of an automatic merge: kind and value.
    pub keys: Vec<(String, String)>,
    /// The winner's values before.
    pub before: Map<String, Value>,
    /// The winner's values behind.
    pub after: Map<String, Value>,
    /// Whether the winner was marked before.
    pub review: bool,
    /// Links that the winner got: connection, object, record key.
    pub links: Vec<(i64, String, String)>,
    /// Where both had a record of their own at the vendor, which stay two there: connection, object, the loser's external id.
    pub both: Vec<(i64, String, String)>,
}
