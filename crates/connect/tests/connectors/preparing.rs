//! Preparations: what is looked up, what is set up, what is learned.

use serde_json::{Map, Value, json};
use switchboard_connect::connector::PrepareStep;
use switchboard_model::outcome::Outcome;

use super::hub::{answer, connector, map, token};

struct Played {
    calls: Vec<String>,
    facts: Value,
    stopped: Option<Outcome>,
}

/// Plays the vendor, as the hub does: after each answer the account knows what was learned.
fn play(slug: &str, settings: &Value, objects: &[&str], answers: &[(u16, Value)]) -> Played {
    let connector = connector(slug);
    let objects: Vec<_> = objects.iter().map(|object| (*object).to_owned()).collect();
    let kind = connector.auth_kinds().next().unwrap().0;
    let mut preparation = connector.preparation(&objects);
    let mut played = Played {
        calls: Vec::new(),
        facts: json!({}),
        stopped: None,
    };
    let mut facts = Map::new();
    let mut answers = answers.iter();
    loop {
        let account = connector
            .account(kind, &map(settings.clone()), &map(json!({"token": "t"})), &facts)
            .unwrap();
        match preparation.next(&account, Some(&token())).unwrap() {
            PrepareStep::Done => break,
            PrepareStep::Call(request) => {
                let path = request.url.split_once("://").unwrap().1.split_once('/').unwrap().1;
                let body = String::from_utf8_lossy(&request.body);
                played
                    .calls
                    .push(format!("{} /{path} {body}", request.method).trim().to_owned());
                let (status, body) = answers
                    .next()
                    .unwrap_or_else(|| panic!("no answer to {:?}", played.calls));
                if let Err(outcome) = preparation.read(&account, &answer(*status, body.clone()), &mut facts) {
                    played.stopped = Some(outcome);
                    break;
                }
            }
        }
    }
    played.facts = Value::Object(facts);
    played
}

#[test]
fn salesforce_learns_whether_the_external_id_field_is_there() {
    let fields = |name: &str, external: bool| json!({"fields": [{"name": "Email", "externalId": false}, {"name": name, "externalId": external}]});
    let settings =
        json!({"baseUrl": "https://acme.my.salesforce.com", "objects": {"case": {"externalIdField": "Hub__c"}}});
    let played = play(
        "salesforce",
        &settings,
        &["lead", "case"],
        &[(200, fields("HubExternalId__c", true)), (200, fields("hub__C", true))],
    );
    assert_eq!(
        played.calls,
        [
            "GET /services/data/v68.0/sobjects/Lead/describe",
            "GET /services/data/v68.0/sobjects/Case/describe"
        ]
    );
    let facts = json!({"objects": {"lead": {"keyField": "HubExternalId__c"}, "case": {"keyField": "hub__C"}}});
    assert_eq!(played.facts, facts);

    let none = [
        (200, fields("HubExternalId__c", false)),
        (403, json!([{"errorCode": "INSUFFICIENT_ACCESS"}])),
    ];
    let played = play("salesforce", &settings, &["lead", "contact"], &none);
    assert_eq!(
        (played.facts["objects"]["lead"]["keyField"].clone(), played.stopped),
        (Value::Null, None)
    );
}

