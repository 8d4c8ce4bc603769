//! Connections that are removed.

use serde_json::json;
use switchboard_model::{connection::ConnectionState, delivery::DeliveryState, problem::Code};

use super::{
    bench::{Bench, NOW},
    fixture::{Fixture, delivery},
};
use crate::store::{ConfigurationChange, ConnectionWrite, DefinitionKind, DefinitionWrite, NewEvent, Removal, Wish};

fn write(key: &str) -> ConnectionWrite {
    ConnectionWrite {
        key: key.into(),
        spec: json!({}),
        sealed: vec![2],
        state: ConnectionState::Active,
        reason: None,
        kept: None,
    }
}

impl Fixture {
    async fn change(&self, connections: Vec<ConnectionWrite>, removed: Vec<Removal>) {
        let change = ConfigurationChange {
            connections,
            removed,
            now_ms: NOW + 7,
            ..ConfigurationChange::default()
        };
        self.store.configure(self.workspace, change).await.unwrap();
    }
}

#[expect(
    clippy::cognitive_complexity,
    reason = "one story, told from its beginning to its end"
)]
pub(super) async fn removed(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let all = fixture.accept_many(5).await;
    let [waiting, held, sending, unknown, arrived] = <[_; 5]>::try_from(all).unwrap();
    assert_eq!(fixture.wish(Wish::Hold, &[held.id]).await, [held.id]);
    assert!(fixture.intend(fixture.fence, sending.id).await.is_empty());
    assert!(fixture.intend(fixture.fence, unknown.id).await.is_empty());
    fixture.settle(&unknown, DeliveryState::Unknown).await;
    assert!(fixture.intend(fixture.fence, arrived.id).await.is_empty());
    fixture.settle(&arrived, DeliveryState::Delivered).await;
    let spec = DefinitionWrite {
        kind: DefinitionKind::Webhook,
        key: "crm".into(),
        spec: json!({}),
        sealed: vec![],
    };
    let made = ConfigurationChange {
        definitions: vec![spec],
        now_ms: NOW,
        ..ConfigurationChange::default()
    };
    fixture.store.configure(fixture.workspace, made).await.unwrap();
    let before = fixture.store.revision().await.unwrap();

    let gone = vec![
        Removal::Connection("crm".into()),
        Removal::Definition(DefinitionKind::Webhook, "crm".into()),
        Removal::Connection("unheard-of".into()),
    ];
    fixture.change(vec![], gone).await;

    assert!(fixture.store.revision().await.unwrap() > before);
    let left = fixture.store.configuration().await.unwrap();
    assert_eq!(
        left.connections.iter().map(|row| &*row.key).collect::<Vec<_>>(),
        ["backup"]
    );
    assert!(left.definitions.is_empty());
    for (pending, state) in [
        (&waiting, DeliveryState::Cancelled),
        (&held, DeliveryState::Cancelled),
        (&sending, DeliveryState::Dead),
        (&unknown, DeliveryState::Dead),
        (&arrived, DeliveryState::Delivered),
    ] {
        let row = fixture.row(pending.id).await;
        assert_eq!(row.state, state);
        if state != DeliveryState::Delivered {
            assert_eq!(row.settled_ms, Some(NOW + 7));
            let problem = row.problem.unwrap();
            assert_eq!(problem.code, Code::ConnectionRemoved.code());
            assert!(problem.detail.starts_with("crm: "), "{}", problem.detail);
        }
    }
    assert!(fixture.pending().await.is_empty());
    // The call that was under way ends; what it says comes too late.
    fixture.settle(&sending, DeliveryState::Waiting).await;
    assert_eq!(fixture.state(sending.id).await, DeliveryState::Dead);

    fixture
        .change(vec![write("crm")], vec![Removal::Connection("backup".into())])
        .await;
    let now = fixture.store.configuration().await.unwrap().connections;
    assert_eq!(now.len(), 1);
    assert_ne!(now[0].id, fixture.connection, "its number has a history");
}

pub(super) async fn orphans(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    fixture.change(vec![], vec![Removal::Connection("crm".into())]).await;
    let late = |connection| NewEvent {
        deliveries: vec![delivery(connection, "lead", None)],
        ..fixture.event("late", None)
    };
    let events = vec![late(fixture.connection), late(fixture.backup)];
    fixture.store.accept(events).await.unwrap();
    let orphan = fixture.pending().await.pop().unwrap();
    assert_eq!(fixture.store.end_orphans(NOW + 9).await.unwrap(), 1);
    assert_eq!(fixture.state(orphan.id).await, DeliveryState::Cancelled);
    assert_eq!(fixture.store.end_orphans(NOW + 9).await.unwrap(), 0);
    let backup = fixture
        .store
        .pending(fixture.backup, switchboard_model::id::DeliveryId(0), 10)
        .await
        .unwrap();
    assert_eq!(backup.len(), 1, "the other connection's delivery waits on");
}
