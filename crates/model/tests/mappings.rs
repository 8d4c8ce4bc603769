//! Mappings as the guides write them.

use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Value, json};
use switchboard_model::{
    mapping::{Mapping, MappingFault},
    template::{Lookups, Scope},
};

fn rendered(tree: &Value, data: &Value) -> Option<Value> {
    let mapping = Mapping::compile(tree).unwrap_or_else(|errors| panic!("{errors:?}"));
    mapping
        .render(&Scope::new(data))
        .unwrap_or_else(|errors| panic!("{errors:?}"))
}

#[test]
fn what_is_absent_goes_and_what_is_literal_stays() {
    let tree = json!({
        "name": "{{senderName}}", "gone": "{{missing}}", "select": {"name": "{{missing}}"},
        "list": ["{{missing}}", "{{n}}"], "all_gone": ["{{missing}}"], "empty_list": [], "empty_object": {},
        "kept": {"type": "x", "value": "{{missing}}"}, "number": 5, "null": null, "mixed": "a{{missing}}", "deep": {"a": [{"b": {"c": "{{missing}}"}}]}
    });
    assert_eq!(
        rendered(&tree, &json!({"senderName": "张三", "n": 7})),
        Some(json!({
            "name": "张三", "list": [7], "empty_list": [], "empty_object": {}, "kept": {"type": "x"}, "number": 5,
            "null": null, "mixed": "a"
        }))
    );
    assert_eq!(rendered(&json!({"a": {"b": "{{missing}}"}}), &json!({})), None);
    assert_eq!(rendered(&json!("{{n}}"), &json!({"n": [1]})), Some(json!([1])));
}

#[test]
fn the_notion_page_of_the_guide_loses_the_properties_that_have_no_value() {
    let tree = json!({
        "properties": {
            "客户姓名": { "title": [{ "text": { "content": "{{senderName}}" } }] },
            "平台": { "select": { "name": "{{platform}}" } },
            "状态": { "select": { "name": "待处理" } },
            "创建时间": { "date": { "start": "{{receivedAt}}" } }
        }
    });
    assert_eq!(
        rendered(&tree, &json!({"senderName": "李四", "platform": null})),
        Some(json!({
            "properties": {
                "客户姓名": { "title": [{ "text": { "content": "李四" } }] },
                "状态": { "select": { "name": "待处理" } }
            }
        }))
    );
}

#[test]
fn the_lead_receiver_of_the_guide_fills_its_table() {
    struct Channels;
    impl Lookups for Channels {
        fn find(&self, table: &str, key: &str) -> Option<Value> {
            (table == "feiyu_channels" && key == "7").then(|| json!("字节-巨量线索"))
        }
    }
    let tree = json!({
        "name": "{{ payload.name }}",
        "phone": "{{ payload.telphone }}",
        "channel": "{{ payload.clue_source | lookup: 'feiyu_channels' }}",
        "clue_id": "{{ payload.id }}",
        "created_date": "{{ payload.create_time | date: '%Y-%m-%d' }}",
        "created_time": "{{ payload.create_time | date: '%H:%M:%S' }}",
        "remark": "{{ payload.remark }}"
    });
    let data = json!({"payload": {
        "id": "7204519273648915234", "name": "张三", "telphone": "13800138000", "clue_source": "7",
        "create_time": "1677657600"
    }});
    let scope = Scope::new(&data)
        .lookups(&Channels)
        .time_zone(TimeZone::get("Asia/Shanghai").unwrap());
    assert_eq!(
        Mapping::compile(&tree).unwrap().render(&scope).unwrap(),
        Some(json!({
            "name": "张三", "phone": "13800138000", "channel": "字节-巨量线索", "clue_id": "7204519273648915234",
            "created_date": "2023-03-01", "created_time": "16:00:00"
        }))
    );
}

#[test]
fn every_mistake_is_reported_with_its_pointer() {
    let errors = Mapping::compile(&json!({"a": "{{x | nope}}", "b/c~": [{"d": "{{"}], "ok": "{{y}}"})).unwrap_err();
    let pointers: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(pointers, ["/a", "/b~1c~0/0/d"]);
    assert!(
        errors[0]
            .to_string()
            .starts_with("/a: line 1, column 7: there is no filter `nope`"),
        "{}",
        errors[0]
    );
}

#[test]
fn every_failure_is_reported_with_its_pointer() {
    let mapping = Mapping::compile(&json!({"a": "{{x | plus: 1}}", "b": ["{{y}}", "{{x | times: 2}}"]})).unwrap();
    let errors = mapping.render(&Scope::new(&json!({"x": "seven", "y": 1}))).unwrap_err();
    let pointers: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(pointers, ["/a", "/b/1"]);
    assert_eq!(errors[0].to_string(), "/a: filter `plus`: `seven` is no number");
}

#[test]
fn a_tree_that_is_too_deep_is_refused() {
    let deep = |levels| (0..levels).fold(json!("{{x}}"), |inner, _| json!([inner]));
    assert!(Mapping::compile(&deep(32)).is_ok());
    let errors = Mapping::compile(&deep(33)).unwrap_err();
    assert!(
        matches!(errors[..], [ref error] if error.error == MappingFault::TooDeep),
        "{errors:?}"
    );
}

#[test]
fn the_limit_holds_for_all_strings_together() {
    let mapping = Mapping::compile(&json!({"a": "{{x}}", "b": "{{x}}", "c": "{{y}}"})).unwrap();
    let data = json!({"x": "0123456789", "y": {"k": ["0123456789"]}});
    assert!(mapping.render(&Scope::new(&data).limit(100)).is_ok());
    assert!(mapping.render(&Scope::new(&data).limit(20)).is_err());
    assert!(mapping.render(&Scope::new(&data).limit(15)).is_err());
}

#[test]
fn the_paths_of_all_strings_are_known() {
    let mapping = Mapping::compile(&json!({"a": ["{{x.y}}", 5], "{{key}}": "{{z}} {{x.y}}"})).unwrap();
    let paths: Vec<String> = mapping.paths().into_iter().map(ToString::to_string).collect();
    assert_eq!(paths, ["x.y", "z", "x.y"]);
}

fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i32>().prop_map(Value::from),
        "[^{]{0,10}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[^{]{0,5}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn a_tree_without_templates_is_rendered_as_it_is(tree in tree()) {
        prop_assert_eq!(rendered(&tree, &json!({})), Some(tree));
    }

    #[test]
    fn a_lone_expression_passes_any_value_through(value in tree()) {
        prop_assume!(!value.is_null());
        prop_assert_eq!(rendered(&json!({"k": "{{v}}"}), &json!({"v": value})), Some(json!({"k": value})));
    }
}
