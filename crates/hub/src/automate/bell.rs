//! Wakes the runner.

use std::time::Duration;

use tokio::{sync::Notify, time::timeout};

/// Rung when runs have begun or may go on. What it tells is a hint: the runner looks into the store by itself, too.
#[derive(Debug, Default)]
pub struct Bell(Notify);

impl Bell {
    /// There may be something to do.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    /// Until it is rung, or this long.
    pub(crate) async fn wait(&self, longest: Duration) {
        // Both say the same: look again.
        let _ = timeout(longest, self.0.notified()).await;
    }
}
