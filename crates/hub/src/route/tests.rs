mod places;

use std::sync::Arc;

use serde_json::{Value, json};
use switchboard_connect::registry::Registry;
use switchboard_model::{
    connection::{ConnectionSpec, ConnectionState},
    event::EventType,
    id::{ConnectionId, RouteId, WorkspaceId},
    route::RouteSpec,
};

use super::{Plan, plan};
use crate::{
    clock::ManualClock,
    configuration::{Configuration, Tools, seal_place},
    lane::Gates,
    store::{ConnectionRow, Fallback, RouteRow, StoredConfiguration},
    vault::{MasterKey, Vault},
};

const SPACE: WorkspaceId = WorkspaceId(1);
const CRM: ConnectionId = ConnectionId(1);
const SPARE: ConnectionId = ConnectionId(2);
const CHAT: ConnectionId = ConnectionId(3);

/// Three webhooks: `crm`, `spare`, `chat`. `change` sees each before it is compiled.
fn workspace(routes: &[Value], change: impl Fn(&mut ConnectionSpec, &mut ConnectionState)) -> Configuration {
    let tools = Tools {
        vault: Vault::new(MasterKey::from_bytes([7; 32])),
        gates: Gates::new(Arc::new(ManualClock::at(0))),
    };
    let connections = [("crm", CRM), ("spare", SPARE), ("chat", CHAT)].map(|(key, id)| {
        let mut spec: ConnectionSpec = serde_json::from_value(json!({
            "key": key, "connector": "webhook", "name": key, "enabled": true, "priority": 1, "auth_kind": "signature",
            "settings": {"url": "https://example.org/in"}, "secrets": {}, "mappings": {}, "condition": null,
            "objects": [], "notes": [],
        }))
        .unwrap();
        let mut state = ConnectionState::Active;
        change(&mut spec, &mut state);
        ConnectionRow {
            id,
            workspace: SPACE,
            key: key.into(),
            spec: serde_json::to_value(&spec).unwrap(),
            sealed: tools.vault.seal(&seal_place(SPACE, key), &spec.secrets).unwrap(),
            state,
            reason: None,
            facts: serde_json::Map::new(),
        }
    });
    let routes = routes.iter().enumerate().map(|(at, route)| {
        let mut whole = json!({"key": format!("r{at}"), "on": "message.received", "condition": null, "enabled": true});
        whole
            .as_object_mut()
            .unwrap()
            .extend(route.as_object().cloned().unwrap());
        RouteRow {
            id: RouteId(at as i64),
            workspace: SPACE,
            spec: serde_json::from_value::<RouteSpec>(whole).unwrap(),
        }
    });
    let stored = StoredConfiguration {
        revision: 1,
        connections: connections.into(),
        routes: routes.collect(),
        ..StoredConfiguration::default()
    };
    Configuration::compile(
        stored,
        &Configuration::default(),
        &Registry::embedded().unwrap(),
        &tools,
    )
}

fn unchanged(_: &mut ConnectionSpec, _: &mut ConnectionState) {}

fn plan_of(configuration: &Configuration, data: Value) -> Plan {
    let kind = EventType::find("message.received").unwrap();
    plan(configuration.workspace(SPACE), kind, data.as_object().unwrap())
}

/// `connection/object`, with `→backup/object` behind it where there is one.
fn shown(plan: &Plan) -> Vec<String> {
    let fallback = |fallback: &Fallback| {
        let objects: Vec<_> = fallback.objects.iter().map(|share| share.object.to_string()).collect();
        let back = if fallback.sync_back { "↩" } else { "" };
        format!(" → {}/{}{back}", fallback.connection.0, objects.join("+"))
    };
    let each = plan.deliveries.iter().map(|delivery| {
        let behind = delivery.fallback.as_ref().map(fallback).unwrap_or_default();
        format!("{}/{}{behind}", delivery.connection.0, delivery.object)
    });
    each.collect()
}

fn pair(primary: &str, backup: &str) -> Value {
    json!({"strategy": "primary_backup", "primary": {"system": primary}, "backup": {"system": backup}, "sync_back": true})
}

fn parallel(systems: &[&str]) -> Value {
    let targets: Vec<_> = systems.iter().map(|system| json!({"system": system})).collect();
    json!({"strategy": "parallel_sync", "targets": targets})
}

#[test]
fn the_primary_gets_the_event_and_the_backup_is_named_behind_it() {
    let plan = plan_of(&workspace(&[pair("crm", "spare")], unchanged), json!({}));
    assert_eq!(shown(&plan), ["1/event → 2/event↩", "3/event"]);
    assert_eq!(plan.note, None);
}

#[test]
fn options_and_objects_of_the_backup_travel_with_the_fallback() {
    let mut route = pair("crm", "spare");
    route["sync_back"] = false.into();
    route["primary"]["options"] = json!({"recipients": ["a@example.org"]});
    route["backup"]["options"] = json!({"channels": ["#客户"]});
    route["backup"]["objects"] = json!(["event", "event", "note"]);
    let plan = plan_of(&workspace(&[route, parallel(&["chat"])], unchanged), json!({}));
    assert_eq!(shown(&plan)[0], "1/event → 2/event+note");
    let delivery = &plan.deliveries[0];
    assert_eq!(delivery.options.as_ref().unwrap()["recipients"][0], "a@example.org");
    let options = delivery.fallback.as_ref().unwrap().options.as_ref().unwrap();
    assert_eq!(options["channels"][0], "#客户");
}

