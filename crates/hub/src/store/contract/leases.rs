//! Several nodes on one database.

use std::sync::Arc;

use switchboard_model::{delivery::DeliveryState, id::ConnectionId};

use super::{
    bench::{Bench, NOW, PostgresBench},
    fixture::{Fixture, Heard, LONG, claims, new_event},
};
use crate::{
    clock::ManualClock,
    store::{Claim, Fence, Listener, Store, StoreError, Wish, postgres::PostgresStore},
    wait::until,
};

async fn right(node: &Arc<dyn Store>, connections: &[ConnectionId], ttl_ms: i64) -> Option<Fence> {
    node.lease(claims(connections), ttl_ms)
        .await
        .unwrap()
        .get(&connections[0])
        .copied()
}

pub(super) async fn one_holder(bench: &PostgresBench) {
    let fixture = Fixture::new(bench).await;
    let other = bench.open().await;
    let one = [fixture.connection];
    assert_eq!(
        right(&fixture.store, &one, LONG).await,
        Some(fixture.fence),
        "a renewal keeps the fence"
    );
    assert_eq!(right(&other, &one, LONG).await, None);
    // Given back, taken by the other node, given back, taken again.
    assert!(fixture.store.lease(vec![], LONG).await.unwrap().is_empty());
    let second = right(&other, &one, LONG).await.unwrap();
    assert!(second > fixture.fence);
    assert_eq!(right(&fixture.store, &one, LONG).await, None);
    other.close().await.unwrap();
    let third = right(&fixture.store, &one, -1).await.unwrap();
    assert!(third > second);
    // It ended at once, and anybody may take it.
    let later = bench.open().await;
    assert!(right(&later, &one, LONG).await.unwrap() > third);
}

pub(super) async fn shares(bench: &PostgresBench) {
    let fixture = Fixture::new(bench).await;
    let all: Vec<ConnectionId> = (101..=106).map(ConnectionId).collect();
    let lease =
        async |node: &Arc<dyn Store>, named: &[ConnectionId]| node.lease(claims(named), LONG).await.unwrap().len();
    assert_eq!(lease(&fixture.store, &all).await, 6);
    assert!(fixture.store.surplus().is_empty());
    let other = bench.open().await;
    assert_eq!(
        lease(&other, &all).await,
        0,
        "nothing is taken from a holder that is alive"
    );
    assert_eq!(lease(&fixture.store, &all).await, 6);
    let surplus = fixture.store.surplus();
    assert_eq!(surplus.len(), 3);
    let rest: Vec<_> = all
        .iter()
        .copied()
        .filter(|connection| !surplus.contains(connection))
        .collect();
    assert_eq!(lease(&fixture.store, &rest).await, 3);
    assert_eq!(lease(&other, &all).await, 3);
    assert_eq!(lease(&fixture.store, &all).await, 3);
    assert!(fixture.store.surplus().is_empty() && other.surplus().is_empty());
    other.close().await.unwrap();
    assert_eq!(lease(&fixture.store, &all).await, 6, "what is free again is taken");
}

pub(super) async fn accounts(bench: &PostgresBench) {
    let fixture = Fixture::new(bench).await;
    fixture.store.lease(vec![], LONG).await.unwrap();
    let other = bench.open().await;
    // 101 to 103 are about one account, and the others each about one of their own.
    let all: Vec<Claim> = (101..=105)
        .map(|id| Claim {
            connection: ConnectionId(id),
            account: (id <= 103).then_some([7; 32]),
        })
        .collect();
    let lease = async |node: &Arc<dyn Store>, claims: &[Claim]| {
        let held = node.lease(claims.to_vec(), LONG).await.unwrap();
        let mut held: Vec<i64> = held.keys().map(|connection| connection.0).collect();
        held.sort_unstable();
        held
    };
    // Before it was known that they are about one account, one of them went elsewhere.
    assert_eq!(lease(&other, &claims(&[ConnectionId(102)])).await, [102]);
    assert_eq!(
        lease(&fixture.store, &all[1..]).await,
        [104, 105],
        "the account is in other hands"
    );
    assert_eq!(lease(&other, &all).await, [101, 102, 103]);
    assert_eq!(lease(&fixture.store, &all).await, [104, 105]);
    assert!(fixture.store.surplus().is_empty() && other.surplus().is_empty());
    other.close().await.unwrap();
    assert_eq!(lease(&fixture.store, &all).await, [101, 102, 103, 104, 105]);
}

pub(super) async fn late_settlement(bench: &PostgresBench) {
    let fixture = Fixture::new(bench).await;
    let all = fixture.accept_many(2).await;
    for pending in &all {
        assert!(fixture.intend(fixture.fence, pending.id).await.is_empty());
    }
    fixture.store.lease(vec![], LONG).await.unwrap();
    let other = bench.open().await;
    let fence = right(&other, &[fixture.connection], LONG).await.unwrap();
    let found = other.pending(fixture.connection, all[0].id, 10).await.unwrap();
    assert!(
        found[0].doubt.is_some(),
        "the next holder reads the open intent as a doubt"
    );
    let intents = vec![fixture.intent(all[0].id)];
    assert!(other.intend(fence, intents).await.unwrap().is_empty());
    // The first was taken up by the next holder, the second was not.
    let settlements = all
        .iter()
        .map(|pending| fixture.settlement(pending, DeliveryState::Dead))
        .collect();
    fixture.store.settle(fixture.fence, settlements).await.unwrap();
    assert_eq!(fixture.state(all[0].id).await, DeliveryState::Sending);
    assert_eq!(fixture.state(all[1].id).await, DeliveryState::Dead);
    let settlement = fixture.settlement(&all[0], DeliveryState::Delivered);
    other.settle(fence, vec![settlement]).await.unwrap();
    assert_eq!(fixture.state(all[0].id).await, DeliveryState::Delivered);
}

