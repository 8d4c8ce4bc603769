//! What resolves a doubt is what there was when the call was sent, whatever else is there by now.

use serde_json::{Value, json};
use switchboard_connect::{
    connector::{Account, Call, Connector, Decision, Doubt, Known, Means, Recovery, Start},
    manifest::OperationKind as Op,
};
use switchboard_model::{outcome::Outcome, problem::Code};

use crate::hub::{NOW_MS, connector, map, token};

fn set_up(slug: &str, kind: &str, settings: Value, secrets: Value, facts: Value) -> Account {
    let account = connector(slug).account(kind, &map(settings), &map(secrets), &map(facts));
    account.unwrap()
}

fn monday(facts: Value) -> Account {
    set_up(
        "monday",
        "token",
        json!({"boardId": "77"}),
        json!({"token": "monday-secret"}),
        facts,
    )
}

fn clickup(facts: Value) -> Account {
    set_up(
        "clickup",
        "token",
        json!({"listId": "77"}),
        json!({"token": "pk_secret"}),
        facts,
    )
}

fn zoho(facts: Value) -> Account {
    let secrets = json!({"clientId": "1000.A", "clientSecret": "secret-one", "refreshToken": "1000.secret"});
    set_up("zoho", "oauth", json!({"dataCenter": "us"}), secrets, facts)
}

fn dingtalk(facts: Value) -> Account {
    let settings = json!({"baseId": "base", "sheet": "sheet", "operatorUserId": "manager"});
    let secrets = json!({"appKey": "dingkey", "appSecret": "dingsecret"});
    set_up("dingtalk", "app", settings, secrets, facts)
}

fn call(record: Value, known: Known) -> Call {
    let mut call = Call::new("k-1", record, known);
    call.begin(&Start::new(NOW_MS, Some(&token())), Some(NOW_MS - 60_000));
    call
}

fn in_doubt(kind: Op, recovery: Option<Recovery>) -> Known {
    Known::new(None, Doubt::Of(kind)).with_recovery(recovery)
}

/// What is there for a create of this record on this account.
fn recovery(connector: &Connector, object: &str, account: &Account, record: &Value) -> Recovery {
    let call = call(record.clone(), Known::default());
    connector.recovery(object, Op::Create, account, &call).unwrap()
}

fn of(means: Means, way: u16, probe: Option<u16>) -> Recovery {
    Recovery { means, way, probe }
}

#[test]
fn what_was_sent_without_a_key_when_nothing_else_could_tell_is_for_a_person() {
    let (vendor, record) = (connector("monday"), json!({"name": "Zhang", "columnValues": {}}));
    let (before, now) = (
        monday(json!({})),
        monday(json!({"objects": {"item": {"keyColumn": "text_1"}}})),
    );
    let sent = recovery(vendor, "item", &before, &record);
    assert_eq!(sent, of(Means::Person, 1, None));
    let lost = call(record.clone(), in_doubt(Op::Create, Some(sent)));
    match vendor.next_call("item", &now, &lost) {
        Decision::Reject(problem) => assert_eq!(problem.code, Code::OutcomeUnknown),
        decision => panic!("a search for the key would find nothing: {decision:?}"),
    }
    // With the key it is found by the key.
    let sent = recovery(vendor, "item", &now, &record);
    assert_eq!(sent, of(Means::Probe, 0, Some(0)));
    let lost = call(record.clone(), in_doubt(Op::Create, Some(sent)));
    assert_eq!(vendor.next_call("item", &now, &lost), Decision::Call(Op::Probe));
    // What an earlier version has not written down is taken as before.
    let lost = call(record, in_doubt(Op::Create, None));
    assert_eq!(vendor.next_call("item", &now, &lost), Decision::Call(Op::Probe));
}

