//! E-mail: letters reach a mail server by SMTP, to those whom the route names, and what the server says is told.

use serde_json::{Value, json};
use switchboard_simulator::{Fault, Rule, Running};

use crate::{
    hub::{Folder, Hub, states},
    vendors,
};

const PARALLEL_SYNC: &str = include_str!("examples/strategy-parallel-sync.json");

/// A connection to the simulated mail server with a password.
async fn connect(hub: &Hub, vendors: &Running, settings: &Value) {
    let mut all = json!({"host": "mail.example.org", "address": vendors.url("email"), "from": "hub@example.org"});
    for (name, value) in settings.as_object().unwrap() {
        all[name] = value.clone();
    }
    let connection = json!({"connections": [{
        "key": "email", "connector": "email", "auth": "password", "settings": all,
        "secrets": {"username": "hub@example.org", "password": "made-up-password"},
    }]});
    hub.post("/api/crm/configure", &connection).await.fine(200);
}

fn letters(vendors: &Running) -> Vec<Value> {
    vendors::records(vendors, "email", "messages")
}

fn message(text: &str) -> Value {
    json!({"senderName": "王小明", "senderEmail": "wang@example.com", "subject": "Вопрос", "messageContent": text, "conversationId": "c-7"})
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recipients_of_the_users_strategy_get_the_message() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    connect(&hub, &vendors, &json!({"recipients": "nobody-else@example.org"})).await;
    let strategy: Value = serde_json::from_str(PARALLEL_SYNC).unwrap();
    hub.post("/api/crm/configure", &strategy).await.fine(200);
    for text in ["多少钱？", "Còn hàng không?"] {
        let event = hub.message(message(text)).await;
        hub.settled(&event).await;
    }
    let letters = letters(&vendors);
    assert_eq!(letters.len(), 2, "{letters:?}");
    for (letter, text) in letters.iter().zip(["多少钱？", "Còn hàng không?"]) {
        assert_eq!(letter["recipients"], json!(["support@company.com"]), "{letter}");
        assert_eq!(letter["replyTo"], json!(["wang@example.com"]), "{letter}");
        assert_eq!(letter["subject"], "Вопрос – 王小明", "{letter}");
        assert!(letter["text"].as_str().unwrap().contains(text), "{letter}");
    }
    assert_ne!(letters[0]["messageId"], letters[1]["messageId"]);
    assert_eq!(letters[0]["references"], letters[1]["references"], "one thread");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_that_does_not_exist_keeps_nobody_else_from_the_message() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    connect(
        &hub,
        &vendors,
        &json!({"recipients": "ana@example.org, nobody@example.org, bob@example.org"}),
    )
    .await;
    let event = hub.message(message("one of three")).await;
    assert_eq!(states(&hub.settled(&event).await), ["delivered"]);
    assert_eq!(
        letters(&vendors)[0]["recipients"],
        json!(["ana@example.org", "bob@example.org"])
    );
    let told = hub.get(&format!("/v1/events/{event}")).await.fine(200).to_string();
    assert!(
        told.contains("delivered") && !told.contains("made-up-password"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_asks_a_person_and_a_cut_before_the_message_does_not() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start_with(&["--retry-base-ms", "20", "--retry-cap-ms", "200"]);
    connect(&hub, &vendors, &json!({"recipients": "ana@example.org"})).await;
    vendors::fail(
        &vendors,
        "email",
        [Rule::new(Fault::CutBefore).path("/sign-in").times(1)],
    );
    let event = hub.message(message("first")).await;
    assert_eq!(states(&hub.settled(&event).await), ["delivered"]);
    vendors::fail(
        &vendors,
        "email",
        [Rule::new(Fault::CutAfter).path("/messages").times(1)],
    );
    let event = hub.message(message("second")).await;
    let settled = hub.settled(&event).await;
    assert_eq!(states(&settled), ["dead"]);
    assert_eq!(letters(&vendors).len(), 2, "each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_has_ended_is_renewed_and_the_message_goes_out() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    let token_url = format!("{}/email/token", vendors.base_url());
    let connection = json!({"connections": [{
        "key": "email", "connector": "email", "auth": "google",
        "settings": {
            "host": "mail.example.org", "address": vendors.url("email"), "from": "hub@example.org", "recipients": "ana@example.org",
            "tokenUrl": token_url,
        },
        "secrets": {"username": "hub@example.org", "clientId": "app", "clientSecret": "made-up", "refreshToken": "first"},
    }]});
    hub.post("/api/crm/configure", &connection).await.fine(200);
    for text in ["first", "second"] {
        let event = hub.message(message(text)).await;
        assert_eq!(states(&hub.settled(&event).await), ["delivered"], "{text}");
        vendors.expire_tokens("email").unwrap();
    }
    assert_eq!(letters(&vendors).len(), 2);
    let renewed = vendors::calls(&vendors, "email", "POST", "/token");
    assert_eq!(renewed, 2, "the second letter found that the token had ended");
}
