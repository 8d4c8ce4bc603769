//! What is made of callbacks, and what is wrong with sources that cannot be used.

use serde_json::{Map, Value, json};

use super::*;
use crate::{document::Document, guide};

const RECEIVER: &str = include_str!("../../tests/examples/feiyu-receiver.json");
const LEAD: &str = include_str!("../../tests/examples/feiyu-lead.json");
const NOW_MS: i64 = 1_795_512_600_000;

fn of_file(text: &str) -> (SourceSpec, Source) {
    let document = Document::parse(text, "receiver.json").unwrap();
    let spec = guide::read_source(&document).unwrap();
    let source = Source::compile(&spec, ready::find(&spec.source).unwrap()).unwrap();
    (spec, source)
}

fn problems(text: &str) -> Vec<String> {
    let document = Document::parse(text, "receiver.json").unwrap();
    let problems = guide::read_source(&document).unwrap_err();
    let told = problems.iter().map(|problem| {
        let place = problem.place.clone().unwrap_or_default();
        format!("{place}: {}", problem.detail)
    });
    told.collect()
}

fn pushed(body: &str) -> Request {
    Request {
        method: "POST".into(),
        path: "callback".into(),
        headers: vec![("Content-Type".into(), "application/json".into())],
        body: body.into(),
        ..Request::default()
    }
}

fn made(source: &Source, body: &str) -> Made {
    let reading = source.read(&pushed(body), &NoLists, NOW_MS).unwrap();
    source.make(&reading, &NoLists).unwrap()
}

#[test]
fn the_users_receiver_makes_the_row_of_the_guide() {
    let (_, source) = of_file(RECEIVER);
    match source.receive(&pushed(LEAD), &NoLists, NOW_MS) {
        Received::Callback { reply, delivery, .. } => {
            assert_eq!(reply.body, br#"{"code":"0","message":"success"}"#);
            assert!(delivery.unwrap().starts_with("7204519273648915234#"));
        }
        other => panic!("{other:?}"),
    }
    let made = made(&source, LEAD);
    assert_eq!(made.events.len(), 1);
    assert_eq!(
        Value::Object(made.records[0].fields.clone()),
        json!({
            "name": "张三", "phone": "13800138000", "channel": "字节-巨量线索", "clue_id": "7204519273648915234",
            "created_date": "2023-03-01", "created_time": "16:00:00", "ad_id": "1758200000000000",
            "adv_id": "1690000000000000"
        })
    );
    let table = &source.tables()[0];
    assert_eq!(
        (table.name, table.keys.as_slice()),
        ("customers", ["clue_id"].as_slice())
    );
    let kinds: Vec<_> = table.fields.iter().filter(|(_, kind)| *kind != "text").collect();
    assert_eq!(kinds, [&("created_date", "date"), &("created_time", "time")]);
}

#[test]
fn a_blank_text_is_left_out_of_records_and_what_fails_takes_no_other_with_it() {
    let (_, source) = of_file(
        r#"{"source": "json", "path": "p", "mapping": {"table": "t", "fields": {
            "a": "{{ payload.a }}", "b": "{{ payload.b }}", "c": "{{ payload.c | plus: 1 }}"}}}"#,
    );
    let made = made(&source, r#"{"a": " ", "b": "kept", "c": {"x": 1}}"#);
    assert_eq!(Value::Object(made.records[0].fields.clone()), json!({"b": "kept"}));
    assert!(made.notes[0].contains("`c` was left out"), "{:?}", made.notes);
}

