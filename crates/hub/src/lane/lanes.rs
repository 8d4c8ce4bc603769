//! The lanes of this node: started, told of new deliveries and of changed connections, stopped.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use switchboard_model::id::ConnectionId;
use tokio::{sync::watch, task::JoinHandle};

use super::{inbox::Inbox, runner};
use crate::{
    attempt::Desk,
    configuration::{Configuration, Connection},
    store::{Listener, Pending},
};

/// One running lane.
struct Lane {
    inbox: Arc<Inbox>,
    connection: watch::Sender<Arc<Connection>>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// All lanes of this node.
pub struct Lanes {
    desk: Desk,
    lanes: Mutex<HashMap<ConnectionId, Lane>>,
}

impl std::fmt::Debug for Lanes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lanes").finish_non_exhaustive()
    }
}

impl Lanes {
    /// No lanes yet.
    pub fn new(desk: Desk) -> Self {
        Self {
            desk,
            lanes: Mutex::default(),
        }
    }

    /// Makes the lanes fit the configuration: starts those that are missing, tells the others what changed.
    pub fn adopt(&self, configuration: &Configuration) {
        let mut lanes = self.lanes.lock();
        for connection in configuration.connections() {
            match lanes.get(&connection.id) {
                Some(lane) => {
                    if !Arc::ptr_eq(&lane.connection.borrow(), connection) {
                        lane.connection.send_replace(Arc::clone(connection));
                        lane.inbox.wake();
                    }
                }
                None => {
                    lanes.insert(connection.id, self.start(connection));
                }
            }
        }
    }

    fn start(&self, connection: &Arc<Connection>) -> Lane {
        let inbox = Arc::new(Inbox::new());
        let (sender, receiver) = watch::channel(Arc::clone(connection));
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(runner::run(self.desk.clone(), receiver, Arc::clone(&inbox), stopped));
        Lane {
            inbox,
            connection: sender,
            stop,
            task,
        }
    }

    /// Deliveries of this connection changed in the store otherwise than by acceptance.
    pub fn reload(&self, connection: ConnectionId) {
        if let Some(lane) = self.lanes.lock().get(&connection) {
            lane.inbox.reload();
        }
    }

    /// Starts nothing more and waits up to `grace` for what is being sent.
    pub async fn stop(&self, grace: Duration) {
        let lanes: Vec<Lane> = self.lanes.lock().drain().map(|(_, lane)| lane).collect();
        for lane in &lanes {
            lane.stop.send_replace(true);
            lane.inbox.wake();
        }
        let all = futures::future::join_all(lanes.into_iter().map(|lane| lane.task));
        // Whatever is still under way then is found as an open intent at the next start.
        let _ = tokio::time::timeout(grace, all).await;
    }
}

impl Listener for Lanes {
    fn accepted(&self, deliveries: Vec<Pending>) {
        let lanes = self.lanes.lock();
        for pending in deliveries {
            if let Some(lane) = lanes.get(&pending.connection) {
                lane.inbox.offer(pending);
            }
        }
    }
}
