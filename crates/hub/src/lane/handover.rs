//! Gives what waits for a primary that is down to its backup.

use std::time::Duration;

use switchboard_model::id::DeliveryId;

use super::runner::Down;
use crate::{
    attempt::{self, Desk},
    configuration::Connection,
    store::{Fence, Pending},
};

/// How many deliveries are looked at together.
const PAGE: usize = 1_000;
/// The pause between two looks, in milliseconds.
const PAUSE_MS: i64 = 200;

/// How far the lane of a connection that is down has got.
#[derive(Debug, Default)]
pub(super) struct Handover {
    /// Since when the connection is down.
    since_ms: Option<i64>,
    /// Everything up to this one was looked at.
    cursor: DeliveryId,
    /// Not before this moment is there another look.
    next_ms: i64,
}

impl Handover {
    /// Looks at what waits, if it is time; answers when to look again. A backup stands in for a failure, not for a person's pause, and not before
    /// the failure has lasted for a while.
    pub(super) async fn step(
        &mut self,
        desk: &Desk,
        connection: &Connection,
        fence: Fence,
        down: Option<&Down>,
        now_ms: i64,
    ) -> Option<Duration> {
        let Some(down) = down.filter(|down| down.is_failure) else {
            // A look whether the vendor is back does not end the failure; what it finds does.
            if connection.is_prepared() && !connection.circuit.lock().is_outage() {
                *self = Self::default();
            }
            return None;
        };
        let since_ms = *self.since_ms.get_or_insert(now_ms);
        let due_ms = (since_ms + desk.hand_over_after_ms).max(self.next_ms);
        if now_ms < due_ms {
            return Some(millis(due_ms - now_ms));
        }
        self.next_ms = now_ms + PAUSE_MS;
        match desk.store.pending(connection.id, self.cursor, PAGE).await {
            Ok(waiting) => {
                self.cursor = waiting.last().map_or(self.cursor, |last| last.id);
                let backed: Vec<Pending> = waiting
                    .into_iter()
                    .filter(|pending| pending.fallback.is_some())
                    .collect();
                let count = attempt::hand_over(desk, connection, fence, backed, &down.because).await;
                if count > 0 {
                    tracing::warn!(connection = %connection.key, count, because = down.because, "the backup takes over");
                }
            }
            Err(error) => {
                tracing::error!(connection = %connection.key, %error, "the outbox could not be read");
            }
        }
        Some(millis(PAUSE_MS))
    }
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
