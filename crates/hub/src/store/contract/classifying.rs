//! Messages that wait for their classification, and what models have cost.

use jiff::civil::date;
use switchboard_model::{
    event::EventType,
    id::{DeliveryId, EventId},
};

use super::{
    bench::{Bench, NOW},
    fixture::{Fixture, PRINT},
};
use crate::store::{Accepted, Expense, Fingerprint, NewEvent};

fn waiting(fixture: &Fixture, text: &str, fingerprint: Option<Fingerprint>) -> NewEvent {
    NewEvent {
        kind: EventType::UNCLASSIFIED,
        deliveries: Vec::new(),
        ..fixture.event(text, fingerprint)
    }
}

async fn accept(fixture: &Fixture, events: Vec<NewEvent>) -> Vec<EventId> {
    let accepted = fixture.store.accept(events).await.unwrap();
    let id = |accepted: &Accepted| match accepted {
        Accepted::New { event, .. } => Some(*event),
        _ => None,
    };
    accepted.iter().filter_map(id).collect()
}

async fn claim(fixture: &Fixture, now_ms: i64, limit: usize) -> Vec<EventId> {
    let claimed = fixture
        .store
        .claim_unclassified(fixture.workspace, now_ms, now_ms + 1_000, limit)
        .await
        .unwrap();
    claimed.iter().map(|event| event.id).collect()
}

#[expect(
    clippy::cognitive_complexity,
    reason = "one story, told from its beginning to its end"
)]
pub(super) async fn waits(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let other = fixture.store.workspace("other").await.unwrap();
    let mut events: Vec<NewEvent> = ["你好", "привет", "xin chào"]
        .iter()
        .map(|text| waiting(&fixture, text, None))
        .collect();
    events.push(NewEvent {
        workspace: other,
        ..waiting(&fixture, "elsewhere", None)
    });
    events.push(fixture.event("classified", None));
    let ids = accept(&fixture, events).await;
    let mut workspaces = fixture.store.unclassified_workspaces(NOW).await.unwrap();
    workspaces.sort_unstable();
    assert_eq!(workspaces, [fixture.workspace, other]);
    assert_eq!(fixture.store.unclassified(fixture.workspace, 10).await.unwrap(), 3);
    assert_eq!(fixture.store.unclassified(fixture.workspace, 2).await.unwrap(), 2);

    // Oldest first, each to one at a time, until the claim runs out or is given up.
    assert_eq!(claim(&fixture, NOW, 2).await, ids[..2]);
    assert_eq!(claim(&fixture, NOW, 9).await, ids[2..3]);
    assert!(claim(&fixture, NOW + 999, 9).await.is_empty());
    assert_eq!(claim(&fixture, NOW + 1_000, 9).await, ids[..3]);
    fixture.store.postpone_unclassified(ids[1], NOW + 1_500).await.unwrap();
    assert!(claim(&fixture, NOW + 1_499, 9).await.is_empty());
    assert_eq!(claim(&fixture, NOW + 1_500, 9).await, [ids[1]]);
    fixture.store.release_unclassified().await.unwrap();
    let bodies = fixture
        .store
        .claim_unclassified(fixture.workspace, NOW, NOW + 1, 9)
        .await
        .unwrap();
    assert_eq!(bodies[0].data["messageContent"], "你好");

    // What went on waits no longer, says so, and can leave for its day; the others cannot.
    fixture.store.classified(ids[0], "it went on".into()).await.unwrap();
    fixture.store.classified(ids[0], "twice".into()).await.unwrap();
    fixture.store.archive(100).await.unwrap();
    let row = fixture.store.event(fixture.workspace, ids[0]).await.unwrap().unwrap();
    assert_eq!(
        (row.event.kind, row.note.as_deref()),
        (EventType::UNCLASSIFIED, Some("it went on"))
    );
    assert_eq!(claim(&fixture, NOW + 10_000, 9).await, ids[1..3]);
    assert_eq!(fixture.store.unclassified(fixture.workspace, 10).await.unwrap(), 2);
    let pending = fixture
        .store
        .pending(fixture.connection, DeliveryId(0), 10)
        .await
        .unwrap();
    assert_eq!(pending.len(), 1, "nothing of what waits is sent");
}

pub(super) async fn stays(bench: &impl Bench) {
    let id = {
        let fixture = Fixture::new(bench).await;
        let ids = accept(&fixture, vec![waiting(&fixture, "你好", Some(PRINT))]).await;
        let again = fixture
            .store
            .accept(vec![waiting(&fixture, "你好", Some(PRINT))])
            .await
            .unwrap();
        assert_eq!(again, [Accepted::Repeat(ids[0])]);
        assert_eq!(claim(&fixture, NOW, 9).await, ids);
        fixture.store.close().await.unwrap();
        ids[0]
    };
    let store = bench.open().await;
    let workspace = store.workspace("main").await.unwrap();
    assert_eq!(store.unclassified(workspace, 9).await.unwrap(), 1);
    store.release_unclassified().await.unwrap();
    let claimed = store.claim_unclassified(workspace, NOW, NOW + 1, 9).await.unwrap();
    assert_eq!(claimed[0].id, id);
}

pub(super) async fn budget(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let (today, store, workspace) = (date(2026, 11, 24), &fixture.store, fixture.workspace);
    let limit = Expense {
        requests: 2,
        tokens: 1_000,
    };
    let none = Expense {
        requests: 0,
        tokens: 1_000,
    };
    assert!(!store.spend_request(workspace, today, none).await.unwrap());
    assert!(store.spend_request(workspace, today, limit).await.unwrap());
    store.spend_tokens(workspace, today, 400).await.unwrap();
    assert!(store.spend_request(workspace, today, limit).await.unwrap());
    assert!(
        !store.spend_request(workspace, today, limit).await.unwrap(),
        "the calls are used up"
    );
    store.spend_tokens(workspace, today, 700).await.unwrap();
    let more = Expense {
        requests: 9,
        tokens: 1_000,
    };
    assert!(
        !store.spend_request(workspace, today, more).await.unwrap(),
        "the tokens are used up"
    );
    let spent = Expense {
        requests: 2,
        tokens: 1_100,
    };
    assert_eq!(store.spent(workspace, today).await.unwrap(), spent);
    let tomorrow = today.tomorrow().unwrap();
    assert!(store.spend_request(workspace, tomorrow, limit).await.unwrap());
    let other = store.workspace("other").await.unwrap();
    assert_eq!(store.spent(other, today).await.unwrap(), Expense::default());
    // Long ago is forgotten when a new day begins.
    assert!(store.spend_request(workspace, date(2027, 6, 1), limit).await.unwrap());
    assert_eq!(store.spent(workspace, today).await.unwrap(), Expense::default());
}
