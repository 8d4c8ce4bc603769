//! Records as the vendors take them.

use serde_json::{Value, json};
use switchboard_connect::shape::FieldFault;

use super::hub::connector;

fn shape(slug: &str, object: &str, mapped: Value) -> Result<Value, Vec<FieldFault>> {
    connector(slug).shape(object, mapped)
}

#[test]
fn names_words_and_types_become_those_of_the_vendor() {
    for (slug, object, mapped, record) in [
        // The guides write Salesforce's fields in another case.
        (
            "salesforce",
            "lead",
            json!({"firstName": "三", "lastName": "客户", "company": "示例", "email": " ana@example.org ", "leadSource": "wechat", "Budget__c": 7}),
            json!({"FirstName": "三", "LastName": "客户", "Company": "示例", "Email": "ana@example.org", "LeadSource": "wechat", "Budget__c": 7}),
        ),
        (
            "salesforce",
            "case",
            json!({"subject": "a", "priority": "高"}),
            json!({"Subject": "a", "Priority": "High"}),
        ),
        (
            "salesforce",
            "case",
            json!({"subject": "a", "priority": "URGENT"}),
            json!({"Subject": "a", "Priority": "High"}),
        ),
        (
            "salesforce",
            "case",
            json!({"subject": "a", "priority": "P1"}),
            json!({"Subject": "a", "Priority": "P1"}),
        ),
        (
            "salesforce",
            "opportunity",
            json!({"name": "Q", "stage": "New", "closeDate": "2026-12-15T23:00:00Z", "amount": "1200.5", "Tags__c": ["a", "b"]}),
            json!({"Name": "Q", "StageName": "New", "CloseDate": "2026-12-15", "Amount": 1200.5, "Tags__c": "a;b"}),
        ),
        // Every value of HubSpot is text.
        (
            "hubspot",
            "contact",
            json!({"firstname": "Ana", "lead_source": "telegram", "score": 7, "vip": true, "tags": ["a", "b"]}),
            json!({"firstname": "Ana", "lead_source": "telegram", "score": "7", "vip": "true", "tags": "a;b"}),
        ),
        (
            "hubspot",
            "deal",
            json!({"name": "Q", "amount": "1200.50"}),
            json!({"dealname": "Q", "amount": "1200.5"}),
        ),
        (
            "hubspot",
            "ticket",
            json!({"subject": "a", "hs_ticket_priority": "紧急"}),
            json!({"subject": "a", "hs_ticket_priority": "HIGH"}),
        ),
    ] {
        assert_eq!(
            shape(slug, object, mapped.clone()),
            Ok(record),
            "{slug} {object} {mapped}"
        );
    }
}

#[test]
fn what_is_absent_or_blank_clears_nothing() {
    let mapped = json!({"firstname": "", "lastname": null, "phone": "  ", "email": "ana@example.org"});
    assert_eq!(
        shape("hubspot", "contact", mapped),
        Ok(json!({"email": "ana@example.org"}))
    );
}

#[test]
fn every_field_that_cannot_be_sent_is_named_at_once() {
    for (slug, object, mapped, faults) in [
        (
            "salesforce",
            "lead",
            json!({"firstName": "Ana"}),
            vec![("LastName", true), ("Company", true)],
        ),
        (
            "salesforce",
            "lead",
            json!({"LastName": "A", "company": "X", "email": "ana at example"}),
            vec![("Email", false)],
        ),
        (
            "salesforce",
            "lead",
            json!({"lastName": "A", "LastName": "B", "company": "X"}),
            vec![("LastName", false)],
        ),
        (
            "salesforce",
            "opportunity",
            json!({"name": "Q", "stage": "New", "closeDate": "soon"}),
            vec![("CloseDate", false)],
        ),
        (
            "salesforce",
            "lead",
            json!({"lastName": {"a": 1}, "company": "X", "NumberOfEmployees": "many"}),
            vec![("LastName", false), ("NumberOfEmployees", false)],
        ),
        (
            "salesforce",
            "lead",
            json!({"lastName": "A", "company": "X", "ownerId": "0".repeat(19)}),
            vec![("OwnerId", false)],
        ),
        (
            "notion",
            "page",
            json!({"title": "x"}),
            vec![("title", false), ("properties", true)],
        ),
        ("notion", "page", json!("text"), vec![("", false)]),
    ] {
        let found = shape(slug, object, mapped.clone()).unwrap_err();
        let found: Vec<_> = found
            .iter()
            .map(|fault| (fault.field.as_str(), fault.is_missing))
            .collect();
        assert_eq!(found, faults, "{slug} {object} {mapped}");
    }
}

