//! What has to be so for a commit to happen.

use deadpool_postgres::Transaction;

use super::super::Trouble;
use crate::store::{Commit, Committed, Guard};

/// Whether the guard holds; what it takes for itself is written, or locked until the end of the transaction.
pub(super) async fn holds(_tx: &Transaction<'_>, commit: &Commit) -> Result<bool, Trouble> {
    match &commit.guard {
        Guard::None => Ok(true),
    }
}

/// Writes down what the guard keeps of a commit that has happened.
pub(super) async fn note(_tx: &Transaction<'_>, commit: &Commit, _committed: &Committed) -> Result<(), Trouble> {
    match &commit.guard {
        Guard::None => Ok(()),
    }
}
