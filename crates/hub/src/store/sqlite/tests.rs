mod copies;
mod history;

use std::sync::Arc;

use serde_json::json;
use switchboard_model::{
    connection::ConnectionState,
    delivery::DeliveryState,
    event::EventType,
    id::{ConnectionId, WorkspaceId},
};

use super::SqliteStore;
use crate::{
    clock::ManualClock,
    store::{
        ConfigurationChange, ConnectionWrite, Fingerprint, LinkChange, NewDelivery, NewEvent, Pending, Register,
        Settlement,
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
        kept: None,
    };
    store
        .configure(
            workspace,
            ConfigurationChange {
                connections: vec![write],
                routes: vec![],
                now_ms: NOW,
                ..ConfigurationChange::default()
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
            data: json!({"messageContent": text}).as_object().cloned().unwrap().into(),
            fingerprint,
            deliveries: vec![NewDelivery {
                connection: self.connection,
                object: "lead".into(),
                record_key: Some("p-1".into()),
                place: None,
                options: None,
                fallback: None,
            }],
            runs: vec![],
            note: None,
        }
    }

    fn settlement(&self, pending: &Pending, state: DeliveryState) -> Settlement {
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
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.db");
    SqliteStore::open(&path, Arc::new(ManualClock::at(NOW)))
        .unwrap()
        .close();
    let db = rusqlite::Connection::open(&path).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let error = SqliteStore::open(&path, Arc::new(ManualClock::at(NOW))).unwrap_err();
    assert!(error.to_string().contains("newer version"), "{error}");
}
