//! Fingerprints on PostgreSQL move when their day is over.

use std::sync::Arc;

use switchboard_model::id::{EventId, time_of};

use super::{
    bench::{NOW, PostgresBench},
    fixture::{Fixture, new_event},
};
use crate::{
    store::{Accepted, Fingerprint, Store},
    wait::until,
};

const DAY: i64 = 24 * 3_600_000;
/// More than there is.
const ALL: usize = 100;

fn print(key: u8) -> Fingerprint {
    Fingerprint {
        key: [key; 16],
        content: [1; 8],
    }
}

async fn accept(store: &Arc<dyn Store>, fixture: &Fixture, key: u8) -> Accepted {
    store.accept(vec![fixture.event("a", Some(print(key)))]).await.unwrap()[0]
}

async fn accept_three(fixture: &Fixture) -> Vec<EventId> {
    let mut events = Vec::new();
    for key in 0..3 {
        events.push(new_event(accept(&fixture.store, fixture, key).await));
    }
    events
}

pub(super) async fn moved(bench: &PostgresBench) {
    let fixture = Fixture::new(bench).await;
    let events = accept_three(&fixture).await;
    assert_eq!(fixture.store.archive(ALL).await.unwrap(), 0, "their day is not over");
    let tomorrow = bench.open_at(NOW + DAY).await;
    // To copy them, to note that, to remove them, to note that.
    for _ in 0..2 * (events.len() + 1) {
        for (key, event) in (0..).zip(&events) {
            assert_eq!(accept(&tomorrow, &fixture, key).await, Accepted::Repeat(*event));
        }
        assert!(tomorrow.archive(1).await.unwrap() <= 1);
    }
    assert_eq!((bench.count("recent").await, bench.count("seen").await), (0, 3));
    for (key, event) in (0..).zip(&events) {
        assert_eq!(accept(&fixture.store, &fixture, key).await, Accepted::Repeat(*event));
    }
    let mut other = fixture.event("b", Some(print(1)));
    other.fingerprint.as_mut().unwrap().content = [2; 8];
    let conflict = tomorrow.accept(vec![other]).await.unwrap();
    assert_eq!(conflict, [Accepted::Conflict(events[1])]);
    assert_eq!(bench.count("event").await, 3);
}

pub(super) async fn written_elsewhere(bench: &PostgresBench) {
    let fixture = Fixture::new(bench).await;
    let mut node = bench.connect().await;
    let looking = bench.connect().await;
    let writing = node.transaction().await.unwrap();
    let insert = "INSERT INTO recent (workspace, key, content, event) VALUES ($1, $2, $3, 7)";
    let (key, content) = (print(1).key, print(1).content);
    writing
        .execute(insert, &[&fixture.workspace.0, &&key[..], &&content[..]])
        .await
        .unwrap();
    let events = vec![
        fixture.event("a", Some(print(1))),
        fixture.event("b", Some(print(2))),
        fixture.event("c", None),
    ];
    let store = Arc::clone(&fixture.store);
    let accepting = tokio::spawn(async move { store.accept(events).await });
    let waits = "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                 WHERE NOT l.granted AND a.datname = current_database()";
    until("the accepting waits for the other node's transaction", async || {
        assert!(!accepting.is_finished(), "nobody knows yet who has the key");
        let row = looking.query_one(waits, &[]).await.unwrap();
        (row.get::<_, i64>(0) > 0).then_some(())
    })
    .await;
    writing.commit().await.unwrap();
    let accepted = accepting.await.unwrap().unwrap();
    assert_eq!(accepted[0], Accepted::Repeat(EventId(7)));
    assert!(
        accepted[1..].iter().all(|other| matches!(other, Accepted::New { .. })),
        "{accepted:?}"
    );
    assert_eq!(fixture.pending().await.len(), 2);
}

pub(super) async fn waits(bench: &PostgresBench) {
    let fixture = Fixture::new(bench).await;
    accept_three(&fixture).await;
    let tomorrow = bench.open_at(NOW + DAY).await;
    let acceptance = bench.connect().await;
    let begin = "BEGIN; INSERT INTO recent VALUES (1, 'another one', '', 1)";
    acceptance.batch_execute(begin).await.unwrap();
    assert_eq!(tomorrow.archive(ALL).await.unwrap(), 0);
    assert_eq!((bench.count("recent").await, bench.count("seen").await), (3, 0));
    acceptance.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(tomorrow.archive(ALL).await.unwrap(), 3);
    assert_eq!(tomorrow.archive(ALL).await.unwrap(), 3);
    assert_eq!((bench.count("recent").await, bench.count("seen").await), (0, 3));
}

pub(super) async fn late(bench: &PostgresBench) {
    let fixture = Fixture::new(bench).await;
    accept_three(&fixture).await;
    let tomorrow = bench.open_at(NOW + DAY).await;
    assert_eq!(tomorrow.archive(ALL).await.unwrap(), 3, "copied");
    let late = new_event(accept(&fixture.store, &fixture, 9).await);
    assert_eq!(tomorrow.archive(ALL).await.unwrap(), 4, "looked at");
    assert_eq!((bench.count("recent").await, bench.count("seen").await), (1, 3));
    assert_eq!(tomorrow.archive(ALL).await.unwrap(), 0);
    assert_eq!(accept(&tomorrow, &fixture, 9).await, Accepted::Repeat(late));
    let after = bench.open_at(NOW + 2 * DAY).await;
    while after.archive(ALL).await.unwrap() > 0 {}
    assert_eq!((bench.count("recent").await, bench.count("seen").await), (0, 4));
    assert_eq!(accept(&after, &fixture, 9).await, Accepted::Repeat(late));
}

pub(super) async fn dropped(bench: &PostgresBench) {
    let fixture = Fixture::new(bench).await;
    let events = accept_three(&fixture).await;
    let at = jiff::Timestamp::from_millisecond(time_of(events[0].0)).unwrap();
    let day = jiff::tz::Offset::UTC.to_datetime(at).date();
    let tomorrow = bench.open_at(NOW + DAY).await;
    assert_eq!(tomorrow.archive(ALL).await.unwrap(), 3);
    assert_eq!((bench.count("recent").await, bench.count("seen").await), (3, 3));
    for pending in fixture.pending().await {
        fixture
            .settle(&pending, switchboard_model::delivery::DeliveryState::Delivered)
            .await;
    }
    tomorrow.drop_day(day).await.unwrap();
    assert_eq!((bench.count("recent").await, bench.count("seen").await), (0, 0));
    for key in 0..3 {
        let again = accept(&tomorrow, &fixture, key).await;
        assert!(matches!(again, Accepted::New { .. }));
    }
}
