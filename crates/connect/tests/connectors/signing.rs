//! Signed calls: the published vectors of Standard Webhooks.

use serde_json::{Value, json};
use switchboard_connect::{
    connector::{Call, Known, Start},
    manifest::OperationKind as Op,
};

use super::hub::{connector, map};

/// The signature of a message with this body, sent at second 1614265330.
fn sign(secret: &str, record: &Value) -> Option<String> {
    let connector = connector("webhook");
    let (settings, secrets) = (json!({"url": "https://example.org/"}), json!({"secret": secret}));
    let account = connector
        .account("signature", &map(settings), &map(secrets), &map(json!({})))
        .unwrap();
    let mut call = Call::new("msg_p5jXN8AQM9LWM0D4loKWxJek", record.clone(), Known::default());
    call.begin(&Start::new(1_614_265_330_999, None), None);
    let request = connector.build("event", Op::Create, &account, &call).unwrap();
    assert_eq!(request.headers["webhook-id"], "msg_p5jXN8AQM9LWM0D4loKWxJek");
    assert_eq!(request.headers["webhook-timestamp"], "1614265330");
    assert_eq!(request.headers["idempotency-key"], "msg_p5jXN8AQM9LWM0D4loKWxJek");
    request
        .headers
        .get("webhook-signature")
        .map(|value| value.to_str().unwrap().to_owned())
}

#[test]
fn the_signature_is_that_of_the_standard() {
    // The official vector has a space in its body, `{"test": 2432232314}`; ours is written without. The value was computed
    // from the algorithm, and the key is the official one.
    let signature = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        &json!({"test": 2_432_232_314_u32}),
    )
    .unwrap();
    assert_eq!(signature, "v1,Vif40peJBP7Iyl0XGmu61n4MwdrcHov5CFREBpE0svs=");
}

#[test]
fn without_a_secret_a_message_can_still_be_recognised() {
    assert_eq!(sign("", &json!({"test": 1})), None);
}

#[test]
fn a_secret_that_is_no_base64_is_used_as_it_is_unless_it_says_otherwise() {
    assert!(sign("geheim-пароль", &json!({"test": 1})).is_some());
    let connector = connector("webhook");
    let (settings, secrets) = (json!({"url": "https://example.org/"}), json!({"secret": "whsec_???"}));
    let account = connector
        .account("signature", &map(settings), &map(secrets), &map(json!({})))
        .unwrap();
    let mut call = Call::new("k", json!({}), Known::default());
    call.begin(&Start::new(0, None), None);
    let problem = connector.build("event", Op::Create, &account, &call).unwrap_err();
    assert!(
        problem.detail.contains("whsec_") && !problem.detail.contains("???"),
        "{problem:?}"
    );
}
