//! From a callback that was kept to what comes of it.

use std::sync::Arc;

use serde_json::{Map, Value};
use switchboard_connect::source::{Made, NoLists, Reading, Request, Source};
use switchboard_model::{
    problem::{Code, Problem},
    template::Lookups,
};

use super::{
    apart::{PROCESSED, Place, apart},
    completion::{Completed, complete},
    lists_of,
    outcome::{self, Written},
};
use crate::{
    configuration::{Configuration, Receiver},
    hub::Hub,
    store::{CallbackOutcome, CallbackRow, CallbackState, RawRequest, StoreError},
};

/// What is not readable yet at the vendor, or does not answer, is asked for again after so many seconds.
const AGAIN_S: [i64; 6] = [5, 30, 120, 600, 1_800, 7_200];

/// Processes one callback; answers what is to be written down of it, or nothing where that is done.
pub(super) async fn process(hub: &Hub, callback: &CallbackRow) -> Result<Option<CallbackOutcome>, StoreError> {
    let configuration = hub.configuration();
    let receiver = configuration.receiver(callback.workspace, &callback.source).cloned();
    match receiver {
        None => Ok(Some(failure(gone(callback), Vec::new()))),
        Some(receiver) if receiver.spec.test_mode => {
            let note = "the source is in test mode".to_owned();
            Ok(Some(settled(callback, CallbackState::Test, note)))
        }
        Some(receiver) => attempt(hub, &configuration, &receiver, callback).await,
    }
}

/// `None`: what came of it is committed.
async fn attempt(
    hub: &Hub,
    configuration: &Arc<Configuration>,
    receiver: &Arc<Receiver>,
    callback: &CallbackRow,
) -> Result<Option<CallbackOutcome>, StoreError> {
    let place = Place::for_body(callback.body.len(), &PROCESSED).await;
    let lists = lists_of(configuration, receiver);
    let read = {
        let (receiver, lists, received_ms) = (Arc::clone(receiver), Arc::clone(&lists), callback.received_ms);
        let request = request_of(&callback.request, &callback.body);
        apart(place, move || receiver.source()?.read(&request, &*lists, received_ms))
    };
    let (place, read) = read.await;
    let (source, mut reading) = match (receiver.source(), read) {
        (Ok(source), Ok(reading)) => (source, reading),
        (Err(problem), _) | (_, Err(problem)) => return Ok(Some(failure(problem, Vec::new()))),
    };
    // What is kept of the request is masked; what the pusher calls it was read before.
    reading.delivery.clone_from(&callback.delivery);
    if let Some(reason) = reading.ignored.take() {
        return Ok(Some(settled(callback, CallbackState::Ignored, reason)));
    }
    match complete(hub, receiver, source, &mut reading, &*lists).await {
        Completed::Whole => {}
        Completed::Later(problem) => return Ok(Some(later(callback, problem, hub.now_ms()))),
        Completed::Turn { problem, until_ms } => return Ok(Some(wait(problem, until_ms, hub.now_ms()))),
        Completed::Never(problem) => return Ok(Some(failure(problem, reading.notes))),
    }
    let made = {
        let receiver = Arc::clone(receiver);
        apart(place, move || {
            let made = receiver.source().and_then(|source| source.make(&reading, &*lists));
            (made, reading.notes)
        })
    };
    let (_place, (made, notes)) = made.await;
    let mut made = match made {
        Ok(made) => made,
        Err(problem) => return Ok(Some(failure(problem, notes))),
    };
    if callback.round > 0 {
        made.notes.insert(0, format!("processed anew ({})", callback.round));
    }
    match outcome::commit(hub, configuration, receiver, callback, made).await? {
        Written::Committed => Ok(None),
        Written::Impossible(problem, notes) => Ok(Some(failure(problem, notes))),
    }
}

