//! What holds for every vendor, without sockets.

use std::sync::Arc;

use http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{Dial, Fault, Options, Request, Rule, SetClock, Simulation};

const NOON_MS: i64 = 1_795_521_600_000;

fn simulation(seed: u64, dial: Dial) -> Simulation {
    let options = Options {
        seed,
        dial,
        clock: Arc::new(SetClock::new(NOON_MS)),
        ..Options::demo()
    };
    Simulation::new(options)
}

fn contact(number: usize) -> Request {
    let properties = json!({"email": format!("gäst{number}@example.org"), "lastname": "王"});
    Request::new(Method::POST, "/crm/objects/2026-09/contacts")
        .with_bearer("pat-1")
        .with_json(&json!({"properties": properties, "associations": []}))
        .at(NOON_MS)
}

/// Statuses and bodies of so many new contacts; `None` for a cut connection.
fn answers(simulation: &Simulation, calls: usize) -> Vec<Option<(u16, Value)>> {
    let answer = |number| simulation.call("hubspot", contact(number)).unwrap();
    (0..calls)
        .map(|number| answer(number).map(|reply| (reply.status, reply.value())))
        .collect()
}

fn stored(simulation: &Simulation) -> usize {
    simulation.records("hubspot", "contacts").unwrap().len()
}

#[test]
fn one_seed_and_one_sequence_of_calls_give_one_sequence_of_answers() {
    let dial = || {
        Dial::of([
            Rule::new(Fault::CutAfter).probability(0.2),
            Rule::new(Fault::Throttle { retry_after_s: None }).probability(0.2),
        ])
    };
    let first = answers(&simulation(7, dial()), 60);
    assert_eq!(first, answers(&simulation(7, dial()), 60));
    assert_ne!(first, answers(&simulation(8, dial()), 60));
}

#[test]
fn a_reset_brings_back_the_beginning() {
    let simulation = simulation(3, Dial::of([Rule::new(Fault::CutAfter).probability(0.5)]));
    let first = answers(&simulation, 20);
    simulation.configure("hubspot", &json!({"search_lag_ms": 1})).unwrap();
    simulation.reset();
    assert_eq!(stored(&simulation), 0);
    assert_eq!(simulation.summary().vendors["hubspot"].calls, 0);
    assert!(simulation.calls(0, usize::MAX).is_empty());
    assert_eq!(answers(&simulation, 20), first);
}

#[test]
fn every_vendor_says_what_the_dial_tells_it_to_in_its_own_shape() {
    for (vendor, path, status, shape) in [
        ("salesforce", "/services/data/v68.0/limits", 403, "/0/errorCode"),
        ("hubspot", "/crm/objects/2026-09/contacts", 429, "/policyName"),
        ("notion", "/v1/users/me", 429, "/additional_data/rate_limit_reason"),
        ("webhook", "/in", 429, "/ok"),
    ] {
        let simulation = simulation(1, Dial::of([Rule::new(Fault::Throttle { retry_after_s: Some(3) })]));
        let reply = simulation
            .call(vendor, Request::new(Method::GET, path))
            .unwrap()
            .unwrap();
        assert_eq!(reply.status, status, "{vendor}");
        assert!(reply.value().pointer(shape).is_some(), "{vendor}: {}", reply.value());
        // Salesforce documents no Retry-After.
        let wait = (vendor != "salesforce").then_some("3");
        assert_eq!(reply.header("retry-after"), wait, "{vendor}");
    }
}

#[test]
fn a_status_may_hide_a_success() {
    let status = |applied| Fault::Status {
        code: 504,
        retry_after_s: None,
        applied,
    };
    for (applied, records) in [(false, 0), (true, 1)] {
        let simulation = simulation(1, Dial::of([Rule::new(status(applied)).times(1)]));
        assert_eq!(answers(&simulation, 1)[0].as_ref().unwrap().0, 504);
        assert_eq!(stored(&simulation), records, "applied: {applied}");
    }
}

#[test]
fn a_hollow_answer_says_good_whether_or_not_it_is() {
    for (applied, records) in [(false, 0), (true, 1)] {
        let simulation = simulation(1, Dial::of([Rule::new(Fault::Hollow { applied }).times(1)]));
        assert_eq!(answers(&simulation, 1), [Some((200, json!({})))]);
        assert_eq!(stored(&simulation), records, "applied: {applied}");
        let kind = if applied { "hollow_applied" } else { "hollow" };
        assert_eq!(simulation.summary().vendors["hubspot"].faults[kind], 1);
    }
}

proptest! {
    /// Whatever the dial does, what the log says and what is stored agree: no write is half done.
    #[test]
    fn a_record_is_there_exactly_when_its_call_was_carried_out(
        seed in any::<u64>(), before in 0.0..0.5, after in 0.0..0.5, broken in 0.0..0.5, calls in 1_usize..40,
    ) {
        let simulation = simulation(seed, Dial::of([
            Rule::new(Fault::CutBefore).probability(before),
            Rule::new(Fault::CutAfter).probability(after),
            Rule::new(Fault::Status { code: 500, retry_after_s: None, applied: false }).probability(broken),
        ]));
        let answered = answers(&simulation, calls);
        let lost = simulation.calls(0, usize::MAX).iter().filter(|call| call.faults == ["cut_after"]).count();
        let told = answered.iter().flatten().filter(|(status, _)| *status == 201).count();
        prop_assert_eq!(stored(&simulation), told + lost);
        let summary = &simulation.summary().vendors["hubspot"];
        prop_assert_eq!(summary.calls, calls as u64);
        prop_assert_eq!(summary.statuses.values().sum::<u64>(), answered.iter().flatten().count() as u64);
        prop_assert_eq!(summary.faults.get("cut_after").copied().unwrap_or(0), lost as u64);
    }
}
