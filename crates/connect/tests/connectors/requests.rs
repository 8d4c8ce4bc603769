//! What is sent. Snapshots show each request as the history shows it, secrets masked.

use serde_json::{Value, json};
use switchboard_connect::{
    connector::{Doubt, Known},
    manifest::OperationKind as Op,
};
use switchboard_model::problem::Code;

use super::hub::{account, call, connector, prepared, shown};

/// Every request that the connector can make for these records.
fn all_requests(slug: &str, facts: &Value, records: &[(&str, Value)]) -> String {
    let (connector, account) = (connector(slug), account(slug, facts.clone()));
    let mut text = String::new();
    for (object, mapped) in records {
        let record = connector
            .shape(object, mapped.clone())
            .unwrap_or_else(|faults| panic!("{object}: {faults:?}"));
        for kind in Op::ALL {
            let known = Known::new(
                matches!(kind, Op::Update | Op::Delete).then(|| "251".to_owned()),
                Doubt::No,
            );
            if let Ok(request) = connector.build(object, kind, &account, &call(record.clone(), known)) {
                text.push_str(&format!("## {object}: {kind}\n{}\n", shown(&request)));
            }
        }
    }
    text
}

fn person() -> Value {
    json!({"firstName": "Ana", "lastName": "O'Petrova", "company": "Example GmbH", "email": "ana@example.org", "phone": "+49301234567"})
}

#[test]
fn salesforce_with_an_external_id_field() {
    let records = [
        ("lead", person()),
        (
            "lead",
            json!({"lastName": "王", "company": "示例", "phone": "+8613800138000"}),
        ),
        ("contact", json!({"lastName": "Petrova", "email": "ana@example.org"})),
        ("account", json!({"name": "Example GmbH"})),
        (
            "opportunity",
            json!({"name": "Quote 118", "stage": "Prospecting", "closeDate": "2026-12-15", "amount": "1200.5"}),
        ),
        (
            "case",
            json!({"subject": "客户咨询 - 技术支持", "description": "打不开", "priority": "高", "origin": "wechat", "status": "New"}),
        ),
        (
            "task",
            json!({"subject": "Inbound call", "CallObject": "asterisk-1700000000.42", "duration": 184}),
        ),
    ];
    insta::assert_snapshot!(all_requests("salesforce", &prepared("salesforce"), &records));
}

#[test]
fn salesforce_without_an_external_id_field() {
    let records = [("lead", person()), ("case", json!({"subject": "Router offline"}))];
    let facts = json!({"instance_url": "https://acme--dev.sandbox.my.salesforce.com"});
    insta::assert_snapshot!(all_requests("salesforce", &facts, &records));
}

#[test]
fn hubspot_with_a_unique_property() {
    let records = [
        (
            "contact",
            json!({"firstname": "Ana", "email": "ana@example.org", "lead_source": "telegram", "score": 7, "vip": true}),
        ),
        ("contact", json!({"firstname": "Ana", "phone": "+49301234567"})),
        ("company", json!({"name": "Example GmbH", "domain": "example.org"})),
        (
            "deal",
            json!({"dealname": "Quote 118", "amount": 1200.5, "closedate": "2026-12-15"}),
        ),
        (
            "ticket",
            json!({"subject": "Router offline", "content": "…", "hs_pipeline": "support_pipeline", "priority": "紧急"}),
        ),
    ];
    insta::assert_snapshot!(all_requests("hubspot", &prepared("hubspot"), &records));
}

#[test]
fn hubspot_without_a_unique_property() {
    let records = [
        ("contact", json!({"email": "ana@example.org"})),
        ("ticket", json!({"subject": "Router offline"})),
    ];
    insta::assert_snapshot!(all_requests("hubspot", &json!({}), &records));
}

fn row() -> Value {
    json!({"properties": {
        "客户姓名": {"title": [{"text": {"content": "张三"}}]},
        "平台": {"select": {"name": "wechat"}},
        "创建时间": {"date": {"start": "2026-11-20 10:15:30"}},
    }})
}

#[test]
fn notion_with_and_without_a_column_for_our_id() {
    let without = json!({"dataSourceId": "1a2b3c4d-0000-4000-8000-000000000001"});
    let both = [prepared("notion"), without].map(|facts| all_requests("notion", &facts, &[("page", row())]));
    insta::assert_snapshot!(both.join("\n# without a column\n\n"));
}

#[test]
fn a_webhook_message_is_signed() {
    let records = [(
        "event",
        json!({"event": "message.received", "data": {"текст": "привет"}}),
    )];
    insta::assert_snapshot!(all_requests("webhook", &json!({}), &records));
}

#[test]
fn nothing_is_sent_to_an_address_that_is_not_known_yet() {
    let connector = connector("notion");
    let account = account("notion", json!({}));
    let problem = connector
        .build("page", Op::Create, &account, &call(row(), Known::default()))
        .unwrap_err();
    assert_eq!(problem.code, Code::ObjectUnsupported);
}

#[test]
fn an_object_that_does_not_exist_is_named_with_those_that_do() {
    let problem = connector("hubspot")
        .build(
            "tickt",
            Op::Create,
            &account("hubspot", json!({})),
            &call(json!({}), Known::default()),
        )
        .unwrap_err();
    assert_eq!(problem.code, Code::ObjectUnsupported);
    assert!(
        problem.next.contains("contact, company, deal, ticket") && problem.next.contains("`ticket`?"),
        "{problem:?}"
    );
}

#[test]
fn a_secret_is_in_the_request_and_not_in_what_is_shown_of_it() {
    let connector = connector("hubspot");
    let record = json!({"email": "ana@example.org", "message": "my token is pat-eu1-secret"});
    let request = connector
        .build(
            "contact",
            Op::Create,
            &account("hubspot", json!({})),
            &call(record, Known::default()),
        )
        .unwrap();
    assert_eq!(request.headers["authorization"], "Bearer pat-eu1-secret");
    assert!(request.headers["authorization"].is_sensitive());
    assert!(!shown(&request).contains("pat-eu1-secret"));
    assert!(request.masked_body().contains("my token is •••"));
}
