//! The answer is lost after the vendor has written: exactly one record.

use futures::future::join_all;
use serde_json::json;
use switchboard_simulator::{Fault, Rule};

use crate::{
    hub::{Folder, states},
    vendors,
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
