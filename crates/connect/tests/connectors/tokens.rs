//! Access tokens: requests, answers, dead credentials.

use serde_json::{Value, json};
use switchboard_connect::{call::MASK, connector::Account};

use super::hub::{NOW_MS, account, answer, connector, map};

fn salesforce(kind: &str, secrets: Value) -> Account {
    let settings = json!({"baseUrl": "https://acme.my.salesforce.com"});
    connector("salesforce")
        .account(kind, &map(settings), &map(secrets), &map(json!({})))
        .unwrap()
}

/// Address and form of a token request.
fn form(slug: &str, account: &Account) -> (String, Vec<(String, String)>) {
    let request = connector(slug).token_request(account, NOW_MS).unwrap().unwrap();
    assert_eq!(request.masked_body(), MASK, "a token request is not shown");
    let fields = url::form_urlencoded::parse(&request.body).into_owned().collect();
    (format!("{} {}", request.method, request.url), fields)
}

/// A fresh RSA key in PEM, private and public.
fn key_pair() -> (String, String) {
    use rsa::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
    let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
    let private = key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string();
    (private, key.to_public_key().to_public_key_pem(LineEnding::LF).unwrap())
}

fn pairs(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn salesforce_asks_for_a_token_in_each_of_its_ways() {
    let token_url = "POST https://acme.my.salesforce.com/services/oauth2/token";
    let client = [("client_id", "3MVG9"), ("client_secret", "s&cret")];
    for (kind, secrets, fields) in [
        (
            "client_credentials",
            json!({"clientId": "3MVG9", "clientSecret": "s&cret"}),
            vec![("grant_type", "client_credentials"), client[0], client[1]],
        ),
        (
            "refresh_token",
            json!({"clientId": "3MVG9", "refreshToken": "5Aep=="}),
            vec![("grant_type", "refresh_token"), client[0], ("refresh_token", "5Aep==")],
        ),
        (
            "password",
            json!({"clientId": "3MVG9", "clientSecret": "s&cret", "username": "ana@example.org", "password": "пароль"}),
            vec![
                ("grant_type", "password"),
                client[0],
                client[1],
                ("username", "ana@example.org"),
                ("password", "пароль"),
            ],
        ),
    ] {
        assert_eq!(
            form("salesforce", &salesforce(kind, secrets)),
            (token_url.to_owned(), pairs(&fields)),
            "{kind}"
        );
    }
}

#[test]
fn a_certificate_signs_an_assertion_that_its_public_key_verifies() {
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
    let (private, public) = key_pair();
    for private in [private.clone(), private.replace('\n', "\\n")] {
        let secrets = json!({"clientId": "3MVG9", "username": "ana@example.org", "privateKey": private});
        let (_, fields) = form("salesforce", &salesforce("jwt_bearer", secrets));
        assert_eq!(fields[0].1, "urn:ietf:params:oauth:grant-type:jwt-bearer");
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&["https://login.salesforce.com"]);
        validation.validate_exp = false;
        let key = DecodingKey::from_rsa_pem(public.as_bytes()).unwrap();
        let claims = decode::<Value>(&fields[1].1, &key, &validation).unwrap().claims;
        let expected = json!({"iss": "3MVG9", "sub": "ana@example.org", "aud": "https://login.salesforce.com",
            "exp": NOW_MS / 1000 + 180});
        assert_eq!(claims, expected);
    }
}

#[test]
fn a_key_that_is_none_is_a_problem_that_does_not_show_it() {
    let secrets = json!({"clientId": "3MVG9", "username": "ana@example.org", "privateKey": "hunter2-hunter2"});
    let problem = connector("salesforce")
        .token_request(&salesforce("jwt_bearer", secrets), NOW_MS)
        .unwrap_err();
    assert!(
        problem.detail.contains("private key") && !format!("{problem:?}").contains("hunter2"),
        "{problem:?}"
    );
}

#[test]
fn a_sandbox_signs_in_at_the_test_host() {
    let settings = json!({"sandbox": true});
    let secrets = json!({"clientId": "3MVG9", "refreshToken": "5Aep"});
    let account = connector("salesforce")
        .account("refresh_token", &map(settings), &map(secrets), &map(json!({})))
        .unwrap();
    assert_eq!(
        form("salesforce", &account).0,
        "POST https://test.salesforce.com/services/oauth2/token"
    );
}

