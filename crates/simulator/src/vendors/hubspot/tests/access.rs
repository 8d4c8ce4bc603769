//! Tokens, scopes, limits, what the portal says of itself.

use super::*;

fn token(portal: &mut HubSpot, form: &[(&str, &str)], now_ms: i64) -> Reply {
    let request = Request::new(Method::POST, "/oauth/2026-03/token")
        .with_form(form)
        .at(now_ms);
    portal.handle(&Arc::new(request))
}

fn app() -> Value {
    json!({"clients": [{"client_id": "app", "client_secret": "hush", "codes": ["c1"], "refresh_tokens": ["r1"]}]})
}

const REFRESH: [(&str, &str); 4] = [
    ("grant_type", "refresh_token"),
    ("client_id", "app"),
    ("client_secret", "hush"),
    ("refresh_token", "r1"),
];

#[test]
fn access_tokens_live_for_half_an_hour_and_keys_for_ever() {
    let mut caller = Caller::with(&app());
    let granted = token(&mut caller.portal, &REFRESH, NOW).value();
    assert_eq!(
        (&granted["expires_in"], &granted["refresh_token"]),
        (&json!(1800), &json!("r1"))
    );
    let target = format!("{O}/contacts");
    caller.token = granted["access_token"].as_str().unwrap().to_owned();
    caller.now_ms = NOW + 1_799_999;
    assert_eq!(caller.get(&target).status, 200);
    caller.now_ms = NOW + 1_800_000;
    let (status, category, _) = trouble(&caller.get(&target));
    assert_eq!((status, category.as_str()), (401, "EXPIRED_AUTHENTICATION"));
    caller.token = "pat-eu1-1".to_owned();
    caller.now_ms = NOW + 1_000_000_000_000;
    assert_eq!(caller.get(&target).status, 200);
    caller.portal.revoke_tokens();
    assert_eq!(trouble(&caller.get(&target)).1, "INVALID_AUTHENTICATION");
    assert_eq!(token(&mut caller.portal, &REFRESH, NOW).status, 400);
}

#[test]
fn a_code_is_good_once_and_wrong_clients_get_nothing() {
    let mut caller = Caller::with(&app());
    let code = [
        ("grant_type", "authorization_code"),
        ("client_id", "app"),
        ("client_secret", "hush"),
        ("code", "c1"),
    ];
    let granted = token(&mut caller.portal, &code, NOW);
    assert!(
        granted.value()["refresh_token"]
            .as_str()
            .is_some_and(|token| !token.is_empty())
    );
    for form in [
        &code[..],
        &[
            ("grant_type", "refresh_token"),
            ("client_id", "app"),
            ("client_secret", "no"),
            ("refresh_token", "r1"),
        ],
        &[
            ("grant_type", "refresh_token"),
            ("client_id", "app"),
            ("client_secret", "hush"),
            ("refresh_token", "r9"),
        ],
        &[
            ("grant_type", "client_credentials"),
            ("client_id", "app"),
            ("client_secret", "hush"),
        ],
    ] {
        assert_eq!(token(&mut caller.portal, form, NOW).status, 400, "{form:?}");
    }
    // Parameters in the query are not looked at.
    let query = "/oauth/2026-03/token?grant_type=refresh_token&client_id=app&client_secret=hush&refresh_token=r1";
    assert_eq!(
        caller
            .portal
            .handle(&Arc::new(Request::new(Method::POST, query)))
            .status,
        400
    );
}

#[test]
fn a_token_nobody_gave_out_is_401_unless_any_key_is_taken() {
    for (token, any, status) in [
        ("pat-eu1-2", false, 401),
        ("your-hubspot-api-key", true, 200),
        ("CNinvented", true, 401),
    ] {
        let mut caller = Caller::with(&json!({ "accept_any_credentials": any }));
        caller.token = token.to_owned();
        assert_eq!(caller.get("/account-info/2026-09/details").status, status, "{token}");
    }
    let bare = Request::new(Method::GET, "/account-info/2026-09/details");
    assert_eq!(Caller::new().portal.handle(&Arc::new(bare)).status, 401);
}

#[test]
fn a_missing_scope_is_403_with_its_name() {
    let mut caller = Caller::with(&json!({"missing_scopes": ["crm.objects.contacts.write", "tickets"]}));
    assert_eq!(caller.get(&format!("{O}/contacts")).status, 200);
    assert_eq!(caller.post(&format!("{O}/contacts/search"), &json!({})).status, 200);
    let reply = caller.create("contacts", &json!({}));
    assert_eq!(
        (reply.status, &reply.value()["category"]),
        (403, &json!("MISSING_SCOPES"))
    );
    assert_eq!(
        reply.value()["context"]["missingScopes"],
        json!(["crm.objects.contacts.write"])
    );
    assert_eq!(caller.get(&format!("{O}/tickets")).status, 403);
}

