//! Tokens, versions, limits, injected failures.

use super::super::*;
use super::caller::*;

fn me() -> Request {
    Request::new(Method::GET, "/v1/users/me").at(NOW)
}

fn answer(notion: &mut Notion, request: Request) -> Reply {
    notion.handle(&Arc::new(request))
}

#[test]
fn a_call_needs_a_good_token_and_a_version_that_is_served() {
    let mut notion = Caller::new().notion;
    for (request, expected) in [
        (me(), (401, "unauthorized")),
        (me().with_bearer("ntn_bad"), (401, "unauthorized")),
        (me().with_bearer("ntn_good"), (400, "missing_version")),
        (
            me().with_bearer("ntn_good").with_header("notion-version", "2015-01-01"),
            (400, "validation_error"),
        ),
    ] {
        let (status, code) = refusal(&answer(&mut notion, request));
        assert_eq!((status, code.as_str()), expected);
    }
    for version in [OLDEST, MIDDLE, NEWEST] {
        let reply = answer(
            &mut notion,
            me().with_bearer("secret_other").with_header("notion-version", version),
        );
        assert_eq!(
            (reply.status, &reply.value()["type"]),
            (200, &json!("bot")),
            "{version}"
        );
    }
    notion.revoke_tokens();
    let late = me().with_bearer("ntn_good").with_header("notion-version", NEWEST);
    assert_eq!(answer(&mut notion, late).status, 401);
}

#[test]
fn placeholders_are_taken_only_where_that_is_allowed() {
    for (any, status) in [(false, 401), (true, 200)] {
        let mut caller = Caller::with(&json!({ "accept_any_credentials": any }));
        caller.token = "your-notion-integration-token";
        assert_eq!(caller.get("/v1/users/me").status, status);
        caller.token = "oat_invented";
        assert_eq!(caller.get("/v1/users/me").status, 401);
    }
}

#[test]
fn each_connection_has_180_calls_a_minute_and_is_told_how_long_to_wait() {
    let mut caller = Caller::with(&json!({"calls_per_minute": 180}));
    caller.now_ms += 60_000;
    for _ in 0..180 {
        assert_eq!(caller.get("/v1/users/me").status, 200);
    }
    caller.now_ms += 20_500;
    let reply = caller.get("/v1/users/me");
    assert_eq!(refusal(&reply), (429, "rate_limited".to_owned()));
    assert_eq!(reply.header("retry-after"), Some("40"));
    assert_eq!(
        reply.value()["additional_data"]["rate_limit_reason"],
        "public_api_request_rate_limit"
    );
    caller.token = "secret_other";
    assert_eq!(caller.get("/v1/users/me").status, 200);
    caller.token = "ntn_good";
    caller.now_ms += 40_000;
    assert_eq!(caller.get("/v1/users/me").status, 200);
}

#[test]
fn oauth_tokens_are_refreshed_by_pairs_that_rotate() {
    let mut notion = Caller::new().notion;
    notion.configure(&json!({"clients": [["app", "hush"]]})).unwrap();
    notion.auth.tokens.issue_refresh("nrt_1", "app");
    let refresh = |token: &str| {
        Request::new(Method::POST, "/v1/oauth/token")
            .with_header("authorization", "Basic YXBwOmh1c2g=")
            .with_json(&json!({"grant_type": "refresh_token", "refresh_token": token}))
    };
    let granted = answer(&mut notion, refresh("nrt_1"));
    assert_eq!((granted.status, granted.value().get("expires_in")), (200, None));
    assert_eq!(answer(&mut notion, refresh("nrt_1")).value()["error"], "invalid_grant");
    let access = granted.value()["access_token"].as_str().unwrap().to_owned();
    let call = || me().with_bearer(&access).with_header("notion-version", NEWEST);
    assert_eq!(answer(&mut notion, call()).status, 200);
    notion.expire_tokens(NOW);
    assert_eq!(answer(&mut notion, call()).status, 401);
}

#[test]
fn broken_bodies_and_unknown_paths_have_codes_of_their_own() {
    let mut caller = Caller::new();
    let broken = Request::new(Method::POST, "/v1/pages").with_body("application/json", "{");
    assert_eq!(refusal(&caller.send(broken)), (400, "invalid_json".to_owned()));
    for (method, path) in [
        (Method::GET, "/v1/nothing"),
        (Method::DELETE, "/v1/pages"),
        (Method::GET, "/v2/users/me"),
    ] {
        assert_eq!(
            refusal(&caller.send(Request::new(method, path))).1,
            "invalid_request_url",
            "{path}"
        );
    }
    let large = json!({"properties": {}, "markdown": "x".repeat(600_000)});
    assert_eq!(refusal(&caller.post("/v1/pages", &large)).0, 413);
}

#[test]
fn injected_failures_have_the_vendors_codes() {
    let mut notion = Notion::new(&Setup::default());
    for (status, code, wait) in [
        (401, "unauthorized", None),
        (403, "restricted_resource", None),
        (404, "object_not_found", None),
        (409, "conflict_error", None),
        (429, "rate_limited", Some("1")),
        (500, "internal_server_error", None),
        (503, "service_unavailable", None),
        (504, "gateway_timeout", None),
        (529, "service_overload", Some("1")),
    ] {
        let reply = notion.failure(status, &me());
        assert_eq!(refusal(&reply), (status, code.to_owned()));
        assert_eq!(reply.header("retry-after"), wait, "{status}");
    }
    assert_eq!(notion.throttle(Some(75), &me()).header("retry-after"), Some("75"));
}
