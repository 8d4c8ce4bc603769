//! Searches and their lag.

use super::*;

fn by(name: &str, operator: &str, value: Value) -> Value {
    let mut filter = json!({"propertyName": name, "operator": operator});
    if value.is_array() {
        filter["values"] = value;
    } else if !value.is_null() {
        filter["value"] = value;
    }
    json!({"filterGroups": [{"filters": [filter]}], "properties": ["email"], "sorts": [], "limit": 100, "after": "0"})
}

fn found(caller: &mut Caller, kind: &str, body: &Value) -> Vec<String> {
    let reply = caller.post(&format!("{O}/{kind}/search"), body);
    assert_eq!(reply.status, 200, "{}", reply.value());
    let results = reply.value()["results"].clone();
    results
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_search_sees_the_world_as_it_was_some_seconds_ago() {
    let mut caller = Caller::new();
    let email = |value: &str| by("email", "EQ", json!(value));
    let id = caller.make("contacts", &json!({"email": "old@example.org"}));
    caller.now_ms += 2_999;
    assert!(found(&mut caller, "contacts", &email("old@example.org")).is_empty());
    caller.now_ms += 1;
    assert_eq!(found(&mut caller, "contacts", &email("OLD@example.org")), [id.as_str()]);
    caller.patch(&format!("{O}/contacts/{id}"), &json!({"email": "new@example.org"}));
    assert_eq!(found(&mut caller, "contacts", &email("old@example.org")), [id.as_str()]);
    caller.now_ms += 3_000;
    assert!(found(&mut caller, "contacts", &email("old@example.org")).is_empty());
    assert_eq!(found(&mut caller, "contacts", &email("new@example.org")), [id.as_str()]);
    caller.delete(&format!("{O}/contacts/{id}"));
    assert_eq!(found(&mut caller, "contacts", &email("new@example.org")), [id]);
    caller.now_ms += 3_000;
    assert!(found(&mut caller, "contacts", &email("new@example.org")).is_empty());
}

#[test]
fn operators_find_what_they_say() {
    let mut caller = Caller::with(&json!({"search_lag_ms": 0, "searches_per_second": 1000}));
    let mut ids = Vec::new();
    for (name, amount, close) in [
        ("Angebot Köln", Some("9"), "2026-12-01T00:00:00Z"),
        ("Счёт 118", Some("1200.50"), "2026-12-15T00:00:00Z"),
        ("报价", None, "2027-01-01T00:00:00Z"),
    ] {
        let mut body = json!({"dealname": name, "dealstage": "contractsent", "closedate": close});
        if let Some(amount) = amount {
            body["amount"] = json!(amount);
        }
        ids.push(caller.make("deals", &body));
        caller.now_ms += 1_000;
    }
    let first = NOW.to_string();
    for (name, operator, value, expected) in [
        ("dealname", "EQ", json!("счёт 118"), vec![1]),
        ("dealname", "NEQ", json!("报价"), vec![0, 1]),
        ("dealname", "CONTAINS_TOKEN", json!("köln"), vec![0]),
        ("dealname", "NOT_CONTAINS_TOKEN", json!("118"), vec![0, 2]),
        ("dealname", "IN", json!(["报价", "angebot köln"]), vec![0, 2]),
        ("dealname", "NOT_IN", json!(["报价"]), vec![0, 1]),
        ("amount", "GT", json!("10"), vec![1]),
        ("amount", "LTE", json!("9"), vec![0]),
        ("amount", "HAS_PROPERTY", Value::Null, vec![0, 1]),
        ("amount", "NOT_HAS_PROPERTY", Value::Null, vec![2]),
        ("closedate", "GTE", json!("2026-12-15"), vec![1, 2]),
        ("closedate", "LT", json!("1796083200000"), vec![]),
        ("hs_lastmodifieddate", "GT", json!(first), vec![1, 2]),
        ("hs_lastmodifieddate", "GTE", json!(first), vec![0, 1, 2]),
        ("hs_object_id", "EQ", json!(ids[1]), vec![1]),
    ] {
        let expected: Vec<String> = expected.into_iter().map(|index: usize| ids[index].clone()).collect();
        assert_eq!(
            found(&mut caller, "deals", &by(name, operator, value.clone())),
            expected,
            "{name} {operator} {value}"
        );
    }
    let between = json!({"filterGroups": [{"filters": [{"propertyName": "amount", "operator": "BETWEEN", "value": "5", "highValue": "10"}]}]});
    assert_eq!(found(&mut caller, "deals", &between), [ids[0].clone()]);
    let either = json!({"filterGroups": [
        {"filters": [{"propertyName": "hs_object_id", "operator": "EQ", "value": ids[2]}]},
        {"filters": [{"propertyName": "hs_object_id", "operator": "EQ", "value": ids[0]}, {"propertyName": "amount", "operator": "EQ", "value": "9.0"}]}]});
    assert_eq!(found(&mut caller, "deals", &either), [ids[0].clone(), ids[2].clone()]);
    let sorted = json!({"sorts": [{"propertyName": "closedate", "direction": "DESCENDING"}]});
    assert_eq!(found(&mut caller, "deals", &sorted)[0], ids[2]);
    assert_eq!(
        found(&mut caller, "deals", &json!({"sorts": ["-hs_lastmodifieddate"]}))[0],
        ids[2]
    );
    assert_eq!(
        found(&mut caller, "deals", &json!({"query": "angebot"})),
        [ids[0].clone()]
    );
}

#[test]
fn a_search_shows_what_it_is_asked_for_in_pages() {
    let mut caller = Caller::with(&json!({"search_lag_ms": 0, "searches_per_second": 1000}));
    for n in 0..25 {
        caller.make(
            "contacts",
            &json!({"email": format!("p{n}@example.org"), "city": "Köln"}),
        );
    }
    let mut body = by("city", "EQ", json!("köln"));
    body["limit"] = json!(10);
    let first = caller.post(&format!("{O}/contacts/search"), &body).value();
    assert_eq!(
        (&first["total"], &first["paging"]["next"]["after"]),
        (&json!(25), &json!("10"))
    );
    let properties = first["results"][0]["properties"].as_object().unwrap();
    assert_eq!(
        properties.keys().collect::<Vec<_>>(),
        ["email", "createdate", "lastmodifieddate", "hs_object_id"]
    );
    body["after"] = json!("20");
    let last = caller.post(&format!("{O}/contacts/search"), &body).value();
    assert_eq!(
        (last["results"].as_array().map(Vec::len), last.get("paging")),
        (Some(5), None)
    );
}

#[test]
fn a_search_that_makes_no_sense_or_asks_too_much_is_refused() {
    let mut caller = Caller::with(&json!({"searches_per_second": 1000}));
    let filter = json!({"propertyName": "email", "operator": "EQ", "value": "x"});
    for body in [
        by("favourite", "EQ", json!("x")),
        by("email", "LIKE", json!("x")),
        by("email", "EQ", Value::Null),
        by("email", "IN", json!("x")),
        json!({"limit": 201}),
        json!({"after": "9950", "limit": 100}),
        json!({"after": "soon"}),
        json!({"filterGroups": vec![json!({"filters": [filter]}); 6]}),
        json!({"filterGroups": [{"filters": vec![filter; 11]}]}),
        json!({"sorts": ["favourite"]}),
        json!({"query": "x".repeat(3_001)}),
    ] {
        let reply = caller.post(&format!("{O}/contacts/search"), &body);
        assert_eq!(trouble(&reply).0, 400, "{body}");
    }
}