#[test]
fn what_is_wrong_with_a_source_is_told_with_its_place() {
    let told = problems(
        r#"{
  "source": "feiyu", "path": "a b", "log_tabel": "x",
  "mapping": {"table": "customers", "fields": {"name": "{{ payload.name | truncat: 3 }}"}},
  "verify": [{"hmac": {"hash": "sha256", "secret": "token", "over": ["bodi"], "signature": {"header": "X", "form": "hex"}}}],
  "split": [{"at": "/x", "az": "y"}]
}"#,
    );
    let has = |place: &str, words: &str| told.iter().any(|told| told.contains(place) && told.contains(words));
    assert!(
        has("receiver.json:2:30", "`a b` cannot stand in an address"),
        "{told:#?}"
    );
    assert!(
        has(
            "receiver.json:2:37",
            "`log_tabel` is not known here; did you mean `log_table`?"
        ),
        "{told:#?}"
    );
    assert!(has("receiver.json:4", "bodi"), "{told:#?}");
    assert!(has("receiver.json:5", "az"), "{told:#?}");
    let told = problems(
        r#"{"source": "feiyu", "path": "a", "mapping": {"table": "t", "fields": {"n": "{{ payload.n | truncat: 3 }}"}}}"#,
    );
    assert!(
        told[0].starts_with("receiver.json:1:76") && told[0].contains("truncat"),
        "{told:#?}"
    );
    let told = problems(r#"{"source": "feiju", "path": "a"}"#);
    assert!(told[0].contains("did you mean `feiyu`?"), "{told:#?}");
    let told = problems(r#"{"source": "json", "path": "a", "events": [{"event": "lead.recieved"}], "test": "a =="}"#);
    assert!(told.iter().any(|told| told.contains("lead.received")), "{told:#?}");
    assert!(told.iter().any(|told| told.contains("condition")), "{told:#?}");
}

#[test]
fn a_source_is_written_as_it_is_read() {
    let (spec, _) = of_file(RECEIVER);
    let written = write(&spec).to_string();
    assert_eq!(of_file(&written).0, spec);
}

#[test]
fn batches_inside_of_batches_are_taken_apart_and_lists_of_pairs_put_together() {
    let (_, source) = of_file(
        r#"{"source": "json", "path": "p",
            "split": [{"at": "/entry", "as": "entry"}, {"at": "/changes", "as": "change"}],
            "events": [{"each": {"at": "/messages", "as": "message"}, "event": "message.received", "id": "{{ message.id }}",
                "gather": {"fields": {"at": "/pairs", "key": "{{ item.k }}", "value": "{{ item.v }}"}},
                "data": {"entry": "{{ entry.id }}", "field": "{{ change.field }}", "text": "{{ payload.text }}", "x": "{{ fields.x }}"}}]}"#,
    );
    let made = made(
        &source,
        r#"{"entry": [
            {"id": 1, "changes": [{"field": "a", "messages": [{"id": "m1", "text": "one", "pairs": [{"k": "x", "v": 7}, {"k": "x", "v": 8}, {"v": 9}]}, {"id": "m2", "text": "two"}]}]},
            {"id": 2, "changes": {"field": "b", "messages": {"id": "m3", "text": "three"}}},
            {"id": 3}
        ]}"#,
    );
    let told: Vec<Value> = made.events.iter().map(|event| json!([event.id, event.data])).collect();
    assert_eq!(
        json!(told),
        json!([
            ["m1", {"entry": 1, "field": "a", "text": "one", "x": 7}],
            ["m2", {"entry": 1, "field": "a", "text": "two"}],
            ["m3", {"entry": 2, "field": "b", "text": "three"}]
        ])
    );
}

/// What a push says of an address never becomes one.
#[test]
fn a_fetch_goes_to_its_own_address_with_an_id_of_the_right_form_or_nowhere() {
    let (_, source) = of_file(
        r#"{"source": "json", "path": "p", "secrets": {"token": "t0ken-of-the-account"}, "fetch": {
            "base_url": "https://api.example.org/v3", "headers": {"Authorization": "Bearer {{ secrets.token }}"},
            "ids": {"order": {"from": "{{ payload.api_url }}", "pattern": "https://api[.]example[.]org/v3/orders/([^/]+)/"}},
            "path": "/orders/{{ ids.order }}/?expand=all"}}"#,
    );
    let call = |url: &str| {
        let reading = source
            .read(&pushed(&json!({ "api_url": url }).to_string()), &NoLists, NOW_MS)
            .unwrap();
        source.fetch(&reading.items[0], &NoLists)
    };
    let good = call("https://api.example.org/v3/orders/77/").unwrap().unwrap();
    assert_eq!(good.address, "https://api.example.org/v3/orders/77/?expand=all");
    assert_eq!(good.headers[0].1, "Bearer t0ken-of-the-account");
    let escaped = call("https://api.example.org/v3/orders/a?b=@x#/").unwrap().unwrap();
    assert_eq!(
        escaped.address,
        "https://api.example.org/v3/orders/a%3Fb%3D%40x%23/?expand=all"
    );
    for url in [
        "https://evil.example.com/v3/orders/77/",
        "https://api.example.org/v3/orders/77/x",
        "https://api.example.org/v3/orders/../",
        "https://api.example.org/v3/orders//",
        "",
    ] {
        assert!(call(url).is_err(), "{url}");
    }
}

#[test]
fn what_came_stands_in_an_answer_as_text_and_makes_no_header() {
    let (_, source) = of_file(
        r#"{"source": "json", "path": "p", "handshake": [{"when": "method == 'GET'",
            "answer": {"headers": {"X-Echo": "{{ query.a }}"}, "text": "{{ query.a }}"}}]}"#,
    );
    let request = Request {
        method: "GET".into(),
        query: "a=1%0d%0aSet-Cookie:%20x%3D1".into(),
        ..Request::default()
    };
    let Received::Handshake(reply) = source.receive(&request, &NoLists, NOW_MS) else {
        panic!("no handshake");
    };
    assert_eq!(reply.headers[0].1, "1Set-Cookie: x=1");
    assert_eq!(reply.body, b"1\r\nSet-Cookie: x=1");
}

