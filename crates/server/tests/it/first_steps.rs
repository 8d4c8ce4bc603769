//! What a new user does in the first ten minutes.

use serde_json::json;

use crate::{
    hub::{Folder, states},
    vendors,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_needs_nothing_and_prints_address_and_key_once() {
    let folder = Folder::new();
    let hub = folder.start();
    assert!(hub.address.starts_with("http://127.0.0.1:"), "{:?}", hub.banner);
    assert!(hub.banner.iter().any(|line| line.contains("swb_")), "{:?}", hub.banner);
    assert!(folder.data().join("switchboard.db").is_file());
    drop(hub);
    let hub = folder.start();
    assert!(!hub.banner.iter().any(|line| line.contains("swb_")), "{:?}", hub.banner);
    // The key of the first start is still good.
    assert_eq!(hub.get("/v1/events").await.fine(200)["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_without_any_connection_is_kept_and_says_so() {
    let folder = Folder::new();
    let hub = folder.start();
    let event =
        json!({"type": "message.received", "id": "m-1", "data": {"senderName": "张三", "messageContent": "你好"}});
    let receipt = hub.post("/v1/events", &event).await.fine(202);
    assert_eq!(
        (receipt["status"].as_str(), receipt["deliveries"].as_u64()),
        (Some("accepted"), Some(0))
    );
    assert!(
        receipt["note"].as_str().is_some_and(|note| note.contains("connected")),
        "{receipt}"
    );
    let story = hub.story(receipt["id"].as_str().unwrap()).await;
    assert_eq!(story["data"], event["data"]);
    assert_eq!(story["type"], "message.received");
    assert_eq!(
        hub.get("/v1/events?type=message.received").await.fine(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_becomes_records_at_the_vendors_and_its_story_shows_the_calls() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    for system in ["salesforce", "hubspot", "notion"] {
        let done = hub
            .post("/api/crm/configure", &vendors::integration(&vendors, system))
            .await
            .fine(200);
        assert_eq!(done["connections"][0]["state"], "active", "{done}");
        let test = hub
            .post("/api/crm/test-connection", &json!({"integrationId": system}))
            .await
            .fine(200);
        assert_eq!(test["ok"], true, "{test}");
    }
    hub.post("/api/crm/configure", &vendors::webhook(&vendors))
        .await
        .fine(200);
    let event = hub
        .message(json!({
            "senderName": "Анна Петрова", "senderEmail": "anna@example.org", "senderPhone": "+44 7700 900123",
            "tenantName": "ООО Пример", "platform": "telegram", "category": "销售线索", "priority": "high",
            "messageContent": "Здравствуйте! 😀 Nguyễn Văn A", "receivedAt": "2026-11-24T09:30:00Z",
        }))
        .await;
    let story = hub.settled(&event).await;
    assert_eq!(states(&story), ["delivered"; 6], "{story:#}");
    for (vendor, object) in [
        ("salesforce", "Lead"),
        ("salesforce", "Case"),
        ("hubspot", "contacts"),
        ("hubspot", "tickets"),
        ("notion", "pages"),
        ("webhook", "deliveries"),
    ] {
        let records = vendors::records(&vendors, vendor, object);
        assert_eq!(records.len(), 1, "{vendor} {object}");
        let text = records[0].to_string();
        assert!(
            text.contains("Анна") || text.contains("😀"),
            "{vendor} {object}: {text}"
        );
    }
    let calls = story["deliveries"][0]["calls"].as_array().unwrap();
    assert!(calls.iter().any(|call| call["outcome"] == "delivered"), "{calls:?}");
    assert!(!story.to_string().contains("your-client-secret"));
    let status = hub.get("/api/crm/sync-status/salesforce").await.fine(200);
    assert_eq!(
        (status["delivered"].as_u64(), status["pending"].as_u64()),
        (Some(2), Some(0)),
        "{status}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_pages_that_join_without_gap_or_overlap() {
    let folder = Folder::new();
    let hub = folder.start();
    let batch: Vec<_> = (0..25)
        .map(|n| json!({"type": "call.missed", "data": {"n": n}}))
        .collect();
    let answer = hub.post("/v1/events", &json!(batch)).await.fine(202);
    assert_eq!(answer["results"].as_array().unwrap().len(), 25);
    let (mut seen, mut before) = (Vec::new(), String::new());
    loop {
        let page = hub.get(&format!("/v1/events?limit=10{before}")).await.fine(200);
        seen.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|event| event["data"]["n"].as_u64().unwrap()),
        );
        let Some(next) = page["next"].as_str() else { break };
        before = format!("&before={next}");
    }
    assert_eq!(seen, (0..25).rev().collect::<Vec<u64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_watches_the_hub_needs_no_key() {
    let folder = Folder::new();
    let hub = folder.start();
    for path in [
        "/",
        "/livez",
        "/readyz",
        "/openapi.json",
        "/metrics",
        "/errors/SWB-API-001",
    ] {
        let reply = hub.send(hub.anonymous("GET", path)).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
    }
    let page = hub.send(hub.anonymous("GET", "/errors/SWB-API-001")).await;
    assert!(page.text.contains("SWB-API-001"));
    hub.post("/v1/events", &json!({"type": "call.missed", "data": {}}))
        .await
        .fine(202);
    let metrics = hub.send(hub.anonymous("GET", "/metrics")).await.text;
    assert!(
        metrics.contains("switchboard_events_total{kind=\"call.missed\""),
        "{metrics}"
    );
}
