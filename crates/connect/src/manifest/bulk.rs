//! Manifest: one request for several records.

use serde::Deserialize;
use serde_json::Value;

use super::{InsertSpec, OneOrMany, RequestSpec, RuleSpec, SourceSpec, WhenSpec};

/// How several records share one request.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BulkSpec {
    /// Most records of one request: a number, or a template of one. With 1 or less there is no such request on this account.
    pub most_items: Value,
    /// Most bytes of all records together.
    #[serde(default = "a_megabyte")]
    pub most_bytes: usize,
    /// What one record is in the request, a tree of templates. Absent: nothing but its place.
    pub item: Value,
    /// Members of an item whose names are not known beforehand.
    #[serde(default)]
    pub insert: Vec<InsertSpec>,
    /// The request; it sees `items`, and `group`, a text that is the same whenever the same records are sent together.
    pub request: RequestSpec,
    /// What the answer says about each record.
    pub result: BulkResultSpec,
    /// Rules about one record's result; they precede the operation's, the object's and the connector's, which follow.
    #[serde(default)]
    pub classify: Vec<RuleSpec>,
}

/// What the answer says about each record.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BulkResultSpec {
    /// What proves that the answer speaks about single records. Any other answer is about all of them.
    pub when: WhenSpec,
    /// JSONPaths of the results, one list behind the other. None: what holds for the answer holds for each record.
    #[serde(default)]
    pub each: Vec<String>,
    /// How a result is matched to its record; absent: by its position.
    #[serde(default)]
    pub key: Option<BulkKeySpec>,
    /// What proves success of one record.
    #[serde(default)]
    pub success: WhenSpec,
    /// The record's id, inside its result.
    #[serde(default)]
    pub id: Option<SourceSpec>,
    /// Where its result says whether the record is new.
    #[serde(default)]
    pub created: Option<SourceSpec>,
    /// What it means that there is no result for a record.
    #[serde(default)]
    pub absent: Absent,
}

/// How a result is matched to its record, regardless of case.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BulkKeySpec {
    /// Where the result has it; the first that yields text.
    pub at: OneOrMany<SourceSpec>,
    /// What the record has, a template.
    pub equals: String,
}

/// What it means that there is no result for a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Absent {
    /// Nobody knows what became of it.
    #[default]
    Unknown,
    /// There is no such record (reads).
    Missing,
}

fn a_megabyte() -> usize {
    1_000_000
}
