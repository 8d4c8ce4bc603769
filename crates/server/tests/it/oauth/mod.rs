//! Signing in on a vendor's page, against a real authorisation server.

mod authority;

use authority::{Authority, PUBLIC};
use serde_json::{Value, json};

use crate::{
    hub::{Folder, Hub, Reply, states},
    wait::until,
};

/// A folder whose hub knows the application behind the server.
fn folder() -> Folder {
    let folder = Folder::new();
    let connector = folder.data().join("connectors/granted");
    std::fs::create_dir_all(&connector).unwrap();
    for (name, text) in [
        ("connector.yaml", include_str!("connector.yaml")),
        ("guide.md", "# Granted\n"),
        ("icon.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>\n"),
    ] {
        std::fs::write(connector.join(name), text).unwrap();
    }
    folder
}

fn start(folder: &Folder) -> Hub {
    folder.start_with(&["--public-url", PUBLIC, "--retry-base-ms", "20", "--retry-cap-ms", "200"])
}

fn connection(authority: &Authority, key: &str) -> Value {
    json!({
        "key": key, "connector": "granted", "auth": "oauth",
        "settings": {"baseUrl": authority.address},
        "secrets": {"clientId": "switchboard", "clientSecret": "made-up"},
    })
}

async fn configure(hub: &Hub, connections: Vec<Value>) {
    let configuration = json!({"connections": connections});
    hub.post("/api/crm/configure", &configuration).await.fine(200);
}

/// The page that a person has to open.
async fn begin(hub: &Hub, key: &str) -> String {
    let path = format!("/v1/connections/{key}/oauth/start");
    let started = hub.post(&path, &json!({})).await.fine(200);
    assert_eq!(started["redirect_uri"], format!("{PUBLIC}/oauth/callback"));
    started["authorization_url"].as_str().unwrap().to_owned()
}

/// The person comes back to the hub with what the server gave them.
async fn come_back(hub: &Hub, address: &str) -> Reply {
    let path = address.strip_prefix(PUBLIC).unwrap();
    hub.send(hub.anonymous("GET", path)).await
}

async fn connect(hub: &Hub, authority: &Authority, key: &str, account: &str) -> Value {
    let back = authority.sign_in(&begin(hub, key).await, account).await;
    come_back(hub, &back).await.fine(200)
}

