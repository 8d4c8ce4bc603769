//! Endpoints as people make them.

use serde_json::{Value, json};
use switchboard_simulator::{Fault, Rule};

use super::{delete, endpoint, id, patch, start};
use crate::{
    hub::{Folder, states},
    vendors::{self, down, records},
    wait::until,
};

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_told_what_it_asked_for_in_the_shape_of_the_guide() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    let url = format!("{}/in", vendors.url("webhook"));
    let made = endpoint(&hub, &url, &["task.*", "contact.deleted"]).await;
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"), "{made}");
    let events = json!([
        {"type": "task.completed", "data": {"id": "tsk_1", "title": "Gọi lại", "receivedAt": "2024-11-05T10:30:00Z"}},
        {"type": "contact.deleted", "data": {"id": "con_1"}},
        {"type": "message.received", "data": {"senderName": "Ana"}},
    ]);
    hub.post("/v1/events", &events).await.fine(202);
    hub.idle().await;

    let told = records(&vendors, "webhook", "deliveries");
    assert_eq!(told.len(), 2, "{told:?}");
    let task = told
        .iter()
        .find(|one| one["body"]["event"] == "task.completed")
        .unwrap();
    let expected = json!({
        "event": "task.completed",
        "timestamp": "2024-11-05T10:30:00Z",
        "data": {"id": "tsk_1", "title": "Gọi lại", "receivedAt": "2024-11-05T10:30:00Z"},
    });
    assert_eq!(task["body"], expected);
    let members: Vec<_> = task["body"].as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        ["event", "timestamp", "data"],
        "those of the users' example, in its order"
    );
    assert!(told.iter().any(|one| one["body"]["event"] == "contact.deleted"));

    let shown = hub.get(&format!("/v1/webhooks/{}", id(&made))).await.fine(200);
    assert_eq!((&shown["state"], shown.get("secret")), (&json!("active"), None));
    let log = hub
        .get(&format!("/v1/webhooks/{}/deliveries", id(&made)))
        .await
        .fine(200);
    let log = log["items"].as_array().unwrap();
    assert_eq!(log.len(), 2);
    assert_eq!(
        (&log[0]["state"], &log[0]["calls"][0]["status"]),
        (&json!("delivered"), &json!(200))
    );
    assert!(!log[0].to_string().contains("whsec_"), "the log shows no secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_and_headers_of_the_user_count_and_nothing_shows_the_values_of_headers() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    let body = json!({
        "url": format!("{}/in", vendors.url("webhook")), "events": ["message.received"],
        "condition": "priority == 'high'", "headers": {"x-make-apikey": "geheim-77"},
    });
    let made = hub.post("/v1/webhooks", &body).await.fine(201);
    let events = json!([
        {"type": "message.received", "data": {"senderName": "Ana", "priority": "high"}},
        {"type": "message.received", "data": {"senderName": "Ivan", "priority": "low"}},
    ]);
    hub.post("/v1/events", &events).await.fine(202);
    hub.idle().await;
    let told = records(&vendors, "webhook", "deliveries");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["body"]["data"]["senderName"], "Ana");
    assert_eq!(told[0]["headers"]["x-make-apikey"], "geheim-77");
    for path in [
        "/v1/webhooks",
        "/v1/connections",
        &format!("/v1/webhooks/{}/deliveries", id(&made)),
    ] {
        assert!(!hub.get(path).await.text.contains("geheim-77"), "{path}");
    }

    let path = format!("/v1/webhooks/{}", id(&made));
    let changed = patch(&hub, &path, &json!({"condition": null, "name": "Склад"})).await;
    assert_eq!((&changed["name"], changed.get("condition")), (&json!("Склад"), None));
    hub.message(json!({"senderName": "Hoa"})).await;
    hub.idle().await;
    let told = records(&vendors, "webhook", "deliveries");
    assert_eq!(
        told[1]["headers"]["x-make-apikey"], "geheim-77",
        "what was not named stays"
    );

    patch(&hub, &path, &json!({"active": false})).await;
    let event = hub.message(json!({"senderName": "Lan"})).await;
    assert!(hub.story(&event).await["deliveries"].as_array().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_endpoint_leaves_its_messages_to_be_seen_as_cancelled() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    down(&vendors, "webhook", true);
    let made = endpoint(&hub, &format!("{}/in", vendors.url("webhook")), &["message.received"]).await;
    let waiting = hub.message(json!({"senderName": "Ana"})).await;
    let path = format!("/v1/webhooks/{}", id(&made));
    assert_eq!(delete(&hub, &path).await, 204);
    assert_eq!(delete(&hub, &path).await, 204, "again");
    assert_eq!(delete(&hub, "/v1/webhooks/anything").await, 204);
    hub.get(&path).await.problem(404, "SWB-API-008");
    let story = hub.settled(&waiting).await;
    let delivery = &story["deliveries"][0];
    assert!(
        ["cancelled", "dead"].contains(&delivery["state"].as_str().unwrap()),
        "{story}"
    );
    assert_eq!(delivery["problem"]["code"], "SWB-DLV-011", "{story}");
    let connections = hub.get("/v1/connections").await.fine(200);
    assert_eq!(connections["items"], json!([]));
    assert_eq!(hub.get("/v1/routes").await.fine(200)["items"], json!([]));

    // A new connection inherits nothing.
    down(&vendors, "webhook", false);
    let next = endpoint(
        &hub,
        &format!("{}/other", vendors.url("webhook")),
        &["message.received"],
    )
    .await;
    let log = hub
        .get(&format!("/v1/webhooks/{}/deliveries", id(&next)))
        .await
        .fine(200);
    assert_eq!(log["items"], json!([]));
    let event = hub.message(json!({"senderName": "Ivan"})).await;
    assert_eq!(states(&hub.settled(&event).await), ["delivered"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_endpoint_is_told_all_at_once() {
    let folder = Folder::new();
    let hub = folder.start();
    let body = json!({"url": "ftp://example.org/", "events": ["message.recieved"], "headers": {"host": "x"}});
    let refused = hub.post("/v1/webhooks", &body).await.problem(422, "SWB-API-002");
    let others = refused["others"].as_array().unwrap();
    let places: Vec<&Value> = std::iter::once(&refused)
        .chain(others)
        .map(|one| &one["place"])
        .collect();
    assert_eq!(places, ["url", "events/0", "headers/host"], "{refused}");
    for body in [
        json!([]),
        json!({}),
        json!({"url": 7}),
        json!({"url": "https://example.org/", "event": "*", "x": 1}),
    ] {
        hub.post("/v1/webhooks", &body).await.problem(422, "SWB-API-002");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_public_encrypted_addresses_are_told_anything() {
    let folder = Folder::new();
    let hub = folder.start_public();
    for url in [
        "http://example.org/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://192.168.1.1/",
    ] {
        let refused = hub.post("/v1/webhooks", &json!({"url": url, "events": ["*"]})).await;
        refused.problem(422, "SWB-API-002");
    }
    let body = json!({"url": "https://example.org/hook", "events": ["*"], "active": false});
    hub.post("/v1/webhooks", &body).await.fine(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_endpoint_is_tried_again_and_switched_off_only_after_a_long_silence() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = start(&folder, "2");
    down(&vendors, "webhook", true);
    let made = endpoint(&hub, &format!("{}/in", vendors.url("webhook")), &["message.received"]).await;
    let event = hub.message(json!({"senderName": "Ana"})).await;
    let path = format!("/v1/webhooks/{}", id(&made));
    let disabled = until("the endpoint is switched off", async || {
        let shown = hub.get(&path).await.fine(200);
        (shown["state"] == "disabled").then_some(shown)
    })
    .await;
    assert_eq!(disabled["active"], false);
    assert!(
        disabled["reason"].as_str().unwrap().contains("Nobody has taken"),
        "{disabled}"
    );
    let notice = until("it is told", async || {
        let events = hub.get("/v1/events?type=webhook.disabled").await.fine(200);
        events["items"].as_array().unwrap().first().cloned()
    })
    .await;
    assert_eq!(notice["data"]["id"], made["id"]);
    until("what waits is kept", async || {
        let story = hub.story(&event).await;
        ["waiting", "unknown"].contains(&states(&story)[0]).then_some(())
    })
    .await;

    down(&vendors, "webhook", false);
    let back = patch(&hub, &path, &json!({"active": true})).await;
    assert_eq!((&back["state"], back.get("reason")), (&json!("active"), None));
    assert_eq!(states(&hub.settled(&event).await), ["delivered"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_no_reason_to_stop_and_what_was_given_up_can_be_tried_again() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    let rule = |code| {
        Rule::new(Fault::Status {
            code,
            retry_after_s: None,
            applied: false,
        })
    };
    let body = json!({
        "url": format!("{}/in", vendors.url("webhook")), "events": ["message.received"], "retry_seconds": [0, 0],
    });
    let made = hub.post("/v1/webhooks", &body).await.fine(201);
    for status in [404, 401, 302] {
        vendors::fail(&vendors, "webhook", [rule(status)]);
        let event = hub
            .message(json!({"senderName": format!("refused with {status}")}))
            .await;
        assert_eq!(states(&hub.settled(&event).await), ["dead"], "{status}");
        let shown = hub.get(&format!("/v1/webhooks/{}", id(&made))).await.fine(200);
        assert_eq!(shown["state"], "active", "after {status}");
    }
    vendors::fail(&vendors, "webhook", []);
    let path = format!("/v1/webhooks/{}/replay", id(&made));
    let replayed = hub
        .post(&path, &json!({"from": "2020-01-01T00:00:00Z"}))
        .await
        .fine(200);
    assert_eq!(replayed, json!({"replayed": 3}));
    hub.idle().await;
    assert_eq!(records(&vendors, "webhook", "deliveries").len(), 3);
}
