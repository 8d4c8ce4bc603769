//! Connectors of the data folder are taken up while the hub runs; a broken one is refused, and the former one stays.

use std::{fs, path::Path};

use serde_json::{Value, json};
use switchboard_simulator::{Options, Running};

use crate::hub::{Folder, Hub, states};

/// The folder of the example connector in the data folder of a hub.
fn example(folder: &Folder) -> std::path::PathBuf {
    let data = folder.data();
    let place = data.join("connectors").display().to_string();
    folder.run(&["connector", "new", "my-crm", "--within", &place]).fine();
    data.join("connectors").join("my-crm")
}

async fn vendor(connector: &Path) -> Running {
    let options = Options {
        only: vec!["my-crm".into()],
        ..Options::demo()
    };
    let options = options.with_connectors(connector).unwrap();
    switchboard_simulator::start(([127, 0, 0, 1], 0).into(), options)
        .await
        .unwrap()
}

fn change(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(file, text.replace(from, to)).unwrap();
}

async fn connect(hub: &Hub, vendor: &Running) {
    let connection = json!({"connections": [{
        "key": "mine", "connector": "my-crm", "secrets": {"token": "made-up"},
        "settings": {"baseUrl": format!("{}/v1", vendor.url("my-crm"))},
    }]});
    hub.post("/api/crm/configure", &connection).await.fine(200);
}

async fn reload(hub: &Hub) -> Value {
    hub.post("/v1/connectors/reload", &json!({})).await.fine(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_is_added_changed_broken_and_removed_while_the_hub_runs() {
    let folder = Folder::new();
    let hub = folder.start();
    let connector = example(&folder);
    let manifest = connector.join("connector.yaml");
    let vendor = vendor(&connector).await;

    let added = reload(&hub).await;
    assert_eq!(added["loaded"], json!(["my-crm"]), "{added}");
    connect(&hub, &vendor).await;
    let first = hub
        .message(json!({"senderName": "Ana", "senderEmail": "ana@example.org"}))
        .await;
    assert_eq!(states(&hub.settled(&first).await), ["delivered"; 2]);

    change(
        &manifest,
        "body: \"{{ messageContent }}\"",
        "body: \"News: {{ messageContent }}\"",
    );
    let changed = reload(&hub).await;
    assert_eq!(changed["loaded"], json!(["my-crm"]), "{changed}");
    let second = hub
        .message(json!({"senderName": "王小明", "senderEmail": "wang@example.org", "messageContent": "价格？"}))
        .await;
    hub.settled(&second).await;
    let tickets = vendor.records("my-crm", "tickets").unwrap();
    assert_eq!(tickets.last().unwrap()["body"], "News: 价格？", "{tickets:?}");
    assert_eq!(reload(&hub).await["unchanged"], json!(["my-crm"]));

    change(&manifest, "summary:", "sumary:");
    let broken = reload(&hub).await;
    assert_eq!(broken["loaded"], json!([]), "{broken}");
    let refused = broken["refused"].to_string();
    assert!(
        refused.contains("sumary") && refused.contains("connector.yaml:"),
        "{refused}"
    );
    let third = hub
        .message(json!({"senderName": "Ivan", "senderEmail": "ivan@example.org"}))
        .await;
    assert_eq!(states(&hub.settled(&third).await), ["delivered"; 2]);
    assert_eq!(vendor.records("my-crm", "contacts").unwrap().len(), 3);

    fs::remove_dir_all(&connector).unwrap();
    assert_eq!(reload(&hub).await["removed"], json!(["my-crm"]));
    let connections = hub.get("/v1/connections").await.fine(200);
    assert_eq!(connections["items"][0]["state"], "error", "{connections}");
    hub.anonymous("POST", "/v1/connectors/reload")
        .send()
        .await
        .map(|reply| assert_eq!(reply.status(), 401))
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_connector_in_the_data_folder_keeps_no_hub_from_starting() {
    let folder = Folder::new();
    let connector = example(&folder);
    change(&connector.join("connector.yaml"), "summary:", "sumary:");
    let hub = folder.start();
    let systems = hub.get("/api/crm/supported").await.fine(200).to_string();
    assert!(systems.contains("hubspot") && !systems.contains("my-crm"), "{systems}");
    change(&connector.join("connector.yaml"), "sumary:", "summary:");
    assert_eq!(reload(&hub).await["loaded"], json!(["my-crm"]));
    let systems = hub.get("/api/crm/supported").await.fine(200);
    let mine = systems["supported"]
        .as_array()
        .unwrap()
        .iter()
        .find(|system| system["type"] == "my-crm")
        .unwrap();
    assert!(mine.get("conformance").is_none(), "nobody has tested it: {mine}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_of_connectors_is_the_operators() {
    let folder = Folder::new();
    drop(folder.start());
    let told = folder.run(&["keys", "create", "tenant"]).fine().stdout;
    let key = told
        .split_whitespace()
        .find(|word| word.starts_with("swb_"))
        .unwrap()
        .to_owned();
    let db = rusqlite::Connection::open(folder.data().join("switchboard.db")).unwrap();
    db.execute_batch(
        "INSERT INTO workspace (key) VALUES ('tenant');
         UPDATE api_key SET workspace = (SELECT id FROM workspace WHERE key = 'tenant') WHERE name = 'tenant'",
    )
    .unwrap();
    drop(db);
    let hub = folder.start();
    let asked = hub.anonymous("POST", "/v1/connectors/reload").bearer_auth(&key);
    hub.send(asked).await.problem(403, "SWB-API-007");
    let mine = hub.anonymous("GET", "/v1/sources").bearer_auth(&key);
    assert_eq!(hub.send(mine).await.status, 200, "it is a good key");
}
