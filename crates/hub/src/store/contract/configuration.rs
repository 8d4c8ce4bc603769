//! Configuration and keys.

use serde_json::{Map, json};
use switchboard_model::{connection::ConnectionState, id::KeyId};

use super::{
    bench::{Bench, NOW},
    fixture::Fixture,
};
use crate::store::{ConfigurationChange, ConnectionNote, DiscoveredRow, KeyRow};

pub(super) async fn revision(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let before = fixture.store.revision().await.unwrap();
    let change = ConfigurationChange {
        now_ms: NOW,
        ..Default::default()
    };
    fixture.store.configure(fixture.workspace, change).await.unwrap();
    assert!(fixture.store.revision().await.unwrap() > before);
    let facts = Map::from_iter([("a".to_owned(), json!(1))]);
    let note = ConnectionNote {
        facts: Some(facts.clone()),
        ..Default::default()
    };
    fixture.store.note_connection(fixture.connection, note).await.unwrap();
    let found = fixture.store.configuration().await.unwrap();
    assert_eq!(found.connections[0].facts, facts);
    assert_eq!(found.connections[0].sealed, [1]);
}

pub(super) async fn refusals(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let refusal = |about: &[u8]| ConnectionNote {
        state: Some((ConnectionState::Error, Some("wrong".into()))),
        about: Some(about.to_vec()),
        ..Default::default()
    };
    for (about, state) in [([9], ConnectionState::Active), ([1], ConnectionState::Error)] {
        let note = refusal(&about);
        fixture.store.note_connection(fixture.connection, note).await.unwrap();
        let found = fixture.store.configuration().await.unwrap();
        assert_eq!(found.connections[0].state, state, "credentials {about:?} were refused");
    }
}

pub(super) async fn discovered(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let row = |part: &str, found_ms, content: &str| DiscoveredRow {
        part: part.into(),
        account: vec![1, 2],
        found_ms,
        content: content.into(),
    };
    let before = fixture.store.revision().await.unwrap();
    for kept in [
        row("object:lead", NOW, "{\"поле\": 1}"),
        row("setting:boardId", NOW, "[]"),
        row("object:lead", NOW + 1, "{\"字段\": 2}"),
    ] {
        fixture.store.keep_discovered(fixture.connection, kept).await.unwrap();
    }
    let expected = [
        row("object:lead", NOW + 1, "{\"字段\": 2}"),
        row("setting:boardId", NOW, "[]"),
    ];
    assert_eq!(fixture.store.discovered(fixture.connection).await.unwrap(), expected);
    let other = switchboard_model::id::ConnectionId(fixture.connection.0 + 1_000);
    assert!(fixture.store.discovered(other).await.unwrap().is_empty());
    assert_eq!(fixture.store.revision().await.unwrap(), before);
}

pub(super) async fn keys(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let before = fixture.store.revision().await.unwrap();
    let key = KeyRow {
        id: KeyId(7),
        workspace: fixture.workspace,
        name: "отдел продаж".into(),
        hash: [5; 32],
        created_ms: NOW,
    };
    fixture.store.add_key(key.clone()).await.unwrap();
    assert!(fixture.store.revision().await.unwrap() > before);
    let found = fixture.store.keys().await.unwrap();
    assert_eq!(
        (found[0].id, &found[0].name, found[0].hash),
        (key.id, &key.name, key.hash)
    );
}

pub(super) async fn closed(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    fixture.store.close().await.unwrap();
    assert!(fixture.store.accept(vec![fixture.event("late", None)]).await.is_err());
}
