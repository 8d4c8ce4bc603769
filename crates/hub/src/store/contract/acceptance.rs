//! New events.

use std::sync::Arc;

use switchboard_model::id::DeliveryId;

use super::{
    bench::{Bench, NOW},
    fixture::{Fixture, Heard, PRINT, delivery, new_event},
};
use crate::store::{Accepted, Fingerprint, Listener};

pub(super) async fn stays(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let pending = fixture.accept_one("客户咨询 🙂").await;
    fixture.store.close().await.unwrap();
    let again = bench.open().await;
    let found = again.pending(fixture.connection, DeliveryId(0), 10).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].id, found[0].record_key.as_str()), (pending.id, "p-1"));
    let bodies = again.bodies(vec![found[0].event]).await.unwrap();
    assert_eq!(bodies[0].data["messageContent"], "客户咨询 🙂");
    assert_eq!(bodies[0].received_ms, NOW);
}

pub(super) async fn repeats(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let accept = async |text: &str, print| {
        fixture
            .store
            .accept(vec![fixture.event(text, Some(print))])
            .await
            .unwrap()[0]
    };
    let event = new_event(accept("a", PRINT).await);
    assert_eq!(accept("a", PRINT).await, Accepted::Repeat(event));
    let other = Fingerprint {
        content: [3; 8],
        ..PRINT
    };
    assert_eq!(accept("b", other).await, Accepted::Conflict(event));
    assert_eq!(fixture.pending().await.len(), 1);
}

pub(super) async fn repeats_at_once(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let all = (0..100).map(|_| fixture.store.accept(vec![fixture.event("a", Some(PRINT))]));
    let all = futures::future::join_all(all).await;
    let new = all
        .into_iter()
        .filter(|r| matches!(r.as_ref().unwrap()[0], Accepted::New { .. }));
    assert_eq!(new.count(), 1);
    assert_eq!(fixture.pending().await.len(), 1);
}

pub(super) async fn repeats_in_one_call(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let other = Fingerprint { key: [9; 16], ..PRINT };
    let events = vec![
        fixture.event("a", Some(PRINT)),
        fixture.event("b", None),
        fixture.event("a", Some(PRINT)),
        fixture.event("c", Some(other)),
    ];
    let accepted = fixture.store.accept(events).await.unwrap();
    let first = new_event(accepted[0]);
    assert_eq!(accepted[2], Accepted::Repeat(first));
    assert!(matches!(accepted[1], Accepted::New { .. }) && matches!(accepted[3], Accepted::New { .. }));
    assert_eq!(fixture.pending().await.len(), 3);
}

pub(super) async fn heard_in_order(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let heard = Arc::new(Heard::default());
    fixture.store.listen(Arc::clone(&heard) as Arc<dyn Listener>);
    let tasks = (0..200).map(|n| {
        let (store, event) = (Arc::clone(&fixture.store), fixture.event(&n.to_string(), None));
        tokio::spawn(async move { store.accept(vec![event]).await })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap().unwrap();
    }
    let heard = heard.accepted.lock();
    assert_eq!(heard.len(), 200);
    assert!(heard.is_sorted());
}

pub(super) async fn any_text(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let strange = "\0 \u{1} ' \" \\ {} \u{10ffff} 𝄞";
    let mut event = fixture.event(strange, None);
    event.deliveries[0].record_key = Some(strange.to_owned());
    event.note = Some(strange.to_owned());
    let all = futures::future::join_all([
        fixture.store.accept(vec![event]),
        fixture.store.accept(vec![fixture.event("plain", None)]),
    ]);
    let all = all.await;
    let id = new_event(all[0].as_ref().unwrap()[0]);
    assert!(all[1].is_ok());
    let row = fixture.store.event(fixture.workspace, id).await.unwrap().unwrap();
    assert_eq!(row.event.data["messageContent"], strange);
    assert!(row.note.unwrap().contains("𝄞"));
}

pub(super) async fn added_once(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let pending = fixture.accept_one("a").await;
    let new = |object: &str| delivery(fixture.connection, object, None);
    let add = async || {
        fixture
            .store
            .add_deliveries(pending.event, vec![new("lead"), new("case")])
            .await
            .unwrap()
    };
    let added = add().await;
    assert_eq!(added.len(), 1);
    assert!(add().await.is_empty());
    let row = fixture.row(added[0]).await;
    assert_eq!(
        (row.object.as_str(), row.record_key),
        ("case", pending.event.to_string())
    );
    fixture
        .settle(&pending, switchboard_model::delivery::DeliveryState::Delivered)
        .await;
    fixture.archive().await;
    assert!(add().await.is_empty(), "what has arrived is not made again");
}
