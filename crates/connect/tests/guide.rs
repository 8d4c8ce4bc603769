//! Configuration files: those that users have are read unchanged, and whatever is wrong with one is said at once.

use std::sync::LazyLock;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};
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
    for (name, slug, objects) in [
        ("salesforce", "salesforce", &[("lead", "lead"), ("case", "case")][..]),
        ("hubspot", "hubspot", &[("contact", "contact"), ("ticket", "ticket")]),
        ("notion", "notion", &[("page", "page")]),
        ("dingtalk", "dingtalk", &[("task", "task")]),
        ("monday", "monday", &[("item", "item")]),
        ("wework", "wecom", &[("oa_approval", "oa_approval")]),
    ] {
        let text = example(name);
        let spec = connection(&text);
        assert_eq!(
            (spec.key.as_str(), spec.connector.as_str(), spec.enabled),
            (name, slug, true)
        );
        let ours: Vec<_> = objects.iter().map(|(_, ours)| *ours).collect();
        assert_eq!(spec.mappings.keys().collect::<Vec<_>>(), ours, "{name}");
        let written: Value = serde_json::from_str(&text).unwrap();
        for (theirs, ours) in objects {
            assert_eq!(
                spec.mappings[*ours], written["config"]["mappings"][theirs],
                "{name} {theirs}"
            );
        }
        assert!(!spec.secrets.is_empty(), "{name} has credentials");
        let checked = REGISTRY
            .get(slug)
            .unwrap()
            .check(&spec.auth_kind, &spec.settings, &spec.secrets);
        assert!(
            checked.problems.is_empty() && checked.missing.is_empty(),
            "{name}: {checked:?}"
        );
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
fn a_system_that_nobody_knows_is_a_mistake_that_names_those_that_there_are() {
    let problems = read(r#"{"type": "salesfroce", "config": {}}"#).unwrap_err();
    assert_eq!((problems.len(), problems[0].code), (1, Code::UnknownConnector));
    assert!(
        problems[0].detail.contains("did you mean `salesforce`"),
        "{}",
        problems[0].detail
    );
    for known in ["salesforce", "hubspot", "notion", "webhook"] {
        assert!(problems[0].next.contains(known), "{}", problems[0].next);
    }
}

#[test]
fn a_file_of_another_kind_is_refused_with_the_kinds_that_are_understood() {
    let others = ["feiyu-lead", "call-record", "outgoing-webhook"];
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
    assert_eq!(later.name, REGISTRY.get("webhook").unwrap().name());

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
        (
            json!(["a == 1 // why", "b == 2"]),
            Some("(a == 1 // why\n) && (b == 2)"),
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
