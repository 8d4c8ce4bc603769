//! The task of one lane: fills the window, starts what may start, writes down what came of it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use switchboard_model::{connection::ConnectionState, id::DeliveryId, problem::Fault};
use tokio::{
    sync::watch,
    task::{self, JoinSet},
};

use super::{inbox::Inbox, window::Window};
use crate::{
    attempt::{self, Desk, Ended},
    configuration::Connection,
};

/// How many deliveries a lane holds in memory.
const WINDOW: usize = 2_000;
/// How many are read at once.
const PAGE: usize = 500;
/// How long a lane waits after the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// How long after a failed preparation it is tried again, in milliseconds; doubled each time up to 64 times.
const PREPARE_PAUSE_MS: i64 = 1_000;

/// A delivery with its object and record key.
type Record = (DeliveryId, Arc<str>, String);

struct Runner {
    desk: Desk,
    connection: Arc<Connection>,
    inbox: Arc<Inbox>,
    window: Window,
    /// The greatest id that was read or heard of.
    cursor: DeliveryId,
    behind: bool,
    flights: JoinSet<Ended>,
    /// What each flight carries.
    records: HashMap<task::Id, Record>,
    /// Not before this moment is anything started (preparation failed, credentials refused).
    held_until_ms: i64,
    failed_preparations: u32,
}

/// Runs until `stopped` becomes true.
pub(super) async fn run(
    desk: Desk,
    mut changes: watch::Receiver<Arc<Connection>>,
    inbox: Arc<Inbox>,
    stopped: watch::Receiver<bool>,
) {
    let connection = changes.borrow_and_update().clone();
    let mut runner = Runner {
        desk,
        connection,
        inbox,
        window: Window::default(),
        cursor: DeliveryId(0),
        behind: true,
        flights: JoinSet::new(),
        records: HashMap::new(),
        held_until_ms: 0,
        failed_preparations: 0,
    };
    while !*stopped.borrow() {
        if changes.has_changed().unwrap_or(false) {
            runner.connection = changes.borrow_and_update().clone();
            runner.held_until_ms = 0;
            runner.failed_preparations = 0;
        }
        runner.listen();
        let pause = runner.step().await;
        runner.wait(pause).await;
    }
    while let Some(ended) = runner.flights.join_next_with_id().await {
        runner.land(ended);
    }
}

impl Runner {
    /// Takes what the inbox holds.
    fn listen(&mut self) {
        let letters = self.inbox.take();
        if letters.reload {
            self.window.clear();
            self.cursor = DeliveryId(0);
        }
        for pending in letters.hints {
            if pending.id > self.cursor {
                self.cursor = pending.id;
                self.window.push(pending);
            }
        }
        self.behind = letters.behind;
    }

    /// Fills the window and starts what may start; answers how long to wait at most.
    async fn step(&mut self) -> Option<Duration> {
        if self.connection.state != ConnectionState::Active || !self.connection.enabled {
            // What waits stays in the store; nothing is spent on a connection that is down.
            if self.window.waiting() > 0 {
                self.window.clear();
                self.cursor = DeliveryId(0);
                self.inbox.fall_behind();
            }
            return None;
        }
        let now_ms = self.desk.clock.now_ms();
        if self.held_until_ms > now_ms {
            return Some(millis(self.held_until_ms - now_ms));
        }
        if self.behind && self.window.waiting() < WINDOW / 2 && self.read().await.is_err() {
            return Some(STORE_PAUSE);
        }
        if self.window.waiting() > 0 && !self.connection.is_prepared() && self.prepare(now_ms).await.is_err() {
            return Some(millis(self.held_until_ms - now_ms));
        }
        self.start(now_ms)
    }

    async fn read(&mut self) -> Result<(), ()> {
        self.inbox.catch_up();
        match self.desk.store.pending(self.connection.id, self.cursor, PAGE).await {
            Ok(rows) => {
                let full = rows.len() == PAGE;
                for pending in rows {
                    self.cursor = self.cursor.max(pending.id);
                    self.window.push(pending);
                }
                self.behind = full;
                if full {
                    self.inbox.fall_behind();
                    self.inbox.wake();
                }
                Ok(())
            }
            Err(error) => {
                tracing::error!(connection = %self.connection.key, %error, "the outbox could not be read");
                self.inbox.fall_behind();
                Err(())
            }
        }
    }

    /// Looks up or sets up at the vendor what the connector needs, once.
    async fn prepare(&mut self, now_ms: i64) -> Result<(), ()> {
        match attempt::prepare(&self.desk, &self.connection).await {
            Ok(()) => {
                self.failed_preparations = 0;
                Ok(())
            }
            Err(problem) => {
                let doublings = self.failed_preparations.min(6);
                self.failed_preparations += 1;
                self.held_until_ms = now_ms + (PREPARE_PAUSE_MS << doublings);
                tracing::warn!(connection = %self.connection.key, %problem, "the connection could not be prepared");
                if problem.code.fault() == Fault::Configuration {
                    attempt::mark_refused(&self.desk, &self.connection, &problem.detail).await;
                }
                Err(())
            }
        }
    }

    fn start(&mut self, now_ms: i64) -> Option<Duration> {
        if let Some(until) = self.connection.gate.paused_until() {
            return Some(millis(until - now_ms));
        }
        while self.window.in_flight() < self.connection.concurrency {
            let Some(pending) = self.window.take(now_ms) else { break };
            let (desk, connection) = (self.desk.clone(), Arc::clone(&self.connection));
            let record = (pending.id, Arc::clone(&pending.object), pending.record_key.clone());
            let task = self
                .flights
                .spawn(async move { attempt::run(&desk, &connection, pending).await });
            self.records.insert(task.id(), record);
        }
        let next = self
            .window
            .next_due()
            .filter(|_| self.window.in_flight() < self.connection.concurrency)?;
        Some(millis(next - now_ms))
    }

    /// Waits for a letter, a landing, or the time.
    async fn wait(&mut self, pause: Option<Duration>) {
        let inbox = Arc::clone(&self.inbox);
        let time = async {
            match pause {
                Some(pause) => tokio::time::sleep(pause.max(Duration::from_millis(1))).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = inbox.letter() => {}
            Some(ended) = self.flights.join_next_with_id() => {
                self.land(ended);
                // Whatever else has landed meanwhile needs no round of its own.
                while let Some(ended) = self.flights.try_join_next_with_id() {
                    self.land(ended);
                }
            }
            () = time => {}
        }
    }

    fn land(&mut self, landed: Result<(task::Id, Ended), task::JoinError>) {
        let task = match &landed {
            Ok((task, _)) => *task,
            Err(error) => error.id(),
        };
        let Some((id, object, record_key)) = self.records.remove(&task) else {
            return;
        };
        match landed {
            Ok((_, ended)) => {
                self.window.done(id, &object, &record_key, ended.again);
                if let Some(until) = ended.hold_until_ms {
                    self.held_until_ms = self.held_until_ms.max(until);
                }
            }
            // The attempt panicked. Its intent is on the disk; reading everything anew takes it up as a doubt.
            Err(error) => {
                tracing::error!(connection = %self.connection.key, %error, "an attempt broke down");
                self.window.done(id, &object, &record_key, None);
                self.inbox.reload();
            }
        }
    }
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
