//! What answers mean: the errors of the fact sheets, and answers that prove nothing.

use serde_json::{Value, json};
use switchboard_connect::{
    call::Answer,
    connector::{Doubt, Known},
    manifest::OperationKind as Op,
};
use switchboard_model::outcome::Outcome;

use super::hub::{account, answer, call, connector, prepared, with_header};

struct Vendor {
    slug: &'static str,
    object: &'static str,
    record: Value,
}

impl Vendor {
    fn read(&self, kind: Op, answer: &Answer) -> Outcome {
        let (connector, account) = (connector(self.slug), account(self.slug, prepared(self.slug)));
        let known = Known::new(Some("251".into()), Doubt::No);
        connector.read(self.object, kind, &account, &call(self.record.clone(), known), answer)
    }

    /// `expected` is the outcome's name, and what it says: an id, a wait in milliseconds, a word of the message.
    fn check(&self, kind: Op, status: u16, body: &Value, expected: &str) {
        let outcome = self.read(kind, &answer(status, body.clone()));
        assert_eq!(brief(&outcome), expected, "{} {kind} {status} {body}", self.slug);
    }
}

fn brief(outcome: &Outcome) -> String {
    let said = match outcome {
        Outcome::Delivered { external_id, created } => {
            let created = created
                .map(|created| if created { " new" } else { " old" })
                .unwrap_or_default();
            format!("{}{created}", external_id.clone().unwrap_or_default())
        }
        Outcome::Duplicate { existing } => existing.clone().unwrap_or_else(|| "?".into()),
        Outcome::Throttled { after_ms, .. } | Outcome::Retry { after_ms, .. } => {
            after_ms.map(|ms| ms.to_string()).unwrap_or_default()
        }
        Outcome::Rejected { fields, .. } => fields
            .iter()
            .map(|field| field.field.as_str())
            .collect::<Vec<_>>()
            .join(","),
        _ => String::new(),
    };
    format!("{} {said}", outcome.name()).trim().to_owned()
}

fn salesforce() -> Vendor {
    Vendor {
        slug: "salesforce",
        object: "lead",
        record: json!({"LastName": "A", "Company": "X", "Email": "ana@example.org"}),
    }
}

fn hubspot() -> Vendor {
    Vendor {
        slug: "hubspot",
        object: "contact",
        record: json!({"email": "ana@example.org"}),
    }
}

fn notion() -> Vendor {
    let record = json!({"properties": {"Name": {"title": [{"text": {"content": "张三"}}]}}});
    Vendor {
        slug: "notion",
        object: "page",
        record,
    }
}

fn webhook() -> Vendor {
    Vendor {
        slug: "webhook",
        object: "event",
        record: json!({"event": "x"}),
    }
}

fn sf(code: &str) -> Value {
    json!([{"errorCode": code, "message": "…", "fields": ["LastName"]}])
}

#[test]
fn salesforce_answers_to_writes() {
    let lead = "00Q5g00000ABCDEEA4";
    for (kind, status, body, expected) in [
        (
            Op::Create,
            201,
            json!({"id": lead, "success": true, "errors": []}),
            "delivered 00Q5g00000ABCDEEA4",
        ),
        (
            Op::Upsert,
            201,
            json!({"id": lead, "success": true, "errors": [], "created": true}),
            "delivered 00Q5g00000ABCDEEA4 new",
        ),
        (
            Op::Upsert,
            200,
            json!({"id": lead, "success": true, "errors": [], "created": false}),
            "delivered 00Q5g00000ABCDEEA4 old",
        ),
        (Op::Update, 204, Value::Null, "delivered"),
        (Op::Update, 404, sf("NOT_FOUND"), "missing"),
        (Op::Update, 404, sf("ENTITY_IS_DELETED"), "missing"),
        (Op::Delete, 204, Value::Null, "delivered"),
        (Op::Delete, 404, sf("ENTITY_IS_DELETED"), "missing"),
        (Op::Delete, 503, Value::Null, "retry"),
        (Op::Delete, 200, Value::Null, "unknown"),
        (Op::Upsert, 404, sf("NOT_FOUND"), "rejected LastName"),
        (
            Op::Upsert,
            300,
            json!([
                "/services/data/v68.0/sobjects/Lead/00Q5g00000ABCDEEA4",
                "/services/data/v68.0/sobjects/Lead/00Q5g00000ABCDFEA4"
            ]),
            "duplicate 00Q5g00000ABCDEEA4",
        ),
        (Op::Create, 401, sf("INVALID_SESSION_ID"), "reauthorise"),
        (
            Op::Create,
            401,
            json!([{"errorCode": "INVALID_SESSION_ID", "message": "This session is not valid for use with the REST API"}]),
            "denied",
        ),
        (Op::Create, 403, sf("REQUEST_LIMIT_EXCEEDED"), "throttled 60000"),
        (Op::Create, 403, sf("INSUFFICIENT_ACCESS"), "rejected LastName"),
        (Op::Create, 403, sf("API_DISABLED_FOR_ORG"), "blocked"),
        (Op::Create, 400, sf("UNABLE_TO_LOCK_ROW"), "retry"),
        (Op::Create, 400, sf("REQUIRED_FIELD_MISSING"), "rejected LastName"),
        (Op::Create, 400, sf("STRING_TOO_LONG"), "rejected LastName"),
        (Op::Create, 410, sf("NOT_FOUND"), "denied"),
        (Op::Create, 503, Value::Null, "unknown"),
        (Op::Upsert, 503, Value::Null, "retry"),
        (Op::Update, 500, sf("UNKNOWN_EXCEPTION"), "retry"),
        (
            Op::Create,
            201,
            json!({"id": "003000000000001", "success": true}),
            "unknown",
        ),
        (Op::Create, 201, json!({"success": true}), "unknown"),
        (Op::Create, 200, json!({}), "unknown"),
        (Op::Create, 204, Value::Null, "unknown"),
    ] {
        salesforce().check(kind, status, &body, expected);
    }
}

