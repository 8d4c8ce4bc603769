//! `kill -9` at the worst moments: what was acknowledged is delivered, once.

use futures::future::join_all;
use serde_json::json;
use switchboard_simulator::{Fault, Rule};

use crate::{
    hub::{Folder, states},
    vendors,
    wait::until,
};

fn message(n: usize) -> serde_json::Value {
    json!({
        "senderName": format!("Ana {n}"), "senderEmail": format!("ana{n}@example.org"), "tenantName": "Example",
        "messageContent": format!("message {n} 你好"), "category": "技术支持",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_before_a_kill_is_delivered_once_after_the_restart() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    for system in ["salesforce", "hubspot", "notion"] {
        folder.apply(&vendors::integration(&vendors, system)).fine();
        vendors::down(&vendors, system, true);
    }
    let hub = folder.start();
    let mut events = Vec::new();
    for n in 0..10 {
        events.push(hub.message(message(n)).await);
    }
    hub.kill();
    for system in ["salesforce", "hubspot", "notion"] {
        assert_eq!(
            vendors.summary().vendors[system].records.values().sum::<u64>(),
            0,
            "{system}"
        );
        vendors::down(&vendors, system, false);
    }
    let hub = folder.start();
    for event in &events {
        let story = hub.settled(event).await;
        assert_eq!(states(&story), ["delivered"; 5], "{story:#}");
    }
    for (vendor, object) in [
        ("salesforce", "Lead"),
        ("salesforce", "Case"),
        ("hubspot", "contacts"),
        ("hubspot", "tickets"),
        ("notion", "pages"),
    ] {
        assert_eq!(
            vendors::records(&vendors, vendor, object).len(),
            10,
            "{vendor} {object}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_the_write_and_its_answer_doubles_nothing() {
    let cases = [
        ("salesforce", "Case", "PATCH"),
        ("hubspot", "tickets", "POST"),
        ("notion", "pages", "POST"),
    ];
    join_all(cases.map(|(system, object, method)| kill_between_write_and_answer(system, object, method))).await;
}

async fn kill_between_write_and_answer(system: &str, object: &str, method: &str) {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    folder.apply(&vendors::integration(&vendors, system)).fine();
    let hub = folder.start();
    // The vendor writes, and no answer comes for as long as the hub lives.
    vendors::fail(&vendors, system, [Rule::new(Fault::CutAfter).method(method)]);
    let event = hub.message(message(1)).await;
    until("the record is written", async || {
        (!vendors::records(&vendors, system, object).is_empty()).then_some(())
    })
    .await;
    hub.kill();
    vendors::down(&vendors, system, false);
    // Where the call was still under way the hub gives the vendor the time that a call may take before it looks.
    let hub = folder.start_with(&[
        "--retry-base-ms",
        "20",
        "--retry-cap-ms",
        "200",
        "--limits-call-seconds",
        "2",
    ]);
    let story = hub.settled(&event).await;
    assert!(
        states(&story).iter().all(|state| *state == "delivered"),
        "{system}: {story:#}"
    );
    assert_eq!(
        vendors::records(&vendors, system, object).len(),
        1,
        "{system}: {story:#}"
    );
}
