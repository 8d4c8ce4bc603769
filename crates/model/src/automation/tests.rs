use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::record::{ObjectType, standard};

fn read(body: Value) -> Automation {
    Automation::read(&body).unwrap_or_else(|problem| panic!("{problem}: {:?}", problem.others))
}

fn places(body: Value) -> Vec<String> {
    let problem = Automation::read(&body).expect_err("it is refused");
    let all = std::iter::once(&problem).chain(&problem.others);
    all.map(|problem| problem.place.clone().unwrap_or_default()).collect()
}

fn with_steps(steps: Value) -> Value {
    json!({ "key": "a", "on": "order.created", "steps": steps })
}

#[test]
fn every_action_is_read() {
    let automation = read(json!({
        "key": "orders", "name": "Orders", "on": ["order.created", "lead.*"], "when": "total > 5",
        "steps": [
            { "name": "person", "upsert": { "object": "people", "match": ["email"], "fields": { "email": "{{ email }}" } } },
            { "name": "deal", "create": { "object": "opportunities", "fields": { "personId": "{{ steps.person.id }}" } } },
            { "name": "row", "update": { "table": "rows", "match": { "order": "{{ id }}" }, "fields": { "deal": "{{ steps.deal.id }}" } } },
            { "name": "account", "find": { "object": "companies", "id": "{{ companyId }}" } },
            { "when": "steps.account.found", "assign": { "object": "opportunities", "id": "{{ steps.deal.id }}", "owner": "{{ steps.account.record.owner }}" } },
            { "send": { "to": "hubspot", "object": "deal", "data": { "name": "{{ name }}" } } },
            { "notify": { "to": "slack", "channel": "#sales", "message": "New" } },
            { "notify": { "to": "email", "recipients": ["a@example.org"], "subject": "New", "message": "New" } },
            { "webhook": { "url": "https://example.org/hook" } },
            { "wait": "2 hours" },
            { "wait": { "until": "{{ startsAt }}" } },
            { "stop": "done" },
        ],
    }));
    let names: Vec<&str> = automation.steps.iter().map(|step| &*step.name).collect();
    assert_eq!(
        names,
        [
            "person", "deal", "row", "account", "assign", "send", "notify", "notify_2", "webhook", "wait", "wait_2",
            "stop"
        ]
    );
    assert!(automation.enabled && automation.takes("order.created") && automation.takes("lead.received"));
    assert!(!automation.takes("order.updated") && !automation.takes(SENT));
    assert_eq!(automation.position("row"), Some(2));
}

#[test]
fn nothing_takes_what_a_step_sends() {
    let automation = read(json!({ "key": "all", "on": "*", "steps": [{ "stop": true }] }));
    assert!(automation.takes("call.missed") && !automation.takes(SENT));
}

#[test]
fn a_step_sees_only_those_before_it_and_what_they_bring() {
    let upsert = |fields: Value| json!({ "upsert": { "object": "people", "fields": fields } });
    assert_eq!(
        places(with_steps(json!([
            upsert(json!({ "a": "{{ steps.later.id }}", "b": "{{ steps.upsert.id }}" })),
            { "name": "later", "when": "steps.upsert.nothing == 1", "stop": true },
        ]))),
        ["/steps/0/upsert/fields", "/steps/0/upsert/fields", "/steps/1/when"]
    );
    read(with_steps(json!([
        upsert(json!({ "a": "{{ id }}" })),
        upsert(json!({ "a": "{{ steps.upsert.record.anything }}" })),
    ])));
}

#[test]
fn everything_that_is_wrong_is_said_at_once_each_with_its_place() {
    assert_eq!(
        places(json!({
            "key": "with space", "on": ["order.made", "call.*"], "when": "a +", "stepz": 1,
            "steps": [
                { "create": { "object": "people", "id": "1", "fields": { "a": "{{ b | nothing }}" } } },
                { "name": "1st", "wait": "soon" },
                { "stop": true, "wait": "1h" },
                {},
                { "update": { "object": "people", "fields": {} } },
                { "assign": { "object": "people", "id": "1" } },
                { "webhook": { "url": "ftp://example.org" } },
            ],
        })),
        [
            "/stepz",
            "/key",
            "/on/0",
            "/when",
            "/steps/0/create/fields/a",
            "/steps/0/create/id",
            "/steps/1/wait",
            "/steps/1/name",
            "/steps/2",
            "/steps/3",
            "/steps/4/update",
            "/steps/5/assign",
            "/steps/6/webhook/url",
        ]
    );
}

#[test]
fn what_is_no_automation_is_refused_and_harms_nothing() {
    for body in [
        json!(null),
        json!([]),
        json!("x"),
        json!({}),
        json!({ "key": 1, "on": 2, "steps": 3 }),
    ] {
        assert!(Automation::read(&body).is_err(), "{body}");
    }
    let many: Vec<Value> = (0..=MOST_STEPS).map(|_| json!({ "stop": true })).collect();
    assert_eq!(places(with_steps(json!(many))), ["/steps"]);
}

struct Known;

impl Catalogue for Known {
    fn object(&self, name: &str) -> Option<Arc<ObjectType>> {
        standard(name).map(|object| Arc::new(object.clone()))
    }

    fn objects(&self) -> Vec<String> {
        vec!["people".into()]
    }

    fn has_list(&self, list: &str) -> bool {
        list == "owners"
    }
}

#[test]
fn kinds_fields_and_lists_that_do_not_exist_are_found_when_it_is_saved() {
    let lookup =
        |list: &str| json!({ "assign": { "object": "people", "id": "1", "lookup": { "list": list, "key": "x" } } });
    let automation = read(with_steps(json!([
        { "upsert": { "object": "people", "match": ["mail", "email"], "fields": { "email": "a", "emial": "b", "companyId": "c" } } },
        { "find": { "object": "persons", "id": "1" } },
        lookup("owners"),
        lookup("nobody"),
        { "name": "own", "assign": { "object": "people", "id": "1", "field": "boss", "owner": "x" } },
        { "name": "by_id", "find": { "object": "people", "match": { "externalIds.shopify": "1", "colour": "red" } } },
    ])));
    let found = check(&automation, &Known);
    let places: Vec<&str> = found.iter().filter_map(|problem| problem.place.as_deref()).collect();
    assert_eq!(
        places,
        [
            "/steps/0/upsert/fields/emial",
            "/steps/0/upsert/match",
            "/steps/1/find",
            "/steps/3/assign/lookup",
            "/steps/4/assign/boss",
            "/steps/5/find/match/colour",
        ]
    );
    assert!(found[0].detail.contains("did you mean `email`"), "{}", found[0]);
}
