//! Processes callbacks in the background, in the order in which they came.

use std::{sync::Weak, time::Duration};

use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use super::process::process;
use crate::{
    hub::{Hub, Inner},
    store::StoreError,
};

/// So many are taken at once.
const SLICE: usize = 64;
/// How long no other node takes them.
const LEASE_MS: i64 = 120_000;
/// How often is looked without having been rung for: what is due later, and what other nodes have left.
const LOOK: Duration = Duration::from_secs(1);
/// The pause after the store failed.
const FAILED: Duration = Duration::from_secs(5);

/// Says that there is something to do. A ring that is missed costs a second.
#[derive(Debug, Default)]
pub struct Bell(Notify);

impl Bell {
    /// There is something to do.
    pub fn ring(&self) {
        self.0.notify_one();
    }
}

/// Works until the hub is gone.
pub(crate) async fn run(hub: Weak<Inner>) {
    loop {
        let Some(inner) = hub.upgrade() else { return };
        let hub = Hub::of(inner);
        let pause = match round(&hub).await {
            Ok(SLICE) => Duration::ZERO,
            Ok(_) => LOOK,
            Err(StoreError::Closed) => return,
            Err(error) => {
                tracing::error!(%error, "callbacks could not be processed");
                FAILED
            }
        };
        if pause == LOOK {
            let bell = hub.bell();
            drop(hub);
            // Whether somebody rang or the time has passed: it is looked again.
            let _ = timeout(pause, bell.0.notified()).await;
        } else {
            drop(hub);
            sleep(pause).await;
        }
    }
}

/// Processes what is due; answers how many callbacks that were.
async fn round(hub: &Hub) -> Result<usize, StoreError> {
    let store = hub.store();
    let due = store.take_callbacks(hub.now_ms(), LEASE_MS, SLICE).await?;
    let count = due.len();
    for callback in due {
        process(hub, &callback).await?;
    }
    Ok(count)
}
