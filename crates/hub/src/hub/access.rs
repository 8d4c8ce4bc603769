//! API keys: made once, kept as hashes, recognised in memory.

use std::{collections::HashMap, sync::Arc};

use rand::TryRng;
use sha2::{Digest, Sha256};
use switchboard_model::{
    id::{IdSource, KeyId, WorkspaceId},
    problem::{Code, Problem},
};

use super::Hub;
use crate::store::KeyRow;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The tenant that the key belongs to.
    pub workspace: WorkspaceId,
    /// The key.
    pub key: KeyId,
    /// What the key is for.
    pub name: String,
}

/// The keys that are good, by the hash of their secrets.
#[derive(Debug, Default)]
pub(super) struct Keys(HashMap<[u8; 32], Arc<Caller>>);

impl Keys {
    pub(super) fn new(rows: Vec<KeyRow>) -> Self {
        let caller = |row: KeyRow| {
            (
                row.hash,
                Arc::new(Caller {
                    workspace: row.workspace,
                    key: row.id,
                    name: row.name,
                }),
            )
        };
        Self(rows.into_iter().map(caller).collect())
    }
}

impl Hub {
    /// Makes a key; the text is shown this once and kept nowhere.
    ///
    /// # Errors
    /// When the store fails or the machine has no randomness to give.
    pub async fn create_key(&self, workspace: WorkspaceId, name: &str) -> Result<(KeyId, String), Problem> {
        let mut random = [0; 32];
        rand::rngs::SysRng.try_fill_bytes(&mut random).map_err(|error| {
            Problem::new(
                Code::Internal,
                format!("the machine gives no random bytes: {error}"),
                "Check the machine.",
            )
        })?;
        let text = format!("swb_{}", hex::encode(random));
        let now_ms = self.clock().now_ms();
        // Keys are made by people, one at a time: a fresh source with a random floor within the millisecond is unique enough to be a key.
        let node = random[0];
        let id = KeyId(IdSource::new(node, 0).next(now_ms) | i64::from(random[1]) << 8 | i64::from(random[2]));
        let row = KeyRow {
            id,
            workspace,
            name: name.to_owned(),
            hash: hash(&text),
            created_ms: now_ms,
        };
        self.inner.store.add_key(row).await?;
        self.refresh().await?;
        Ok((id, text))
    }

    /// Every key of a workspace that is not revoked.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keys(&self, workspace: WorkspaceId) -> Result<Vec<KeyRow>, Problem> {
        let rows = self.inner.store.keys().await?;
        Ok(rows.into_iter().filter(|row| row.workspace == workspace).collect())
    }

    /// Whose key this is. The text is high-entropy, so its hash is a safe index.
    pub fn authenticate(&self, presented: &str) -> Option<Arc<Caller>> {
        self.inner.keys.read().0.get(&hash(presented)).cloned()
    }
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}
