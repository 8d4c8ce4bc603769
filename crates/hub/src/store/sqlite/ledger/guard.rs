//! What has to be so for a commit to happen.

use super::super::writer::Tx;
use crate::store::{Commit, Committed, Guard};

/// Whether the guard holds; what it takes for itself is written.
pub(super) fn holds(_tx: &mut Tx<'_>, commit: &Commit) -> rusqlite::Result<bool> {
    match &commit.guard {
        Guard::None => Ok(true),
    }
}

/// Writes down what the guard keeps of a commit that has happened.
pub(super) fn note(_tx: &mut Tx<'_>, commit: &Commit, _committed: &Committed) -> rusqlite::Result<()> {
    match &commit.guard {
        Guard::None => Ok(()),
    }
}
