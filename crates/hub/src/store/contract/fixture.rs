//! A store with one workspace and two connections, and the rows that the cases put into it.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use serde_json::{Map, json};
use switchboard_connect::{
    connector::{Means, Recovery},
    manifest::OperationKind,
};
use switchboard_model::{
    connection::ConnectionState,
    delivery::DeliveryState,
    event::EventType,
    id::{ConnectionId, DeliveryId, EventId, WorkspaceId},
};

use super::bench::{Bench, NOW};
use crate::{
    store::{
        Accepted, Claim, ConfigurationChange, ConnectionWrite, DeliveryFilter, DeliveryRow, Fence, Fingerprint, Intent,
        LinkChange, Linked, Listener, NewDelivery, NewEvent, Page, Pending, Selection, Settlement, Share, Store, Wish,
        place::Place,
    },
    wait::DEADLINE,
};

/// Longer than any test takes.
pub(super) const LONG: i64 = 600_000;
/// A fingerprint for cases that need one.
pub(super) const PRINT: Fingerprint = Fingerprint {
    key: [1; 16],
    content: [2; 8],
};

/// What could tell what became of the writes that the cases intend.
pub(super) const RECOVERY: Recovery = Recovery {
    means: Means::Probe,
    way: 1,
    probe: Some(2),
};

pub(super) struct Fixture {
    pub store: Arc<dyn Store>,
    pub workspace: WorkspaceId,
    pub connection: ConnectionId,
    pub backup: ConnectionId,
    pub fence: Fence,
}

impl Fixture {
    pub async fn new(bench: &impl Bench) -> Self {
        let store = bench.open().await;
        let workspace = store.workspace("main").await.unwrap();
        let write = |key: &str| ConnectionWrite {
            key: key.into(),
            spec: json!({}),
            sealed: vec![1],
            state: ConnectionState::Active,
            reason: None,
            kept: None,
        };
        let change = ConfigurationChange {
            connections: vec![write("crm"), write("backup")],
            routes: vec![],
            now_ms: NOW,
            ..ConfigurationChange::default()
        };
        store.configure(workspace, change).await.unwrap();
        let connections = store.configuration().await.unwrap().connections;
        let (connection, backup) = (connections[0].id, connections[1].id);
        let fence = store.lease(claims(&[connection, backup]), LONG).await.unwrap()[&connection];
        Self {
            store,
            workspace,
            connection,
            backup,
            fence,
        }
    }

    pub fn event(&self, text: &str, fingerprint: Option<Fingerprint>) -> NewEvent {
        NewEvent {
            workspace: self.workspace,
            kind: EventType::find("message.received").unwrap(),
            received_ms: NOW,
            data: json!({"messageContent": text}).as_object().cloned().unwrap().into(),
            fingerprint,
            deliveries: vec![delivery(self.connection, "lead", Some("p-1"))],
            runs: vec![],
            note: None,
        }
    }

    pub async fn accept_one(&self, text: &str) -> Pending {
        self.store.accept(vec![self.event(text, None)]).await.unwrap();
        self.pending().await.pop().unwrap()
    }

    pub async fn accept_many(&self, count: usize) -> Vec<Pending> {
        let events = (0..count).map(|n| self.event(&n.to_string(), None)).collect();
        self.store.accept(events).await.unwrap();
        self.pending().await
    }

    pub async fn pending(&self) -> Vec<Pending> {
        self.store
            .pending(self.connection, DeliveryId(0), 10_000)
            .await
            .unwrap()
    }

    pub async fn intend(&self, fence: Fence, id: DeliveryId) -> Vec<DeliveryId> {
        self.store.intend(fence, vec![self.intent(id)]).await.unwrap()
    }

    pub fn intent(&self, delivery: DeliveryId) -> Intent {
        Intent {
            delivery,
            connection: self.connection,
            operation: OperationKind::Create,
            recovery: Some(RECOVERY),
            request_digest: [0; 8],
            since_ms: NOW + 5,
        }
    }

