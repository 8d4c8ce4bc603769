//! What the account behind a connection has, and mappings that do not fit it.

use serde_json::{Value, json};

use crate::{
    hub::{Folder, Hub},
    vendors,
    wait::until,
};

fn object<'s>(schema: &'s Value, name: &str) -> &'s Value {
    let objects = schema["objects"].as_array().unwrap();
    objects
        .iter()
        .find(|object| object["name"] == name)
        .unwrap_or_else(|| panic!("{schema}"))
}

fn field<'s>(schema: &'s Value, of: &str, name: &str) -> &'s Value {
    let fields = object(schema, of)["fields"].as_array().unwrap();
    fields
        .iter()
        .find(|field| field["name"] == name)
        .unwrap_or_else(|| panic!("no {name} in {fields:?}"))
}

async fn problems(hub: &Hub, key: &str) -> Vec<Value> {
    let status = hub.get(&format!("/api/crm/sync-status/{key}")).await.fine(200);
    status["mappingProblems"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn hubspot_shows_its_properties_once_a_day_and_on_demand() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    hub.post("/api/crm/configure", &vendors::integration(&vendors, "hubspot"))
        .await
        .fine(200);
    let asked = || vendors::calls(&vendors, "hubspot", "GET", "/crm/properties/2026-09/contacts");
    let schema = hub.get("/v1/connections/hubspot/schema").await.fine(200);
    assert_eq!(schema["problem"], Value::Null, "{schema}");
    assert_eq!(field(&schema, "contact", "email")["from_account"], true);
    assert_eq!(field(&schema, "contact", "lead_source")["from_account"], true);
    let stages = field(&schema, "ticket", "hs_pipeline_stage")["options"]
        .as_array()
        .unwrap();
    assert!(stages.iter().any(|stage| stage["value"] == "new"), "{stages:?}");
    let before = asked();
    hub.get("/v1/connections/hubspot/schema").await.fine(200);
    assert_eq!(asked(), before);
    hub.get("/v1/connections/hubspot/schema?refresh=true").await.fine(200);
    assert!(asked() > before);
    // What is known outlives the process.
    hub.terminate();
    let hub = folder.start();
    let before = asked();
    let schema = hub.get("/v1/connections/hubspot/schema").await.fine(200);
    assert!(object(&schema, "contact")["found_at"].is_string());
    assert_eq!(asked(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_is_away_leaves_what_was_known_and_says_why() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    hub.post("/api/crm/configure", &vendors::integration(&vendors, "salesforce"))
        .await
        .fine(200);
    let schema = hub.get("/v1/connections/salesforce/schema").await.fine(200);
    assert_eq!(field(&schema, "lead", "LastName")["required"], true);
    vendors::down(&vendors, "salesforce", true);
    let schema = hub
        .get("/v1/connections/salesforce/schema?refresh=true")
        .await
        .fine(200);
    assert_eq!(schema["problem"]["code"], "SWB-DLV-002", "{schema}");
    assert!(object(&schema, "lead")["found_at"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_that_does_not_fit_the_account_is_named_and_then_refused() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    let mut hubspot = vendors::integration(&vendors, "hubspot");
    hubspot["config"]["mappings"] = json!({"contact": {"email": "{{ senderEmail }}", "lead_sorce": "{{ platform }}"}});
    // Nothing is known of the account yet.
    hub.post("/api/crm/configure", &hubspot).await.fine(200);
    assert!(problems(&hub, "hubspot").await.is_empty());
    hub.get("/v1/connections/hubspot/schema").await.fine(200);
    let found = problems(&hub, "hubspot").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["level"], "error");
    assert!(
        found[0]["problem"]["next"].as_str().unwrap().contains("`lead_source`"),
        "{found:?}"
    );

    let refused = hub
        .post("/api/crm/configure", &hubspot)
        .await
        .problem(422, "SWB-MAP-003");
    assert!(
        refused["place"]
            .as_str()
            .unwrap()
            .contains("/mappings/contact/lead_sorce"),
        "{refused}"
    );
    hubspot["config"]["mappings"]["contact"] = json!({"email": "{{ senderEmail }}", "lead_source": "{{ platform }}"});
    hub.post("/api/crm/configure", &hubspot).await.fine(200);
    assert!(problems(&hub, "hubspot").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_refused_for_a_field_has_the_fields_read_anew() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    let mut hubspot = vendors::integration(&vendors, "hubspot");
    hubspot["config"]["mappings"] = json!({"contact": {"email": "{{ senderEmail }}", "lead_sorce": "{{ platform }}"}});
    hub.post("/api/crm/configure", &hubspot).await.fine(200);
    let event = hub
        .message(json!({"senderEmail": "anna@example.org", "platform": "WhatsApp"}))
        .await;
    assert_eq!(hub.settled(&event).await["deliveries"][0]["state"], "dead");
    let found = until("the misfit is known", async || {
        let found = problems(&hub, "hubspot").await;
        (!found.is_empty()).then_some(found)
    })
    .await;
    assert!(
        found[0]["problem"]["detail"].as_str().unwrap().contains("`lead_sorce`"),
        "{found:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn notion_shows_its_columns_and_data_sources() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    hub.post("/api/crm/configure", &vendors::integration(&vendors, "notion"))
        .await
        .fine(200);
    // The data source is found out before first use.
    let event = hub
        .message(json!({"messageContent": "你好", "senderName": "王伟"}))
        .await;
    hub.settled(&event).await;
    let schema = hub.get("/v1/connections/notion/schema").await.fine(200);
    let column = field(&schema, "page", "平台");
    assert_eq!(
        (&column["inside"], &column["type"]),
        (&json!("properties"), &json!("choice")),
        "{column}"
    );
    let choices = hub.get("/v1/connections/notion/choices/dataSourceId").await.fine(200);
    assert_eq!(choices["items"].as_array().unwrap().len(), 1, "{choices}");
    hub.get("/v1/connections/notion/choices/databaseIt")
        .await
        .problem(404, "SWB-API-008");
    hub.get("/v1/connections/none/schema").await.problem(404, "SWB-API-008");
    hub.get("/v1/connections/notion/schema?refesh=true")
        .await
        .problem(400, "SWB-API-013");
}
