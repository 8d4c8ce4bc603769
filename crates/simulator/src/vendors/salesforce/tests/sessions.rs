//! Tokens, sessions, versions, limits.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};

use super::*;

const PRIVATE_KEY: &str = include_str!("signing.pem");
const PUBLIC_KEY: &str = include_str!("signing.pub.pem");

fn token(org: &mut Salesforce, form: &[(&str, &str)]) -> Reply {
    let request = Request::new(Method::POST, "/services/oauth2/token")
        .with_form(form)
        .at(NOW);
    org.handle(&Arc::new(request))
}

fn strict() -> Salesforce {
    let mut org = Salesforce::new(&Setup::default());
    org.configure(&json!({
        "clients": [{"client_id": "app", "client_secret": "geheim", "refresh_tokens": ["r1"]},
                    {"client_id": "signed", "public_key": PUBLIC_KEY}],
        "users": [{"username": "ана@example.org", "password": "pw+token"}],
    }))
    .unwrap();
    org
}

#[test]
fn a_token_has_no_lifetime_and_names_the_instance() {
    let reply = token(
        &mut strict(),
        &[
            ("grant_type", "client_credentials"),
            ("client_id", "app"),
            ("client_secret", "geheim"),
        ],
    );
    let body = reply.value();
    assert_eq!(reply.status, 200);
    assert_eq!(body["instance_url"], "http://simulator.example.org");
    assert_eq!(body["issued_at"], NOW.to_string());
    assert!(body["access_token"].as_str().unwrap().starts_with("00D5g000000HubO!AQ"));
    assert!(body.get("expires_in").is_none() && body.get("refresh_token").is_none());
}

#[test]
fn the_token_endpoint_refuses_as_oauth_does() {
    let credentials = |id, secret| {
        [
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", secret),
        ]
    };
    let password = [
        ("grant_type", "password"),
        ("client_id", "app"),
        ("client_secret", "geheim"),
        ("username", "ана@example.org"),
        ("password", "pw+token"),
    ];
    for (form, error) in [
        (credentials("other", "geheim").to_vec(), "invalid_client_id"),
        (credentials("app", "wrong").to_vec(), "invalid_client"),
        (password.to_vec(), "invalid_grant"),
        (
            vec![
                ("grant_type", "refresh_token"),
                ("client_id", "app"),
                ("refresh_token", "r2"),
            ],
            "invalid_grant",
        ),
        (vec![("grant_type", "magic")], "unsupported_grant_type"),
        (vec![], "unsupported_grant_type"),
    ] {
        let reply = token(&mut strict(), &form);
        assert_eq!(
            (reply.status, reply.value()["error"].as_str()),
            (400, Some(error)),
            "{form:?}"
        );
        assert!(reply.value()["error_description"].is_string());
    }
    let mut org = strict();
    org.configure(&json!({"allow_password_grant": true})).unwrap();
    assert_eq!(token(&mut org, &password).status, 200);
}

#[test]
fn refresh_tokens_stay_unless_the_app_rotates_them() {
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "app"),
        ("refresh_token", "r1"),
    ];
    let mut org = strict();
    assert_eq!(token(&mut org, &form).status, 200);
    org.configure(&json!({"rotate_refresh_tokens": true})).unwrap();
    let next = token(&mut org, &form).value()["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(token(&mut org, &form).value()["error"], "invalid_grant");
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "app"),
        ("refresh_token", next.as_str()),
    ];
    assert_eq!(token(&mut org, &form).status, 200);
    org.revoke_tokens();
    assert_eq!(token(&mut org, &form).value()["error"], "invalid_grant");
}

#[test]
fn an_assertion_needs_the_right_key_audience_user_and_time() {
    let sign = |claims: Value| {
        let key = EncodingKey::from_rsa_pem(PRIVATE_KEY.as_bytes()).unwrap();
        encode(&Header::new(Algorithm::RS256), &claims, &key).unwrap()
    };
    let claims = |iss: &str, sub: &str, aud: &str, seconds: i64| json!({"iss": iss, "sub": sub, "aud": aud, "exp": NOW / 1000 + seconds});
    let (user, login) = ("ана@example.org", "https://login.salesforce.com");
    let good = sign(claims("signed", user, login, 180));
    let forged = {
        let (rest, _) = good.rsplit_once('.').unwrap();
        let other = sign(claims("signed", "other@example.org", login, 180));
        format!("{rest}.{}", other.rsplit_once('.').unwrap().1)
    };
    for (assertion, status) in [
        (good, 200),
        (sign(claims("signed", user, "https://test.salesforce.com", 180)), 200),
        (sign(claims("signed", user, "http://simulator.example.org", 180)), 200),
        // No key is registered for this app: the form is enough.
        (sign(claims("app", user, login, 180)), 200),
        (forged, 400),
        (sign(claims("other", user, login, 180)), 400),
        (sign(claims("signed", "other@example.org", login, 180)), 400),
        (sign(claims("signed", user, "https://example.org", 180)), 400),
        (sign(claims("signed", user, login, -60)), 400),
        (sign(claims("signed", user, login, 3600)), 400),
        ("no.jwt".to_owned(), 400),
    ] {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", assertion.as_str()),
        ];
        let reply = token(&mut strict(), &form);
        assert_eq!(reply.status, status, "{} for {assertion}", reply.value());
    }
}