pub(super) async fn late_intent(bench: &PostgresBench) {
    let fixture = Fixture::new(bench).await;
    let pending = fixture.accept_one("a").await;
    let refused = [pending.id];
    assert_eq!(
        fixture.intend(Fence(fixture.fence.0 + 1), pending.id).await,
        refused,
        "another fence"
    );
    assert_eq!(
        right(&fixture.store, &[fixture.connection], -1).await,
        Some(fixture.fence)
    );
    assert_eq!(
        fixture.intend(fixture.fence, pending.id).await,
        refused,
        "the right has ended"
    );
    let other = bench.open().await;
    let fence = right(&other, &[fixture.connection], LONG).await.unwrap();
    assert_eq!(
        fixture.intend(fixture.fence, pending.id).await,
        refused,
        "another node has it"
    );
    assert_eq!(
        fixture.intend(fence, pending.id).await,
        refused,
        "the fence of another node"
    );
    assert_eq!(fixture.state(pending.id).await, DeliveryState::Waiting);
}

pub(super) async fn late_commit(bench: &PostgresBench) {
    let fixture = Fixture::new(bench).await;
    let heard = Arc::new(Heard::default());
    fixture.store.listen(Arc::clone(&heard) as Arc<dyn Listener>);
    // Its ids are smaller than all that this node makes.
    let behind = Arc::new(ManualClock::at(NOW - 3_600_000));
    let other = PostgresStore::open(&bench.url, behind).await.unwrap();
    let other: Arc<dyn Store> = Arc::new(other);
    let newest = fixture.accept_one("a").await;
    let mut event = fixture.event("b", None);
    event.received_ms = NOW - 3_600_000;
    new_event(other.accept(vec![event]).await.unwrap()[0]);
    let late = fixture
        .pending()
        .await
        .into_iter()
        .find(|pending| pending.id != newest.id)
        .unwrap();
    assert!(late.id < newest.id);
    heard.hint_for(fixture.connection, late.id).await;
}

pub(super) async fn released_elsewhere(bench: &PostgresBench) {
    let fixture = Fixture::new(bench).await;
    let pending = fixture.accept_one("a").await;
    let other = bench.open().await;
    fixture.wish(Wish::Hold, &[pending.id]).await;
    let heard = Arc::new(Heard::default());
    fixture.store.listen(Arc::clone(&heard) as Arc<dyn Listener>);
    let which = crate::store::Selection::These(vec![pending.id]);
    other
        .change(fixture.workspace, Wish::Release, which, NOW)
        .await
        .unwrap();
    heard.hint_for(fixture.connection, pending.id).await;
}

pub(super) async fn newer_schema(bench: &PostgresBench) {
    let fixture = Fixture::new(bench).await;
    fixture.store.close().await.unwrap();
    bench.run("UPDATE schema_version SET number = 99").await;
    let error = PostgresStore::open(&bench.url, Arc::new(ManualClock::at(NOW)))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("newer version"), "{error}");
}

pub(super) async fn upgrade_beside_others(bench: &PostgresBench) {
    let fixture = Fixture::new(bench).await;
    let pending = fixture.accept_one("a").await;
    // The last step can be taken twice.
    bench.run("UPDATE schema_version SET number = number - 1").await;
    let opened = PostgresStore::open(&bench.url, Arc::new(ManualClock::at(NOW))).await;
    let error = opened.unwrap_err().to_string();
    assert!(error.contains("a node of an earlier version is at work"), "{error}");
    assert_eq!(fixture.state(pending.id).await, DeliveryState::Waiting, "it works on");
    fixture.store.close().await.unwrap();
    bench.open().await.close().await.unwrap();
}

pub(super) async fn upgraded_meanwhile(bench: &PostgresBench) {
    let fixture = Fixture::new(bench).await;
    // Counts how often the version is asked for.
    bench
        .run(
            "DROP TABLE schema_version; CREATE SEQUENCE asked;
              CREATE VIEW schema_version AS SELECT 99 + (0 * nextval('asked'))::integer AS number",
        )
        .await;
    let client = bench.connect().await;
    bench.cut_others(&client).await;
    until("it looks at the version when it comes back", async || {
        let row = client.query_one("SELECT last_value FROM asked", &[]).await.unwrap();
        (row.get::<_, i64>(0) > 1).then_some(())
    })
    .await;
    let refused = fixture.store.accept(vec![fixture.event("a", None)]).await;
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(bench.count("event").await, 0);
}

pub(super) async fn lost_connection(bench: &PostgresBench) {
    let fixture = Fixture::new(bench).await;
    fixture.accept_one("a").await;
    bench.cut().await;
    let held = until("there is a new connection", async || {
        let accepted = fixture.store.accept(vec![fixture.event("b", None)]).await;
        let held = fixture.store.lease(claims(&[fixture.connection]), LONG).await;
        match (accepted, held) {
            (Ok(_), Ok(held)) => Some(held),
            (Err(StoreError::Closed), _) | (_, Err(StoreError::Closed)) => panic!("the store has closed"),
            _ => None,
        }
    })
    .await;
    assert!(fixture.pending().await.len() >= 2);
    assert_eq!(
        held.get(&fixture.connection),
        Some(&fixture.fence),
        "the same process keeps its rights"
    );
}
