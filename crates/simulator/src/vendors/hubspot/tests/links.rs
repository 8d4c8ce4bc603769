//! Associations.

use super::*;

fn linked(caller: &mut Caller, kind: &str, id: &str, other: &str) -> Vec<String> {
    let shown = caller.get(&format!("{O}/{kind}/{id}?associations={other}")).value();
    let list = shown["associations"][other]["results"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    list.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_default_association_needs_no_id_of_a_kind_and_holds_both_ways() {
    let mut caller = Caller::new();
    let contact = caller.make("contacts", &json!({"email": "a@example.org"}));
    let company = caller.make("companies", &json!({"name": "客户"}));
    let path = format!("{O}/contacts/{contact}/associations/default/companies/{company}");
    let reply = caller.send(Request::new(Method::PUT, &path));
    let body = reply.value();
    assert_eq!((reply.status, &body["status"]), (200, &json!("COMPLETE")));
    assert_eq!(body["results"][0]["associationSpec"]["associationTypeId"], 1);
    assert_eq!(body["results"][1]["associationSpec"]["associationTypeId"], 2);
    assert_eq!(
        linked(&mut caller, "contacts", &contact, "companies"),
        [company.as_str()]
    );
    assert_eq!(
        linked(&mut caller, "companies", &company, "contacts"),
        [contact.as_str()]
    );
    let gone = caller.delete(&format!("{O}/contacts/{contact}/associations/companies/{company}"));
    assert_eq!(gone.status, 204);
    assert!(linked(&mut caller, "companies", &company, "contacts").is_empty());
    for (path, status) in [
        (
            format!("{O}/contacts/{contact}/associations/default/companies/999"),
            404,
        ),
        (format!("{O}/contacts/{contact}/associations/default/gizmos/1"), 400),
    ] {
        assert_eq!(caller.send(Request::new(Method::PUT, &path)).status, status, "{path}");
    }
}

#[test]
fn a_new_object_can_be_born_with_associations() {
    let mut caller = Caller::new();
    let contact = caller.make("contacts", &json!({"email": "a@example.org"}));
    let with = |to: &str, kind: u64| {
        json!({"properties": {"hs_note_body": "<p>Привет</p>", "hs_timestamp": "1795169730123"},
            "associations": [{"to": {"id": to}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind}]}]})
    };
    let target = format!("{O}/notes");
    let note = caller.post(&target, &with(&contact, 202));
    assert_eq!(note.status, 201);
    let note = note.value()["id"].as_str().unwrap().to_owned();
    assert_eq!(linked(&mut caller, "notes", &note, "contacts"), [contact.as_str()]);
    assert_eq!(linked(&mut caller, "contacts", &contact, "notes"), [note]);
    for (body, status) in [
        (with("999", 202), 404),
        (with(&contact, 9_999), 400),
        (with("x", 202), 400),
    ] {
        assert_eq!(caller.post(&target, &body).status, status, "{body}");
    }
    assert_eq!(caller.portal.counts()["notes"], 1);
    let lead = json!({"hs_lead_name": "Анна"});
    assert_eq!(caller.create("leads", &lead).status, 400);
    let body =
        json!({"properties": lead, "associations": [{"to": {"id": contact}, "types": [{"associationTypeId": 578}]}]});
    assert_eq!(caller.post(&format!("{O}/leads"), &body).status, 201);
}

#[test]
fn labelled_and_batched_associations_need_the_right_kind() {
    let mut caller = Caller::new();
    let contact = caller.make("contacts", &json!({"email": "a@example.org"}));
    let ticket = caller.make("tickets", &json!({"hs_pipeline_stage": "1"}));
    let kinds = |id: u64| json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": id}]);
    let path = format!("{O}/tickets/{ticket}/associations/contacts/{contact}");
    for (kind, status) in [(16, 201), (15, 400)] {
        let request = Request::new(Method::PUT, &path).with_json(&kinds(kind));
        assert_eq!(caller.send(request).status, status, "{kind}");
    }
    assert_eq!(linked(&mut caller, "contacts", &contact, "tickets"), [ticket.as_str()]);
    let pair = json!({"inputs": [{"from": {"id": ticket}, "to": {"id": contact}, "types": kinds(16)}]});
    let batch = "/crm/associations/2026-09/tickets/contacts/batch";
    assert_eq!(caller.post(&format!("{batch}/create"), &pair).status, 201);
    assert_eq!(caller.post(&format!("{batch}/associate/default"), &pair).status, 200);
    let archive = json!({"inputs": [{"from": {"id": ticket}, "to": [{"id": contact}]}]});
    assert_eq!(caller.post(&format!("{batch}/archive"), &archive).status, 204);
    assert!(linked(&mut caller, "tickets", &ticket, "contacts").is_empty());
    assert_eq!(caller.post(&format!("{batch}/merge"), &archive).status, 404);
}
