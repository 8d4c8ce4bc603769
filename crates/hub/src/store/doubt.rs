//! What is not known to have been written, and what is known of a record instead.

use switchboard_connect::{connector::Recovery, manifest::OperationKind};

/// A write whose outcome is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InDoubt {
    /// When it was first sent, Unix milliseconds.
    pub since_ms: i64,
    /// Which operation it was, when that was written down.
    pub operation: Option<OperationKind>,
    /// What could tell what became of it when it was sent, when that was written down.
    pub recovery: Option<Recovery>,
    /// Nobody saw how the call ended (the process or its right to send went away): the vendor may still be at work on it.
    pub open: bool,
}

impl InDoubt {
    /// Whether a record may have come into being.
    pub fn is_about_creation(&self) -> bool {
        matches!(
            self.operation,
            None | Some(OperationKind::Create | OperationKind::Upsert)
        )
    }

    /// Whether the call may be repeated whatever became of it.
    pub fn is_repeatable(&self) -> bool {
        self.recovery.is_some_and(|recovery| recovery.means.is_repeatable())
    }
}

/// What is known of a record at a vendor before a delivery of it is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Linked {
    /// It has this id there.
    To(String),
    /// An earlier delivery of it was given up while this was in doubt.
    InDoubt(InDoubt),
}