#[test]
fn hubspot_and_notion_refresh_as_their_sheets_say() {
    let secrets = json!({"clientId": "id", "clientSecret": "secret", "refreshToken": "old-one"});
    let hubspot = connector("hubspot")
        .account("oauth", &map(json!({})), &map(secrets.clone()), &map(json!({})))
        .unwrap();
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", "id"),
        ("client_secret", "secret"),
        ("refresh_token", "old-one"),
    ];
    let url = "POST https://api.hubapi.com/oauth/2026-03/token".to_owned();
    assert_eq!(form("hubspot", &hubspot), (url, pairs(&fields)));

    let settings = json!({"databaseId": "x"});
    let notion = connector("notion")
        .account("oauth", &map(settings), &map(secrets), &map(json!({})))
        .unwrap();
    let request = connector("notion").token_request(&notion, NOW_MS).unwrap().unwrap();
    assert_eq!(request.url, "https://api.notion.com/v1/oauth/token");
    assert_eq!(request.headers["authorization"], "Basic aWQ6c2VjcmV0");
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body, json!({"grant_type": "refresh_token", "refresh_token": "old-one"}));
}

#[test]
fn static_credentials_need_no_token() {
    for slug in ["hubspot", "notion", "webhook"] {
        assert!(
            connector(slug)
                .token_request(&account(slug, json!({})), NOW_MS)
                .unwrap()
                .is_none(),
            "{slug}"
        );
    }
}

#[test]
fn a_token_answer_tells_life_facts_and_rotated_credentials() {
    let salesforce_answer = answer(
        200,
        json!({"access_token": "00D!AQ", "instance_url": "https://acme.my.salesforce.com",
        "token_type": "Bearer", "issued_at": "1762600000000"}),
    );
    let connector_account = account("salesforce", json!({}));
    let token = connector("salesforce")
        .read_token(&connector_account, &salesforce_answer, NOW_MS)
        .unwrap();
    assert_eq!((token.access.as_str(), token.expires_at_ms), ("00D!AQ", None));
    assert_eq!(
        Value::Object(token.facts),
        json!({"instance_url": "https://acme.my.salesforce.com"})
    );

    let secrets = json!({"clientId": "id", "clientSecret": "secret", "refreshToken": "old-one"});
    let account = connector("hubspot")
        .account("oauth", &map(json!({})), &map(secrets), &map(json!({})))
        .unwrap();
    for (refresh, replaced) in [("new-one", json!({"refreshToken": "new-one"})), ("old-one", json!({}))] {
        let body = json!({"access_token": "CN", "refresh_token": refresh, "expires_in": 1800});
        let token = connector("hubspot")
            .read_token(&account, &answer(200, body), NOW_MS)
            .unwrap();
        assert_eq!(token.expires_at_ms, Some(NOW_MS + 1_800_000));
        assert_eq!(Value::Object(token.replaced_secrets), replaced);
    }
}

#[test]
fn only_a_refusal_of_the_credentials_is_final() {
    let oauth = |error: &str| json!({"error": error, "error_description": "expired access/refresh token"});
    for (status, body, dead) in [
        (400, oauth("invalid_grant"), true),
        (401, oauth("invalid_client"), true),
        (400, oauth("inactive_user"), true),
        (400, oauth("temporarily_unavailable"), false),
        (500, json!({}), false),
        (503, Value::Null, false),
        (429, Value::Null, false),
        (200, json!({"access_token": "00D"}), false),
        (200, json!({}), false),
        (404, Value::Null, false),
    ] {
        let read = connector("salesforce").read_token(
            &account("salesforce", json!({})),
            &answer(status, body.clone()),
            NOW_MS,
        );
        let failure = read.unwrap_err();
        assert_eq!(failure.dead, dead, "{status} {body} {failure:?}");
        assert_eq!(failure.throttled, status == 429, "{status} {body} {failure:?}");
        assert!(!failure.message.is_empty());
    }
}