#[test]
fn ten_seconds_hold_190_calls_of_each_key_and_the_headers_count_down() {
    let mut caller = Caller::new();
    let target = format!("{O}/contacts");
    for left in (0..190).rev() {
        let reply = caller.get(&target);
        assert_eq!(
            reply.header("X-HubSpot-RateLimit-Remaining"),
            Some(left.to_string().as_str())
        );
    }
    let reply = caller.get(&target);
    let body = reply.value();
    assert_eq!(
        (reply.status, &body["policyName"]),
        (429, &json!("TEN_SECONDLY_ROLLING"))
    );
    assert_eq!(
        (&body["errorType"], reply.header("retry-after")),
        (&json!("RATE_LIMIT"), None)
    );
    assert_eq!(body["message"], "You have reached your ten_secondly_rolling limit.");
    for (name, value) in [
        ("x-hubspot-ratelimit-max", "190"),
        ("x-hubspot-ratelimit-interval-milliseconds", "10000"),
        ("x-hubspot-ratelimit-daily", "625000"),
        ("x-hubspot-ratelimit-daily-remaining", "624810"),
    ] {
        assert_eq!(reply.header(name), Some(value), "{name}");
    }
    caller.now_ms += 10_000;
    assert_eq!(caller.get(&target).status, 200);
}

#[test]
fn an_oauth_app_has_110_calls_and_is_not_told_about_the_day() {
    let mut caller = Caller::with(&app());
    let granted = token(&mut caller.portal, &REFRESH, NOW).value();
    caller.token = granted["access_token"].as_str().unwrap().to_owned();
    let reply = caller.get(&format!("{O}/contacts"));
    assert_eq!(reply.header("x-hubspot-ratelimit-max"), Some("110"));
    assert_eq!(reply.header("x-hubspot-ratelimit-daily"), None);
}

#[test]
fn five_searches_a_second_are_a_limit_of_their_own() {
    let mut caller = Caller::with(&json!({"calls_per_ten_seconds": 1}));
    let target = format!("{O}/contacts/search");
    for _ in 0..5 {
        let reply = caller.post(&target, &json!({}));
        assert_eq!((reply.status, reply.header("x-hubspot-ratelimit-max")), (200, None));
    }
    assert_eq!(caller.post(&target, &json!({})).value()["policyName"], "SECONDLY");
    assert_eq!(caller.get(&format!("{O}/contacts")).status, 200);
    caller.now_ms += 1_000;
    assert_eq!(caller.post(&target, &json!({})).status, 200);
}

#[test]
fn the_day_ends_at_the_portals_midnight() {
    let mut caller = Caller::with(&json!({"calls_per_day": 2}));
    let usage = "/account-info/2026-09/api-usage/daily/private-apps";
    assert_eq!(caller.get(usage).status, 200);
    let told = caller.get(usage).value()["results"][0].clone();
    assert_eq!((&told["usageLimit"], &told["currentUsage"]), (&json!(2), &json!(2)));
    assert_eq!(told["resetsAt"], "2026-11-20T23:00:00Z");
    assert_eq!(caller.get(usage).value()["policyName"], "DAILY");
    // 23:00 in UTC is midnight in Berlin.
    caller.now_ms = "2026-11-20T22:59:59Z"
        .parse::<jiff::Timestamp>()
        .unwrap()
        .as_millisecond();
    assert_eq!(caller.get(usage).status, 429);
    caller.now_ms += 1_000;
    assert_eq!(caller.get(usage).status, 200);
}

#[test]
fn the_portal_tells_its_details_owners_and_pipelines_under_old_and_new_paths() {
    let mut caller = Caller::new();
    assert_eq!(caller.get("/account-info/2026-09/details").value()["portalId"], 62_515);
    assert_eq!(
        caller.get("/crm/owners/2026-09?limit=100").value()["results"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    assert_eq!(caller.get("/crm/v3/owners/41").value()["email"], "anna@example.org");
    for target in ["/crm/pipelines/2026-09/tickets", "/crm/v3/pipelines/tickets"] {
        let pipelines = caller.get(target).value();
        let ids: Vec<&str> = (0..2)
            .filter_map(|index| pipelines["results"][index]["id"].as_str())
            .collect();
        assert_eq!(ids, ["0", "support_pipeline"]);
    }
    assert_eq!(
        caller.get("/crm/pipelines/2026-09/deals/default").value()["stages"][0]["id"],
        "appointmentscheduled"
    );
    for gone in [
        "/crm/objects/2025-01/contacts",
        "/contacts/v1/contact",
        "/crm/pipelines/2026-09/deals/none",
    ] {
        assert_eq!(caller.get(gone).status, 404, "{gone}");
    }
}

#[test]
fn injected_failures_have_the_vendors_shapes() {
    let mut portal = HubSpot::new(&Setup::default());
    let request = Request::new(Method::GET, "/crm/objects/2026-09/contacts");
    for (status, category) in [
        (401, "INVALID_AUTHENTICATION"),
        (403, "MISSING_SCOPES"),
        (409, "CONFLICT"),
        (423, "LOCKED"),
        (500, "INTERNAL_ERROR"),
    ] {
        let reply = portal.failure(status, &request);
        assert_eq!((reply.status, &reply.value()["category"]), (status, &json!(category)));
    }
    assert!(
        portal
            .failure(502, &request)
            .header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    assert_eq!(
        portal.failure(429, &request).value()["policyName"],
        "TEN_SECONDLY_ROLLING"
    );
    let search = Request::new(Method::POST, "/crm/objects/2026-09/contacts/search");
    let reply = portal.throttle(Some(3), &search);
    assert_eq!(
        (reply.header("retry-after"), &reply.value()["policyName"]),
        (Some("3"), &json!("SECONDLY"))
    );
}
