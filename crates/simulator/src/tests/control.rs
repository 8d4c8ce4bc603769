//! The control API over HTTP.

use serde_json::{Value, json};

use super::connections::{client, running};
use crate::Running;

/// Method, path below `/_control` and JSON body → status and JSON answer.
async fn control(running: &Running, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let url = format!("{}/_control/{path}", running.base_url());
    let request = client().request(method.parse().unwrap(), url);
    let request = if body.is_null() {
        request
    } else {
        request.body(body.to_string())
    };
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

async fn hook(running: &Running, body: &str) -> reqwest::Result<reqwest::Response> {
    let url = format!("{}/in?канал=1", running.url("webhook"));
    client()
        .post(url)
        .header("webhook-id", "msg_1")
        .body(body.to_owned())
        .send()
        .await
}

#[tokio::test]
async fn what_was_received_is_told_as_records_summary_and_calls() {
    let running = running([]).await;
    for _ in 0..2 {
        hook(&running, r#"{"имя":"Анна"}"#).await.unwrap();
    }
    let (status, records) = control(&running, "GET", "webhook/records?object=deliveries", &Value::Null).await;
    assert_eq!((status, &records[0]["body"]), (200, &json!({"имя": "Анна"})));
    assert_eq!(
        (&records[0]["repeat"], &records[1]["repeat"]),
        (&json!(false), &json!(true))
    );
    let (_, summary) = control(&running, "GET", "summary", &Value::Null).await;
    let webhook = &summary["vendors"]["webhook"];
    assert_eq!(webhook["records"], json!({"calls": 2, "deliveries": 2, "repeats": 1}));
    assert_eq!(
        (&webhook["calls"], &webhook["statuses"]),
        (&json!(2), &json!({"200": 2}))
    );
    let errors = control(&running, "GET", "script_errors", &Value::Null).await;
    assert_eq!(errors, (200, json!([])));
    let (_, calls) = control(&running, "GET", "calls?after=1&vendor=webhook", &Value::Null).await;
    assert_eq!(calls.as_array().unwrap().len(), 1);
    assert_eq!((&calls[0]["number"], &calls[0]["status"]), (&json!(2), &json!(200)));
}

#[tokio::test]
async fn the_dial_is_set_for_one_vendor_or_for_all() {
    let running = running([]).await;
    let cut = json!({"rules": [{"fault": "cut_before", "times": 1}]});
    assert_eq!(control(&running, "PUT", "webhook/dial", &cut).await.0, 200);
    assert!(hook(&running, "{}").await.is_err());
    assert_eq!(hook(&running, "{}").await.unwrap().status(), 200);
    assert_eq!(control(&running, "PUT", "dial", &json!({"down": true})).await.0, 200);
    let (_, dials) = control(&running, "GET", "dial", &Value::Null).await;
    for vendor in ["salesforce", "hubspot", "notion", "webhook"] {
        assert_eq!(dials[vendor]["down"], true, "{vendor}");
    }
    assert!(hook(&running, "{}").await.is_err());
    assert_eq!(control(&running, "POST", "reset", &Value::Null).await.0, 200);
    assert_eq!(hook(&running, "{}").await.unwrap().status(), 200);
}

#[tokio::test]
async fn settings_are_read_and_changed_field_by_field() {
    let running = running([]).await;
    let (status, settings) = control(&running, "PUT", "hubspot/settings", &json!({"search_lag_ms": 9})).await;
    assert_eq!((status, &settings["search_lag_ms"]), (200, &json!(9)));
    assert_eq!(settings["accept_any_credentials"], true);
    assert_eq!(
        control(&running, "POST", "hubspot/tokens/expire", &Value::Null).await.0,
        200
    );
    assert_eq!(
        control(&running, "POST", "hubspot/tokens/revoke", &Value::Null).await.0,
        200
    );
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_a_sentence() {
    let running = running([]).await;
    for (method, path, body, status, part) in [
        ("GET", "nothing", Value::Null, 404, "summary"),
        ("GET", "bitrix/records?object=lead", Value::Null, 404, "`bitrix`"),
        ("GET", "hubspot/records?object=ghosts", Value::Null, 404, "`ghosts`"),
        ("GET", "calls?after=x", Value::Null, 400, "after is a number"),
        ("PUT", "hubspot/dial", json!({"dwon": true}), 400, "dwon"),
        ("PUT", "dial", json!({"expire_tokens": 2}), 400, "from 0 to 1"),
        ("PUT", "notion/settings", json!({"speed": 1}), 400, "`speed`"),
        ("PUT", "webhook/settings", json!({}), 400, "no settings"),
    ] {
        let (got, answer) = control(&running, method, path, &body).await;
        assert_eq!(got, status, "{method} {path}: {answer}");
        assert!(
            answer["error"].as_str().unwrap().contains(part),
            "{method} {path}: {answer}"
        );
    }
    let nobody = client().get(running.url("bitrix")).send().await.unwrap();
    assert_eq!(nobody.status(), 404);
}
