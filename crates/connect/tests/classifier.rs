//! `classifier`, `country`, `time_zone` and `fields` in configuration files.

use std::sync::LazyLock;

use serde_json::{Value, json};
use switchboard_connect::{
    document::Document,
    guide::{self, Item},
    registry::Registry,
};
use switchboard_model::{classify::Output, problem::Problem};

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::embedded().expect("the embedded connectors load"));

fn read(value: &Value) -> Result<Vec<Item>, Vec<Problem>> {
    let document = Document::parse(&value.to_string(), "f").unwrap_or_else(|problem| panic!("{problem}"));
    guide::read(&document, &REGISTRY)
}

fn wrong(value: Value) -> String {
    let problems = read(&value).expect_err("something is wrong with it");
    let lines = problems.iter().map(|problem| {
        let place = problem.place.as_deref().unwrap_or_default();
        assert!(place.starts_with("f:1:"), "{problem:?}");
        format!("{}. {}\n", problem.detail, problem.next)
    });
    lines.collect()
}

#[test]
fn a_classifier_stands_beside_the_lists_of_a_file() {
    let items = read(&json!({
        "connections": [{"key": "hook", "connector": "webhook", "settings": {"url": "https://example.org"}}],
        "classifier": {
            "rules": [{"name": "vip", "when": "amount > 5", "priority": "high"}],
            "model": {
                "model": "m", "api_key": "sk-1", "output": "json_object", "categories": ["продажи", "支持"],
                "budget": {"tokens_per_day": 5}
            }
        }
    }))
    .unwrap();
    let [Item::Connection(_), Item::Classifier(item)] = items.as_slice() else {
        panic!("{items:?}");
    };
    let model = item.spec.model.as_ref().unwrap();
    assert_eq!(
        (model.output, model.tokens_per_day, model.requests_per_day),
        (Output::JsonObject, 5, 1_000)
    );
    assert_eq!(model.categories.keys().collect::<Vec<_>>(), ["продажи", "支持"]);
    assert_eq!(item.api_key.as_deref(), Some("sk-1"));
    assert!(!format!("{item:?}").contains("sk-1"));
    assert!(!guide::write(&items).to_string().contains("sk-1"));
}

#[test]
fn what_is_wrong_with_a_classifier_is_told_all_at_once_with_its_places() {
    let told = wrong(json!({"classifier": {
        "rulse": [], "enabled": "yes", "preset": "customer-servise",
        "rules": [{"name": "a", "words": ["x"], "categroy": "b"}, {"name": "c", "when": "a ==", "category": "d"}],
        "model": {"model": "m", "ask": "allways", "timeout_ms": -1, "budget": {"dollars": 5}, "categories": ["a"]}
    }}));
    for part in [
        "`rulse` is not known here; did you mean `rules`?",
        "`enabled` must be `true` or `false`",
        "did you mean `customer-service`?",
        "did you mean `category`?",
        "rule `a` decides nothing",
        "line 1, column",
        "`allways` is not known here; did you mean `always`?",
        "`dollars` is not known here",
    ] {
        assert!(told.contains(part), "{part}:\n{told}");
    }
}

#[test]
fn values_of_a_connection_have_a_country_a_zone_and_rules_for_their_fields() {
    let connection = |more: Value| {
        let mut connection = json!({"key": "crm", "connector": "salesforce"});
        for (name, value) in more.as_object().unwrap() {
            connection[name] = value.clone();
        }
        json!({"connections": [connection]})
    };
    let items = read(&connection(json!({
        "country": "VN", "time_zone": "Asia/Ho_Chi_Minh", "fields": {"Lead": {"Phone": "phone_e164", "Rating": "default: 'Warm'"}}
    })))
    .unwrap();
    let [Item::Connection(spec)] = items.as_slice() else {
        panic!("{items:?}");
    };
    assert_eq!(spec.values.country.as_deref(), Some("VN"));
    assert_eq!(spec.values.fields["lead"].len(), 2);
    let defaults = read(&json!({"defaults": {"country": "CN", "time_zone": "Asia/Shanghai"}})).unwrap();
    assert_eq!(
        guide::write(&defaults)["defaults"],
        json!({"country": "CN", "time_zone": "Asia/Shanghai"})
    );
    assert!(wrong(json!({"defaults": {"county": "CN"}})).contains("did you mean `country`?"));
    let told = wrong(connection(json!({
        "country": "Vietnam", "time_zone": "Hanoi", "fields": {"led": {}, "lead": {"Phone": "phone_e146", "Rating": "default: 1 }} {{ x"}}
    })));
    for part in [
        "`Vietnam`",
        "`Hanoi`",
        "did you mean `lead`",
        "did you mean `phone_e164`?",
        "filters alone",
    ] {
        assert!(told.to_lowercase().contains(&part.to_lowercase()), "{part}:\n{told}");
    }
}
