//! The answer is lost after the vendor has written: exactly one record.

use futures::future::join_all;
use serde_json::{Value, json};
use switchboard_simulator::{Fault, Options, Rule, Running};

use crate::{
    hub::{Folder, Hub, states},
    vendors,
    wait::until,
};

const OBJECTS: [(&str, &[&str]); 4] = [
    ("salesforce", &["Lead", "Case"]),
    ("hubspot", &["contacts", "tickets"]),
    ("notion", &["pages"]),
    ("webhook", &["deliveries"]),
];

/// Posts one message while writing calls to the vendor fail in this way so many times; the record is there once in the end.
async fn one_record_in_spite_of(fault: Fault, times: u64, system: &str, objects: &[&str]) {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    let connection = match system {
        "webhook" => vendors::webhook(&vendors),
        _ => vendors::integration(&vendors, system),
    };
    hub.post("/api/crm/configure", &connection).await.fine(200);
    let rules = ["POST", "PATCH"].map(|method| Rule::new(fault.clone()).method(method).times(times));
    vendors::fail(&vendors, system, rules);
    let event = hub
        .message(json!({
            "senderName": "王小明", "senderEmail": "wang@example.org", "tenantName": "示例", "messageContent": "价格？",
        }))
        .await;
    let story = hub.settled(&event).await;
    assert_eq!(
        states(&story),
        vec!["delivered"; objects.len()],
        "{system} {fault:?} {times}: {story:#}"
    );
    for object in objects {
        let records = vendors::records(&vendors, system, object);
        assert_eq!(records.len(), 1, "{system} {object} {fault:?} {times}: {story:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_lost_after_the_write_leaves_exactly_one_record_on_each_vendor() {
    let cases = OBJECTS
        .into_iter()
        .flat_map(|(system, objects)| [1, 3].map(|times| (system, objects, times)));
    join_all(cases.map(|(system, objects, times)| one_record_in_spite_of(Fault::CutAfter, times, system, objects)))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_that_hides_a_success_doubles_nothing() {
    let hidden = Fault::Status {
        code: 504,
        retry_after_s: None,
        applied: true,
    };
    join_all(OBJECTS.map(|(system, objects)| one_record_in_spite_of(hidden.clone(), 2, system, objects))).await;
}

/// A connector that knows no means to find out what became of a create, its vendor, and a hub that is connected to it.
async fn without_means(folder: &Folder) -> (Hub, Running) {
    let data = folder.data();
    let place = data.join("connectors").display().to_string();
    folder.run(&["connector", "new", "my-crm", "--within", &place]).fine();
    let connector = data.join("connectors").join("my-crm");
    let manifest = connector.join("connector.yaml");
    let mut text = std::fs::read_to_string(&manifest).unwrap();
    for part in [
        "        recovery: repeat\n",
        "          insert:\n            - { name: external_id, value: \"{{ key }}\" }\n",
    ] {
        assert!(text.contains(part), "{part}");
        text = text.replace(part, "");
    }
    std::fs::write(&manifest, text).unwrap();
    let options = Options {
        only: vec!["my-crm".into()],
        ..Options::demo()
    };
    let options = options.with_connectors(&connector).unwrap();
    let vendor = switchboard_simulator::start(([127, 0, 0, 1], 0).into(), options);
    let vendor = vendor.await.unwrap();
    let hub = folder.start();
    let connection = json!({"connections": [{
        "key": "mine", "connector": "my-crm", "secrets": {"token": "made-up"},
        "settings": {"baseUrl": format!("{}/v1", vendor.url("my-crm"))},
    }]});
    hub.post("/api/crm/configure", &connection).await.fine(200);
    (hub, vendor)
}

/// The delivery of this message that makes the contact, once nothing waits.
async fn contact(hub: &Hub, text: &str) -> Value {
    let data = json!({"senderName": "Ana", "senderPhone": "+12025550101", "messageContent": text});
    let event = hub.message(data).await;
    of_contact(&hub.settled(&event).await)
}

fn of_contact(story: &Value) -> Value {
    let deliveries = story["deliveries"].as_array().unwrap();
    let contact = deliveries.iter().find(|delivery| delivery["object"] == "contact");
    contact.cloned().unwrap_or_else(|| panic!("{story:#}"))
}

/// Replays the delivery; answers what it is when it is settled again.
async fn replay(hub: &Hub, body: Value, id: &Value) -> Value {
    let answer = hub.post("/v1/deliveries/replay", &body).await.fine(200);
    assert_eq!(answer["changed"], 1, "{answer}");
    until("it is settled again", async || {
        let path = format!("/v1/deliveries/{}", id.as_str().unwrap());
        let row = hub.get(&path).await.fine(200);
        (row["state"] == "dead" || row["state"] == "delivered").then_some(row)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_in_doubt_gets_no_second_one_before_a_person_has_looked() {
    let folder = Folder::new();
    let (hub, vendor) = without_means(&folder).await;
    let held = || vendor.records("my-crm", "contacts").unwrap().len();
    let lost = Rule::new(Fault::CutAfter).method("POST").path("/contacts").times(1);
    vendors::fail(&vendor, "my-crm", [lost]);
    let first = contact(&hub, "one").await;
    assert_eq!((&first["state"], held()), (&json!("dead"), 1), "{first}");
    assert_eq!(first["problem"]["code"], "SWB-DLV-005", "{first}");
    let next = first["problem"]["next"].as_str().unwrap();
    assert!(next.contains("\"not_there\": true"), "{next}");

    // The next delivery of the same record does not know better.
    let second = contact(&hub, "two").await;
    assert_eq!((&second["state"], held()), (&json!("dead"), 1), "{second}");
    assert_eq!(second["problem"]["code"], "SWB-DLV-005", "{second}");
    // Neither does a replay by which nobody says that it is not there.
    let id = &first["id"];
    let again = replay(&hub, json!({"ids": [id]}), id).await;
    assert_eq!((&again["state"], held()), (&json!("dead"), 1), "{again}");

    // A person has looked (and erred, here): it is made, and what comes later changes it.
    let sent = replay(&hub, json!({"ids": [id], "not_there": true}), id).await;
    assert_eq!((&sent["state"], held()), (&json!("delivered"), 2), "{sent}");
    let later = contact(&hub, "three").await;
    assert_eq!((&later["state"], held()), (&json!("delivered"), 2), "{later}");
    assert_eq!(later["external_id"], sent["external_id"]);
}