#[test]
fn salesforce_duplicates_name_the_record_that_is_there() {
    let matches = |ids: &[&str]| {
        let records: Vec<_> = ids.iter().map(|id| json!({"record": {"Id": id}})).collect();
        json!([{"errorCode": "DUPLICATES_DETECTED", "message": "Use one of these records?",
            "duplicateResult": {"matchResults": [{"matchRecords": records}]}}])
    };
    let value = json!([{"errorCode": "DUPLICATE_VALUE", "fields": [],
        "message": "duplicate value found: HubExternalId__c duplicates value on record with id: 00Q5g00000ABCDE"}]);
    for (status, body, expected) in [
        (400, matches(&["00Q5g00000ABCDEEA4"]), "duplicate 00Q5g00000ABCDEEA4"),
        (300, matches(&["00Q5g00000ABCDEEA4"]), "duplicate 00Q5g00000ABCDEEA4"),
        // A contact is in the way of a lead: there is no lead to update.
        (400, matches(&["0035g00000ABCDEEA4"]), "duplicate ?"),
        (
            400,
            matches(&["0035g00000ABCDEEA4", "00Q5g00000ABCDEEA4"]),
            "duplicate 00Q5g00000ABCDEEA4",
        ),
        (400, value, "duplicate 00Q5g00000ABCDE"),
    ] {
        salesforce().check(Op::Create, status, &body, expected);
    }
}

#[test]
fn salesforce_finds_and_probes() {
    let found = |records: Value| json!({"totalSize": 1, "done": true, "records": records});
    let ours = json!({"Id": "00Q5g00000ABCDEEA4", "LastName": "A", "Company": "X", "Email": "ana@example.org"});
    let other = json!({"Id": "00Q5g00000ZZZZZEA4", "LastName": "A", "Company": "Y", "Email": "ana@example.org"});
    for (kind, body, expected) in [
        (
            Op::Find,
            found(json!([{"Id": "00Q5g00000ABCDEEA4"}])),
            "delivered 00Q5g00000ABCDEEA4",
        ),
        (Op::Find, found(json!([])), "missing"),
        (Op::Find, json!({}), "unknown"),
        (Op::Probe, found(json!([other, ours])), "delivered 00Q5g00000ABCDEEA4"),
        (Op::Probe, found(json!([other])), "missing"),
        (Op::Probe, found(json!([])), "missing"),
    ] {
        salesforce().check(kind, 200, &body, expected);
    }
}

#[test]
fn a_probe_that_compares_nothing_decides_nothing() {
    let vendor = Vendor {
        record: json!({}),
        ..salesforce()
    };
    let body = json!({"records": [{"Id": "00Q5g00000ABCDEEA4"}]});
    vendor.check(Op::Probe, 200, &body, "unknown");
}

fn hs(category: &str, message: &str) -> Value {
    json!({"status": "error", "category": category, "message": message, "correlationId": "aeb5f871"})
}

fn hs_row(category: &str, message: &str) -> Value {
    let context = json!({"propertyName": ["email"]});
    let errors = json!([{"status": "error", "category": category, "message": message, "context": context}]);
    json!({"status": "COMPLETE", "results": [], "numErrors": 1, "errors": errors})
}

