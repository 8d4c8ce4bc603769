//! The example vendor: strict, stateful, limited, the same for the same seed.

use std::path::Path;
use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};

use crate::{Dial, Fault, Options, Reply, Request, Rule, SetClock, Simulation};

const NOON_MS: i64 = 1_795_521_600_000;

pub(super) fn simulation(seed: u64) -> Simulation {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/scripted/tests/example");
    let options = Options {
        seed,
        clock: Arc::new(SetClock::new(NOON_MS)),
        ..Options::default()
    };
    Simulation::new(options.with_connectors(&folder).unwrap())
}

fn call(simulation: &Simulation, request: Request) -> Reply {
    let reply = simulation.call("example", request).unwrap().unwrap();
    assert_eq!(simulation.script_errors(), []);
    reply
}

fn post(body: &Value) -> Request {
    Request::new(Method::POST, "/v1/tickets")
        .with_bearer("pat-1")
        .with_json(body)
        .at(NOON_MS)
}

fn ask(method: Method, target: &str, now_ms: i64) -> Request {
    Request::new(method, target).with_bearer("pat-1").at(now_ms)
}

fn ticket() -> Value {
    json!({"subject": "Hello", "queue": 1, "email": "ana@example.org"})
}

#[test]
fn a_ticket_is_made_read_changed_found_and_removed() {
    let vendor = simulation(1);
    let made = call(&vendor, post(&ticket()));
    assert_eq!((made.status, &made.value()["id"]), (201, &json!(1001)));
    assert_eq!(
        made.header("location"),
        Some("http://simulator.example.org/v1/tickets/1001")
    );
    assert_eq!(made.value()["created"], "2026-11-24T12:00:00.000Z");
    let patch = ask(Method::PATCH, "/v1/tickets/1001", NOON_MS).with_json(&json!({"queue": 2}));
    assert_eq!(call(&vendor, patch).value()["queue"], 2);
    let search = |now_ms| {
        call(
            &vendor,
            ask(Method::GET, "/v1/tickets/search?email=ana%40example.org", now_ms),
        )
        .value()["count"]
            .clone()
    };
    assert_eq!(
        (search(NOON_MS + 2_000), search(NOON_MS + 60_001)),
        (json!(0), json!(1))
    );
    assert_eq!(vendor.records("example", "tickets").unwrap().len(), 1);
    assert_eq!(
        call(&vendor, ask(Method::DELETE, "/v1/tickets/1001", NOON_MS + 120_000)).status,
        204
    );
    assert_eq!(
        call(&vendor, ask(Method::GET, "/v1/tickets/1001", NOON_MS + 120_000)).status,
        404
    );
    assert_eq!(vendor.records("example", "tickets").unwrap(), Vec::<Value>::new());
    assert_eq!(
        vendor.summary().vendors["example"].records,
        [("tickets".to_owned(), 0)].into()
    );
}

#[test]
fn what_is_wrong_is_refused_in_the_vendors_shape() {
    let vendor = simulation(1);
    vendor.configure("example", &json!({"calls_per_minute": 100})).unwrap();
    for (body, expected) in [
        (json!({"queue": 1}), json!([{"field": "/subject", "rule": "required"}])),
        (
            json!({"subject": "x", "queue": "1"}),
            json!([{"field": "/queue", "rule": "type"}]),
        ),
        (
            json!({"subject": "x", "queue": 1, "other": 1}),
            json!([{"field": "/other", "rule": "additionalProperties"}]),
        ),
        (
            json!({"subject": "x".repeat(21), "queue": 1}),
            json!([{"field": "/subject", "rule": "maxLength"}]),
        ),
        (
            json!({"subject": "x", "queue": 1, "tags": ["a", "b", "c"]}),
            json!([{"field": "/tags", "rule": "maxItems"}]),
        ),
    ] {
        let reply = call(&vendor, post(&body));
        assert_eq!((reply.status, &reply.value()["errors"]), (422, &expected), "{body}");
    }
    for (request, status, code) in [
        (post(&json!({"subject": "x", "queue": 9})), 422, "unknown_queue"),
        (post(&ticket()).with_body("text/plain", "{}"), 415, "json_only"),
        (post(&ticket()).with_body("application/json", "{"), 400, "bad_json"),
        (Request::new(Method::POST, "/v1/tickets").at(NOON_MS), 401, "no_token"),
        (
            Request::new(Method::POST, "/v1/tickets")
                .with_bearer("other")
                .at(NOON_MS),
            401,
            "bad_token",
        ),
        (ask(Method::GET, "/v1/tickets/7", NOON_MS), 404, "not_found"),
        (ask(Method::PUT, "/v1/tickets/7", NOON_MS), 404, "no_such_path"),
    ] {
        let said = format!("{request:?}");
        let reply = call(&vendor, request);
        assert_eq!(
            (reply.status, &reply.value()["error"]["code"]),
            (status, &json!(code)),
            "{said}"
        );
    }
    assert_eq!(vendor.records("example", "tickets").unwrap(), Vec::<Value>::new());
}

#[test]
fn an_idempotency_key_makes_one_ticket() {
    let vendor = simulation(1);
    let again = || call(&vendor, post(&ticket()).with_header("idempotency-key", "k1")).value();
    assert_eq!(again(), again());
    assert_eq!(vendor.records("example", "tickets").unwrap().len(), 1);
}

