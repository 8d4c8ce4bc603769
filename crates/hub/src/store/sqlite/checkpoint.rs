//! Brings logs back into their files beside the writers, so that no commit waits for it.
//!
//! A writer's log is used again from its beginning once everything in it has been brought back. A checkpoint that runs beside a busy
//! writer never catches the newest commits, so when a log has become long, the writer itself brings back the few that are left.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, Ordering},
        mpsc::{Sender, channel},
    },
    thread::JoinHandle,
};

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags, hooks::Wal, wal::CheckpointMode};

use super::BUSY;
use crate::store::StoreError;

/// After so many further pages in the log, the checkpointer is told.
const SOON: i32 = 2_000;
/// From so many on (64 MB of 4 KB pages), the writer brings back the rest.
const LONG: i32 = 16_000;

struct Order {
    file: PathBuf,
    running: Arc<AtomicBool>,
}

type Orders = Arc<Mutex<Option<Sender<Order>>>>;

/// The thread that runs checkpoints.
#[derive(Clone)]
pub(super) struct Checkpointer {
    orders: Orders,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Checkpointer {
    pub(super) fn start() -> Result<Self, StoreError> {
        let (orders, queue) = channel::<Order>();
        let thread = std::thread::Builder::new()
            .name("store-checkpoint".into())
            .spawn(move || {
                for order in queue {
                    // What failed is tried again after the next commit; the log keeps everything until then.
                    if let Err(error) = run(&order.file) {
                        tracing::debug!("checkpoint of {}: {error}", order.file.display());
                    }
                    order.running.store(false, Ordering::Release);
                }
            })
            .map_err(|error| StoreError::Failed(format!("the checkpoints could not be started: {error}")))?;
        Ok(Self {
            orders: Arc::new(Mutex::new(Some(orders))),
            thread: Arc::new(Mutex::new(Some(thread))),
        })
    }

    /// Takes over the checkpoints of a writing connection.
    pub(super) fn serve(&self, db: &mut Connection, file: PathBuf) -> rusqlite::Result<Log> {
        let pages = Arc::new(AtomicI32::new(0));
        let counter = Arc::clone(&pages);
        // Replaces the checkpoints that SQLite would run inside of commits.
        db.wal_hook(Some(move |_: &mut Wal, in_log| {
            counter.store(in_log, Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Log {
            file,
            pages,
            told: AtomicI32::new(0),
            running: Arc::default(),
            orders: Arc::clone(&self.orders),
        })
    }

    /// Ends the thread after the checkpoint that runs.
    pub(super) fn close(&self) {
        drop(self.orders.lock().take());
        if let Some(thread) = self.thread.lock().take() {
            // A thread that panicked has nothing left to finish.
            let _ = thread.join();
        }
    }
}

/// The log of one writing connection.
pub(super) struct Log {
    file: PathBuf,
    pages: Arc<AtomicI32>,
    /// How long the log was when the checkpointer was told last.
    told: AtomicI32,
    running: Arc<AtomicBool>,
    orders: Orders,
}

impl Log {
    /// To be called by the writer between two transactions.
    pub(super) fn watch(&self, db: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < self.told.load(Ordering::Relaxed) {
            // The log has begun anew.
            self.told.store(0, Ordering::Relaxed);
        }
        if pages - self.told.load(Ordering::Relaxed) < SOON || self.running.load(Ordering::Acquire) {
            return;
        }
        // The checkpointer has just been through a long one: only the newest commits are left.
        if pages >= LONG
            && let Ok((in_log, brought_back)) = db.wal_checkpoint_v2(Some(c"main"), CheckpointMode::PASSIVE)
            && in_log == brought_back
        {
            self.pages.store(0, Ordering::Relaxed);
            return;
        }
        self.running.store(true, Ordering::Release);
        let order = Order {
            file: self.file.clone(),
            running: Arc::clone(&self.running),
        };
        self.told.store(pages, Ordering::Relaxed);
        let sent = self
            .orders
            .lock()
            .as_ref()
            .is_some_and(|orders| orders.send(order).is_ok());
        if !sent {
            self.running.store(false, Ordering::Release);
        }
    }
}

fn run(file: &std::path::Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(file, flags)?;
    db.busy_timeout(BUSY)?;
    db.wal_checkpoint_v2(Some(c"main"), CheckpointMode::PASSIVE)?;
    Ok(())
}
