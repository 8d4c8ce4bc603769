use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn event() -> Value {
    json!({
        "category": "销售线索", "priority": "high", "amount": 1200.5, "count": 3, "vip": true, "tags": ["new", "vip"],
        "messageContent": "Цена? 价格多少", "sender": {"country": "BY"}, "in": "word", "поле": "да", "empty": "",
        "age": "42", "items": [{"price": 5}], "list": "l", "event": "opened", "type": "own", "huge": u64::MAX
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
        ("amount > 1000 && amount < 1201", true),
        ("vip", true),
        ("!vip", false),
        ("'vip' in tags", true),
        ("tags.contains('vip') && !tags.contains('old')", true),
        ("tags[0] == 'new'", true),
        ("tags[-1] == 'vip'", true),
        ("items[0].price * 2 == 10", true),
        ("sender.country == 'BY'", true),
        ("event.sender['country'] == 'BY'", true),
        ("'country' in sender", true),
        ("[sender.country, 'x'][0] == 'BY'", true),
        ("{'a': sender.country}.a == 'BY'", true),
        ("sender == {'country': 'BY'}", true),
        ("messageContent.contains('价格')", true),
        ("messageContent.matches('^Цена')", true),
        ("matches(category, '线索$')", true),
        ("type == 'message.received'", true),
        ("type.startsWith('call.')", false),
        ("event.type == 'own' && event.event == 'opened'", true),
        ("event['поле'] == 'да'", true),
        ("event.list == 'l' && type(tags) == list", true),
        ("has(event.category)", true),
        ("has(event.nothing)", false),
        ("size(tags) == 2 && tags.size() == 2", true),
        ("size(event) > 10", true),
        ("int(age) == 42 && double(count) == 3.0", true),
        ("huge > 5", true),
        ("vip ? priority == 'high' : false", true),
        ("null", false),
    ] {
        assert_eq!(holds(source), Ok(expected), "{source}");
    }
}

#[test]
fn what_an_event_lacks_is_null_at_any_depth() {
    for source in [
        "nothing == null",
        "nothing.deep.er == null",
        "sender.city == null",
        "priority.deeper == null",
        "tags[7] == null",
        "!has(sender.city) && !has(nothing.at.all) && has(sender.country)",
        "nothing != 'x'",
        "!(nothing in ['a', 'b'])",
    ] {
        assert_eq!(holds(source), Ok(true), "{source}");
    }
}

#[test]
fn what_makes_no_sense_decides_nothing() {
    for source in [
        "nothing > 5",
        "!(nothing > 5)",
        "nothing.contains('x')",
        "count.contains('3')",
        "priority > 5",
        "int(priority) > 5",
        "count / 0 == 1",
        "messageContent.matches(event.bad)",
        "nothing > 5 && vip",
    ] {
        assert_eq!(holds(source), Ok(false), "{source}");
    }
    assert_eq!(holds("nothing > 5 || vip"), Ok(true));
    assert_eq!(holds("vip || nothing > 5"), Ok(true));
}

#[test]
fn what_no_event_could_make_right_is_refused() {
    for (source, words) in [
        ("category ==", "line 1, column 12: "),
        ("category = 'x'", "CEL writes `==` for `=`"),
        ("a == 1 and b == 2", "CEL writes `&&` for `and`"),
        ("", "empty"),
        ("   ", "empty"),
        ("tags.all(t, t == 'x')", "loops"),
        ("tags.exists(t, true)", "loops"),
        ("tags.exists_one(t, true)", "loops"),
        ("tags.map(t, t)", "loops"),
        ("tags.filter(t, true)", "loops"),
        ("unknown_function(1)", "no function `unknown_function`"),
        ("category.startWith('x')", "did you mean `startsWith`?"),
        ("contains(category, 'x')", "write `text.contains(…)`"),
        ("category.matches('(')", "no regular expression: unclosed group"),
        ("category.matches('(a{1000}){1000}')", "no regular expression"),
        ("Message{a: 1}", "messages cannot be made"),
        ("optional.of(1)", "no function `of`"),
    ] {
        let error = Condition::parse(source).expect_err(source).to_string();
        assert!(error.contains(words) && !error.contains('\n'), "{source}: {error}");
    }
    assert!(holds("priority").is_err(), "text is neither true nor false");
}

#[test]
fn what_could_exhaust_the_parser_is_refused() {
    for source in [
        "(".repeat(200),
        "!".repeat(2000),
        vec!["true"; 600].join(" && "),
        "a".repeat(5000),
        format!("a{}", ".b".repeat(1500)),
        format!("{}1", "-".repeat(1500)),
        "a ? b : ".repeat(501) + "c",
    ] {
        assert!(Condition::parse(&source).is_err(), "{source}");
    }
    // At the limits it must come back, with whatever answer.
    for source in [
        "!".repeat(499) + "vip",
        "a ? b : ".repeat(240) + "c",
        format!("{}vip{}", "(".repeat(32), ")".repeat(32)),
        format!("a{}", ".b".repeat(490)),
        vec!["vip"; 240].join(" && "),
    ] {
        let _ = holds(&source);
    }
}

#[test]
fn the_read_places_are_known_without_an_event() {
    let condition = Condition::parse("a.b[0] == event.c && has(d['e f'].g) && type == x.y && a.b[0] != event").unwrap();
    let mut paths: Vec<String> = condition.paths().into_iter().map(ToString::to_string).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["a.b[0]", "c", "d[\"e f\"].g", "x.y"]);
}