#[test]
fn hubspot_answers_to_writes() {
    let record = json!({"id": "251", "properties": {"email": "ana@example.org"}, "archived": false});
    let upserted = json!({"status": "COMPLETE", "results": [{"id": "251", "new": true, "properties": {}}]});
    let taken = "Contact already exists. Existing ID: 251";
    for (kind, status, body, expected) in [
        (Op::Create, 201, record.clone(), "delivered 251"),
        (Op::Update, 200, record, "delivered"),
        (Op::Upsert, 200, upserted.clone(), "delivered 251 new"),
        (Op::Upsert, 201, upserted, "delivered 251 new"),
        (Op::Upsert, 207, hs_row("CONFLICT", taken), "duplicate 251"),
        (Op::Delete, 204, Value::Null, "delivered"),
        (Op::Delete, 404, Value::Null, "missing"),
        (
            Op::Upsert,
            207,
            hs_row("VALIDATION_ERROR", "Property \"x\" does not exist"),
            "rejected email",
        ),
        (
            Op::Upsert,
            200,
            hs_row("VALIDATION_ERROR", "12 already has that value."),
            "duplicate 12",
        ),
        (Op::Upsert, 207, hs_row("SOMETHING_NEW", "?"), "unknown"),
        (Op::Upsert, 200, json!({"status": "COMPLETE", "results": []}), "unknown"),
        (Op::Create, 409, hs("CONFLICT", taken), "duplicate 251"),
        (Op::Upsert, 409, hs("CONFLICT", taken), "duplicate 251"),
        (
            Op::Create,
            409,
            hs("CONFLICT", "Contact already exists."),
            "duplicate ?",
        ),
        (Op::Update, 404, hs("OBJECT_NOT_FOUND", "…"), "missing"),
        (
            Op::Create,
            400,
            hs("VALIDATION_ERROR", "Property values were not valid"),
            "rejected",
        ),
        (Op::Create, 401, hs("INVALID_AUTHENTICATION", "…"), "denied"),
        (Op::Create, 403, hs("MISSING_SCOPES", "…"), "denied"),
        (Op::Create, 423, hs("LOCKED", "…"), "retry 2000"),
        (Op::Create, 502, Value::Null, "unknown"),
        (Op::Upsert, 502, Value::Null, "retry"),
        (Op::Upsert, 523, Value::Null, "retry"),
        (Op::Create, 200, json!({"id": "251", "properties": {}}), "unknown"),
    ] {
        hubspot().check(kind, status, &body, expected);
    }
}

#[test]
fn hubspot_throttling_waits_as_long_as_its_policy_needs() {
    let limit =
        |policy: &str| json!({"status": "error", "message": "…", "errorType": "RATE_LIMIT", "policyName": policy});
    for (policy, expected) in [
        ("TEN_SECONDLY_ROLLING", "throttled 10000"),
        ("SECONDLY", "throttled 1000"),
        ("DAILY", "throttled 3600000"),
    ] {
        hubspot().check(Op::Create, 429, &limit(policy), expected);
    }
    let told = with_header(answer(429, limit("TEN_SECONDLY_ROLLING")), "retry-after", "3");
    assert_eq!(brief(&hubspot().read(Op::Create, &told)), "throttled 3000");
}

#[test]
fn hubspot_finds_people_by_mail_directly_and_by_phone_through_search() {
    hubspot().check(Op::Find, 200, &json!({"id": "251", "properties": {}}), "delivered 251");
    hubspot().check(Op::Find, 404, &hs("OBJECT_NOT_FOUND", "…"), "missing");
    let by_phone = Vendor {
        record: json!({"phone": "+49301234567"}),
        ..hubspot()
    };
    by_phone.check(
        Op::Find,
        200,
        &json!({"total": 1, "results": [{"id": "251"}]}),
        "delivered 251",
    );
    by_phone.check(Op::Find, 200, &json!({"total": 0, "results": []}), "missing");
    by_phone.check(Op::Find, 404, &hs("OBJECT_NOT_FOUND", "…"), "rejected");
}

fn nt(status: u16, code: &str) -> Value {
    json!({"object": "error", "status": status, "code": code, "message": "…"})
}

#[test]
fn notion_answers() {
    let id = "9a8b7c6d-1111-4222-8333-444455556666";
    let page = json!({"object": "page", "id": id, "properties": {}});
    let list = |results: Value| json!({"object": "list", "results": results, "has_more": false});
    for (kind, status, body, expected) in [
        (
            Op::Create,
            200,
            page.clone(),
            "delivered 9a8b7c6d-1111-4222-8333-444455556666",
        ),
        (Op::Create, 200, json!({"object": "list"}), "unknown"),
        (Op::Create, 400, nt(400, "validation_error"), "rejected"),
        (
            Op::Create,
            400,
            json!({"code": "validation_error", "message": "Unsaved transactions"}),
            "unknown",
        ),
        (Op::Create, 401, nt(401, "unauthorized"), "denied"),
        (Op::Create, 403, nt(403, "restricted_resource"), "denied"),
        (Op::Create, 404, nt(404, "object_not_found"), "denied"),
        (Op::Create, 409, nt(409, "conflict_error"), "retry 1000"),
        (Op::Create, 429, nt(429, "rate_limited"), "throttled 10000"),
        (Op::Create, 529, nt(529, "service_overload"), "throttled 10000"),
        (Op::Create, 504, nt(504, "gateway_timeout"), "unknown"),
        (Op::Create, 500, nt(500, "internal_server_error"), "unknown"),
        (Op::Create, 404, Value::Null, "unknown"),
        (Op::Probe, 504, nt(504, "gateway_timeout"), "retry"),
        (
            Op::Probe,
            200,
            list(json!([page])),
            "delivered 9a8b7c6d-1111-4222-8333-444455556666",
        ),
        (Op::Probe, 200, list(json!([])), "missing"),
    ] {
        notion().check(kind, status, &body, expected);
    }
}

