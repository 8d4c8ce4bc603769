//! The answer is lost after the vendor has written: exactly one record.

use serde_json::json;
use switchboard_simulator::{Fault, Rule};

use crate::{
    hub::{Folder, states},
    vendors,
};

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_lost_after_the_write_leaves_exactly_one_record_on_each_vendor() {
    for (system, objects) in [
        ("salesforce", &["Lead", "Case"][..]),
        ("hubspot", &["contacts", "tickets"]),
        ("notion", &["pages"]),
        ("webhook", &["deliveries"]),
    ] {
        for times in [1, 3] {
            let (folder, vendors) = (Folder::new(), vendors::start().await);
            let hub = folder.start();
            let connection = match system {
                "webhook" => vendors::webhook(&vendors),
                _ => vendors::integration(&vendors, system),
            };
            hub.post("/api/crm/configure", &connection).await.fine(200);
            // Every writing call loses its answer, whatever its method.
            let rules = ["POST", "PATCH"].map(|method| Rule::new(Fault::CutAfter).method(method).times(times));
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
                "{system} {times}: {story:#}"
            );
            for object in objects {
                assert_eq!(
                    vendors::records(&vendors, system, object).len(),
                    1,
                    "{system} {object} {times}: {story:#}"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_that_hides_a_success_doubles_nothing() {
    for (system, objects) in [
        ("salesforce", &["Lead", "Case"][..]),
        ("hubspot", &["contacts", "tickets"]),
        ("notion", &["pages"]),
    ] {
        let (folder, vendors) = (Folder::new(), vendors::start().await);
        let hub = folder.start();
        hub.post("/api/crm/configure", &vendors::integration(&vendors, system))
            .await
            .fine(200);
        let hidden = Fault::Status {
            code: 504,
            retry_after_s: None,
            applied: true,
        };
        vendors::fail(
            &vendors,
            system,
            ["POST", "PATCH"].map(|method| Rule::new(hidden.clone()).method(method).times(2)),
        );
        let event = hub.message(json!({"senderName": "Zoë", "senderEmail": "zoe@example.org", "tenantName": "E", "messageContent": "hi"})).await;
        let story = hub.settled(&event).await;
        assert_eq!(states(&story), vec!["delivered"; objects.len()], "{system}: {story:#}");
        for object in objects {
            assert_eq!(
                vendors::records(&vendors, system, object).len(),
                1,
                "{system} {object}: {story:#}"
            );
        }
    }
}
