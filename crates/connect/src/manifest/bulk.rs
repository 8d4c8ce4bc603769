//! Manifest: several records in one request.

use serde::Deserialize;
use serde_json::Value;

use super::{InsertSpec, RequestSpec, ResultSpec, RuleSpec, SourceSpec, WhenSpec};

/// How several records go in one request.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BulkSpec {
    /// The most records of one request: a number, or a template of one. 1 or less: none of this on the account.
    pub most_items: Value,
    /// The most bytes of the body (of the items, when they are not in the body).
    #[serde(default = "mebibyte")]
    pub most_bytes: usize,
    /// What must differ between the records of one request: a template, filled in for each record.
    #[serde(default)]
    pub distinct: Option<String>,
    /// Each record goes as the request that it would be alone, and its part of the answer means what the answer to that request would:
    /// nothing of the operation is said twice. Instead of `item`.
    #[serde(default)]
    pub envelope: Option<Envelope>,
    /// What is sent of one record: a tree of templates that see what those of a single request see.
    #[serde(default)]
    pub item: Option<Value>,
    /// Members of the item whose names are not known beforehand.
    #[serde(default)]
    pub insert: Vec<InsertSpec>,
    /// The request. `{{ items }}`, alone in one place of the body or anywhere else, is the list of the items; `key` belongs
    /// to the group, and there is neither `record` nor `id`.
    pub request: RequestSpec,
    /// Where the answer speaks about single records.
    pub answer: BulkAnswerSpec,
    /// What proves success in what the answer says about one record; needed where there are lists.
    #[serde(default)]
    pub result: Option<ResultSpec>,
    /// Rules for what the answer says about one record. They precede those of the operation, the object and the connector.
    #[serde(default)]
    pub classify: Vec<RuleSpec>,
}

/// What single requests travel in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Envelope {
    /// `multipart/mixed` with an `application/http` message in each part, answered alike and in the same order: the batches of OData 4.0.
    Multipart,
}

fn mebibyte() -> usize {
    1 << 20
}

/// Where an answer speaks about single records.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BulkAnswerSpec {
    /// What proves that it does; every other answer is about all records.
    pub when: WhenSpec,
    /// Where the results are. Without a list such an answer is success of each record.
    #[serde(default)]
    pub lists: Vec<BulkListSpec>,
    /// What it means for a record that it is in no list.
    #[serde(default)]
    pub absent: Option<Absent>,
}

/// A list of results. Without `at` and `equals` the results are in the order of the items.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BulkListSpec {
    /// JSONPath of the results.
    pub each: String,
    /// Where a result says which record it is about; several values: it is about several.
    #[serde(default)]
    pub at: Option<SourceSpec>,
    /// What a record is called there: a template, filled in for each record.
    #[serde(default)]
    pub equals: Option<String>,
    /// Whether upper and lower case are the same there.
    #[serde(default)]
    pub ignore_case: bool,
}

/// What it means that an answer is silent about a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Absent {
    /// There is no such record.
    Missing,
    /// Nobody knows.
    Unknown,
    /// Success: the vendor lists failures only.
    Delivered,
}
