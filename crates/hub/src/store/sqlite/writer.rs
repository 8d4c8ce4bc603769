//! The one writer. Whatever waits when a transaction begins shares it, and with it the one costly step: the sync.
//!
//! Jobs that somebody waits for to go on ([`Class::Urgent`]: events to accept, intents) make a transaction at once. What only records what has
//! happened ([`Class::Outcome`]) rides with the next of them, and makes one of its own when none comes within [`LINGER`] or when much has
//! gathered; it never takes more of a shared transaction than the urgent jobs do. Urgent jobs that come while a transaction is at work get
//! into it, too.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};
use rusqlite::{Connection, TransactionBehavior};
use switchboard_model::id::{ConnectionId, DeliveryId};
use tokio::sync::oneshot;

use super::{checkpoint::Log, seen::Seen, statements::Statements, tallies::Tallies};
use crate::store::{Listener, Pending, StoreError};

/// At most so many urgent jobs share one transaction; larger groups gain nothing and make the first of them wait.
const GROUP: usize = 256;
/// After so long no further job joins the group.
const LONGEST: Duration = Duration::from_millis(5);
/// How long outcomes wait for an urgent job to ride with.
const LINGER: Duration = Duration::from_millis(1);
/// They wait only while urgent jobs come at least as often as this.
const LIVELY: Duration = Duration::from_millis(20);
/// So many outcomes do not wait.
const MANY: usize = 16;
/// What outcomes may take of a shared transaction at least.
const SHARE: Duration = Duration::from_millis(1);

/// How soon a job has to be on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Somebody waits for it.
    Urgent,
    /// It records what has happened.
    Outcome,
}

/// What a job works with inside a transaction.
pub(super) struct Tx<'a> {
    pub(super) db: &'a Connection,
    pub(super) statements: Statements<'a>,
    pub(super) tallies: &'a mut Tallies,
    pub(super) seen: &'a mut Seen,
}

/// One piece of work inside a transaction. It may be run more than once: when another job of its group fails, the group is rolled back and
/// each job is run again in a transaction of its own.
pub(super) trait Job: Send {
    fn run(&mut self, tx: &mut Tx<'_>) -> rusqlite::Result<()>;
    /// New deliveries that the listener hears of. Called once, when the job is on the disk.
    fn hints(&mut self, _all: &mut Vec<Pending>) {}
    /// The same of new deliveries whose ids may be smaller than others that the listener heard of. Called once, when the job is on the disk.
    fn news(&mut self, _all: &mut Vec<(ConnectionId, DeliveryId)>) {}
    fn done(self: Box<Self>, result: Result<(), StoreError>);
}

/// A job whose answer is what its closure answers.
pub(super) struct Work<T, F> {
    run: F,
    value: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Work<T, F> {
    pub(super) fn new(run: F) -> (Self, oneshot::Receiver<Result<T, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        (Self::replying(run, reply), answer)
    }

    pub(super) fn replying(run: F, reply: oneshot::Sender<Result<T, StoreError>>) -> Self {
        let value = None;
        Self { run, value, reply }
    }
}

impl<T, F> Job for Work<T, F>
where
    T: Send,
    F: FnMut(&mut Tx<'_>) -> rusqlite::Result<T> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> rusqlite::Result<()> {
        self.value = Some((self.run)(tx)?);
        Ok(())
    }

