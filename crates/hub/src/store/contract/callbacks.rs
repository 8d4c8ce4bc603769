//! What pushers have sent.

use std::sync::Arc;

use futures::future::join_all;
use serde_json::json;
use switchboard_model::{event::EventType, id::CallbackId};

use super::{
    bench::{Bench, NOW},
    fixture::Fixture,
};
use crate::store::{
    Anew, CallbackFilter, CallbackOutcome, CallbackState, Commit, Guard, Kept, NewCallback, NewEvent, Page, RawRequest,
};

const PAGE: Page = Page {
    before: None,
    limit: 100,
};

fn callback(fixture: &Fixture, delivery: Option<&str>) -> NewCallback {
    NewCallback {
        workspace: fixture.workspace,
        source: "feiyu".into(),
        received_ms: NOW,
        request: RawRequest {
            method: "POST".into(),
            path: "callback".into(),
            query: String::new(),
            headers: vec![("content-type".into(), "application/json".into())],
            from: "192.0.2.7".into(),
            url: "https://hub.example.com/in/callback".into(),
        },
        body: b"{\"name\":\"\xe5\xbc\xa0\0\xff\"}".to_vec(),
        delivery: delivery.map(str::to_owned),
        state: CallbackState::Waiting,
        notes: Vec::new(),
    }
}

fn outcome(state: CallbackState, due_ms: i64) -> CallbackOutcome {
    CallbackOutcome {
        state,
        due_ms,
        notes: vec!["a note".into()],
        problem: None,
    }
}

async fn keep(fixture: &Fixture, delivery: Option<&str>) -> CallbackId {
    match fixture.store.keep(callback(fixture, delivery)).await.unwrap() {
        Kept::New(id) | Kept::Repeat(id) => id,
    }
}

pub(super) async fn kept(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let first = keep(&fixture, Some("d-1")).await;
    let again = fixture.store.keep(callback(&fixture, Some("d-1"))).await.unwrap();
    assert_eq!(again, Kept::Repeat(first));
    let elsewhere = NewCallback {
        source: "typeform".into(),
        ..callback(&fixture, Some("d-1"))
    };
    assert!(matches!(fixture.store.keep(elsewhere).await.unwrap(), Kept::New(_)));
    let nameless = (keep(&fixture, None).await, keep(&fixture, None).await);
    assert_ne!(nameless.0, nameless.1);
    let row = fixture.store.callback(fixture.workspace, first).await.unwrap().unwrap();
    let new = callback(&fixture, Some("d-1"));
    assert_eq!((row.body, row.request, row.repeats), (new.body, new.request, 1));
    let listed = fixture
        .store
        .callbacks(fixture.workspace, "feiyu", CallbackFilter::default(), PAGE)
        .await
        .unwrap();
    let ids: Vec<CallbackId> = listed.iter().map(|row| row.id).collect();
    assert_eq!(ids, [nameless.1, nameless.0, first]);
}

pub(super) async fn at_once(bench: &impl Bench) {
    let fixture = Arc::new(Fixture::new(bench).await);
    let tries = (0..40).map(|n| {
        let fixture = Arc::clone(&fixture);
        tokio::spawn(async move {
            fixture
                .store
                .keep(callback(&fixture, Some(["a", "b"][n % 2])))
                .await
                .unwrap()
        })
    });
    let kept: Vec<Kept> = join_all(tries).await.into_iter().map(Result::unwrap).collect();
    let new = kept.iter().filter(|kept| matches!(kept, Kept::New(_))).count();
    assert_eq!(new, 2);
    let rows = fixture.store.take_callbacks(NOW, 1_000, 10).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.repeats).collect::<Vec<_>>(), [19, 19]);
}

