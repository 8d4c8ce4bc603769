//! Objects that go to several places of a connection: a message to each channel that a route names.

use serde_json::{Value, json};
use switchboard_model::connection::{ConnectionSpec, ConnectionState};

use super::{CHAT, CRM, SPACE, pair, parallel, plan_of, workspace};
use crate::store::{Fallback, NewDelivery};

/// `chat` is a Slack account whose messages go to `#usual` when nobody says otherwise.
fn slack(spec: &mut ConnectionSpec, _: &mut ConnectionState) {
    if spec.key == "chat" {
        spec.connector = "slack".into();
        spec.auth_kind = "bot_token".into();
        spec.settings = json!({"channel": "#usual"}).as_object().cloned().unwrap();
    }
}

/// A route to `chat` with these channels.
fn to(channels: Value) -> Value {
    json!({"strategy": "parallel_sync", "targets": [{"system": "chat", "options": {"channels": channels}}]})
}

/// What the deliveries to `chat` name, and the rest of their options.
fn places(deliveries: &[NewDelivery]) -> Vec<String> {
    let chat = deliveries.iter().filter(|delivery| delivery.connection == CHAT);
    chat.map(|delivery| match &delivery.options {
        Some(options) => Value::Object(options.clone())["channels"].to_string(),
        None => "-".into(),
    })
    .collect()
}

#[test]
fn each_channel_that_a_route_names_gets_a_delivery_of_its_own() {
    let routes = [to(json!(["#support", "#sales", "#客户"]))];
    let plan = plan_of(&workspace(&routes, slack), json!({}));
    assert_eq!(
        places(&plan.deliveries),
        [r##"["#support"]"##, r##"["#sales"]"##, r##"["#客户"]"##]
    );
    assert!(
        plan.deliveries
            .iter()
            .all(|delivery| delivery.connection != CHAT || &*delivery.object == "message")
    );
    assert_eq!(plan.note, None);
}

#[test]
fn a_channel_gets_an_event_once_however_it_is_written_and_whoever_names_it() {
    for (routes, expected) in [
        (
            vec![to(json!(["#support", "support", " #Support "]))],
            vec![r##"["#support"]"##],
        ),
        (
            vec![to(json!(["#support"])), to(json!(["#sales", "#support"]))],
            vec![r##"["#support"]"##, r##"["#sales"]"##],
        ),
        // What names no channel goes to the one of the settings.
        (vec![parallel(&["chat"])], vec!["-"]),
        (vec![to(json!([]))], vec!["[]"]),
        (
            vec![parallel(&["chat"]), to(json!(["#usual", "#sales"]))],
            vec!["-", r##"["#sales"]"##],
        ),
        (vec![to(json!(["usual"])), parallel(&["chat"])], vec![r##"["usual"]"##]),
    ] {
        let plan = plan_of(&workspace(&routes, slack), json!({}));
        assert_eq!(places(&plan.deliveries), expected, "{routes:?}");
    }
}

#[test]
fn what_reaches_one_place_only_gets_one_delivery_whatever_is_named() {
    let routes = [to(json!(["#support", "#sales"]))];
    let all = [r##"["#support","#sales"]"##];
    let plan = plan_of(
        &workspace(&routes, |spec, state| {
            slack(spec, state);
            spec.auth_kind = "webhook".into();
        }),
        json!({}),
    );
    assert_eq!(places(&plan.deliveries), all, "an incoming webhook");
    let own = |spec: &mut ConnectionSpec, state: &mut ConnectionState| {
        slack(spec, state);
        if spec.key == "chat" {
            let mapping = json!({"channel": "#fixed", "text": "{{ messageContent }}"});
            spec.mappings.insert("message".into(), mapping);
        }
    };
    let plan = plan_of(&workspace(&routes, own), json!({}));
    assert_eq!(places(&plan.deliveries), all, "a mapping that does not ask for it");
}

#[test]
fn one_record_is_never_sent_for_several_places() {
    let problem = |auth: &'static str, channels: Value| {
        let configuration = workspace(&[], move |spec, state| {
            slack(spec, state);
            spec.auth_kind = auth.into();
        });
        let chat = configuration.workspace(SPACE).unwrap().connection("chat").unwrap();
        chat.check_place("message", json!({"channels": channels}).as_object())
            .err()
    };
    for auth in ["bot_token", "webhook"] {
        assert!(problem(auth, json!(["#support"])).is_none() && problem(auth, json!(["#a", "a"])).is_none());
        let refused = problem(auth, json!(["#support", "#sales"])).unwrap();
        assert!(refused.detail.contains("#support, #sales"), "{}", refused.detail);
        assert!(refused.next.contains("replay the event") || refused.next.contains("Replay the event"));
    }
}

#[test]
fn a_backup_with_channels_gets_one_delivery_for_each_but_those_that_it_has_anyway() {
    let mut route = pair("crm", "chat");
    route["backup"]["options"] = json!({"channels": ["#support", "#sales", "SUPPORT"]});
    let routes = [route, to(json!(["#sales"]))];
    let plan = plan_of(&workspace(&routes, slack), json!({}));
    let primary = plan
        .deliveries
        .iter()
        .find(|delivery| delivery.connection == CRM)
        .unwrap();
    let fallback: &Fallback = primary.fallback.as_ref().unwrap();
    let shares = fallback.objects.iter().cloned();
    let handed: Vec<_> = shares
        .map(|share| share.delivery(CHAT, fallback.options.as_ref()))
        .collect();
    assert_eq!(places(&handed), [r##"["#support"]"##]);
    assert_eq!(places(&plan.deliveries), [r##"["#sales"]"##]);
}

#[test]
fn each_channel_of_a_primary_has_the_backup_behind_it() {
    let mut route = pair("chat", "crm");
    route["primary"]["options"] = json!({"channels": ["#support", "#sales"]});
    let plan = plan_of(&workspace(&[route], slack), json!({}));
    let chat: Vec<_> = plan
        .deliveries
        .iter()
        .filter(|delivery| delivery.connection == CHAT)
        .collect();
    assert_eq!(chat.len(), 2);
    assert!(chat.iter().all(|delivery| {
        delivery
            .fallback
            .as_ref()
            .is_some_and(|fallback| fallback.connection == CRM)
    }));
}
