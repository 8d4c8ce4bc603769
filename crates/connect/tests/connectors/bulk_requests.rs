//! Several records in one request: what is sent, and how much of it.

use serde_json::{Value, json};
use switchboard_connect::{
    call::HttpRequest,
    connector::{Account, Bulk, Call, Doubt, Known},
    manifest::OperationKind as Op,
};
use switchboard_model::problem::Code;

use super::hub::{account, account_with, call_of, connector, prepared, shown};

/// Calls about these records, with the keys k-0, k-1, …, and for changes and removals the ids 250, 251, ….
fn calls(slug: &str, object: &str, kind: Op, records: &[Value]) -> Vec<Call> {
    let connector = connector(slug);
    let call = |(at, mapped): (usize, &Value)| {
        let record = connector.shape(object, mapped.clone()).unwrap();
        let id = matches!(kind, Op::Update | Op::Delete).then(|| (250 + at).to_string());
        call_of(&format!("k-{at}"), record, Known::new(id, Doubt::No))
    };
    records.iter().enumerate().map(call).collect()
}

fn references(calls: &[Call]) -> Vec<&Call> {
    calls.iter().collect()
}

fn build(slug: &str, object: &str, kind: Op, account: &Account, calls: &[Call]) -> (HttpRequest, usize) {
    let built = connector(slug).build_bulk(object, kind, account, &references(calls));
    let built = built.unwrap_or_else(|problem| panic!("{object} {kind}: {problem:?}"));
    let taken = built.taken();
    (built.request, taken)
}

/// Every request about these records together.
fn all_requests(slug: &str, account: &Account, object: &str, records: &[Value]) -> String {
    let mut text = String::new();
    for kind in Op::ALL {
        let calls = calls(slug, object, kind, records);
        let Some(bulk) = connector(slug).bulk(object, kind, account, &calls[0]) else {
            continue;
        };
        let (request, taken) = build(slug, object, kind, account, &calls);
        let most = bulk.most_items;
        text.push_str(&format!(
            "## {object}: {kind}, {taken} of at most {most}\n{}\n",
            shown(&request)
        ));
    }
    text
}

fn people() -> [Value; 3] {
    [
        json!({"firstName": "Ana", "lastName": "O'Petrova", "company": "Example GmbH", "email": "ana@example.org"}),
        json!({"lastName": "王", "company": "示例", "email": "wang@example.org", "phone": "+8613800138000"}),
        json!({"lastName": "Nguyễn", "company": "X", "email": "o'brien\\@example.org"}),
    ]
}

#[test]
fn salesforce_takes_rows() {
    let account = account("salesforce", prepared("salesforce"));
    insta::assert_snapshot!(all_requests("salesforce", &account, "lead", &people()));
}

#[test]
fn salesforce_takes_rows_without_an_external_id_field() {
    let account = account("salesforce", json!({}));
    insta::assert_snapshot!(all_requests("salesforce", &account, "contact", &people()));
}

#[test]
fn hubspot_takes_inputs() {
    let records = [
        json!({"firstname": "Ana", "email": "ana@example.org", "score": 7}),
        json!({"firstname": "王", "email": "wang@example.org"}),
    ];
    let account = account("hubspot", prepared("hubspot"));
    insta::assert_snapshot!(all_requests("hubspot", &account, "contact", &records));
}

#[test]
fn hubspot_takes_inputs_without_a_unique_property() {
    let account = account("hubspot", json!({}));
    let records = [json!({"subject": "Router offline"}), json!({"subject": "Печать"})];
    insta::assert_snapshot!(all_requests("hubspot", &account, "ticket", &records));
}

#[test]
fn dynamics_takes_the_requests_themselves() {
    let records = [
        json!({"lastname": "O'Petrova", "emailaddress1": "ana@example.org"}),
        json!({"lastname": "王", "telephone1": "+12025550117"}),
    ];
    let account = account("dynamics365", prepared("dynamics365"));
    insta::assert_snapshot!(all_requests("dynamics365", &account, "lead", &records));
}

#[test]
fn dynamics_takes_the_requests_themselves_without_an_alternate_key() {
    let records = [json!({"subject": "Router"}), json!({"subject": "Печать"})];
    let account = account("dynamics365", json!({}));
    insta::assert_snapshot!(all_requests("dynamics365", &account, "task", &records));
}

fn messages(count: usize) -> Vec<Value> {
    (0..count)
        .map(|number| json!({"event": "message.received", "data": {"number": number}}))
        .collect()
}

#[test]
fn a_webhook_takes_an_array_of_messages() {
    let account = account_with("webhook", json!({"batch": 50}), json!({}));
    insta::assert_snapshot!(all_requests("webhook", &account, "event", &messages(2)));
}

#[test]
fn a_webhook_takes_single_messages_unless_somebody_wants_more() {
    let calls = calls("webhook", "event", Op::Create, &messages(1));
    let bulk = |settings: Value| {
        let account = account_with("webhook", settings, json!({}));
        connector("webhook").bulk("event", Op::Create, &account, &calls[0])
    };
    assert_eq!(bulk(json!({})), None);
    assert_eq!(bulk(json!({"batch": 1})), None);
    let expected = Bulk {
        way: 0,
        most_items: 50,
        most_bytes: 1 << 20,
    };
    assert_eq!(bulk(json!({"batch": 50})), Some(expected));
}