pub(super) async fn settled(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let id = keep(&fixture, None).await;
    let taken = fixture.store.take_callbacks(NOW, 1_000, 10).await.unwrap();
    let round = taken[0].round();
    let later = outcome(CallbackState::Waiting, NOW + 5_000);
    assert!(fixture.store.settle_callback(round, later, NOW).await.unwrap());
    assert!(
        fixture
            .store
            .take_callbacks(NOW + 4_999, 1_000, 10)
            .await
            .unwrap()
            .is_empty()
    );
    let taken = fixture.store.take_callbacks(NOW + 5_000, 1_000, 10).await.unwrap();
    assert_eq!((taken[0].id, taken[0].tries), (id, 1));
    let failed = outcome(CallbackState::Failed, NOW);
    assert!(fixture.store.settle_callback(round, failed.clone(), NOW).await.unwrap());
    assert!(!fixture.store.settle_callback(round, failed, NOW).await.unwrap());
    let anew = |which| fixture.store.process_anew(fixture.workspace, "feiyu", which, NOW + 9);
    assert_eq!(anew(Anew::Failed(10)).await.unwrap(), [id]);
    assert_eq!(anew(Anew::These(vec![id])).await.unwrap(), [], "it waits already");
    let stale = outcome(CallbackState::Done, NOW);
    assert!(
        !fixture.store.settle_callback(round, stale, NOW).await.unwrap(),
        "its turn is over"
    );
    assert_eq!(
        fixture.store.take_callbacks(NOW + 9, 1_000, 10).await.unwrap()[0].round,
        1
    );
}

pub(super) async fn guards(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let id = keep(&fixture, None).await;
    let round = fixture.store.take_callbacks(NOW, 1_000, 10).await.unwrap()[0].round();
    let event = NewEvent {
        workspace: fixture.workspace,
        kind: EventType::find("lead.received").unwrap(),
        received_ms: NOW,
        data: json!({"senderName": "张三"}).as_object().cloned().unwrap(),
        fingerprint: None,
        deliveries: Vec::new(),
        runs: Vec::new(),
        note: None,
    };
    let commit = || Commit {
        workspace: fixture.workspace,
        now_ms: NOW,
        guard: Guard::Callback {
            round,
            outcome: outcome(CallbackState::Done, NOW),
        },
        records: Vec::new(),
        events: vec![event.clone()],
        announce: Arc::new(|_| Vec::new()),
        link_places: Arc::default(),
    };
    let first = fixture.store.commit(commit()).await.unwrap();
    assert!(first.held && first.events.len() == 1);
    let second = fixture.store.commit(commit()).await.unwrap();
    assert!(!second.held && second.events.is_empty());
    let row = fixture.store.callback(fixture.workspace, id).await.unwrap().unwrap();
    assert_eq!(row.state, CallbackState::Done);
    assert_eq!(row.made.events, first.made().events);
    assert_eq!(row.notes, ["a note"]);
}

pub(super) async fn dropped(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let (waiting, done) = (keep(&fixture, None).await, keep(&fixture, Some("d")).await);
    let taken = fixture.store.take_callbacks(NOW, 1_000, 10).await.unwrap();
    let round = taken.iter().find(|row| row.id == done).unwrap().round();
    let over = outcome(CallbackState::Done, NOW);
    assert!(fixture.store.settle_callback(round, over, NOW).await.unwrap());
    assert_eq!(fixture.store.drop_callbacks(NOW, 10).await.unwrap(), 0);
    assert_eq!(fixture.store.drop_callbacks(NOW + 1, 10).await.unwrap(), 1);
    assert!(fixture.store.callback(fixture.workspace, done).await.unwrap().is_none());
    assert!(
        fixture
            .store
            .callback(fixture.workspace, waiting)
            .await
            .unwrap()
            .is_some()
    );
}

pub(super) async fn shared(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let other = bench.open().await;
    for _ in 0..10 {
        keep(&fixture, None).await;
    }
    let (one, two) = tokio::join!(
        fixture.store.take_callbacks(NOW, 1_000, 6),
        other.take_callbacks(NOW, 1_000, 6)
    );
    let mut ids: Vec<CallbackId> = one.unwrap().iter().chain(&two.unwrap()).map(|row| row.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert!(ids.len() >= 6);
    let rest = fixture.store.take_callbacks(NOW, 1_000, 10).await.unwrap();
    assert_eq!(ids.len() + rest.len(), 10, "nobody gets what another one has");
    assert_eq!(
        other.take_callbacks(NOW + 1_000, 1_000, 20).await.unwrap().len(),
        10,
        "what is left is taken up"
    );
    other.close().await.unwrap();
}
