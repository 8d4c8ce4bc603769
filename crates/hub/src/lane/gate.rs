//! The limiter of one connection, shared by the attempts that are under way.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;

use super::limiter::Limiter;
use crate::clock::Clock;

/// Lets calls through at the pace of a [`Limiter`], first come, first served.
#[derive(Debug)]
pub struct Gate {
    limiter: Mutex<Limiter>,
    /// Held while one caller waits, so that the others queue up behind it.
    turn: tokio::sync::Mutex<()>,
    clock: Arc<dyn Clock>,
}

impl Gate {
    /// A gate in front of this limiter.
    pub fn new(limiter: Limiter, clock: Arc<dyn Clock>) -> Self {
        Self {
            limiter: Mutex::new(limiter),
            turn: tokio::sync::Mutex::new(()),
            clock,
        }
    }

    /// Waits until one call may begin.
    pub async fn pass(&self, _ask: Ask) -> Pass {
        self.wait().await;
        Pass
    }
    pub fn observe(&self, _seen: &[switchboard_connect::limit::Observation]) {}
    async fn wait(&self) {
        let _turn = self.turn.lock().await;
        loop {
            let now = self.clock.now_ms();
            let Err(free) = self.limiter.lock().take(now) else {
                return;
            };
            tokio::time::sleep(Duration::from_millis(u64::try_from(free - now).unwrap_or(0))).await;
        }
    }

    /// Holds every call until this moment.
    pub fn pause_until(&self, until_ms: i64) {
        self.limiter.lock().pause_until(until_ms);
    }

    /// The end of a pause that is on.
    pub fn paused_until(&self) -> Option<i64> {
        self.limiter.lock().paused_until(self.clock.now_ms())
    }
}

#[derive(Debug, Clone, Copy)]
pub enum Priority {
    Background,
    Interactive,
}
pub struct Ask;
pub struct Pass;
impl Ask {
    pub fn background(_kind: switchboard_connect::manifest::OperationKind) -> Self {
        Self
    }
    pub fn token() -> Self {
        Self
    }
    pub fn other(_priority: Priority) -> Self {
        Self
    }
}
