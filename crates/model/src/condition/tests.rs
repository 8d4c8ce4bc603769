use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn event() -> Value {
    json!({
        "category": "销售线索", "priority": "high", "amount": 1200.5, "count": 3, "vip": true, "tags": ["new", "vip"],
        "messageContent": "Цена? 价格多少", "sender": {"country": "BY"}, "in": "word", "поле": "да", "empty": ""
    })
}

fn holds(source: &str) -> Result<bool, ConditionError> {
    Condition::parse(source)?.matches("message.received", &Scope::new(&event()))
}

#[test]
fn conditions_hold_or_do_not() {
    for (source, expected) in [
        ("category == '销售线索'", true),
        ("category == 'x' || priority == 'high'", true),
        ("count > 2 && amount < 2000.0", true),
        ("vip", true),
        ("!vip", false),
        ("'vip' in tags", true),
        ("tags[0] == 'new'", true),
        ("sender.country == 'BY'", true),
        ("messageContent.contains('价格')", true),
        ("messageContent.matches('^Цена')", true),
        ("type == 'message.received'", true),
        ("type.startsWith('call.')", false),
        ("event['поле'] == 'да'", true),
        ("has(event.category)", true),
        ("has(event.nothing)", false),
        ("size(tags) == 2", true),
    ] {
        assert_eq!(holds(source), Ok(expected), "{source}");
    }
}

#[test]
fn what_is_missing_or_of_another_type_does_not_hold() {
    for source in [
        "nothing == 'x'",
        "nothing > 5",
        "nothing.contains('x')",
        "count.contains('3')",
        "priority > 5",
        "sender.city == 'x'",
        "nothing.deep.er == 1",
        "!(nothing > 5)",
    ] {
        assert_eq!(holds(source), Ok(false), "{source}");
    }
    assert_eq!(holds("nothing == null"), Ok(true));
}

#[test]
fn what_cannot_be_meant_is_an_error() {
    for source in [
        "category ==",
        "",
        "   ",
        "tags.all(t, t == 'x')",
        "tags.exists(t, true)",
        "tags.map(t, t)",
        "tags.filter(t, true)",
        "unknown_function(1)",
    ] {
        assert!(holds(source).is_err(), "{source}");
    }
    assert!(holds("priority").is_err(), "text is neither true nor false");
    assert!(Condition::parse(&"(".repeat(200)).is_err());
    assert!(Condition::parse(&"!".repeat(2000)).is_err());
    assert!(Condition::parse(&vec!["true"; 600].join(" && ")).is_err());
    assert!(Condition::parse(&"a".repeat(5000)).is_err());
}

#[test]
fn the_guides_operators_mean_what_they_say() {
    for (field, operator, value, expected) in [
        ("category", "equals", json!("销售线索"), true),
        ("priority", "!=", json!("low"), true),
        ("count", "gte", json!(3), true),
        ("amount", "less_than", json!(1000), false),
        ("messageContent", "contains", json!("价格"), true),
        ("messageContent", "not_contains", json!("abc"), true),
        ("priority", "starts_with", json!("hi"), true),
        ("priority", "ends_with", json!("gh"), true),
        ("priority", "IN", json!(["low", "high"]), true),
        ("priority", "not_in", json!(["low"]), true),
        ("sender.country", "eq", json!("BY"), true),
        ("nothing", "exists", Value::Null, false),
        ("nothing", "not_exists", Value::Null, true),
        ("empty", "is_empty", Value::Null, true),
        ("nothing", "is_empty", Value::Null, true),
        ("priority", "is_not_empty", Value::Null, true),
        ("in", "equals", json!("word"), true),
        ("поле", "equals", json!("да"), true),
        ("vip", "equals", json!(true), true),
    ] {
        let condition =
            Condition::from_guide(&json!([{"field": field, "operator": operator, "value": value}])).unwrap();
        let result = condition.matches("message.received", &Scope::new(&event()));
        assert_eq!(result, Ok(expected), "{}", condition.source());
    }
    assert_eq!(Condition::from_guide(&json!([])).unwrap().source(), "true");
}

#[test]
fn wrong_guide_conditions_are_explained() {
    for (condition, words) in [
        (
            json!({"field": "a", "operator": "similar", "value": 1}),
            "known are equals",
        ),
        (
            json!({"field": "a", "operator": "equals", "valeu": 1}),
            "did you mean `value`",
        ),
        (json!({"operator": "equals", "value": 1}), "needs `field`"),
        (json!({"field": "a", "operator": "equals"}), "needs a `value`"),
        (json!({"field": "a..b", "operator": "exists"}), "no field"),
        (json!("category"), "expected"),
    ] {
        let error = Condition::from_guide(&condition).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

proptest! {
    /// Whatever stands in a value, the condition compares with exactly that and nothing else.
    #[test]
    fn no_value_escapes_its_quotes(text in "\\PC{0,40}|[\\\\'\"\\n\\r\\x00]{0,12}") {
        let condition = Condition::from_guide(&json!({"field": "f", "operator": "equals", "value": text})).unwrap();
        let same = json!({"f": text});
        let other = json!({"f": format!("{text}x")});
        prop_assert_eq!(condition.matches("t", &Scope::new(&same)), Ok(true));
        prop_assert_eq!(condition.matches("t", &Scope::new(&other)), Ok(false));
    }

    #[test]
    fn no_field_name_escapes_its_place(name in "[^.]{1,20}") {
        prop_assume!(!name.trim().is_empty());
        let name = name.trim().to_owned();
        if let Ok(condition) = Condition::from_guide(&json!({"field": name, "operator": "equals", "value": 1})) {
            let data = Value::Object([(name, json!(1))].into_iter().collect());
            prop_assert_eq!(condition.matches("t", &Scope::new(&data)), Ok(true), "{}", condition.source());
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(source in "\\PC{0,200}") {
        let _ = Condition::parse(&source);
    }
}
