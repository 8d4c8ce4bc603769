//! What pushers have sent.

use std::sync::Arc;

use futures::future::join_all;
use serde_json::{Map, json};
use switchboard_model::{
    event::EventType,
    id::{CallbackId, EventId, RecordId},
    record::{Policy, standard},
};

use super::{
    bench::{Bench, NOW},
    fixture::Fixture,
};
use crate::store::{
    Accepted, Anew, Begun, CallbackFilter, CallbackOutcome, CallbackRow, CallbackState, Commit, Fingerprint, Guard,
    How, Kept, NewCallback, NewEvent, Page, RawRequest, RecordWrite, Round, Store,
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
        counts: true,
        notes: vec!["a note".into()],
        problem: None,
    }
}

async fn take(store: &dyn Store, fixture: &Fixture, now_ms: i64, limit: usize) -> Vec<CallbackRow> {
    let taken = store.take_callbacks(fixture.workspace, "feiyu", now_ms, 1_000, limit);
    taken.await.unwrap()
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
    let rows = take(&*fixture.store, &fixture, NOW, 10).await;
    assert_eq!(rows.iter().map(|row| row.repeats).collect::<Vec<_>>(), [19, 19]);
}

pub(super) async fn settled(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let id = keep(&fixture, None).await;
    let taken = take(&*fixture.store, &fixture, NOW, 10).await;
    let round = taken[0].round();
    let later = outcome(CallbackState::Waiting, NOW + 5_000);
    assert!(fixture.store.settle_callback(round, later, NOW).await.unwrap());
    assert!(take(&*fixture.store, &fixture, NOW + 4_999, 10).await.is_empty());
    let taken = take(&*fixture.store, &fixture, NOW + 5_000, 10).await;
    assert_eq!((taken[0].id, taken[0].tries, taken[0].starts), (id, 1, 1));
    let failed = outcome(CallbackState::Failed, NOW);
    assert!(fixture.store.settle_callback(round, failed.clone(), NOW).await.unwrap());
    assert!(!fixture.store.settle_callback(round, failed, NOW).await.unwrap());
    let anew = |which| fixture.store.process_anew(fixture.workspace, "feiyu", which, NOW + 9);
    assert_eq!(anew(Anew::Failed(10)).await.unwrap().begun, [id]);
    let these = Anew::These {
        ids: vec![id],
        force: false,
    };
    assert_eq!(anew(these).await.unwrap(), Begun::default(), "it waits already");
    let stale = outcome(CallbackState::Done, NOW);
    assert!(
        !fixture.store.settle_callback(round, stale, NOW).await.unwrap(),
        "its turn is over"
    );
    assert_eq!(take(&*fixture.store, &fixture, NOW + 9, 10).await[0].round, 1);
}

/// A wait for a turn at a vendor counts as no try, and notes are added to those that are there.
pub(super) async fn waited(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    keep(&fixture, None).await;
    let round = take(&*fixture.store, &fixture, NOW, 10).await[0].round();
    let tried = outcome(CallbackState::Waiting, NOW + 5_000);
    assert!(fixture.store.settle_callback(round, tried, NOW).await.unwrap());
    assert!(fixture.store.due_sources(NOW + 4_999).await.unwrap().is_empty());
    let due = fixture.store.due_sources(NOW + 5_000).await.unwrap();
    assert_eq!(due, [(fixture.workspace, "feiyu".to_owned())]);
    assert_eq!(take(&*fixture.store, &fixture, NOW + 5_000, 10).await.len(), 1);
    let turn = CallbackOutcome {
        counts: false,
        notes: vec!["another note".into()],
        ..outcome(CallbackState::Waiting, NOW + 6_000)
    };
    assert!(fixture.store.settle_callback(round, turn, NOW).await.unwrap());
    let taken = take(&*fixture.store, &fixture, NOW + 6_000, 10).await;
    assert_eq!(
        (taken[0].tries, taken[0].starts),
        (1, 1),
        "a wait is no try, and an end"
    );
    assert_eq!(taken[0].notes, ["a note", "another note"]);
}