#[test]
fn what_was_sent_without_a_key_is_looked_for_by_its_content() {
    let (vendor, record) = (connector("clickup"), json!({"name": "Zhang", "description": "x"}));
    let (before, now) = (clickup(json!({})), clickup(json!({"keyField": "f-1"})));
    let sent = recovery(vendor, "task", &before, &record);
    assert_eq!(sent, of(Means::Probe, 0, Some(1)));
    let mut lost = call(record, in_doubt(Op::Create, Some(sent)));
    assert_eq!(vendor.next_call("task", &now, &lost), Decision::Call(Op::Probe));
    let probe = vendor.build("task", Op::Probe, &now, &lost).unwrap().url;
    assert!(probe.contains("date_created_gt") && !probe.contains("f-1"), "{probe}");
    // It is not there: what follows is sent as it can be sent now.
    lost.known.learn(Op::Probe, &Outcome::Missing);
    assert_eq!(vendor.next_call("task", &now, &lost), Decision::Call(Op::Create));
    let again = vendor.recovery("task", Op::Create, &now, &lost).unwrap();
    assert_eq!(again, of(Means::Probe, 0, Some(0)));
}

#[test]
fn a_create_that_the_vendor_would_not_have_recognised_is_not_repeated() {
    let (vendor, record) = (connector("zoho"), json!({"Deal_Name": "Zhang"}));
    let (before, now) = (
        zoho(json!({})),
        zoho(json!({"objects": {"deal": {"keyField": "Hub_ID"}}})),
    );
    let plain = recovery(vendor, "deal", &before, &record);
    assert_eq!(plain, of(Means::Probe, 1, Some(0)));
    let lost = call(record.clone(), in_doubt(Op::Create, Some(plain)));
    assert_eq!(vendor.next_call("deal", &now, &lost), Decision::Call(Op::Probe));
    let keyed = recovery(vendor, "deal", &now, &record);
    assert_eq!(keyed, of(Means::IdempotencyKey, 0, Some(0)));
    let lost = call(record, in_doubt(Op::Create, Some(keyed)));
    assert_eq!(vendor.next_call("deal", &now, &lost), Decision::Call(Op::Create));
    // The field is gone again: it was written, so the record can be looked for.
    assert_eq!(vendor.next_call("deal", &before, &lost), Decision::Call(Op::Probe));
}

#[test]
fn a_create_that_the_vendor_recognises_is_repeated_in_the_same_way() {
    let (vendor, record) = (connector("dingtalk"), json!({"fields": {"Name": "Zhang"}}));
    let before = dingtalk(json!({"operatorUnionId": "u-1"}));
    let now = dingtalk(json!({"operatorUnionId": "u-1", "objects": {"row": {"keyColumn": "Hub ID"}}}));
    let sent = recovery(vendor, "row", &before, &record);
    assert_eq!(sent, of(Means::IdempotencyKey, 1, None));
    let lost = call(record, in_doubt(Op::Create, Some(sent)));
    assert_eq!(vendor.next_call("row", &now, &lost), Decision::Call(Op::Create));
    let (first, again) = (
        vendor.build("row", Op::Create, &before, &lost).unwrap(),
        vendor.build("row", Op::Create, &now, &lost).unwrap(),
    );
    assert_eq!((first.url, first.body), (again.url, again.body));
}

#[test]
fn what_a_probe_has_found_is_found_by_the_same_probe_when_its_change_is_lost() {
    let vendor = connector("pipedrive");
    let pipedrive = |facts| {
        let settings = json!({"baseUrl": "https://acme.pipedrive.com"});
        set_up("pipedrive", "token", settings, json!({"token": "pipe-secret"}), facts)
    };
    let (before, now) = (
        pipedrive(json!({})),
        pipedrive(json!({"objects": {"person": {"keyField": "abc"}}})),
    );
    let record = json!({"name": "Zhang", "emails": [{"value": "zhang@example.org"}]});
    let sent = recovery(vendor, "person", &before, &record);
    assert_eq!(sent, of(Means::Probe, 0, Some(1)));
    let mut found = call(record, in_doubt(Op::Create, Some(sent)));
    found.known.learn(
        Op::Probe,
        &Outcome::Delivered {
            external_id: Some("7".into()),
            created: None,
        },
    );
    assert_eq!(vendor.next_call("person", &now, &found), Decision::Call(Op::Update));
    let change = vendor.recovery("person", Op::Update, &now, &found).unwrap();
    assert_eq!((change.means, change.probe), (Means::Repeat, Some(1)));
    // It is gone: what is made instead of it is found by its key.
    found.known.learn(Op::Update, &Outcome::Missing);
    let made = vendor.recovery("person", Op::Create, &now, &found).unwrap();
    assert_eq!(made, of(Means::Probe, 0, Some(0)));
}
