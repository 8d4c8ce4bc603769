//! Messages without category or priority: rules at once, a model afterwards, and nothing lost or doubled in between.

use serde_json::{Value, json};
use switchboard_simulator::{Fault, Rule, Running};

use crate::{
    hub::{Folder, Hub},
    vendors,
    wait::until,
};

/// A hub with a webhook behind every event, a classifier, and the simulated model server.
async fn hub(folder: &Folder, vendors: &Running, classifier: Value) -> Hub {
    folder.apply(&vendors::webhook(vendors)).fine();
    folder.apply(&json!({"classifier": classifier})).fine();
    folder.start()
}

fn model(vendors: &Running, more: Value) -> Value {
    let mut model = json!({
        "base_url": format!("{}/v1", vendors.url("openai")), "model": "gpt-5.4-mini", "api_key": "sk-of-the-test", "dialect": "openai",
        "categories": {"sales": "wants to buy", "技术支持": "something does not work"}, "priorities": ["high", "low"],
    });
    for (name, value) in more.as_object().unwrap() {
        model[name] = value.clone();
    }
    model
}

fn classifier(vendors: &Running, more: Value) -> Value {
    json!({
        "rules": [{"name": "refund", "words": ["refund*", "退款"], "category": "refund", "priority": "high"}],
        "otherwise": {"category": "other", "priority": "normal"},
        "model": model(vendors, more),
    })
}

