//! The ready scenarios: installed with one command, driven from the incoming webhook to the records and the calls at the vendors.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use switchboard_simulator::Running;

use crate::{
    hub::{Folder, Hub, Reply},
    vendors,
    wait::until,
};

const SECRET: &str = "example-secret-0001";

fn signature(text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// A push, as the vendor makes it.
async fn push(hub: &Hub, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut request = hub.anonymous("POST", &format!("/in/{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let reply = hub.send(request.body(body.to_owned())).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.text);
    reply
}

fn install(folder: &Folder, name: &str, set: &[&str]) {
    let mut arguments = vec!["template", "install", name];
    for pair in set {
        arguments.extend(["--set", pair]);
    }
    let installed = folder.run(&arguments).fine();
    assert!(installed.stdout.contains("automation "), "{}", installed.stdout);
}

async fn records(hub: &Hub, object: &str) -> Vec<Value> {
    let page = hub.get(&format!("/v1/{object}")).await.fine(200);
    page.as_array()
        .or_else(|| page["items"].as_array())
        .unwrap_or_else(|| panic!("{page}"))
        .clone()
}

/// Waits for the one record of which this holds.
async fn one(hub: &Hub, object: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    until(&format!("{object}: {what}"), async || {
        let found: Vec<Value> = records(hub, object)
            .await
            .into_iter()
            .filter(|record| holds(record))
            .collect();
        assert!(found.len() <= 1, "{object}, {what}: {found:#?}");
        found.into_iter().next()
    })
    .await
}

/// Waits until no run is at work.
async fn quiet(hub: &Hub) {
    until("no run is at work", async || {
        let running = hub.get("/v1/runs?state=running").await.fine(200);
        running["items"].as_array().unwrap().is_empty().then_some(())
    })
    .await;
    let failed = hub.get("/v1/runs?state=failed").await.fine(200);
    assert_eq!(failed["items"], json!([]), "{failed:#}");
    hub.idle().await;
}

async fn order(hub: &Hub, topic: &str, id: u64, more: Value) {
    let mut body = json!({
        "id": id, "name": format!("#{id}"), "email": format!("buyer{id}@example.net"), "total_price": "59.90", "currency": "EUR",
        "created_at": "2026-11-20T10:00:00+01:00", "updated_at": "2026-11-20T10:00:00+01:00",
        "customer": { "id": 7000 + id, "email": format!("buyer{id}@example.net"), "first_name": "Ann", "last_name": "Example" },
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let body = body.to_string();
    let delivery = format!("{topic}-{id}-{}", body.len());
    let headers = [
        ("content-type", "application/json"),
        ("x-shopify-topic", topic),
        ("x-shopify-hmac-sha256", &signature(&body)),
        ("x-shopify-webhook-id", &delivery),
    ];
    push(hub, "shopify", &headers, &body).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shopify_orders_become_customers_and_opportunities_that_are_won_when_fulfilled() {
    let folder = Folder::new();
    install(&folder, "shopify-orders", &[&format!("client_secret={SECRET}")]);
    let hub = folder.start();
    order(&hub, "orders/create", 1, json!({})).await;
    let deal = one(&hub, "opportunities", "it is ordered", |deal| {
        deal["stage"] == "ordered"
    })
    .await;
    assert_eq!(
        (&deal["name"], &deal["value"], &deal["currency"]),
        (&json!("Shopify #1"), &json!(59.9), &json!("EUR"))
    );
    let customer = one(&hub, "people", "the buyer", |person| {
        person["email"] == "buyer1@example.net"
    })
    .await;
    assert_eq!(
        (&customer["firstName"], &deal["personId"]),
        (&json!("Ann"), &customer["id"])
    );

    let later = |status: &str| json!({ "fulfillment_status": status, "updated_at": "2026-11-22T10:00:00+01:00" });
    order(&hub, "orders/fulfilled", 1, later("fulfilled")).await;
    let won = one(&hub, "opportunities", "it is won", |deal| deal["stage"] == "won").await;
    assert_eq!((&won["id"], &won["closeDate"]), (&deal["id"], &json!("2026-11-22")));

    // The news of a second order come in the wrong order, and each twice.
    for _ in 0..2 {
        order(&hub, "orders/fulfilled", 2, later("fulfilled")).await;
    }
    one(&hub, "opportunities", "the second is won", |deal| {
        deal["name"] == "Shopify #2" && deal["stage"] == "won"
    })
    .await;
    for _ in 0..2 {
        order(&hub, "orders/create", 2, json!({})).await;
    }
    // A third one is cancelled.
    order(&hub, "orders/create", 3, json!({})).await;
    let cancelled = json!({ "cancelled_at": "2026-11-21T10:00:00+01:00", "updated_at": "2026-11-21T10:00:00+01:00" });
    order(&hub, "orders/cancelled", 3, cancelled).await;
    one(&hub, "opportunities", "the third is lost", |deal| {
        deal["name"] == "Shopify #3" && deal["stage"] == "lost"
    })
    .await;
    quiet(&hub).await;
    let mut stages: Vec<String> = records(&hub, "opportunities")
        .await
        .iter()
        .map(|deal| format!("{} {}", deal["name"], deal["stage"]).replace('"', ""))
        .collect();
    stages.sort();
    assert_eq!(stages, ["Shopify #1 won", "Shopify #2 won", "Shopify #3 lost"]);
    assert_eq!(records(&hub, "people").await.len(), 3);
}

/// Connections to simulated vendors.
fn connect(folder: &Folder, vendors: &Running) {
    let connections = json!({ "connections": [
        { "key": "mailchimp", "connector": "mailchimp", "auth": "api_key",
          "settings": { "baseUrl": vendors.url("mailchimp"), "audienceId": "a6b5da1054" },
          "secrets": { "apiKey": "0123456789abcdef0123456789abcdef-us21" } },
        { "key": "slack", "connector": "slack", "auth": "bot_token",
          "settings": { "baseUrl": format!("{}/api", vendors.url("slack")), "channel": "#customer-support" },
          "secrets": { "botToken": "xoxb-example-1" } },
        { "key": "zendesk", "connector": "zendesk", "auth": "client_credentials",
          "settings": { "baseUrl": vendors.url("zendesk") },
          "secrets": { "clientId": "hub", "clientSecret": "example-secret" } },
    ], "routes": [
        // Nothing goes there but what the automations send.
        { "key": "nothing", "on": "call.missed", "to": ["mailchimp", "slack", "zendesk"], "enabled": true },
    ] });
    folder.apply(&connections).fine();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_becomes_a_lead_who_gets_mail_and_is_told_to_the_sellers_when_hot() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    connect(&folder, &vendors);
    install(&folder, "website-lead", &["channel=#general"]);
    let hub = folder.start();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let hot =
        "name=Ann+Example&email=ann.lead%40example.net&company=Example+Ltd&message=What+is+the+PRICE%3F&newsletter=yes";
    push(&hub, "website", &form, hot).await;
    let lead = one(&hub, "people", "the hot lead", |person| person["priority"] == "hot").await;
    assert_eq!(
        (&lead["email"], &lead["status"], &lead["marketingConsent"]),
        (&json!("ann.lead@example.net"), &json!("lead"), &json!(true))
    );
    let cold = "name=Bob+Example&email=bob.lead%40example.net&message=Nice+site";
    push(&hub, "website", &form, cold).await;
    one(&hub, "people", "the other lead", |person| {
        person["email"] == "bob.lead@example.net" && person["status"] == "lead"
    })
    .await;
    quiet(&hub).await;
    let members = vendors::records(&vendors, "mailchimp", "members");
    let leads: Vec<&Value> = members
        .iter()
        .filter(|member| member["email_address"].as_str().unwrap().contains(".lead@"))
        .collect();
    assert_eq!(leads.len(), 1, "{members:#?}");
    assert_eq!(
        (
            &leads[0]["status"],
            &leads[0]["merge_fields"]["FNAME"],
            &leads[0]["merge_fields"]["COMPANY"]
        ),
        (&json!("subscribed"), &json!("Ann"), &json!("Example Ltd"))
    );
    let messages = vendors::records(&vendors, "slack", "messages");
    assert_eq!(messages.len(), 1, "{messages:#?}");
    let text = messages[0]["text"].as_str().unwrap();
    assert!(
        text.contains("Ann Example (Example Ltd)") && text.contains("PRICE"),
        "{text}"
    );
}

async fn ticket(hub: &Hub, kind: &str, id: &str, more: Value) {
    let mut detail = json!({ "id": id, "requester_id": "360001", "status": "NEW", "priority": "NORMAL" });
    detail
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let now = jiff::Timestamp::from_second(now_s()).unwrap().to_string();
    let body = json!({
        "account_id": 1, "id": format!("{kind}-{id}-{}", detail["status"]), "type": format!("zen:event-type:ticket.{kind}"),
        "subject": format!("zen:ticket:{id}"), "time": now, "zendesk_event_version": "2022-06-20", "detail": detail, "event": {},
    });
    let body = body.to_string();
    let headers = [
        ("content-type", "application/json"),
        ("x-zendesk-webhook-signature", &signature(&format!("{now}{body}"))),
        ("x-zendesk-webhook-signature-timestamp", &now),
    ];
    push(hub, "zendesk", &headers, &body).await;
}

/// The pusher's clock.
fn now_s() -> i64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_asks_for_an_upgrade_becomes_an_opportunity_and_both_are_closed_together() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    connect(&folder, &vendors);
    install(&folder, "ticket-upgrade", &[&format!("signing_secret={SECRET}")]);
    let hub = folder.start();
    hub.post("/v1/companies", &json!({ "name": "Acme", "owner": "eva" }))
        .await;
    hub.post(
        "/v1/people",
        &json!({ "firstName": "Kim", "email": "kim@example.com", "company": "Acme" }),
    )
    .await;
    ticket(&hub, "created", "1001", json!({ "subject": "Please UPGRADE our plan" })).await;
    ticket(&hub, "created", "1003", json!({ "subject": "Router offline" })).await;
    let deal = one(&hub, "opportunities", "it is new and somebody is in charge", |deal| {
        deal["owner"] == "eva"
    })
    .await;
    assert_eq!(
        (&deal["stage"], &deal["name"]),
        (&json!("new"), &json!("Upgrade: Please UPGRADE our plan"))
    );
    assert_eq!((&deal["company"], deal["personId"].is_string()), (&json!("Acme"), true));
    quiet(&hub).await;
    assert_eq!(records(&hub, "opportunities").await.len(), 1);
    // The ticket is solved.
    ticket(
        &hub,
        "status_changed",
        "1001",
        json!({ "subject": "Please UPGRADE our plan", "status": "SOLVED" }),
    )
    .await;
    let won = one(&hub, "opportunities", "it is won", |deal| deal["stage"] == "won").await;
    assert_eq!(won["id"], deal["id"]);
    quiet(&hub).await;
    assert_eq!(vendors::records(&vendors, "zendesk", "comments").len(), 0);
    // The other way round.
    ticket(&hub, "created", "1002", json!({ "subject": "Upgrade?" })).await;
    let second = one(&hub, "opportunities", "the second one", |deal| {
        deal["name"] == "Upgrade: Upgrade?" && deal["owner"] == "eva"
    })
    .await;
    let path = format!("/v1/opportunities/{}", second["id"].as_str().unwrap());
    let lost = hub
        .request("PATCH", &path)
        .header("content-type", "application/json")
        .body(json!({ "stage": "lost" }).to_string());
    assert_eq!(hub.send(lost).await.status, 200);
    let comment = until("the ticket has a comment", async || {
        vendors::records(&vendors, "zendesk", "comments").pop()
    })
    .await;
    assert!(comment.to_string().contains("was lost"), "{comment}");
    quiet(&hub).await;
    let tickets = vendors::records(&vendors, "zendesk", "tickets");
    let status = |id: i64| tickets.iter().find(|ticket| ticket["id"] == id).unwrap()["status"].clone();
    assert_eq!((status(1002), status(1001)), (json!("solved"), json!("open")));
}

/// What Eventbrite tells about an order and its guest when it is asked.
async fn eventbrite() -> String {
    let guest = json!({
        "id": "762511533", "created": "2026-11-20T09:00:00Z", "changed": "2026-11-20T09:00:05Z", "ticket_class_name": "General",
        "event_id": "101621827622", "order_id": "834225363", "status": "Attending", "checked_in": false, "cancelled": false,
        "profile": { "first_name": "Ann", "last_name": "Example", "name": "Ann Example", "email": "ann.guest@example.net",
                     "cell_phone": "+1 202 555 0143", "company": "Example Ltd", "job_title": "CTO" },
        "event": { "name": { "text": "Open day" } },
    });
    let order = json!({
        "id": "834225363", "created": "2026-11-20T09:00:00Z", "changed": "2026-11-20T09:00:05Z", "name": "Ann Example", "first_name": "Ann",
        "last_name": "Example", "email": "ann.guest@example.net", "status": "placed", "event_id": "101621827622",
        "event": { "id": "101621827622", "name": { "text": "Open day" }, "start": { "utc": "2026-12-01T18:00:00Z" } },
        "costs": { "gross": { "currency": "EUR", "value": 5990, "major_value": "59.90" } }, "attendees": [guest],
    });
    let answer = move |uri: axum::http::Uri| {
        let body = if uri.path().starts_with("/v3/orders/") {
            order.clone()
        } else {
            guest.clone()
        };
        async move { axum::Json(body) }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = axum::Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}/v3")
}

/// The source of the template, led to the stand-in.
fn lead_to(folder: &Folder, base: &str) {
    let fetch = |when: &str, ids: Value, path: &str| {
        json!({ "when": when, "base_url": base, "headers": { "Authorization": "Bearer {{ secrets.token }}" }, "ids": ids, "path": path,
                "missing": "retry" })
    };
    let id = |pattern: &str| json!({ "from": "{{ payload.api_url }}", "pattern": format!("https://www\\.eventbriteapi\\.com/v3/{pattern}/") });
    let source = json!({ "sources": [{
        "key": "eventbrite", "source": "eventbrite", "path": "eventbrite", "secrets": { "path_token": "Zk3vTq81Rr5cXy70", "token": "private" },
        "fetch": [
            fetch("payload.config.action == 'order.placed'", json!({ "order": id("orders/([0-9]{1,20})") }),
                  "/orders/{{ ids.order }}/?expand=event,attendees"),
            fetch("payload.config.action != 'order.placed'",
                  json!({ "event": id("events/([0-9]{1,20})/attendees/[0-9]{1,20}"), "attendee": id("events/[0-9]{1,20}/attendees/([0-9]{1,20})") }),
                  "/events/{{ ids.event }}/attendees/{{ ids.attendee }}/?expand=event"),
        ],
    }] });
    folder.apply(&source).fine();
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_become_leads_attend_and_come_first_when_they_liked_it() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    connect(&folder, &vendors);
    install(
        &folder,
        "eventbrite",
        &[
            "path_token=Zk3vTq81Rr5cXy70",
            "token=private",
            "channel=#general",
            "sellers=eva",
        ],
    );
    lead_to(&folder, &eventbrite().await);
    let hub = folder.start();
    let json_body = [("content-type", "application/json")];
    let announce = async |action: &str, thing: &str| {
        let body = json!({ "config": { "action": action, "webhook_id": "12064831" }, "api_url": format!("https://www.eventbriteapi.com/v3/{thing}/") });
        push(&hub, "eventbrite/Zk3vTq81Rr5cXy70", &json_body, &body.to_string()).await;
    };
    let guest = "events/101621827622/attendees/762511533";
    announce("order.placed", "orders/834225363").await;
    let lead = one(&hub, "people", "the guest is registered", |person| {
        person["status"] == "registered"
    })
    .await;
    assert_eq!(
        (&lead["email"], &lead["leadSource"], &lead["jobTitle"]),
        (
            &json!("ann.guest@example.net"),
            &json!("Eventbrite: Open day"),
            &json!("CTO")
        )
    );
    announce("attendee.checked_in", guest).await;
    one(&hub, "people", "the guest attends", |person| {
        person["status"] == "attended"
    })
    .await;
    // News that come late do not make a guest of the day before of somebody who was there.
    announce("attendee.updated", guest).await;
    let survey = |score: i64, token: &str| {
        json!({ "event_id": token, "event_type": "form_response", "form_response": {
            "form_id": "lT4Z3j", "token": token, "submitted_at": "2026-12-02T09:00:00Z", "calculated": { "score": score },
            "definition": { "id": "lT4Z3j", "title": "Survey", "fields": [] },
            "answers": [{ "type": "email", "email": "ann.guest@example.net", "field": { "id": "a", "type": "email", "ref": "email" } }],
        } })
    };
    push(&hub, "survey", &json_body, &survey(3, "low").to_string()).await;
    push(&hub, "survey", &json_body, &survey(9, "high").to_string()).await;
    let first = one(&hub, "people", "the guest comes first", |person| {
        person["priority"] == "high"
    })
    .await;
    assert_eq!((&first["id"], &first["status"]), (&lead["id"], &json!("attended")));
    quiet(&hub).await;
    let tasks = records(&hub, "tasks").await;
    assert_eq!(
        (tasks.len(), &tasks[0]["assignee"], &tasks[0]["personId"]),
        (1, &json!("eva"), &lead["id"])
    );
    let messages = vendors::records(&vendors, "slack", "messages");
    assert_eq!(messages.len(), 1, "{messages:#?}");
    assert!(
        messages[0]["text"].as_str().unwrap().contains("gave 9 points"),
        "{messages:#?}"
    );
    assert_eq!(records(&hub, "people").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_are_listed_shown_and_installed_through_the_api_too() {
    let folder = Folder::new();
    let listed = folder.run(&["template", "list"]).fine().stdout;
    for name in ["shopify-orders", "website-lead", "ticket-upgrade", "eventbrite"] {
        assert!(listed.contains(name), "{listed}");
        let shown = folder.run(&["template", "show", name]).fine().stdout;
        assert!(shown.contains("parameters (--set NAME=VALUE):"), "{shown}");
    }
    let missing = folder.run(&["template", "install", "shopify-orders"]);
    assert!(
        missing.code != Some(0) && missing.stderr.contains("client_secret"),
        "{}",
        missing.stderr
    );
    let hub = folder.start();
    let all = hub.get("/v1/templates").await.fine(200);
    let shopify = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["name"] == "shopify-orders")
        .unwrap();
    assert_eq!(shopify["parameters"][1]["secret"], true);
    let set = json!({ "set": { "client_secret": SECRET } });
    let installed = hub.post("/v1/templates/shopify-orders/install", &set).await.fine(200);
    assert_eq!(installed["automations"], json!(["shopify-orders"]), "{installed:#}");
    assert!(!installed.to_string().contains(SECRET));
    hub.post("/v1/templates/shopify-orders/install", &json!({}))
        .await
        .problem(422, "SWB-CFG-002");
    hub.post("/v1/templates/nothing/install", &json!({}))
        .await
        .problem(404, "SWB-API-008");
    for wrong in [json!([]), json!({ "set": 5 }), json!({ "sett": {} })] {
        assert_eq!(
            hub.post("/v1/templates/shopify-orders/install", &wrong).await.status,
            422,
            "{wrong}"
        );
    }
}
