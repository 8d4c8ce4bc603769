//! Signing in on the vendor's page: the address, and the request for tokens.

use std::collections::HashMap;

use serde_json::{Value, json};
use switchboard_connect::{
    authorize::{Arrival, Departure},
    call::MASK,
    connector::Account,
};

use super::hub::{NOW_MS, answer, connector, map};

const BACK: &str = "https://hub.example.org/oauth/callback";
const APP: [(&str, &str); 2] = [("clientId", "app"), ("clientSecret", "s&cret")];

fn opened(slug: &str, kind: &str, settings: Value) -> Account {
    let secrets = APP.map(|(name, value)| (name.to_owned(), Value::from(value)));
    connector(slug)
        .account(kind, &map(settings), &secrets.into_iter().collect(), &map(json!({})))
        .unwrap()
}

fn page(slug: &str, account: &Account) -> String {
    let departure = Departure {
        redirect_uri: BACK,
        state: "s-1",
        code_challenge: "c-1",
    };
    connector(slug).sign_in_address(account, departure).unwrap()
}

#[test]
fn the_address_of_the_page_is_the_vendors_own() {
    let usual = "response_type=code&client_id=app&redirect_uri=https%3A%2F%2Fhub.example.org%2Foauth%2Fcallback";
    let pkce = "code_challenge=c-1&code_challenge_method=S256";
    for (settings, host) in [
        (
            json!({"baseUrl": "https://acme.my.salesforce.com"}),
            "https://acme.my.salesforce.com",
        ),
        (json!({"sandbox": true}), "https://test.salesforce.com"),
    ] {
        let account = opened("salesforce", "refresh_token", settings);
        assert_eq!(
            page("salesforce", &account),
            format!("{host}/services/oauth2/authorize?{usual}&scope=api%20refresh_token&state=s-1&{pkce}")
        );
    }
    let notion = opened("notion", "oauth", json!({"databaseId": "d"}));
    assert_eq!(
        page("notion", &notion),
        format!("https://api.notion.com/v1/oauth/authorize?{usual}&state=s-1&owner=user")
    );
    let hubspot = page("hubspot", &opened("hubspot", "oauth", json!({})));
    assert!(hubspot.starts_with(&format!(
        "https://app.hubspot.com/oauth/authorize?{usual}&scope=crm.objects"
    )));
    assert!(
        hubspot.contains("&optional_scope=crm.objects.owners.read%20crm.schemas"),
        "{hubspot}"
    );
    assert!(hubspot.contains(pkce), "{hubspot}");
}

#[test]
fn the_code_is_exchanged_as_the_vendor_asks_and_nobody_sees_it() {
    let arrival = Arrival {
        code: "geheim",
        redirect_uri: BACK,
        code_verifier: "v-1",
    };
    let account = opened("hubspot", "oauth", json!({}));
    let request = connector("hubspot").code_request(&account, arrival, NOW_MS).unwrap();
    assert_eq!(request.url, "https://api.hubapi.com/oauth/2026-03/token");
    let form: HashMap<String, String> = url::form_urlencoded::parse(&request.body).into_owned().collect();
    let expected = [
        ("grant_type", "authorization_code"),
        ("code", "geheim"),
        ("redirect_uri", BACK),
        ("code_verifier", "v-1"),
        ("client_id", "app"),
        ("client_secret", "s&cret"),
    ];
    assert_eq!(form, expected.map(|(name, value)| (name.into(), value.into())).into());
    assert_eq!(request.masked_body(), MASK);
    assert!(!format!("{arrival:?} {request:?}").contains("geheim"));

    let account = opened("notion", "oauth", json!({"databaseId": "d"}));
    let request = connector("notion").code_request(&account, arrival, NOW_MS).unwrap();
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        body,
        json!({"grant_type": "authorization_code", "code": "geheim", "redirect_uri": BACK})
    );
    assert!(request.headers["authorization"].is_sensitive());
}

#[test]
fn the_answer_brings_the_refresh_token_and_what_is_known_of_the_account() {
    let account = opened("hubspot", "oauth", json!({}));
    let body = json!({"access_token": "CN1", "refresh_token": "r-1", "expires_in": 1800, "hub_id": 62515});
    let token = connector("hubspot")
        .read_code_answer(&account, &answer(200, body), NOW_MS)
        .unwrap();
    assert_eq!((&*token.access, token.expires_at_ms), ("CN1", Some(NOW_MS + 1_800_000)));
    assert_eq!(Value::Object(token.replaced_secrets), json!({"refreshToken": "r-1"}));
    assert_eq!(Value::Object(token.facts), json!({"portalId": 62515}));
    let refused = answer(
        400,
        json!({"status": "BAD_AUTH_CODE", "message": "missing or unknown auth code"}),
    );
    let failure = connector("hubspot")
        .read_code_answer(&account, &refused, NOW_MS)
        .unwrap_err();
    assert!(
        failure.dead && failure.message.starts_with("missing or unknown auth code"),
        "{failure:?}"
    );
}

#[test]
fn what_a_sign_in_brings_need_not_be_entered() {
    for (slug, kind, brings) in [
        ("salesforce", "refresh_token", vec!["refreshToken"]),
        ("salesforce", "client_credentials", vec![]),
        ("hubspot", "oauth", vec!["refreshToken"]),
        ("hubspot", "token", vec![]),
        ("notion", "oauth", vec!["refreshToken"]),
    ] {
        assert_eq!(connector(slug).has_sign_in(kind), !brings.is_empty(), "{slug} {kind}");
        assert_eq!(connector(slug).sign_in_brings(kind), brings, "{slug} {kind}");
    }
}
