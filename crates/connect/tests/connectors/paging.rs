//! A probe over several pages: nothing is called missing that stands on a page nobody has read.

use proptest::prelude::*;
use serde_json::{Value, json};
use switchboard_connect::{
    call::Answer,
    connector::{Account, Call, Connector, Doubt, Known},
    manifest::OperationKind as Op,
};
use switchboard_model::outcome::Outcome;
use url::Url;

use super::{
    hub::{NOW_MS, answer, call, connector, map},
    resolving::desk,
};

/// What a way through the pages ends with, and the queries of its calls.
fn walk(
    connector: &Connector,
    account: &Account,
    object: &str,
    call: &mut Call,
    serve: impl Fn(&Url) -> Answer,
) -> (Outcome, usize) {
    for calls in 1.. {
        let request = connector.build(object, Op::Probe, account, call).unwrap();
        let page = serve(&Url::parse(&request.url).unwrap());
        match connector.next_page(object, Op::Probe, account, call, &page) {
            Some(next) => call.turn_to(next),
            None => return (connector.read(object, Op::Probe, account, call, &page), calls),
        }
    }
    unreachable!()
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    let mut pairs = url.query_pairs();
    pairs
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
}

fn doubtful(record: Value) -> Call {
    call(record, Known::new(None, Doubt::Of(Op::Create)))
}

/// The notes of a ticket, three on a page; those of the desk have at most four pages read.
fn notes(all: &[String]) -> impl Fn(&Url) -> Answer {
    |url| {
        let page: usize = parameter(url, "page").unwrap().parse().unwrap();
        let items = all.iter().enumerate().skip((page - 1) * 3).take(3);
        let items: Vec<Value> = items.map(|(at, key)| json!({"id": at, "key": key})).collect();
        answer(200, json!({ "notes": items }))
    }
}

proptest! {
    #[test]
    fn what_is_there_is_never_missing_and_what_is_not_there_is_missing_only_after_the_last_page(
        others in 0usize..20,
        place in proptest::option::of(0usize..20),
    ) {
        let mut all = vec!["somebody's".to_owned(); others];
        let place = place.map(|place| place.min(others));
        if let Some(place) = place {
            all.insert(place, "p-3f9a".into());
        }
        let desk = desk();
        let account = desk.account("token", &map(json!({})), &map(json!({"token": "t"})), &map(json!({}))).unwrap();
        let mut call = doubtful(json!({"text": "Hello"}));
        let (outcome, calls) = walk(&desk, &account, "note", &mut call, notes(&all));
        match place {
            Some(place) if place < 12 => {
                prop_assert_eq!(outcome, Outcome::Delivered { external_id: Some(place.to_string()), created: None });
                prop_assert_eq!(calls, place / 3 + 1);
            }
            Some(_) => prop_assert!(matches!(outcome, Outcome::Unknown { .. }), "{:?}", outcome),
            None if others < 12 => {
                prop_assert_eq!(outcome, Outcome::Missing);
                prop_assert_eq!(calls, others / 3 + 1);
            }
            // Four full pages: what is behind them nobody knows.
            None => {
                prop_assert!(matches!(outcome, Outcome::Unknown { .. }), "{:?}", outcome);
                prop_assert_eq!(calls, 4);
            }
        }
    }
}

/// ClickUp's comments of a task, newest first, 25 on a page.
fn comments(all: &[(u32, i64, String)]) -> impl Fn(&Url) -> Answer {
    |url| {
        let behind = parameter(url, "start_id")
            .map(|id| all.iter().position(|(known, ..)| known.to_string() == id).unwrap() + 1);
        let page = all.iter().skip(behind.unwrap_or(0)).take(25);
        let page: Vec<Value> = page
            .map(|(id, date, text)| json!({"id": id.to_string(), "date": date.to_string(), "comment_text": text}))
            .collect();
        answer(200, json!({ "comments": page }))
    }
}

#[test]
fn comments_of_clickup_are_read_as_far_back_as_the_doubt_goes() {
    let clickup = connector("clickup");
    let settings = map(json!({"listId": "901234"}));
    let account = clickup
        .account("token", &settings, &map(json!({"token": "pk_1"})), &map(json!({})))
        .unwrap();
    let sent_ms = NOW_MS - 60_000;
    let row = |id: u32, date: i64, text: &str| (id, date, text.to_owned());
    let younger = (0..60).map(|id| row(1000 - id, sent_ms + 50_000, "Another"));
    let older = (0..600).map(|id| row(600 - id, sent_ms - 3_600_000, "Hello"));
    for (ours, expected, calls) in [
        (Some(row(940, sent_ms + 1, "Hello")), Some(Some("940".to_owned())), 3),
        (None, Some(None), 3),
    ] {
        let all: Vec<_> = younger.clone().chain(ours).chain(older.clone()).collect();
        let mut call = doubtful(json!({"taskId": "9hz", "comment_text": "Hello"}));
        let (outcome, made) = walk(clickup, &account, "comment", &mut call, comments(&all));
        let found = match &outcome {
            Outcome::Delivered { external_id, .. } => Some(external_id.clone()),
            Outcome::Missing => Some(None),
            _ => None,
        };
        assert_eq!((found, made), (expected, calls), "{outcome:?}");
    }
}

#[test]
fn a_page_that_is_not_the_last_says_nothing_by_itself() {
    let clickup = connector("clickup");
    let settings = map(json!({"listId": "901234"}));
    let account = clickup
        .account("token", &settings, &map(json!({"token": "pk_1"})), &map(json!({})))
        .unwrap();
    let all: Vec<_> = (0..25).map(|id| (id, NOW_MS, "Another".to_owned())).collect();
    let page = comments(&all)(&Url::parse("https://api.clickup.com/").unwrap());
    let call = doubtful(json!({"taskId": "9hz", "comment_text": "Hello"}));
    let outcome = clickup.read("comment", Op::Probe, &account, &call, &page);
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
}
