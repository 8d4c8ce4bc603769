//! Manifest: how answers are read and what they mean.

use serde::Deserialize;
use serde_json::Value;

use super::OneOrMany;

/// Where something is read: a JSON Pointer (`/id`), a JSONPath (`$[*].errorCode`), `header:Name`, or `text` for the whole
/// body; alone or with further demands.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum SourceSpec {
    /// The place alone.
    Place(String),
    /// The place and what is taken there.
    Detail(SourceDetail),
}

/// A place and what is taken there. The first value that meets every demand counts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceDetail {
    /// JSONPath of items, in each of which the place is then looked for.
    #[serde(default)]
    pub each: Option<String>,
    /// What each of these must yield in an item for it to count.
    #[serde(default, rename = "where")]
    pub conditions: Vec<SourceSpec>,
    /// The place.
    pub at: String,
    /// The value's text must match; what its first group (else the whole) matches is taken.
    #[serde(default)]
    pub regex: Option<String>,
    /// The value must be one of these.
    #[serde(default)]
    pub is: Option<Vec<Value>>,
    /// The value's text must be what this template gives, regardless of case.
    #[serde(default)]
    pub equals: Option<String>,
}

/// A status, or a range of them (`500-599`).
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum StatusSpec {
    /// One.
    One(u16),
    /// `first-last`.
    Range(String),
}

/// What must hold of an answer. Everything that is given must hold; a source holds when it yields a value.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WhenSpec {
    /// One of these statuses.
    pub status: Vec<StatusSpec>,
    /// Each of these.
    pub all: Vec<SourceSpec>,
    /// At least one of these.
    pub any: Vec<SourceSpec>,
    /// Not one of these.
    pub none: Vec<SourceSpec>,
}

/// What an answer can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// The record is there already.
    Duplicate,
    /// There is no such record.
    Missing,
    /// Surely nothing happened; again later.
    Retry,
    /// Surely nothing happened; the connection has to slow down.
    Throttled,
    /// The access token is no longer good.
    Reauthorise,
    /// The credentials are dead or may not do this.
    Denied,
    /// The receiver wants nothing more at this address, ever.
    Gone,
    /// The vendor has locked the account or shut us out: everything stops until a person has settled it.
    Blocked,
    /// The record is refused.
    Rejected,
    /// The server failed and may have done it all the same: `retry` for calls that are safe to repeat, else `unknown`.
    Unavailable,
    /// Nobody can tell.
    Unknown,
}

/// One rule; the first whose `when` holds decides.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// What must hold.
    pub when: WhenSpec,
    /// What it means.
    pub outcome: OutcomeKind,
    /// Where the vendor's words are; the first that yields text.
    #[serde(default)]
    pub message: OneOrMany<SourceSpec>,
    /// What to do next, in our words, put behind the vendor's.
    #[serde(default)]
    pub hint: Option<String>,
    /// The fields that the vendor names.
    #[serde(default)]
    pub fields: Option<FieldsSpec>,
    /// The wait that the vendor asks for.
    #[serde(default)]
    pub after: OneOrMany<AfterSpec>,
    /// The wait when the vendor asks for none.
    #[serde(default)]
    pub after_seconds: Option<u64>,
    /// The id of the record that is there already.
    #[serde(default)]
    pub existing: OneOrMany<SourceSpec>,
}

/// Where refused fields are named.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldsSpec {
    /// JSONPath of the errors.
    pub each: String,
    /// JSONPath of field names, within one error.
    pub name: String,
    /// JSONPath of the text, within one error.
    pub message: String,
}

/// A wait that the vendor asks for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AfterSpec {
    /// Where it is.
    pub at: String,
    /// How it is written.
    pub unit: AfterUnit,
}

/// How a wait is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterUnit {
    /// Seconds from now.
    Seconds,
    /// Milliseconds from now.
    Milliseconds,
    /// Seconds from now, or a date (RFC 9110, `Retry-After`).
    RetryAfter,
}
