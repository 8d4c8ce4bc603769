//! Ids that are looked up by name before a record is sent, through the whole binary.

use serde_json::{Value, json};
use switchboard_simulator::{Fault, Rule, Running};

use crate::{
    hub::{Folder, Hub, states},
    vendors,
};

/// HubSpot, whose tickets are given to the colleague with an e-mail address.
async fn connect(hub: &Hub, vendors: &Running) {
    let mut hubspot = vendors::integration(vendors, "hubspot");
    hubspot["config"]["mappings"] = json!({"ticket": {
        "subject": "{{ messageContent }}",
        "hs_pipeline": "support_pipeline",
        "hs_pipeline_stage": "new",
        "hubspot_owner_id": "{{ assignee }}",
    }});
    hub.post("/api/crm/configure", &hubspot).await.fine(200);
}

fn owner_calls(vendors: &Running) -> usize {
    vendors::calls(vendors, "hubspot", "GET", "/crm/owners/")
}

#[tokio::test(flavor = "multi_thread")]
async fn many_records_that_name_the_same_colleagues_take_one_look_up() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    connect(&hub, &vendors).await;
    let colleagues = ["anna@example.org", "WEI@example.org", "42", ""];
    let events: Vec<Value> = (0..40)
        .map(|n| json!({"type": "message.received", "data": {"messageContent": format!("№ {n}"), "assignee": colleagues[n % 4]}}))
        .collect();
    hub.post("/v1/events", &json!(events)).await.fine(202);
    hub.idle().await;
    let tickets = vendors::records(&vendors, "hubspot", "tickets");
    assert_eq!(tickets.len(), 40);
    let of = |owner: &str| {
        let owned = |ticket: &&Value| ticket["properties"]["hubspot_owner_id"].as_str().unwrap_or_default() == owner;
        tickets.iter().filter(owned).count()
    };
    assert_eq!((of("41"), of("42"), of("")), (10, 20, 10), "{:?}", tickets.first());
    assert_eq!(owner_calls(&vendors), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_up_is_a_call_of_the_attempt_and_its_failure_is_tried_again() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    connect(&hub, &vendors).await;
    let broken = Fault::Status {
        code: 503,
        applied: false,
        retry_after_s: None,
    };
    vendors::fail(&vendors, "hubspot", [Rule::new(broken).path("/crm/owners/").times(2)]);
    let event = hub
        .message(json!({"messageContent": "你好", "assignee": "anna@example.org"}))
        .await;
    let story = hub.settled(&event).await;
    assert_eq!(states(&story), ["delivered"], "{story}");
    let id = story["deliveries"][0]["id"].as_str().unwrap();
    let delivery = hub.get(&format!("/v1/deliveries/{id}")).await.fine(200);
    let calls = delivery["calls"].as_array().unwrap_or_else(|| panic!("{delivery}"));
    let looked_up: Vec<&str> = calls
        .iter()
        .filter(|call| call["operation"] == "resolve")
        .map(|call| call["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(looked_up, ["retry", "retry", "delivered"], "{delivery}");
    assert_eq!(vendors::records(&vendors, "hubspot", "tickets").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_nobody_goes_by_is_a_dead_letter_that_names_the_field() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    connect(&hub, &vendors).await;
    let event = hub
        .message(json!({"messageContent": "?", "assignee": "nobody@example.org"}))
        .await;
    let story = hub.settled(&event).await;
    let delivery = &story["deliveries"][0];
    assert_eq!(delivery["state"], "dead", "{story}");
    assert_eq!(delivery["problem"]["code"], "SWB-MAP-003", "{story}");
    let detail = delivery["problem"]["detail"].as_str().unwrap();
    assert!(
        detail.contains("hubspot_owner_id") && detail.contains("nobody@example.org"),
        "{detail}"
    );
    assert!(vendors::records(&vendors, "hubspot", "tickets").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_beside_looked_up_members_is_a_dead_letter_with_the_vendors_own_words() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    let connection = json!({"connections": [{
        "key": "board", "connector": "monday", "auth": "token", "secrets": {"token": "made-up"},
        "settings": {"baseUrl": format!("{}/v2", vendors.url("monday")), "boardId": "5000000001", "standardColumns": false},
        "mappings": {"item": {
            "name": "{{ messageContent }}",
            "columnValues": {"customer_name": "{{ senderName }}", "numbers": "{{ amount }}", "mirror": "{{ mirror }}"},
        }},
    }]});
    hub.post("/api/crm/configure", &connection).await.fine(200);
    // The first one asks for the columns itself; what the second one takes for them was asked for by the first.
    for operations in [["resolve", "create"].as_slice(), &["create", "resolve", "create"]] {
        let event = hub
            .message(json!({"messageContent": "?", "senderName": "Ana", "amount": 3, "mirror": "x"}))
            .await;
        let story = hub.settled(&event).await;
        let problem = &story["deliveries"][0]["problem"];
        assert_eq!(states(&story), ["dead"], "{story}");
        assert_eq!(problem["code"], "SWB-DLV-001", "{story}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("read-only") && detail.contains("mirror"), "{detail}");
        let id = story["deliveries"][0]["id"].as_str().unwrap();
        let delivery = hub.get(&format!("/v1/deliveries/{id}")).await.fine(200);
        let made: Vec<&str> = delivery["calls"]
            .as_array()
            .unwrap()
            .iter()
            .map(|call| call["operation"].as_str().unwrap())
            .collect();
        assert_eq!(made, operations, "{delivery}");
    }
    let event = hub
        .message(json!({"messageContent": "!", "senderName": "Ana", "amount": 3}))
        .await;
    assert_eq!(states(&hub.settled(&event).await), ["delivered"]);
}