#[test]
fn the_guides_operators_mean_what_they_say() {
    for (field, operator, value, expected) in [
        ("category", "equals", json!("销售线索"), true),
        ("priority", "!=", json!("low"), true),
        ("sender.city", "not_equals", json!("Minsk"), true),
        ("count", "gte", json!(3), true),
        ("amount", "less_than", json!(1000), false),
        ("amount", "greater_than", json!("1000"), true),
        ("age", ">", json!(41.5), true),
        ("age", "<", json!(7), false),
        ("priority", ">", json!(1), false),
        ("priority", ">", json!("a"), true),
        ("messageContent", "contains", json!("价格"), true),
        ("tags", "contains", json!("vip"), true),
        ("messageContent", "not_contains", json!("abc"), true),
        ("tags", "not_contains", json!("vip"), false),
        ("nothing", "not_contains", json!("abc"), true),
        ("priority", "starts_with", json!("hi"), true),
        ("priority", "ends_with", json!("gh"), true),
        ("priority", "matches", json!("^h.+h$"), true),
        ("priority", "IN", json!(["low", "high"]), true),
        ("priority", "not_in", json!(["low"]), true),
        ("sender.country", "eq", json!("BY"), true),
        ("items.0.price", "equals", json!(5), true),
        ("nothing", "exists", Value::Null, false),
        ("nothing", "not_exists", Value::Null, true),
        ("sender.city", "not_exists", Value::Null, true),
        ("sender.country", "exists", Value::Null, true),
        ("empty", "exists", Value::Null, true),
        ("empty", "is_empty", Value::Null, true),
        ("sender.city", "is_empty", Value::Null, true),
        ("priority", "is_not_empty", Value::Null, true),
        ("count", "is_not_empty", Value::Null, true),
        ("sender", "is_not_empty", Value::Null, true),
        ("in", "equals", json!("word"), true),
        ("поле", "equals", json!("да"), true),
        ("event", "equals", json!("opened"), true),
        ("type", "equals", json!("own"), true),
        ("vip", "equals", json!(true), true),
        ("nothing", "equals", Value::Null, true),
    ] {
        let condition =
            Condition::from_guide(&json!([{"field": field, "operator": operator, "value": value}])).unwrap();
        let result = condition.matches("message.received", &Scope::new(&event()));
        assert_eq!(result, Ok(expected), "{}", condition.source());
    }
}

#[test]
fn a_list_of_guide_conditions_holds_when_all_hold() {
    let guide = |list: Value| {
        Condition::from_guide(&list)
            .unwrap()
            .matches("t", &Scope::new(&event()))
    };
    assert_eq!(Condition::from_guide(&json!([])).unwrap().source(), "true");
    let (yes, no) = (
        json!({"field": "vip", "operator": "exists"}),
        json!({"field": "x", "operator": "exists"}),
    );
    assert_eq!(guide(json!([yes, yes])), Ok(true));
    assert_eq!(guide(json!([yes, no])), Ok(false));
    assert_eq!(guide(yes), Ok(true));
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
        (json!({"field": "a", "operator": "in", "value": "x,y"}), "needs a list"),
        (
            json!({"field": "a", "operator": "starts_with", "value": 1}),
            "needs text",
        ),
        (
            json!({"field": "a", "operator": "regex", "value": "["}),
            "no regular expression",
        ),
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
    fn no_field_name_escapes_its_place(name in "[^.]{1,20}", inner in "[^.]{1,20}") {
        let (name, inner) = (name.trim(), inner.trim());
        prop_assume!(!name.is_empty() && !inner.is_empty());
        let nested = format!("{name}.{inner}");
        for (field, data) in [(name, json!({name: 1})), (&nested, json!({name: {inner: 1}}))] {
            let condition = Condition::from_guide(&json!({"field": field, "operator": "equals", "value": 1})).unwrap();
            prop_assert_eq!(condition.matches("t", &Scope::new(&data)), Ok(true), "{}", condition.source());
            prop_assert_eq!(condition.matches("t", &Scope::new(&json!({}))), Ok(false), "{}", condition.source());
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(source in "\\PC{0,200}|[a-z.()\\[\\]{}'!=<>&|?: 0-9-]{0,60}") {
        if let Ok(condition) = Condition::parse(&source) {
            let _ = condition.matches("t", &Scope::new(&event()));
        }
    }
}
