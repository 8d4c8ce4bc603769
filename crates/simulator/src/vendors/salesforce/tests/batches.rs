//! Many records in one call.

use super::*;

fn typed(body: &Value) -> Value {
    let mut body = body.clone();
    body["attributes"] = json!({"type": "Lead"});
    body
}

#[test]
fn rows_fail_on_their_own_and_results_are_in_their_order() {
    let mut caller = Caller::new();
    let body = json!({"allOrNone": false, "records": [typed(&lead("Ж")), typed(&json!({"Company": "Y"})),
        {"attributes": {"type": "Foo"}, "LastName": "Z"}, typed(&lead("B"))]});
    let reply = caller.post("/composite/sobjects", &body);
    let results = reply.value();
    assert_eq!(reply.status, 200);
    assert_eq!(
        (&results[0]["success"], &results[0]["errors"]),
        (&json!(true), &json!([]))
    );
    assert_eq!(
        results[1],
        json!({"success": false, "errors": [{"message": "Required fields are missing: [LastName]",
            "statusCode": "REQUIRED_FIELD_MISSING", "fields": ["LastName"]}]})
    );
    assert_eq!(results[2]["errors"][0]["statusCode"], "INVALID_TYPE");
    assert!(results[3]["id"].is_string() && results.as_array().unwrap().len() == 4);
    assert_eq!(caller.org.counts()["Lead"], 2);
}

#[test]
fn all_or_none_takes_everything_back() {
    let mut caller = Caller::new();
    let id = caller.make(
        "Lead",
        &json!({"LastName": "A", "Company": "B", "HubExternalId__c": "old"}),
    );
    let rows = json!([
        {"attributes": {"type": "Lead"}, "HubExternalId__c": "old", "City": "Wien"},
        {"attributes": {"type": "Lead"}, "HubExternalId__c": "new", "LastName": "N", "Company": "B"},
        {"attributes": {"type": "Lead"}, "HubExternalId__c": "bad"}]);
    let path = "/composite/sobjects/Lead/HubExternalId__c";
    let results = caller.patch(path, &json!({"allOrNone": true, "records": rows})).value();
    let codes: Vec<&str> = (0..3)
        .map(|row| results[row]["errors"][0]["statusCode"].as_str().unwrap())
        .collect();
    let back = "ALL_OR_NONE_OPERATION_ROLLED_BACK";
    assert_eq!(codes, [back, back, "REQUIRED_FIELD_MISSING"]);
    assert_eq!(caller.org.counts()["Lead"], 1);
    assert_eq!(caller.get(&format!("/sobjects/Lead/{id}")).value()["City"], Value::Null);
    assert_eq!(caller.get("/sobjects/Lead/HubExternalId__c/new").status, 404);
    let results = caller.patch(path, &json!({"records": rows})).value();
    assert_eq!(
        (&results[0]["created"], &results[1]["created"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(caller.org.counts()["Lead"], 2);
}

#[test]
fn a_key_twice_in_one_upsert_fails_both_rows() {
    let mut caller = Caller::new();
    let row =
        |key: &str| json!({"attributes": {"type": "Lead"}, "hubexternalid__c": key, "LastName": "A", "Company": "B"});
    let body =
        json!({"records": [row("m-1"), row("m-2"), row("M-1"), {"attributes": {"type": "Lead"}, "LastName": "A"}]});
    let results = caller.patch("/composite/sobjects/Lead/HubExternalId__c", &body).value();
    for (row, code) in [(0, "DUPLICATE_VALUE"), (2, "DUPLICATE_VALUE"), (3, "MISSING_ARGUMENT")] {
        assert_eq!(results[row]["errors"][0]["statusCode"], code, "row {row}");
    }
    assert_eq!(
        (&results[1]["success"], &results[1]["created"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(caller.patch("/composite/sobjects/Lead/Foo__c", &body).status, 404);
}

#[test]
fn updates_and_deletes_name_their_records() {
    let mut caller = Caller::new();
    let ids: Vec<String> = (0..3).map(|_| caller.make("Lead", &lead("A"))).collect();
    let body = json!({"records": [
        {"attributes": {"type": "Lead"}, "id": ids[0], "City": "Wien"},
        {"attributes": {"type": "Lead"}, "City": "Wien"},
        {"attributes": {"type": "Lead"}, "Id": "00Q000000000001", "City": "Wien"}]});
    let results = caller.patch("/composite/sobjects", &body).value();
    assert_eq!(
        (&results[0]["id"], &results[0]["success"]),
        (&json!(ids[0]), &json!(true))
    );
    assert_eq!(results[1]["errors"][0]["statusCode"], "MISSING_ARGUMENT");
    assert_eq!(results[2]["errors"][0]["statusCode"], "NOT_FOUND");
    let results = caller
        .delete(&format!(
            "/composite/sobjects?ids={},{},xyz&allOrNone=false",
            ids[0], ids[1]
        ))
        .value();
    assert_eq!(
        (&results[0]["success"], &results[1]["success"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(results[2]["errors"][0]["statusCode"], "MALFORMED_ID");
    assert_eq!(caller.org.counts()["Lead"], 1);
}

#[test]
fn more_than_200_rows_are_refused_as_a_whole() {
    let mut caller = Caller::new();
    let body = |count| json!({"records": vec![typed(&lead("A")); count]});
    assert_eq!(
        code(&caller.post("/composite/sobjects", &body(201))),
        "EXCEEDED_ID_LIMIT"
    );
    assert_eq!(
        caller
            .post("/composite/sobjects", &body(200))
            .value()
            .as_array()
            .map(Vec::len),
        Some(200)
    );
}
