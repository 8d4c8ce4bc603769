//! Answers to several records at once: what they mean for each.

use serde_json::{Value, json};
use switchboard_connect::{
    call::Answer,
    connector::{Account, BulkAnswer, Call, Doubt, Known},
    manifest::OperationKind as Op,
};
use switchboard_model::outcome::Outcome;

use super::hub::{account, account_with, answer, call_of, connector, prepared};

struct Vendor {
    slug: &'static str,
    object: &'static str,
    account: Account,
    /// Three records, with the keys a, b and c and the ids 1, 2 and 3.
    calls: Vec<Call>,
}

impl Vendor {
    fn new(slug: &'static str, object: &'static str, record: impl Fn(&str) -> Value) -> Self {
        let call = |(key, id): (&str, &str)| call_of(key, record(key), Known::new(Some(id.into()), Doubt::No));
        Self {
            slug,
            object,
            account: account(slug, prepared(slug)),
            calls: [("a", "1"), ("b", "2"), ("c", "3")].map(call).into(),
        }
    }

    fn read(&self, kind: Op, answer: &Answer) -> BulkAnswer {
        let calls: Vec<_> = self.calls.iter().collect();
        connector(self.slug).read_bulk(self.object, kind, &self.account, &calls, answer)
    }

    fn check(&self, kind: Op, status: u16, body: &Value, expected: [&str; 3]) {
        match self.read(kind, &answer(status, body.clone())) {
            BulkAnswer::Each(outcomes) => {
                let outcomes: Vec<_> = outcomes.iter().map(brief).collect();
                assert_eq!(outcomes, expected, "{kind} {body}");
            }
            whole => panic!("{whole:?} {kind} {body}"),
        }
    }

    fn check_whole(&self, kind: Op, status: u16, body: &Value, expected: &str) {
        match self.read(kind, &answer(status, body.clone())) {
            BulkAnswer::Whole(outcome) => assert_eq!(outcome.name(), expected, "{kind} {body}"),
            each => panic!("{each:?} {kind} {body}"),
        }
    }
}

fn brief(outcome: &Outcome) -> String {
    let said = match outcome {
        Outcome::Delivered { external_id, created } => {
            let created = created.map(|created| if created { " new" } else { " old" });
            format!(
                "{}{}",
                external_id.as_deref().unwrap_or_default(),
                created.unwrap_or_default()
            )
        }
        Outcome::Duplicate { existing } => existing.clone().unwrap_or_else(|| "?".into()),
        Outcome::Throttled { after_ms, .. } => after_ms.map(|ms| ms.to_string()).unwrap_or_default(),
        Outcome::Rejected { fields, .. } => {
            let names: Vec<_> = fields.iter().map(|field| field.field.as_str()).collect();
            names.join(",")
        }
        _ => String::new(),
    };
    format!("{} {said}", outcome.name()).trim().to_owned()
}

fn salesforce() -> Vendor {
    Vendor::new(
        "salesforce",
        "lead",
        |key| json!({"LastName": "A", "Company": "X", "Email": format!("{key}@example.org")}),
    )
}

fn hubspot() -> Vendor {
    Vendor::new(
        "hubspot",
        "contact",
        |key| json!({"email": format!("{key}@example.org")}),
    )
}

fn webhook() -> Vendor {
    Vendor {
        account: account_with("webhook", json!({"batch": 50}), json!({})),
        ..Vendor::new("webhook", "event", |_| json!({"event": "x"}))
    }
}

fn row(code: &str) -> Value {
    json!({"success": false, "errors": [{"statusCode": code, "message": "…", "fields": ["LastName"]}]})
}

fn done(id: &str, created: bool) -> Value {
    json!({"id": id, "success": true, "errors": [], "created": created})
}

