//! Laws of reading and writing configuration.

use std::{collections::HashSet, sync::LazyLock};

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use switchboard_connect::{
    document::Document,
    guide::{self, ClassifierItem, Item},
    registry::Registry,
};
use switchboard_model::{
    classify::{Ask, ClassifierSpec, Dialect, ModelSpec, Output, RuleSpec, Verdict},
    connection::{ConnectionSpec, ValueRules},
    problem::Problem,
    route::{RouteSpec, Strategy as RouteStrategy, Target},
};

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::embedded().expect("the embedded connectors load"));

const EXAMPLES: [&str; 4] = [
    include_str!("examples/salesforce.json"),
    include_str!("examples/hubspot.json"),
    include_str!("examples/notion.json"),
    include_str!("examples/integrations.json"),
];

fn read(text: &str) -> Result<Vec<Item>, Vec<Problem>> {
    let document = Document::parse(text, "f").map_err(|problem| vec![problem])?;
    guide::read(&document, &REGISTRY)
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

fn connection(text: &str) -> ConnectionSpec {
    let first = read(text).ok().and_then(|items| items.into_iter().next());
    let Some(Item::Connection(spec)) = first else {
        panic!("no connection in {text}")
    };
    spec
}

fn any_connection() -> impl Strategy<Value = ConnectionSpec> {
    let file = prop::sample::select(EXAMPLES.to_vec());
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
            let spec = connection(file);
            let objects = if all {
                spec.mappings.keys().cloned().collect()
            } else {
                Vec::new()
            };
            let (secrets, notes) = (Map::new(), Vec::new());
            let values = ValueRules {
                country: all.then(|| "VN".to_owned()),
                time_zone: all.then(|| "Asia/Shanghai".to_owned()),
                ..ValueRules::default()
            };
            ConnectionSpec {
                key,
                name,
                enabled,
                priority,
                condition,
                objects,
                secrets,
                notes,
                values,
                ..spec
            }
        })
}

fn any_classifier() -> impl Strategy<Value = Item> {
    let word = "[a-zа-я退款]{1,8}\\*?";
    let verdict = (prop::option::of("[a-z]{1,6}"), "[a-z]{1,6}").prop_map(|(category, priority)| Verdict {
        category,
        priority: Some(priority),
        tags: vec!["метка".into()],
    });
    let rule = (
        "\\PC{1,10}",
        prop::collection::vec(word, 1..4),
        prop::option::of(Just("platform == 'x'".to_owned())),
        verdict,
    );
    let rule = rule
        .prop_filter("a name of blanks is none", |(name, ..)| !name.trim().is_empty())
        .prop_map(|(name, words, when, verdict)| RuleSpec {
            name,
            words,
            when,
            verdict,
        });
    let model = (
        prop::sample::select(&[Ask::Undecided, Ask::Always]),
        0u64..1_000_000,
        prop::option::of("\\PC{1,20}"),
    );
    let model = model.prop_map(|(ask, tokens_per_day, instructions)| ModelSpec {
        model: "m".into(),
        ask,
        output: Output::Plain,
        dialect: Dialect::Compatible,
        categories: [("продажи".to_owned(), "покупает".to_owned())].into_iter().collect(),
        tokens_per_day,
        instructions,
        ..ModelSpec::default()
    });
    let parts = (
        any::<bool>(),
        prop::collection::vec(rule, 0..3),
        prop::option::of(model),
    );
    parts.prop_map(|(enabled, rules, model)| {
        let spec = ClassifierSpec {
            enabled,
            rules,
            model,
            preset: Some("customer-service".into()),
            names: [("sales".to_owned(), "销售".to_owned())].into_iter().collect(),
            ..ClassifierSpec::default()
        };
        Item::Classifier(Box::new(ClassifierItem { spec, api_key: None }))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_back_as_it_was(
        connections in prop::collection::vec(any_connection(), 0..3),
        routes in prop::collection::vec(any_route(), 0..4),
        classifier in prop::option::of(any_classifier()),
    ) {
        let mut items: Vec<Item> = connections.into_iter().map(Item::Connection).collect();
        items.extend(routes.into_iter().map(Item::Route));
        items.extend(classifier);
        let mut keys = HashSet::new();
        items.retain(|item| keys.insert(match item {
            Item::Connection(spec) => (true, spec.key.clone()),
            Item::Route(spec) => (false, spec.key.clone()),
            Item::Classifier(_) | Item::Defaults(_) => (false, String::new()),
            Item::Object(name, _) | Item::List(name, _) => (false, name.clone()),
            Item::Source(spec) => (false, spec.key.clone()),
            Item::Automation(spec) => (false, spec.key.clone()),
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

#[test]
fn tables_and_lists_read_back_as_they_were_written() {
    let file = json!({
        "tables": [
            {"key": "customers", "title": "客户", "country": "CN", "keys": ["clue_id"], "fields": {"clue_id": "text", "phone": {"type": "phone"}}},
            {"name": "people", "fields": [{"name": "tier", "type": "select", "options": ["gold"]}]}
        ],
        "objects": {"visits": {"fields": {"at": "datetime"}}},
        "lists": {"channels": {"7": "Partners"}, "rates": {"title": "Rates", "values": {"EUR": 1}}}
    });
    let items = read(&file.to_string()).unwrap();
    let names: Vec<&str> = items
        .iter()
        .map(|item| match item {
            Item::Object(name, _) | Item::List(name, _) => name.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["visits", "customers", "people", "channels", "rates"]);
    let written = guide::write(&items);
    assert_eq!(read(&written.to_string()).unwrap(), items);
    assert_eq!(written["lists"]["channels"], json!({"7": "Partners"}));
    assert_eq!(written["tables"][1]["key"], "customers");
}

#[test]
fn automations_are_read_and_written() {
    let file = json!({"automations": [
        {"key": "a", "on": ["order.*", "lead.received"], "when": "total > 5", "steps": [{"name": "x", "stop": "{{ total }}"}]},
        {"key": "b", "on": "*", "enabled": false, "steps": [{"wait": "2 hours"}, {"stop": true}]}
    ]});
    let items = read(&file.to_string()).unwrap();
    assert!(matches!(&items[..], [Item::Automation(a), Item::Automation(b)] if a.key == "a" && b.key == "b"));
    assert_eq!(read(&guide::write(&items).to_string()), Ok(items));
    let wrong = "automations:\n  - key: a\n    on: order.made\n    steps:\n      - notify: {to: slack, mesage: x}\n";
    let places: Vec<String> = read(wrong)
        .unwrap_err()
        .into_iter()
        .filter_map(|problem| problem.place)
        .collect();
    assert_eq!(places.len(), 3, "{places:?}");
    assert!(
        places[0].ends_with(":3:9") && places.iter().skip(1).all(|place| place.contains(":5:")),
        "{places:?}"
    );
}