/// The one event that goes on, when it is at the webhook.
async fn delivered(hub: &Hub, vendors: &Running, count: usize) -> Vec<Value> {
    until("the messages are at the webhook", async || {
        let bodies: Vec<Value> = vendors::records(vendors, "webhook", "deliveries");
        (bodies.len() >= count).then_some(())
    })
    .await;
    hub.idle().await;
    let list = hub.get("/v1/events?type=message.received&limit=100").await.fine(200);
    let items = list["items"].as_array().unwrap().clone();
    assert_eq!(
        (items.len(), vendors::records(vendors, "webhook", "deliveries").len()),
        (count, count)
    );
    items
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_decide_before_routes_are_asked() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    folder.apply(&vendors::webhook(&vendors)).fine();
    folder
        .apply(&json!({
            "classifier": {"preset": "customer-service"},
            "routes": [{"key": "refunds", "on": "message.received", "when": "category == 'refund' && priority == 'high'", "to": ["hook"]}],
        }))
        .fine();
    let hub = folder.start();
    let other = hub.message(json!({"messageContent": "How much is it?"})).await;
    let refund = hub.message(json!({"messageContent": "Я хочу оформить возврат"})).await;
    hub.settled(&refund).await;
    let (other, refund) = (hub.story(&other).await, hub.story(&refund).await);
    assert_eq!(
        (
            &other["data"]["category"],
            other["deliveries"].as_array().unwrap().len()
        ),
        (&json!("sales"), 0)
    );
    assert_eq!(
        refund["data"]["classified"]["category"],
        json!({"by": "rule", "rule": "refund", "found": "возврат*"})
    );
    assert_eq!(vendors::records(&vendors, "webhook", "deliveries").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_decides_what_the_rules_leave_open_after_the_message_is_safe() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = hub(&folder, &vendors, classifier(&vendors, json!({}))).await;
    let text = "I need 技术支持, call +1 202 555 0143 or write ana@example.org";
    let receipt = hub
        .post(
            "/v1/events",
            &json!({"type": "message.received", "id": "m-1", "data": {"messageContent": text}}),
        )
        .await
        .fine(202);
    assert_eq!(receipt["deliveries"], 0);
    let event = &delivered(&hub, &vendors, 1).await[0];
    assert_eq!(
        (&event["data"]["category"], &event["data"]["priority"]),
        (&json!("技术支持"), &json!("low"))
    );
    assert_eq!(event["data"]["classified"]["category"]["by"], "model");
    assert_eq!(event["data"]["classified"]["waited_as"], receipt["id"]);
    let waited = until("the message that waited says what became of it", async || {
        let waited = hub.story(receipt["id"].as_str().unwrap()).await;
        let names_it = waited["note"].as_str().unwrap().contains(event["id"].as_str().unwrap());
        names_it.then_some(waited)
    })
    .await;
    assert_eq!(waited["type"], "message.unclassified");
    assert_eq!(waited["data"], json!({"messageContent": text}), "as it came");
    // Nobody's address or number was sent.
    let questions = vendors.records("openai", "questions").unwrap();
    assert_eq!(
        questions[0]["message"],
        "<msg>I need 技术支持, call [number] or write [e-mail]</msg>"
    );
    // The same message again is the same message.
    let again = hub
        .post(
            "/v1/events",
            &json!({"type": "message.received", "id": "m-1", "data": {"messageContent": text}}),
        )
        .await
        .fine(202);
    assert_eq!((&again["status"], &again["id"]), (&json!("duplicate"), &receipt["id"]));
    let view = hub.get("/v1/classifier").await.fine(200);
    assert_eq!(
        (&view["model"]["usage"]["requests"], &view["model"]["waiting"]),
        (&json!(1), &json!(0))
    );
    assert!(view["model"]["usage"]["tokens"].as_u64().unwrap() > 10);
    assert!(!view.to_string().contains("sk-of-the-test"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_the_model_thinks_loses_nothing_and_asks_again() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    vendors::fail(&vendors, "openai", [Rule::new(Fault::CutAfter)]);
    let hub = hub(
        &folder,
        &vendors,
        classifier(&vendors, json!({"patience_ms": 3_600_000})),
    )
    .await;
    for n in 0..3 {
        hub.message(json!({"messageContent": format!("question {n} about sales")}))
            .await;
    }
    until("the model was asked", async || {
        (vendors::calls(&vendors, "openai", "POST", "/chat/completions") >= 1).then_some(())
    })
    .await;
    hub.kill();
    vendors::fail(&vendors, "openai", []);
    let hub = folder.start();
    for event in delivered(&hub, &vendors, 3).await {
        assert_eq!(event["data"]["category"], "sales");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_model_does_every_message_goes_on_by_the_rules() {
    for (settings, more, note) in [
        (json!({"answers": "refusal"}), json!({}), "declined"),
        (json!({"answers": "filtered"}), json!({}), "filter"),
        (json!({"answers": "cut"}), json!({}), "cut off"),
        (json!({"answers": "prose"}), json!({}), "no JSON object"),
        (json!({"answers": "invented"}), json!({}), "none of those asked for"),
        (json!({"answers": "no_money"}), json!({}), "quota"),
        (json!({"models": []}), json!({}), "does not exist"),
        (json!({"accept_any_credentials": false}), json!({}), "API key"),
        (json!({}), json!({"budget": {"requests_per_day": 0}}), "budget"),
    ] {
        let (folder, vendors) = (Folder::new(), vendors::start().await);
        vendors.configure("openai", &settings).unwrap();
        let hub = hub(&folder, &vendors, classifier(&vendors, more)).await;
        hub.message(json!({"messageContent": "你好"})).await;
        let event = &delivered(&hub, &vendors, 1).await[0];
        assert_eq!(
            (&event["data"]["category"], &event["data"]["priority"]),
            (&json!("other"), &json!("normal")),
            "{settings}"
        );
        let told = event["data"]["classified"]["note"].as_str().unwrap_or_default();
        assert!(told.contains(note), "{settings}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_or_slow_is_waited_for_as_long_as_the_message_may_wait() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    vendors::down(&vendors, "openai", true);
    let hub = hub(&folder, &vendors, classifier(&vendors, json!({"patience_ms": 300}))).await;
    hub.message(json!({"messageContent": "first"})).await;
    let event = delivered(&hub, &vendors, 1).await.remove(0);
    assert!(
        event["data"]["classified"]["note"]
            .as_str()
            .unwrap()
            .contains("without the model"),
        "{event}"
    );
    vendors::down(&vendors, "openai", false);
    vendors::fail(
        &vendors,
        "openai",
        [Rule::new(Fault::Throttle { retry_after_s: Some(1) }).times(1)],
    );
    let spec = classifier(&vendors, json!({"patience_ms": 60_000}));
    hub.send(
        hub.request("PUT", "/v1/classifier")
            .header("content-type", "application/json")
            .body(spec.to_string()),
    )
    .await
    .fine(200);
    hub.message(json!({"messageContent": "second about sales"})).await;
    let events = delivered(&hub, &vendors, 2).await;
    assert_eq!(
        events[0]["data"]["category"], "sales",
        "after the throttled call it was asked again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_wait_for_a_classifier_that_is_taken_away_go_on_as_they_came() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    vendors::fail(
        &vendors,
        "openai",
        [Rule::new(Fault::Throttle { retry_after_s: Some(1) })],
    );
    let hub = hub(
        &folder,
        &vendors,
        classifier(&vendors, json!({"patience_ms": 3_600_000})),
    )
    .await;
    hub.message(json!({"messageContent": "你好"})).await;
    assert_eq!(hub.send(hub.request("DELETE", "/v1/classifier")).await.status, 204);
    let event = &delivered(&hub, &vendors, 1).await[0];
    assert_eq!(event["data"], json!({"messageContent": "你好"}));
    hub.send(hub.request("DELETE", "/v1/classifier"))
        .await
        .problem(404, "SWB-API-008");
    let none = hub.get("/v1/classifier").await.fine(200);
    assert_eq!(
        (&none["configured"], &none["presets"][0]),
        (&json!(false), &json!("customer-service"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_classifier_can_be_tried_and_what_is_wrong_with_one_is_told() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = hub(&folder, &vendors, classifier(&vendors, json!({}))).await;
    let attempt = async |body: Value| hub.post("/v1/classifier/try", &body).await;
    let refund = attempt(json!({"text": "我要退款"})).await.fine(200);
    assert_eq!(
        (&refund["category"], &refund["asks_model"]),
        (&json!("refund"), &json!(false))
    );
    assert_eq!(
        refund["classified"]["category"],
        json!({"by": "rule", "rule": "refund", "found": "退款"})
    );
    let asked = attempt(json!({"text": "about sales", "ask_model": true}))
        .await
        .fine(200);
    assert_eq!(
        (&asked["category"], &asked["model"]["category"]),
        (&json!("sales"), &json!("sales"))
    );
    let draft = attempt(json!({"text": "Сколько стоит?", "classifier": {"preset": "customer-service"}}))
        .await
        .fine(200);
    assert_eq!(draft["category"], "sales");
    attempt(json!({"txt": "x"})).await.problem(422, "SWB-API-002");
    let wrong = json!({"rules": [{"name": "x", "words": ["*"], "category": "y"}], "modle": {}});
    let problem = hub
        .send(
            hub.request("PUT", "/v1/classifier")
                .header("content-type", "application/json")
                .body(wrong.to_string()),
        )
        .await;
    assert_eq!(problem.status, 422, "{}", problem.text);
    let all = problem.text;
    assert!(
        all.contains("did you mean `model`?") && all.contains("the word is empty"),
        "{all}"
    );
    // The key stays when it is not given again, and goes when the address is another one.
    let mut spec = classifier(&vendors, json!({}));
    spec["model"].as_object_mut().unwrap().remove("api_key");
    let put = async |spec: &Value| {
        let request = hub
            .request("PUT", "/v1/classifier")
            .header("content-type", "application/json");
        hub.send(request.body(spec.to_string())).await.fine(200)
    };
    assert_eq!(put(&spec).await["model"]["has_api_key"], true);
    spec["model"]["base_url"] = "https://models.example.org/v1".into();
    assert_eq!(put(&spec).await["model"]["has_api_key"], false);
    let presets = hub.get("/v1/classifier/presets").await.fine(200);
    assert!(presets["items"][0]["rules"].as_array().unwrap().len() > 8);
}
