//! Processes callbacks in the background: those of a source one after the other, in the order in which they came, and several sources at once,
//! so that none waits for the vendors of another.

use std::{
    any::Any,
    collections::{HashMap, HashSet},
    panic::AssertUnwindSafe,
    sync::{Arc, Weak},
    time::Duration,
};

use futures::FutureExt;
use parking_lot::Mutex;
use switchboard_connect::source::Source;
use switchboard_model::{
    id::WorkspaceId,
    problem::{Code, Problem},
};
use tokio::{
    sync::{Notify, RwLock},
    task::JoinSet,
    time::{sleep, timeout},
};

use super::process::{failure, later, process};
use crate::{
    failpoint,
    hub::{Hub, Inner},
    store::{CallbackOutcome, CallbackRow, StoreError},
};

/// So many sources are worked on at once.
const LANES: usize = 16;
/// So many callbacks of a source are taken at once. Of one that has to ask vendors it is one: nothing waits behind it with its lease running.
const SLICE: usize = 32;
/// How long no other node takes them: longer than what is done with one may last, see [`super::completion`].
const LEASE_MS: i64 = 240_000;
/// How often is looked without having been rung for: what is due later, and what other nodes have left.
const LOOK: Duration = Duration::from_secs(1);
/// The pause after the store failed.
const FAILED: Duration = Duration::from_secs(5);
/// A callback that was begun so often and never came to an end is not begun again: it probably ends the process each time.
const MOST_STARTS: i32 = 5;

/// Says that there is something to do. A ring that is missed costs a second.
#[derive(Debug, Default)]
pub struct Bell(Notify);

impl Bell {
    /// There is something to do.
    pub fn ring(&self) {
        self.0.notify_one();
    }
}

/// Works until the hub is gone.
pub(crate) async fn run(hub: Weak<Inner>) {
    let mut lanes = Lanes::default();
    loop {
        let Some(inner) = hub.upgrade() else { return };
        let hub = Hub::of(inner);
        let pause = match lanes.begin(&hub).await {
            Ok(()) => LOOK,
            Err(StoreError::Closed) => return,
            Err(error) => {
                tracing::error!(%error, "callbacks could not be looked for");
                FAILED
            }
        };
        let bell = hub.bell();
        drop(hub);
        lanes.wait(pause, &bell).await;
    }
}

/// A source: callbacks of one are processed one after the other.
type Key = (WorkspaceId, String);

/// What is under way.
#[derive(Default)]
struct Lanes {
    running: JoinSet<()>,
    busy: Arc<Mutex<HashSet<Key>>>,
    /// When each source had its last turn, counted in turns.
    served: HashMap<Key, u64>,
    turns: u64,
    order: Arc<RwLock<()>>,
}

/// A source that is worked on; dropped, it is not any more.
struct Busy {
    key: Key,
    all: Arc<Mutex<HashSet<Key>>>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.all.lock().remove(&self.key);
    }
}

impl Lanes {
    /// Begins with the sources that have something to do, as many as there is room for; first those that have waited longest for a turn, so that
    /// one that is flooded takes no place from others.
    async fn begin(&mut self, hub: &Hub) -> Result<(), StoreError> {
        let room = LANES.saturating_sub(self.running.len());
        if room == 0 {
            return Ok(());
        }
        let mut due = hub.store().due_sources(hub.now_ms()).await?;
        let busy = self.busy.lock().clone();
        due.retain(|key| !busy.contains(key));
        due.sort_by_key(|key| self.served.get(key).copied().unwrap_or_default());
        let waiting: HashSet<&Key> = due.iter().collect();
        self.served.retain(|key, _| busy.contains(key) || waiting.contains(key));
        for key in due.into_iter().take(room) {
            self.turns += 1;
            self.served.insert(key.clone(), self.turns);
            self.busy.lock().insert(key.clone());
            let busy = Busy {
                key,
                all: Arc::clone(&self.busy),
            };
            self.running.spawn(lane(hub.clone(), busy, Arc::clone(&self.order)));
        }
        Ok(())
    }