/// The request as it was received, but for what was masked.
pub(crate) fn request_of(raw: &RawRequest, body: &[u8]) -> Request {
    Request {
        method: raw.method.clone(),
        path: raw.path.clone(),
        tail: String::new(),
        url: raw.url.clone(),
        query: raw.query.clone(),
        headers: raw.headers.clone(),
        body: body.to_vec(),
        from: raw.from.parse().ok(),
    }
}

/// It makes nothing.
fn settled(callback: &CallbackRow, state: CallbackState, note: String) -> CallbackOutcome {
    CallbackOutcome {
        state,
        due_ms: callback.received_ms,
        counts: true,
        notes: vec![note],
        problem: None,
    }
}

/// A person has to look.
pub(super) fn failure(problem: Problem, notes: Vec<String>) -> CallbackOutcome {
    CallbackOutcome {
        state: CallbackState::Failed,
        due_ms: 0,
        counts: true,
        notes,
        problem: Some((&problem).into()),
    }
}

/// Another try, or the end of them.
pub(super) fn later(callback: &CallbackRow, mut problem: Problem, now_ms: i64) -> CallbackOutcome {
    let tried = usize::try_from(callback.tries).unwrap_or_default();
    let Some(seconds) = AGAIN_S.get(tried) else {
        problem.next = "It was tried for three hours. Look at the problem, and process the callback anew.".into();
        return failure(problem, Vec::new());
    };
    CallbackOutcome {
        state: CallbackState::Waiting,
        due_ms: now_ms.saturating_add(seconds * 1000),
        counts: true,
        notes: vec![format!("it is tried again in {seconds} s: {}", problem.detail)],
        problem: Some((&problem).into()),
    }
}

/// It waits for its turn at a vendor, which is no try.
pub(super) fn wait(problem: Problem, until_ms: i64, now_ms: i64) -> CallbackOutcome {
    CallbackOutcome {
        state: CallbackState::Waiting,
        due_ms: until_ms.max(now_ms.saturating_add(AGAIN_S[0] * 1000)),
        counts: false,
        notes: Vec::new(),
        problem: Some((&problem).into()),
    }
}

fn gone(callback: &CallbackRow) -> Problem {
    Problem::new(
        Code::NotFound,
        format!("the source `{}` is not there any more", callback.source),
        "Make the source again, and process the callback anew.",
    )
}

/// What a source would make of a callback.
#[derive(Debug, Clone, Default)]
pub struct Preview {
    /// What was read: each item, as templates see it as `payload`.
    pub items: Vec<Value>,
    /// Why it would go nowhere.
    pub ignored: Option<String>,
    /// What would be made.
    pub made: Made,
    /// The addresses that would be asked first; without their answers, what they bring is absent.
    pub fetches: Vec<String>,
    /// Why nothing would be made.
    pub problem: Option<Problem>,
}

/// What a source would make of a request. Nothing is written, and nothing is called.
pub fn preview(
    source: &Source,
    request: &Request,
    fetched: Option<&Map<String, Value>>,
    lists: Option<&dyn Lookups>,
    now_ms: i64,
) -> Preview {
    let lists = lists.unwrap_or(&NoLists);
    let mut preview = Preview::default();
    let made = source
        .read(request, lists, now_ms)
        .and_then(|reading| dry_run(source, reading, fetched, lists, &mut preview));
    match made {
        Ok(made) => preview.made = made,
        Err(problem) => preview.problem = Some(problem),
    }
    preview
}

fn dry_run(
    source: &Source,
    mut reading: Reading,
    fetched: Option<&Map<String, Value>>,
    lists: &dyn Lookups,
    preview: &mut Preview,
) -> Result<Made, Problem> {
    preview.ignored = reading.ignored.take();
    for item in &mut reading.items {
        if let Some(call) = source.fetch(item, lists)? {
            let known = fetched.and_then(|fetched| fetched.get(&call.address));
            if let Some(answer) = known {
                item.complete(&answer.clone().into());
            }
            preview.fetches.push(call.address);
        }
    }
    preview.items = reading
        .items
        .iter()
        .filter_map(|item| item.payload().cloned())
        .collect();
    source.make(&reading, lists)
}
