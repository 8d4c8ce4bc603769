use serde_json::{Value, json};
use switchboard_connect::registry::Registry;
use switchboard_model::{
    classify::{Because, Verdict},
    id::WorkspaceId,
};

use super::*;
use crate::{
    clock::ManualClock,
    configuration::{Configuration, Tools},
    lane::Gates,
    store::{DefinitionKind, DefinitionRow, StoredConfiguration},
    vault::{MasterKey, Vault},
};

const WORKSPACE: WorkspaceId = WorkspaceId(1);

fn configuration(spec: Value) -> Configuration {
    let row = DefinitionRow {
        workspace: WORKSPACE,
        kind: DefinitionKind::Classifier,
        key: "main".into(),
        spec,
        sealed: Vec::new(),
        changed_ms: 1,
    };
    let stored = StoredConfiguration {
        definitions: vec![row],
        ..StoredConfiguration::default()
    };
    let tools = Tools {
        vault: Vault::new(MasterKey::from_bytes([1; 32])),
        gates: Gates::new(std::sync::Arc::new(ManualClock::at(0))),
    };
    Configuration::compile(
        stored,
        &Configuration::default(),
        &Registry::embedded().unwrap(),
        &tools,
    )
}

fn rules(model: Value) -> Value {
    json!({
        "rules": [{"name": "refund", "words": ["退款"], "category": "refund", "priority": "high"}],
        "otherwise": {"category": "other", "priority": "normal"}, "model": model,
    })
}

fn message(text: &str) -> Map<String, Value> {
    json!({"messageContent": text}).as_object().cloned().unwrap()
}

fn taken(configuration: &Configuration, text: &str) -> (EventType, Value) {
    let mut data = Content::from(message(text));
    let kind = at_intake(configuration.workspace(WORKSPACE), EventType::MESSAGE, &mut data);
    (kind, data.into_parts().0.into())
}

#[test]
fn rules_decide_at_once_and_a_model_makes_a_message_wait_as_it_came() {
    let with_rules = configuration(rules(Value::Null));
    let (kind, data) = taken(&with_rules, "我要退款");
    assert_eq!(
        (kind, &data["category"], &data["priority"]),
        (EventType::MESSAGE, &json!("refund"), &json!("high"))
    );
    assert_eq!(taken(&with_rules, "你好").1["category"], "other");
    let with_model = configuration(rules(json!({"model": "m"})));
    assert_eq!(
        taken(&with_model, "你好"),
        (EventType::UNCLASSIFIED, json!({"messageContent": "你好"}))
    );
    assert_eq!(taken(&with_model, "退款").0, EventType::MESSAGE);
}

#[test]
fn nothing_happens_without_a_classifier_and_with_one_that_is_switched_off_or_broken() {
    let mut off = rules(Value::Null);
    off["enabled"] = false.into();
    let mut broken = rules(Value::Null);
    broken["rules"][0]["when"] = "((".into();
    for spec in [off, broken, json!("no object")] {
        let configuration = configuration(spec);
        assert_eq!(
            taken(&configuration, "退款"),
            (EventType::MESSAGE, json!({"messageContent": "退款"}))
        );
        let entry = configuration
            .workspace(WORKSPACE)
            .and_then(|workspace| workspace.classifier_entry());
        assert!(entry.is_some(), "it is kept");
    }
    let mut data = Content::from(message("退款"));
    assert_eq!(at_intake(None, EventType::MESSAGE, &mut data), EventType::MESSAGE);
}

#[test]
fn what_a_model_chose_fills_what_the_rules_left_open_or_comes_before_them() {
    let answer = |category: &str| {
        Some(Ok(Answered {
            verdict: Verdict {
                category: Some(category.into()),
                priority: Some("low".into()),
                tags: Vec::new(),
            },
            because: Because::Model {
                model: "m".into(),
                reason: Some("it says so".into()),
            },
        }))
    };
    let went_on = |ask: &str, text: &str, answer| {
        let configuration = configuration(rules(json!({"model": "m", "ask": ask})));
        let entry = configuration
            .workspace(WORKSPACE)
            .and_then(|workspace| workspace.classifier_entry());
        Value::from(after_waiting(
            entry.map(|entry| &**entry),
            EventId(7),
            message(text),
            answer,
        ))
    };
    let open = went_on("undecided", "你好", answer("sales"));
    assert_eq!((&open["category"], &open["priority"]), (&json!("sales"), &json!("low")));
    assert_eq!(
        open["classified"]["category"],
        json!({"by": "model", "model": "m", "reason": "it says so"})
    );
    assert_eq!(open["classified"]["waited_as"], EventId(7).to_string());
    assert_eq!(went_on("undecided", "退款", answer("sales"))["category"], "refund");
    assert_eq!(went_on("always", "退款", answer("sales"))["category"], "sales");
    let failed = went_on("always", "退款", Some(Err("no money".into())));
    assert_eq!(failed["category"], "refund");
    assert_eq!(failed["classified"]["note"], "decided without the model: no money");
}

#[test]
fn a_message_goes_on_as_it_came_when_the_classifier_is_gone() {
    assert_eq!(after_waiting(None, EventId(7), message("你好"), None), message("你好"));
}

#[test]
fn what_is_made_of_one_waiting_message_is_recognised_whatever_was_answered() {
    assert_eq!(fingerprint(EventId(7)), fingerprint(EventId(7)));
    assert_ne!(fingerprint(EventId(7)).key, fingerprint(EventId(8)).key);
}
