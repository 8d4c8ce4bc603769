//! One record at a time.

use super::*;

#[test]
fn a_created_record_is_read_back_with_what_salesforce_adds() {
    let mut caller = Caller::new();
    let id = caller.make(
        "lead",
        &json!({"firstName": "Ана", "LASTNAME": " Петрова ", "company": "客户", "email": "Ana@Example.org", "HubExternalId__c": "msg-8812"}),
    );
    assert!(id.starts_with("00Q") && id.len() == 18);
    let record = caller.get(&format!("/sobjects/Lead/{id}")).value();
    for (field, expected) in [
        ("LastName", json!("Петрова")),
        ("Name", json!("Ана Петрова")),
        ("Email", json!("Ana@Example.org")),
        ("Status", json!("Open - Not Contacted")),
        ("IsConverted", json!(false)),
        ("Phone", Value::Null),
        ("OwnerId", json!(USER_ID)),
        ("SystemModstamp", json!("2026-11-20T10:15:30.000+0000")),
        (
            "attributes",
            json!({"type": "Lead", "url": format!("/services/data/v68.0/sobjects/Lead/{id}")}),
        ),
    ] {
        assert_eq!(record[field], expected, "{field}");
    }
    let short = caller
        .get(&format!("/sobjects/Lead/{}?fields=id,Email", &id[..15]))
        .value();
    assert_eq!(
        short.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["attributes", "Id", "Email"]
    );
    assert_eq!(
        code(&caller.get(&format!("/sobjects/Lead/{id}?fields=Foo"))),
        "INVALID_FIELD"
    );
}

#[test]
fn the_create_of_the_guide_is_accepted() {
    let mut caller = Caller::new();
    let id = caller.make(
        "Case",
        &json!({"subject": "客户咨询 - 报价", "description": "многострочный\nтекст", "priority": "high", "origin": "wechat", "status": "New"}),
    );
    let record = caller.get(&format!("/sobjects/Case/{id}")).value();
    assert_eq!(
        (&record["Origin"], &record["Priority"]),
        (&json!("wechat"), &json!("high"))
    );
    assert_eq!(record["CaseNumber"].as_str().map(str::len), Some(8));
}

