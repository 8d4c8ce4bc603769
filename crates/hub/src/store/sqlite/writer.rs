//! The one writer. Whatever waits when a transaction begins shares it, and with it the one costly step: the sync.

use std::sync::{
    Arc,
    mpsc::{Receiver, Sender, channel},
};

use parking_lot::Mutex;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use crate::store::StoreError;

/// At most so many jobs share one transaction; larger groups gain nothing and make the first of them wait.
const GROUP: usize = 256;

/// One piece of work inside a transaction. It may be run more than once: when another job of its group fails, the group is rolled back and
/// each job is run again in a transaction of its own.
trait Job: Send {
    fn run(&mut self, db: &Connection) -> rusqlite::Result<()>;
    fn done(self: Box<Self>, result: Result<(), StoreError>);
}

/// Jobs on their way to the writer; `None` once it is closed.
type Queue = Arc<Mutex<Option<Sender<Box<dyn Job>>>>>;

struct Work<T, F, A> {
    run: F,
    after: A,
    value: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F, A> Job for Work<T, F, A>
where
    T: Send,
    F: FnMut(&Connection) -> rusqlite::Result<T> + Send,
    A: FnOnce(&mut T) + Send,
{
    fn run(&mut self, db: &Connection) -> rusqlite::Result<()> {
        self.value = Some((self.run)(db)?);
        Ok(())
    }

    fn done(self: Box<Self>, result: Result<(), StoreError>) {
        let answer = match (result, self.value) {
            (Ok(()), Some(mut value)) => {
                (self.after)(&mut value);
                Ok(value)
            }
            (Ok(()), None) => Err(StoreError::Failed("the write was not carried out".into())),
            (Err(error), _) => Err(error),
        };
        // A receiver that is gone no longer wants to know; the write stands.
        let _ = self.reply.send(answer);
    }
}

/// Hands jobs to the writer thread.
#[derive(Clone)]
pub(super) struct Writer {
    jobs: Queue,
    thread: Arc<Mutex<Option<std::thread::JoinHandle<()>>>>,
}

impl Writer {
    pub(super) fn start(db: Connection) -> Result<Self, StoreError> {
        let (jobs, queue) = channel();
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || serve(db, &queue))
            .map_err(|error| StoreError::Failed(format!("the writer could not be started: {error}")))?;
        Ok(Self {
            jobs: Arc::new(Mutex::new(Some(jobs))),
            thread: Arc::new(Mutex::new(Some(thread))),
        })
    }

    /// Runs `run` inside a transaction, and answers when that is on the disk.
    pub(super) async fn write<T, F>(&self, run: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.write_in_order(|| run, |_| {}).await
    }

    /// The same, where the job itself is made while the place in the queue is held, so that ids made by `make` are committed in their order.
    /// `after` runs on the writer's thread when the job is on the disk, in the order of the commits.
    pub(super) async fn write_in_order<T, F, A>(&self, make: impl FnOnce() -> F, after: A) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&Connection) -> rusqlite::Result<T> + Send + 'static,
        A: FnOnce(&mut T) + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        {
            let jobs = self.jobs.lock();
            let jobs = jobs.as_ref().ok_or(StoreError::Closed)?;
            jobs.send(Box::new(Work {
                run: make(),
                after,
                value: None,
                reply,
            }))
            .map_err(|_| StoreError::Closed)?;
        }
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Waits until everything that was handed over is on the disk, then ends the thread.
    pub(super) fn close(&self) {
        drop(self.jobs.lock().take());
        if let Some(thread) = self.thread.lock().take() {
            // A writer that panicked has nothing left to finish.
            let _ = thread.join();
        }
    }
}

fn serve(mut db: Connection, queue: &Receiver<Box<dyn Job>>) {
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        group.extend(queue.try_iter().take(GROUP - 1));
        commit(&mut db, group);
    }
    // Leaves a file without a log beside it, where that is possible.
    let _ = db.pragma_update(None, "wal_checkpoint", "TRUNCATE");
}

fn commit(db: &mut Connection, mut group: Vec<Box<dyn Job>>) {
    match transact(db, &mut group) {
        Ok(()) => group.into_iter().for_each(|job| job.done(Ok(()))),
        Err(error) if group.len() == 1 => group.into_iter().for_each(|job| job.done(Err(error.clone()))),
        Err(_) => {
            for job in group {
                let mut alone = vec![job];
                let result = transact(db, &mut alone);
                alone.into_iter().for_each(|job| job.done(result.clone()));
            }
        }
    }
}

fn transact(db: &mut Connection, group: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for job in group {
        job.run(&tx)?;
    }
    tx.commit()?;
    Ok(())
}
