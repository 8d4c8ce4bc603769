//! The lanes of this node: started for the connections that it has the right to send for, told of new deliveries and of changed connections,
//! stopped when the right is gone.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use switchboard_model::id::{ConnectionId, DeliveryId};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};

use super::{
    inbox::Inbox,
    load::{Load, Measured},
    runner,
    turns::Turns,
};
use crate::{
    attempt::Desk,
    configuration::{Configuration, Connection},
    store::{Claim, Fence, Listener, Pending},
};

/// How long a right to send holds without being renewed, in milliseconds.
const LEASE_MS: i64 = 6_000;
/// How often rights are renewed and looked for.
const RENEWAL: Duration = Duration::from_millis(1_500);

/// One running lane.
struct Lane {
    inbox: Arc<Inbox>,
    connection: watch::Sender<Arc<Connection>>,
    fence: Fence,
    load: Arc<Load>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// What lanes are and what they should be.
#[derive(Default)]
struct Berths {
    wanted: HashMap<ConnectionId, Arc<Connection>>,
    lanes: HashMap<ConnectionId, Lane>,
    stopped: bool,
}

/// All lanes of this node.
pub struct Lanes {
    desk: Desk,
    turns: Arc<Turns>,
    berths: Mutex<Berths>,
    changed: Notify,
}

impl std::fmt::Debug for Lanes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lanes").finish_non_exhaustive()
    }
}

impl Lanes {
    /// No lanes yet.
    pub fn new(desk: Desk) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            desk,
            turns: Arc::new(Turns::new(cores * 2)),
            berths: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// From now on these are the connections; those that run already hear of changes at once.
    pub fn adopt(&self, configuration: &Configuration) {
        let mut berths = self.berths.lock();
        berths.wanted = configuration
            .connections()
            .map(|connection| (connection.id, Arc::clone(connection)))
            .collect();
        for (id, lane) in &berths.lanes {
            if let Some(connection) = berths.wanted.get(id)
                && !Arc::ptr_eq(&lane.connection.borrow(), connection)
            {
                lane.connection.send_replace(Arc::clone(connection));
                lane.inbox.wake();
            }
        }
        drop(berths);
        self.changed.notify_one();
    }

    /// Keeps the rights to send, and runs a lane for each, until [`Lanes::stop`].
    pub async fn follow(self: Arc<Self>) {
        loop {
            self.renew().await;
            if self.berths.lock().stopped {
                return;
            }
            // Either way the rights are looked at.
            let _ = tokio::time::timeout(RENEWAL, self.changed.notified()).await;
        }
    }

    async fn renew(&self) {
        let wanted = self.wanted();
        match self.desk.store.lease(wanted, LEASE_MS).await {
            Ok(rights) => self.run(&rights),
            // Without the store nothing can be sent: every call needs its intent written first.
            Err(error) => tracing::error!(%error, "the rights to send could not be renewed"),
        }
    }

    /// The connections that this node wants to send for. Where another node has room for some of them, their lanes are ended first: what is
    /// under way is brought to its end here.
    fn wanted(&self) -> Vec<Claim> {
        let surplus = self.desk.store.surplus();
        let berths = self.berths.lock();
        let leaves = |id: &ConnectionId| {
            if !surplus.contains(id) {
                return false;
            }
            match berths.lanes.get(id) {
                None => true,
                Some(lane) => {
                    lane.stop.send_replace(true);
                    lane.inbox.wake();
                    lane.task.is_finished()
                }
            }
        };
        let stays = berths.wanted.values().filter(|connection| !leaves(&connection.id));
        stays
            .map(|connection| Claim {
                connection: connection.id,
                account: connection.account_id,
            })
            .collect()
    }

    /// Starts what may run, ends what may not.
    fn run(&self, rights: &HashMap<ConnectionId, Fence>) {
        let surplus = self.desk.store.surplus();
        let mut berths = self.berths.lock();
        if berths.stopped {
            return;
        }
        berths.lanes.retain(|id, lane| {
            // One that was ended to be given away, and no longer has to be, begins anew.
            let is_over = *lane.stop.borrow() && lane.task.is_finished() && !surplus.contains(id);
            let keeps = rights.get(id) == Some(&lane.fence) && !is_over;
            if !keeps {
                lane.stop.send_replace(true);
                lane.inbox.wake();
            }
            keeps
        });
        let missing: Vec<(ConnectionId, Fence)> = rights
            .iter()
            .filter(|(id, _)| !berths.lanes.contains_key(id))
            .map(|(id, fence)| (*id, *fence))
            .collect();
        for (id, fence) in missing {
            if let Some(connection) = berths.wanted.get(&id) {
                let lane = self.start(connection, fence);
                berths.lanes.insert(id, lane);
            }
        }
    }

    fn start(&self, connection: &Arc<Connection>, fence: Fence) -> Lane {
        let inbox = Arc::new(Inbox::new());
        let load = Arc::new(Load::default());
        let (sender, changes) = watch::channel(Arc::clone(connection));
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(runner::run(runner::Berth {
            desk: self.desk.clone(),
            changes,
            inbox: Arc::clone(&inbox),
            turns: Arc::clone(&self.turns),
            load: Arc::clone(&load),
            fence,
            stopped,
        }));
        Lane {
            inbox,
            connection: sender,
            fence,
            load,
            stop,
            task,
        }
    }

    /// Deliveries of this connection changed in the store otherwise than by acceptance.
    pub fn reload(&self, connection: ConnectionId) {
        if let Some(lane) = self.berths.lock().lanes.get(&connection) {
            lane.inbox.reload();
        }
    }

    /// How busy the lane of a connection is; `None` when it does not run on this node.
    pub fn load(&self, connection: ConnectionId) -> Option<Measured> {
        let berths = self.berths.lock();
        berths.lanes.get(&connection).map(|lane| lane.load.measured())
    }

    /// Starts nothing more and waits up to `grace` for what is being sent.
    pub async fn stop(&self, grace: Duration) {
        let lanes: Vec<Lane> = {
            let mut berths = self.berths.lock();
            berths.stopped = true;
            berths.lanes.drain().map(|(_, lane)| lane).collect()
        };
        self.changed.notify_one();
        for lane in &lanes {
            lane.stop.send_replace(true);
            lane.inbox.wake();
        }
        let all = futures::future::join_all(lanes.into_iter().map(|lane| lane.task));
        // Whatever is still under way then is found as an open intent at the next start.
        let _ = tokio::time::timeout(grace, all).await;
        // Another node need not wait until they run out.
        let _ = self.desk.store.lease(Vec::new(), LEASE_MS).await;
    }
}

impl Listener for Lanes {
    fn accepted(&self, deliveries: Vec<Pending>) {
        let mut of_lanes: HashMap<ConnectionId, Vec<Pending>> = HashMap::new();
        for pending in deliveries {
            of_lanes.entry(pending.connection).or_default().push(pending);
        }
        let berths = self.berths.lock();
        for (connection, deliveries) in of_lanes {
            if let Some(lane) = berths.lanes.get(&connection) {
                lane.inbox.offer(deliveries);
            }
        }
    }

    fn hinted(&self, from: Vec<(ConnectionId, DeliveryId)>) {
        let berths = self.berths.lock();
        for (connection, first) in from {
            if let Some(lane) = berths.lanes.get(&connection) {
                lane.inbox.look(first);
            }
        }
    }
}

#[cfg(test)]
mod tests;
