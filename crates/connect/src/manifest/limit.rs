//! Manifest: what the vendor allows.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{OperationKind, SourceSpec};

/// How a bucket counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BucketKind {
    /// At most `amount` in any `seconds`.
    Window,
    /// `amount` per `seconds` on average; after a rest up to `burst` at once.
    Token,
    /// At most `amount` on one calendar day in `time_zone`; in any 24 hours where the zone is not known.
    Daily,
    /// At most `amount` calls at the same time; with `seconds`: of those that have taken that long.
    Concurrency,
}

/// What a bucket counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BucketUnit {
    /// Calls.
    #[default]
    Calls,
    /// The vendor's points: what a call really took may be told by its answer.
    Points,
}

/// One bucket. A call must find room in every bucket that is about it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSpec {
    /// Its name.
    pub name: String,
    /// How it counts.
    pub kind: BucketKind,
    /// What it counts.
    #[serde(default)]
    pub unit: BucketUnit,
    /// How many: a number, or a template of one.
    pub amount: Value,
    /// Length of the window.
    #[serde(default)]
    pub seconds: u64,
    /// How many at once after a rest (kind `token`): a number, or a template of one. Without it `amount`.
    #[serde(default)]
    pub burst: Option<Value>,
    /// Template of the time zone whose midnight begins the day (kind `daily`), as `Europe/Berlin`.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// What one call costs.
    #[serde(default = "one")]
    pub cost: u64,
    /// What a call of these operations costs instead.
    #[serde(default)]
    pub costs: IndexMap<OperationKind, u64>,
    /// The operations that it is about; empty means all, and the calls of tests and preparations.
    #[serde(default)]
    pub operations: Vec<OperationKind>,
    /// The objects that it is about; empty means all, and the calls of tests and preparations.
    #[serde(default)]
    pub objects: Vec<String>,
    /// What answers say about it.
    #[serde(default)]
    pub feeds: FeedSpec,
}

fn one() -> u64 {
    1
}

/// Where answers say how full a bucket is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FeedSpec {
    /// How much is left.
    pub remaining: Option<SourceSpec>,
    /// How much was used.
    pub used: Option<SourceSpec>,
    /// How much is allowed.
    pub amount: Option<SourceSpec>,
    /// What this call took (unit `points`).
    pub cost: Option<SourceSpec>,
    /// When all of it can be used again.
    pub reset: Option<ResetSpec>,
}

/// When a bucket is whole again.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResetSpec {
    /// Where it is.
    pub at: SourceSpec,
    /// How it is written.
    pub unit: ResetUnit,
}

/// How the end of a limit is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetUnit {
    /// Seconds from now.
    Seconds,
    /// Milliseconds from now.
    Milliseconds,
    /// A moment: Unix seconds or milliseconds, or RFC 3339.
    Moment,
}
