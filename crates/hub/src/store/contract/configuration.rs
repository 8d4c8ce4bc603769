//! Configuration and keys.

use serde_json::{Map, json};
use switchboard_model::{connection::ConnectionState, id::KeyId};

use super::{
    bench::{Bench, NOW},
    fixture::Fixture,
};
use crate::store::{
    ConfigurationChange, ConnectionNote, DefinitionKind, DefinitionWrite, DiscoveredRow, KeyRow, Removal,
};

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

pub(super) async fn definitions(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let other = fixture.store.workspace("other").await.unwrap();
    let write = |kind, key: &str, name: &str| DefinitionWrite {
        kind,
        key: key.into(),
        spec: json!({"name": name}),
        sealed: vec![7],
    };
    let change = |definitions, removed| ConfigurationChange {
        definitions,
        removed,
        now_ms: NOW,
        ..Default::default()
    };
    let (list, table) = (DefinitionKind::List, DefinitionKind::Object);
    let first = vec![
        write(list, "渠道", "one"),
        write(table, "渠道", "two"),
        write(list, "b", "three"),
    ];
    fixture
        .store
        .configure(fixture.workspace, change(first, vec![]))
        .await
        .unwrap();
    let theirs = vec![write(list, "渠道", "theirs")];
    fixture.store.configure(other, change(theirs, vec![])).await.unwrap();
    let gone = vec![
        Removal::Definition(list, "b".into()),
        Removal::Definition(table, "b".into()),
    ];
    let again = vec![write(list, "渠道", "four")];
    let before = fixture.store.revision().await.unwrap();
    fixture
        .store
        .configure(fixture.workspace, change(again, gone))
        .await
        .unwrap();
    assert!(fixture.store.revision().await.unwrap() > before);
    let found = fixture.store.configuration().await.unwrap().definitions;
    let shown: Vec<_> = found
        .iter()
        .map(|row| (row.workspace, row.kind, &*row.key, row.spec["name"].as_str().unwrap()))
        .collect();
    let own = fixture.workspace;
    let expected = [
        (own, list, "渠道", "four"),
        (own, table, "渠道", "two"),
        (other, list, "渠道", "theirs"),
    ];
    assert_eq!(shown, expected);
    assert!(found.iter().all(|row| row.sealed == [7] && row.changed_ms == NOW));
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
