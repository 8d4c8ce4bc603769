//! Moves from one database to another.

use std::sync::Arc;

use switchboard_model::{
    delivery::DeliveryState,
    id::{ConnectionId, DeliveryId},
};

use super::{
    bench::{Bench, NOW, PostgresBench},
    fixture::{Fixture, PRINT, new_event},
};
use crate::{
    clock::ManualClock,
    store::{
        Accepted, CallRecord, LinkChange, Store,
        postgres::transfer::PostgresTransfer,
        sqlite::{SqliteStore, transfer::SqliteTransfer},
        transfer::{PARTS, Source, Target, transfer},
    },
};

async fn rows(source: &mut dyn Source) -> Vec<(&'static str, usize)> {
    let mut counts = Vec::new();
    for part in PARTS {
        counts.push((part.name, source.page(part, None, 10_000).await.unwrap().len()));
    }
    counts
}

async fn fill(fixture: &Fixture) -> DeliveryId {
    fixture
        .store
        .accept(vec![fixture.event("seen", Some(PRINT))])
        .await
        .unwrap();
    let all = fixture.accept_many(20).await;
    for (n, pending) in all.iter().enumerate() {
        let state = [DeliveryState::Delivered, DeliveryState::Dead, DeliveryState::Waiting][n % 3];
        let mut settlement = fixture.settlement(pending, state);
        settlement.calls = vec![CallRecord {
            started_ms: NOW,
            duration_ms: 1,
            operation: "create",
            request: "POST https://crm.example.org".into(),
            status: Some(200),
            answer: "你好".into(),
            outcome: "delivered",
            records: 1,
        }];
        settlement.link = LinkChange::Set {
            connection: fixture.connection,
            object: "lead".into(),
            record_key: format!("k-{n}"),
            external_id: format!("x-{n}"),
        };
        fixture.store.settle(fixture.fence, vec![settlement]).await.unwrap();
    }
    fixture.intend(fixture.fence, all[2].id).await;
    all[2].id
}

async fn check(store: &Arc<dyn Store>, connection: ConnectionId, doubtful: DeliveryId, fixture: &Fixture) {
    let pending = store.pending(connection, DeliveryId(0), 100).await.unwrap();
    let doubt = pending.iter().find(|pending| pending.id == doubtful).unwrap().doubt;
    assert_eq!(doubt.map(|doubt| doubt.since_ms), Some(NOW + 5));
    let again = store.accept(vec![fixture.event("seen", Some(PRINT))]).await.unwrap();
    assert!(matches!(again[0], Accepted::Repeat(_)), "{again:?}");
    let fresh = new_event(store.accept(vec![fixture.event("new", None)]).await.unwrap()[0]);
    assert!(fresh.0 > doubtful.0, "new ids go on after those that were moved");
}

pub(super) async fn there_and_back(bench: &PostgresBench) {
    let sqlite = super::bench::SqliteBench::new();
    let fixture = Fixture::new(&sqlite).await;
    let doubtful = fill(&fixture).await;
    fixture.store.close().await.unwrap();
    let mut source = SqliteTransfer::source(&sqlite.file()).unwrap();
    let before = rows(&mut source).await;
    // One that is interrupted leaves nothing behind.
    let mut target = PostgresTransfer::target(&bench.url).await.unwrap();
    let page = source.page(&PARTS[0], None, 10).await.unwrap();
    target.put(&PARTS[0], page).await.unwrap();
    drop(target);
    let mut target = PostgresTransfer::target(&bench.url).await.unwrap();
    transfer(&mut source, &mut target, |_, _| {}).await.unwrap();
    drop(target);
    let mut moved = PostgresTransfer::source(&bench.url).await.unwrap();
    assert_eq!(rows(&mut moved).await, before);
    let mut occupied = PostgresTransfer::target(&bench.url).await.unwrap();
    assert!(
        transfer(&mut source, &mut occupied, |_, _| {}).await.is_err(),
        "the target is not empty"
    );
    drop(occupied);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("back.db");
    SqliteStore::open(&file, Arc::new(ManualClock::at(NOW)))
        .unwrap()
        .close();
    let mut back = SqliteTransfer::target(&file).unwrap();
    transfer(&mut moved, &mut back, |_, _| {}).await.unwrap();
    drop((back, moved));
    assert_eq!(rows(&mut SqliteTransfer::source(&file).unwrap()).await, before);
    let opened: Arc<dyn Store> = Arc::new(SqliteStore::open(&file, Arc::new(ManualClock::at(NOW))).unwrap());
    check(&opened, fixture.connection, doubtful, &fixture).await;
    check(&bench.open().await, fixture.connection, doubtful, &fixture).await;
}
