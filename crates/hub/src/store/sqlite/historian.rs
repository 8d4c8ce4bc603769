//! The thread that writes the day files: the calls of attempts, what is moved out of the database, fingerprints.
//!
//! Day files are written with `synchronous = NORMAL`: a commit is with the operating system, so it survives the end of the process, and only
//! a power cut can lose the last calls. What is about to be deleted from the database is synced first.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    thread::JoinHandle,
};

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{
    checkpoint::{Checkpointer, Log},
    days::{Day, Days, open_reader},
    settle::{Call, insert_call},
};
use crate::store::StoreError;

/// So many days are kept open for writing.
const OPEN: usize = 3;
/// So many orders to write calls share a transaction.
const GROUP: usize = 64;

enum Order {
    /// Write calls, then go on.
    Record(Vec<Call>, Box<dyn FnOnce() + Send>),
    Do(Box<dyn FnOnce(&mut Books) + Send>),
}

/// Hands orders to the historian.
#[derive(Clone)]
pub(super) struct Historian {
    orders: Arc<Mutex<Option<Sender<Order>>>>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Historian {
    /// `database` is the file of the hot tables.
    pub(super) fn start(database: PathBuf, days: Arc<Days>, checkpoints: Checkpointer) -> Result<Self, StoreError> {
        let (orders, queue) = channel();
        let mut books = Books {
            database,
            days,
            checkpoints,
            hot: None,
            open: BTreeMap::new(),
        };
        let thread = std::thread::Builder::new()
            .name("store-history".into())
            .spawn(move || books.serve(&queue))
            .map_err(|error| StoreError::Failed(format!("the historian could not be started: {error}")))?;
        Ok(Self {
            orders: Arc::new(Mutex::new(Some(orders))),
            thread: Arc::new(Mutex::new(Some(thread))),
        })
    }

    /// Writes the calls and then calls `then`, in the order of these orders. Without calls it is called at once.
    pub(super) fn record(&self, calls: Vec<Call>, then: impl FnOnce() + Send + 'static) {
        if calls.is_empty() {
            then();
        } else {
            self.send(Order::Record(calls, Box::new(then)));
        }
    }

    /// Runs `work` on the historian's thread.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Books) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Order::Do(Box::new(move |books| {
            // A caller that is gone no longer wants to know.
            let _ = reply.send(work(books));
        })));
        answer.await.map_err(|_| StoreError::Closed)?
    }

    fn send(&self, order: Order) {
        if let Some(orders) = &*self.orders.lock() {
            // A thread that is gone drops the order, and with it whoever waits for its answer is told.
            let _ = orders.send(order);
        }
    }

    /// Waits until everything that was handed over is written, then ends the thread.
    pub(super) fn close(&self) {
        drop(self.orders.lock().take());
        if let Some(thread) = self.thread.lock().take() {
            // A thread that panicked has nothing left to finish.
            let _ = thread.join();
        }
    }
}

/// The day files that are open for writing.
pub(super) struct Books {
    database: PathBuf,
    pub(super) days: Arc<Days>,
    checkpoints: Checkpointer,
    hot: Option<Connection>,
    open: BTreeMap<Day, Book>,
}

struct Book {
    db: Connection,
    log: Log,
}

impl Books {
    fn serve(&mut self, queue: &Receiver<Order>) {
        let mut next = None;
        while let Some(order) = next.take().or_else(|| queue.recv().ok()) {
            match order {
                Order::Do(work) => work(self),
                Order::Record(calls, then) => {
                    let (mut all, mut afterwards) = (calls, vec![then]);
                    while afterwards.len() < GROUP {
                        match queue.try_recv() {
                            Ok(Order::Record(calls, then)) => {
                                all.extend(calls);
                                afterwards.push(then);
                            }
                            Ok(other) => {
                                next = Some(other);
                                break;
                            }
                            Err(_) => break,
                        }
                    }
                    if let Err(error) = self.record(&all) {
                        // What became of the deliveries matters more than how: it is written down all the same.
                        tracing::error!("calls are missing in the history: {error}");
                    }
                    afterwards.into_iter().for_each(|then| then());
                }
            }
            self.open.values().for_each(|book| book.log.watch(&book.db));
        }
    }

    fn record(&mut self, calls: &[Call]) -> Result<(), StoreError> {
        // Ids grow, so the calls of a day are beside each other.
        for calls in calls.chunk_by(|a, b| Day::of(a.id) == Day::of(b.id)) {
            let tx = self.write(Day::of(calls[0].id))?.transaction()?;
            for call in calls {
                insert_call(&tx, call)?;
            }
            tx.commit()?;
        }
        Ok(())
    }

    /// The database, to be read.
    pub(super) fn hot(&mut self) -> Result<&Connection, StoreError> {
        if self.hot.is_none() {
            self.hot = Some(open_reader(&self.database)?);
        }
        self.hot.as_ref().ok_or(StoreError::Closed)
    }

    /// A day, to be written. The database is attached to it as `hot`, to be read.
    pub(super) fn write(&mut self, day: Day) -> Result<&mut Connection, StoreError> {
        if !self.open.contains_key(&day) {
            let mut db = self.days.write(day)?;
            db.execute("ATTACH ?1 AS hot", [self.database.to_string_lossy()])?;
            db.pragma_update(Some("hot"), "cache_size", -1024)?;
            let log = self.checkpoints.serve(&mut db, self.days.path(day))?;
            while self.open.len() >= OPEN {
                self.open.pop_first();
            }
            self.open.insert(day, Book { db, log });
        }
        match self.open.get_mut(&day) {
            Some(book) => Ok(&mut book.db),
            None => Err(StoreError::Failed("the day could not be kept open".into())),
        }
    }

    /// Runs `work` in a transaction of a day that is on the disk when this returns.
    pub(super) fn write_durably<T>(
        &mut self,
        day: Day,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let db = self.write(day)?;
        db.pragma_update(Some("main"), "synchronous", "FULL")?;
        let done = (|| {
            let tx = db.transaction()?;
            let value = work(&tx)?;
            tx.commit()?;
            Ok(value)
        })();
        db.pragma_update(Some("main"), "synchronous", "NORMAL")?;
        done
    }

    /// Closes and deletes a day.
    pub(super) fn delete(&mut self, day: Day) -> Result<(), StoreError> {
        self.open.remove(&day);
        self.days.delete(day)
    }
}
