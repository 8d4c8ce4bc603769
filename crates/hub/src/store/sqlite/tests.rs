mod copies;
mod history;

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use serde_json::{Map, json};
use switchboard_connect::{connector::Means, manifest::OperationKind};
use switchboard_model::{
    connection::ConnectionState,
    delivery::DeliveryState,
    event::EventType,
    id::{ConnectionId, DeliveryId, EventId, WorkspaceId},
};

use super::SqliteStore;
use crate::{
    clock::ManualClock,
    store::{
        Accepted, ConfigurationChange, ConnectionWrite, DeliveryFilter, EventFilter, Fence, Fingerprint, InDoubt,
        Intent, Journal, LinkChange, Listener, NewDelivery, NewEvent, Outbox, Page, Pending, Register, Selection,
        Settlement, Wish,
    },
};

const NOW: i64 = 1_795_512_600_000;

struct Fixture {
    folder: tempfile::TempDir,
    store: SqliteStore,
    workspace: WorkspaceId,
    connection: ConnectionId,
}

async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let workspace = store.workspace("main").await.unwrap();
    let write = ConnectionWrite {
        key: "crm".into(),
        spec: json!({}),
        sealed: vec![1],
        state: ConnectionState::Active,
        reason: None,
    };
    store
        .configure(
            workspace,
            ConfigurationChange {
                connections: vec![write],
                routes: vec![],
                now_ms: NOW,
            },
        )
        .await
        .unwrap();
    let connection = store.configuration().await.unwrap().connections[0].id;
    Fixture {
        folder,
        store,
        workspace,
        connection,
    }
}

fn open(folder: &tempfile::TempDir) -> SqliteStore {
    SqliteStore::open(&folder.path().join("t.db"), Arc::new(ManualClock::at(NOW))).unwrap()
}

impl Fixture {
    fn event(&self, text: &str, fingerprint: Option<Fingerprint>) -> NewEvent {
        NewEvent {
            workspace: self.workspace,
            kind: EventType::find("message.received").unwrap(),
            received_ms: NOW,
            data: json!({"messageContent": text}).as_object().cloned().unwrap(),
            fingerprint,
            deliveries: vec![NewDelivery {
                connection: self.connection,
                object: "lead".into(),
                record_key: Some("p-1".into()),
                options: None,
                fallback: None,
            }],
            note: None,
        }
    }

    async fn accept_one(&self, text: &str) -> Pending {
        self.store.accept(vec![self.event(text, None)]).await.unwrap();
        self.store
            .pending(self.connection, DeliveryId(0), 1_000)
            .await
            .unwrap()
            .pop()
            .unwrap()
    }

    fn settlement(&self, pending: &Pending, state: DeliveryState) -> Settlement {
        Settlement {
            delivery: pending.id,
            workspace: self.workspace,
            state,
            attempts: 1,
            due_ms: NOW + 1_000,
            doubt: None,
            now_ms: NOW,
            external_id: None,
            link: LinkChange::Keep,
            problem: None,
            calls: vec![],
            carrier: None,
            hand_over: None,
        }
    }

    async fn state(&self, id: DeliveryId) -> DeliveryState {
        self.store.delivery(self.workspace, id).await.unwrap().unwrap().state
    }
}

#[tokio::test]
async fn what_was_accepted_is_there_after_the_store_is_opened_again() {
    let fixture = fixture().await;
    let pending = fixture.accept_one("客户咨询 🙂").await;
    fixture.store.close();
    let again = open(&fixture.folder);
    let found = again.pending(fixture.connection, DeliveryId(0), 10).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].id, found[0].record_key.as_str()), (pending.id, "p-1"));
    let bodies = again.bodies(vec![found[0].event]).await.unwrap();
    assert_eq!(bodies[0].data["messageContent"], "客户咨询 🙂");
}

