//! Parts of requests and answers that only some systems need, shown on a made-up one.

use serde_json::{Value, json};
use switchboard_connect::{
    connector::{Decision, Doubt, Known, Start},
    manifest::OperationKind,
};
use switchboard_model::outcome::Outcome;

use super::{
    hub::{NOW_MS, answer, call_of, token},
    resolving::{account, desk},
};

#[test]
fn a_form_field_holds_json_and_a_list_repeats_its_parameter() {
    let desk = desk();
    let account = account(&desk, json!({}));
    let call = call_of(
        "k-1",
        json!({"subject": "Привет", "tags": ["a b", "c"]}),
        Known::default(),
    );
    let request = desk.build("ticket", OperationKind::Create, &account, &call).unwrap();
    assert_eq!(request.url, "https://desk.example.org/tickets?tag=a%20b&tag=c");
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&request.body)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    assert_eq!(form.len(), 1);
    let ticket: Value = serde_json::from_str(&form[0].1).unwrap();
    assert_eq!(ticket, json!({"subject": "Привет", "tags": ["a b", "c"], "key": "k-1"}));
    assert!(!format!("{request:?}").contains("secret-token"));
    assert_eq!(request.headers["authorization"], "Basic c2VjcmV0LXRva2VuOlg=");
}

#[test]
fn a_part_of_a_body_is_sent_as_json_text_with_what_was_inserted() {
    let desk = desk();
    let account = account(&desk, json!({}));
    let build = |record| {
        let call = call_of("k-1", record, Known::default());
        let request = desk.build("note", OperationKind::Create, &account, &call).unwrap();
        serde_json::from_slice::<Value>(&request.body).unwrap()["variables"].clone()
    };
    let both = build(json!({"text": "x", "columns": {"status": "新"}, "keyColumn": "hub"}));
    let columns: Value = serde_json::from_str(both["columns"].as_str().unwrap()).unwrap();
    assert_eq!(columns, json!({"status": "新", "hub": {"text": "k-1"}}));
    assert_eq!(both["further"], json!([{"id": "hub"}]));
    assert_eq!(
        build(json!({"text": "x", "keyColumn": "hub"}))["columns"],
        "{\"hub\":{\"text\":\"k-1\"}}"
    );
    assert_eq!(build(json!({"text": "x"})), json!({"text": "x"}));
}

#[test]
fn a_candidate_counts_when_it_carries_our_key_and_is_young_enough() {
    let desk = desk();
    let account = account(&desk, json!({}));
    // First sent at 10:14:30, and clocks may differ by two minutes.
    let call = call_of("k-1", json!({"subject": "x"}), Known::default());
    let ours = |made: Value| json!({"id": 7, "body": "x key:K-1", "made": made});
    for (candidates, expected) in [
        (json!([]), "missing"),
        (
            json!([{"id": 6, "body": "x key:k-2", "made": "2026-11-20T10:15:00Z"}]),
            "missing",
        ),
        (
            json!([{"id": 6, "body": "x"}, ours(json!("2026-11-20T10:15:00Z"))]),
            "delivered",
        ),
        (json!([ours(json!("2026-11-20T10:00:00Z"))]), "missing"),
        (json!([ours(json!("1795169730"))]), "delivered"),
        (json!([ours(json!("yesterday"))]), "unknown"),
    ] {
        let outcome = desk.read(
            "ticket",
            OperationKind::Probe,
            &account,
            &call,
            &answer(200, candidates.clone()),
        );
        assert_eq!(outcome.name(), expected, "{candidates}");
        if let Outcome::Delivered { external_id, .. } = outcome {
            assert_eq!(external_id.as_deref(), Some("7"));
        }
    }
}

#[test]
fn the_id_is_read_beside_what_tells_which_item_is_ours() {
    let desk = desk();
    let account = account(&desk, json!({}));
    let call = call_of("k-1", json!({"text": "x"}), Known::default());
    let notes = json!({"notes": [{"id": 1, "key": "k-0"}, {"id": 2, "key": "k-1"}]});
    let outcome = desk.read("note", OperationKind::Create, &account, &call, &answer(201, notes));
    let expected = Outcome::Delivered {
        external_id: Some("2".into()),
        created: None,
    };
    assert_eq!(outcome, expected);
}

#[test]
fn a_call_is_repeated_only_while_the_vendor_recognises_it() {
    let desk = desk();
    let account = account(&desk, json!({}));
    for (age_ms, expected) in [(60_000, OperationKind::Create), (600_001, OperationKind::Probe)] {
        let known = Known::new(None, Doubt::Of(OperationKind::Create));
        let mut call = call_of("k-1", json!({"subject": "x"}), known);
        call.begin(&Start::new(NOW_MS, Some(&token())), Some(NOW_MS - age_ms));
        assert_eq!(desk.next_call("ticket", &account, &call), Decision::Call(expected));
    }
}