#[test]
fn what_cannot_take_anything_is_passed_over_with_a_note() {
    let off =
        |key: &'static str| move |spec: &mut ConnectionSpec, _: &mut ConnectionState| spec.enabled = spec.key != key;
    let draft = |spec: &mut ConnectionSpec, state: &mut ConnectionState| {
        if spec.key == "crm" {
            *state = ConnectionState::Draft;
        }
    };
    let refused = |spec: &mut ConnectionSpec, state: &mut ConnectionState| {
        if spec.key == "crm" {
            *state = ConnectionState::Error;
        }
    };
    let routes = [pair("crm", "spare"), parallel(&["chat"])];
    for (configuration, deliveries, words) in [
        (
            workspace(&routes, off("crm")),
            vec!["2/event", "3/event"],
            "switched off",
        ),
        (
            workspace(&routes, draft),
            vec!["2/event", "3/event"],
            "not complete yet, and nothing is made up for",
        ),
        (workspace(&routes, refused), vec!["1/event → 2/event↩", "3/event"], ""),
        (
            workspace(&routes, off("spare")),
            vec!["1/event", "3/event"],
            "has no backup: `spare` is switched off",
        ),
        (
            workspace(&[pair("salesforce", "spare"), parallel(&["crm", "chat"])], unchanged),
            vec!["2/event", "1/event", "3/event"],
            "`spare` took it instead of `salesforce`, which is not connected yet",
        ),
        (
            workspace(&[pair("crm", "hubspot"), parallel(&["spare", "chat"])], unchanged),
            vec!["1/event", "2/event", "3/event"],
            "has no backup: `hubspot` is not connected yet",
        ),
        (
            workspace(
                &[pair("salesforce", "hubspot"), parallel(&["spare", "chat", "crm"])],
                unchanged,
            ),
            vec!["2/event", "3/event", "1/event"],
            "names salesforce",
        ),
    ] {
        let plan = plan_of(&configuration, json!({}));
        assert_eq!(shown(&plan), deliveries, "{:?}", plan.note);
        assert!(
            plan.note.as_deref().unwrap_or_default().contains(words),
            "{:?}",
            plan.note
        );
    }
}

#[test]
fn a_pair_of_which_neither_is_complete_waits_at_the_primary() {
    let draft = |spec: &mut ConnectionSpec, state: &mut ConnectionState| {
        if spec.key != "chat" {
            *state = ConnectionState::Draft;
        }
    };
    let plan = plan_of(
        &workspace(&[pair("crm", "spare"), parallel(&["chat"])], draft),
        json!({}),
    );
    assert_eq!(shown(&plan), ["1/event", "3/event"]);
}

#[test]
fn an_object_is_made_once_however_many_routes_ask_for_it_also_as_a_backup() {
    for (routes, deliveries) in [
        // The backup gets the event in its own right, before or after the pair.
        (
            vec![pair("crm", "spare"), parallel(&["spare"])],
            vec!["1/event → 2/↩", "2/event"],
        ),
        (
            vec![parallel(&["spare"]), pair("crm", "spare")],
            vec!["2/event", "1/event → 2/↩"],
        ),
        // The primary is asked for twice: once, with the backup.
        (
            vec![parallel(&["crm"]), pair("crm", "spare")],
            vec!["1/event → 2/event↩"],
        ),
        (
            vec![pair("crm", "spare"), parallel(&["crm"])],
            vec!["1/event → 2/event↩"],
        ),
        // Two backups of one primary: the first.
        (
            vec![pair("crm", "spare"), pair("crm", "chat")],
            vec!["1/event → 2/event↩"],
        ),
        // Each is the other's backup.
        (
            vec![pair("crm", "spare"), pair("spare", "crm")],
            vec!["1/event → 2/↩", "2/event → 1/↩"],
        ),
        (
            vec![pair("crm", "crm"), parallel(&["spare"])],
            vec!["1/event", "2/event"],
        ),
    ] {
        let mut routes = routes;
        routes
            .push(json!({"strategy": "parallel_sync", "targets": [{"system": "chat"}], "condition": "never == true"}));
        let plan = plan_of(&workspace(&routes, unchanged), json!({}));
        assert_eq!(shown(&plan), deliveries, "{:?}", plan.note);
    }
}

#[test]
fn strategies_combine_with_conditions() {
    let mut vip = pair("crm", "spare");
    vip["condition"] = "vip == true".into();
    let by_category = json!({
        "strategy": "category_routing", "field": "category", "otherwise": [],
        "routes": {"投诉": [{"system": "chat"}, {"system": "spare"}]},
    });
    let configuration = workspace(&[vip, by_category], unchanged);
    for (data, deliveries) in [
        (
            json!({"vip": true, "category": "投诉"}),
            vec!["1/event → 2/↩", "3/event", "2/event"],
        ),
        (json!({"vip": true}), vec!["1/event → 2/event↩"]),
        (json!({"category": "投诉"}), vec!["3/event", "2/event"]),
        (json!({}), vec![]),
    ] {
        assert_eq!(shown(&plan_of(&configuration, data.clone())), deliveries, "{data}");
    }
}
