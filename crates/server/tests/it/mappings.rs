//! Mappings of one's own beside those of the connector.

use serde_json::json;

use crate::{
    hub::{Folder, states},
    vendors,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_of_ones_own_takes_the_place_of_the_connectors_mapping_of_that_object_alone() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start_with(&["--retry-base-ms", "20", "--retry-cap-ms", "200"]);
    let mut integration = vendors::integration(&vendors, "hubspot");
    integration["config"]["mappings"] = json!({"contact": {"email": "{{ senderEmail }}", "firstname": "Own"}});
    hub.post("/api/crm/configure", &integration).await.fine(200);
    let person = |category: &str| json!({"senderName": "王 小明", "senderEmail": format!("{category}@example.org"), "messageContent": "你好", "category": category});

    // Nobody names an object: those with a mapping of one's own are made, and no other.
    let event = hub.message(person("sales")).await;
    assert_eq!(states(&hub.settled(&event).await), ["delivered"]);
    let contacts = vendors::records(&vendors, "hubspot", "contacts");
    assert_eq!(contacts[0]["properties"]["firstname"], "Own", "{contacts:?}");
    assert!(vendors::records(&vendors, "hubspot", "tickets").is_empty());

    // A route names another one, which the connector maps; it is prepared, too, before its first record.
    let route = json!({"routes": [{
        "key": "help", "on": "message.received", "strategy": "parallel_sync",
        "to": [{"system": "hubspot", "objects": ["ticket"]}],
    }]});
    hub.post("/api/crm/configure", &route).await.fine(200);
    let event = hub.message(person("support")).await;
    assert_eq!(states(&hub.settled(&event).await), ["delivered"]);
    let tickets = vendors::records(&vendors, "hubspot", "tickets");
    assert_eq!(tickets.len(), 1);
    assert_eq!(tickets[0]["properties"]["content"], "你好", "{tickets:?}");
    assert!(tickets[0]["properties"]["hub_external_id"].is_string(), "{tickets:?}");
    assert_eq!(vendors::records(&vendors, "hubspot", "contacts").len(), 1);
}