#[test]
fn a_session_that_is_missing_wrong_or_over_is_401_and_calls_prolong_it() {
    let mut caller = Caller::new();
    let minutes = |count: i64| count * 60_000;
    assert_eq!(caller.get("/limits").status, 200);
    caller.now_ms += minutes(100);
    assert_eq!(caller.get("/limits").status, 200);
    caller.now_ms += minutes(100);
    assert_eq!(caller.get("/limits").status, 200);
    caller.now_ms += minutes(121);
    let reply = caller.get("/limits");
    assert_eq!(
        (reply.status, reply.value()),
        (
            401,
            json!([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}])
        )
    );
    caller.log_in();
    assert_eq!(caller.get("/limits").status, 200);
    caller.org.expire_tokens(caller.now_ms);
    assert_eq!(code(&caller.get("/limits")), "INVALID_SESSION_ID");
    caller.token = "00D5g000000HubO!AQinvented".to_owned();
    assert_eq!(caller.get("/limits").status, 401);
    caller.token.clear();
    assert_eq!(caller.get("/limits").status, 401);
}

#[test]
fn only_versions_31_to_68_are_served() {
    for (version, status) in [
        ("v68.0", 200),
        ("v58.0", 200),
        ("v31.0", 200),
        ("v30.0", 410),
        ("v21.0", 410),
        ("v69.0", 404),
        ("v20.0", 404),
        ("58.0", 404),
        ("v58", 404),
        ("latest", 404),
    ] {
        let request = Request::new(Method::GET, &format!("/services/data/{version}/limits"));
        let reply = Caller::new().send(request);
        assert_eq!(reply.status, status, "{version}");
        assert!(status == 200 || reply.value().is_array());
    }
    let list = Caller::new().send(Request::new(Method::GET, "/services/data"));
    assert_eq!(list.value().as_array().unwrap().len(), 38);
}

#[test]
fn the_allowance_is_told_in_a_header_and_ends_as_403() {
    let mut caller = Caller::with(&json!({"daily_api_requests": 3}));
    for used in 1..=3 {
        let reply = caller.get("/limits");
        assert_eq!(
            reply.header("Sforce-Limit-Info"),
            Some(format!("api-usage={used}/3").as_str())
        );
    }
    let reply = caller.get("/limits");
    assert_eq!((reply.status, code(&reply).as_str()), (403, "REQUEST_LIMIT_EXCEEDED"));
    assert_eq!(reply.header("retry-after"), None);
    caller.now_ms += 24 * 3_600_000;
    caller.log_in();
    assert_eq!(caller.get("/limits").status, 200);
}

#[test]
fn who_am_i_and_revocation() {
    let mut caller = Caller::new();
    let who = caller.send(Request::new(Method::GET, "/services/oauth2/userinfo"));
    assert_eq!(who.value()["organization_id"], store::ORG_ID);
    let own = caller.token.clone();
    let revoke = Request::new(Method::POST, "/services/oauth2/revoke").with_form(&[("token", own.as_str())]);
    assert_eq!(caller.send(revoke).status, 200);
    assert_eq!(caller.get("/limits").status, 401);
}

#[test]
fn injected_failures_have_the_vendors_shapes() {
    let mut org = Salesforce::new(&Setup::default());
    let request = Request::new(Method::GET, "/services/data/v68.0/limits").at(NOW);
    for (status, code) in [
        (401, "INVALID_SESSION_ID"),
        (403, "REQUEST_LIMIT_EXCEEDED"),
        (500, "UNKNOWN_EXCEPTION"),
        (503, "SERVER_UNAVAILABLE"),
    ] {
        let reply = org.failure(status, &request);
        assert_eq!(
            (reply.status, reply.value()[0]["errorCode"].as_str()),
            (status, Some(code))
        );
    }
    assert!(
        org.failure(502, &request)
            .header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    let reply = org.throttle(Some(9), &request);
    assert_eq!((reply.status, reply.header("retry-after")), (403, None));
}