#[test]
fn salesforce_rows_are_read_in_their_order() {
    let vendor = salesforce();
    let double = json!({"success": false, "errors": [{
        "statusCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", "fields": [],
        "duplicateResult": {"matchResults": [{"matchRecords": [{"record": {"Id": "00Q5g00000ABCDEEA9"}}]}]},
    }]});
    for (kind, rows, expected) in [
        (
            Op::Upsert,
            json!([done("00Q1", true), row("REQUIRED_FIELD_MISSING"), done("00Q2", false)]),
            ["delivered 00Q1 new", "rejected LastName", "delivered 00Q2 old"],
        ),
        (
            Op::Upsert,
            json!([double, row("UNABLE_TO_LOCK_ROW"), row("REQUEST_LIMIT_EXCEEDED")]),
            ["duplicate 00Q5g00000ABCDEEA9", "retry", "throttled 60000"],
        ),
        (
            Op::Create,
            json!([
                row("ALL_OR_NONE_OPERATION_ROLLED_BACK"),
                row("PROCESSING_HALTED"),
                row("STRING_TOO_LONG")
            ]),
            ["retry", "retry", "rejected LastName"],
        ),
        (
            Op::Update,
            json!([
                row("ENTITY_IS_DELETED"),
                row("INVALID_CROSS_REFERENCE_KEY"),
                done("00Q3", false)
            ]),
            ["missing", "missing", "delivered"],
        ),
        (
            Op::Delete,
            json!([row("ENTITY_IS_DELETED"), done("2", false), row("DELETE_FAILED")]),
            ["missing", "delivered", "rejected LastName"],
        ),
        // Success without an id, a row without a word, an id of another object: nothing is proven.
        (
            Op::Upsert,
            json!([{"success": true, "errors": []}, {"success": false, "errors": []}, done("003X", true)]),
            ["unknown", "unknown", "unknown"],
        ),
    ] {
        vendor.check(kind, 200, &rows, expected);
    }
}

#[test]
fn salesforce_answers_about_the_whole() {
    let vendor = salesforce();
    let error = |code: &str| json!([{"errorCode": code, "message": "…"}]);
    for (status, body, expected) in [
        (400, error("EXCEEDED_ID_LIMIT"), "rejected"),
        (400, error("DUPLICATE_VALUE"), "rejected"),
        (401, error("INVALID_SESSION_ID"), "reauthorise"),
        (403, error("REQUEST_LIMIT_EXCEEDED"), "throttled"),
        (503, Value::Null, "retry"),
        // As many results as records, or nobody knows which is whose.
        (200, json!([done("00Q1", true)]), "unknown"),
        (200, json!([]), "unknown"),
        (200, json!({"ok": true}), "unknown"),
    ] {
        vendor.check_whole(Op::Upsert, status, &body, expected);
    }
    let html = Answer::new(200, http::HeaderMap::new(), "<html>Maintenance</html>");
    assert!(matches!(
        vendor.read(Op::Upsert, &html),
        BulkAnswer::Whole(Outcome::Unknown { .. })
    ));
    // A creation that failed inside may have been made all the same.
    vendor.check_whole(Op::Create, 503, &Value::Null, "unknown");
}

#[test]
fn salesforce_finds_by_a_list_of_values() {
    let vendor = salesforce();
    let found = json!({"done": true, "records": [
        {"Id": "00QC", "Email": "C@Example.org"}, {"Id": "00QA", "Email": "a@example.org"}, {"Id": "00QA2", "Email": "a@example.org"},
    ]});
    vendor.check(Op::Find, 200, &found, ["delivered 00QA", "missing", "delivered 00QC"]);
    vendor.check(
        Op::Find,
        200,
        &json!({"done": true, "records": []}),
        ["missing", "missing", "missing"],
    );
    // There are more pages: that a record is not on this one proves nothing. There may be one page about fewer records.
    vendor.check_whole(Op::Find, 200, &json!({"done": false, "records": []}), "rejected");
}

fn result(trace: &str, id: &str) -> Value {
    json!({"id": id, "properties": {"email": format!("{trace}@example.org")}, "new": true, "objectWriteTraceId": trace})
}

fn error(category: &str, message: &str, context: Value) -> Value {
    json!({"status": "error", "category": category, "message": message, "context": context, "errors": [
        {"message": message, "context": {"propertyName": ["email"]}},
    ], "links": {}})
}

fn trace(trace: &str) -> Value {
    json!({ "objectWriteTraceId": [trace] })
}

fn batch(results: Value, errors: Value) -> Value {
    json!({"status": "COMPLETE", "results": results, "numErrors": 1, "errors": errors})
}

