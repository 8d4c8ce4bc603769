//! What people want of deliveries: held, released, called off, tried anew; one, some, or all that pass a filter.

use serde_json::{Value, json};
use switchboard_simulator::{Fault, Rule, Running};

use crate::{
    hub::{Folder, Hub},
    vendors,
    wait::until,
};

/// Posts so many messages; answers the ids of the deliveries, oldest first.
async fn messages(hub: &Hub, count: usize) -> Vec<String> {
    let events: Vec<Value> = (0..count)
        .map(|n| json!({"type": "message.received", "data": {"messageContent": format!("消息 {n}")}}))
        .collect();
    hub.post("/v1/events", &json!(events)).await.fine(202);
    let page = hub.get("/v1/deliveries?limit=500").await.fine(200);
    let items = page["items"].as_array().unwrap();
    let ids = items.iter().rev().map(|row| row["id"].as_str().unwrap().to_owned());
    ids.collect()
}

async fn count(hub: &Hub, query: &str) -> usize {
    let page = hub.get(&format!("/v1/deliveries?limit=500&{query}")).await.fine(200);
    page["items"].as_array().unwrap().len()
}

async fn wish(hub: &Hub, wish: &str, body: Value) -> Value {
    hub.post(&format!("/v1/deliveries/{wish}"), &body).await.fine(200)
}

/// A webhook that is not complete: what is sent there waits untouched until [`complete`].
async fn incomplete(hub: &Hub, vendors: &Running) {
    let mut hook = vendors::webhook(vendors);
    hook["connections"][0]["auth"] = "bearer".into();
    let answer = hub.post("/api/crm/configure", &hook).await.fine(200);
    assert_eq!(answer["connections"][0]["state"], "draft", "{answer}");
}