#[tokio::test]
async fn a_repeat_makes_nothing_and_another_content_under_the_same_key_is_a_conflict() {
    let fixture = fixture().await;
    let print = Fingerprint {
        key: [1; 16],
        content: [2; 8],
    };
    let first = fixture
        .store
        .accept(vec![fixture.event("a", Some(print))])
        .await
        .unwrap();
    let Accepted::New { event, deliveries: 1 } = first[0] else {
        panic!("{first:?}")
    };
    let second = fixture
        .store
        .accept(vec![fixture.event("a", Some(print))])
        .await
        .unwrap();
    assert_eq!(second, [Accepted::Repeat(event)]);
    let other = Fingerprint {
        content: [3; 8],
        ..print
    };
    let third = fixture
        .store
        .accept(vec![fixture.event("b", Some(other))])
        .await
        .unwrap();
    assert_eq!(third, [Accepted::Conflict(event)]);
    assert_eq!(
        fixture
            .store
            .pending(fixture.connection, DeliveryId(0), 10)
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn the_same_message_from_many_senders_at_once_is_kept_once() {
    let fixture = fixture().await;
    let print = Fingerprint {
        key: [1; 16],
        content: [2; 8],
    };
    let all = (0..100).map(|_| fixture.store.accept(vec![fixture.event("a", Some(print))]));
    let new = futures::future::join_all(all)
        .await
        .into_iter()
        .filter(|r| matches!(r.as_ref().unwrap()[0], Accepted::New { .. }));
    assert_eq!(new.count(), 1);
}

#[derive(Default)]
struct Heard(Mutex<Vec<DeliveryId>>);

impl Listener for Heard {
    fn accepted(&self, deliveries: Vec<Pending>) {
        self.0.lock().extend(deliveries.iter().map(|pending| pending.id));
    }

    fn hinted(&self, _connections: Vec<ConnectionId>) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_listener_hears_of_every_delivery_in_the_order_of_ids() {
    let fixture = fixture().await;
    let heard = Arc::new(Heard::default());
    fixture.store.listen(Arc::clone(&heard) as Arc<dyn Listener>);
    let store = fixture.store.clone();
    let tasks = (0..200).map(|n| {
        let (store, event) = (store.clone(), fixture.event(&n.to_string(), None));
        tokio::spawn(async move { store.accept(vec![event]).await })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap().unwrap();
    }
    let heard = heard.0.lock();
    assert_eq!(heard.len(), 200);
    assert!(heard.is_sorted());
}

#[tokio::test]
async fn an_intent_without_an_outcome_is_found_as_a_doubt() {
    let fixture = fixture().await;
    let pending = fixture.accept_one("a").await;
    let intent = Intent {
        delivery: pending.id,
        operation: OperationKind::Create,
        means: Means::Probe,
        request_digest: [0; 8],
        now_ms: NOW + 5,
    };
    let refused = fixture.store.intend(Fence::default(), vec![intent]).await.unwrap();
    assert!(refused.is_empty());
    fixture.store.close();
    let again = open(&fixture.folder);
    let found = again.pending(fixture.connection, DeliveryId(0), 10).await.unwrap();
    assert_eq!(
        found[0].doubt,
        Some(InDoubt {
            since_ms: NOW + 5,
            operation: Some(OperationKind::Create)
        })
    );
}

#[tokio::test]
async fn a_settled_delivery_leaves_the_outbox_and_its_link_stays() {
    let fixture = fixture().await;
    let pending = fixture.accept_one("a").await;
    let mut settlement = fixture.settlement(&pending, DeliveryState::Delivered);
    settlement.external_id = Some("00Q1".into());
    settlement.link = LinkChange::Set {
        connection: fixture.connection,
        object: "lead".into(),
        record_key: "p-1".into(),
        external_id: "00Q1".into(),
    };
    fixture.store.settle(Fence::default(), vec![settlement]).await.unwrap();
    assert!(
        fixture
            .store
            .pending(fixture.connection, DeliveryId(0), 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        fixture
            .store
            .links(fixture.connection, "lead", vec!["p-1".into(), "p-2".into()])
            .await
            .unwrap(),
        HashMap::from([("p-1".to_owned(), "00Q1".to_owned())])
    );
    let tally = fixture
        .store
        .tally(fixture.workspace, fixture.connection)
        .await
        .unwrap();
    assert_eq!(
        (tally.pending, tally.delivered, tally.dead, tally.last_delivered_ms),
        (0, 1, 0, Some(NOW))
    );
}

#[tokio::test]
async fn only_dead_and_cancelled_deliveries_of_the_own_workspace_are_replayed() {
    let fixture = fixture().await;
    let pending = fixture.accept_one("a").await;
    let replay = async |workspace| {
        let which = Selection::These(vec![pending.id]);
        let changed = fixture.store.change(workspace, Wish::Replay, which, NOW + 9).await;
        changed.unwrap().connections
    };
    assert!(replay(fixture.workspace).await.is_empty(), "it waits");
    fixture
        .store
        .settle(
            Fence::default(),
            vec![fixture.settlement(&pending, DeliveryState::Dead)],
        )
        .await
        .unwrap();
    assert!(replay(WorkspaceId(77)).await.is_empty(), "another tenant's");
    assert_eq!(fixture.state(pending.id).await, DeliveryState::Dead);
    assert_eq!(replay(fixture.workspace).await, [fixture.connection]);
    assert_eq!(fixture.state(pending.id).await, DeliveryState::Waiting);
}

#[tokio::test]
async fn lists_are_read_page_by_page_and_by_workspace() {
    let fixture = fixture().await;
    for n in 0..25 {
        fixture
            .store
            .accept(vec![fixture.event(&n.to_string(), None)])
            .await
            .unwrap();
    }
    let mut before = None;
    let mut seen = Vec::new();
    loop {
        let page = Page { before, limit: 10 };
        let rows = fixture
            .store
            .deliveries(fixture.workspace, DeliveryFilter::default(), page)
            .await
            .unwrap();
        let Some(last) = rows.last() else { break };
        before = Some(last.id.0);
        seen.extend(rows.iter().map(|row| row.id));
    }
    assert_eq!(seen.len(), 25);
    assert!(seen.is_sorted_by(|a, b| a > b));
    let page = Page {
        before: None,
        limit: 10,
    };
    assert!(
        fixture
            .store
            .events(WorkspaceId(77), EventFilter::default(), page)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        fixture
            .store
            .event(WorkspaceId(77), EventId(seen[0].0))
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_delivery_is_added_to_an_event_once_per_object() {
    let fixture = fixture().await;
    let pending = fixture.accept_one("a").await;
    let new = |object: &str| NewDelivery {
        connection: fixture.connection,
        object: object.into(),
        record_key: None,
        options: None,
        fallback: None,
    };
    let added = fixture
        .store
        .add_deliveries(pending.event, vec![new("lead"), new("case")])
        .await
        .unwrap();
    assert_eq!(added.len(), 1);
    let again = fixture
        .store
        .add_deliveries(pending.event, vec![new("lead"), new("case")])
        .await
        .unwrap();
    assert!(again.is_empty());
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_and_left_alone() {
    let fixture = fixture().await;
    fixture.store.close();
    let path = fixture.folder.path().join("t.db");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let error = SqliteStore::open(&path, Arc::new(ManualClock::at(NOW))).unwrap_err();
    assert!(error.to_string().contains("newer version"), "{error}");
}

#[tokio::test]
async fn the_revision_grows_with_each_change_of_the_configuration() {
    let fixture = fixture().await;
    let before = fixture.store.revision().await.unwrap();
    fixture
        .store
        .configure(
            fixture.workspace,
            ConfigurationChange {
                now_ms: NOW,
                ..Default::default()
            },
        )
        .await
        .unwrap();
    assert!(fixture.store.revision().await.unwrap() > before);
    let facts = Map::from_iter([("a".to_owned(), json!(1))]);
    let note = crate::store::ConnectionNote {
        facts: Some(facts.clone()),
        ..Default::default()
    };
    fixture.store.note_connection(fixture.connection, note).await.unwrap();
    assert_eq!(fixture.store.configuration().await.unwrap().connections[0].facts, facts);
}
