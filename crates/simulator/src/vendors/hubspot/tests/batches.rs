//! Many objects in one call.

use super::*;

fn input(email: &str, trace: Option<&str>) -> Value {
    let mut input = json!({"properties": {"email": email}, "associations": []});
    if let Some(trace) = trace {
        input["objectWriteTraceId"] = json!(trace);
    }
    input
}

#[test]
fn one_bad_row_fails_the_whole_batch_unless_every_row_has_an_own_trace() {
    let target = format!("{O}/contacts/batch/create");
    for (traces, status, stored) in [
        ([None, None, None], 400, 0),
        ([Some("t1"), Some("t2"), None], 400, 0),
        ([Some("t1"), Some("t2"), Some("t1")], 400, 0),
        ([Some("t1"), Some("t2"), Some("t3")], 207, 2),
    ] {
        let mut caller = Caller::new();
        let inputs = [
            input("a@example.org", traces[0]),
            input("bad", traces[1]),
            input("ц@example.org", traces[2]),
        ];
        let reply = caller.post(&target, &json!({ "inputs": inputs }));
        assert_eq!(
            (reply.status, caller.portal.counts()["contacts"]),
            (status, stored),
            "{traces:?}"
        );
        // What was taken back does not stand in the way.
        assert_eq!(
            caller.create("contacts", &json!({"email": "new@example.org"})).status,
            201
        );
        assert_eq!(
            caller.create("contacts", &json!({"email": "a@example.org"})).status == 201,
            stored == 0
        );
    }
}

#[test]
fn a_partial_answer_names_failures_by_trace_and_is_not_in_order() {
    let mut caller = Caller::new();
    caller.make("contacts", &json!({"email": "there@example.org"}));
    let inputs = [
        input("a@example.org", Some("t1")),
        input("there@example.org", Some("t2")),
        input("bad", Some("t3")),
        input("b@example.org", Some("t4")),
    ];
    let target = format!("{O}/contacts/batch/create");
    let body = caller.post(&target, &json!({ "inputs": inputs })).value();
    assert_eq!((&body["status"], &body["numErrors"]), (&json!("COMPLETE"), &json!(2)));
    let traces: Vec<&str> = (0..2)
        .filter_map(|row| body["results"][row]["objectWriteTraceId"].as_str())
        .collect();
    assert_eq!(traces, ["t4", "t1"]);
    assert_eq!(body["errors"][0]["context"]["objectWriteTraceId"], json!(["t2"]));
    assert_eq!(body["errors"][0]["message"], "Contact already exists. Existing ID: 251");
    assert_eq!(body["errors"][1]["category"], "VALIDATION_ERROR");
    caller.portal.configure(&json!({"partial_as_success": true})).unwrap();
    let reply = caller.post(&target, &json!({"inputs": [input("bad", Some("x"))]}));
    assert_eq!((reply.status, &reply.value()["numErrors"]), (201, &json!(1)));
}

#[test]
fn an_upsert_by_a_unique_property_makes_one_object_however_often_it_comes() {
    let mut caller = Caller::new();
    caller.unique_property("contacts", "hub_external_id");
    let target = format!("{O}/contacts/batch/upsert");
    let body = |city: &str| json!({"inputs": [{"id": "c-118", "idProperty": "hub_external_id", "properties": {"city": city}, "objectWriteTraceId": "j"}]});
    let first = caller.post(&target, &body("Köln"));
    let second = caller.post(&target, &body("Wien")).value();
    assert_eq!((first.status, &first.value()["results"][0]["new"]), (200, &json!(true)));
    assert_eq!(
        (
            &second["results"][0]["new"],
            &second["results"][0]["properties"]["city"]
        ),
        (&json!(false), &json!("Wien"))
    );
    assert_eq!(first.value()["results"][0]["id"], second["results"][0]["id"]);
    assert_eq!(caller.portal.counts()["contacts"], 1);
}

#[test]
fn an_upsert_is_refused_as_a_whole_for_wrong_keys_and_repeated_ones() {
    let mut caller = Caller::new();
    caller.unique_property("contacts", "hub_external_id");
    let target = format!("{O}/contacts/batch/upsert");
    let row = |id: &str, by: &str| json!({"id": id, "idProperty": by, "properties": {}});
    for inputs in [
        vec![row("x", "city")],
        vec![row("x", "none")],
        vec![row("k", "hub_external_id"), row("K", "hub_external_id")],
        vec![json!({"id": "999", "properties": {}})],
    ] {
        let status = caller.post(&target, &json!({ "inputs": inputs })).status;
        assert!(matches!(status, 400 | 404), "{inputs:?}: {status}");
    }
    // By e-mail address there is no partial success.
    let by_email =
        |id: &str, trace: &str| json!({"id": id, "idProperty": "email", "properties": {}, "objectWriteTraceId": trace});
    let inputs = json!({"inputs": [by_email("a@example.org", "1"), by_email("bad", "2")]});
    assert_eq!(caller.post(&target, &inputs).status, 400);
    assert_eq!(caller.portal.counts()["contacts"], 0);
}

#[test]
fn updates_reads_and_archives_work_on_many() {
    let mut caller = Caller::new();
    caller.unique_property("contacts", "hub_external_id");
    let ids: Vec<String> = (0..3)
        .map(|n| caller.make("contacts", &json!({"hub_external_id": format!("c-{n}")})))
        .collect();
    let update = json!({"inputs": [{"id": ids[0], "properties": {"city": "Wien"}},
        {"id": "c-1", "idProperty": "hub_external_id", "properties": {"city": "Köln"}}]});
    assert_eq!(caller.post(&format!("{O}/contacts/batch/update"), &update).status, 200);
    let read = json!({"properties": ["city"], "propertiesWithHistory": [], "idProperty": "hub_external_id",
        "inputs": [{"id": "c-0"}, {"id": "c-1"}, {"id": "c-9"}]});
    let reply = caller.post(&format!("{O}/contacts/batch/read"), &read);
    let body = reply.value();
    assert_eq!(reply.status, 207);
    assert_eq!(
        (
            &body["results"][0]["properties"]["city"],
            &body["results"][1]["properties"]["city"]
        ),
        (&json!("Köln"), &json!("Wien"))
    );
    assert_eq!(
        (&body["errors"][0]["category"], &body["errors"][0]["context"]["ids"]),
        (&json!("OBJECT_NOT_FOUND"), &json!(["c-9"]))
    );
    let archive = json!({"inputs": [{"id": ids[0]}, {"id": ids[1]}, {"id": "999"}]});
    assert_eq!(
        caller.post(&format!("{O}/contacts/batch/archive"), &archive).status,
        204
    );
    assert_eq!(caller.portal.counts()["contacts"], 1);
}

#[test]
fn more_than_100_inputs_are_refused() {
    let mut caller = Caller::new();
    let inputs = |count: usize| json!({"inputs": vec![json!({"properties": {}, "associations": []}); count]});
    assert_eq!(
        caller.post(&format!("{O}/companies/batch/create"), &inputs(101)).status,
        400
    );
    assert_eq!(
        caller.post(&format!("{O}/companies/batch/create"), &inputs(100)).status,
        201
    );
    assert_eq!(
        caller.post(&format!("{O}/companies/batch/create"), &json!({})).status,
        400
    );
}