#[test]
fn a_field_that_may_be_left_out_is_left_out_rather_than_losing_the_record() {
    let case = shape(
        "salesforce",
        "case",
        json!({"subject": "a", "suppliedEmail": "no mail"}),
    );
    assert_eq!(case, Ok(json!({"Subject": "a"})));
}

#[test]
fn a_text_over_the_limit_is_cut_between_characters() {
    let record = shape(
        "salesforce",
        "case",
        json!({"subject": "客".repeat(300), "description": "🙂".repeat(20_000)}),
    )
    .unwrap();
    let subject = record["Subject"].as_str().unwrap();
    assert_eq!((subject.chars().count(), subject.ends_with("客…")), (255, true));
    let description = record["Description"].as_str().unwrap();
    assert!(description.encode_utf16().count() <= 32_000 && description.ends_with("🙂…"));
}

#[test]
fn a_near_miss_is_pointed_out() {
    let faults = shape("notion", "page", json!({"propertis": {}})).unwrap_err();
    assert!(faults[0].message.contains("did you mean `properties`?"), "{faults:?}");
}

fn notion(properties: Value) -> Value {
    shape("notion", "page", json!({ "properties": properties })).unwrap()["properties"].clone()
}

#[test]
fn long_texts_for_notion_become_several_text_objects_of_the_same_kind() {
    let long = "内容🙂".repeat(3_000);
    let element = json!({"type": "text", "text": {"content": long}, "annotations": {"bold": true}});
    let properties = notion(json!({"内容": {"rich_text": [{"text": {"content": "short"}}, element]}}));
    let pieces = properties["内容"]["rich_text"].as_array().unwrap();
    let texts: Vec<_> = pieces
        .iter()
        .map(|piece| piece["text"]["content"].as_str().unwrap())
        .collect();
    assert_eq!(texts.concat(), format!("short{long}"));
    assert!(texts.iter().all(|text| text.encode_utf16().count() <= 2_000));
    assert!(pieces[1..].iter().all(|piece| piece["annotations"]["bold"] == true));
}

#[test]
fn a_text_that_is_too_long_even_for_notion_ends_with_an_ellipsis() {
    let properties = notion(json!({"内容": {"rich_text": [{"text": {"content": "x".repeat(250_000)}}]}}));
    let pieces = properties["内容"]["rich_text"].as_array().unwrap();
    assert_eq!(pieces.len(), 100);
    let last = pieces[99]["text"]["content"].as_str().unwrap();
    assert!(last.ends_with("x…") && last.encode_utf16().count() <= 2_000);
}

#[test]
fn values_that_notion_would_refuse_are_brought_into_its_form() {
    let given = json!({
        "平台": {"select": {"name": "WhatsApp, Business"}},
        "标签": {"multi_select": [{"name": "a,b"}, {"name": "c"}]},
        "分类": {"select": {"name": ""}},
        "创建时间": {"date": {"start": "2025-08-03 14:30:00"}},
        "到期": {"date": {"start": "2026-12-01"}},
        "邮箱": {"email": ""},
        "金额": {"number": "1200.5"},
    });
    let expected = json!({
        "平台": {"select": {"name": "WhatsApp， Business"}},
        "标签": {"multi_select": [{"name": "a，b"}, {"name": "c"}]},
        "分类": {"select": null},
        "创建时间": {"date": {"start": "2025-08-03T14:30:00Z"}},
        "到期": {"date": {"start": "2026-12-01"}},
        "邮箱": {"email": null},
        "金额": {"number": 1200.5},
    });
    assert_eq!(notion(given), expected);
}

#[test]
fn a_webhook_takes_what_it_gets() {
    let payload = json!({"event": "opportunity.won", "data": {"value": 500_000_000, "owner": {"name": "Nguyễn Văn A"}, "tags": ["a", {"b": 1}]}});
    assert_eq!(shape("webhook", "event", payload.clone()), Ok(payload));
}