/// The webhook goes to work, at a pace that holds up no test.
async fn complete(hub: &Hub, vendors: &Running) {
    let mut hook = vendors::webhook(vendors);
    hook["connections"][0]["settings"]["callsPerSecond"] = 10_000.into();
    hub.post("/api/crm/configure", &hook).await.fine(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_held_released_and_called_off_in_bulk_and_each_state_is_kept() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    incomplete(&hub, &vendors).await;
    let ids = messages(&hub, 30).await;

    let trial = wish(&hub, "hold", json!({"connection": "hook", "dry_run": true})).await;
    assert_eq!(
        (&trial["changed"], &trial["would_change"], &trial["more"]),
        (&json!(0), &json!(30), &json!(false))
    );
    assert_eq!(trial["first"].as_array().unwrap().len(), 20);
    assert_eq!(trial["first"][0]["id"], *ids.last().unwrap(), "the newest first");
    assert_eq!(count(&hub, "state=held").await, 0, "a dry run changes nothing");

    assert_eq!(wish(&hub, "hold", json!({"connection": "hook"})).await["changed"], 30);
    let held = hub.get(&format!("/v1/deliveries/{}", ids[0])).await.fine(200);
    assert_eq!(
        (&held["state"], &held["expected_because"]),
        (&json!("held"), &json!("held"))
    );
    assert!(held.get("expected_at").is_none(), "{held}");

    let some = json!({"ids": [ids[0], ids[1], ids[0], "dlv_0000000000001"]});
    let cancelled = wish(&hub, "cancel", some).await;
    assert_eq!(cancelled["changed"], 2, "{cancelled}");
    assert_eq!(
        cancelled["unchanged"],
        json!([{"id": "dlv_0000000000001", "state": null}])
    );
    complete(&hub, &vendors).await;
    assert_eq!(wish(&hub, "release", json!({"state": "held"})).await["changed"], 28);
    until("all but the cancelled ones arrive", async || {
        (count(&hub, "state=delivered").await == 28).then_some(())
    })
    .await;
    assert_eq!(count(&hub, "state=cancelled").await, 2);
    assert_eq!(vendors::records(&vendors, "webhook", "deliveries").len(), 28);

    let again = wish(&hub, "cancel", json!({"ids": [ids[0], ids[5]]})).await;
    assert_eq!(
        (&again["changed"], &again["unchanged"]),
        (
            &json!(0),
            &json!([{"id": ids[0], "state": "cancelled"}, {"id": ids[5], "state": "delivered"}])
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_died_is_replayed_by_one_request_however_much_it_is() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    complete(&hub, &vendors).await;
    let refused = Fault::Status {
        code: 400,
        retry_after_s: None,
        applied: false,
    };
    vendors::fail(&vendors, "webhook", [Rule::new(refused)]);
    let total = 1_200;
    for _ in 0..3 {
        messages(&hub, total / 3).await;
    }
    hub.idle().await;
    let status = hub.get("/api/crm/sync-status/hook").await.fine(200);
    let trial = wish(&hub, "replay", json!({"state": "dead", "dry_run": true})).await;
    assert_eq!(trial["would_change"], total, "{status}");
    vendors::fail(&vendors, "webhook", []);
    assert_eq!(
        wish(&hub, "replay", json!({"state": "dead", "object": "event"})).await["changed"],
        total
    );
    hub.idle().await;
    assert_eq!(vendors::records(&vendors, "webhook", "deliveries").len(), total);
    assert_eq!(
        wish(&hub, "replay", json!({"all": true})).await["changed"],
        0,
        "what arrived stays"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_delivery_is_held_released_called_off_and_tried_anew() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    incomplete(&hub, &vendors).await;
    let id = messages(&hub, 1).await.pop().unwrap();
    let ask = async |wish: &str| {
        hub.send(hub.request("POST", &format!("/v1/deliveries/{id}/{wish}")))
            .await
    };
    let row = hub.get(&format!("/v1/deliveries/{id}")).await.fine(200);
    assert_eq!(
        (&row["state"], &row["expected_because"]),
        (&json!("waiting"), &json!("paused"))
    );
    for (wish, state) in [
        ("hold", "held"),
        ("release", "waiting"),
        ("hold", "held"),
        ("cancel", "cancelled"),
    ] {
        assert_eq!(ask(wish).await.fine(202), json!({"id": id, "state": state}));
    }
    let refused = ask("release").await.problem(409, "SWB-API-012");
    assert!(
        refused["detail"].as_str().unwrap().contains("is cancelled"),
        "{refused}"
    );
    complete(&hub, &vendors).await;
    assert_eq!(ask("replay").await.fine(202)["state"], "waiting");
    hub.idle().await;
    assert_eq!(vendors::records(&vendors, "webhook", "deliveries").len(), 1);
    let nobody = hub.request("POST", "/v1/deliveries/dlv_0000000000001/hold");
    hub.send(nobody).await.problem(404, "SWB-API-008");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_vendor_that_is_away_shows_when_it_is_expected_and_why_not_now() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start_with(&["--retry-base-ms", "3600000", "--retry-cap-ms", "86400000"]);
    complete(&hub, &vendors).await;
    vendors::down(&vendors, "webhook", true);
    let id = messages(&hub, 1).await.pop().unwrap();
    let row = until("the vendor was tried in vain", async || {
        let row = hub.get(&format!("/v1/deliveries/{id}")).await.fine(200);
        row["calls"]
            .as_array()
            .is_some_and(|calls| !calls.is_empty())
            .then_some(row)
    })
    .await;
    assert!(row["expected_at"].as_str() >= row["due_at"].as_str(), "{row}");
    assert!(row["expected_because"].is_string(), "{row}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_that_does_not_say_what_it_means_changes_nothing() {
    let folder = Folder::new();
    let hub = folder.start();
    for (body, place, words) in [
        (json!({}), None, "which deliveries"),
        (
            json!({"connexion": "hook"}),
            Some("/connexion"),
            "did you mean `connection`?",
        ),
        (json!({"state": "held"}), Some("/state"), "cannot be held"),
        (json!({"connection": "nobody"}), Some("/connection"), "no connection"),
    ] {
        let problem = hub.post("/v1/deliveries/hold", &body).await.problem(422, "SWB-API-002");
        assert_eq!(problem.get("place").and_then(Value::as_str), place, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
    }
    let nobody = hub.anonymous("POST", "/v1/deliveries/hold");
    let nobody = nobody
        .header("content-type", "application/json")
        .body("{\"all\": true}");
    hub.send(nobody).await.problem(401, "SWB-API-006");
    hub.get("/v1/deliveries?from=gestern").await.problem(400, "SWB-API-013");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_narrowed_by_object_and_time_and_connections_show_their_lanes() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    hub.post("/api/crm/configure", &vendors::webhook(&vendors))
        .await
        .fine(200);
    let event = hub.message(json!({"messageContent": "x"})).await;
    let received = hub.settled(&event).await["received_at"].as_str().unwrap().to_owned();
    for (query, rows) in [
        ("object=event".to_owned(), 1),
        ("object=lead".to_owned(), 0),
        (format!("from={received}"), 1),
        (format!("until={received}"), 0),
        ("from=2020-01-01T00:00:00Z&until=2020-01-02T00:00:00Z".to_owned(), 0),
    ] {
        assert_eq!(count(&hub, &query).await, rows, "{query}");
    }
    until("the lane shows that nothing is under way", async || {
        let connections = hub.get("/v1/connections").await.fine(200);
        let lane = &connections["items"][0]["lane"];
        (lane["state"] == "sending" && lane["in_flight"] == 0).then_some(())
    })
    .await;
}
