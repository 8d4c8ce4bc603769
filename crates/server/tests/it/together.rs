//! Deliveries that go together: folded by record, packed into the vendor's bulk calls, one outcome for each.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use switchboard_simulator::{Fault, Rule, Running};

use crate::{
    hub::{Folder, Hub},
    vendors,
    wait::until,
};

const PEOPLE: usize = 1_000;

async fn contacts_only(hub: &Hub, vendors: &Running) {
    let mut integration = vendors::integration(vendors, "hubspot");
    integration["config"]["mappings"] = json!({"contact": {
        "email": "{{senderEmail}}", "firstname": "{{senderFirstName}}", "message": "{{messageContent}}",
    }});
    hub.post("/api/crm/configure", &integration).await.fine(200);
}

async fn post(hub: &Hub, messages: impl Iterator<Item = Value>) {
    let all: Vec<Value> = messages
        .map(|data| json!({"type": "message.received", "data": data}))
        .collect();
    for part in all.chunks(1_000) {
        hub.post("/v1/events", &json!(part)).await.fine(202);
    }
}

fn message(person: usize, text: &str) -> Value {
    json!({"senderEmail": format!("p{person}@example.org"), "senderName": format!("李 {person}"), "messageContent": text})
}

/// Calls that change contacts and were answered.
fn writes(vendors: &Running) -> usize {
    ["/batch/update", "/batch/upsert", "/contacts/"]
        .iter()
        .map(|part| {
            let methods: &[&str] = if part.starts_with("/batch") {
                &["POST"]
            } else {
                &["PATCH"]
            };
            methods
                .iter()
                .map(|method| vendors::calls(vendors, "hubspot", method, part))
                .sum::<usize>()
        })
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_queued_updates_of_a_thousand_contacts_take_at_most_twelve_calls() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    contacts_only(&hub, &vendors).await;
    post(&hub, (0..PEOPLE).map(|person| message(person, "first"))).await;
    hub.idle().await;
    assert_eq!(vendors::records(&vendors, "hubspot", "contacts").len(), PEOPLE);
    vendors::down(&vendors, "hubspot", true);
    post(
        &hub,
        (0..10 * PEOPLE).map(|n| message(n % PEOPLE, &format!("text {}", n / PEOPLE))),
    )
    .await;
    until("the hub has noticed that the vendor is away", async || {
        let connections = hub.get("/v1/connections").await.fine(200);
        (connections["items"][0]["lane"]["state"] == "open").then_some(())
    })
    .await;
    let before = writes(&vendors);
    vendors::down(&vendors, "hubspot", false);
    hub.idle().await;
    let calls = writes(&vendors) - before;
    assert!((10..=12).contains(&calls), "{calls} calls");
    let records = vendors::records(&vendors, "hubspot", "contacts");
    assert_eq!(records.len(), PEOPLE);
    assert!(records.iter().all(|record| record["properties"]["message"] == "text 9"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_record_that_the_vendor_refuses_does_not_take_the_others_of_its_call_with_it() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    contacts_only(&hub, &vendors).await;
    vendors::down(&vendors, "hubspot", true);
    let address = |n: usize| match n {
        // No mail address for the vendor, and for us neither more nor less than any other text.
        17 => json!({"senderEmail": "p17@exa mple", "senderName": "刘 17", "messageContent": "x"}),
        _ => message(n, "x"),
    };
    post(&hub, (0..40).map(address)).await;
    vendors::down(&vendors, "hubspot", false);
    hub.idle().await;
    assert_eq!(vendors::records(&vendors, "hubspot", "contacts").len(), 39);
    let dead = hub.get("/v1/deliveries?state=dead").await.fine(200);
    assert_eq!(dead["items"].as_array().unwrap().len(), 1, "{dead:#}");
}

/// Dynamics 365, which takes the requests themselves in one. No table of it has a column `nonsense`: it refuses whoever brings a category.
async fn leads_only(hub: &Hub, vendors: &Running) {
    let origin = vendors.url("dynamics365");
    let connection = json!({"connections": [{
        "key": "crm", "connector": "dynamics365",
        "settings": {"baseUrl": origin, "loginUrl": origin, "tenantId": "example.org"},
        "secrets": {"clientId": "app", "clientSecret": "made-up"},
        "mappings": {"lead": {
            "lastname": "{{senderName}}", "emailaddress1": "{{senderEmail}}", "subject": "{{messageContent}}", "nonsense": "{{category}}",
        }},
    }]});
    hub.post("/api/crm/configure", &connection).await.fine(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_request_in_an_envelope_has_its_own_outcome_and_its_own_answer_in_the_history() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    leads_only(&hub, &vendors).await;
    vendors::down(&vendors, "dynamics365", true);
    let mut people: Vec<Value> = (0..40).map(|person| message(person, "x")).collect();
    people[17]["category"] = "sales".into();
    let events: Vec<Value> = people
        .into_iter()
        .map(|data| json!({"type": "message.received", "data": data}))
        .collect();
    let accepted = hub.post("/v1/events", &json!(events)).await.fine(202);
    vendors::down(&vendors, "dynamics365", false);
    hub.idle().await;
    let leads = vendors::records(&vendors, "dynamics365", "lead");
    assert_eq!(leads.len(), 39);
    let mut shared = 0;
    for (person, receipt) in accepted["results"].as_array().unwrap().iter().enumerate() {
        let story = hub.story(receipt["id"].as_str().unwrap()).await;
        let delivery = &story["deliveries"][0];
        let call = delivery["calls"].as_array().unwrap().last().unwrap();
        let status = call["status"].as_u64().unwrap();
        if person == 17 {
            assert_eq!(
                (delivery["state"].as_str(), status),
                (Some("dead"), 400),
                "{delivery:#}"
            );
            assert!(call["answer"].as_str().unwrap().contains("'nonsense'"), "{call:#}");
            continue;
        }
        let answer: Value = serde_json::from_str(call["answer"].as_str().unwrap()).unwrap();
        let address = format!("p{person}@example.org");
        let lead = leads.iter().find(|lead| lead["emailaddress1"] == *address).unwrap();
        assert_eq!(
            (delivery["state"].as_str(), status),
            (Some("delivered"), 201),
            "{delivery:#}"
        );
        assert_eq!(answer["leadid"], lead["leadid"], "{call:#}");
        shared += usize::from(call["records"].as_u64().unwrap() > 1);
    }
    // One alone tries whether the vendor is back.
    assert!(shared >= 35, "{shared}");
    let (batches, alone) = (
        vendors::calls(&vendors, "dynamics365", "POST", "/$batch"),
        vendors::calls(&vendors, "dynamics365", "PATCH", "/leads"),
    );
    assert!(
        (1..=4).contains(&batches) && alone <= 4,
        "{batches} batches, {alone} alone"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_whose_answer_is_lost_again_and_again_leaves_each_record_once() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    leads_only(&hub, &vendors).await;
    vendors::down(&vendors, "dynamics365", true);
    post(&hub, (0..30).map(|person| message(person, "x"))).await;
    let lost = Rule::new(Fault::CutAfter).method("POST").path("/$batch").times(2);
    vendors::fail(&vendors, "dynamics365", [lost]);
    hub.idle().await;
    let leads = vendors::records(&vendors, "dynamics365", "lead");
    let people: BTreeSet<&str> = leads.iter().filter_map(|lead| lead["emailaddress1"].as_str()).collect();
    assert_eq!((leads.len(), people.len()), (30, 30));
    assert_eq!(hub.get("/v1/deliveries?state=dead").await.fine(200)["items"], json!([]));
    assert!(vendors::calls(&vendors, "dynamics365", "POST", "/$batch") >= 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_contact_is_removed_only_where_a_route_says_so() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    contacts_only(&hub, &vendors).await;
    let person = message(1, "здравствуйте");
    hub.settled(&hub.message(person.clone()).await).await;
    let gone = json!({"type": "contact.deleted", "data": person});
    let receipt = hub.post("/v1/events", &gone).await.fine(202);
    assert_eq!(receipt["deliveries"], 0, "{receipt}");
    let route = json!({"strategy": "parallel_sync", "on": "*", "targets": [{"type": "hubspot", "options": {"deletions": true}}]});
    hub.post("/api/crm/configure", &route).await.fine(200);
    let receipt = hub.post("/v1/events", &gone).await.fine(202);
    let story = hub.settled(receipt["id"].as_str().unwrap()).await;
    assert_eq!(story["deliveries"][0]["state"], "delivered", "{story:#}");
    assert!(vendors::records(&vendors, "hubspot", "contacts").is_empty());
    // Whoever comes back is a new record.
    hub.settled(&hub.message(message(1, "снова")).await).await;
    assert_eq!(vendors::records(&vendors, "hubspot", "contacts").len(), 1);
}
