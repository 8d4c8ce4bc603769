//! What the measuring aids of both stores put into the history.

use switchboard_model::id::{ConnectionId, WorkspaceId};

/// What to put into the history.
#[derive(Debug, Clone, Copy)]
pub struct Filling {
    /// Whose.
    pub workspace: WorkspaceId,
    /// Where everything was delivered.
    pub connection: ConnectionId,
    /// How many events; each has one delivery, one call and one fingerprint.
    pub events: usize,
    /// Over how many days, the last of which is the one before `now_ms`.
    pub days: u32,
    /// Unix milliseconds.
    pub now_ms: i64,
    /// Length of each message, in bytes.
    pub bytes: usize,
}
