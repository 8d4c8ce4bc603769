//! Reads the fields of accounts anew when a write was refused, and once a day.

use std::{collections::HashMap, sync::Weak, time::Duration};

use switchboard_model::{connection::ConnectionState, id::ConnectionId};

use super::{Hub, Inner};
use crate::{
    configuration::Connection,
    discovery::{self, Asker, Part},
};

/// How often is looked for what is a day old.
const ROUND: Duration = Duration::from_secs(15 * 60);
/// After a refusal the fields of an account are read anew at most this often, in milliseconds.
const DOUBT_PAUSE_MS: i64 = 10 * 60 * 1000;

/// Works until the hub is gone.
pub(super) async fn run(hub: Weak<Inner>) {
    let Some(doubts) = hub.upgrade().map(|inner| inner.desk.doubts.clone()) else {
        return;
    };
    let mut last_doubt: HashMap<ConnectionId, i64> = HashMap::new();
    loop {
        let doubted = tokio::time::timeout(ROUND, doubts.take()).await;
        let Some(inner) = hub.upgrade() else { return };
        let hub = Hub { inner };
        let now_ms = hub.now_ms();
        let configuration = hub.configuration();
        for connection in configuration.connections() {
            match &doubted {
                Ok(doubted) => {
                    let last = last_doubt.get(&connection.id);
                    let rested = last.is_none_or(|last| now_ms - last >= DOUBT_PAUSE_MS);
                    if doubted.contains(&connection.id) && rested {
                        last_doubt.insert(connection.id, now_ms);
                        hub.read_fields(connection, 0).await;
                    }
                }
                Err(_) => hub.read_fields(connection, discovery::LIFETIME_MS).await,
            }
        }
    }
}

impl Hub {
    /// Reads the fields of the objects that a connection makes, as far as what is known of them is this old.
    async fn read_fields(&self, connection: &Connection, age_ms: i64) {
        let Ok(connector) = connection.connector() else { return };
        if connection.state != ConnectionState::Active
            || !connection.enabled
            || connector.discoverable().next().is_none()
        {
            return;
        }
        let desk = &self.inner.desk;
        let known = match discovery::known(desk, connection).await {
            Ok(known) => known,
            Err(problem) => {
                tracing::error!(connection = %connection.key, %problem, "what is known of the account could not be read");
                return;
            }
        };
        let now_ms = self.now_ms();
        let mapped = connection.mapped_objects();
        for object in connector
            .discoverable()
            .filter(|name| mapped.iter().any(|mapped| mapped == name))
        {
            let part = Part::Object(object.to_owned());
            let found = known.iter().find(|(name, _)| *name == part.name());
            if found.is_some_and(|(_, found)| now_ms - found.found_ms < age_ms) {
                continue;
            }
            if let Err(problem) = discovery::find_out(desk, connection, &part, Asker::Upkeep).await {
                tracing::warn!(connection = %connection.key, object, %problem, "the fields of the account could not be read");
                return;
            }
        }
    }
}
