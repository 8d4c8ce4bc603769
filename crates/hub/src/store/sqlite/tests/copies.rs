//! Files of earlier versions, and backups.

use std::{path::Path, sync::Arc};

use rusqlite::Connection;
use serde_json::json;
use switchboard_connect::manifest::OperationKind;
use switchboard_model::{
    delivery::DeliveryState,
    id::{DeliveryId, EventId, WorkspaceId, floor_of, time_of},
};

use super::{
    NOW, fixture,
    history::{DAY, all, date, print},
    open,
};
use crate::{
    clock::ManualClock,
    store::{
        Accepted, DeliveryFilter, Fence, History, InDoubt, Journal, NewEvent, Outbox, Settlement,
        sqlite::{SqliteStore, backup, migrate},
    },
};

/// A database as the first version wrote it: one event delivered with a call, one waiting.
fn first_version(path: &Path) -> (i64, i64) {
    let db = Connection::open(path).unwrap();
    db.execute_batch(include_str!("../0001_first.sql")).unwrap();
    db.pragma_update(None, "user_version", 1).unwrap();
    let (done, waits) = (floor_of(NOW - DAY), floor_of(NOW));
    db.execute_batch(&format!(
        "INSERT INTO workspace VALUES (1, 'main');
         INSERT INTO connection (id, workspace, key, spec, sealed, state, changed_ms) VALUES (1, 1, 'crm', '{{}}', x'01', 1, 0);
         INSERT INTO event VALUES ({done}, 1, 'message.received', {NOW}, '{{\"a\":1}}', NULL),
                                  ({waits}, 1, 'message.received', {NOW}, '{{\"a\":2}}', NULL);
         INSERT INTO delivery (id, workspace, event, connection, object, record_key, state, due_ms)
             VALUES ({done} + 1, 1, {done}, 1, 'lead', 'k', 10, 0), ({waits} + 1, 1, {waits}, 1, 'lead', 'k', 0, 0);
         INSERT INTO attempt VALUES ({done} + 2, 1, {done} + 1, {NOW}, 3, 'create', 'POST', 201, '好', 'delivered');
         INSERT INTO seen VALUES (1, x'01010101010101010101010101010101', x'0101010101010101', {done});
         INSERT INTO tally VALUES (1, 1, {NOW});"
    ))
    .unwrap();
    (done, waits)
}

/// What a database is copied to before it gets the present schema.
fn copy_name() -> String {
    format!("t.before-schema-{}.db", migrate::STEPS.len())
}

#[tokio::test]
async fn a_database_of_the_first_version_comes_over_with_everything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.db");
    let (done, waits) = first_version(&path);
    let store = open(&folder);
    assert!(folder.path().join(copy_name()).exists());
    let (workspace, connection) = (WorkspaceId(1), switchboard_model::id::ConnectionId(1));
    let tally = store.tally(workspace, connection).await.unwrap();
    assert_eq!((tally.pending, tally.delivered, tally.dead), (1, 1, 0));
    assert_eq!(store.archive(10).await.unwrap(), 1);
    let attempts = store.attempts(workspace, DeliveryId(done + 1)).await.unwrap();
    assert_eq!((attempts.len(), attempts[0].answer.as_str()), (1, "好"));
    let pending = store.pending(connection, DeliveryId(0), 10).await.unwrap();
    assert_eq!((pending.len(), pending[0].event), (1, EventId(waits)));
    let event = NewEvent {
        workspace,
        kind: switchboard_model::event::EventType::find("message.received").unwrap(),
        received_ms: NOW,
        data: json!({"a": 1}).as_object().cloned().unwrap().into(),
        fingerprint: Some(print(1)),
        deliveries: vec![],
        runs: vec![],
        note: None,
    };
    assert_eq!(
        store.accept(vec![event]).await.unwrap(),
        [Accepted::Repeat(EventId(done))]
    );
}

