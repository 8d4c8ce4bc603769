//! What has to be so for a commit to happen.

use deadpool_postgres::Transaction;

use super::super::{Trouble, automations, callbacks};
use crate::store::{Commit, Committed, Guard};

/// Whether the guard holds; what it takes for itself is written, or locked until the end of the transaction.
pub(super) async fn holds(tx: &Transaction<'_>, commit: &Commit) -> Result<bool, Trouble> {
    match &commit.guard {
        Guard::None => Ok(true),
        Guard::Step(step) => automations::holds(&**tx, commit.workspace, step).await,
        Guard::Callback { round, .. } => callbacks::holds(&**tx, *round).await,
    }
}

/// Writes down what the guard keeps of a commit that has happened.
pub(super) async fn note(tx: &Transaction<'_>, commit: &Commit, committed: &Committed) -> Result<(), Trouble> {
    match &commit.guard {
        Guard::None => Ok(()),
        Guard::Step(step) => automations::settle(&**tx, commit.workspace, step, committed, commit.now_ms).await,
        Guard::Callback { round, outcome } => {
            let (outcome, made) = commit.concluded(outcome, committed);
            let settled = callbacks::settle(&**tx, *round, &outcome, Some(&made), commit.now_ms).await;
            settled.map(|_| ())
        }
    }
}