#[test]
fn hubspot_results_find_their_records_in_any_order() {
    let vendor = hubspot();
    let double = "Contact already exists. Existing ID: 251";
    for (kind, body, expected) in [
        (
            Op::Upsert,
            batch(
                json!([result("c", "13"), result("a", "11"), result("b", "12")]),
                json!([]),
            ),
            ["delivered 11 new", "delivered 12 new", "delivered 13 new"],
        ),
        (
            Op::Upsert,
            batch(
                json!([result("b", "12")]),
                json!([
                    error("CONFLICT", double, trace("c")),
                    error("VALIDATION_ERROR", "bad", trace("a"))
                ]),
            ),
            ["rejected email", "delivered 12 new", "duplicate 251"],
        ),
        (
            Op::Create,
            batch(
                json!([]),
                json!([error("RATE_LIMITS", "slow", json!({"objectWriteTraceId": ["a", "c"]}))]),
            ),
            ["throttled 10000", "unknown", "throttled 10000"],
        ),
        (
            Op::Update,
            batch(
                json!([result("a", "1")]),
                json!([error("OBJECT_NOT_FOUND", "gone", trace("b"))]),
            ),
            ["delivered", "missing", "unknown"],
        ),
        // An error that says nothing of whose it is says nothing of anybody; a category that nobody knows, too.
        (
            Op::Upsert,
            batch(
                json!([result("a", "11")]),
                json!([
                    error("VALIDATION_ERROR", "bad", json!({})),
                    error("NEW_THING", "?", trace("c"))
                ]),
            ),
            ["delivered 11 new", "unknown", "unknown"],
        ),
        // Both done and failed: nobody knows.
        (
            Op::Create,
            batch(
                json!([result("a", "11")]),
                json!([error("VALIDATION_ERROR", "bad", trace("a"))]),
            ),
            ["unknown", "unknown", "unknown"],
        ),
    ] {
        for status in [200, 207] {
            vendor.check(kind, status, &body, expected);
        }
    }
}

#[test]
fn hubspot_finds_by_several_addresses() {
    let vendor = hubspot();
    let ids = |ids: Value| json!({ "ids": ids });
    let results = json!([result("c", "13"), {"id": "11", "properties": {"email": "A@Example.org"}}]);
    for (body, expected) in [
        (
            batch(
                results.clone(),
                json!([error("OBJECT_NOT_FOUND", "…", ids(json!(["b@example.org"])))]),
            ),
            ["delivered 11", "missing", "delivered 13"],
        ),
        (
            batch(results.clone(), json!([])),
            ["delivered 11", "missing", "delivered 13"],
        ),
        // Silence beside an error that names nobody is no proof that somebody is not there.
        (
            batch(results, json!([error("RATE_LIMITS", "slow", json!({}))])),
            ["delivered 11", "unknown", "delivered 13"],
        ),
    ] {
        vendor.check(Op::Find, 207, &body, expected);
    }
}

#[test]
fn hubspot_archives_without_a_word() {
    let vendor = hubspot();
    vendor.check(Op::Delete, 204, &Value::Null, ["delivered", "delivered", "delivered"]);
    vendor.check_whole(Op::Delete, 200, &json!({}), "unknown");
}

#[test]
fn a_refusal_of_the_whole_is_nobodys_duplicate() {
    let vendor = hubspot();
    let conflict =
        json!({"status": "error", "category": "CONFLICT", "message": "Contact already exists. Existing ID: 251"});
    vendor.check_whole(Op::Upsert, 409, &conflict, "rejected");
    let alone = [&vendor.calls[0]];
    let read = connector("hubspot").read_bulk("contact", Op::Upsert, &vendor.account, &alone, &answer(409, conflict));
    let existing = Some("251".to_owned());
    assert_eq!(read, BulkAnswer::Whole(Outcome::Duplicate { existing }));
}

#[test]
fn a_webhook_answers_for_all_messages() {
    let vendor = webhook();
    vendor.check(
        Op::Create,
        200,
        &json!({"ok": true}),
        ["delivered", "delivered", "delivered"],
    );
    vendor.check(Op::Create, 204, &Value::Null, ["delivered", "delivered", "delivered"]);
    for (status, expected) in [
        (400, "rejected"),
        (429, "throttled"),
        (401, "denied"),
        (500, "retry"),
        (302, "denied"),
    ] {
        vendor.check_whole(Op::Create, status, &Value::Null, expected);
    }
}
