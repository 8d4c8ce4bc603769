//! How far the run is, asked of the hub; told on standard error.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use switchboard_hub::Hub;
use switchboard_model::{id::WorkspaceId, problem::Problem};
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often the hub is asked whether everything is settled.
const ASK: Duration = Duration::from_millis(50);
/// How often a line is written.
const TELL: Duration = Duration::from_secs(1);

/// Deliveries of all connections by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settled {
    /// At the vendors.
    pub delivered: u64,
    /// Given up.
    pub dead: u64,
    /// Not settled.
    pub pending: u64,
}

/// Watches a run.
#[derive(Debug)]
pub struct Progress<'a> {
    hub: &'a Hub,
    workspace: WorkspaceId,
    events: u32,
    posted: AtomicU64,
    told: parking_lot::Mutex<Option<Instant>>,
}

impl<'a> Progress<'a> {
    /// Watches a run of so many events.
    pub fn new(hub: &'a Hub, workspace: WorkspaceId, events: u32) -> Self {
        Self {
            hub,
            workspace,
            events,
            posted: AtomicU64::new(0),
            told: parking_lot::Mutex::new(None),
        }
    }

    /// So many more events were accepted.
    pub fn posted(&self, events: u64) {
        let posted = self.posted.fetch_add(events, Ordering::Relaxed) + events;
        self.tell(|| format!("{posted} of {} events posted", self.events));
    }

    /// Waits until every delivery is settled, or the deadline has passed; answers how they stand.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn wait(&self, deadline: Duration) -> Result<Settled, Problem> {
        let end = Instant::now() + deadline;
        // There is no one thing to wait for: deliveries are settled by lanes of their own, some by another process.
        let mut tick = interval(ASK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let settled = self.ask().await?;
            if settled.pending == 0 || Instant::now() >= end {
                return Ok(settled);
            }
            self.tell(|| {
                format!(
                    "{} delivered, {} waiting, {} dead",
                    settled.delivered, settled.pending, settled.dead
                )
            });
        }
    }

    async fn ask(&self) -> Result<Settled, Problem> {
        let mut all = Settled::default();
        for connection in self.hub.connections(self.workspace) {
            let tally = self.hub.tally(self.workspace, connection.id).await?;
            all.delivered += tally.delivered;
            all.dead += tally.dead;
            all.pending += tally.pending;
        }
        Ok(all)
    }

    fn tell(&self, line: impl FnOnce() -> String) {
        let now = Instant::now();
        let mut told = self.told.lock();
        if told.is_none_or(|told| now - told >= TELL) {
            *told = Some(now);
            eprintln!("{}", line());
        }
    }
}
