//! Look-ups: what is asked, what an answer puts in the place of names, what becomes of names that nobody knows.

use serde_json::{Value, json};
use switchboard_connect::{
    connector::{Account, Call, Connector, Directory, Known, Question, QuestionId},
    load::{Files, load},
};
use switchboard_model::{
    outcome::Outcome,
    problem::{Code, Problem},
};

use super::hub::{answer, call_of, map};

pub const DESK: &str = include_str!("desk.yaml");

pub fn desk() -> Connector {
    let files = Files {
        manifest: DESK.to_owned(),
        name: "desk.yaml".into(),
        ..Files::default()
    };
    load(&files).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

pub fn account(connector: &Connector, settings: Value) -> Account {
    let secrets = map(json!({"token": "secret-token"}));
    connector
        .account("token", &map(settings), &secrets, &map(json!({})))
        .unwrap()
}

/// Plays the hub with nothing kept: every question is asked.
fn resolve(
    connector: &Connector,
    account: &Account,
    call: &mut Call,
    vendor: impl Fn(&str) -> (u16, Value),
) -> Result<(Vec<String>, Vec<QuestionId>), Result<Problem, Outcome>> {
    let mut asked = Vec::new();
    let mut ids = Vec::new();
    let object = if call.record()["cells"].is_null() {
        "ticket"
    } else {
        "note"
    };
    let mut resolution = connector.resolution(object);
    while let Some(question) = resolution.next(account, call).map_err(Ok)? {
        let mut asking = resolution.asking(&question);
        while let Some(request) = asking.next(account, call).map_err(Ok)? {
            let path = request.url.split_once("example.org").unwrap().1.to_owned();
            let (status, body) = vendor(&path);
            asked.push(path);
            asking.read(account, call, &answer(status, body)).map_err(Err)?;
        }
        ids.push(question.id);
        resolution
            .take(account, call, &question, &asking.finish())
            .map_err(Ok)?;
    }
    Ok((asked, ids))
}

fn vendor(path: &str) -> (u16, Value) {
    match path {
        "/users?email=ana%40example.org" => (200, json!({"ok": true, "users": [{"id": "U7"}, {"id": "U8"}]})),
        path if path.starts_with("/users") => (200, json!({"ok": false, "error": "no_such_user"})),
        "/labels?page=1" => (
            200,
            json!({"labels": [{"id": "L1", "name": "Срочно"}, {"id": "L2", "name": "VIP"}]}),
        ),
        "/labels?page=2" => (200, json!({"labels": [{"id": "L3", "name": "Retour", "short": "R"}]})),
        "/boards/b1/lists" => (200, json!([{"id": 4, "name": "Neu"}, {"id": 5, "name": "待办"}])),
        "/boards/b1/columns" => (
            200,
            json!([
                {"id": "c1", "title": "Срок", "type": "date"},
                {"id": "c2", "title": "Stage", "type": "drop_down", "options": [{"id": "o1", "text": "Новый"}]},
                {"id": "c3", "title": "Text", "type": "text"},
                {"id": "c4", "title": "Количество", "type": "number"},
                {"id": "c5", "title": "Price", "type": "price", "currency": "EUR"},
            ]),
        ),
        other => panic!("{other}"),
    }
}

#[test]
fn members_take_the_form_of_their_type() {
    let connector = desk();
    let account = account(&connector, json!({"board": "b1"}));
    let cells = json!({"срок": "2026-11-20T10:15:30Z", "c2": "новый", "Text": 7, "Stage ": ["raw"]});
    let mut call = call_of("k-1", json!({"cells": cells}), Known::default());
    resolve(&connector, &account, &mut call, vendor).unwrap();
    let formed = json!({"c1": {"date": "2026-11-20"}, "c2": ["raw"], "c3": 7});
    assert_eq!(call.record()["cells"], formed);

    let mut call = call_of("k-1", json!({"cells": {"c2": "Новый", "c9": "x"}}), Known::default());
    let problem = resolve(&connector, &account, &mut call, vendor).unwrap_err().unwrap();
    assert_eq!(problem.place.as_deref(), Some("note.cells.c9"));
    assert!(
        problem.detail.contains("no column `c9`") && problem.next.contains("stage"),
        "{problem:?}"
    );
}

#[test]
fn a_value_of_which_nothing_is_left_in_its_form_refuses_the_record_and_a_blank_one_is_left_out() {
    let connector = desk();
    let account = account(&connector, json!({"board": "b1"}));
    let resolved = |cells: Value| {
        let mut call = call_of("k-1", json!({"cells": cells}), Known::default());
        resolve(&connector, &account, &mut call, vendor).map(|_| call.record()["cells"].clone())
    };
    let good = json!({"Количество": "12.5", "Price": 0, "Text": "x"});
    let formed = json!({"c4": 12.5, "c5": {"currency": "EUR", "amount": 0}, "c3": "x"});
    assert_eq!(resolved(good).unwrap(), formed);
    let blank = json!({"Количество": "", "Price": " ", "c2": null, "Text": "x"});
    assert_eq!(resolved(blank).unwrap(), json!({"c3": "x"}));
    // What stands around the value in its form (the currency) does not make up for it.
    for (column, type_word) in [("Количество", "number"), ("Price", "price")] {
        let problem = resolved(json!({"Text": "x", column: "двенадцать"}))
            .unwrap_err()
            .unwrap();
        assert_eq!(problem.code, Code::FieldInvalid);
        assert_eq!(problem.place, Some(format!("note.cells.{column}")));
        for part in ["двенадцать", column, type_word, "{{ value | number }}"] {
            assert!(problem.detail.contains(part), "{part}: {problem:?}");
        }
    }
}

#[test]
fn names_become_ids_in_the_record_and_beside_it() {
    let connector = desk();
    let account = account(&connector, json!({"board": "b1", "list": " 待办"}));
    let record =
        json!({"subject": "x", "assignee": "ana@example.org", "fields": {"labels": ["срочно", "L9", "r", "unknown"]}});
    let mut call = call_of("k-1", record, Known::default());
    let (asked, ids) = resolve(&connector, &account, &mut call, vendor).unwrap();
    assert_eq!(call.record()["assignee"], "U7");
    // What is an id already is not asked for, and what nobody knows stays, as the manifest says of labels.
    assert_eq!(call.record()["fields"]["labels"], json!(["L1", "L9", "L3", "unknown"]));
    let pages = ["/labels?page=1", "/labels?page=2"];
    let expected = [
        &["/users?email=ana%40example.org"][..],
        &pages,
        &pages,
        &pages,
        &["/boards/b1/lists"],
    ]
    .concat();
    assert_eq!(asked, expected);
    // One question for all labels: the hub asks it once.
    assert_eq!(ids[1..4], [ids[1]; 3]);
    assert!(ids[0] != ids[1] && ids[4] != ids[1]);
    let request = connector
        .build(
            "ticket",
            switchboard_connect::manifest::OperationKind::Create,
            &account,
            &call,
        )
        .unwrap();
    let body = String::from_utf8(request.body.to_vec()).unwrap();
    assert!(body.ends_with("&list=5"), "{body}");
}

#[test]
fn a_name_that_nobody_knows_is_left_out_or_refuses_the_record_as_the_manifest_says() {
    let connector = desk();
    let nothing_more = json!({"board": "b1"});
    let mut call = call_of(
        "k-1",
        json!({"subject": "x", "assignee": "bo@example.org"}),
        Known::default(),
    );
    let account_without = account(&connector, nothing_more);
    resolve(&connector, &account_without, &mut call, vendor).unwrap();
    assert_eq!(call.record(), &json!({"subject": "x"}));

    let account = account(&connector, json!({"board": "b1", "list": "Erledigt"}));
    let mut call = call_of("k-1", json!({"subject": "x"}), Known::default());
    let problem = resolve(&connector, &account, &mut call, vendor).unwrap_err().unwrap();
    assert_eq!(problem.code, Code::FieldInvalid);
    assert_eq!(problem.detail, "there is no list `Erledigt`");
}

#[test]
fn texts_that_a_look_up_is_not_about_stay_and_cost_no_call() {
    let connector = desk();
    let account = account(&connector, json!({"board": "b1"}));
    for assignee in [
        json!("U12"),
        json!("Ana"),
        json!({"id": "U12"}),
        json!(null),
        json!(" "),
    ] {
        let record = json!({"subject": "x", "assignee": assignee});
        let mut call = call_of("k-1", record.clone(), Known::default());
        let (asked, _) = resolve(&connector, &account, &mut call, vendor).unwrap();
        assert_eq!((asked.len(), call.record()), (0, &record), "{assignee}");
    }
}

#[test]
fn a_failing_look_up_is_judged_by_the_rules_of_the_connector() {
    let connector = desk();
    let account = account(&connector, json!({"board": "b1"}));
    let record = json!({"subject": "x", "assignee": "ana@example.org"});
    for (status, expected) in [
        (503, "retry"),
        (429, "throttled"),
        (401, "denied"),
        (418, "rejected"),
        (302, "unknown"),
    ] {
        let mut call = call_of("k-1", record.clone(), Known::default());
        let failed = resolve(&connector, &account, &mut call, |_| (status, json!({"error": "no"}))).unwrap_err();
        assert_eq!(failed.unwrap_err().name(), expected, "{status}");
    }
}

#[test]
fn what_was_looked_up_can_be_taken_back() {
    let connector = desk();
    let account = account(&connector, json!({"board": "b1"}));
    let record = json!({"subject": "x", "assignee": "ana@example.org"});
    let mut call = call_of("k-1", record.clone(), Known::default());
    resolve(&connector, &account, &mut call, vendor).unwrap();
    call.restore(record.clone());
    assert_eq!(call.record(), &record);
    let (asked, _) = resolve(&connector, &account, &mut call, vendor).unwrap();
    assert_eq!(asked.len(), 1);
}

#[test]
fn a_connector_without_look_ups_needs_none() {
    assert!(desk().resolves("ticket") && desk().resolves("note"));
    assert!(!super::hub::connector("webhook").resolves("message"));
}

#[test]
fn a_directory_knows_names_regardless_of_case_and_outer_blanks() {
    let directory = Directory::of([
        (vec!["  Ölung ".into(), "B".into()], json!(1)),
        (vec!["b".into()], json!(2)),
    ]);
    assert_eq!(directory.find("ölung"), Some(&json!(1)));
    assert_eq!(directory.find("b "), Some(&json!(1)));
    assert_eq!(directory.find("c"), None);
    let question = Question::new([0; 32], "c", 1, 1);
    assert_eq!(question.wanted, "c");
}

#[test]
fn a_look_up_that_cannot_be_meant_is_named() {
    for (from, to, part) in [
        (
            "    for: \"{{ settings.list }}\"\n",
            "",
            "nothing says what is to be looked up",
        ),
        (
            "    match: [/name]\n    value: $",
            "    value: $",
            "neither the request nor `match`",
        ),
        (
            "    objects: [ticket]\n",
            "    objects: [tickets]\n",
            "there is no object `tickets`",
        ),
        (
            "    pages: { size: 2 }",
            "    pages: { most: 2 }",
            "nothing says which page is the last",
        ),
        (
            "  board:\n    request",
            "  bord:\n    request",
            "there is no setting `bord`",
        ),
    ] {
        assert!(DESK.contains(from), "{from}");
        let files = Files {
            manifest: DESK.replacen(from, to, 1),
            name: "desk.yaml".into(),
            ..Files::default()
        };
        let found = load(&files).map(|_| ()).unwrap_err();
        assert!(
            found.iter().any(|problem| problem.detail.contains(part)),
            "{part}: {found:#?}"
        );
    }
}