    /// Waits until there may be something to begin with.
    async fn wait(&mut self, pause: Duration, bell: &Bell) {
        tokio::select! {
            Some(ended) = self.running.join_next() => {
                if let Err(error) = ended
                    && error.is_panic()
                {
                    tracing::error!(%error, "the callbacks of a source are begun anew");
                }
            }
            // Whether somebody rang or the time has passed: it is looked again.
            _ = timeout(pause, bell.0.notified()) => {}
        }
    }
}

/// A turn of one source.
async fn lane(hub: Hub, busy: Busy, order: Arc<RwLock<()>>) {
    match turn(&hub, &busy.key, &order).await {
        // Somebody else has them in hand.
        Ok(0) => sleep(LOOK).await,
        Ok(_) | Err(StoreError::Closed) => {}
        Err(error) => {
            tracing::error!(%error, source = busy.key.1, "callbacks could not be processed");
            sleep(FAILED).await;
        }
    }
}

/// Processes what is due of a source; answers how many callbacks that were.
async fn turn(hub: &Hub, (workspace, source): &Key, order: &RwLock<()>) -> Result<usize, StoreError> {
    let configuration = hub.configuration();
    let receiver = configuration.receiver(*workspace, source);
    let completes = receiver.is_some_and(|receiver| receiver.source.as_ref().is_ok_and(Source::completes));
    let limit = if completes { 1 } else { SLICE };
    let taken = hub
        .store()
        .take_callbacks(*workspace, source, hub.now_ms(), LEASE_MS, limit)
        .await?;
    let count = taken.len();
    for callback in taken {
        // One that was begun before is under suspicion of having ended the process. It has it for itself, so that no other one is counted with
        // it if it does that again.
        let (_alone, _among);
        if callback.starts > 1 {
            _alone = order.write().await;
        } else {
            _among = order.read().await;
        }
        handle(hub, &callback).await?;
    }
    Ok(count)
}

/// Processes one callback. What goes wrong with it is its own: it is tried again later, and fails in the end.
async fn handle(hub: &Hub, callback: &CallbackRow) -> Result<(), StoreError> {
    let outcome = match callback.starts > MOST_STARTS {
        true => Some(given_up()),
        false => {
            failpoint::reach(failpoint::CALLBACK_BEGUN);
            let done = AssertUnwindSafe(process(hub, callback)).catch_unwind().await;
            judge(callback, done, hub.now_ms())?
        }
    };
    let Some(outcome) = outcome else { return Ok(()) };
    let now_ms = hub.now_ms();
    hub.store().settle_callback(callback.round(), outcome, now_ms).await?;
    Ok(())
}

/// What is written down when processing has ended like this.
fn judge(
    callback: &CallbackRow,
    done: Result<Result<Option<CallbackOutcome>, StoreError>, Box<dyn Any + Send>>,
    now_ms: i64,
) -> Result<Option<CallbackOutcome>, StoreError> {
    let next = "It is tried again for three hours. Look at the hub's log.";
    let problem = match done {
        Ok(Ok(outcome)) => return Ok(outcome),
        Ok(Err(StoreError::Closed)) => return Err(StoreError::Closed),
        Ok(Err(error)) => Problem::new(
            Code::StoreFailed,
            format!("what came of it could not be written: {error}"),
            next,
        ),
        Err(panic) => {
            let words = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
            let words = words
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            Problem::new(Code::Internal, format!("processing it failed inside: {words}"), next)
        }
    };
    tracing::error!(callback = %callback.id, source = callback.source, %problem, "a callback could not be processed");
    Ok(Some(later(callback, problem, now_ms)))
}

fn given_up() -> CallbackOutcome {
    let problem = Problem::new(
        Code::Internal,
        format!("it was begun {MOST_STARTS} times, and the hub ended each time before it was done"),
        "Look at the hub's log and at the memory it may take: the callback probably needs more. Mend the source, and process it anew.",
    );
    failure(problem, Vec::new())
}

#[cfg(test)]
mod tests;
