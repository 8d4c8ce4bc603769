use http::Method;

use super::*;

const CONTACTS: &str = "/crm/objects/2026-09/contacts";
const NOW: i64 = 1_795_512_600_000;

fn portal() -> HubSpot {
    let mut portal = HubSpot::new(&Setup::default());
    portal.configure(&json!({"tokens": ["pat-good"]})).unwrap();
    portal
}

fn call_at(portal: &mut HubSpot, method: Method, target: &str, body: &Value, now_ms: i64) -> (u16, Value) {
    let request = Request::new(method, target).with_bearer("pat-good").at(now_ms);
    let request = if body.is_null() { request } else { request.with_json(body) };
    let reply = portal.handle(&Arc::new(request));
    (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
}

fn call(portal: &mut HubSpot, method: Method, target: &str, body: &Value) -> (u16, Value) {
    call_at(portal, method, target, body, NOW)
}

fn contact(email: &str) -> Value {
    json!({"properties": {"email": email, "firstname": "Ana"}, "associations": []})
}

#[test]
fn a_second_contact_with_the_same_address_is_a_conflict_that_names_the_first() {
    let mut portal = portal();
    let (status, made) = call(&mut portal, Method::POST, CONTACTS, &contact("ana@example.org"));
    assert_eq!((status, &made["id"]), (201, &json!("251")));
    let (status, body) = call(&mut portal, Method::POST, CONTACTS, &contact("ANA@example.org"));
    assert_eq!((status, body["message"].as_str().unwrap()), (409, "Contact already exists. Existing ID: 251"));
    let (status, read) = call(&mut portal, Method::GET, &format!("{CONTACTS}/ana%40example.org?idProperty=email"), &Value::Null);
    assert_eq!((status, &read["id"]), (200, &json!("251")));
    let change = json!({"properties": {"firstname": "Анна"}});
    let (_, changed) = call(&mut portal, Method::PATCH, &format!("{CONTACTS}/251"), &change);
    assert_eq!(changed["properties"]["firstname"], "Анна");
}

#[test]
fn what_does_not_fit_is_refused_with_the_property() {
    let mut portal = portal();
    let tickets = "/crm/objects/2026-09/tickets";
    for (target, properties, code) in [
        (CONTACTS, json!({"favourite": "x"}), "PROPERTY_DOESNT_EXIST"),
        (CONTACTS, json!({"email": "nobody"}), "INVALID_EMAIL"),
        (CONTACTS, json!({"lifecyclestage": "Lead"}), "INVALID_OPTION"),
        (tickets, json!({"subject": "x"}), "REQUIRED_PROPERTY_MISSING"),
        (tickets, json!({"subject": "x", "hs_pipeline": "none", "hs_pipeline_stage": "1"}), "INVALID_PIPELINE"),
        (tickets, json!({"subject": "x", "hs_pipeline_stage": "new"}), "INVALID_PIPELINE_STAGE"),
        (tickets, json!({"subject": "x", "hs_pipeline_stage": "1", "hs_ticket_priority": "high"}), "INVALID_OPTION"),
    ] {
        let (status, body) = call(&mut portal, Method::POST, target, &json!({"properties": properties, "associations": []}));
        assert_eq!((status, &body["category"]), (400, &json!("VALIDATION_ERROR")), "{properties}");
        assert_eq!(body["errors"][0]["code"], code, "{properties}");
    }
    assert_eq!(call(&mut portal, Method::POST, CONTACTS, &json!({"properties": {}})).0, 400, "associations are required");
    let guide = json!({"properties": {"subject": "x", "hs_pipeline": "support_pipeline", "hs_pipeline_stage": "new", "hs_ticket_priority": "HIGH"}, "associations": []});
    assert_eq!(call(&mut portal, Method::POST, tickets, &guide).0, 201);
}

#[test]
fn an_upsert_by_a_unique_property_makes_one_record_however_often_it_comes() {
    let mut portal = portal();
    let property = json!({"name": "hub_external_id", "label": "Hub id", "groupName": "ticketinformation", "type": "string", "fieldType": "text", "hasUniqueValue": true});
    assert_eq!(call(&mut portal, Method::GET, "/crm/properties/2026-09/tickets/hub_external_id", &Value::Null).0, 404);
    assert_eq!(call(&mut portal, Method::POST, "/crm/properties/2026-09/tickets", &property).0, 201);
    assert_eq!(call(&mut portal, Method::POST, "/crm/properties/2026-09/tickets", &property).0, 409);
    let input = json!({"inputs": [{"id": "k-1", "idProperty": "hub_external_id", "properties": {"subject": "x", "hs_pipeline_stage": "1"}}]});
    let target = "/crm/objects/2026-09/tickets/batch/upsert";
    let (status, first) = call(&mut portal, Method::POST, target, &input);
    assert_eq!((status, &first["results"][0]["new"]), (200, &json!(true)));
    let (_, second) = call(&mut portal, Method::POST, target, &input);
    assert_eq!(second["results"][0]["new"], false);
    assert_eq!(second["results"][0]["id"], first["results"][0]["id"]);
    assert_eq!(portal.counts()["tickets"], 1);
}

#[test]
fn one_bad_row_fails_the_batch_unless_every_row_has_a_trace() {
    let mut portal = portal();
    let target = format!("{CONTACTS}/batch/create");
    let input = |trace: bool| {
        let row = |email: &str, id: &str| {
            let mut row = json!({"properties": {"email": email}, "associations": []});
            if trace {
                row["objectWriteTraceId"] = id.into();
            }
            row
        };
        json!({"inputs": [row("a@example.org", "t1"), row("bad", "t2")]})
    };
    assert_eq!(call(&mut portal, Method::POST, &target, &input(false)).0, 400);
    let mut portal = self::portal();
    let (status, body) = call(&mut portal, Method::POST, &target, &input(true));
    assert_eq!((status, &body["numErrors"]), (207, &json!(1)));
    assert_eq!(body["errors"][0]["context"]["objectWriteTraceId"], json!(["t2"]));
    assert_eq!(body["results"].as_array().unwrap().len(), 1);
}

#[test]
fn a_search_does_not_see_a_new_record_for_some_seconds() {
    let mut portal = portal();
    call(&mut portal, Method::POST, CONTACTS, &contact("ana@example.org"));
    let search = json!({"filterGroups": [{"filters": [{"propertyName": "email", "operator": "EQ", "value": "ana@example.org"}]}], "limit": 2});
    let target = format!("{CONTACTS}/search");
    assert_eq!(call_at(&mut portal, Method::POST, &target, &search, NOW + 1_000).1["total"], 0);
    assert_eq!(call_at(&mut portal, Method::POST, &target, &search, NOW + 3_000).1["total"], 1);
}

#[test]
fn limits_are_shown_and_kept() {
    let mut portal = portal();
    portal.configure(&json!({"calls_per_ten_seconds": 2})).unwrap();
    let get = || Arc::new(Request::new(Method::GET, CONTACTS).with_bearer("pat-good").at(NOW));
    assert_eq!(portal.handle(&get()).header("x-hubspot-ratelimit-remaining"), Some("1"));
    assert_eq!(portal.handle(&get()).status, 200);
    let reply = portal.handle(&get());
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!((reply.status, &body["policyName"]), (429, &json!("TEN_SECONDLY_ROLLING")));
    let target = format!("{CONTACTS}/search");
    for expected in [200, 200, 200, 200, 200, 429] {
        assert_eq!(call(&mut portal, Method::POST, &target, &json!({})).0, expected);
    }
}

#[test]
fn access_tokens_live_for_half_an_hour_and_keys_for_ever() {
    let mut portal = portal();
    portal.configure(&json!({"clients": [["app", "hush"]]})).unwrap();
    portal.auth.tokens.issue_refresh("r-1", "app");
    let form = [("grant_type", "refresh_token"), ("client_id", "app"), ("client_secret", "hush"), ("refresh_token", "r-1")];
    let reply = portal.handle(&Arc::new(Request::new(Method::POST, "/oauth/2026-03/token").with_form(&form).at(NOW)));
    let granted: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(granted["expires_in"], 1800);
    let access = granted["access_token"].as_str().unwrap();
    let get = |now| Arc::new(Request::new(Method::GET, CONTACTS).with_bearer(access).at(now));
    assert_eq!(portal.handle(&get(NOW + 1_799_000)).status, 200);
    let late = portal.handle(&get(NOW + 1_800_000));
    let body: Value = serde_json::from_slice(&late.body).unwrap();
    assert_eq!((late.status, &body["category"]), (401, &json!("EXPIRED_AUTHENTICATION")));
    assert_eq!(call_at(&mut portal, Method::GET, CONTACTS, &Value::Null, i64::MAX / 2).0, 200);
    portal.revoke_tokens();
    assert_eq!(call(&mut portal, Method::GET, CONTACTS, &Value::Null).0, 401);
}