#[test]
fn a_page_of_notion_rows_that_is_not_the_last_does_not_prove_absence() {
    let connector = connector("notion");
    let account = account(
        "notion",
        json!({"dataSourceId": "1a2b3c4d-0000-4000-8000-000000000001"}),
    );
    let candidate = |name: &str| {
        json!({"id": "9a8b7c6d-1111-4222-8333-444455556666",
        "properties": {"Name": {"title": [{"text": {"content": name}}]}}})
    };
    for (results, more, expected) in [
        (
            json!([candidate("李四"), candidate("张三")]),
            false,
            "delivered 9a8b7c6d-1111-4222-8333-444455556666",
        ),
        (json!([candidate("李四")]), false, "missing"),
        (json!([candidate("李四")]), true, "unknown"),
    ] {
        let body = json!({"results": results, "has_more": more});
        let call = call(notion().record, Known::default());
        let outcome = connector.read("page", Op::Probe, &account, &call, &answer(200, body));
        assert_eq!(brief(&outcome), expected);
    }
}

#[test]
fn webhook_answers() {
    for (status, expected) in [
        (200, "delivered"),
        (204, "delivered"),
        (301, "denied"),
        (400, "rejected"),
        (401, "denied"),
        (404, "denied"),
        (408, "retry"),
        (410, "gone"),
        (422, "rejected"),
        (429, "throttled 10000"),
        (500, "retry"),
        (503, "throttled 10000"),
    ] {
        webhook().check(Op::Create, status, &json!({"message": "…"}), expected);
    }
}

#[test]
fn a_retry_after_date_is_taken_from_the_servers_own_clock() {
    let late = with_header(answer(429, Value::Null), "date", "Fri, 20 Nov 2026 10:15:00 GMT");
    let late = with_header(late, "retry-after", "Fri, 20 Nov 2026 10:16:30 GMT");
    assert_eq!(brief(&webhook().read(Op::Create, &late)), "throttled 90000");
}

#[test]
fn a_refusal_says_what_the_vendor_said_and_what_to_do() {
    let outcome = notion().read(Op::Create, &answer(404, nt(404, "object_not_found")));
    let Outcome::Denied { message } = outcome else {
        panic!("{outcome:?}")
    };
    assert!(message.starts_with("… – Add the integration"), "{message}");
    let refused = json!([{"errorCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [LastName]", "fields": ["LastName"]}]);
    let outcome = salesforce().read(Op::Create, &answer(400, refused));
    let Outcome::Rejected { message, fields } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(message, "Required fields are missing: [LastName]");
    assert_eq!(
        (fields[0].field.as_str(), fields[0].message.as_str()),
        ("LastName", message.as_str())
    );
}

#[test]
fn an_html_page_proves_nothing() {
    for status in [200, 201, 400, 403, 404] {
        let page = Answer::new(status, http::HeaderMap::new(), "<html>维护中</html>");
        for vendor in [salesforce(), notion()] {
            let outcome = vendor.read(Op::Create, &page);
            let refused = vendor.slug == "notion" && status == 403;
            assert_eq!(
                outcome.name(),
                if refused { "denied" } else { "unknown" },
                "{} {status}",
                vendor.slug
            );
        }
    }
}

#[test]
fn what_an_answer_says_about_the_limits_is_read() {
    let (salesforce, hubspot) = (connector("salesforce"), connector("hubspot"));
    let used = with_header(answer(200, json!({})), "sforce-limit-info", "api-usage=44/15000");
    let seen = salesforce.observe(&account("salesforce", json!({})), &used);
    assert_eq!(
        (seen[0].bucket.as_str(), seen[0].remaining, seen[0].amount),
        ("day", Some(14_956), Some(15_000))
    );
    let left = with_header(answer(200, json!({})), "x-hubspot-ratelimit-remaining", "12");
    let seen = hubspot.observe(&account("hubspot", json!({})), &left);
    assert_eq!((seen[0].bucket.as_str(), seen[0].remaining), ("burst", Some(12)));
}
