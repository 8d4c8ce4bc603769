//! What becomes of callbacks with which something goes wrong.

use switchboard_model::id::CallbackId;

use super::{
    super::{
        apart::{Place, apart},
        process::wait,
    },
    *,
};
use crate::store::{CallbackState, Made, RawRequest};

fn callback(tries: i32) -> CallbackRow {
    CallbackRow {
        id: CallbackId(1),
        workspace: WorkspaceId(1),
        source: "feiyu".into(),
        received_ms: 0,
        request: RawRequest {
            method: "POST".into(),
            path: "callback".into(),
            query: String::new(),
            headers: Vec::new(),
            from: "192.0.2.7".into(),
            url: "https://hub.example.com/in/callback".into(),
        },
        body: Vec::new(),
        delivery: None,
        state: CallbackState::Waiting,
        round: 0,
        tries,
        starts: 1,
        settled_ms: None,
        repeats: 0,
        notes: Vec::new(),
        problem: None,
        made: Made::default(),
    }
}

#[tokio::test]
async fn a_panic_postpones_its_callback_and_fails_it_in_the_end() {
    let panics = || async { panic!("an index is out of bounds") };
    for (tries, state) in [(0, CallbackState::Waiting), (6, CallbackState::Failed)] {
        let done = AssertUnwindSafe(panics()).catch_unwind().await;
        let outcome = judge(&callback(tries), done, 1_000).unwrap().unwrap();
        assert_eq!((outcome.state, outcome.counts), (state, true));
        let problem = outcome.problem.unwrap();
        assert!(problem.detail.contains("an index is out of bounds"), "{problem:?}");
        let promises = problem.next.contains("tried again");
        assert_eq!(promises, state == CallbackState::Waiting, "{}", problem.next);
    }
}

#[test]
fn what_the_store_does_not_take_is_postponed_and_a_store_that_closes_is_no_fault() {
    let failed = Ok(Err(StoreError::Failed("an index row is too large".into())));
    let outcome = judge(&callback(0), failed, 1_000).unwrap().unwrap();
    assert_eq!((outcome.state, outcome.due_ms), (CallbackState::Waiting, 6_000));
    assert!(matches!(
        judge(&callback(0), Ok(Err(StoreError::Closed)), 1_000),
        Err(StoreError::Closed)
    ));
    assert!(judge(&callback(0), Ok(Ok(None)), 1_000).unwrap().is_none());
}

#[test]
fn tries_come_to_an_end_and_a_wait_for_a_turn_is_none() {
    let problem = || Problem::new(Code::VendorUnavailable, "no answer", "It is tried again.");
    let first = later(&callback(0), problem(), 1_000);
    assert_eq!((first.state, first.due_ms), (CallbackState::Waiting, 6_000));
    let last = later(&callback(6), problem(), 1_000);
    assert_eq!(last.state, CallbackState::Failed);
    let waits = wait(problem(), 90_000, 1_000);
    assert_eq!(
        (waits.state, waits.due_ms, waits.counts),
        (CallbackState::Waiting, 90_000, false)
    );
    assert_eq!(wait(problem(), 0, 1_000).due_ms, 6_000);
}

#[tokio::test]
async fn a_large_body_is_worked_on_apart_and_its_panic_comes_back() {
    static PLACES: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(1);
    let here = std::thread::current().id();
    let thread = || std::thread::current().id();
    let small = Place::for_body(10, &PLACES).await;
    assert_eq!(apart(small, thread).await.1, here);
    let large = Place::for_body(1 << 20, &PLACES).await;
    let (large, there) = apart(large, thread).await;
    assert_ne!(there, here);
    assert_eq!(PLACES.available_permits(), 0);
    let panics = AssertUnwindSafe(apart(large, || -> bool { panic!("too deep") }))
        .catch_unwind()
        .await;
    assert!(panics.is_err());
    assert_eq!(PLACES.available_permits(), 1);
}
