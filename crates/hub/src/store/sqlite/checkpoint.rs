//! Brings logs back into their files beside the writers, so that no commit waits for it.
//!
//! A writer's log is used again from its beginning once everything in it has been brought back. A checkpoint that runs beside a busy
//! writer never catches the newest commits, so when a log has become long, the writer itself brings back the few that are left. It waits
//! until they are few: while it does that, nobody's event is accepted.

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
/// From so many on (64 MB of 4 KB pages), the writer brings back the rest, if it is short enough.
const LONG: i32 = 16_000;
/// The rest may be this part of what the log is too long by: a writer that is too busy for a short one gets a longer one, not an endless log.
const REST: i32 = 4;

/// What a log has come to.
#[derive(Debug, Default)]
struct Progress {
    /// A checkpoint is ordered or at work.
    running: AtomicBool,
    /// So many pages of the log were brought back by the last one.
    brought_back: AtomicI32,
}

struct Order {
    file: PathBuf,
    progress: Arc<Progress>,
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
                    match run(&order.file) {
                        Ok(brought_back) => order.progress.brought_back.store(brought_back, Ordering::Relaxed),
                        Err(error) => tracing::debug!("checkpoint of {}: {error}", order.file.display()),
                    }
                    order.progress.running.store(false, Ordering::Release);
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
            progress: Arc::default(),
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
    progress: Arc<Progress>,
    orders: Orders,
}

/// What is to be done about a log.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Nothing,
    /// The checkpointer is to run.
    Order,
    /// The writer brings back the rest.
    Finish,
}

/// For a log of so many pages of which so many were brought back, whose checkpointer does not run and was told at this length.
fn step(pages: i32, told: i32, brought_back: i32) -> Step {
    // More than there is was brought back of the log before this one.
    let rest = if brought_back > pages {
        pages
    } else {
        pages - brought_back
    };
    if pages >= LONG && rest <= (pages - LONG) / REST {
        Step::Finish
    } else if pages >= LONG || pages - told >= SOON {
        Step::Order
    } else {
        Step::Nothing
    }
}

impl Log {
    /// To be called by the writer between two transactions.
    pub(super) fn watch(&self, db: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < self.told.load(Ordering::Relaxed) {
            // The log has begun anew.
            self.told.store(0, Ordering::Relaxed);
        }
        if self.progress.running.load(Ordering::Acquire) {
            return;
        }
        let told = self.told.load(Ordering::Relaxed);
        match step(pages, told, self.progress.brought_back.load(Ordering::Relaxed)) {
            Step::Nothing => {}
            Step::Order => self.order(pages),
            Step::Finish => match db.wal_checkpoint_v2(Some(c"main"), CheckpointMode::PASSIVE) {
                Ok((in_log, brought_back)) if in_log == brought_back => self.pages.store(0, Ordering::Relaxed),
                // Somebody still reads what is older.
                _ => self.order(pages),
            },
        }
    }

    fn order(&self, pages: i32) {
        self.told.store(pages, Ordering::Relaxed);
        self.progress.running.store(true, Ordering::Release);
        let order = Order {
            file: self.file.clone(),
            progress: Arc::clone(&self.progress),
        };
        let orders = self.orders.lock();
        let sent = orders.as_ref().is_some_and(|orders| orders.send(order).is_ok());
        if !sent {
            self.progress.running.store(false, Ordering::Release);
        }
    }
}

/// Brings back what it can; answers how many pages of the log are in the file now.
fn run(file: &std::path::Path) -> rusqlite::Result<i32> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(file, flags)?;
    db.busy_timeout(BUSY)?;
    // A connection that has read nothing yet does not know that there is a log: its checkpoint would do nothing and not say so.
    db.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
    let (_, brought_back) = db.wal_checkpoint_v2(Some(c"main"), CheckpointMode::PASSIVE)?;
    Ok(brought_back)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_of_another_connection_brings_back_the_whole_log() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("some.db");
        let db = Connection::open(&file).unwrap();
        db.pragma_update(None, "journal_mode", "WAL").unwrap();
        db.execute_batch(
            "PRAGMA wal_autocheckpoint = 0; CREATE TABLE some (id INTEGER PRIMARY KEY); INSERT INTO some VALUES (1)",
        )
        .unwrap();
        let brought_back = run(&file).unwrap();
        let (in_log, of_it) = db.wal_checkpoint_v2(Some(c"main"), CheckpointMode::PASSIVE).unwrap();
        assert!(brought_back > 0);
        assert_eq!((brought_back, of_it), (in_log, in_log));
    }

    #[test]
    fn the_writer_brings_back_a_short_rest_of_a_long_log_and_leaves_everything_else_to_the_checkpointer() {
        assert_eq!(step(SOON - 1, 0, 0), Step::Nothing);
        assert_eq!(step(SOON, 0, 0), Step::Order);
        assert_eq!(step(2 * SOON - 1, SOON, SOON), Step::Nothing);
        assert_eq!(step(LONG, LONG - 1, LONG - 1), Step::Order);
        assert_eq!(step(LONG + 400, LONG, LONG + 300), Step::Finish);
        assert_eq!(step(LONG + 400, LONG, LONG + 299), Step::Order);
    }

    #[test]
    fn what_was_brought_back_of_an_earlier_log_does_not_count() {
        assert_eq!(step(LONG + 400, LONG, LONG + 401), Step::Order);
    }

    #[test]
    fn no_log_grows_for_ever() {
        for rest in [0, SOON, 10 * SOON] {
            let longest = LONG + (rest + 1) * REST;
            assert_eq!(step(longest, longest - 1, longest - rest), Step::Finish, "{rest}");
        }
    }
}