#[test]
fn a_restriction_can_be_put_on_any_picklist() {
    let mut caller = Caller::with(&json!({"restricted_picklists": ["Case.Priority"]}));
    let reply = caller.post("/sobjects/Case", &json!({"Priority": "urgent"}));
    assert_eq!(code(&reply), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST");
    assert_eq!(reply.value()[0]["fields"], json!(["Priority"]));
}

#[test]
fn bad_requests_are_refused_with_an_array() {
    let mut caller = Caller::new();
    let account = caller.make("Account", &json!({"Name": "Example"}));
    let lead_id = caller.make("Lead", &lead("A"));
    for (path, body, status, expected) in [
        ("/sobjects/Lead", json!({"Company": "X"}), 400, "REQUIRED_FIELD_MISSING"),
        (
            "/sobjects/Lead",
            json!({"LastName": "A", "Company": "X", "lead_source": "web"}),
            400,
            "INVALID_FIELD",
        ),
        ("/sobjects/Foo", json!({}), 404, "NOT_FOUND"),
        ("/sobjects/User", json!({}), 400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"),
        ("/sobjects/Lead", json!([]), 400, "JSON_PARSER_ERROR"),
        (
            "/sobjects/Contact",
            json!({"LastName": "A", "AccountId": "acc-1"}),
            400,
            "MALFORMED_ID",
        ),
        (
            "/sobjects/Contact",
            json!({"LastName": "A", "AccountId": lead_id}),
            400,
            "MALFORMED_ID",
        ),
        (
            "/sobjects/Contact",
            json!({"LastName": "A", "AccountId": ids::make("001", 999_999)}),
            400,
            "INVALID_CROSS_REFERENCE_KEY",
        ),
        (
            "/sobjects/Task",
            json!({"WhoId": lead_id, "WhatId": account}),
            400,
            "FIELD_INTEGRITY_EXCEPTION",
        ),
        (
            "/sobjects/CaseComment",
            json!({"CommentBody": "x"}),
            400,
            "REQUIRED_FIELD_MISSING",
        ),
    ] {
        let reply = caller.post(path, &body);
        assert_eq!(
            (reply.status, code(&reply).as_str()),
            (status, expected),
            "{path} {body}"
        );
    }
    let text = Request::new(Method::POST, &format!("{DATA}/sobjects/Lead")).with_body("text/plain", "x");
    assert_eq!(caller.send(text).status, 415);
    let broken = Request::new(Method::POST, &format!("{DATA}/sobjects/Lead")).with_body("application/json", "{");
    assert_eq!(code(&caller.send(broken)), "JSON_PARSER_ERROR");
    let put = Request::new(Method::PUT, &format!("{DATA}/sobjects/Lead"));
    assert_eq!(caller.send(put).status, 405);
}

#[test]
fn an_update_changes_what_it_names_and_null_clears() {
    let mut caller = Caller::new();
    let id = caller.make(
        "Lead",
        &json!({"LastName": "A", "Company": "B", "Phone": "+49301234567", "City": "Köln"}),
    );
    caller.now_ms += 5_000;
    let path = format!("/sobjects/Lead/{id}");
    let reply = caller.patch(&path, &json!({"City": "Wien", "Phone": null}));
    assert_eq!((reply.status, reply.body.len()), (204, 0));
    let record = caller.get(&path).value();
    assert_eq!(
        (&record["City"], &record["Phone"], &record["Company"]),
        (&json!("Wien"), &Value::Null, &json!("B"))
    );
    assert_eq!(record["SystemModstamp"], "2026-11-20T10:15:35.000+0000");
    assert_eq!(record["CreatedDate"], "2026-11-20T10:15:30.000+0000");
    assert_eq!(
        caller
            .patch("/sobjects/Lead/00Q000000000001", &json!({"City": "X"}))
            .status,
        404
    );
}

#[test]
fn a_deleted_record_is_gone_and_said_to_be_deleted() {
    let mut caller = Caller::new();
    let id = caller.make(
        "Lead",
        &json!({"LastName": "A", "Company": "B", "Email": "a@example.org", "HubExternalId__c": "k"}),
    );
    let path = format!("/sobjects/Lead/{id}");
    assert_eq!(caller.delete(&path).status, 204);
    assert_eq!(caller.get(&path).status, 404);
    let again = caller.delete(&path);
    assert_eq!((again.status, code(&again).as_str()), (404, "ENTITY_IS_DELETED"));
    assert_eq!(
        caller.query("SELECT Id FROM Lead WHERE Email = 'a@example.org'"),
        Ok(vec![])
    );
    // The key is free again.
    assert_eq!(
        caller.patch("/sobjects/Lead/HubExternalId__c/k", &lead("A")).status,
        201
    );
    assert_eq!(caller.org.counts()["Lead"], 1);
}

#[test]
fn an_upsert_makes_then_changes_and_never_doubles() {
    let mut caller = Caller::new();
    let path = "/sobjects/Lead/HubExternalId__c/msg-8812%2F%C3%BC";
    let first = caller.patch(path, &lead("A"));
    assert_eq!((first.status, &first.value()["created"]), (201, &json!(true)));
    let upper = "/sobjects/lead/hubexternalid__c/MSG-8812%2F%C3%9C";
    let second = caller.patch(upper, &json!({"City": "Wien"}));
    assert_eq!((second.status, &second.value()["created"]), (200, &json!(false)));
    assert_eq!(first.value()["id"], second.value()["id"]);
    assert_eq!(caller.get(path).value()["City"], "Wien");
    assert_eq!(caller.org.counts()["Lead"], 1);
}

#[test]
fn an_upsert_is_refused_as_the_sheet_says() {
    let mut caller = Caller::new();
    for (path, body, status, expected) in [
        ("/sobjects/Lead/Foo__c/1", lead("A"), 404, "NOT_FOUND"),
        ("/sobjects/Lead/City/1", lead("A"), 404, "NOT_FOUND"),
        ("/sobjects/Task/HubExternalId__c/1", json!({}), 404, "NOT_FOUND"),
        (
            "/sobjects/Lead/HubExternalId__c/1",
            json!({"HubExternalId__c": "1", "LastName": "A"}),
            400,
            "INVALID_FIELD",
        ),
        (
            "/sobjects/Lead/HubExternalId__c/1",
            json!({"LastName": "A"}),
            400,
            "REQUIRED_FIELD_MISSING",
        ),
        (
            "/sobjects/Lead/HubExternalId__c/1?updateOnly=true",
            lead("A"),
            404,
            "NOT_FOUND",
        ),
    ] {
        let reply = caller.patch(path, &body);
        assert_eq!(
            (reply.status, code(&reply).as_str()),
            (status, expected),
            "{path} {body}"
        );
    }
    let mut without = Caller::with(&json!({"external_id": "absent"}));
    assert_eq!(
        without.patch("/sobjects/Lead/HubExternalId__c/1", &lead("A")).status,
        404
    );
}

#[test]
fn before_version_46_an_upsert_does_not_say_what_it_did() {
    let mut caller = Caller::new();
    for (expected, body) in [
        (201, json!({"LastName": "A", "Company": "B"})),
        (204, json!({"City": "X"})),
    ] {
        let request =
            Request::new(Method::PATCH, "/services/data/v45.0/sobjects/Lead/HubExternalId__c/1").with_json(&body);
        let reply = caller.send(request);
        assert_eq!((reply.status, reply.value().get("created")), (expected, None));
    }
}

#[test]
fn a_key_of_several_records_is_300_and_writes_nothing() {
    let mut caller = Caller::with(&json!({"external_id": "not_unique"}));
    for _ in 0..2 {
        caller.make(
            "Lead",
            &json!({"LastName": "A", "Company": "B", "HubExternalId__c": "k"}),
        );
    }
    let reply = caller.patch("/sobjects/Lead/HubExternalId__c/k", &json!({"City": "Wien"}));
    assert_eq!((reply.status, reply.value().as_array().map(Vec::len)), (300, Some(2)));
    assert_eq!(caller.query("SELECT Id FROM Lead WHERE City = 'Wien'"), Ok(vec![]));
}

#[test]
fn a_unique_value_is_taken_once() {
    let mut caller = Caller::new();
    let body = json!({"LastName": "A", "Company": "B", "HubExternalId__c": "K"});
    let id = caller.make("Lead", &body);
    let reply = caller.post(
        "/sobjects/Lead",
        &json!({"LastName": "A", "Company": "B", "HubExternalId__c": "k"}),
    );
    assert_eq!(code(&reply), "DUPLICATE_VALUE");
    assert!(reply.value()[0]["message"].as_str().unwrap().contains(&id[..15]));
    // Another object has its own values.
    caller.make("Contact", &json!({"LastName": "A", "HubExternalId__c": "k"}));
}

#[test]
fn a_duplicate_rule_names_the_records_and_an_alert_can_be_overridden() {
    let body = json!({"LastName": "A", "Company": "B", "Email": "ana@example.org"});
    let insist = |body: &Value| {
        let request = Request::new(Method::POST, &format!("{DATA}/sobjects/Lead")).with_json(body);
        request.with_header("sforce-duplicate-rule-header", "allowSave=true")
    };
    for (rule, refused, overridden) in [("off", 201, 201), ("alert", 400, 201), ("block", 400, 400)] {
        let mut caller = Caller::with(&json!({ "duplicate_rule": rule }));
        let id = caller.make("Lead", &body);
        let reply = caller.post(
            "/sobjects/Lead",
            &json!({"LastName": "B", "Company": "C", "Email": "ANA@example.org"}),
        );
        assert_eq!(reply.status, refused, "{rule}");
        if refused == 400 {
            let error = &reply.value()[0];
            assert_eq!(error["errorCode"], "DUPLICATES_DETECTED");
            let record = &error["duplicateResult"]["matchResults"][0]["matchRecords"][0]["record"];
            assert_eq!(record["Id"], id.as_str());
        }
        assert_eq!(caller.send(insist(&body)).status, overridden, "{rule}");
    }
}

#[test]
fn a_describe_tells_the_external_id_and_the_required_fields() {
    let described = Caller::new().get("/sobjects/Lead/describe").value();
    let field = |name: &str| {
        let fields = described["fields"].as_array().unwrap();
        fields.iter().find(|field| field["name"] == name).unwrap().clone()
    };
    let external = field("HubExternalId__c");
    assert_eq!(
        (&external["externalId"], &external["unique"], &external["length"]),
        (&json!(true), &json!(true), &json!(255))
    );
    assert_eq!(
        (&field("LastName")["nillable"], &field("FirstName")["nillable"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(field("Status")["picklistValues"].as_array().map(Vec::len), Some(4));
}
