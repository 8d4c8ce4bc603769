//! Access tokens: one refresh for many that wait; credentials that are refused stop the connection and lose nothing.

use serde_json::{Value, json};
use switchboard_simulator::{Fault, Rule};

use crate::{
    hub::{Folder, states},
    vendors,
    wait::until,
};

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_is_renewed_once_for_all_that_wait() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    hub.post("/api/crm/configure", &vendors::integration(&vendors, "salesforce"))
        .await
        .fine(200);
    let message = |n: usize| json!({"type": "message.received", "data": {"senderEmail": format!("a{n}@example.org"), "tenantName": "E"}});
    hub.post("/v1/events", &message(0)).await.fine(202);
    hub.idle().await;
    let before = vendors::calls(&vendors, "salesforce", "POST", "/services/oauth2/token");
    assert_eq!(before, 1);
    vendors.expire_tokens("salesforce").unwrap();
    let batch: Vec<Value> = (1..40).map(message).collect();
    hub.post("/v1/events", &json!(batch)).await.fine(202);
    hub.idle().await;
    assert_eq!(vendors::records(&vendors, "salesforce", "Case").len(), 40);
    let after = vendors::calls(&vendors, "salesforce", "POST", "/services/oauth2/token");
    assert_eq!(
        after - before,
        1,
        "one of the waiters renews, the others take its token"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_that_the_vendor_replaces_is_used_for_the_next_token_also_after_a_restart() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    let connection = json!({"connections": [{
        "key": "notion", "connector": "notion", "auth": "oauth",
        "settings": {"baseUrl": format!("{}/v1", vendors.url("notion")), "databaseId": "leads"},
        "secrets": {"clientId": "app", "clientSecret": "made-up", "refreshToken": "first"},
        "mappings": {"page": {"properties": {"客户姓名": {"title": [{"text": {"content": "{{ senderName }}"}}]}}}},
    }]});
    hub.post("/api/crm/configure", &connection).await.fine(200);
    let message = |name: &str| json!({"senderName": name});
    for name in ["Ana", "王小明", "Иван"] {
        let event = hub.message(message(name)).await;
        assert_eq!(states(&hub.settled(&event).await), ["delivered"], "{name}");
        vendors.expire_tokens("notion").unwrap();
    }
    assert_eq!(hub.terminate().code(), Some(0));
    let hub = folder.start();
    let event = hub.message(message("Hoa")).await;
    assert_eq!(states(&hub.settled(&event).await), ["delivered"]);
    assert_eq!(vendors::records(&vendors, "notion", "pages").len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_stop_the_connection_and_correct_ones_send_what_waited() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    hub.post("/api/crm/configure", &vendors::integration(&vendors, "notion"))
        .await
        .fine(200);
    // The first message lets the connection find out what it needs to know of the database.
    let first = hub
        .message(json!({"senderName": "Ana", "messageContent": "first"}))
        .await;
    hub.settled(&first).await;
    let refused = Fault::Status {
        code: 401,
        retry_after_s: None,
        applied: false,
    };
    vendors::fail(&vendors, "notion", [Rule::new(refused)]);
    let event = hub
        .message(json!({"senderName": "Ana", "messageContent": "hello"}))
        .await;
    until("the connection is in error", async || {
        let connections = hub.get("/v1/connections").await.fine(200);
        (connections["items"][0]["state"] == "error").then_some(())
    })
    .await;
    // The connection is stopped first, then what became of the call is written down.
    until("the delivery waits", async || {
        let story = hub.story(&event).await;
        let state = story["deliveries"][0]["state"].as_str().unwrap();
        assert!(["sending", "waiting", "unknown"].contains(&state), "{story:#}");
        (state != "sending").then_some(())
    })
    .await;
    vendors::down(&vendors, "notion", false);
    let test = hub
        .post("/api/crm/test-connection", &json!({"integrationId": "notion"}))
        .await
        .fine(200);
    assert_eq!(test["ok"], true, "{test}");
    hub.settled(&event).await;
    assert_eq!(vendors::records(&vendors, "notion", "pages").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_can_be_tested_before_it_is_kept() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    let test = hub
        .post("/api/crm/test-connection", &vendors::integration(&vendors, "hubspot"))
        .await
        .fine(200);
    assert_eq!(test["ok"], true, "{test}");
    assert!(!test.to_string().contains("your-hubspot-api-key"), "{test}");
    assert_eq!(hub.get("/v1/connections").await.fine(200)["items"], json!([]));
    vendors::down(&vendors, "hubspot", true);
    let test = hub
        .post("/api/crm/test-connection", &vendors::integration(&vendors, "hubspot"))
        .await
        .fine(200);
    assert_eq!(test["ok"], false, "{test}");
    assert_eq!(test["problem"]["fault"], "vendor", "{test}");
    hub.post("/api/crm/test-connection", &json!({"integrationId": "nobody"}))
        .await
        .problem(404, "SWB-API-008");
}
