//! What goes wrong with the database, and what can be done about it.

use std::error::Error;

use tokio_postgres::error::SqlState;

use crate::store::StoreError;

/// Why a statement or a connection failed.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The database or the way to it.
    Database(tokio_postgres::Error),
    /// Everything else.
    Other(StoreError),
}

impl Trouble {
    /// The other transaction won; the same one succeeds when it is run again.
    pub fn passes(&self) -> bool {
        matches!(
            self.state(),
            Some(
                &SqlState::T_R_DEADLOCK_DETECTED | &SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::LOCK_NOT_AVAILABLE
            )
        )
    }

    /// A row has no partition: the day was dropped, or never made.
    pub fn lacks_partition(&self) -> bool {
        self.state() == Some(&SqlState::CHECK_VIOLATION)
    }

    /// A key is there already, or is in this very statement twice.
    pub fn is_taken(&self) -> bool {
        self.state() == Some(&SqlState::UNIQUE_VIOLATION)
    }

    /// The database refused this very statement; another one may succeed.
    pub fn is_of_statement(&self) -> bool {
        matches!(self, Self::Database(error) if error.as_db_error().is_some_and(|refusal| {
            // Class 22 is about values, 23 about constraints, 54 about what is too large for the database.
            let class = refusal.code().code().get(..2);
            matches!(class, Some("22" | "23" | "54"))
        }))
    }

    fn state(&self) -> Option<&SqlState> {
        match self {
            Self::Database(error) => error.code(),
            Self::Other(_) => None,
        }
    }
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

impl From<deadpool_postgres::PoolError> for Trouble {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        match error {
            deadpool_postgres::PoolError::Backend(error) => Self::Database(error),
            deadpool_postgres::PoolError::Closed => Self::Other(StoreError::Closed),
            deadpool_postgres::PoolError::Timeout(_) => Self::Other(StoreError::Failed(
                "the database did not take another connection in time".into(),
            )),
            other => Self::Other(StoreError::Failed(other.to_string())),
        }
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Other(error)
    }
}

impl From<Trouble> for StoreError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Database(error) => Self::Failed(match error.as_db_error() {
                Some(refusal) => format!("the database answered: {}", refusal.message()),
                None => format!("the database cannot be reached: {}", chain(&error)),
            }),
            Trouble::Other(error) => error,
        }
    }
}

fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}
