//! Configuration files: those that users have are read unchanged, and whatever is wrong with one is said at once.

use indexmap::IndexMap;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;
use switchboard_connect::{
    document::Document,
    guide::{self, Item},
    registry::Registry,
};
use switchboard_model::{
    connection::ConnectionSpec,
    problem::{Code, Problem},
    route::{RouteSpec, Strategy as RouteStrategy, Target},
};

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::embedded().expect("the embedded connectors load"));

fn read(text: &str) -> Result<Vec<Item>, Vec<Problem>> {
    let document = Document::parse(text, "f").unwrap_or_else(|problem| panic!("{text}: {problem}"));
    guide::read(&document, &REGISTRY)
}

fn items(text: &str) -> Vec<Item> {
    read(text).unwrap_or_else(|problems| panic!("{text}: {problems:#?}"))
}

fn example(name: &str) -> String {
    let path = format!("{}/tests/examples/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn connection(text: &str) -> ConnectionSpec {
    match items(text).as_slice() {
        [Item::Connection(spec)] => spec.clone(),
        other => panic!("one connection expected: {other:?}"),
    }
}

fn route(text: &str) -> RouteSpec {
    match items(text).as_slice() {
        [Item::Route(spec)] => spec.clone(),
        other => panic!("one route expected: {other:?}"),
    }
}

fn target(system: &str) -> Target {
    Target {
        system: system.into(),
        objects: Vec::new(),
        options: Map::new(),
    }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

#[test]
fn a_list_of_integrations_is_read_unchanged() {
    let spec = connection(&example("integrations"));
    assert_eq!(
        (spec.key.as_str(), spec.connector.as_str(), spec.name.as_str()),
        ("primary-crm", "salesforce", "主要CRM系统")
    );
    assert_eq!((spec.enabled, spec.priority, spec.condition), (true, 1, None));
    assert!(spec.mappings.is_empty() && spec.objects.is_empty() && spec.secrets.is_empty());
}

#[test]
fn a_file_about_one_system_is_read_unchanged() {
    for (name, objects) in [
        ("salesforce", &["lead", "case"][..]),
        ("hubspot", &["contact", "ticket"]),
        ("notion", &["page"]),
    ] {
        let text = example(name);
        let spec = connection(&text);
        assert_eq!(
            (spec.key.as_str(), spec.connector.as_str(), spec.enabled),
            (name, name, true)
        );
        assert_eq!(spec.mappings.keys().collect::<Vec<_>>(), objects, "{name}");
        let written: Value = serde_json::from_str(&text).unwrap();
        for object in objects {
            assert_eq!(
                spec.mappings[*object], written["config"]["mappings"][object],
                "{name} {object}"
            );
        }
        assert!(!spec.secrets.is_empty(), "{name} has credentials");
        let checked = REGISTRY
            .get(name)
            .unwrap()
            .check(&spec.auth_kind, &spec.settings, &spec.secrets);
        assert!(checked.problems.is_empty(), "{name}: {:?}", checked.problems);
    }
}

#[test]
fn a_key_of_config_that_is_neither_credentials_nor_mappings_is_a_setting() {
    assert_eq!(
        connection(&example("notion")).settings["databaseId"],
        "your-database-id"
    );
}

#[test]
fn a_strategy_by_category_is_read_unchanged() {
    let spec = route(&example("strategy-category-routing"));
    let both = |a, b| vec![target(a), target(b)];
    let routes = IndexMap::from([
        ("销售线索".to_owned(), both("salesforce", "hubspot")),
        ("技术支持".to_owned(), both("jira", "linear")),
        ("客户服务".to_owned(), both("zendesk", "freshdesk")),
        ("产品反馈".to_owned(), both("notion", "airtable")),
    ]);
    let strategy = RouteStrategy::CategoryRouting {
        field: "category".into(),
        routes,
        otherwise: vec![],
    };
    let expected = RouteSpec {
        key: "category_routing".into(),
        on: "message.received".into(),
        condition: None,
        strategy,
        enabled: true,
    };
    assert_eq!(spec, expected);
}

#[test]
fn a_parallel_strategy_is_read_unchanged() {
    let spec = route(&example("strategy-parallel-sync"));
    let targets = vec![
        Target {
            objects: vec!["lead".into(), "case".into()],
            ..target("salesforce")
        },
        Target {
            options: object(json!({"channels": ["#customer-support"]})),
            ..target("slack")
        },
        Target {
            options: object(json!({"recipients": ["support@company.com"]})),
            ..target("email")
        },
    ];
    assert_eq!(
        (spec.key.as_str(), spec.strategy),
        ("parallel_sync", RouteStrategy::ParallelSync { targets })
    );
}

#[test]
fn a_strategy_with_backup_is_read_unchanged() {
    let spec = route(&example("strategy-primary-backup"));
    let (primary, backup) = (target("salesforce"), target("hubspot"));
    assert_eq!(
        spec.strategy,
        RouteStrategy::PrimaryBackup {
            primary,
            backup,
            sync_back: true
        }
    );
}

#[test]
fn a_system_that_this_version_does_not_have_is_named_with_those_that_it_has() {
    for (name, place) in [("dingtalk", "f:2:11"), ("monday", "f:2:11"), ("wework", "f:2:11")] {
        let problems = read(&example(name)).unwrap_err();
        assert_eq!(problems.len(), 1, "{name}: {problems:?}");
        assert_eq!(
            (problems[0].code, problems[0].place.as_deref()),
            (Code::UnknownConnector, Some(place))
        );
        for known in ["salesforce", "hubspot", "notion", "webhook"] {
            assert!(problems[0].next.contains(known), "{}", problems[0].next);
        }
    }
}

#[test]
fn a_file_of_another_kind_is_refused_with_the_kinds_that_are_understood() {
    let others = ["feiyu-receiver", "feiyu-lead", "call-record", "outgoing-webhook"];
    let texts = others
        .map(example)
        .into_iter()
        .chain(["", "[]", "[{}]", "{}", "just text", "a: 1"].map(String::from));
    for text in texts {
        let problems = read(&text).unwrap_err();
        assert_eq!((problems.len(), problems[0].code), (1, Code::UnknownFile), "{text}");
        for kind in ["crmIntegrations", "connections", "routes", "strategy", "config"] {
            assert!(problems[0].detail.contains(kind), "{}", problems[0].detail);
        }
    }
    let slip = read("crmIntegration: []").unwrap_err();
    assert!(
        slip[0].detail.contains("did you mean `crmIntegrations`?"),
        "{}",
        slip[0].detail
    );
    assert!(read("").unwrap_err()[0].detail.contains("is empty"));
}

const OWN: &str = r##"
connections:
  - key: primary-crm
    connector: hubspot
    name: Основная CRM
    priority: 1
    auth: token
    secrets: {token: pat-example}
    mappings:
      ticket:
        subject: "{{category}} - {{messageContent|truncate:50}}"
    rules:
      conditions:
        - {field: category, operator: equals, value: 技术支持}
        - priority == "high"
      actions: [create_ticket]
  - {key: later, connector: webhook, enabled: false}
routes:
  - key: support
    on: message.*
    when: category == "技术支持"
    to:
      - primary-crm
      - {system: slack, objects: [message], channels: ["#support"], options: {thread: true}}
  - {key: sales, strategy: primary_backup, to: [salesforce, hubspot], sync_back: true, enabled: false}
  - key: by-language
    on: lead.received
    strategy: category_routing
    field: language
    routes: {vi: [notion], ru: []}
    otherwise: [hubspot]
"##;

#[test]
fn the_own_form_holds_connections_and_routes_in_yaml_or_json() {
    let read_yaml = items(OWN);
    let as_json = Document::parse(OWN, "f").unwrap().into_value().to_string();
    assert_eq!(read_yaml, items(&as_json));
    let [
        Item::Connection(crm),
        Item::Connection(later),
        Item::Route(support),
        Item::Route(sales),
        Item::Route(language),
    ] = read_yaml.as_slice()
    else {
        panic!("{read_yaml:?}");
    };
    assert_eq!(
        (crm.key.as_str(), crm.name.as_str(), crm.auth_kind.as_str()),
        ("primary-crm", "Основная CRM", "token")
    );
    assert_eq!(
        (crm.secrets["token"].as_str(), &crm.objects),
        (Some("pat-example"), &vec!["ticket".to_owned()])
    );
    let condition = crm.condition.as_deref().unwrap();
    assert!(
        condition.starts_with('(') && condition.ends_with("&& (priority == \"high\")"),
        "{condition}"
    );
    assert_eq!(
        (later.enabled, later.priority, later.condition.as_deref()),
        (false, 100, None)
    );
    assert_eq!(later.name, REGISTRY.get("webhook").unwrap().name);

    let slack = Target {
        objects: vec!["message".into()],
        options: object(json!({"thread": true, "channels": ["#support"]})),
        ..target("slack")
    };
    assert_eq!(
        (support.on.as_str(), support.condition.as_deref()),
        ("message.*", Some("category == \"技术支持\""))
    );
    assert_eq!(
        support.strategy,
        RouteStrategy::ParallelSync {
            targets: vec![target("primary-crm"), slack]
        }
    );
    let (primary, backup) = (target("salesforce"), target("hubspot"));
    assert_eq!(
        sales.strategy,
        RouteStrategy::PrimaryBackup {
            primary,
            backup,
            sync_back: true
        }
    );
    assert!(!sales.enabled);
    let routes = IndexMap::from([("vi".to_owned(), vec![target("notion")]), ("ru".to_owned(), vec![])]);
    let otherwise = vec![target("hubspot")];
    assert_eq!(
        language.strategy,
        RouteStrategy::CategoryRouting {
            field: "language".into(),
            routes,
            otherwise
        }
    );
}

#[test]
fn every_form_of_an_action_says_which_objects_are_made() {
    let table = [
        (json!([]), &[][..]),
        (json!(["create_lead"]), &["lead"]),
        (json!("create_lead"), &["lead"]),
        (json!([{"type": "create", "object": "case"}]), &["case"]),
        (
            json!([{"action": "create_lead"}, {"type": "create_case"}]),
            &["lead", "case"],
        ),
        (
            json!([{"type": "create", "objects": ["lead", "case"]}, "create_lead"]),
            &["lead", "case"],
        ),
    ];
    for (actions, objects) in table {
        let file = json!({"connections": [{"key": "k", "connector": "salesforce", "rules": {"actions": actions}}]});
        assert_eq!(connection(&file.to_string()).objects, objects, "{file}");
    }
}

#[test]
fn every_form_of_a_condition_becomes_cel() {
    let one = json!({"field": "category", "operator": "equals", "value": "销售"});
    let table = [
        (json!([]), None),
        (json!(null), None),
        (json!("priority == 'high'"), Some("priority == 'high'")),
        (json!(["priority == 'high'"]), Some("priority == 'high'")),
        (
            json!(["a == 1", "b == 2 || c == 3"]),
            Some("(a == 1) && (b == 2 || c == 3)"),
        ),
    ];
    let condition = |conditions: &Value| {
        let file = json!({"connections": [{"key": "k", "connector": "webhook", "rules": {"conditions": conditions}}]});
        connection(&file.to_string()).condition
    };
    for (conditions, expected) in table {
        assert_eq!(condition(&conditions).as_deref(), expected, "{conditions}");
    }
    let cel = condition(&one).unwrap();
    assert!(cel.contains("category") && cel.contains("销售"), "{cel}");
    assert_eq!(condition(&json!([one])), Some(cel));
}

/// A file with one mistake, where it is, and what is said about it.
type Mistake = (&'static str, &'static str, Code, &'static str);

fn assert_each_is_told(table: &[Mistake]) {
    for (text, place, code, part) in table {
        let problems = read(text).unwrap_err();
        assert_eq!(problems.len(), 1, "{text}: {problems:#?}");
        let problem = &problems[0];
        assert_eq!(
            (problem.place.as_deref(), problem.code),
            (Some(*place), *code),
            "{text}: {problem}"
        );
        assert!(problem.detail.contains(part), "{text}: {}", problem.detail);
        assert!(!problem.next.is_empty(), "{text}");
    }
}

#[test]
fn a_mistake_in_a_connection_is_told_with_its_place_and_what_to_do() {
    use Code::{ConditionSyntax, ObjectUnsupported, TemplateSyntax, UnknownConnector, UnknownKey, WrongValue};
    assert_each_is_told(&[
        (
            "crmIntegrations: {}",
            "f:1:18",
            WrongValue,
            "`crmIntegrations` must be a list, but it is an object",
        ),
        ("crmIntegrations: [7]", "f:1:19", WrongValue, "`0` must be an object"),
        (
            "connections: []\nconnectons: []",
            "f:2:1",
            UnknownKey,
            "did you mean `connections`?",
        ),
        (
            "connections: [{key: a}]",
            "f:1:15",
            WrongValue,
            "`connector` is missing",
        ),
        (
            "connections: [{connector: hubspot}]",
            "f:1:15",
            WrongValue,
            "`key` is missing",
        ),
        (
            "connections: [{key: a, connector: hubspott}]",
            "f:1:35",
            UnknownConnector,
            "did you mean `hubspot`?",
        ),
        (
            "connections: [{key: a/b, connector: hubspot}]",
            "f:1:21",
            WrongValue,
            "`a/b` cannot be a name",
        ),
        (
            "connections: [{key: 7, connector: hubspot}]",
            "f:1:21",
            WrongValue,
            "must be a text, but it is a number",
        ),
        (
            "connections: [{key: a, connector: hubspot, enabled: yes}]",
            "f:1:53",
            WrongValue,
            "`true` or `false`",
        ),
        (
            "connections: [{key: a, connector: hubspot, priority: 1.5}]",
            "f:1:54",
            WrongValue,
            "whole number",
        ),
        (
            "connections: [{key: a, connector: hubspot, mapping: {}}]",
            "f:1:44",
            UnknownKey,
            "did you mean `mappings`?",
        ),
        (
            "connections: [{key: a, connector: hubspot, settings: 7}]",
            "f:1:54",
            WrongValue,
            "must be an object",
        ),
        (
            "connections:\n- {key: a, connector: hubspot}\n- {key: a, connector: notion}",
            "f:3:3",
            WrongValue,
            "another connection `a`, at f:2:3",
        ),
        ("type: hubspot", "f:1:1", WrongValue, "`config` is missing"),
        ("config: {}", "f:1:1", WrongValue, "`type` is missing"),
        (
            "type: hubspot\nconfig: []",
            "f:2:9",
            WrongValue,
            "`config` must be an object",
        ),
        (
            "connections: [{key: a, connector: hubspot, mappings: {contat: {a: b}}}]",
            "f:1:63",
            ObjectUnsupported,
            "no object `contat`; did you mean `contact`?",
        ),
        (
            "connections: [{key: a, connector: hubspot, mappings: {contact: x}}]",
            "f:1:64",
            WrongValue,
            "an object",
        ),
        (
            "connections:\n- key: a\n  connector: hubspot\n  mappings:\n    contact:\n      firstname: \"客 {{ x | bogus }}\"\n",
            "f:6:28",
            TemplateSyntax,
            "bogus",
        ),
        (
            "{\"type\":\"hubspot\",\"config\":{\"mappings\":{\"contact\":{\"a\":[\"\\u00e9 {{ x | bogus }}\"]}}}}",
            "f:1:72",
            TemplateSyntax,
            "bogus",
        ),
        (
            "connections: [{key: a, connector: hubspot, rules: {conditions: [\"a === 1\"]}}]",
            "f:1:65",
            ConditionSyntax,
            "cannot be read",
        ),
        (
            "connections: [{key: a, connector: hubspot, rules: {conditions: [{field: a, operator: resembles, value: 1}]}}]",
            "f:1:65",
            ConditionSyntax,
            "equals",
        ),
        (
            "connections: [{key: a, connector: hubspot, rules: {conditions: [7]}}]",
            "f:1:65",
            WrongValue,
            "a condition",
        ),
        (
            "connections: [{key: a, connector: hubspot, rules: {when: x}}]",
            "f:1:52",
            UnknownKey,
            "`when`",
        ),
        (
            "connections: [{key: a, connector: hubspot, rules: {actions: [delete_contact]}}]",
            "f:1:62",
            WrongValue,
            "no known action",
        ),
        (
            "connections: [{key: a, connector: hubspot, rules: {actions: [{type: craete}]}}]",
            "f:1:69",
            WrongValue,
            "did you mean `create`?",
        ),
        (
            "connections: [{key: a, connector: hubspot, rules: {actions: [{type: create}]}}]",
            "f:1:62",
            WrongValue,
            "what to create",
        ),
        (
            "connections: [{key: a, connector: hubspot, rules: {actions: [{object: contact}]}}]",
            "f:1:62",
            WrongValue,
            "`type` is missing",
        ),
        (
            "connections: [{key: a, connector: hubspot, rules: {actions: [create_tickt]}}]",
            "f:1:62",
            ObjectUnsupported,
            "did you mean `ticket`?",
        ),
        (
            "connections: [{key: a, connector: hubspot, rules: {actions: [7]}}]",
            "f:1:62",
            WrongValue,
            "an action",
        ),
        (
            "connections: [{key: a, connector: hubspot, mappings: {contact: {a: b}}, rules: {actions: [create_ticket]}}]",
            "f:1:91",
            WrongValue,
            "`mappings` does not say how",
        ),
    ]);
}

#[test]
fn a_mistake_in_a_route_is_told_with_its_place_and_what_to_do() {
    use Code::{ConditionSyntax, UnknownEventType, UnknownKey, WrongValue};
    assert_each_is_told(&[
        ("routes: [{to: [a]}]", "f:1:10", WrongValue, "`key` is missing"),
        ("routes: [{key: r}]", "f:1:10", WrongValue, "`to` is missing"),
        ("routes: [{key: r, to: []}]", "f:1:23", WrongValue, "goes nowhere"),
        ("routes: [{key: r, to: a}]", "f:1:23", WrongValue, "must be a list"),
        (
            "routes: [{key: r, to: [7]}]",
            "f:1:24",
            WrongValue,
            "the name of a connection",
        ),
        ("routes: [{key: r, to: ['']}]", "f:1:24", WrongValue, "has no name"),
        (
            "routes: [{key: r, to: [{objects: [lead]}]}]",
            "f:1:24",
            WrongValue,
            "`system` is missing",
        ),
        (
            "routes: [{key: r, to: [{system: a, object: lead}]}]",
            "f:1:36",
            UnknownKey,
            "did you mean `objects`?",
        ),
        (
            "routes: [{key: r, to: [{system: a, objects: [1]}]}]",
            "f:1:46",
            WrongValue,
            "must be a text",
        ),
        (
            "routes: [{key: r, to: [a], on: message.recieved}]",
            "f:1:32",
            UnknownEventType,
            "did you mean `message.received`?",
        ),
        (
            "routes: [{key: r, to: [a], on: 'massage.*'}]",
            "f:1:32",
            UnknownEventType,
            "massage.*",
        ),
        (
            "routes: [{key: r, to: [a], on: 'mess*'}]",
            "f:1:32",
            UnknownEventType,
            "mess*",
        ),
        (
            "routes: [{key: r, to: [a], when: a === 1}]",
            "f:1:34",
            ConditionSyntax,
            "cannot be read",
        ),
        (
            "routes: [{key: r, to: [a], wen: 'true'}]",
            "f:1:28",
            UnknownKey,
            "did you mean `when`?",
        ),
        (
            "routes: [{key: r, strategy: paralel_sync, to: [a]}]",
            "f:1:29",
            WrongValue,
            "did you mean `parallel_sync`?",
        ),
        (
            "routes: [{key: r, strategy: primary_backup, to: [a]}]",
            "f:1:49",
            WrongValue,
            "a list of two",
        ),
        (
            "routes: [{key: r, strategy: primary_backup, to: [a, a]}]",
            "f:1:10",
            WrongValue,
            "its own backup",
        ),
        (
            "routes: [{key: r, strategy: category_routing}]",
            "f:1:10",
            WrongValue,
            "`routes` is missing",
        ),
        (
            "routes:\n- {key: r, to: [a]}\n- {key: r, to: [b]}",
            "f:3:3",
            WrongValue,
            "another route `r`, at f:2:3",
        ),
        (
            "strategy: round_robin",
            "f:1:11",
            WrongValue,
            "no strategy `round_robin`",
        ),
        ("strategy: 7", "f:1:11", WrongValue, "must be a text"),
        (
            "strategy: parallel_sync\ntargets: [{type: a, chanels: [x]}]",
            "f:2:21",
            UnknownKey,
            "did you mean `channels`?",
        ),
        (
            "strategy: primary_backup\nprimary: {type: a}",
            "f:2:10",
            WrongValue,
            "`fallback` is missing",
        ),
        (
            "strategy: primary_backup\nprimary: {type: a, fallback: b}\nrules: {if_primary_fails: use_backups}",
            "f:3:27",
            WrongValue,
            "did you mean `use_backup`?",
        ),
        (
            "strategy: primary_backup\nprimary: {type: a, fallback: b}\nrules: {syncBack: true}",
            "f:3:9",
            UnknownKey,
            "did you mean `sync_back`?",
        ),
        (
            "strategy: category_routing\nroutes: {a: b}",
            "f:2:13",
            WrongValue,
            "`a` must be a list",
        ),
    ]);
}

#[test]
fn all_mistakes_of_a_file_are_told_at_once() {
    let text = "connections:\n\
                - {key: a, connector: hubspot, enabled: 1, extra: 2, mappings: {contact: {a: '{{ x | bogus }}'}}}\n\
                - {key: b, connector: nowhere}\n\
                routes:\n\
                - {key: r, on: nothing, when: 'a === 1', to: []}\n";
    let problems = read(text).unwrap_err();
    let codes: Vec<Code> = problems.iter().map(|problem| problem.code).collect();
    for code in [
        Code::WrongValue,
        Code::UnknownKey,
        Code::TemplateSyntax,
        Code::UnknownConnector,
        Code::UnknownEventType,
        Code::ConditionSyntax,
    ] {
        assert!(codes.contains(&code), "{code:?} in {codes:?}");
    }
    assert_eq!(codes.len(), 7, "{problems:#?}");
    assert!(
        problems
            .iter()
            .all(|problem| problem.place.as_deref().is_some_and(|place| place.starts_with("f:")))
    );
}

#[test]
fn no_secret_is_written() {
    let items = items(&example("salesforce"));
    let written = guide::write(&items).to_string();
    assert!(
        !written.contains("your-client-secret") && !written.contains("your-password"),
        "{written}"
    );
    assert!(written.contains("your-instance.salesforce.com"), "{written}");
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z][a-z0-9_.-]{0,12}", "[\\p{Han}\\p{Cyrillic}~\"'{}]{1,8}"]
}

fn any_target() -> impl Strategy<Value = Target> {
    let options = prop::collection::btree_map(word(), word().prop_map(Value::from), 0..3);
    (word(), prop::collection::vec(word(), 0..3), options).prop_map(|(system, objects, options)| Target {
        system,
        objects,
        options: options.into_iter().collect(),
    })
}

fn any_strategy() -> impl Strategy<Value = RouteStrategy> {
    let targets = |least: usize| prop::collection::vec(any_target(), least..4);
    let routes = prop::collection::btree_map(word(), targets(0), 0..4);
    prop_oneof![
        targets(1).prop_map(|targets| RouteStrategy::ParallelSync { targets }),
        (word(), routes, targets(0)).prop_map(|(field, routes, otherwise)| RouteStrategy::CategoryRouting {
            field,
            routes: routes.into_iter().collect(),
            otherwise,
        }),
        (any_target(), any_target(), any::<bool>())
            .prop_filter("a target is not its own backup", |(primary, backup, _)| primary
                != backup)
            .prop_map(|(primary, backup, sync_back)| RouteStrategy::PrimaryBackup {
                primary,
                backup,
                sync_back
            }),
    ]
}

fn any_condition() -> impl Strategy<Value = Option<String>> {
    let quoted = word().prop_map(|word| format!("category == {}", json!(word)));
    prop_oneof![
        Just(None),
        quoted.prop_map(Some),
        Just(Some("has(event.priority) && priority > 3".to_owned()))
    ]
}

fn any_route() -> impl Strategy<Value = RouteSpec> {
    let on = prop::sample::select(vec!["message.received", "call.*", "*", "lead.received"]);
    (word(), on, any_condition(), any_strategy(), any::<bool>()).prop_map(|(key, on, condition, strategy, enabled)| {
        RouteSpec {
            key,
            on: on.to_owned(),
            condition,
            strategy,
            enabled,
        }
    })
}

fn any_connection() -> impl Strategy<Value = ConnectionSpec> {
    let file = prop::sample::select(vec!["salesforce", "hubspot", "notion", "integrations"]);
    (
        file,
        word(),
        word(),
        any::<bool>(),
        any::<i64>(),
        any_condition(),
        any::<bool>(),
    )
        .prop_map(|(file, key, name, enabled, priority, condition, all)| {
            let spec = connection(&example(file));
            let objects = if all {
                spec.mappings.keys().cloned().collect()
            } else {
                Vec::new()
            };
            let (secrets, notes) = (Map::new(), Vec::new());
            ConnectionSpec {
                key,
                name,
                enabled,
                priority,
                condition,
                objects,
                secrets,
                notes,
                ..spec
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_back_as_it_was(
        connections in prop::collection::vec(any_connection(), 0..3),
        routes in prop::collection::vec(any_route(), 0..4),
    ) {
        let mut items: Vec<Item> = connections.into_iter().map(Item::Connection).collect();
        items.extend(routes.into_iter().map(Item::Route));
        let mut keys = std::collections::HashSet::new();
        items.retain(|item| keys.insert(match item {
            Item::Connection(spec) => (true, spec.key.clone()),
            Item::Route(spec) => (false, spec.key.clone()),
        }));
        let read_back = read(&guide::write(&items).to_string());
        prop_assert_eq!(read_back, Ok(items));
    }

    #[test]
    fn no_text_makes_reading_panic(text in "(strategy|routes|connections|type|config|to|a)(: ?|:\n ?- ?)[\\PC\n]{0,60}") {
        if let Ok(document) = Document::parse(&text, "f") {
            let _ = guide::read(&document, &REGISTRY);
        }
    }
}
