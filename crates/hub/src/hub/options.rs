//! What a hub is opened with.

use std::{path::PathBuf, sync::Arc};

use serde::Deserialize;
use switchboard_connect::registry::Registry;

use crate::{clock::Clock, lane::backoff::Schedule, store::Database, vault::MasterKeySource};

/// What a hub is opened with.
#[derive(Debug, Clone)]
pub struct HubOptions {
    /// The folder of the master key, and of the database unless that is elsewhere.
    pub data: PathBuf,
    /// Which database keeps events and configuration.
    pub database: Database,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The connectors.
    pub registry: Arc<Registry>,
    /// Whether connections may call loopback and private addresses.
    pub allow_private_addresses: bool,
    /// Where the master key comes from.
    pub master_key: MasterKeySource,
    /// How it works.
    pub tuning: Tuning,
}

/// How a hub works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tuning {
    /// How failed deliveries are tried again.
    pub retry: Schedule,
    /// How long a primary may be down before its backup takes what waits, in milliseconds.
    pub hand_over_after_ms: i64,
    /// How long a call to a vendor may take, in milliseconds. After a crash nothing is looked for before the vendor has had this time for the call
    /// that was under way.
    pub call_limit_ms: u64,
    /// So many events may wait for the store at once; senders of more are told to wait.
    pub waiting_events: usize,
    /// Days of the history that are older than this many days are dropped; 0: none is.
    pub keep_days: u32,
    /// An endpoint of outgoing webhooks where nobody has taken anything for so many milliseconds is switched off; 0: none is.
    pub disable_after_ms: i64,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            retry: Schedule::default(),
            hand_over_after_ms: 60_000,
            // Notion gives itself 60 s (fact sheet §8), most others less.
            call_limit_ms: 75_000,
            waiting_events: 2_000,
            keep_days: 90,
            disable_after_ms: 5 * 86_400_000,
        }
    }
}
