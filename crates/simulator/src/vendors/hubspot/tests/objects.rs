//! One object at a time.

use super::*;

#[test]
fn a_created_contact_is_shown_with_texts_only_and_what_hubspot_adds() {
    let mut caller = Caller::new();
    let body = json!({"email": "Ana@Example.org", "firstname": "Ана", "phone": "+49 30 1234567", "lifecyclestage": "lead", "lead_source": "wechat"});
    let reply = caller.create("contacts", &body);
    let made = reply.value();
    assert_eq!(reply.status, 201);
    assert_eq!((&made["id"], &made["archived"]), (&json!("251"), &json!(false)));
    assert_eq!(made["createdAt"], "2026-11-20T10:15:30.123Z");
    for (name, value) in [
        ("email", "ana@example.org"),
        ("firstname", "Ана"),
        ("hs_object_id", "251"),
        ("createdate", "2026-11-20T10:15:30.123Z"),
        ("lastmodifieddate", "2026-11-20T10:15:30.123Z"),
        ("hs_searchable_calculated_phone_number", "49301234567"),
    ] {
        assert_eq!(made["properties"][name], value, "{name}");
    }
    let read = caller
        .get(&format!(
            "{O}/contact/ANA%40example.org?idProperty=email&properties=phone,city"
        ))
        .value();
    assert_eq!(
        (&read["properties"]["phone"], &read["properties"]["city"]),
        (&json!("+49 30 1234567"), &Value::Null)
    );
    assert_eq!(read["properties"].get("firstname"), None);
    assert_eq!(
        caller.get(&format!("{O}/0-1/251")).value()["properties"]["firstname"],
        "Ана"
    );
}

#[test]
fn a_second_contact_with_the_same_address_is_a_conflict_that_names_the_first() {
    let mut caller = Caller::new();
    let first = caller.make("contacts", &json!({"email": "ana@example.org"}));
    let reply = caller.create("contacts", &json!({"email": "ANA@example.org"}));
    assert_eq!(trouble(&reply), (409, "CONFLICT".to_owned(), String::new()));
    assert_eq!(
        reply.value()["message"],
        format!("Contact already exists. Existing ID: {first}")
    );
    let second = caller.make("contacts", &json!({"email": "bea@example.org"}));
    assert_eq!(
        caller
            .patch(&format!("{O}/contacts/{second}"), &json!({"email": "ana@example.org"}))
            .status,
        409
    );
    // The own address is no conflict, and an archived contact's is free again.
    assert_eq!(
        caller
            .patch(&format!("{O}/contacts/{first}"), &json!({"email": "ana@example.org"}))
            .status,
        200
    );
    assert_eq!(caller.delete(&format!("{O}/contacts/{first}")).status, 204);
    assert_eq!(
        caller
            .patch(&format!("{O}/contacts/{second}"), &json!({"email": "ana@example.org"}))
            .status,
        200
    );
}

#[test]
fn what_does_not_fit_is_refused_with_the_property() {
    let mut caller = Caller::new();
    for (kind, properties, code) in [
        ("contacts", json!({"favourite": "x"}), "PROPERTY_DOESNT_EXIST"),
        ("contacts", json!({"email": "nobody"}), "INVALID_EMAIL"),
        ("contacts", json!({"lifecyclestage": "Lead"}), "INVALID_OPTION"),
        ("contacts", json!({"hs_object_id": "5"}), "READ_ONLY_VALUE"),
        ("tickets", json!({"subject": "x"}), "REQUIRED_PROPERTY_MISSING"),
        (
            "tickets",
            json!({"hs_pipeline": "none", "hs_pipeline_stage": "1"}),
            "INVALID_PIPELINE",
        ),
        ("tickets", json!({"hs_pipeline_stage": "new"}), "INVALID_PIPELINE_STAGE"),
        (
            "tickets",
            json!({"hs_pipeline_stage": "1", "hs_ticket_priority": "high"}),
            "INVALID_OPTION",
        ),
        ("deals", json!({"dealstage": "won"}), "INVALID_PIPELINE_STAGE"),
        (
            "deals",
            json!({"dealstage": "closedwon", "amount": "1.200,50"}),
            "INVALID_LONG",
        ),
        ("notes", json!({"hs_note_body": "x"}), "REQUIRED_PROPERTY_MISSING"),
    ] {
        let reply = caller.create(kind, &properties);
        assert_eq!(
            trouble(&reply),
            (400, "VALIDATION_ERROR".to_owned(), code.to_owned()),
            "{properties}"
        );
    }
    let guide = json!({"subject": "报价 - вопрос", "content": "…", "hs_pipeline": "support_pipeline", "hs_pipeline_stage": "new", "hs_ticket_priority": "HIGH"});
    caller.make("tickets", &guide);
    let ticket = caller.make("tickets", &json!({"hs_pipeline_stage": "1"}));
    assert_eq!(
        caller.get(&format!("{O}/tickets/{ticket}")).value()["properties"]["hs_pipeline"],
        "0"
    );
    assert_eq!(trouble(&caller.create("gizmos", &json!({}))).0, 400);
}

