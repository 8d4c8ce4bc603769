//! Connection tests.

use serde_json::{Value, json};
use switchboard_connect::connector::{Account, TestStep};
use switchboard_model::outcome::Outcome;

use super::hub::{NOW_MS, account, answer, connector, token};

/// Plays the vendor: answers each call in turn; gives the calls and what a person is told.
fn play(slug: &str, account: &Account, answers: &[(u16, Value)]) -> (Vec<String>, Result<String, Outcome>) {
    let mut trial = connector(slug).test().at(NOW_MS);
    let mut calls = Vec::new();
    let mut answers = answers.iter();
    loop {
        match trial.next(account, Some(&token())).unwrap() {
            TestStep::Done(message) => return (calls, Ok(message)),
            TestStep::Call(request) => {
                let path = request
                    .url
                    .split_once("://")
                    .unwrap()
                    .1
                    .split_once('/')
                    .unwrap()
                    .1
                    .to_owned();
                calls.push(format!("{} /{path}", request.method));
                let (status, body) = answers.next().unwrap();
                if let Err(outcome) = trial.read(account, &answer(*status, body.clone())) {
                    return (calls, Err(outcome));
                }
            }
        }
    }
}

#[test]
fn a_test_says_what_it_is_connected_to() {
    let limits = json!({"DailyApiRequests": {"Max": 15000, "Remaining": 14956}});
    let details = json!({"portalId": 62515, "timeZone": "Europe/Berlin", "companyCurrency": "EUR"});
    let me = json!({"object": "user", "name": "Hub", "bot": {"workspace_name": "示例公司"}});
    let database = json!({"object": "database", "title": [{"plain_text": "客户"}]});
    for (slug, answers, calls, message) in [
        (
            "salesforce",
            vec![(200, limits)],
            vec!["GET /services/data/v68.0/limits"],
            "Connected to Salesforce; 14956 of 15000 calls are left today.",
        ),
        (
            "salesforce",
            vec![
                (403, json!([{"errorCode": "INSUFFICIENT_ACCESS", "message": "…"}])),
                (200, json!({"records": []})),
            ],
            vec![
                "GET /services/data/v68.0/limits",
                "GET /services/data/v68.0/query?q=SELECT%20Id%20FROM%20User%20LIMIT%201",
            ],
            "Connected to Salesforce.",
        ),
        (
            "hubspot",
            vec![(200, details)],
            vec!["GET /account-info/2026-09/details"],
            "Connected to HubSpot account 62515 (EUR, Europe/Berlin).",
        ),
        (
            "notion",
            vec![(200, me.clone()), (200, database)],
            vec!["GET /v1/users/me", "GET /v1/databases/0123456789abcdef0123456789abcdef"],
            "Connected to Notion as Hub in 示例公司. The database “客户” is shared with it.",
        ),
        (
            "notion",
            vec![
                (200, me),
                (404, json!({"code": "object_not_found"})),
                (200, json!({"object": "data_source", "title": []})),
            ],
            vec![
                "GET /v1/users/me",
                "GET /v1/databases/0123456789abcdef0123456789abcdef",
                "GET /v1/data_sources/0123456789abcdef0123456789abcdef",
            ],
            "Connected to Notion as Hub in 示例公司. The data source “0123456789abcdef0123456789abcdef” is shared with it.",
        ),
        (
            "webhook",
            vec![(202, Value::Null)],
            vec!["POST /hooks/crm?tenant=7"],
            "The address took a test message.",
        ),
    ] {
        let (made, said) = play(slug, &account(slug, json!({})), &answers);
        assert_eq!(made, calls, "{slug}");
        assert_eq!(said.as_deref(), Ok(message), "{slug}");
    }
}

#[test]
fn a_refusal_is_told_with_what_to_do() {
    let refused = (401, json!({"message": "Authentication credentials not found"}));
    let (_, said) = play("hubspot", &account("hubspot", json!({})), &[refused]);
    assert_eq!(
        said,
        Err(Outcome::Denied {
            message: "Authentication credentials not found".into()
        })
    );

    let me = (200, json!({"object": "user"}));
    let unknown = (
        404,
        json!({"code": "object_not_found", "message": "Could not find database"}),
    );
    let (_, said) = play("notion", &account("notion", json!({})), &[me, unknown.clone(), unknown]);
    let Err(Outcome::Denied { message }) = said else {
        panic!("{said:?}")
    };
    assert!(
        message.starts_with("Could not find database – ") && message.contains("Connections"),
        "{message}"
    );
}

#[test]
fn after_a_refused_token_the_same_call_is_asked_for_again() {
    let account = account("salesforce", json!({}));
    let mut trial = connector("salesforce").test().at(NOW_MS);
    let TestStep::Call(first) = trial.next(&account, Some(&token())).unwrap() else {
        panic!("no call")
    };
    let expired = answer(
        401,
        json!([{"errorCode": "INVALID_SESSION_ID", "message": "Session expired"}]),
    );
    assert!(matches!(
        trial.read(&account, &expired),
        Err(Outcome::Reauthorise { .. })
    ));
    let TestStep::Call(second) = trial.next(&account, Some(&token())).unwrap() else {
        panic!("no call")
    };
    assert_eq!(first.url, second.url);
}
