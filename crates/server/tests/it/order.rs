//! Deliveries about one record arrive in the order in which they were accepted, also when some have to be tried again.

use serde_json::{Value, json};
use switchboard_simulator::{Fault, Rule};

use crate::{hub::Folder, vendors};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_wrote_last_is_what_the_vendor_holds_also_under_retries() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    hub.post("/api/crm/configure", &vendors::integration(&vendors, "salesforce"))
        .await
        .fine(200);
    let broken = Fault::Status {
        code: 503,
        retry_after_s: None,
        applied: false,
    };
    vendors::fail(
        &vendors,
        "salesforce",
        [
            Rule::new(broken).probability(0.3),
            Rule::new(Fault::CutAfter).probability(0.2),
        ],
    );
    let batch: Vec<Value> = (0..60)
        .map(|n| {
            json!({"type": "message.received", "data": {
                "senderEmail": format!("p{}@example.org", n % 3), "tenantName": "E", "messageContent": format!("{n:03}"),
            }})
        })
        .collect();
    hub.post("/v1/events", &json!(batch)).await.fine(202);
    hub.idle().await;
    let mut leads: Vec<(String, String)> = vendors::records(&vendors, "salesforce", "Lead")
        .iter()
        .map(|lead| {
            (
                lead["Email"].as_str().unwrap().to_owned(),
                lead["Description"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    leads.sort();
    let expected = [0, 1, 2].map(|n| (format!("p{n}@example.org"), format!("{:03}", 57 + n)));
    assert_eq!(leads, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_has_to_wait_holds_up_no_other() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start_with(&["--retry-base-ms", "3600000", "--retry-cap-ms", "86400000"]);
    hub.post("/api/crm/configure", &vendors::webhook(&vendors))
        .await
        .fine(200);
    let broken = Fault::Status {
        code: 500,
        retry_after_s: None,
        applied: false,
    };
    vendors::fail(&vendors, "webhook", [Rule::new(broken).times(1)]);
    let first = hub.message(json!({"messageContent": "first"})).await;
    crate::wait::until("the first one has failed", async || {
        (hub.story(&first).await["deliveries"][0]["attempts"] == 1).then_some(())
    })
    .await;
    let second = hub.message(json!({"messageContent": "second"})).await;
    hub.settled(&second).await;
    assert_eq!(hub.story(&first).await["deliveries"][0]["state"], "waiting");
}
