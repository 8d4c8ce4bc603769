//! `switchboard migrate`: an installation goes from a folder to PostgreSQL, with what waits in it.
//!
//! Needs `SWITCHBOARD_TEST_POSTGRES_URL`, the address of a server whose user may create databases. Without it the test says that it was
//! skipped; in continuous integration (`CI` is set) it fails.

use serde_json::{Value, json};

use crate::{
    hub::{Folder, Hub, Reply, states},
    vendors,
};

const ADDRESS: &str = "SWITCHBOARD_TEST_POSTGRES_URL";

/// A database for one test.
struct Database {
    server: tokio_postgres::Client,
    name: String,
    url: String,
}

impl Database {
    async fn new(test: &str) -> Option<Self> {
        let Some(address) = std::env::var_os(ADDRESS).filter(|address| !address.is_empty()) else {
            assert!(
                std::env::var_os("CI").is_none(),
                "{ADDRESS} is not set, and this is continuous integration"
            );
            eprintln!("skipped: {ADDRESS} is not set, PostgreSQL is not tested: {test}");
            return None;
        };
        let mut url = url::Url::parse(address.to_str().unwrap()).unwrap();
        let (server, connection) = tokio_postgres::connect(url.as_str(), tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        let random: u64 = rand::random();
        let name = format!("switchboard_test_{random:016x}");
        server.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        url.set_path(&name);
        Some(Self {
            server,
            name,
            url: url.into(),
        })
    }

    /// Removes the database of a test that has passed.
    async fn finish(self) {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        self.server.batch_execute(&drop).await.unwrap();
    }
}

async fn with_key(hub: &Hub, key: &str) -> Reply {
    let event = json!({"type": "message.received", "data": {"messageContent": format!("消息 {key}")}});
    let request = hub
        .request("POST", "/v1/events")
        .header("content-type", "application/json");
    hub.send(request.header("Idempotency-Key", key).body(event.to_string()))
        .await
}

fn id(receipt: &Value) -> String {
    receipt["id"].as_str().unwrap().to_owned()
}

fn retry_soon<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["--retry-base-ms", "20", "--retry-cap-ms", "200"], more].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_moves_to_postgresql_and_back_and_what_waits_is_delivered_there() {
    let name = "an_installation_moves_to_postgresql_and_back_and_what_waits_is_delivered_there";
    let Some(database) = Database::new(name).await else {
        return;
    };
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    hub.post("/api/crm/configure", &vendors::webhook(&vendors))
        .await
        .fine(200);
    let mut stories = Vec::new();
    for number in 0..5 {
        let event = id(&with_key(&hub, &format!("old-{number}")).await.fine(202));
        stories.push((event.clone(), hub.settled(&event).await));
    }
    vendors::down(&vendors, "webhook", true);
    let mut waiting = Vec::new();
    for number in 0..3 {
        waiting.push(id(&with_key(&hub, &format!("waits-{number}")).await.fine(202)));
    }
    let to_postgres = ["migrate", "--from", "sqlite", "--to", &database.url];
    let busy = folder.run(&to_postgres);
    assert_eq!(busy.code, Some(1), "a hub is at work on the folder: {busy:?}");
    assert_eq!(hub.terminate().code(), Some(0));
    let moved = folder.run(&to_postgres).fine().stdout;
    assert!(
        moved.contains("event: 8 rows") && moved.contains("seen: 8 rows"),
        "{moved}"
    );
    let again = folder.run(&to_postgres);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stderr.contains("name one that is empty"), "{}", again.stderr);

    vendors::down(&vendors, "webhook", false);
    let hub = folder.start_with(&retry_soon(&["--database", &database.url]));
    for event in &waiting {
        let story = hub.settled(event).await;
        assert_eq!(states(&story), ["delivered"]);
        stories.push((event.clone(), story));
    }
    check(&hub, &stories).await;
    assert_eq!(vendors::records(&vendors, "webhook", "deliveries").len(), 8);
    assert_eq!(hub.terminate().code(), Some(0));

    let back = folder.data().with_file_name("back");
    let back = back.to_str().unwrap();
    let to_folder = format!("sqlite:{back}");
    folder
        .run(&["migrate", "--from", &database.url, "--to", &to_folder])
        .fine();
    std::fs::copy(
        folder.data().join("master.key"),
        std::path::Path::new(back).join("master.key"),
    )
    .unwrap();
    let hub = folder.start_with(&retry_soon(&["--data", back]));
    check(&hub, &stories).await;
    let fresh = id(&with_key(&hub, "fresh").await.fine(202));
    assert_eq!(states(&hub.settled(&fresh).await), ["delivered"]);
    assert_eq!(vendors::records(&vendors, "webhook", "deliveries").len(), 9);
    hub.kill();
    database.finish().await;
}

/// What was there before is there, and known when it comes again.
async fn check(hub: &Hub, stories: &[(String, Value)]) {
    for (number, (event, story)) in stories.iter().enumerate() {
        assert_eq!(hub.story(event).await, *story);
        let key = match number {
            0..5 => format!("old-{number}"),
            _ => format!("waits-{}", number - 5),
        };
        let repeat = with_key(hub, &key).await;
        assert_eq!(repeat.headers["idempotency-replayed"], "true", "{}", repeat.text);
        assert_eq!(id(&repeat.fine(202)), *event);
    }
}
