//! The task of one lane: fills the window, starts what may start, takes in what has landed.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::FutureExt;
use switchboard_model::{
    connection::ConnectionState,
    id::DeliveryId,
    problem::{Code, Problem},
};
use tokio::{
    sync::watch,
    task::{self, JoinSet},
    time::timeout,
};

use super::{
    circuit::{self, Permit},
    handover::Handover,
    inbox::Inbox,
    leave::Leave,
    load::{Load, Measured},
    packing::{self, Start},
    seats::Calls,
    turns::Turns,
    window::{Share, Window},
};
use crate::{
    attempt::{self, Desk, Ended, Order},
    configuration::Connection,
    intake::Owed,
    store::{Fence, Pending},
};

/// How many deliveries a lane holds in memory, without their events.
const WINDOW: usize = 12_000;
/// How many are read at once.
const PAGE: usize = 2_000;
/// How many are read for the one call that tells whether a vendor is back.
const PAGE_OF_PROBE: usize = 20;
/// How long a lane waits after the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// How long a preparation that is under way may still take when the lane ends: more than one call takes.
const LAST_CALL: Duration = Duration::from_secs(60);
/// How long after a failed preparation it is tried again, in milliseconds; doubled each time up to 64 times.
const PREPARE_PAUSE_MS: i64 = 1_000;

/// What a lane is started with.
pub(super) struct Berth {
    pub desk: Desk,
    pub changes: watch::Receiver<Arc<Connection>>,
    pub inbox: Arc<Inbox>,
    pub turns: Arc<Turns>,
    pub load: Arc<Load>,
    pub fence: Fence,
    pub stopped: watch::Receiver<bool>,
}

/// A flight that is over. `ended` is `None` when it broke down.
struct Flown {
    connection: Arc<Connection>,
    object: Arc<str>,
    /// What it took, by record.
    taken: Vec<(String, Vec<DeliveryId>)>,
    ended: Option<Ended>,
}

/// A preparation that is over.
struct Prepared {
    connection: Arc<Connection>,
    result: Result<(), Problem>,
}

struct Runner {
    desk: Desk,
    connection: Arc<Connection>,
    inbox: Arc<Inbox>,
    turns: Arc<Turns>,
    load: Arc<Load>,
    fence: Fence,
    window: Window,
    /// The greatest id that was read or heard of.
    cursor: DeliveryId,
    behind: bool,
    flights: JoinSet<Flown>,
    calls: Calls,
    preparations: JoinSet<Prepared>,
    /// Whether one of them is for the connection as it is now.
    preparing: bool,
    stopped: watch::Receiver<bool>,
    handover: Handover,
    owed: Owed,
    /// Not before this moment is anything started (preparation failed, credentials refused).
    held_until_ms: i64,
    failed_preparations: u32,
    /// Since when records wait for company.
    ready_since: Option<Instant>,
}