#[test]
fn the_parallel_calls_of_a_webhook_are_a_setting() {
    let limits = |settings: Value| connector("webhook").limits(&settings).concurrency;
    assert_eq!((limits(json!({})), limits(json!({"parallel": 64}))), (10, 64));
}

#[test]
fn the_same_messages_again_have_the_same_id_and_others_another() {
    let account = account_with("webhook", json!({"batch": 50}), json!({}));
    let calls = calls("webhook", "event", Op::Create, &messages(3));
    let id = |calls: &[Call]| {
        let (request, _) = build("webhook", "event", Op::Create, &account, calls);
        assert_eq!(request.headers["webhook-id"], request.headers["idempotency-key"]);
        request.headers["webhook-id"].to_str().unwrap().to_owned()
    };
    assert_eq!(id(&calls), id(&calls));
    assert_ne!(id(&calls), id(&calls[..2]));
    assert_ne!(id(&calls[..1]), id(&calls[1..2]));
}

#[test]
fn notion_takes_one_page_at_a_time() {
    let record = json!({"properties": {"Name": {"title": [{"text": {"content": "张三"}}]}}});
    let calls = calls("notion", "page", Op::Create, &[record]);
    let account = account("notion", prepared("notion"));
    for kind in Op::ALL {
        assert_eq!(
            connector("notion").bulk("page", kind, &account, &calls[0]),
            None,
            "{kind}"
        );
    }
    let refused = connector("notion").build_bulk("page", Op::Create, &account, &references(&calls));
    assert_eq!(refused.unwrap_err().code, Code::ObjectUnsupported);
}

#[test]
fn no_more_records_are_packed_than_the_vendor_takes() {
    let records: Vec<_> = (0..250)
        .map(|at| json!({"lastName": at.to_string(), "company": "X"}))
        .collect();
    let account = account("salesforce", prepared("salesforce"));
    let calls = calls("salesforce", "lead", Op::Upsert, &records);
    let (request, taken) = build("salesforce", "lead", Op::Upsert, &account, &calls);
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!((taken, body["records"].as_array().unwrap().len()), (200, 200));
    assert_eq!(build("salesforce", "lead", Op::Upsert, &account, &calls[200..]).1, 50);
}

#[test]
fn a_body_is_filled_up_to_its_limit_and_not_beyond() {
    // 100 messages of about 100 KB; 1 MiB is allowed.
    let records: Vec<_> = (0..100)
        .map(|at| json!({"event": "x", "data": format!("{at}{}", "\"é".repeat(25_000))}))
        .collect();
    let account = account_with("webhook", json!({"batch": 1000}), json!({}));
    let calls = calls("webhook", "event", Op::Create, &records);
    let (request, taken) = build("webhook", "event", Op::Create, &account, &calls);
    let each = request.body.len() / taken;
    assert!(
        request.body.len() <= 1 << 20 && request.body.len() + each > 1 << 20,
        "{taken}: {each}"
    );
}

#[test]
fn a_single_record_over_the_limit_goes_alone() {
    let long = |letters: usize| json!({"event": "x", "a": "\"".repeat(letters), "b": "\"".repeat(letters)});
    // Each letter takes two bytes.
    let records = [long(300_000), long(1), long(300_000)];
    let account = account_with("webhook", json!({"batch": 50}), json!({}));
    let calls = calls("webhook", "event", Op::Create, &records);
    let taken = |calls: &[Call]| build("webhook", "event", Op::Create, &account, calls).1;
    assert_eq!((taken(&calls), taken(&calls[1..]), taken(&calls[2..])), (1, 1, 1));
}

#[test]
fn one_record_of_the_vendor_is_only_once_in_a_request() {
    let record = || json!({"email": "ana@example.org"});
    let linked = |key: &str, id: &str| call_of(key, record(), Known::new(Some(id.into()), Doubt::No));
    let calls = [linked("a", "1"), linked("b", "2"), linked("c", "1"), linked("d", "3")];
    let account = account("hubspot", prepared("hubspot"));
    assert_eq!(build("hubspot", "contact", Op::Update, &account, &calls).1, 2);
    assert_eq!(build("hubspot", "contact", Op::Update, &account, &calls[2..]).1, 2);
}

#[test]
fn calls_that_go_another_way_are_not_in_the_same_request() {
    let records = [
        json!({"lastName": "A", "company": "X", "email": "a@example.org"}),
        json!({"lastName": "B", "company": "X", "phone": "+49301234567"}),
    ];
    let account = account("salesforce", prepared("salesforce"));
    let calls = calls("salesforce", "lead", Op::Find, &records);
    let way = |call: &Call| {
        connector("salesforce")
            .bulk("lead", Op::Find, &account, call)
            .unwrap()
            .way
    };
    assert_eq!((way(&calls[0]), way(&calls[1])), (0, 1));
    assert_eq!(build("salesforce", "lead", Op::Find, &account, &calls).1, 1);
}