#[test]
fn the_limit_is_a_rolling_minute_and_can_be_set() {
    let vendor = simulation(1);
    let status = |now_ms| call(&vendor, ask(Method::GET, "/v1/tickets/1", now_ms)).status;
    assert_eq!(
        [0, 1, 2, 3, 4].map(|more| status(NOON_MS + more)),
        [404, 404, 404, 404, 429]
    );
    let refused = call(&vendor, ask(Method::GET, "/v1/tickets/1", NOON_MS + 30_000));
    assert_eq!(refused.header("retry-after"), Some("30"));
    assert_eq!(status(NOON_MS + 60_000), 404);
    vendor.configure("example", &json!({"calls_per_minute": 5})).unwrap();
    assert_eq!(status(NOON_MS + 60_000), 404);
}

#[test]
fn tokens_are_refreshed_with_rotation_and_can_be_ended() {
    let vendor = simulation(1);
    vendor
        .configure(
            "example",
            &json!({"calls_per_minute": 100, "accept_any_credentials": true}),
        )
        .unwrap();
    let refresh = |token: &str| {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let request = Request::new(Method::POST, "/oauth/token").with_header("authorization", "Basic YXBwOnNlY3JldA==");
        call(&vendor, request.with_form(&form).at(NOON_MS))
    };
    let pair = refresh("rt-first").value();
    assert_eq!(refresh("rt-first").value()["error"]["code"], "invalid_grant");
    let access = pair["access_token"].as_str().unwrap();
    let status = |now_ms| {
        let request = Request::new(Method::GET, "/v1/tickets/1")
            .with_bearer(access)
            .at(now_ms);
        let reply = call(&vendor, request);
        reply.value()["error"]["code"].clone()
    };
    assert_eq!(status(NOON_MS), "not_found");
    assert_eq!(status(NOON_MS + 3_600_000), "token_expired");
    vendor.expire_tokens("example").unwrap();
    assert_eq!(status(NOON_MS), "token_expired");
    assert_eq!(refresh(pair["refresh_token"].as_str().unwrap()).status, 200);
    vendor.revoke_tokens("example").unwrap();
    assert_eq!(status(NOON_MS), "bad_token");
}

#[test]
fn graphql_answers_what_was_asked_for() {
    let vendor = simulation(1);
    call(&vendor, post(&ticket()));
    let ask = |query: &str| {
        let body = json!({"query": query, "variables": {"id": "1001"}});
        let request = Request::new(Method::POST, "/graphql")
            .with_bearer("pat-1")
            .with_json(&body)
            .at(NOON_MS);
        call(&vendor, request).value()
    };
    let good = ask(
        "query One($id: ID!) { mine: ticket(id: $id) { id subject } tickets { ...f } } fragment f on Ticket { email }",
    );
    assert_eq!(
        good,
        json!({"data": {"mine": {"id": 1001, "subject": "Hello"}, "tickets": [{"email": "ana@example.org"}]}})
    );
    assert_eq!(
        ask("{ nothing { id } }")["errors"][0]["message"],
        "Cannot query field \"nothing\"."
    );
    assert_eq!(ask("{ ticket(")["errors"][0]["locations"][0]["line"], 1);
}

#[test]
fn the_dial_speaks_with_the_vendors_voice() {
    let status = |code| {
        Rule::new(Fault::Status {
            code,
            retry_after_s: None,
            applied: true,
        })
        .times(1)
    };
    let vendor = simulation(1);
    vendor
        .set_vendor_dial(
            "example",
            Dial::of([status(504), Rule::new(Fault::Throttle { retry_after_s: Some(3) })]),
        )
        .unwrap();
    let gateway = call(&vendor, post(&ticket()));
    assert_eq!(
        (gateway.status, gateway.header("content-type")),
        (504, Some("text/html"))
    );
    assert_eq!(vendor.records("example", "tickets").unwrap().len(), 1);
    let throttled = call(&vendor, post(&ticket()));
    assert_eq!((throttled.status, throttled.header("retry-after")), (429, Some("3")));
    assert_eq!(throttled.value()["error"]["code"], "too_many_requests");
}

#[test]
fn one_seed_and_one_sequence_of_calls_give_one_sequence_of_answers() {
    let answers = |seed| {
        let vendor = simulation(seed);
        vendor
            .configure("example", &json!({"accept_any_credentials": true}))
            .unwrap();
        let form = [("grant_type", "refresh_token"), ("refresh_token", "any")];
        let basic = Request::new(Method::POST, "/oauth/token").with_header("authorization", "Basic YXBwOnNlY3JldA==");
        let token = call(&vendor, basic.with_form(&form).at(NOON_MS)).value();
        [token, call(&vendor, post(&ticket())).value()]
    };
    assert_eq!(answers(7), answers(7));
    assert_ne!(answers(7)[0], answers(8)[0]);
}

#[test]
fn a_reset_brings_back_the_beginning() {
    let vendor = simulation(1);
    let first = call(&vendor, post(&ticket())).value();
    vendor.configure("example", &json!({"calls_per_minute": 9})).unwrap();
    vendor.reset();
    assert_eq!(vendor.settings("example").unwrap()["calls_per_minute"], 4);
    assert_eq!(call(&vendor, post(&ticket())).value(), first);
}
