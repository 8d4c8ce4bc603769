//! What has to be so for a commit to happen.

use super::super::{automations, callbacks, writer::Tx};
use crate::store::{Commit, Committed, Guard};

/// Whether the guard holds; what it takes for itself is written.
pub(super) fn holds(tx: &mut Tx<'_>, commit: &Commit) -> rusqlite::Result<bool> {
    match &commit.guard {
        Guard::None => Ok(true),
        Guard::Step(step) => automations::holds(tx.db, commit.workspace, step),
        Guard::Callback { round, .. } => callbacks::holds(tx.db, *round),
    }
}

/// Writes down what the guard keeps of a commit that has happened.
pub(super) fn note(tx: &mut Tx<'_>, commit: &Commit, committed: &Committed) -> rusqlite::Result<()> {
    match &commit.guard {
        Guard::None => Ok(()),
        Guard::Step(step) => automations::settle(tx.db, commit.workspace, step, committed, commit.now_ms),
        Guard::Callback { round, outcome } => {
            let (outcome, made) = commit.concluded(outcome, committed);
            callbacks::settle(tx.db, *round, &outcome, Some(&made), commit.now_ms).map(|_| ())
        }
    }
}
