//! From a callback that was kept to what comes of it.

use std::sync::Arc;

use serde_json::{Map, Value};
use switchboard_connect::source::{Made, NoLists, Reading, Request, Source};
use switchboard_model::{
    problem::{Code, Problem},
    template::Lookups,
};

use super::{
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

/// Processes one callback and writes down what came of it.
pub(super) async fn process(hub: &Hub, callback: &CallbackRow) -> Result<(), StoreError> {
    let configuration = hub.configuration();
    let receiver = configuration.receiver(callback.workspace, &callback.source).cloned();
    let outcome = match receiver {
        None => failure(gone(callback), &callback.notes),
        Some(receiver) if receiver.spec.test_mode => CallbackOutcome {
            state: CallbackState::Test,
            due_ms: callback.received_ms,
            notes: vec!["the source is in test mode".into()],
            problem: None,
        },
        Some(receiver) => match attempt(hub, &configuration, &receiver, callback).await? {
            None => return Ok(()),
            Some(outcome) => outcome,
        },
    };
    hub.store()
        .settle_callback(callback.round(), outcome, hub.now_ms())
        .await?;
    Ok(())
}

/// `None`: what came of it is committed.
async fn attempt(
    hub: &Hub,
    configuration: &Arc<Configuration>,
    receiver: &Receiver,
    callback: &CallbackRow,
) -> Result<Option<CallbackOutcome>, StoreError> {
    let source = match receiver.source() {
        Ok(source) => source,
        Err(problem) => return Ok(Some(failure(problem, &[]))),
    };
    let lists = lists_of(configuration, receiver);
    let request = request_of(&callback.request, &callback.body);
    let mut reading = match source.read(&request, &*lists, callback.received_ms) {
        Ok(reading) => reading,
        Err(problem) => return Ok(Some(failure(problem, &[]))),
    };
    if let Some(reason) = reading.ignored.take() {
        return Ok(Some(CallbackOutcome {
            state: CallbackState::Ignored,
            due_ms: callback.received_ms,
            notes: vec![reason],
            problem: None,
        }));
    }
    match complete(hub, receiver, source, &mut reading, &*lists).await {
        Completed::Whole => {}
        Completed::Later(problem) => return Ok(Some(later(hub, callback, problem))),
        Completed::Never(problem) => return Ok(Some(failure(problem, &reading.notes))),
    }
    let made = match source.make(&reading, &*lists) {
        Ok(made) => made,
        Err(problem) => return Ok(Some(failure(problem, &reading.notes))),
    };
    match outcome::commit(hub, configuration, receiver, callback, made).await? {
        Written::Committed => Ok(None),
        Written::Impossible(problem, notes) => Ok(Some(failure(problem, &notes))),
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

fn failure(problem: Problem, notes: &[String]) -> CallbackOutcome {
    CallbackOutcome {
        state: CallbackState::Failed,
        due_ms: 0,
        notes: notes.to_vec(),
        problem: Some((&problem).into()),
    }
}

/// Another try, or the end of them.
fn later(hub: &Hub, callback: &CallbackRow, problem: Problem) -> CallbackOutcome {
    let tried = usize::try_from(callback.tries).unwrap_or_default();
    match AGAIN_S.get(tried) {
        None => failure(problem, &[]),
        Some(seconds) => CallbackOutcome {
            state: CallbackState::Waiting,
            due_ms: hub.now_ms() + seconds * 1000,
            notes: vec![format!("it is tried again in {seconds} s")],
            problem: Some((&problem).into()),
        },
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
                item.complete(answer.clone());
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
