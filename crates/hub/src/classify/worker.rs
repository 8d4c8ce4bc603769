//! Works off the messages that wait for their classification: a task for each workspace that has any, so that a slow server holds up its own
//! workspace only.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Weak},
    time::Duration,
};

use futures::future::join_all;
use parking_lot::Mutex;
use switchboard_model::{
    event::{Event, EventType},
    id::WorkspaceId,
};
use tokio::time::timeout;

use super::{Answered, Asker, Unanswered, after_waiting, fingerprint};
use crate::{
    configuration::{Configuration, WorkspaceClassifier},
    hub::Inner,
    intake,
    normalise::person_key,
    store::{Accepted, StoreError},
};

/// How often the store is looked at when no hint comes: what another node accepted, what waits for a later moment.
const LOOK: Duration = Duration::from_secs(2);
/// So many messages of a workspace are worked on at the same time.
const BATCH: usize = 8;
/// A claim lasts so much longer than the calls that it is made for, in milliseconds.
const CLAIM_SPARE_MS: i64 = 60_000;
/// How long a claim lasts where no model is asked, in milliseconds.
const CLAIM_MS: i64 = 60_000;

/// Works until the hub is gone.
pub(crate) async fn run(hub: Weak<Inner>) {
    let busy: Arc<Mutex<HashSet<WorkspaceId>>> = Arc::default();
    if let Some(inner) = hub.upgrade()
        && !inner.store.shared()
        && let Err(error) = inner.store.release_unclassified().await
    {
        tracing::warn!(%error, "messages that wait for their classification wait until their claims run out");
    }
    loop {
        let Some(inner) = hub.upgrade() else { return };
        match inner.store.unclassified_workspaces(inner.desk.clock.now_ms()).await {
            Ok(workspaces) => {
                for workspace in workspaces {
                    if busy.lock().insert(workspace) {
                        let (hub, busy) = (hub.clone(), Arc::clone(&busy));
                        tokio::spawn(async move {
                            work(&hub, workspace).await;
                            busy.lock().remove(&workspace);
                        });
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "messages that wait for their classification could not be looked for"),
        }
        let came = Arc::clone(&inner.desk.unclassified);
        drop(inner);
        // A hint that was missed costs this long, no message.
        let _ = timeout(LOOK, came.notified()).await;
    }
}

/// Works off what waits in one workspace now.
async fn work(hub: &Weak<Inner>, workspace: WorkspaceId) {
    loop {
        let Some(inner) = hub.upgrade() else { return };
        let entry = Round::entry(&inner.configuration.read(), workspace);
        let now_ms = inner.desk.clock.now_ms();
        let until_ms = now_ms + claim_ms(entry.as_deref());
        let claimed = inner.store.claim_unclassified(workspace, now_ms, until_ms, BATCH).await;
        let events = match claimed {
            Ok(events) if events.is_empty() => return,
            Ok(events) => events,
            Err(error) => {
                tracing::warn!(%error, "messages that wait for their classification could not be taken");
                return;
            }
        };
        // Messages of one person go on in their order, those of different people side by side.
        let mut by_person: HashMap<String, Vec<Arc<Event>>> = HashMap::new();
        for event in events {
            let person = person_key(&event.data).unwrap_or_else(|| event.id.to_string());
            by_person.entry(person).or_default().push(event);
        }
        let round = Round {
            inner: &inner,
            workspace,
            entry,
        };
        join_all(by_person.into_values().map(|events| round.go_through(events))).await;
    }
}

/// A call and its repetition for each message of the batch may be needed.
fn claim_ms(entry: Option<&WorkspaceClassifier>) -> i64 {
    let model = entry.and_then(|entry| entry.spec.model.as_ref());
    let calls_ms = model.map_or(CLAIM_MS, |model| {
        i64::try_from(model.timeout_ms).unwrap_or(CLAIM_MS) * 2
    });
    calls_ms.saturating_mul(BATCH as i64).saturating_add(CLAIM_SPARE_MS)
}

/// One claim of a workspace's messages.
struct Round<'a> {
    inner: &'a Arc<Inner>,
    workspace: WorkspaceId,
    entry: Option<Arc<WorkspaceClassifier>>,
}

/// What becomes of a message now.
enum Next {
    /// It goes on with this.
    On(Option<Result<Answered, String>>),
    /// It waits until this moment, Unix milliseconds.
    Wait(i64),
}

impl Round<'_> {
    fn entry(configuration: &Configuration, workspace: WorkspaceId) -> Option<Arc<WorkspaceClassifier>> {
        configuration.workspace(workspace)?.classifier_entry().cloned()
    }

    /// Messages of one person, oldest first. When one has to wait, those behind it do as well.
    async fn go_through(&self, events: Vec<Arc<Event>>) {
        let mut wait_ms = None;
        for event in events {
            let done = match wait_ms {
                Some(at_ms) => self.inner.store.postpone_unclassified(event.id, at_ms).await,
                None => match self.next(&event).await {
                    Next::On(answer) => self.goes_on(&event, answer).await,
                    Next::Wait(at_ms) => {
                        wait_ms = Some(at_ms);
                        self.inner.store.postpone_unclassified(event.id, at_ms).await
                    }
                },
            };
            if let Err(error) = done {
                tracing::warn!(%error, event = %event.id, "a message goes on waiting for its classification");
                return;
            }
        }
    }

    async fn next(&self, event: &Event) -> Next {
        let Some(entry) = self.entry.as_deref() else {
            return Next::On(None);
        };
        let Some(classifier) = entry.active() else {
            return Next::On(None);
        };
        let Some(model) = classifier.model_for(&classifier.decide(&event.data)) else {
            return Next::On(None);
        };
        let asker = Asker {
            desk: &self.inner.desk,
            workspace: self.workspace,
            entry,
        };
        let deadline_ms = event
            .received_ms
            .saturating_add(i64::try_from(model.patience_ms).unwrap_or(i64::MAX));
        match asker.ask(classifier, model, &event.data).await {
            Ok(answered) => Next::On(Some(Ok(answered))),
            Err(Unanswered::Never(why)) => Next::On(Some(Err(why))),
            Err(Unanswered::Later { why, .. }) if self.inner.desk.clock.now_ms() >= deadline_ms => {
                Next::On(Some(Err(why)))
            }
            // A message whose patience ends before the server is to be asked again does not wait longer than that.
            Err(Unanswered::Later { at_ms, .. }) => Next::Wait(at_ms.min(deadline_ms)),
        }
    }

    async fn goes_on(&self, event: &Event, answer: Option<Result<Answered, String>>) -> Result<(), StoreError> {
        let data = after_waiting(self.entry.as_deref(), event.id, event.data.clone(), answer);
        let configuration = Arc::clone(&self.inner.configuration.read());
        let mut made = intake::routed(
            configuration.workspace(self.workspace),
            self.workspace,
            EventType::MESSAGE,
            data.into(),
            event.received_ms,
        );
        made.fingerprint = Some(fingerprint(event.id));
        let accepted = self.inner.store.accept(vec![made]).await?;
        self.inner.desk.bell.ring();
        let id = match accepted.first() {
            Some(Accepted::New { event, .. }) => {
                self.inner.desk.metrics.event(EventType::MESSAGE.name(), "classified");
                *event
            }
            // It went on before a crash.
            Some(Accepted::Repeat(event) | Accepted::Conflict(event)) => *event,
            None => return Ok(()),
        };
        self.inner
            .store
            .classified(event.id, format!("it was classified and went on as {id}"))
            .await
    }
}