#[test]
fn hubspot_makes_its_unique_property_where_it_is_missing() {
    let ours = json!({"name": "hub_external_id", "hasUniqueValue": true});
    let played = play(
        "hubspot",
        &json!({}),
        &["contact", "ticket"],
        &[
            (200, ours.clone()),
            (404, json!({"category": "OBJECT_NOT_FOUND"})),
            (201, ours),
        ],
    );
    assert_eq!(
        played.calls[..2],
        [
            "GET /crm/properties/2026-09/contacts/hub_external_id",
            "GET /crm/properties/2026-09/tickets/hub_external_id",
        ]
    );
    assert!(
        played.calls[2].starts_with("POST /crm/properties/2026-09/tickets {"),
        "{}",
        played.calls[2]
    );
    assert!(
        played.calls[2].contains(r#""groupName":"ticketinformation""#)
            && played.calls[2].contains(r#""hasUniqueValue":true"#)
    );
    let fact = json!({"keyProperty": "hub_external_id"});
    assert_eq!(played.facts, json!({"objects": {"contact": fact, "ticket": fact}}));
}

#[test]
fn hubspot_does_without_the_property_when_it_may_not_make_it() {
    let lacking = (403, json!({"category": "MISSING_SCOPES", "message": "…"}));
    let played = play("hubspot", &json!({}), &["contact"], &[(404, json!({})), lacking]);
    assert_eq!((played.facts, played.stopped), (json!({}), None));
    let not_unique = (200, json!({"name": "hub_external_id", "hasUniqueValue": false}));
    let played = play("hubspot", &json!({}), &["contact"], &[not_unique]);
    assert_eq!(played.facts["objects"]["contact"]["keyProperty"], Value::Null);
}

#[test]
fn a_vendor_that_is_down_or_in_a_hurry_stops_even_an_optional_preparation() {
    for (status, name) in [(503, "retry"), (429, "throttled")] {
        let played = play(
            "hubspot",
            &json!({}),
            &["contact"],
            &[(status, json!({"policyName": "DAILY"}))],
        );
        assert_eq!(played.stopped.unwrap().name(), name);
    }
}

const DATABASE: &str = "0123456789abcdef0123456789abcdef";
const SOURCE: &str = "1a2b3c4d-0000-4000-8000-000000000001";

fn columns(columns: Value) -> (u16, Value) {
    (
        200,
        json!({"object": "data_source", "id": SOURCE, "properties": columns}),
    )
}

#[test]
fn notion_finds_the_data_source_and_adds_the_column_for_our_id() {
    let title = json!({"name": "客户姓名", "type": "title"});
    let with_column = json!({"客户姓名": title, "Hub ID": {"name": "Hub ID", "type": "rich_text"}});
    let played = play(
        "notion",
        &json!({"databaseId": DATABASE}),
        &["page"],
        &[
            (200, json!({"data_sources": [{"id": SOURCE, "name": "客户"}]})),
            columns(json!({"客户姓名": title})),
            columns(with_column),
        ],
    );
    let source = format!("/v1/data_sources/{SOURCE}");
    assert_eq!(
        played.calls,
        [
            format!("GET /v1/databases/{DATABASE}"),
            format!("GET {source}"),
            format!(r#"PATCH {source} {{"properties":{{"Hub ID":{{"rich_text":{{}}}}}}}}"#),
        ]
    );
    assert_eq!(played.facts, json!({"dataSourceId": SOURCE, "keyProperty": "Hub ID"}));
}

#[test]
fn notion_takes_the_id_of_a_data_source_for_that_of_a_database() {
    let played = play(
        "notion",
        &json!({"databaseId": SOURCE}),
        &["page"],
        &[
            (404, json!({"code": "object_not_found"})),
            (200, json!({"id": SOURCE})),
            columns(json!({"Hub ID": {"name": "Hub ID", "type": "rich_text"}})),
        ],
    );
    assert_eq!(played.facts, json!({"dataSourceId": SOURCE, "keyProperty": "Hub ID"}));
}

#[test]
fn notion_leaves_a_column_of_another_type_alone() {
    let played = play(
        "notion",
        &json!({"databaseId": DATABASE, "dataSourceId": SOURCE}),
        &["page"],
        &[columns(json!({"Hub ID": {"name": "Hub ID", "type": "unique_id"}}))],
    );
    assert_eq!((played.facts, played.stopped), (json!({}), None));
}

#[test]
fn notion_asks_which_of_several_data_sources_is_meant() {
    let several = json!({"data_sources": [{"id": "a"}, {"id": "b"}]});
    let played = play("notion", &json!({"databaseId": DATABASE}), &["page"], &[(200, several)]);
    let Some(Outcome::Rejected { message, .. }) = played.stopped else {
        panic!("{:?}", played.stopped)
    };
    assert!(message.contains("several data sources"), "{message}");
}

#[test]
fn notion_says_when_the_database_is_not_shared() {
    let unknown = (
        404,
        json!({"code": "object_not_found", "message": "Could not find database"}),
    );
    let played = play(
        "notion",
        &json!({"databaseId": DATABASE}),
        &["page"],
        &[unknown.clone(), unknown],
    );
    assert_eq!(played.stopped.unwrap().name(), "denied");
}