async fn shown(hub: &Hub, key: &str) -> Value {
    let connections = hub.get("/v1/connections").await.fine(200);
    let mut connections = connections["items"].as_array().unwrap().iter();
    connections.find(|shown| shown["key"] == key).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_and_tokens_are_renewed_until_the_grant_is_withdrawn() {
    let Some(authority) = Authority::start("the whole way") else {
        return;
    };
    let folder = folder();
    let hub = start(&folder);
    configure(&hub, vec![connection(&authority, "crm")]).await;
    let draft = shown(&hub, "crm").await;
    assert_eq!(
        (&draft["state"], &draft["reason"]),
        (&json!("draft"), &json!("missing: refreshToken"))
    );
    assert_eq!(draft["sign_in"]["start"], "/v1/connections/crm/oauth/start");
    let addresses = hub.get("/v1/oauth").await.fine(200);
    assert_eq!(
        addresses,
        json!({"redirect_uri": format!("{PUBLIC}/oauth/callback"), "connections": ["crm"]})
    );

    let done = connect(&hub, &authority, "crm", "ana").await;
    assert_eq!(
        done,
        json!({"connection": "crm", "connector": "Granted", "message": "Connected as ana."})
    );
    assert_eq!(shown(&hub, "crm").await["state"], "active");
    let event = hub.message(json!({"messageContent": "你好"})).await;
    assert_eq!(states(&hub.settled(&event).await), ["delivered"]);
    assert_eq!(authority.counts().await, [1, 0, 0], "the token of the sign-in is used");

    // Twice, so that the second time the refresh token is used that replaced the first one; then also after a restart.
    for renewals in 1..=2 {
        authority.expire_tokens().await;
        let event = hub.message(json!({"messageContent": "again"})).await;
        assert_eq!(states(&hub.settled(&event).await), ["delivered"]);
        assert_eq!(authority.counts().await, [1, renewals, 0]);
    }
    assert_eq!(hub.terminate().code(), Some(0));
    let hub = start(&folder);
    let event = hub.message(json!({"messageContent": "after a restart"})).await;
    assert_eq!(states(&hub.settled(&event).await), ["delivered"]);
    assert_eq!(authority.counts().await, [1, 2, 0], "the token that was kept is used");

    // The same file again says nothing of the refresh token; the sign-in stays.
    configure(&hub, vec![connection(&authority, "crm")]).await;
    assert_eq!(shown(&hub, "crm").await["state"], "active");

    authority.expire_tokens().await;
    authority.revoke("ana").await;
    let event = hub.message(json!({"messageContent": "waits"})).await;
    let stopped = until("the connection stands still", async || {
        let shown = shown(&hub, "crm").await;
        (shown["state"] == "error").then_some(shown)
    })
    .await;
    assert_eq!(stopped["problem"]["code"], "SWB-DLV-009", "{stopped}");
    assert!(
        stopped["reason"].as_str().unwrap().starts_with("Reconnect: "),
        "{stopped}"
    );
    connect(&hub, &authority, "crm", "ana").await;
    assert_eq!(states(&hub.settled(&event).await), ["delivered"]);
    assert_eq!(authority.records().await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_accounts_of_one_system_are_two_connections() {
    let Some(authority) = Authority::start("two accounts") else {
        return;
    };
    let folder = folder();
    let hub = start(&folder);
    configure(&hub, ["north", "south"].map(|key| connection(&authority, key)).to_vec()).await;
    // Both are under way at once, and come back in the other order.
    let (north, south) = (begin(&hub, "north").await, begin(&hub, "south").await);
    for (page, account, key) in [(south, "sofia", "south"), (north, "nina", "north")] {
        let back = authority.sign_in(&page, account).await;
        assert_eq!(come_back(&hub, &back).await.fine(200)["connection"], key);
    }
    let event = hub.message(json!({"messageContent": "оба"})).await;
    assert_eq!(states(&hub.settled(&event).await), ["delivered", "delivered"]);
    let mut accounts: Vec<_> = authority.records().await.into_iter().map(|record| record.0).collect();
    accounts.sort();
    assert_eq!(accounts, ["nina", "sofia"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_wrongly_is_refused_in_plain_words_and_changes_nothing() {
    let Some(authority) = Authority::start("wrong ways back") else {
        return;
    };
    let folder = folder();
    let hub = start(&folder);
    configure(&hub, vec![connection(&authority, "crm")]).await;

    for forged in [
        "/oauth/callback?code=x&state=made-up",
        "/oauth/callback?code=x",
        "/oauth/callback",
    ] {
        hub.send(hub.anonymous("GET", forged)).await.problem(400, "SWB-CON-001");
    }

    let declined = authority.decline(&begin(&hub, "crm").await, "ana").await;
    let problem = come_back(&hub, &declined).await.problem(400, "SWB-CON-003");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("the access was not granted"),
        "{problem}"
    );
    come_back(&hub, &declined).await.problem(400, "SWB-CON-001");

    // Another code under a state that is waited for: the server does not give tokens for it.
    let page = url::Url::parse(&begin(&hub, "crm").await).unwrap();
    let state = page
        .query_pairs()
        .find(|(name, _)| name == "state")
        .unwrap()
        .1
        .into_owned();
    let path = format!("/oauth/callback?code=made-up&state={state}");
    hub.send(hub.anonymous("GET", &path)).await.problem(400, "SWB-CON-003");

    // A fact of the account that does not look as expected is used for nothing.
    let page = begin(&hub, "crm").await;
    let back = authority.sign_in(&page, "ana").await;
    let elsewhere = back.replace("iss=http%3A%2F%2F127.0.0.1", "iss=http%3A%2F%2Felsewhere.example");
    assert_ne!(back, elsewhere);
    come_back(&hub, &elsewhere).await.problem(400, "SWB-CON-003");
    assert_eq!(authority.counts().await, [0, 0, 0]);
    assert_eq!(shown(&hub, "crm").await["state"], "draft");

    let back = authority.sign_in(&begin(&hub, "crm").await, "ana").await;
    let page = hub.anonymous("GET", back.strip_prefix(PUBLIC).unwrap());
    let page = hub.send(page.header("accept", "text/html")).await;
    assert_eq!(
        (page.status, &page.headers["cache-control"]),
        (200, &"no-store".parse().unwrap())
    );
    assert!(
        page.text.contains("Granted is connected") && page.text.contains("Connected as ana."),
        "{}",
        page.text
    );
    come_back(&hub, &back).await.problem(400, "SWB-CON-001");
    assert_eq!(shown(&hub, "crm").await["state"], "active");

    let with_token = json!({
        "key": "by-token", "connector": "granted", "auth": "token",
        "settings": {"baseUrl": authority.address}, "secrets": {"token": "made-up"},
    });
    configure(&hub, vec![with_token]).await;
    let refused = hub.post("/v1/connections/by-token/oauth/start", &json!({})).await;
    refused.problem(409, "SWB-CON-004");
    let unknown = hub.post("/v1/connections/nobody/oauth/start", &json!({})).await;
    unknown.problem(404, "SWB-API-008");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_deliveries_with_an_expired_token_make_one_refresh() {
    let Some(authority) = Authority::start("one refresh") else {
        return;
    };
    let folder = folder();
    let hub = start(&folder);
    configure(&hub, vec![connection(&authority, "crm")]).await;
    connect(&hub, &authority, "crm", "ana").await;
    authority.expire_tokens().await;
    let batch: Vec<Value> = (0..50)
        .map(|n| json!({"type": "message.received", "data": {"messageContent": format!("м{n}")}}))
        .collect();
    hub.post("/v1/events", &json!(batch)).await.fine(202);
    hub.idle().await;
    assert_eq!(authority.records().await.len(), 50);
    assert_eq!(authority.counts().await, [1, 1, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_ends_soon_is_told_of() {
    let Some(authority) = Authority::start("the end of a sign-in") else {
        return;
    };
    let folder = folder();
    let hub = start(&folder);
    configure(&hub, vec![connection(&authority, "crm")]).await;
    connect(&hub, &authority, "crm", "ana").await;
    let listed = shown(&hub, "crm").await;
    assert!(listed["sign_in"]["ends_at"].is_string(), "{listed}");
    let status = hub.get("/api/crm/sync-status/crm").await.fine(200);
    for notes in [&listed["notes"], &status["notes"]] {
        let told = notes.as_array().unwrap().iter();
        let told = told.filter(|note| note.as_str().unwrap().starts_with("The sign-in ends on "));
        assert_eq!(told.count(), 1, "{notes}");
    }
}