#[tokio::test]
async fn a_migration_that_fails_leaves_the_old_data_usable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.db");
    let (done, _) = first_version(&path);
    let db = Connection::open(&path).unwrap();
    db.execute_batch("CREATE TABLE recent (in_the_way INTEGER)").unwrap();
    drop(db);
    assert!(SqliteStore::open(&path, Arc::new(ManualClock::at(NOW))).is_err());
    for file in [path, folder.path().join(copy_name())] {
        let db = Connection::open(file).unwrap();
        let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        let event: i64 = db.query_row("SELECT event FROM seen", [], |row| row.get(0)).unwrap();
        assert_eq!((version, event), (1, done));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_store_at_work_holds_everything_that_was_settled_before() {
    let fixture = fixture().await;
    let mut before = Vec::new();
    for step in 0..40 {
        before.push(fixture.deliver_at(NOW - DAY + step, None).await.id);
    }
    let moving = {
        let store = fixture.store.clone();
        tokio::spawn(async move { while store.archive(1).await.unwrap() > 0 {} })
    };
    let (file, folder) = (fixture.folder.path().join("t.db"), fixture.folder.path().join("backup"));
    let copy = folder.clone();
    let copied = tokio::task::spawn_blocking(move || backup::back_up(&file, &copy))
        .await
        .unwrap();
    assert!(copied.unwrap().bytes > 0);
    moving.await.unwrap();
    let restored = tempfile::tempdir().unwrap();
    backup::restore(&folder, restored.path(), "t.db").unwrap();
    let store = open(&restored);
    let rows = store
        .deliveries(fixture.workspace, DeliveryFilter::default(), all())
        .await
        .unwrap();
    let mut found: Vec<DeliveryId> = rows.iter().map(|row| row.id).collect();
    found.reverse();
    assert_eq!(found, before);
    assert!(rows.iter().all(|row| row.state == DeliveryState::Delivered));
    for id in before {
        assert_eq!(store.attempts(fixture.workspace, id).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn what_waited_when_a_copy_was_made_is_in_doubt_when_it_is_brought_back() {
    let fixture = fixture().await;
    let events = (0..3).map(|n| fixture.event(&n.to_string(), None)).collect();
    fixture.store.accept(events).await.unwrap();
    let pending = fixture
        .store
        .pending(fixture.connection, DeliveryId(0), 10)
        .await
        .unwrap();
    let doubt = InDoubt {
        since_ms: NOW - 5_000,
        operation: Some(OperationKind::Create),
        recovery: None,
        open: false,
    };
    let settlements = vec![
        fixture.settlement(&pending[0], DeliveryState::Delivered),
        Settlement {
            doubt: Some(doubt),
            ..fixture.settlement(&pending[1], DeliveryState::Unknown)
        },
    ];
    fixture.store.settle(Fence::default(), settlements).await.unwrap();
    let (file, folder) = (fixture.folder.path().join("t.db"), fixture.folder.path().join("backup"));
    backup::back_up(&file, &folder).unwrap();
    let restored = tempfile::tempdir().unwrap();
    backup::restore(&folder, restored.path(), "t.db").unwrap();
    let store = open(&restored);
    let found = store.pending(fixture.connection, DeliveryId(0), 10).await.unwrap();
    let any = |since_ms| InDoubt {
        since_ms,
        operation: None,
        ..doubt
    };
    let found: Vec<_> = found.iter().map(|pending| (pending.id, pending.doubt)).collect();
    // It may have been sent at any time since it was accepted, and by whatever call.
    let expected = [
        (pending[1].id, Some(any(NOW - 5_000))),
        (pending[2].id, Some(any(time_of(pending[2].id.0)))),
    ];
    assert_eq!(found, expected);
    assert!(time_of(pending[2].id.0) <= NOW);
}

#[tokio::test]
async fn a_damaged_backup_and_a_full_folder_are_refused_and_nothing_is_left() {
    let fixture = fixture().await;
    fixture.deliver_at(NOW, None).await;
    fixture.store.archive(10).await.unwrap();
    let (file, folder) = (fixture.folder.path().join("t.db"), fixture.folder.path().join("backup"));
    backup::back_up(&file, &folder).unwrap();
    assert!(
        backup::back_up(&file, &folder)
            .unwrap_err()
            .to_string()
            .contains("not empty")
    );
    let error = backup::restore(&folder, fixture.folder.path(), "t.db").unwrap_err();
    assert!(error.to_string().contains("not empty"), "{error}");
    let day = folder.join(format!("history/{}.db", date(NOW)));
    let mut bytes = std::fs::read(&day).unwrap();
    bytes[20_000..30_000].fill(0xa5);
    std::fs::write(&day, bytes).unwrap();
    let target = fixture.folder.path().join("target");
    let error = backup::restore(&folder, &target, "t.db").unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
    assert!(!target.exists());
}
