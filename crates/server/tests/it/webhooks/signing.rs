//! Signatures, checked by the official libraries.

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::{Value, json};

use super::{
    consumer::{Consumer, Library},
    endpoint, id,
};
use crate::{
    hub::{Folder, Hub, states},
    vendors::{self, records},
};

/// Sends a message and waits until it has arrived.
async fn arrive(hub: &Hub, name: &str) {
    let event = hub
        .message(json!({"senderName": name, "messageContent": "Giá bao nhiêu? 多少钱？"}))
        .await;
    let story = hub.settled(&event).await;
    assert_eq!(states(&story), ["delivered"], "{story}");
}

#[expect(
    clippy::cognitive_complexity,
    reason = "one story, told from its beginning to its end"
)]
async fn accepted_and_forgeries_refused(library: Library) {
    let Some(consumer) = Consumer::start(library, "signatures of outgoing webhooks") else {
        return;
    };
    let folder = Folder::new();
    let hub = folder.start();
    let made = endpoint(&hub, &consumer.url(), &["message.received"]).await;
    consumer.knows(made["secret"].as_str().unwrap()).await;
    arrive(&hub, "Nguyễn Văn A").await;
    let test = format!("/v1/webhooks/{}/test", id(&made));
    let tried = hub.post(&test, &json!({"event": "message.received"})).await.fine(200);
    assert_eq!(tried["ok"], true, "{tried}");

    let messages = consumer.messages().await;
    assert_eq!(messages.len(), 2);
    assert!(
        messages.iter().all(|message| message["refused"] == Value::Null),
        "{messages:?}"
    );
    let shape = |message: &Value| {
        let body: Value = serde_json::from_str(message["body"].as_str().unwrap()).unwrap();
        body.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(shape(&messages[0]), shape(&messages[1]), "a test looks like a message");

    let message = &messages[0];
    let body = message["body"].as_str().unwrap();
    assert_eq!(consumer.send(message, &[], body).await, 204);
    assert_eq!(
        consumer.send(message, &[], &body.replacen("Nguyễn", "Nguyen", 1)).await,
        401
    );
    assert_eq!(consumer.send(message, &[], &format!("{body} ")).await, 401);
    assert_eq!(
        consumer
            .send(message, &[("webhook-id", "evt_0000000000001")], body)
            .await,
        401
    );
    assert_eq!(
        consumer
            .send(message, &[("webhook-timestamp", "1614265330")], body)
            .await,
        401
    );

    // Until the time is over a receiver that knows either secret takes the messages.
    let rotate = format!("/v1/webhooks/{}/rotate", id(&made));
    let rotated = hub.post(&rotate, &json!({"overlap_seconds": 3600})).await.fine(200);
    assert_ne!(rotated["secret"], made["secret"]);
    arrive(&hub, "with the former secret").await;
    consumer.knows(rotated["secret"].as_str().unwrap()).await;
    arrive(&hub, "with the new secret").await;
    let last = consumer.messages().await.pop().unwrap();
    let signatures = last["headers"]["webhook-signature"].as_str().unwrap();
    assert_eq!(signatures.split(' ').count(), 2, "{signatures}");
    hub.post(&rotate, &json!({"overlap_seconds": 0})).await.fine(200);
    let tried = hub.post(&test, &json!({})).await.fine(200);
    assert_eq!(
        (&tried["ok"], &tried["calls"][0]["status"]),
        (&json!(false), &json!(401)),
        "{tried}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_library_of_npm_accepts_our_messages_and_refuses_forgeries() {
    accepted_and_forgeries_refused(Library::Npm).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_library_of_pypi_accepts_our_messages_and_refuses_forgeries() {
    accepted_and_forgeries_refused(Library::Pypi).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_can_check_with_a_public_key_alone() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    let url = format!("{}/in", vendors.url("webhook"));
    let body = json!({"url": url, "events": ["message.received"], "signature": "v1a"});
    let made = hub.post("/v1/webhooks", &body).await.fine(201);
    assert!(made["secret"].as_str().unwrap().starts_with("whsk_"), "{made}");
    arrive(&hub, "Ana").await;
    let told = records(&vendors, "webhook", "deliveries").pop().unwrap();
    let header = |name: &str| told["headers"][name].as_str().unwrap().to_owned();
    let key = made["public_key"].as_str().unwrap().strip_prefix("whpk_").unwrap();
    let signature = header("webhook-signature");
    let signature = STANDARD.decode(signature.strip_prefix("v1a,").unwrap()).unwrap();
    let signature = Signature::from_slice(&signature).unwrap();
    let sent = vendors.calls(0, usize::MAX).into_iter().last().unwrap();
    let mut content = format!("{}.{}.", header("webhook-id"), header("webhook-timestamp")).into_bytes();
    content.extend_from_slice(&sent.request.body);
    let key = VerifyingKey::try_from(STANDARD.decode(key).unwrap().as_slice()).unwrap();
    assert!(key.verify_strict(&content, &signature).is_ok());
    content.push(b' ');
    assert!(key.verify_strict(&content, &signature).is_err());
}