pub(super) async fn guards(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let id = keep(&fixture, None).await;
    let round = take(&*fixture.store, &fixture, NOW, 10).await[0].round();
    let event = NewEvent {
        workspace: fixture.workspace,
        kind: EventType::find("lead.received").unwrap(),
        received_ms: NOW,
        data: json!({"senderName": "张三"}).as_object().cloned().unwrap().into(),
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
    let ids: Vec<EventId> = row.made.events.iter().map(|made| made.id).collect();
    assert_eq!(ids, [event_of(first.events[0])]);
    assert_eq!(row.notes, ["a note"]);
}

fn event_of(accepted: Accepted) -> EventId {
    match accepted {
        Accepted::New { event, .. } | Accepted::Repeat(event) | Accepted::Conflict(event) => event,
    }
}

fn person(how: How, name: &str) -> RecordWrite {
    RecordWrite {
        object: Arc::new(standard("people").unwrap().clone()),
        how,
        data: Map::from_iter([("firstName".to_owned(), json!(name))]),
        lookups: Vec::new(),
        source: "source:feiyu".into(),
    }
}

/// What comes of a callback: these records, and an event that has the same id in each callback.
fn coming(fixture: &Fixture, round: Round, records: Vec<RecordWrite>, content: u8) -> Commit {
    let event = NewEvent {
        workspace: fixture.workspace,
        kind: EventType::find("lead.received").unwrap(),
        received_ms: NOW,
        data: json!({"content": content}).as_object().cloned().unwrap().into(),
        fingerprint: Some(Fingerprint {
            key: [1; 16],
            content: [content; 8],
        }),
        deliveries: Vec::new(),
        runs: Vec::new(),
        note: None,
    };
    Commit {
        workspace: fixture.workspace,
        now_ms: NOW,
        guard: Guard::Callback {
            round,
            outcome: outcome(CallbackState::Done, NOW),
        },
        records,
        events: vec![event],
        announce: Arc::new(|_| Vec::new()),
        link_places: Arc::default(),
    }
}

/// What could not be written makes a callback fail, with the reason; what was told differently under the same id is told, too.
pub(super) async fn refused(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let (first, second) = (keep(&fixture, None).await, keep(&fixture, None).await);
    let taken = take(&*fixture.store, &fixture, NOW, 10).await;
    let created = How::Match {
        policy: Policy::Create,
        only: None,
    };
    let nobody = How::Update {
        id: RecordId(7),
        revision: None,
    };
    let store = &fixture.store;
    let records = vec![person(created, "Ann"), person(nobody, "Eve")];
    let commit = coming(&fixture, taken[0].round(), records, 1);
    store.commit(commit).await.unwrap();
    let row = store.callback(fixture.workspace, first).await.unwrap().unwrap();
    assert_eq!(row.state, CallbackState::Failed);
    let (problem, note) = (row.problem.unwrap(), &row.notes[1]);
    assert!(
        note.contains("nothing was written") && note.contains(&problem.detail),
        "{note}"
    );
    assert_eq!(row.made.records.len(), 1, "what else was written stays");
    assert!(row.made.records[0].doubles);
    let commit = coming(&fixture, taken[1].round(), Vec::new(), 2);
    store.commit(commit).await.unwrap();
    let row = store.callback(fixture.workspace, second).await.unwrap().unwrap();
    assert_eq!(row.state, CallbackState::Done);
    assert!(row.made.events[0].conflict);
    assert!(row.notes[1].contains("other content"), "{:?}", row.notes);
    insists(&fixture, first, second).await;
}

/// The first one would double something, the second one not.
async fn insists(fixture: &Fixture, first: CallbackId, second: CallbackId) {
    let anew = |which| fixture.store.process_anew(fixture.workspace, "feiyu", which, NOW + 1);
    let begun = anew(Anew::Failed(10)).await.unwrap();
    assert_eq!((begun.begun, begun.doubling), (vec![], vec![first]));
    let these = |force| Anew::These {
        ids: vec![first, second],
        force,
    };
    let begun = anew(these(false)).await.unwrap();
    assert_eq!((begun.begun, begun.doubling), (vec![], vec![first]), "all or none");
    assert_eq!(anew(these(true)).await.unwrap().begun, [first, second]);
}

/// A callback that ends the process each time is begun by itself, and it is counted how often; others are not counted with it.
pub(super) async fn begun(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let ids = [
        keep(&fixture, None).await,
        keep(&fixture, None).await,
        keep(&fixture, None).await,
    ];
    let taken = take(&*fixture.store, &fixture, NOW, 2).await;
    assert_eq!(taken.iter().map(|row| row.id).collect::<Vec<_>>(), ids[..2]);
    // The process ends here, and its lease runs out.
    let counted = async |now_ms| {
        let taken = take(&*fixture.store, &fixture, now_ms, 10).await;
        taken.iter().map(|row| (row.id, row.starts)).collect::<Vec<_>>()
    };
    let settle = async |id, number| {
        let round = Round { callback: id, number };
        let over = outcome(CallbackState::Done, NOW);
        assert!(fixture.store.settle_callback(round, over, NOW).await.unwrap());
    };
    // Whoever has a lease comes behind the others.
    settle(ids[2], 0).await;
    assert_eq!(counted(NOW + 1_000).await, [(ids[0], 2)], "alone");
    settle(ids[1], 0).await;
    assert_eq!(counted(NOW + 2_000).await, [(ids[0], 3)]);
    assert_eq!(counted(NOW + 3_000).await, [(ids[0], 4)]);
    let over = outcome(CallbackState::Failed, NOW);
    let round = Round {
        callback: ids[0],
        number: 0,
    };
    assert!(fixture.store.settle_callback(round, over, NOW).await.unwrap());
    let anew = fixture
        .store
        .process_anew(fixture.workspace, "feiyu", Anew::Failed(1), NOW);
    assert_eq!(anew.await.unwrap().begun, [ids[0]]);
    assert_eq!(
        counted(NOW + 4_000).await,
        [(ids[0], 1)],
        "another turn begins at nought"
    );
}

pub(super) async fn dropped(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let (waiting, done) = (keep(&fixture, None).await, keep(&fixture, Some("d")).await);
    let taken = take(&*fixture.store, &fixture, NOW, 10).await;
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

/// What is too large for an index of the database is refused by itself: its neighbours in the shared transaction are kept.
pub(super) async fn neighbours(bench: &impl Bench) {
    let fixture = Arc::new(Fixture::new(bench).await);
    let huge: String = (0..4_000).map(|_| format!("{:016x}", rand::random::<u64>())).collect();
    let tries = (0..20).map(|n| {
        let (fixture, huge) = (Arc::clone(&fixture), huge.clone());
        tokio::spawn(async move {
            let delivery = if n == 7 { huge } else { format!("d-{n}") };
            fixture.store.keep(callback(&fixture, Some(&delivery))).await.is_ok()
        })
    });
    let kept: Vec<bool> = join_all(tries).await.into_iter().map(Result::unwrap).collect();
    let refused: Vec<usize> = (0..20).filter(|n| !kept[*n]).collect();
    assert_eq!(refused, [7]);
}

pub(super) async fn shared(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let other = bench.open().await;
    for _ in 0..10 {
        keep(&fixture, None).await;
    }
    let (one, two) = tokio::join!(take(&*fixture.store, &fixture, NOW, 6), take(&*other, &fixture, NOW, 6));
    let mut ids: Vec<CallbackId> = one.iter().chain(&two).map(|row| row.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert!(ids.len() >= 6);
    let rest = take(&*fixture.store, &fixture, NOW, 10).await;
    assert_eq!(ids.len() + rest.len(), 10, "nobody gets what another one has");
    // What is left is taken up: one by one, as it was begun before.
    let mut again = Vec::new();
    for _ in 0..10 {
        again.extend(take(&*other, &fixture, NOW + 1_000, 20).await.iter().map(|row| row.id));
    }
    again.sort_unstable();
    again.dedup();
    assert_eq!(again.len(), 10);
    other.close().await.unwrap();
}
