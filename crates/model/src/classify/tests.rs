use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

fn classifier(spec: Value) -> Classifier {
    let spec: ClassifierSpec = serde_json::from_value(spec).unwrap();
    Classifier::compile(spec).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn preset() -> Classifier {
    classifier(json!({"preset": "customer-service", "otherwise": {"category": "other", "priority": "normal"}}))
}

fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

/// The data of a message as it goes on.
fn classified(classifier: &Classifier, data: Value) -> Value {
    let mut data = map(data);
    if Classifier::is_asked(EventType::MESSAGE, &data) {
        let mut decision = classifier.decide(&data);
        classifier.settle(&mut decision);
        decision.apply(&mut data);
    }
    data.into()
}

#[test]
fn the_preset_understands_messages_in_four_languages() {
    let preset = preset();
    for (text, category, priority) in [
        ("我要投诉你们的客服，态度恶劣！", "complaint", "high"),
        ("你好，这个产品多少钱？有优惠吗", "sales", "normal"),
        ("系统登录不了，急需处理", "support", "urgent"),
        ("我想申请退款", "refund", "high"),
        ("请问我的快递什么时候到", "order", "normal"),
        ("Where is my order 1001?", "order", "normal"),
        ("The app crashes when I open it, please fix ASAP", "support", "urgent"),
        ("How much is the pro plan?", "sales", "normal"),
        ("I want my money back", "refund", "high"),
        ("Сколько стоит подписка на год?", "sales", "normal"),
        ("Приложение не работает, ошибка 500", "support", "high"),
        ("Хочу оставить жалобу на менеджера", "complaint", "high"),
        ("Оформите возврат денег, пожалуйста", "refund", "high"),
        ("Tôi muốn hoàn tiền", "refund", "high"),
        ("Cho mình hỏi giá sản phẩm này", "sales", "normal"),
        ("Ứng dụng bị lỗi, không đăng nhập được", "support", "high"),
        ("Bao giờ giao hàng vậy shop?", "order", "normal"),
        ("Tôi muốn khiếu nại về nhân viên", "complaint", "high"),
        ("12345", "other", "normal"),
    ] {
        let found = classified(&preset, json!({"messageContent": text}));
        assert_eq!(
            (&found["category"], &found["priority"]),
            (&json!(category), &json!(priority)),
            "{text}: {found}"
        );
    }
}

#[test]
fn what_was_decided_says_who_decided_it_and_why() {
    let found = classified(
        &preset(),
        json!({"messageContent": "Срочно! Не работает вход", "platform": "telegram"}),
    );
    assert_eq!(
        found,
        json!({
            "messageContent": "Срочно! Не работает вход", "platform": "telegram", "category": "support", "priority": "urgent",
            "classified": {
                "category": {"by": "rule", "rule": "fault", "found": "не работает"},
                "priority": {"by": "rule", "rule": "urgent", "found": "срочн*"}
            }
        })
    );
    let nothing = classified(&preset(), json!({"messageContent": "…"}));
    assert_eq!(nothing["classified"]["category"], json!({"by": "otherwise"}));
}

#[test]
fn what_the_sender_said_stays() {
    let preset = preset();
    let given = json!({"messageContent": "退款", "category": "VIP", "priority": "low"});
    assert_eq!(classified(&preset, given.clone()), given);
    let half = classified(
        &preset,
        json!({"messageContent": "退款", "category": "VIP", "priority": " "}),
    );
    assert_eq!((&half["category"], &half["priority"]), (&json!("VIP"), &json!("high")));
    assert_eq!(
        half["classified"],
        json!({"priority": {"by": "rule", "rule": "refund", "found": "退款", "was": " "}})
    );
    let elsewhere = json!({"messageContent": "退款", "classified": {"by": "them"}});
    assert_eq!(classified(&preset, elsewhere.clone()), elsewhere);
    let other_type = map(json!({"messageContent": "退款"}));
    assert!(!Classifier::is_asked(
        EventType::find("lead.received").unwrap(),
        &other_type
    ));
}

#[test]
fn own_rules_come_before_the_preset_and_can_ask_for_more_than_words() {
    let classifier = classifier(json!({
        "preset": "customer-service",
        "rules": [
            {"name": "vip", "when": "platform == 'wework' && amount > 100", "priority": "urgent", "tags": ["vip"]},
            {"name": "own refund", "words": ["退款"], "when": "orderId != null", "category": "after-sales", "tags": ["refund", "vip"]}
        ]
    }));
    let found = classified(
        &classifier,
        json!({"messageContent": "退款", "platform": "wework", "amount": 101, "orderId": 7}),
    );
    assert_eq!(found["category"], "after-sales");
    assert_eq!(found["priority"], "urgent");
    assert_eq!(found["tags"], json!(["vip", "refund"]));
    assert_eq!(found["classified"]["tags"]["vip"], json!({"by": "rule", "rule": "vip"}));
    let without = classified(&classifier, json!({"messageContent": "退款", "tags": ["mine"]}));
    assert_eq!(
        (&without["category"], &without["tags"]),
        (&json!("refund"), &json!(["mine"]))
    );
}

#[test]
fn the_preset_speaks_in_the_users_own_words() {
    let chinese = classifier(json!({"preset": "customer-service-zh", "names": {"销售线索": "线索", "normal": "普通"}}));
    let found = classified(&chinese, json!({"messageContent": "多少钱"}));
    assert_eq!(
        (&found["category"], &found["priority"]),
        (&json!("线索"), &json!("普通"))
    );
    assert_eq!(chinese.categories()[1], "投诉");
}

#[test]
fn a_model_is_asked_about_what_the_rules_leave_open_or_always() {
    let spec = |ask: &str, enabled: bool| {
        classifier(json!({
            "rules": [{"name": "refund", "words": ["退款"], "category": "refund", "priority": "high"}],
            "model": {"model": "m", "ask": ask, "enabled": enabled}
        }))
    };
    let decide = |classifier: &Classifier, text: &str| {
        let decision = classifier.decide(&map(json!({"messageContent": text})));
        classifier.model_for(&decision).is_some()
    };
    assert!(!decide(&spec("undecided", true), "退款"));
    assert!(decide(&spec("undecided", true), "你好"));
    assert!(decide(&spec("always", true), "退款"));
    assert!(!decide(&spec("always", false), "你好"));
}

#[test]
fn everything_that_is_wrong_is_told_with_its_place() {
    let spec = json!({
        "fields": [], "preset": "customer-servise",
        "rules": [
            {"name": "", "words": ["*"], "category": "a"},
            {"name": "b", "category": "a"},
            {"name": "c", "words": ["x"]},
            {"name": "d", "when": "platform ===", "priority": "low"}
        ],
        "model": {"model": "", "base_url": "openai", "timeout_ms": 5}
    });
    let problems = Classifier::compile(serde_json::from_value(spec).unwrap()).unwrap_err();
    let places: Vec<&str> = problems.iter().filter_map(|problem| problem.place.as_deref()).collect();
    for place in [
        "/fields",
        "/preset",
        "/rules/0",
        "/rules/0/words/0",
        "/rules/1",
        "/rules/2",
        "/rules/3/when",
        "/model",
        "/model/base_url",
        "/model/timeout_ms",
    ] {
        assert!(places.contains(&place), "{place}: {problems:#?}");
    }
    let preset = problems
        .iter()
        .find(|problem| problem.place.as_deref() == Some("/preset"))
        .unwrap();
    assert!(
        preset.detail.contains("did you mean `customer-service`?"),
        "{}",
        preset.detail
    );
}

#[test]
fn each_preset_compiles_and_each_of_its_words_finds_its_rule_or_an_earlier_one() {
    for preset in &preset::PRESETS {
        let rules = preset.rules();
        let classifier = classifier(json!({"preset": preset.name}));
        for (at, rule) in rules.iter().enumerate() {
            for word in &rule.words {
                let text = word.trim_matches('*');
                let found = classifier.words.find(text, rules.len());
                assert!(found[..=at].iter().any(Option::is_some), "{word} of {}", rule.name);
            }
        }
    }
}

proptest! {
    #[test]
    fn nothing_that_the_sender_said_is_changed(
        text in "\\PC{0,40}", category in prop::option::of("[a-z]{1,6}"), priority in prop::option::of("[a-z]{1,6}")
    ) {
        let mut data = map(json!({"messageContent": text, "other": [1, {"a": null}]}));
        data.extend(category.map(|value| ("category".to_owned(), value.into())));
        data.extend(priority.map(|value| ("priority".to_owned(), value.into())));
        let found = classified(&preset(), data.clone().into());
        for (name, value) in &data {
            prop_assert_eq!(&found[name], value);
        }
        // What was added is named, and nothing else was added.
        for (name, _) in found.as_object().unwrap() {
            let named = name == CLASSIFIED || found[CLASSIFIED].get(name).is_some();
            prop_assert!(data.contains_key(name) || named, "{}", name);
        }
        prop_assert!(found.get("category").is_some() && found.get("priority").is_some());
    }

    #[test]
    fn classifying_twice_is_as_good_as_once(text in "\\PC{0,40}") {
        let once = classified(&preset(), json!({"messageContent": text}));
        prop_assert_eq!(classified(&preset(), once.clone()), once);
    }
}
