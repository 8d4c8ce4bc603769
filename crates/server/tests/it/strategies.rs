//! A primary with a backup: who gets what while the primary is away, and after it is back.

use serde_json::{Value, json};
use switchboard_simulator::Running;

use crate::{
    hub::{Folder, Hub},
    vendors,
    wait::until,
};

/// A hub that tries again soon and gives a primary no time to come back.
fn start(folder: &Folder) -> Hub {
    let flags = [
        "--retry-base-ms",
        "20",
        "--retry-cap-ms",
        "200",
        "--retry-hand-over-seconds",
        "0",
    ];
    folder.start_with(&flags)
}

/// Salesforce leads, and HubSpot contacts when that is away.
async fn primary_and_backup(hub: &Hub, vendors: &Running, sync_back: bool) {
    for (system, object) in [("salesforce", "lead"), ("hubspot", "contact")] {
        let mut integration = vendors::integration(vendors, system);
        let mappings = integration["config"]["mappings"].as_object_mut().unwrap();
        mappings.retain(|name, _| name == object);
        if system == "hubspot" {
            mappings[object]["message"] = "{{messageContent}}".into();
        }
        hub.post("/api/crm/configure", &integration).await.fine(200);
    }
    let strategy = json!({
        "strategy": "primary_backup",
        "primary": {"type": "salesforce", "fallback": "hubspot"},
        "rules": {"if_primary_fails": "use_backup", "sync_back": sync_back},
    });
    hub.post("/api/crm/configure", &strategy).await.fine(200);
}

fn message(person: usize, text: &str) -> Value {
    json!({
        "senderName": format!("王 {person}"), "senderEmail": format!("p{person}@example.org"), "tenantName": "示例",
        "messageContent": text,
    })
}

fn texts(vendors: &Running, vendor: &str, object: &str, place: &str) -> Vec<String> {
    let records = vendors::records(vendors, vendor, object);
    let mut texts: Vec<String> = records
        .iter()
        .map(|record| {
            record
                .pointer(place)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    texts.sort();
    texts
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_backup_took_is_created_at_the_primary_when_it_is_back_once_and_in_order() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = start(&folder);
    primary_and_backup(&hub, &vendors, true).await;
    vendors::down(&vendors, "salesforce", true);
    let mut events = Vec::new();
    for n in 0..12 {
        events.push(hub.message(message(n % 3, &format!("text {n:02}"))).await);
    }
    until("the backup has every person with what they wrote last", async || {
        let texts = texts(&vendors, "hubspot", "contacts", "/properties/message");
        (texts == ["text 09", "text 10", "text 11"]).then_some(())
    })
    .await;
    assert_eq!(vendors::records(&vendors, "salesforce", "Lead").len(), 0);
    for event in &events {
        until("the backup has a delivery of its own", async || {
            let story = hub.story(event).await;
            (story["deliveries"].as_array().unwrap().len() == 2).then_some(())
        })
        .await;
    }
    vendors::down(&vendors, "salesforce", false);
    for event in &events {
        let story = hub.settled(event).await;
        let all = story["deliveries"].as_array().unwrap();
        assert!(all.iter().all(|delivery| delivery["state"] == "delivered"), "{story:#}");
        assert_eq!(all.len(), 2, "one at each: {story:#}");
    }
    assert_eq!(
        texts(&vendors, "salesforce", "Lead", "/Description"),
        ["text 09", "text 10", "text 11"]
    );
    assert_eq!(vendors::records(&vendors, "hubspot", "contacts").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_sync_back_the_primary_gets_nothing_of_what_the_backup_took() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = start(&folder);
    primary_and_backup(&hub, &vendors, false).await;
    vendors::down(&vendors, "salesforce", true);
    let event = hub.message(message(1, "пока нет")).await;
    let story = hub.settled(&event).await;
    let state = |connection: &str| {
        let all = story["deliveries"].as_array().unwrap();
        let one = all
            .iter()
            .find(|delivery| delivery["connection"].as_str().unwrap().contains(connection));
        one.map(|delivery| delivery["state"].as_str().unwrap().to_owned())
    };
    assert_ne!(state("salesforce").as_deref(), Some("delivered"), "{story:#}");
    until("the backup has it", async || {
        (vendors::records(&vendors, "hubspot", "contacts").len() == 1).then_some(())
    })
    .await;
    vendors::down(&vendors, "salesforce", false);
    // The hub looks from time to time whether it is back; what comes before that goes to the backup, too.
    until("the primary takes what is new", async || {
        let later = hub.message(message(2, "снова здесь")).await;
        hub.settled(&later).await;
        (!vendors::records(&vendors, "salesforce", "Lead").is_empty()).then_some(())
    })
    .await;
    assert_eq!(texts(&vendors, "salesforce", "Lead", "/Description"), ["снова здесь"]);
}
