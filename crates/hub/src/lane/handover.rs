//! Gives what waits for a primary that is down to its backup.

use std::time::Duration;

use switchboard_model::id::DeliveryId;

use super::{runner::Down, window::Window};
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
    /// The first that was being sent when it was looked at: it may wait again by now.
    skipped: Option<DeliveryId>,
    /// Not before this moment is there another look.
    next_ms: i64,
}

impl Handover {
    /// Looks at what waits, if it is time; answers when to look again. A backup stands in for a failure, not for a person's pause, and not before
    /// the failure has lasted for a while.
    pub(super) async fn step(
        &mut self,
        desk: &Desk,
        (connection, fence, window): (&Connection, Fence, &Window),
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
                // Nothing new is sent before the backup has what it gets: this lane is at work here.
                let busy = |pending: &Pending| pending.is_sending() || window.is_sending(pending.id);
                self.turn_to(&waiting, busy);
                let backed = waiting
                    .into_iter()
                    .filter(|pending| pending.fallback.is_some() && !busy(pending));
                let backed: Vec<Pending> = backed.collect();
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

impl Handover {
    /// Goes on behind this page, and after the last one back to what was skipped.
    fn turn_to(&mut self, page: &[Pending], busy: impl Fn(&Pending) -> bool) {
        let sending = page.iter().find(|pending| busy(pending));
        self.skipped = self.skipped.or(sending.map(|pending| pending.id));
        self.cursor = page.last().map_or(self.cursor, |last| last.id);
        if page.len() < PAGE
            && let Some(skipped) = self.skipped.take()
        {
            self.cursor = DeliveryId(skipped.0 - 1);
        }
    }
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use switchboard_model::id::{ConnectionId, EventId};

    use super::*;
    use crate::store::InDoubt;

    fn page(ids: std::ops::Range<i64>, sending: &[i64]) -> Vec<Pending> {
        let doubt = |id: i64| {
            sending.contains(&id).then_some(InDoubt {
                since_ms: 0,
                operation: None,
                recovery: None,
                open: true,
            })
        };
        let one = |id| Pending {
            id: DeliveryId(id),
            event: EventId(id),
            body: None,
            connection: ConnectionId(1),
            object: "lead".into(),
            record_key: id.to_string(),
            options: None,
            attempts: 0,
            due_ms: 0,
            doubt: doubt(id),
            fallback: None,
            handed_over: false,
            fresh: false,
            alone: false,
        };
        ids.map(one).collect()
    }

    #[test]
    fn what_is_being_sent_is_looked_at_again_when_everything_else_was() {
        let mut handover = Handover::default();
        let full = i64::try_from(PAGE).unwrap();
        handover.turn_to(&page(1..full + 1, &[7, 9]), Pending::is_sending);
        assert_eq!(handover.cursor, DeliveryId(full), "first what comes behind it");
        handover.turn_to(&page(full + 1..full + 3, &[full + 2]), Pending::is_sending);
        assert_eq!(handover.cursor, DeliveryId(6), "the first that was being sent is next");
        handover.turn_to(&page(7..full + 3, &[]), Pending::is_sending);
        assert_eq!(handover.cursor, DeliveryId(full + 2));
    }
}
