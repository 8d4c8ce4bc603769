//! Access tokens and sign-ins.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use switchboard_model::id::{ConnectionId, WorkspaceId};
use tokio::sync::OwnedMutexGuard;

use super::Answer;

/// An access token on its way into the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessNote {
    /// Sealed.
    pub sealed: Vec<u8>,
    /// When the sign-in ends that it comes from, Unix milliseconds; `None`: what is known already stays.
    pub grant_ends_ms: Option<i64>,
}

/// The credentials of a connection as they are, and its access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRow {
    /// The credentials, sealed.
    pub credentials: Vec<u8>,
    /// The access token, sealed; `None`: none was fetched with the present credentials.
    pub token: Option<Vec<u8>>,
}

/// A person who was sent to a vendor's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInRow {
    /// SHA-256 of what they come back with.
    pub state: [u8; 32],
    /// Their tenant.
    pub workspace: WorkspaceId,
    /// What they connect.
    pub connection: ConnectionId,
    /// What is needed then, sealed.
    pub sealed: Vec<u8>,
    /// They are expected until then, Unix milliseconds.
    pub expires_ms: i64,
}

/// The turn of one who asks for the tokens of a connection. It ends when this is dropped.
pub trait Turn: Send + Sync {}

/// Access tokens and sign-ins.
pub trait Grants: Send + Sync {
    /// Waits until nobody else, on whichever node, asks for the tokens of this connection. One at a time, because a vendor that replaces
    /// refresh tokens takes the second use of one for theft and ends the sign-in.
    fn turn(&self, connection: ConnectionId) -> Answer<'_, Box<dyn Turn>>;

    /// What there is now; `None`: no such connection.
    fn access(&self, connection: ConnectionId) -> Answer<'_, Option<AccessRow>>;

    /// When the sign-ins of a workspace's connections end, Unix milliseconds, where that is known.
    fn grant_ends(&self, workspace: WorkspaceId) -> Answer<'_, HashMap<ConnectionId, i64>>;

    /// Expects a person back. Forgets those that were expected until `now_ms` less a day.
    fn expect_back(&self, sign_in: SignInRow, now_ms: i64) -> Answer<'_, ()>;

    /// The one who comes back with this state, once.
    fn come_back(&self, state: [u8; 32]) -> Answer<'_, Option<SignInRow>>;
}

/// So long after its end a sign-in is still told from one that never was, in milliseconds.
pub(super) const REMEMBERED_MS: i64 = 86_400_000;

/// The turns of one process.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns(Arc<Mutex<HashMap<ConnectionId, Arc<tokio::sync::Mutex<()>>>>>);

impl Turns {
    pub async fn take(&self, connection: ConnectionId) -> OwnedMutexGuard<()> {
        let turn = Arc::clone(self.0.lock().entry(connection).or_default());
        turn.lock_owned().await
    }
}

impl Turn for OwnedMutexGuard<()> {}
