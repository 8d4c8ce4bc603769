//! The template language as users see it.

use proptest::prelude::*;
use serde_json::{Value, json};
use switchboard_model::{
    mapping::Mapping,
    template::{Lookups, Scope, Template, filter_docs},
};
use unicode_segmentation::UnicodeSegmentation;

fn data() -> Value {
    json!({
        "senderName": "张三", "name": "Ana Maria Petrova", "n": 7, "price": 12.5, "yes": true, "no": false, "nothing": null,
        "empty": "", "list": ["b", "a", "b"], "nested": {"deep": [{"x": 1}, {"x": 2}], "key with space": "found"},
        "客户": "客", "phone": "8 (029) 000-00-00", "html": "<p>Hi <b>Ana</b></p><p>Bye</p>", "text": "one two three",
        "seconds": "1677657600", "moment": "2026-11-24T09:30:00Z", "tricky": "{{ n }} {% if %}", "emoji": "👨‍👩‍👧‍👦👍🏽é"
    })
}

struct Channels;

impl Lookups for Channels {
    fn find(&self, table: &str, key: &str) -> Option<Value> {
        (table == "channels" && key == "7").then(|| json!("字节-巨量线索"))
    }
}

fn render(source: &str) -> Option<Value> {
    let data = data();
    let template = Template::parse(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    template
        .render(&Scope::new(&data).lookups(&Channels))
        .unwrap_or_else(|error| panic!("{source}: {error}"))
}

#[test]
fn a_lone_expression_keeps_its_type_and_mixed_text_is_text() {
    for (source, expected) in [
        ("{{n}}", json!(7)),
        ("{{ price }}", json!(12.5)),
        ("{{yes}}", json!(true)),
        ("{{list}}", json!(["b", "a", "b"])),
        ("{{nested.deep[1].x}}", json!(2)),
        ("{{nested.deep[-1].x}}", json!(2)),
        ("{{nested['key with space']}}", json!("found")),
        ("{{nested.deep.first.x}}", json!(1)),
        ("{{list.size}}", json!(3)),
        ("{{客户}}", json!("客")),
        (" {{n}}", json!(" 7")),
        ("{{n}}{{n}}", json!("77")),
        ("客户咨询 - {{senderName}}!", json!("客户咨询 - 张三!")),
        ("x{{missing}}y", json!("xy")),
        ("a {{- n -}} b", json!("a7b")),
        ("{{ 'a}}b' }}", json!("a}}b")),
        ("{{ -3 }}", json!(-3)),
        ("{{ 2.5 }}", json!(2.5)),
        ("{{tricky}}", json!("{{ n }} {% if %}")),
        ("plain } }} text", json!("plain } }} text")),
        ("", json!("")),
    ] {
        assert_eq!(render(source), Some(expected), "{source}");
    }
}

#[test]
fn what_is_missing_is_absent_unless_a_default_fills_it() {
    for source in [
        "{{missing}}",
        "{{nothing}}",
        "{{missing.deeper[3]}}",
        "{{missing | upcase | truncate: 3}}",
        "{{n.x}}",
        "{{list[9]}}",
        "{{nil}}",
    ] {
        assert_eq!(render(source), None, "{source}");
    }
    for (source, expected) in [
        ("{{missing | default: 'x'}}", json!("x")),
        ("{{empty | default: n}}", json!(7)),
        ("{{nothing | default: 0}}", json!(0)),
        ("{{no | default: 'x'}}", json!("x")),
        ("{{no | default: 'x', allow_false: true}}", json!(false)),
        ("{{n | default: 1}}", json!(7)),
        ("{{missing | upcase | default: 'y'}}", json!("y")),
    ] {
        assert_eq!(render(source), Some(expected), "{source}");
    }
}

#[test]
fn filters_do_what_they_say() {
    for (source, expected) in [
        ("{{text|truncate:9}}", json!("one tw...")),
        ("{{text | truncate: 9, '…'}}", json!("one two …")),
        ("{{text | truncate: 2}}", json!("..")),
        ("{{emoji | truncate: 2, ''}}", json!("👨‍👩‍👧‍👦👍🏽")),
        ("{{emoji | size}}", json!(3)),
        ("{{name | first_name}}", json!("Ana Maria")),
        ("{{senderName | last_name}}", json!("张")),
        ("{{phone | phone_e164: 'BY'}}", json!("+375290000000")),
        ("{{text | phone_e164: 'BY'}}", json!("one two three")),
        (
            "{{seconds | date: '%Y-%m-%d %H:%M:%S', zone: 'Asia/Shanghai'}}",
            json!("2023-03-01 16:00:00"),
        ),
        ("{{moment | date: 'unix'}}", json!(1_795_512_600)),
        (
            "{{moment | date: 'iso', zone: 'Asia/Ho_Chi_Minh'}}",
            json!("2026-11-24T16:30:00+07:00"),
        ),
        ("{{text | date: '%Y'}}", json!("one two three")),
        ("{{n | lookup: 'channels'}}", json!("字节-巨量线索")),
        ("{{text | lookup: 'channels' | default: '?'}}", json!("?")),
        ("{{price | money: 'EUR'}}", json!("12.50")),
        ("{{price | money: 'JPY'}}", json!("12")),
        (
            "{{text | adf}}",
            json!({"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "one two three"}]}]}),
        ),
        ("{{text | chunks: 5}}", json!(["one t", "wo th", "ree"])),
        ("{{html | html_to_text}}", json!("Hi Ana\n\nBye")),
        ("{{n | plus: 1 | times: 2}}", json!(16)),
        ("{{n | divided_by: 2}}", json!(3)),
        ("{{n | divided_by: 2.0}}", json!(3.5)),
        ("{{list | uniq | sort | join: '+'}}", json!("a+b")),
        ("{{n | json}}", json!("7")),
        ("{{'12' | number}}", json!(12)),
        ("{{'x' | number | default: 0}}", json!(0)),
        ("{{'yes' | boolean}}", json!(true)),
        ("{{'a' | md5}}", json!("0cc175b9c0f1b6a831c399e269772661")),
        ("{{text | slice: -5, 5}}", json!("three")),
    ] {
        assert_eq!(render(source), Some(expected), "{source}");
    }
}

#[test]
fn mistakes_are_found_when_the_template_is_saved_and_say_where() {
    for (source, line, column, words) in [
        ("{{name | truncat: 5}}", 1, 10, "did you mean `truncate`"),
        ("a\nb {{ name | nope }}", 2, 13, "no filter `nope`"),
        ("{{name", 1, 1, "never closed"),
        ("{{ }}", 1, 4, "empty"),
        ("{{name | truncate: 'x'}}", 1, 10, "whole number"),
        ("{{name | append}}", 1, 10, "1 argument"),
        ("{{name | upcase: 1}}", 1, 10, "no argument"),
        ("{{name | default: 1, allow: true}}", 1, 22, "known: allow_false"),
        ("{{name | date: '%'}}", 1, 10, "no form"),
        ("{{name | phone_e164: 'XX'}}", 1, 10, "no country"),
        ("{{'abc}}", 1, 3, "never closed"),
        ("{% if x %}", 1, 1, "not supported"),
        ("客户 {{ a b }}", 1, 9, "unexpected `b`"),
        ("{{ a.[0] }}", 1, 6, "a name is missing"),
        ("{{ a[x] }}", 1, 6, "whole number or a quoted name"),
        ("{{ 3x }}", 1, 4, "is no number"),
    ] {
        let error = Template::parse(source).expect_err(source);
        assert_eq!((error.line, error.column), (line, column), "{source}: {error}");
        assert!(error.to_string().contains(words), "{source}: {error}");
    }
}

#[test]
fn failures_and_oversize_are_errors_not_garbage() {
    let data = data();
    let fails = |source: &str| {
        Template::parse(source)
            .unwrap()
            .render(&Scope::new(&data).limit(1000))
            .is_err()
    };
    assert!(fails("{{text | plus: 1}}"));
    assert!(fails("{{n | divided_by: 0}}"));
    assert!(fails("{{n | divided_by: no}}"));
    assert!(fails(&"{{text}}".repeat(100)));
    assert!(fails(
        "{{text | replace: 'e', text | replace: 'e', text | replace: 'e', text | replace: 'e', text | replace: 'e', text | replace: 'e', text}}"
    ));
    assert!(Template::parse(&"x".repeat(70_000)).is_err());
}

#[test]
fn the_used_paths_are_known_without_data() {
    let template = Template::parse("{{a.b[0]}} {{ x | default: y['k k'] }} {{'lit'}}").unwrap();
    let paths: Vec<String> = template.paths().into_iter().map(ToString::to_string).collect();
    assert_eq!(paths, ["a.b[0]", "x", "y[\"k k\"]"]);
}

#[test]
fn every_filter_has_a_name_of_its_own_and_a_line_of_documentation() {
    let mut names: Vec<&str> = filter_docs().map(|doc| doc.name).collect();
    assert!(filter_docs().all(|doc| doc.doc.len() > 3));
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn a_mapping_drops_what_is_absent_and_keeps_what_is_literal() {
    let data = data();
    let mapping = Mapping::compile(&json!({
        "name": "{{senderName}}", "gone": "{{missing}}", "select": {"name": "{{missing}}"}, "list": ["{{missing}}", "{{n}}"],
        "all_gone": ["{{missing}}"], "empty_list": [], "kept": {"type": "x", "value": "{{missing}}"}, "number": 5, "mixed": "a{{missing}}"
    }))
    .unwrap();
    assert_eq!(
        mapping.render(&Scope::new(&data)).unwrap(),
        Some(json!({"name": "张三", "list": [7], "empty_list": [], "kept": {"type": "x"}, "number": 5, "mixed": "a"}))
    );
    let nothing = Mapping::compile(&json!({"a": {"b": "{{missing}}"}})).unwrap();
    assert_eq!(nothing.render(&Scope::new(&data)).unwrap(), None);
}

#[test]
fn a_mapping_reports_every_mistake_with_its_pointer() {
    let errors = Mapping::compile(&json!({"a": "{{x | nope}}", "b/c": [{"d": "{{"}], "ok": "{{y}}"})).unwrap_err();
    let pointers: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(pointers, ["/a", "/b~1c/0/d"]);
    let mut deep = json!("{{x}}");
    for _ in 0..60 {
        deep = json!([deep]);
    }
    assert!(Mapping::compile(&deep).is_err());
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(source in "\\PC{0,80}|[{}|:'\"a.\\[\\]0-9 %-]{0,60}") {
        let data = data();
        if let Ok(template) = Template::parse(&source) {
            let _ = template.render(&Scope::new(&data));
        }
    }

    #[test]
    fn literal_text_is_rendered_as_it_is(source in "[^{]{0,80}") {
        prop_assert_eq!(Template::parse(&source).unwrap().render(&Scope::new(&json!({}))).unwrap(), Some(Value::from(source)));
    }

    #[test]
    fn no_value_is_read_as_a_template(value in "\\PC{0,20}(\\{\\{ n \\}\\})?\\PC{0,20}") {
        let data = json!({"v": value, "n": 1});
        prop_assert_eq!(Template::parse("{{v}}").unwrap().render(&Scope::new(&data)).unwrap(), Some(json!(value)));
        let mixed = Template::parse("<{{v}}>").unwrap().render(&Scope::new(&data)).unwrap();
        prop_assert_eq!(mixed, Some(json!(format!("<{value}>"))));
    }

    #[test]
    fn truncate_never_exceeds_its_length_and_never_cuts_a_character(text in "\\PC{0,60}", most in 0usize..50, ending in "\\PC{0,5}") {
        let data = json!({"v": text, "m": most, "e": ending});
        let cut = Template::parse("{{ v | truncate: m, e }}").unwrap().render_text(&Scope::new(&data)).unwrap();
        let whole: Vec<&str> = text.graphemes(true).collect();
        if whole.len() <= most {
            prop_assert_eq!(cut, text);
        } else {
            let kept = most.saturating_sub(ending.graphemes(true).count());
            prop_assert!(cut.starts_with(&whole[..kept].concat()));
            let shown: Vec<&str> = ending.graphemes(true).take(most).collect();
            prop_assert_eq!(cut, whole[..kept].concat() + &shown.concat());
        }
    }

    #[test]
    fn chunks_lose_nothing_and_respect_their_size(text in "\\PC{0,200}", most in 1usize..40) {
        let data = json!({"v": text});
        let chunks = Template::parse(&format!("{{{{ v | chunks: {most} }}}}")).unwrap().render(&Scope::new(&data)).unwrap();
        let chunks: Vec<String> = serde_json::from_value(chunks.unwrap()).unwrap();
        prop_assert_eq!(chunks.concat(), text);
        prop_assert!(chunks.iter().all(|chunk| chunk.encode_utf16().count() <= most.max(2)));
    }
}
