//! The same thing twice is one thing; and long or unusual texts arrive as they were sent.

use serde_json::{Value, json};

use crate::{hub::Folder, vendors};

#[tokio::test(flavor = "multi_thread")]
async fn the_same_message_twice_is_one_event_and_one_record() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    hub.post("/api/crm/configure", &vendors::integration(&vendors, "notion"))
        .await
        .fine(200);
    let event =
        json!({"type": "message.received", "id": "tg-77", "data": {"senderName": "李娜", "messageContent": "在吗？"}});
    let first = hub.post("/v1/events", &event).await.fine(202);
    let second = hub.post("/v1/events", &event).await.fine(202);
    assert_eq!(
        (first["status"].as_str(), second["status"].as_str()),
        (Some("accepted"), Some("duplicate"))
    );
    assert_eq!(first["id"], second["id"]);
    hub.settled(first["id"].as_str().unwrap()).await;
    hub.idle().await;
    assert_eq!(vendors::records(&vendors, "notion", "pages").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_came_with_another_content_is_refused_alone() {
    let folder = Folder::new();
    let hub = folder.start();
    let event = |id: &str, n: u32| json!({"type": "call.missed", "id": id, "data": {"n": n}});
    hub.post("/v1/events", &event("a", 1)).await.fine(202);
    hub.post("/v1/events", &event("a", 2)).await.problem(422, "SWB-API-011");
    let answer = hub
        .post("/v1/events", &json!([event("b", 1), event("a", 2), event("c", 3)]))
        .await
        .fine(202);
    let statuses: Vec<_> = answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["accepted", "rejected", "accepted"], "{answer}");
    assert_eq!(answer["results"][1]["problem"]["place"], "/1/id");
    let page = hub.get("/v1/events").await.fine(200);
    let order: Vec<_> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["data"]["n"].as_u64().unwrap())
        .collect();
    assert_eq!(order, [3, 1, 1], "newest first, in the order of the batch");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_gets_the_same_answer_again_and_another_body_is_refused() {
    let folder = Folder::new();
    let hub = folder.start();
    let post = async |key: &str, body: &Value| {
        let request = hub
            .request("POST", "/v1/events")
            .header("content-type", "application/json");
        hub.send(request.header("Idempotency-Key", key).body(body.to_string()))
            .await
    };
    let one = json!({"type": "call.missed", "data": {"phone": "+44 7700 900123"}});
    let batch = json!([{"type": "call.missed", "data": {"n": 1}}, {"type": "wrong", "data": {}}, {"type": "call.missed", "data": {"n": 2}}]);
    for (key, body) in [("k-1", &one), ("k-2", &batch)] {
        let first = post(key, body).await;
        let again = post(key, body).await;
        assert_eq!((first.status, again.status), (202, 202), "{}", again.text);
        assert_eq!(first.text, again.text);
        assert!(!first.headers.contains_key("idempotency-replayed"));
        assert_eq!(again.headers["idempotency-replayed"], "true");
    }
    let other = json!({"type": "call.missed", "data": {"phone": "+44 7700 900999"}});
    post("k-1", &other).await.problem(422, "SWB-API-011");
    post("k-3", &other).await.fine(202);
    post(&"k".repeat(256), &other).await.problem(400, "SWB-API-013");
    assert_eq!(
        hub.get("/v1/events").await.fine(200)["items"].as_array().unwrap().len(),
        4
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_of_64_kilobytes_and_every_kind_of_letter_arrive() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    for system in ["salesforce", "hubspot", "notion"] {
        hub.post("/api/crm/configure", &vendors::integration(&vendors, system))
            .await
            .fine(200);
    }
    hub.post("/api/crm/configure", &vendors::webhook(&vendors))
        .await
        .fine(200);
    let unusual = "👨‍👩‍👧‍👦 Здравствуйте 您好 Xin chào مرحبا \"quotes\" \\ {{senderName}} <b>&amp;</b> '; DROP TABLE event; --\n\ttab \u{202e}rtl";
    let long = format!("{unusual} {}", "长文本😀 ".repeat(65_536 / 15));
    for text in [unusual, &long] {
        let event = hub
            .message(json!({
                "senderName": "O'Brien \"Ö\" 😀", "senderEmail": "ob@example.org", "tenantName": "<Ltd>", "messageContent": text,
            }))
            .await;
        let story = hub.settled(&event).await;
        assert!(
            crate::hub::states(&story).iter().all(|state| *state == "delivered"),
            "{story:#}"
        );
        assert_eq!(story["data"]["messageContent"], text);
    }
    let hooks = vendors::records(&vendors, "webhook", "deliveries");
    assert!(
        hooks.iter().any(|hook| texts(&hook["body"]).contains(&long)),
        "the webhook has the whole text"
    );
    let pages = vendors::records(&vendors, "notion", "pages");
    assert_eq!(pages.len(), 2);
    let whole = |page: &Value| {
        let parts = page["properties"]["内容"]["rich_text"].as_array().unwrap();
        parts
            .iter()
            .map(|part| part["text"]["content"].as_str().unwrap())
            .collect::<String>()
    };
    assert!(
        pages.iter().any(|page| whole(page) == long),
        "notion has the whole text, in parts"
    );
    assert_eq!(vendors::records(&vendors, "salesforce", "Case").len(), 2);
    assert_eq!(vendors::records(&vendors, "hubspot", "tickets").len(), 2);
}

/// Every text of a value.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(members) => members.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}
