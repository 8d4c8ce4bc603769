//! Notices changes of the configuration that other processes make in the same store (`switchboard apply` beside a running hub).

use std::{sync::Weak, time::Duration};

use super::{Hub, Inner};

/// How often the revision is looked at.
const PERIOD: Duration = Duration::from_millis(500);

/// Follows until the hub is gone.
pub(super) async fn follow(hub: Weak<Inner>) {
    let mut tick = tokio::time::interval(PERIOD);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let Some(inner) = hub.upgrade() else { return };
        let hub = Hub { inner };
        let known = hub.configuration().revision;
        let changed = match hub.inner.store.revision().await {
            Ok(revision) => revision != known,
            Err(_) => false,
        };
        if changed && let Err(problem) = hub.refresh().await {
            tracing::error!(%problem, "the changed configuration could not be read");
        }
    }
}