#[test]
fn a_new_object_needs_a_list_of_associations_under_the_dated_paths() {
    let mut caller = Caller::new();
    let body = json!({"properties": {"email": "a@example.org"}});
    for (target, status) in [
        ("/crm/objects/2026-09/contacts", 400),
        ("/crm/objects/2026-03/contacts", 400),
        ("/crm/v3/objects/contacts", 201),
    ] {
        assert_eq!(caller.post(target, &body).status, status, "{target}");
    }
    assert_eq!(
        caller
            .post("/crm/v3/objects/contacts", &json!({"associations": []}))
            .status,
        400
    );
    let text = Request::new(Method::POST, "/crm/v3/objects/contacts").with_body("text/plain", "{}");
    assert_eq!(caller.send(text).status, 415);
    let broken = Request::new(Method::POST, "/crm/v3/objects/contacts").with_body("application/json", "{");
    assert_eq!(caller.send(broken).status, 400);
}

#[test]
fn an_update_changes_what_it_names_and_an_empty_text_clears() {
    let mut caller = Caller::new();
    let id = caller.make(
        "contacts",
        &json!({"email": "a@example.org", "city": "Köln", "phone": "+49301234567"}),
    );
    caller.now_ms += 60_000;
    let changed = caller.patch(
        &format!("{O}/contacts/a%40example.org?idProperty=email"),
        &json!({"city": "Wien", "phone": ""}),
    );
    let properties = &changed.value()["properties"];
    assert_eq!(
        (changed.status, &properties["city"], properties.get("phone")),
        (200, &json!("Wien"), None)
    );
    assert_eq!(properties["lastmodifieddate"], "2026-11-20T10:16:30.123Z");
    assert_eq!(properties["createdate"], "2026-11-20T10:15:30.123Z");
    for (target, status) in [
        (format!("{O}/contacts/999"), 404),
        (format!("{O}/contacts/x%40example.org?idProperty=email"), 404),
        (format!("{O}/contacts/Wien?idProperty=city"), 400),
        (format!("{O}/companies/{id}"), 404),
    ] {
        assert_eq!(caller.patch(&target, &json!({"city": "X"})).status, status, "{target}");
    }
}

#[test]
fn an_archived_object_is_found_only_among_the_archived() {
    let mut caller = Caller::new();
    let id = caller.make("companies", &json!({"name": "客户"}));
    let path = format!("{O}/companies/{id}");
    assert_eq!(caller.delete(&path).status, 204);
    assert_eq!(caller.delete(&path).status, 204);
    assert_eq!(trouble(&caller.get(&path)).1, "OBJECT_NOT_FOUND");
    assert_eq!(caller.patch(&path, &json!({"name": "X"})).status, 404);
    let archived = caller.get(&format!("{path}?archived=true")).value();
    assert_eq!(
        (&archived["archived"], archived["archivedAt"].is_string()),
        (&json!(true), true)
    );
    assert_eq!(caller.portal.counts()["companies"], 0);
}

#[test]
fn a_list_goes_on_after_its_cursor() {
    let mut caller = Caller::new();
    let ids: Vec<String> = (0..25)
        .map(|_| caller.make("companies", &json!({"name": "C"})))
        .collect();
    let mut found = Vec::new();
    let mut target = format!("{O}/companies?limit=10");
    loop {
        let page = caller.get(&target).value();
        found.extend(
            page["results"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["id"].as_str().unwrap().to_owned()),
        );
        let Some(after) = page["paging"]["next"]["after"].as_str() else {
            break;
        };
        target = format!("{O}/companies?limit=10&after={after}");
    }
    assert_eq!(found, ids);
}

#[test]
fn unique_properties_are_made_once_and_keep_their_promise() {
    let mut caller = Caller::new();
    let path = "/crm/properties/2026-09/tickets";
    assert_eq!(caller.get(&format!("{path}/hub_external_id")).status, 404);
    caller.unique_property("tickets", "hub_external_id");
    let made = caller.get(&format!("{path}/hub_external_id")).value();
    assert_eq!(
        (&made["hasUniqueValue"], &made["type"]),
        (&json!(true), &json!("string"))
    );
    let again =
        json!({"name": "hub_external_id", "label": "x", "groupName": "g", "type": "string", "fieldType": "text"});
    assert_eq!(caller.post(path, &again).status, 409);
    for bad in [
        json!({"name": "x"}),
        json!({"name": "Имя", "label": "x", "groupName": "g", "type": "string", "fieldType": "text"}),
        json!({"name": "x", "label": "x", "groupName": "g", "type": "number", "fieldType": "text"}),
    ] {
        assert_eq!(caller.post(path, &bad).status, 400, "{bad}");
    }
    let first = json!({"hs_pipeline_stage": "1", "hub_external_id": "K-1"});
    caller.make("tickets", &first);
    let reply = caller.create("tickets", &json!({"hs_pipeline_stage": "1", "hub_external_id": "k-1"}));
    assert_eq!(trouble(&reply).2, "CONFLICTING_UNIQUE_VALUE");
    assert!(caller.get(path).value()["results"].as_array().unwrap().len() > 5);
}

#[test]
fn an_erased_contact_is_gone() {
    let mut caller = Caller::new();
    caller.make("contacts", &json!({"email": "a@example.org"}));
    let body = json!({"objectId": "a@example.org", "idProperty": "email"});
    for _ in 0..2 {
        assert_eq!(caller.post(&format!("{O}/contacts/gdpr-delete"), &body).status, 204);
    }
    assert_eq!(caller.portal.counts()["contacts"], 0);
}
