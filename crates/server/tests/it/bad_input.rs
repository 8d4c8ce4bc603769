//! Bad input of every kind: a problem that says what, where, whose fault and what to do; and nothing is lost.

use serde_json::{Value, json};

use crate::{
    hub::{Folder, Hub, states},
    vendors,
    wait::until,
};

async fn refused(hub: &Hub, body: &str, status: u16, code: &str) -> Value {
    hub.post_raw("/v1/events", "application/json", body.as_bytes().to_vec())
        .await
        .problem(status, code)
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_json_is_told_with_line_and_column() {
    let folder = Folder::new();
    let hub = folder.start();
    let problem = refused(
        &hub,
        "{\n  \"type\": \"call.missed\",\n  \"data\": {,}\n}",
        400,
        "SWB-API-001",
    )
    .await;
    assert_eq!(problem["place"], "line 3, column 12", "{problem}");
    assert_eq!(problem["fault"], "sender");
    let gbk = hub
        .post_raw("/v1/events", "application/json", b"{\"type\": \"\xc4\xe3\"}".to_vec())
        .await;
    assert!(
        gbk.problem(400, "SWB-API-001")["next"]
            .as_str()
            .unwrap()
            .contains("UTF-8")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_types_and_unknown_members_are_told_all_at_once() {
    let folder = Folder::new();
    let hub = folder.start();
    let problem = refused(&hub, r#"{"type": 1, "data": "x", "dta": {}}"#, 422, "SWB-API-002").await;
    let places: Vec<_> = std::iter::once(&problem)
        .chain(problem["others"].as_array().unwrap())
        .map(|p| p["place"].clone())
        .collect();
    assert_eq!(places, ["/type", "/data", "/dta"]);
    assert!(
        problem["others"][1]["detail"]
            .as_str()
            .unwrap()
            .contains("did you mean `data`?"),
        "{problem}"
    );
    refused(&hub, "[]", 422, "SWB-API-002").await;
    refused(&hub, "\"text\"", 422, "SWB-API-002").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_type_is_answered_with_the_known_ones() {
    let folder = Folder::new();
    let hub = folder.start();
    let problem = refused(&hub, r#"{"type": "mesage.received", "data": {}}"#, 422, "SWB-API-003").await;
    assert_eq!(problem["place"], "/type");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("did you mean `message.received`?"),
        "{problem}"
    );
    assert!(problem["next"].as_str().unwrap().contains("call.missed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn too_large_is_refused_for_bodies_events_and_batches() {
    let folder = Folder::new();
    let hub = folder.start();
    let event = |length: usize| json!({"type": "call.missed", "data": {"text": "x".repeat(length)}});
    hub.post("/v1/events", &event(200 * 1024)).await.fine(202);
    let problem = hub
        .post("/v1/events", &event(300 * 1024))
        .await
        .problem(413, "SWB-API-004");
    assert_eq!(problem["place"], "/data");
    assert!(problem["detail"].as_str().unwrap().contains("262144"), "{problem}");
    hub.post("/v1/events", &event(5 << 20))
        .await
        .problem(413, "SWB-API-004");
    let many: Vec<_> = (0..1001).map(|_| json!({"type": "call.missed", "data": {}})).collect();
    hub.post("/v1/events", &json!(many)).await.problem(413, "SWB-API-004");
    let keys: serde_json::Map<String, Value> = (0..10_001).map(|n| (n.to_string(), json!(0))).collect();
    hub.post("/v1/events", &json!({"type": "call.missed", "data": keys}))
        .await
        .problem(413, "SWB-API-004");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_deep_is_refused() {
    let folder = Folder::new();
    let hub = folder.start();
    let deep = |levels: usize| {
        format!(
            r#"{{"type": "call.missed", "data": {{"a": {}{}}}}}"#,
            "[".repeat(levels),
            "]".repeat(levels)
        )
    };
    let fine = hub
        .post_raw("/v1/events", "application/json", deep(60).into_bytes())
        .await;
    assert_eq!(fine.status, 202, "{}", fine.text);
    refused(&hub, &deep(70), 400, "SWB-API-005").await;
    refused(&hub, &deep(100_000), 400, "SWB-API-005").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_item_of_a_batch_holds_up_no_other() {
    let folder = Folder::new();
    let hub = folder.start();
    let batch = json!([
        {"type": "call.missed", "id": "a", "data": {}}, {"type": "nonsense", "data": {}}, {"type": "call.missed", "id": "a", "data": {}}
    ]);
    let answer = hub.post("/v1/events", &batch).await.fine(202);
    let statuses: Vec<_> = answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["accepted", "rejected", "duplicate"], "{answer}");
    assert_eq!(answer["results"][1]["problem"]["place"], "/1/type");
    assert_eq!(answer["results"][0]["id"], answer["results"][2]["id"]);
    let none = hub.post("/v1/events", &json!([{"type": "nonsense", "data": {}}])).await;
    assert_eq!(
        (none.status, none.json()["results"][0]["status"].as_str()),
        (422, Some("rejected"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_api_does_not_have_is_a_problem_too() {
    let folder = Folder::new();
    let hub = folder.start();
    hub.get("/v1/nothing").await.problem(404, "SWB-API-008");
    hub.get("/v1/events/evt_nonsense").await.problem(404, "SWB-API-008");
    hub.get("/v1/deliveries/dlv_0000000000001")
        .await
        .problem(404, "SWB-API-008");
    hub.get("/api/crm/sync-status/nobody").await.problem(404, "SWB-API-008");
    hub.get("/errors/SWB-ZZZ-001").await.problem(404, "SWB-API-008");
    let wrong_method = hub.send(hub.request("DELETE", "/v1/events")).await;
    wrong_method.problem(405, "SWB-API-009");
    assert!(wrong_method.headers.contains_key("allow"));
    let form = hub
        .post_raw("/v1/events", "application/x-www-form-urlencoded", b"a=1".to_vec())
        .await;
    assert!(
        form.problem(415, "SWB-API-010")["next"]
            .as_str()
            .unwrap()
            .contains("application/json")
    );
    let parameter = hub.get("/v1/deliveries?stat=dead").await.problem(400, "SWB-API-013");
    assert!(
        parameter["detail"].as_str().unwrap().contains("did you mean `state`?"),
        "{parameter}"
    );
    hub.get("/v1/deliveries?state=ded").await.problem(400, "SWB-API-013");
    hub.get("/v1/events?limit=0").await.problem(400, "SWB-API-013");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_refused_everywhere() {
    let folder = Folder::new();
    let hub = folder.start();
    for (method, path) in [
        ("GET", "/v1/events"),
        ("POST", "/v1/events"),
        ("GET", "/v1/deliveries"),
        ("GET", "/v1/connections"),
        ("GET", "/v1/routes"),
        ("GET", "/api/crm/supported"),
        ("POST", "/api/crm/configure"),
        ("POST", "/api/crm/test-connection"),
        ("GET", "/api/crm/sync-status/x"),
    ] {
        let without = hub.send(hub.anonymous(method, path)).await;
        without.problem(401, "SWB-API-006");
        assert!(without.headers.contains_key("www-authenticate"));
        let wrong = hub
            .anonymous(method, path)
            .bearer_auth("swb_wrong")
            .header("content-type", "application/json");
        hub.send(wrong.body("{}")).await.problem(401, "SWB-API-006");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_in_a_configuration_changes_nothing_and_is_placed() {
    let folder = Folder::new();
    let hub = folder.start();
    for (configuration, code, words) in [
        (
            json!({"crmIntegrations": [{"id": "a", "type": "salesforce", "naem": "x", "config": {}}]}),
            "SWB-CFG-001",
            "name",
        ),
        (
            json!({"connections": [{"key": "a", "connector": "salesfroce"}]}),
            "SWB-CFG-003",
            "salesforce",
        ),
        (
            json!({"type": "notion", "config": {"mappings": {"page": {"properties": {"x": "{{senderName|upcas}}"}}}}}),
            "SWB-CFG-004",
            "upcase",
        ),
        (
            json!({"strategy": "paralel_sync", "targets": []}),
            "SWB-CFG-002",
            "parallel_sync",
        ),
        (
            json!({"phone": "+375290000000", "type": "outgoing"}),
            "SWB-CFG-006",
            "crmIntegrations",
        ),
    ] {
        let reply = hub.post("/api/crm/configure", &configuration).await;
        let problem = reply.problem(422, code);
        assert!(
            problem["place"]
                .as_str()
                .is_some_and(|place| place.starts_with("body:1:")),
            "{problem}"
        );
        let text = format!("{}{}", problem["detail"], problem["next"]);
        assert!(text.contains(words), "{problem}");
        let ended = folder.apply(&configuration);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(
            ended.stderr.contains(code) && ended.stderr.contains("applied.json:1:"),
            "{}",
            ended.stderr
        );
    }
    assert_eq!(hub.get("/v1/connections").await.fine(200)["items"], json!([]));
    assert_eq!(hub.get("/v1/routes").await.fine(200)["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_that_needs_what_the_event_lacks_keeps_the_event_and_a_replay_after_mending_delivers_it() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    // Salesforce wants a company for each lead; this event names none.
    hub.post("/api/crm/configure", &vendors::integration(&vendors, "salesforce"))
        .await
        .fine(200);
    let event = hub
        .message(json!({"senderName": "Ana", "senderEmail": "ana@example.org", "messageContent": "hello"}))
        .await;
    let story = hub.settled(&event).await;
    let lead = story["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .find(|d| d["object"] == "lead")
        .unwrap()
        .clone();
    assert_eq!(lead["state"], "dead", "{lead:#}");
    let problem = &lead["problem"];
    assert!(problem["code"].as_str().unwrap().starts_with("SWB-MAP-"), "{problem}");
    assert!(problem.to_string().to_lowercase().contains("company"), "{problem}");
    assert_eq!(problem["fault"], "configuration");
    let dead = hub
        .get("/v1/deliveries?state=dead&connection=salesforce")
        .await
        .fine(200);
    assert_eq!(dead["items"].as_array().unwrap().len(), 1);

    let mut mended = vendors::integration(&vendors, "salesforce");
    mended["config"]["mappings"]["lead"]["company"] = "{{ tenantName | default: senderName }}".into();
    hub.post("/api/crm/configure", &mended).await.fine(200);
    let id = lead["id"].as_str().unwrap();
    hub.post(&format!("/v1/deliveries/{id}/replay"), &json!({}))
        .await
        .fine(202);
    until("the replayed delivery arrives", async || {
        let delivery = hub.get(&format!("/v1/deliveries/{id}")).await.fine(200);
        (delivery["state"] == "delivered").then_some(())
    })
    .await;
    assert_eq!(vendors::records(&vendors, "salesforce", "Lead").len(), 1);
    hub.post(&format!("/v1/deliveries/{id}/replay"), &json!({}))
        .await
        .problem(409, "SWB-API-012");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_nothing_wanted_is_routed_anew_when_something_does() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    let event = hub.message(json!({"messageContent": "early"})).await;
    assert!(states(&hub.story(&event).await).is_empty());
    hub.post("/api/crm/configure", &vendors::webhook(&vendors))
        .await
        .fine(200);
    let replay = format!("/v1/events/{event}/replay");
    assert_eq!(hub.post(&replay, &json!({})).await.fine(202)["deliveries"], 1);
    assert_eq!(states(&hub.settled(&event).await), ["delivered"]);
    assert_eq!(hub.post(&replay, &json!({})).await.fine(202)["deliveries"], 0);
}