/// Runs until `stopped` becomes true.
pub(super) async fn run(mut berth: Berth) {
    let connection = berth.changes.borrow_and_update().clone();
    let pace = Arc::clone(&berth.desk.pace);
    let mut runner = Runner {
        desk: berth.desk,
        connection,
        inbox: berth.inbox,
        turns: berth.turns,
        load: berth.load,
        fence: berth.fence,
        window: Window::default(),
        cursor: DeliveryId(0),
        behind: true,
        flights: JoinSet::new(),
        calls: Calls::default(),
        preparations: JoinSet::new(),
        preparing: false,
        stopped: berth.stopped.clone(),
        handover: Handover::default(),
        owed: Owed::new(pace),
        held_until_ms: 0,
        failed_preparations: 0,
        ready_since: None,
    };
    while !*berth.stopped.borrow() {
        if berth.changes.has_changed().unwrap_or(false) {
            runner.connection = berth.changes.borrow_and_update().clone();
            runner.held_until_ms = 0;
            runner.failed_preparations = 0;
            runner.preparing = false;
        }
        runner.listen();
        let pause = runner.step().await;
        runner.note_load();
        runner.wait(pause).await;
    }
    // What waits for its turn to call is given up.
    runner.connection.gate.look_again();
    while let Some(ended) = runner.flights.join_next().await {
        runner.land(ended);
    }
    let preparations = async { while runner.preparations.join_next().await.is_some() {} };
    if timeout(LAST_CALL, preparations).await.is_err() {
        tracing::warn!(connection = %runner.connection.key, "a preparation was given up in the middle");
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
            // Its id may be smaller than what was read: other nodes give ids, too. One that was read and sent meanwhile is refused by its intent.
            self.cursor = self.cursor.max(pending.id);
            self.window.push(pending);
        }
        if let Some(back_to) = letters.back_to {
            self.cursor = self.cursor.min(DeliveryId(back_to.0 - 1));
        }
        self.behind = letters.behind;
    }

    /// Fills the window and starts what may start; answers how long to wait at most.
    async fn step(&mut self) -> Option<Duration> {
        let now_ms = self.desk.clock.now_ms();
        let down = self.down(now_ms);
        let lane = (&*self.connection, self.fence, &self.window);
        let sweep = self.handover.step(&self.desk, lane, down.as_ref(), now_ms).await;
        if let Some(down) = down {
            self.forget();
            return earliest(sweep, down.until_ms.map(|until| millis(until - now_ms)));
        }
        if self.behind && self.window.waiting() < WINDOW / 2 {
            let read = if self.connection.circuit.lock().state(now_ms) == circuit::State::HalfOpen {
                self.find_probe(now_ms).await
            } else {
                self.fill().await
            };
            if read.is_err() {
                return Some(STORE_PAUSE);
            }
        }
        self.start(now_ms)
    }

    /// Why nothing can be sent at all now.
    fn down(&self, now_ms: i64) -> Option<Down> {
        let connection = &self.connection;
        if connection.state != ConnectionState::Active || !connection.enabled {
            let failed = connection.state == ConnectionState::Error;
            return Some(Down {
                because: connection
                    .reason
                    .clone()
                    .unwrap_or_else(|| connection.state.name().into()),
                is_failure: failed,
                until_ms: None,
            });
        }
        let circuit = connection.circuit.lock();
        if let Some(until_ms) = circuit.open_until(now_ms) {
            return Some(Down {
                because: "it cannot be reached or answers with errors".into(),
                is_failure: circuit.is_outage(),
                until_ms: Some(until_ms),
            });
        }
        drop(circuit);
        (self.held_until_ms > now_ms).then(|| Down {
            because: "it could not be prepared or does not accept the credentials".into(),
            is_failure: true,
            until_ms: Some(self.held_until_ms),
        })
    }

    /// What waits stays in the store: no memory and no query is spent on a connection that is down.
    fn forget(&mut self) {
        if self.window.waiting() > 0 {
            self.window.clear();
            self.cursor = DeliveryId(0);
        }
        self.inbox.fall_behind();
    }

    /// Reads what waits. Where deliveries can go together the lane looks at as many as it may hold before it sends any.
    async fn fill(&mut self) -> Result<(), ()> {
        self.read(PAGE).await?;
        while self.behind && self.window.waiting() < WINDOW && self.connection.sends_together() {
            self.read(PAGE).await?;
        }
        Ok(())
    }

    /// Reads something to ask the vendor with, and not the backlog, which is for a vendor that is back.
    async fn find_probe(&mut self, now_ms: i64) -> Result<(), ()> {
        if self.calls.count() > 0 || self.window.next(now_ms).is_some() {
            return Ok(());
        }
        // Where the first few are not due, the next step reads on.
        let few = if self.window.waiting() == 0 {
            PAGE_OF_PROBE
        } else {
            PAGE
        };
        self.read(few).await
    }

    async fn read(&mut self, most: usize) -> Result<(), ()> {
        self.inbox.catch_up();
        match self.desk.store.pending(self.connection.id, self.cursor, most).await {
            Ok(rows) => {
                let full = rows.len() == most;
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

    /// Looks up or sets up at the vendor what the connector needs before the first record of an object, once. That may take as long as the
    /// vendor's limits want; the lane hears what is said to it meanwhile.
    fn prepare(&mut self, object: Arc<str>) {
        if std::mem::replace(&mut self.preparing, true) {
            return;
        }
        let (desk, connection) = (self.desk.clone(), Arc::clone(&self.connection));
        let recalled = self.stopped.clone();
        self.preparations.spawn(async move {
            let preparation = AssertUnwindSafe(attempt::prepare(&desk, &connection, &object, &recalled)).catch_unwind();
            let broken = |_| {
                Err(Problem::new(
                    Code::Internal,
                    "a preparation broke down",
                    "Please report this.",
                ))
            };
            let result = preparation.await.unwrap_or_else(broken);
            Prepared { connection, result }
        });
    }

    fn prepared(&mut self, prepared: Result<Prepared, task::JoinError>) {
        let Prepared { connection, result } = match prepared {
            Ok(prepared) => prepared,
            // Preparations are not cancelled and catch their panics; one that is gone all the same is begun anew.
            Err(error) => {
                tracing::error!(connection = %self.connection.key, %error, "a preparation is gone");
                self.preparing = false;
                return;
            }
        };
        if !Arc::ptr_eq(&connection, &self.connection) {
            return;
        }
        self.preparing = false;
        match result {
            Ok(()) => self.failed_preparations = 0,
            Err(problem) => {
                let doublings = self.failed_preparations.min(6);
                self.failed_preparations += 1;
                self.held_until_ms = self.desk.clock.now_ms() + (PREPARE_PAUSE_MS << doublings);
                tracing::warn!(connection = %connection.key, %problem, "the connection could not be prepared");
            }
        }
    }

    fn start(&mut self, now_ms: i64) -> Option<Duration> {
        if let Some(until) = self.connection.gate.paused_until() {
            return Some(millis(until - now_ms));
        }
        while let Some(free) = self.free_calls() {
            let Some((object, ready)) = self.window.next(now_ms) else {
                self.ready_since = None;
                break;
            };
            let object = Arc::clone(object);
            if !self.connection.is_prepared_for(&object) {
                // The next step sees what came of it.
                self.prepare(object);
                return None;
            }
            let most = self.connection.records_per_call(&object);
            let waited = self.ready_since.get_or_insert_with(Instant::now).elapsed();
            match Start::decide(ready, most, self.calls.count(), waited) {
                Start::Now => self.ready_since = None,
                Start::In(pause) => return Some(pause),
            }
            let permit = self.connection.circuit.lock().may_start(now_ms);
            let (leave, records) = match permit {
                Permit::Free(leave) => (leave, packing::records(most, free, self.load.is_own())),
                Permit::Probe(leave) => (leave, 1),
                Permit::No { until_ms } => return Some(millis(until_ms - now_ms)),
            };
            let share = Share {
                records,
                fold: self.connection.folds(&object),
            };
            let groups = self.window.take(&object, now_ms, share);
            let calls = if most > 1 { 1 } else { groups.len() };
            self.launch(object, groups, leave, calls);
        }
        let next = self.window.next_due().filter(|_| self.free_calls().is_some())?;
        Some(millis(next - now_ms))
    }

    /// How many further calls may be made at the same time, if any.
    fn free_calls(&self) -> Option<usize> {
        let free = self.connection.concurrency.saturating_sub(self.calls.count());
        (free > 0).then_some(free)
    }

    /// Sends off one flight, which makes `calls` calls at the same time.
    fn launch(&mut self, object: Arc<str>, groups: Vec<Vec<Pending>>, leave: circuit::Start, calls: usize) {
        let (desk, turns, load) = (self.desk.clone(), Arc::clone(&self.turns), Arc::clone(&self.load));
        let taken = groups.iter().filter_map(|group| {
            let ids = group.iter().map(|pending| pending.id).collect();
            Some((group.first()?.record_key.clone(), ids))
        });
        let taken: Vec<_> = taken.collect();
        let order = Order {
            connection: Arc::clone(&self.connection),
            fence: self.fence,
            object: Arc::clone(&object),
            groups,
            leave: Leave::new(&self.connection.circuit, &self.desk.clock, leave, &self.stopped),
            seats: self.calls.begin(calls, &self.inbox),
        };
        self.flights.spawn(async move {
            let begun = Instant::now();
            let flown_with = Arc::clone(&order.connection);
            // What costs this node's own power is shared fairly; waiting for the vendor costs none.
            let connection = &order.connection;
            let turn = turns.turn(connection.workspace, connection.id, taken.len()).await;
            let flight = AssertUnwindSafe(attempt::fly(&desk, order, turn)).catch_unwind();
            let ended = flight.await.ok();
            let vendor = ended.as_ref().map_or(Duration::ZERO, |ended| ended.vendor);
            load.landed((taken.len(), calls), begun.elapsed(), vendor);
            Flown {
                connection: flown_with,
                object,
                taken,
                ended,
            }
        });
    }

    fn note_load(&mut self) {
        // What waits for a vendor owes nobody anything.
        let waits_for_us = self.load.is_own() && !self.connection.circuit.lock().is_outage();
        self.owed.set(if waits_for_us { self.window.waiting() } else { 0 });
        self.load.note(Measured {
            waiting: self.window.waiting(),
            in_flight: self.calls.count(),
            behind: self.behind,
            oldest: self.window.oldest(),
            newest: (self.window.waiting() > 0).then_some(self.cursor),
            ..Measured::default()
        });
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
            Some(ended) = self.flights.join_next() => {
                self.land(ended);
                // Whatever else has landed meanwhile needs no round of its own.
                while let Some(ended) = self.flights.try_join_next() {
                    self.land(ended);
                }
            }
            Some(prepared) = self.preparations.join_next() => self.prepared(prepared),
            () = time => {}
        }
    }

    fn land(&mut self, flown: Result<Flown, task::JoinError>) {
        let flown = match flown {
            Ok(flown) => flown,
            // Flights are not cancelled and catch their panics; one that is gone all the same is found by the next reading.
            Err(error) => {
                tracing::error!(connection = %self.connection.key, %error, "a flight is gone");
                return;
            }
        };
        let ended = flown.ended.unwrap_or_else(|| {
            // Its intents are on the disk; reading everything anew takes them up as doubts.
            tracing::error!(connection = %self.connection.key, "a flight broke down");
            self.inbox.reload();
            Ended::default()
        });
        let mut again: HashMap<String, Vec<Pending>> = HashMap::new();
        for pending in ended.again {
            again.entry(pending.record_key.clone()).or_default().push(pending);
        }
        for (record_key, ids) in flown.taken {
            let mut again = again.remove(&record_key).unwrap_or_default();
            again.sort_by_key(|pending| pending.id);
            self.window.land(&flown.object, &record_key, &ids, again);
        }
        // A connection that was changed meanwhile has nothing to do with what its former credentials met.
        let is_of_now = Arc::ptr_eq(&flown.connection, &self.connection);
        if let Some(until) = ended.hold_until_ms.filter(|_| is_of_now) {
            self.held_until_ms = self.held_until_ms.max(until);
        }
    }
}

/// Why nothing can be sent.
#[derive(Debug, Clone)]
pub(super) struct Down {
    pub because: String,
    /// Whether it is a failure that a backup stands in for; a person's pause is none.
    pub is_failure: bool,
    /// Until when, as far as that is known.
    pub until_ms: Option<i64>,
}

fn earliest(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
