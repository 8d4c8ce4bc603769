//! The users' example files make the requests that they are meant to make.

use switchboard_connect::{
    document::Document,
    guide::{self, Item},
    registry::Registry,
};
use switchboard_model::connection::ConnectionSpec;

use super::course;

/// Connectors with the file about their system.
const FILES: [(&str, &str); 6] = [
    ("dingtalk", include_str!("../examples/dingtalk.json")),
    ("hubspot", include_str!("../examples/hubspot.json")),
    ("monday", include_str!("../examples/monday.json")),
    ("notion", include_str!("../examples/notion.json")),
    ("salesforce", include_str!("../examples/salesforce.json")),
    ("wecom", include_str!("../examples/wework.json")),
];

/// The connection that the file about this system asks for.
pub fn connection(slug: &str) -> Option<ConnectionSpec> {
    let (_, text) = FILES.iter().find(|(of, _)| *of == slug)?;
    let registry = Registry::embedded().unwrap();
    let document = Document::parse(text, slug).unwrap();
    match guide::read(&document, &registry).unwrap().as_slice() {
        [Item::Connection(spec)] => Some(spec.clone()),
        other => panic!("{slug}: one connection expected: {other:?}"),
    }
}

/// The first request that makes a record of this object: method, path, body.
fn first_write(slug: &str, object: &str) -> String {
    let made = course::of_connection(&connection(slug).unwrap());
    let writes = [format!("{object} upsert"), format!("{object} create")];
    let write = made.iter().find(|made| writes.contains(&made.what));
    let write = write.unwrap_or_else(|| panic!("{slug} makes no {object}"));
    let body = write.json().unwrap();
    format!("{} {}\n{body:#}", write.request.method, write.path())
}

#[test]
fn each_file_makes_the_records_that_it_is_about() {
    for (slug, object, line, words) in [
        (
            "dingtalk",
            "task",
            "POST /v1.0/todo/users/uniManager01/tasks",
            r#""subject": "客户咨询 - sales""#,
        ),
        (
            "hubspot",
            "contact",
            "POST /crm/objects/2026-09/contacts/batch/upsert",
            r#""lead_source": "website""#,
        ),
        (
            "hubspot",
            "ticket",
            "POST /crm/objects/2026-09/tickets/batch/upsert",
            r#""hs_pipeline": "support_pipeline""#,
        ),
        ("monday", "item", "POST /v2", r#"\"status\":{\"label\":\"待处理\"}"#),
        ("notion", "page", "POST /v1/pages", r#""start": "2026-11-20T10:15:00Z""#),
        (
            "salesforce",
            "lead",
            "PATCH /services/data/v58.0/sobjects/Lead/HubExternalId__c/p-3f9a",
            r#""LastName": "客户""#,
        ),
        (
            "salesforce",
            "case",
            "PATCH /services/data/v58.0/sobjects/Case/HubExternalId__c/p-3f9a",
            r#""Subject": "客户咨询 - sales""#,
        ),
        (
            "wecom",
            "oa_approval",
            "POST /cgi-bin/oa/applyevent",
            r#""template_id": "customer_inquiry_template""#,
        ),
    ] {
        let write = first_write(slug, object);
        assert_eq!(write.lines().next(), Some(line), "{write}");
        assert!(write.contains(words), "{words} in {write}");
    }
}
