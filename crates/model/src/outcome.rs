//! What an answer of a vendor means: a closed set.

use serde::{Deserialize, Serialize};

/// One field that a vendor (or our own check) refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldProblem {
    /// The vendor's name of the field; empty when the answer names none.
    pub field: String,
    /// What is wrong with it, for a person.
    pub message: String,
}

/// The classified result of one call. A call that is classified as nothing else is [`Outcome::Unknown`]: success needs
/// positive evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The answer proves that the call did what it asks for.
    Delivered {
        /// The vendor's id of the record, where the call yields one.
        external_id: Option<String>,
        /// True when the answer says that the record is new.
        created: Option<bool>,
    },
    /// The record is there already; `existing` is its id when the answer names it.
    Duplicate {
        /// The vendor's id of the record that is in the way.
        existing: Option<String>,
    },
    /// A read found nothing, or the record to be changed is gone.
    Missing,
    /// Nothing happened; try again later.
    Retry {
        /// What the vendor said.
        message: String,
        /// The wait that the vendor asks for, in milliseconds.
        after_ms: Option<u64>,
    },
    /// The vendor wants less: the whole connection waits.
    Throttled {
        /// What the vendor said.
        message: String,
        /// The wait that the vendor asks for, in milliseconds.
        after_ms: Option<u64>,
    },
    /// The access token is no longer good; a new one, then again at once.
    Reauthorise {
        /// What the vendor said.
        message: String,
    },
    /// The credentials themselves are dead or may not do this: a person has to reconnect.
    Denied {
        /// What the vendor said.
        message: String,
    },
    /// The receiver wants nothing more at this address, ever.
    Gone {
        /// What it said.
        message: String,
    },
    /// The vendor has locked the account or shut us out. Going on makes it worse: nothing more is sent, not even by other
    /// connections of the account, until a person has settled it with the vendor.
    Blocked {
        /// What the vendor said.
        message: String,
    },
    /// The vendor refuses this record; trying again unchanged is useless.
    Rejected {
        /// What the vendor said.
        message: String,
        /// The fields that it names.
        fields: Vec<FieldProblem>,
    },
    /// Nobody knows whether the call took effect.
    Unknown {
        /// Why nobody knows.
        message: String,
    },
}

impl Outcome {
    /// Its name in the API and in metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Delivered { .. } => "delivered",
            Self::Duplicate { .. } => "duplicate",
            Self::Missing => "missing",
            Self::Retry { .. } => "retry",
            Self::Throttled { .. } => "throttled",
            Self::Reauthorise { .. } => "reauthorise",
            Self::Denied { .. } => "denied",
            Self::Gone { .. } => "gone",
            Self::Blocked { .. } => "blocked",
            Self::Rejected { .. } => "rejected",
            Self::Unknown { .. } => "unknown",
        }
    }
}