    fn done(self: Box<Self>, result: Result<(), StoreError>) {
        let Self { value, reply, .. } = *self;
        let unfinished = || StoreError::Failed("the write was not carried out".into());
        // A receiver that is gone no longer wants to know; the write stands.
        let _ = reply.send(result.and_then(|()| value.ok_or_else(unfinished)));
    }
}

#[derive(Default)]
struct Waiting {
    urgent: VecDeque<Box<dyn Job>>,
    outcomes: VecDeque<Box<dyn Job>>,
    /// When the last urgent job came.
    urgent_at: Option<Instant>,
    closed: bool,
}

impl Waiting {
    /// The urgent jobs, `room` of them at most.
    fn take_urgent(&mut self, room: usize) -> Vec<Box<dyn Job>> {
        let many = self.urgent.len().min(room);
        self.urgent.drain(..many).collect()
    }
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    came: Condvar,
}

/// Hears of new deliveries, once somebody does.
pub(super) type Hearing = Arc<Mutex<Option<Arc<dyn Listener>>>>;

/// Hands jobs to the writer thread.
#[derive(Clone)]
pub(super) struct Writer {
    queue: Arc<Queue>,
    thread: Arc<Thread>,
}

/// Lets the thread come to its end when nobody can hand over anything any more.
struct Thread {
    queue: Arc<Queue>,
    handle: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Writer {
    pub(super) fn start(db: Connection, log: Log, seen: Seen, hearing: Hearing) -> Result<Self, StoreError> {
        let queue = Arc::new(Queue::default());
        let mut desk = Desk {
            db,
            log,
            seen,
            tallies: Tallies::default(),
            hearing,
        };
        let of_thread = Arc::clone(&queue);
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || desk.serve(&of_thread))
            .map_err(|error| StoreError::Failed(format!("the writer could not be started: {error}")))?;
        let thread = Arc::new(Thread {
            queue: Arc::clone(&queue),
            handle: Mutex::new(Some(thread)),
        });
        Ok(Self { queue, thread })
    }

    /// Hands over a job that is made while the place in the queue is held, so that ids made by `make` are committed in their order.
    pub(super) fn submit(&self, class: Class, make: impl FnOnce() -> Box<dyn Job>) {
        let mut waiting = self.queue.waiting.lock();
        let job = make();
        if waiting.closed {
            drop(waiting);
            job.done(Err(StoreError::Closed));
            return;
        }
        // A writer that is at work looks for itself when it has finished.
        let wake = match class {
            Class::Urgent => {
                waiting.urgent.push_back(job);
                waiting.urgent_at = Some(Instant::now());
                waiting.urgent.len() == 1
            }
            Class::Outcome => {
                waiting.outcomes.push_back(job);
                waiting.outcomes.len() == 1 || waiting.outcomes.len() == MANY
            }
        };
        drop(waiting);
        if wake {
            self.queue.came.notify_one();
        }
    }

    /// Runs `run` inside a transaction, and answers when that is on the disk.
    pub(super) async fn write<T, F>(&self, mut run: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.write_with(Class::Urgent, move |tx| run(tx.db)).await
    }

    /// The same, with everything that a transaction has.
    pub(super) async fn write_with<T, F>(&self, class: Class, run: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        let (work, answer) = Work::new(run);
        self.submit(class, || Box::new(work));
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Waits until everything that was handed over is on the disk, then ends the thread.
    pub(super) fn close(&self) {
        self.queue.close();
        if let Some(thread) = self.thread.handle.lock().take() {
            // A writer that panicked has nothing left to finish.
            let _ = thread.join();
        }
    }
}

impl Queue {
    fn close(&self) {
        self.waiting.lock().closed = true;
        self.came.notify_one();
    }

    /// The urgent jobs that have come since the group began, `room` of them at most.
    fn latecomers(&self, room: usize) -> Vec<Box<dyn Job>> {
        self.waiting.lock().take_urgent(room)
    }

    /// Waits for the next group to begin; answers its urgent jobs, or the first outcome when there are none. `None`: the end.
    fn begin(&self) -> Option<Vec<Box<dyn Job>>> {
        let mut waiting = self.waiting.lock();
        loop {
            if !waiting.urgent.is_empty() {
                return Some(waiting.take_urgent(GROUP));
            }
            if waiting.outcomes.is_empty() {
                if waiting.closed {
                    return None;
                }
                self.came.wait(&mut waiting);
                continue;
            }
            let lively = waiting.urgent_at.is_some_and(|at| at.elapsed() < LIVELY);
            let at_once = waiting.closed || !lively || waiting.outcomes.len() >= MANY;
            let waited = at_once || self.came.wait_for(&mut waiting, LINGER).timed_out();
            if waited && waiting.urgent.is_empty() {
                return waiting.outcomes.pop_front().map(|job| vec![job]);
            }
        }
    }