#[test]
fn conditions_that_are_no_yes_and_no_no_make_the_callback_wait_for_a_person() {
    let (_, source) = of_file(r#"{"source": "json", "path": "p", "ignore": [{"when": "payload.a", "reason": "x"}]}"#);
    let problem = source.read(&pushed(r#"{"a": 7}"#), &NoLists, NOW_MS).unwrap_err();
    assert!(problem.detail.contains("payload.a"), "{problem}");
    let ignored = source.read(&pushed(r#"{"a": true}"#), &NoLists, NOW_MS).unwrap();
    assert_eq!(ignored.ignored.as_deref(), Some("x"));
}

#[test]
fn ten_thousand_items_share_the_body_that_they_stand_in() {
    let (_, source) = of_file(
        r#"{"source": "json", "path": "p", "split": [{"at": "", "as": "entry"}],
            "events": [{"event": "webhook.received", "data": {"entry": "{{ entry }}", "all": "{{ body.size }}"}}]}"#,
    );
    let body = json!(vec![1; 10_001]).to_string();
    let reading = source.read(&pushed(&body), &NoLists, NOW_MS).unwrap();
    assert_eq!(reading.items.len(), 10_000);
    assert!(
        reading.notes.iter().any(|note| note.contains("more than 10000 items")),
        "{:?}",
        reading.notes
    );
    let whole = reading.items[0].variable("body").unwrap();
    assert!(
        reading
            .items
            .iter()
            .all(|item| std::ptr::eq(item.variable("body").unwrap(), whole))
    );
    let made = source.make(&reading, &NoLists).unwrap();
    assert_eq!(made.events.len(), 10_000);
    assert_eq!(
        Value::Object(made.events[9_999].data.clone()),
        json!({"entry": 1, "all": 10_001})
    );
}

#[test]
fn lists_inside_of_items_have_room_for_so_much_and_no_more() {
    let (_, source) = of_file(
        r#"{"source": "json", "path": "p", "split": [{"at": "/a"}],
            "events": [{"event": "webhook.received", "each": {"at": "/b"}, "data": {"n": "{{ payload }}"}}]}"#,
    );
    let item = json!({"b": vec![2; 6_000]});
    let made = made(&source, &json!({"a": [item, item]}).to_string());
    assert_eq!(made.events.len(), 10_000);
    assert!(
        made.notes.iter().any(|note| note.contains("more than 10000 items")),
        "{:?}",
        made.notes
    );
}

#[test]
fn what_would_fill_the_memory_is_refused_before_it_does() {
    let (_, source) = of_file(
        r#"{"source": "json", "path": "p", "split": [{"at": "/items"}],
            "events": [{"event": "webhook.received", "data": {"all": "{{ body }}"}}]}"#,
    );
    let body = json!({"items": vec![1; 10_000]}).to_string();
    let reading = source.read(&pushed(&body), &NoLists, NOW_MS).unwrap();
    let problem = source.make(&reading, &NoLists).unwrap_err();
    assert!(problem.detail.contains("128 MB"), "{problem}");
}

#[test]
fn an_id_that_reads_what_is_masked_is_refused_where_it_is_written() {
    let told = problems(
        r#"{"source": "json", "path": "p", "verify": [{"shared": {"secret": "token", "query": "key"}}],
            "dedupe": {"id": "{{ query.key }}"},
            "events": [{"event": "webhook.received", "id": "{{ payload.id }}"},
                       {"event": "webhook.received", "id": "{{ headers['Authorization'] }}"}]}"#,
    );
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].starts_with("receiver.json:2:") && told[0].contains("query['key']"),
        "{told:?}"
    );
    assert!(
        told[1].starts_with("receiver.json:4:") && told[1].contains("headers['Authorization']"),
        "{told:?}"
    );
}

#[test]
fn nobody_takes_the_place_of_another_ones_form_by_posting_its_id_first() {
    let (_, source) = of_file(r#"{"source": "form", "path": "p"}"#);
    let delivery = |boundary: &str, name: &str| {
        let body = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"_submission\"\r\n\r\ns-1\r\n\
             --{boundary}\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\n{name}\r\n--{boundary}--\r\n"
        );
        let request = Request {
            headers: vec![(
                "Content-Type".into(),
                format!("multipart/form-data; boundary={boundary}"),
            )],
            ..pushed(&body)
        };
        match source.receive(&request, &NoLists, NOW_MS) {
            Received::Callback { delivery, .. } => delivery.unwrap(),
            other => panic!("{other:?}"),
        }
    };
    assert_ne!(delivery("one", "Ann"), delivery("one", "Eve"));
    assert_eq!(
        delivery("one", "Ann"),
        delivery("two", "Ann"),
        "a double click is one form"
    );
}

/// The published schema knows every member that is read, and no other.
#[test]
fn the_schema_has_the_members_that_are_read() {
    let schema: Value = serde_json::from_str(ready::SOURCE_SCHEMA).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    for name in spec::CONDUCT.iter().chain(&["settings", "secrets", "lookups"]) {
        assert!(properties.contains_key(*name), "{name}");
    }
    let heads = [
        "slug",
        "aliases",
        "name",
        "summary",
        "category",
        "color",
        "docs",
        "connector",
    ];
    for name in properties.keys().filter(|name| !heads.contains(&name.as_str())) {
        let one = Map::from_iter([(name.clone(), Value::Null)]);
        let error = serde_json::from_value::<ConductSpec>(Value::Object(one)).err();
        let unknown = error.is_some_and(|error| error.to_string().contains("unknown field"));
        assert!(!unknown, "{name}");
    }
}
