//! Why a case was not passed, in the words of somebody who has never seen this program.

use serde::Serialize;

/// Why a case was not passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// What should have been.
    pub expected: String,
    /// What was instead.
    pub found: String,
    /// Two records where there should be one: no waiver excuses that.
    pub doubled: bool,
}

impl Failure {
    /// This was expected, that was found.
    pub fn new(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            expected: expected.into(),
            found: found.into(),
            doubled: false,
        }
    }

    /// A record is there more than once.
    pub fn doubled(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            doubled: true,
            ..Self::new(expected, found)
        }
    }
}

impl From<switchboard_model::problem::Problem> for Failure {
    fn from(problem: switchboard_model::problem::Problem) -> Self {
        Self::new("the hub does its work", problem.to_string())
    }
}

/// How a case went.
pub type Verdict = Result<(), Failure>;

/// Fails unless something holds.
pub fn expect(holds: bool, expected: impl Into<String>, found: impl FnOnce() -> String) -> Verdict {
    if holds {
        Ok(())
    } else {
        Err(Failure::new(expected, found()))
    }
}