    pub fn settlement(&self, pending: &Pending, state: DeliveryState) -> Settlement {
        Settlement {
            delivery: pending.id,
            connection: pending.connection,
            event: pending.event,
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

    /// Settles without more.
    pub async fn settle(&self, pending: &Pending, state: DeliveryState) {
        let settlement = self.settlement(pending, state);
        self.store.settle(self.fence, vec![settlement]).await.unwrap();
    }

    pub async fn row(&self, id: DeliveryId) -> DeliveryRow {
        self.store.delivery(self.workspace, id).await.unwrap().unwrap()
    }

    pub async fn state(&self, id: DeliveryId) -> DeliveryState {
        self.row(id).await.state
    }

    pub async fn wish(&self, wish: Wish, ids: &[DeliveryId]) -> Vec<DeliveryId> {
        let which = Selection::These(ids.to_vec());
        let changed = self.store.change(self.workspace, wish, which, NOW + 9).await;
        changed.unwrap().deliveries
    }

    /// Every delivery that passes, read in pages of three.
    pub async fn list(&self, filter: DeliveryFilter) -> Vec<DeliveryId> {
        let (mut before, mut all) = (None, Vec::new());
        loop {
            let page = Page { before, limit: 3 };
            let rows = self
                .store
                .deliveries(self.workspace, filter.clone(), page)
                .await
                .unwrap();
            let Some(last) = rows.last() else { return all };
            before = Some(last.id.0);
            all.extend(rows.iter().map(|row| row.id));
        }
    }

    /// The vendor's ids of these records.
    pub async fn links(&self, keys: &[&str]) -> HashMap<String, String> {
        let ids = self.linked(keys).await.into_iter().map(|(key, linked)| match linked {
            Linked::To(external_id) => (key, external_id),
            Linked::InDoubt(doubt) => panic!("{key}: {doubt:?}"),
        });
        ids.collect()
    }

    pub async fn linked(&self, keys: &[&str]) -> HashMap<String, Linked> {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        self.store.links(self.connection, "lead", keys).await.unwrap()
    }

    /// Moves what is over out of the way, where the store does that.
    pub async fn archive(&self) {
        while self.store.archive(100).await.unwrap() > 0 {}
    }
}

pub(super) fn delivery(connection: ConnectionId, object: &str, key: Option<&str>) -> NewDelivery {
    NewDelivery {
        connection,
        object: object.into(),
        record_key: key.map(str::to_owned),
        place: None,
        options: None,
        fallback: None,
    }
}

/// The same for one of several places, which the option `channels` names.
pub(super) fn delivery_at(connection: ConnectionId, object: &str, name: &str) -> NewDelivery {
    let share = Share {
        object: object.into(),
        record_key: None,
        place: Some(Place {
            option: "channels".into(),
            sign: Some("#".into()),
            name: Some(name.to_owned()),
            usual: None,
        }),
    };
    share.delivery(connection, Some(&Map::new()))
}

/// Claims of these connections, each to an account of its own.
pub(super) fn claims(connections: &[ConnectionId]) -> Vec<Claim> {
    connections.iter().copied().map(Claim::from).collect()
}

pub(super) fn new_event(accepted: Accepted) -> EventId {
    match accepted {
        Accepted::New { event, .. } => event,
        other => panic!("{other:?}"),
    }
}

/// Remembers what it heard.
#[derive(Default)]
pub(super) struct Heard {
    pub accepted: Mutex<Vec<DeliveryId>>,
    pub hinted: Mutex<Vec<(ConnectionId, DeliveryId)>>,
    pub bell: tokio::sync::Notify,
}

impl Listener for Heard {
    fn accepted(&self, deliveries: Vec<Pending>) {
        self.accepted.lock().extend(deliveries.iter().map(|pending| pending.id));
    }

    fn hinted(&self, from: Vec<(ConnectionId, DeliveryId)>) {
        self.hinted.lock().extend(from);
        self.bell.notify_one();
    }
}

impl Heard {
    /// Waits for a hint that covers this delivery.
    pub async fn hint_for(&self, connection: ConnectionId, id: DeliveryId) {
        let heard = async {
            loop {
                let covers = |hint: &(ConnectionId, DeliveryId)| hint.0 == connection && hint.1 <= id;
                if self.hinted.lock().iter().any(covers) {
                    return;
                }
                self.bell.notified().await;
            }
        };
        tokio::time::timeout(DEADLINE, heard).await.expect("no hint came");
    }
}
