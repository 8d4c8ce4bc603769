//! Programs that subscribe (REST hooks).

use serde_json::{Value, json};
use switchboard_simulator::{Fault, Rule};

use super::{delete, id};
use crate::{
    hub::Folder,
    vendors::{self, fail, records},
    wait::until,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_program_subscribes_once_is_told_and_unsubscribes_as_often_as_it_likes() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    let me = hub.get("/api/v1/me").await.fine(200);
    assert_eq!((&me["account"], &me["base_url"]), (&json!("main"), &json!(hub.address)));
    assert_eq!(hub.send(hub.anonymous("GET", "/api/v1/me")).await.status, 401);

    let samples = hub.get("/api/v1/events/samples?event=task.completed").await.fine(200);
    assert_eq!(
        samples.as_array().unwrap().len(),
        1,
        "there is one before anything has happened"
    );
    let body = json!({"target_url": format!("{}/in", vendors.url("webhook")), "event": "task.completed"});
    let first = hub.post("/api/v1/webhooks", &body).await.fine(201);
    let again = hub.post("/api/v1/webhooks", &body).await.fine(200);
    assert_eq!(first, again, "what the subscriber has lost it gets again");
    assert!(
        vendors.calls(0, usize::MAX).is_empty(),
        "nothing is sent beforehand: it would run a Zap"
    );

    let event = json!({"type": "task.completed", "data": {"id": "tsk_1", "title": "Перезвонить"}});
    hub.post("/v1/events", &event).await.fine(202);
    hub.idle().await;
    let told = records(&vendors, "webhook", "deliveries");
    assert_eq!(told.len(), 1);
    let samples = hub.get("/api/v1/events/samples?event=task.*&limit=1").await.fine(200);
    assert_eq!(samples[0], told[0]["body"], "a sample is the message, member by member");
    assert_eq!(told[0]["key"], told[0]["body"]["id"]);
    let polled = hub.get("/api/v1/events?event=task.completed&limit=5").await.fine(200);
    assert_eq!(polled["items"][0], samples[0]);
    let page = hub.get("/api/v1/events?limit=1").await.fine(200);
    let next = page["next"].as_str().unwrap();
    let rest = hub.get(&format!("/api/v1/events?cursor={next}")).await.fine(200);
    assert_eq!(rest["items"], json!([]));

    let path = format!("/api/v1/webhooks/{}", id(&first));
    assert_eq!([delete(&hub, &path).await, delete(&hub, &path).await], [204, 204]);
    assert_eq!(hub.get("/api/v1/webhooks").await.fine(200), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_ends_a_subscription_and_switches_an_endpoint_off() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    let gone = Fault::Status {
        code: 410,
        retry_after_s: None,
        applied: false,
    };
    fail(&vendors, "webhook", [Rule::new(gone)]);
    let url = |path: &str| format!("{}/{path}", vendors.url("webhook"));
    let body = json!({"url": url("hook"), "event": "message.received", "source": "zapier"});
    let hook = hub.post("/api/v1/webhooks", &body).await.fine(201);
    let body = json!({"url": url("own"), "events": ["message.received"]});
    let own = hub.post("/v1/webhooks", &body).await.fine(201);
    let event = hub.message(json!({"senderName": "Ana"})).await;

    let path = |one: &Value| format!("/v1/webhooks/{}", id(one));
    until("the subscription is removed", async || {
        (hub.get(&path(&hook)).await.status == 404).then_some(())
    })
    .await;
    let disabled = until("the endpoint is switched off", async || {
        let shown = hub.get(&path(&own)).await.fine(200);
        (shown["state"] == "disabled").then_some(shown)
    })
    .await;
    assert!(disabled["reason"].as_str().unwrap().contains("410"), "{disabled}");
    for (kind, id) in [("webhook.removed", id(&hook)), ("webhook.disabled", id(&own))] {
        let notice = until("it is told", async || {
            let events = hub.get(&format!("/v1/events?type={kind}")).await.fine(200);
            events["items"].as_array().unwrap().first().cloned()
        })
        .await;
        assert_eq!(notice["data"]["id"], id, "{notice}");
    }
    let story = hub.story(&event).await;
    let removed = story["deliveries"].as_array().unwrap().iter();
    let removed = removed.filter(|delivery| delivery["problem"]["code"] == "SWB-DLV-011");
    assert_eq!(removed.count(), 1, "{story}");
}
