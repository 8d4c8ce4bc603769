//! What a node asks for when it wants to send.

use switchboard_connect::connector::AccountId;
use switchboard_model::id::ConnectionId;

/// A connection that a node wants the right to send for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The connection.
    pub connection: ConnectionId,
    /// The vendor account that it is about; `None`: no other connection is about it. The rights of one account go to one node, because each
    /// node counts the calls of its own.
    pub account: Option<AccountId>,
}

impl From<ConnectionId> for Claim {
    /// One to an account of its own.
    fn from(connection: ConnectionId) -> Self {
        Self {
            connection,
            account: None,
        }
    }
}
