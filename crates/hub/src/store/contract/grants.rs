//! Access tokens and sign-ins.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use switchboard_model::connection::ConnectionState;

use super::{
    bench::{Bench, NOW},
    fixture::Fixture,
};
use crate::store::{AccessNote, AccessRow, ConfigurationChange, ConnectionNote, ConnectionWrite, SignInRow};

fn access(sealed: u8, grant_ends_ms: Option<i64>) -> ConnectionNote {
    ConnectionNote {
        access: Some(AccessNote {
            sealed: vec![sealed],
            grant_ends_ms,
        }),
        ..Default::default()
    }
}

fn row(credentials: u8, token: Option<u8>) -> AccessRow {
    AccessRow {
        credentials: vec![credentials],
        token: token.map(|token| vec![token]),
    }
}

pub(super) async fn tokens(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let (store, connection) = (&fixture.store, fixture.connection);
    assert_eq!(store.access(connection).await.unwrap(), Some(row(1, None)));

    let first = ConnectionNote {
        sealed: Some(vec![2]),
        about: Some(vec![1]),
        ..access(7, Some(NOW))
    };
    assert!(store.note_connection(connection, first.clone()).await.unwrap());
    assert_eq!(store.access(connection).await.unwrap(), Some(row(2, Some(7))));
    // The credentials are others by now: nothing of it is written.
    let late = ConnectionNote {
        state: Some((ConnectionState::Error, None)),
        ..first
    };
    assert!(!store.note_connection(connection, late).await.unwrap());
    assert_eq!(store.access(connection).await.unwrap(), Some(row(2, Some(7))));
    assert_eq!(
        store.configuration().await.unwrap().connections[0].state,
        ConnectionState::Active
    );

    // A token without an end leaves the end that is known.
    assert!(store.note_connection(connection, access(8, None)).await.unwrap());
    assert!(store.note_connection(fixture.backup, access(9, None)).await.unwrap());
    let ends = store.grant_ends(fixture.workspace).await.unwrap();
    assert_eq!(ends, [(connection, NOW)].into());
    let other = store.workspace("other").await.unwrap();
    assert!(store.grant_ends(other).await.unwrap().is_empty());
}

pub(super) async fn kept(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let (store, connection) = (&fixture.store, fixture.connection);
    for (connection, sealed) in [(connection, 8), (fixture.backup, 9)] {
        let note = access(sealed, Some(NOW));
        assert!(store.note_connection(connection, note).await.unwrap());
    }
    // A sign-in goes on while the rest is configured anew; other credentials have other tokens.
    let told = serde_json::Map::from_iter([("instance".to_owned(), "eu1".into())]);
    let configured = async |sealed: u8, kept: Option<serde_json::Map<String, serde_json::Value>>| {
        let change = ConfigurationChange {
            connections: vec![ConnectionWrite {
                key: "crm".into(),
                spec: serde_json::json!({}),
                sealed: vec![sealed],
                state: ConnectionState::Active,
                reason: None,
                kept,
            }],
            routes: vec![],
            now_ms: NOW,
            ..ConfigurationChange::default()
        };
        store.configure(fixture.workspace, change).await.unwrap();
        store.configuration().await.unwrap().connections[0].facts.clone()
    };
    assert_eq!(configured(4, Some(told.clone())).await, told);
    assert_eq!(store.access(connection).await.unwrap(), Some(row(4, Some(8))));
    assert!(configured(5, None).await.is_empty());
    assert_eq!(store.access(connection).await.unwrap(), Some(row(5, None)));
    let ends = store.grant_ends(fixture.workspace).await.unwrap();
    assert_eq!(ends, [(fixture.backup, NOW)].into());
    let kept = store.access(fixture.backup).await.unwrap();
    assert_eq!(kept, Some(row(1, Some(9))));
}

pub(super) async fn sign_ins(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let row = |state: u8, expires_ms: i64| SignInRow {
        state: [state; 32],
        workspace: fixture.workspace,
        connection: fixture.connection,
        sealed: vec![state],
        expires_ms,
    };
    let (store, day_ms) = (&fixture.store, 86_400_000);
    for (state, expires_ms) in [(1, NOW), (2, NOW), (3, NOW - day_ms - 1)] {
        store.expect_back(row(state, expires_ms), NOW).await.unwrap();
    }
    let back = async |state: u8| store.come_back([state; 32]).await.unwrap();
    assert_eq!(back(1).await, Some(row(1, NOW)));
    assert_eq!(back(1).await, None);
    assert_eq!(back(9).await, None);
    // Whoever comes next sweeps what is long over.
    store.expect_back(row(4, NOW), NOW).await.unwrap();
    assert_eq!(back(3).await, None);
    let both = futures::future::join(store.come_back([2; 32]), store.come_back([2; 32])).await;
    let found = [both.0.unwrap(), both.1.unwrap()].into_iter().flatten();
    assert_eq!(found.count(), 1);
}

pub(super) async fn turns(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    one_at_a_time(&fixture, &[Arc::clone(&fixture.store)]).await;
}

pub(super) async fn turns_across(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let others = [Arc::clone(&fixture.store), bench.open().await, bench.open().await];
    one_at_a_time(&fixture, &others).await;
}

/// Many who want the turn of one connection have it one after the other, and nobody waits for another connection's.
async fn one_at_a_time(fixture: &Fixture, stores: &[Arc<dyn crate::store::Store>]) {
    let _backup = stores[0].turn(fixture.backup).await.unwrap();
    let (inside, most) = (AtomicU32::new(0), AtomicU32::new(0));
    let (inside, most) = (&inside, &most);
    let each = (0..12).map(|n| async move {
        let _turn = stores[n % stores.len()].turn(fixture.connection).await.unwrap();
        let now = inside.fetch_add(1, Ordering::SeqCst) + 1;
        most.fetch_max(now, Ordering::SeqCst);
        // The others get a chance to break in.
        stores[0].revision().await.unwrap();
        inside.fetch_sub(1, Ordering::SeqCst);
    });
    futures::future::join_all(each).await;
    assert_eq!(most.load(Ordering::SeqCst), 1);
}
