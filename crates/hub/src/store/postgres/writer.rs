//! Group commit: whatever waits when a transaction begins shares it, and with it the one costly step, the sync.

use std::{future::Future, sync::Arc};

use parking_lot::Mutex;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::{Core, Trouble};
use crate::store::StoreError;

/// A group is closed when its jobs weigh this much: larger ones gain nothing and make the first of them wait.
const GROUP: usize = 512;
/// A transaction that lost against another one is run again this often.
const AGAIN: usize = 5;

/// A piece of work that shares its transaction with others of its kind.
pub(super) trait Job: Send + Sync + Sized + 'static {
    /// What the caller gets.
    type Answer: Send + 'static;
    /// How many rows it is about.
    fn weight(&self) -> usize;
    /// Every id of a partitioned table that it writes or may write.
    fn dated_ids(&self) -> Vec<i64>;
    /// Does all of them in one transaction; one answer for each.
    fn commit(core: &Core, group: &[Self]) -> impl Future<Output = Result<Vec<Self::Answer>, Trouble>> + Send;
}

/// A job and who waits for it.
struct Waiting<J: Job> {
    job: J,
    reply: oneshot::Sender<Result<J::Answer, StoreError>>,
}

/// Hands jobs of one kind to their writer.
pub(super) struct Writer<J: Job> {
    queue: Mutex<Option<mpsc::UnboundedSender<Waiting<J>>>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl<J: Job> Writer<J> {
    pub fn start(core: &Arc<Core>) -> Self {
        let (queue, jobs) = mpsc::unbounded_channel();
        let task = tokio::spawn(serve(Arc::clone(core), jobs));
        Self {
            queue: Mutex::new(Some(queue)),
            task: Mutex::new(Some(task)),
        }
    }

    /// Answers when the job is on the disk. `make` runs while the place in the queue is held, so that ids that it draws are committed in their
    /// order.
    pub async fn write(&self, make: impl FnOnce() -> Result<J, StoreError>) -> Result<J::Answer, StoreError> {
        let (reply, answer) = oneshot::channel();
        {
            let queue = self.queue.lock();
            let queue = queue.as_ref().ok_or(StoreError::Closed)?;
            let job = make()?;
            queue.send(Waiting { job, reply }).map_err(|_| StoreError::Closed)?;
        }
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Waits until everything that was handed over is on the disk, then ends the task.
    pub async fn close(&self) {
        drop(self.queue.lock().take());
        let task = self.task.lock().take();
        if let Some(task) = task {
            // A writer that panicked has nothing left to finish.
            let _ = task.await;
        }
    }
}

async fn serve<J: Job>(core: Arc<Core>, mut queue: mpsc::UnboundedReceiver<Waiting<J>>) {
    while let Some(first) = queue.recv().await {
        let mut weight = first.job.weight();
        let (mut jobs, mut replies) = (vec![first.job], vec![first.reply]);
        while weight < GROUP {
            let Ok(next) = queue.try_recv() else { break };
            weight += next.job.weight();
            jobs.push(next.job);
            replies.push(next.reply);
        }
        answer(&core, &jobs, replies).await;
    }
}

/// A receiver that is gone no longer wants to know; the write stands.
async fn answer<J: Job>(core: &Core, jobs: &[J], replies: Vec<oneshot::Sender<Result<J::Answer, StoreError>>>) {
    match persistently(core, jobs).await {
        Ok(answers) => {
            for (reply, answer) in replies.into_iter().zip(answers) {
                let _ = reply.send(Ok(answer));
            }
        }
        // One of them has something in it that the database does not take; it must not take the others with it.
        Err(trouble) if jobs.len() > 1 && trouble.is_of_statement() => {
            for (job, reply) in jobs.iter().zip(replies) {
                let result = persistently(core, std::slice::from_ref(job)).await;
                let _ = reply.send(match result {
                    Ok(mut answers) => answers.pop().ok_or(StoreError::Closed),
                    Err(trouble) => Err(trouble.into()),
                });
            }
        }
        Err(trouble) => {
            let error = StoreError::from(trouble);
            for reply in replies {
                let _ = reply.send(Err(error.clone()));
            }
        }
    }
}

async fn persistently<J: Job>(core: &Core, jobs: &[J]) -> Result<Vec<J::Answer>, Trouble> {
    let mut tries = 0;
    loop {
        let done = match cover(core, jobs).await {
            Ok(()) => J::commit(core, jobs).await,
            Err(trouble) => Err(trouble),
        };
        match done {
            Err(trouble) if tries < AGAIN && trouble.passes() => {}
            Err(trouble) if tries < AGAIN && trouble.lacks_partition() => core.days.forget(),
            done => return done,
        }
        tries += 1;
    }
}

async fn cover<J: Job>(core: &Core, jobs: &[J]) -> Result<(), Trouble> {
    let ids: Vec<i64> = jobs.iter().flat_map(Job::dated_ids).collect();
    if core.days.covers(&ids) {
        return Ok(());
    }
    let mut client = core.pool.get().await?;
    core.days.cover(&mut client, &ids).await
}