    /// These did not fit; they are first in the next group.
    fn give_back(&self, jobs: Vec<Box<dyn Job>>) {
        let mut waiting = self.waiting.lock();
        jobs.into_iter().rev().for_each(|job| waiting.urgent.push_front(job));
    }
}

/// Runs the jobs of a group from this place on. Those for which there is no time go back.
fn run_urgent(
    queue: &Queue,
    group: &mut Vec<Box<dyn Job>>,
    from: usize,
    began: Instant,
    tx: &mut Tx<'_>,
) -> rusqlite::Result<()> {
    for at in from..group.len() {
        if began.elapsed() > LONGEST {
            queue.give_back(group.split_off(at));
            break;
        }
        group[at].run(tx)?;
    }
    Ok(())
}

/// By connection the smallest id.
fn smallest(news: Vec<(ConnectionId, DeliveryId)>) -> Vec<(ConnectionId, DeliveryId)> {
    let mut first: HashMap<ConnectionId, DeliveryId> = HashMap::new();
    for (connection, id) in news {
        let known = first.entry(connection).or_insert(id);
        *known = id.min(*known);
    }
    first.into_iter().collect()
}

/// What the writer thread works with.
struct Desk {
    db: Connection,
    log: Log,
    seen: Seen,
    tallies: Tallies,
    hearing: Hearing,
}

impl Desk {
    fn serve(&mut self, queue: &Queue) {
        while let Some(mut group) = queue.begin() {
            match self.shared(queue, &mut group) {
                Ok(()) => self.finish(group),
                Err(error) => self.apart(group, &error),
            }
            self.log.watch(&self.db);
        }
    }

    /// Runs a group in one transaction. Outcomes that wait join it while there is time, and urgent jobs that have come meanwhile.
    fn shared(&mut self, queue: &Queue, group: &mut Vec<Box<dyn Job>>) -> Result<(), StoreError> {
        let began = Instant::now();
        self.transact(|tx| {
            run_urgent(queue, group, 0, began, tx)?;
            let limit = (began.elapsed() * 2).max(SHARE).min(LONGEST);
            while began.elapsed() < limit {
                let Some(job) = queue.waiting.lock().outcomes.pop_front() else {
                    break;
                };
                group.push(job);
                if let Some(job) = group.last_mut() {
                    job.run(tx)?;
                }
            }
            if began.elapsed() < LONGEST {
                let at = group.len();
                group.extend(queue.latecomers(GROUP.saturating_sub(at)));
                run_urgent(queue, group, at, began, tx)?;
            }
            Ok(())
        })
    }

    /// Runs each job in a transaction of its own, because together they failed.
    fn apart(&mut self, group: Vec<Box<dyn Job>>, error: &StoreError) {
        if group.len() == 1 {
            group.into_iter().for_each(|job| job.done(Err(error.clone())));
            return;
        }
        for mut job in group {
            match self.transact(|tx| job.run(tx)) {
                Ok(()) => self.finish(vec![job]),
                Err(error) => job.done(Err(error)),
            }
        }
    }

    fn transact(&mut self, run: impl FnOnce(&mut Tx<'_>) -> rusqlite::Result<()>) -> Result<(), StoreError> {
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let ran = run(&mut Tx {
            db: &tx,
            statements: Statements::new(&tx),
            tallies: &mut self.tallies,
            seen: &mut self.seen,
        });
        let ran = ran.and_then(|()| self.tallies.write(&tx));
        match ran.and_then(|()| tx.commit()) {
            Ok(()) => {
                self.seen.committed();
                Ok(())
            }
            Err(error) => {
                self.tallies.clear();
                self.seen.rolled_back();
                Err(error.into())
            }
        }
    }

    fn finish(&self, mut group: Vec<Box<dyn Job>>) {
        let (mut hints, mut news) = (Vec::new(), Vec::new());
        for job in &mut group {
            job.hints(&mut hints);
            job.news(&mut news);
        }
        if (!hints.is_empty() || !news.is_empty())
            && let Some(listener) = self.hearing.lock().clone()
        {
            if !hints.is_empty() {
                listener.accepted(hints);
            }
            if !news.is_empty() {
                listener.hinted(smallest(news));
            }
        }
        group.into_iter().for_each(|job| job.done(Ok(())));
    }
}
