//! The template language as users see it.

use proptest::prelude::*;
use serde_json::{Value, json};
use switchboard_model::template::{Lookups, RenderError, Scope, Template};

fn data() -> Value {
    json!({
        "senderName": "张三", "name": "Ana Maria Petrova", "n": 7, "price": 12.5, "yes": true, "no": false,
        "nothing": null, "empty": "", "list": ["b", "a", "b"], "nested": {"deep": [{"x": 1}, {"x": 2}], "key with space": "found"},
        "客户": "客", "हिन्दी": "हि", "kebab-case": "k", "Full Name": "Ana P.", "text": "one two three",
        "tricky": "{{ n }} {% if %}", "size": {"size": "own"}
    })
}

fn render(source: &str) -> Option<Value> {
    let data = data();
    let template = Template::parse(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    template
        .render(&Scope::new(&data))
        .unwrap_or_else(|error| panic!("{source}: {error}"))
}

#[test]
fn a_lone_expression_keeps_its_type_and_mixed_text_is_text() {
    for (source, expected) in [
        ("{{n}}", json!(7)),
        ("{{ price }}", json!(12.5)),
        ("{{yes}}", json!(true)),
        ("{{list}}", json!(["b", "a", "b"])),
        (" {{n}}", json!(" 7")),
        ("{{n}}{{n}}", json!("77")),
        ("{{list}}!", json!("bab!")),
        ("客户咨询 - {{senderName}}!", json!("客户咨询 - 张三!")),
        ("x{{missing}}y", json!("xy")),
        ("x{{nothing}}y", json!("xy")),
        ("a {{- n -}} b", json!("a7b")),
        (" {{- n -}} ", json!(7)),
        ("{{ 'a}}b' }}", json!("a}}b")),
        ("{{ '{{' }} n }}", json!("{{ n }}")),
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
fn paths_lead_into_objects_and_lists() {
    for (source, expected) in [
        ("{{nested.deep[1].x}}", json!(2)),
        ("{{nested.deep[-1].x}}", json!(2)),
        ("{{nested.deep.0.x}}", json!(1)),
        ("{{nested['key with space']}}", json!("found")),
        ("{{ nested[ \"key with space\" ] }}", json!("found")),
        ("{{['Full Name']}}", json!("Ana P.")),
        ("{{nested.deep.first.x}}", json!(1)),
        ("{{nested.deep.last.x}}", json!(2)),
        ("{{list.size}}", json!(3)),
        ("{{text.size}}", json!(13)),
        ("{{nested.size}}", json!(2)),
        ("{{size.size}}", json!("own")),
        ("{{客户}}", json!("客")),
        ("{{हिन्दी}}", json!("हि")),
        ("{{kebab-case}}", json!("k")),
        // The last dash belongs to the braces.
        ("{{kebab-case-}} !", json!("k!")),
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
        "{{list[-9]}}",
        "{{list.x}}",
        "{{nil}}",
        "{{null | append: 'x'}}",
    ] {
        assert_eq!(render(source), None, "{source}");
    }
    for (source, expected) in [
        ("{{missing | default: 'x'}}", json!("x")),
        ("{{empty | default: n}}", json!(7)),
        ("{{nothing | default: 0}}", json!(0)),
        ("{{no | default: 'x'}}", json!("x")),
        ("{{no | default: 'x', allow_false: true}}", json!(false)),
        ("{{nothing | default: 'x', allow_false: true}}", json!("x")),
        ("{{n | default: 1}}", json!(7)),
        ("{{missing | upcase | default: 'y'}}", json!("y")),
        ("{{missing | default: nothing | default: 'z'}}", json!("z")),
    ] {
        assert_eq!(render(source), Some(expected), "{source}");
    }
    let missing = Template::parse("{{missing}}").unwrap();
    assert_eq!(missing.render_text(&Scope::new(&data())), Ok(String::new()));
}

#[test]
fn the_first_layer_that_has_a_name_wins() {
    let (upper, lower) = (json!({"a": 1, "n": null}), json!({"a": 2, "b": 3, "n": 4}));
    let no_object = json!("text");
    let scope = Scope::new(&upper).with(&lower).with(&no_object);
    for (source, expected) in [
        ("{{a}}", Some(json!(1))),
        ("{{b}}", Some(json!(3))),
        ("{{n}}", None),
        ("{{c}}", None),
    ] {
        assert_eq!(
            Template::parse(source).unwrap().render(&scope).unwrap(),
            expected,
            "{source}"
        );
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
        ("{{name | truncate: -1}}", 1, 10, "whole number"),
        ("{{name | chunks: 0}}", 1, 10, "1 or more"),
        ("{{name | append}}", 1, 10, "1 argument"),
        ("{{name | upcase: 1}}", 1, 10, "no argument"),
        ("{{name | default: 1, allow: true}}", 1, 22, "known: allow_false"),
        ("{{name | default: 1, allow_false: 'x'}}", 1, 10, "true or false"),
        ("{{name | date: '%', zone: 'UTC'}}", 1, 10, "no form"),
        (
            "{{name | date: '%Y', zone: 'Asia/Shangha'}}",
            1,
            10,
            "no time zone `Asia/Shangha`",
        ),
        ("{{name | date: '%Y', zone: 'UTC', zone: 'UTC'}}", 1, 35, "given twice"),
        ("{{name | phone_e164: 'XX'}}", 1, 10, "no country"),
        ("{{name | plus: 'x'}}", 1, 10, "is no number"),
        ("{{name | divided_by: 0}}", 1, 10, "division by zero"),
        ("{{name | money: 'Euro'}}", 1, 10, "no currency"),
        ("{{name | concat: 'x'}}", 1, 10, "no list"),
        ("{{name | slice: 'x'}}", 1, 10, "whole number"),
        ("{{'abc}}", 1, 3, "never closed"),
        ("{% if x %}", 1, 1, "not supported"),
        ("{{ x }} {%- endif %}", 1, 9, "not supported"),
        ("客户 {{ a b }}", 1, 9, "unexpected `b`"),
        ("{{ a.[0] }}", 1, 6, "a name is missing"),
        ("{{ a[x] }}", 1, 6, "whole number or a quoted name"),
        ("{{ a[1.5] }}", 1, 6, "whole number or a quoted name"),
        ("{{ 3x }}", 1, 4, "is no number"),
        ("{{ 3. }}", 1, 4, "is no number"),
        ("{{ name｜upcase }}", 1, 8, "write `|`"),
        ("{{ name | truncate：5 }}", 1, 19, "write `:`"),
        ("{{ ‘name’ }}", 1, 4, "write `'`"),
    ] {
        let error = Template::parse(source).expect_err(source);
        assert_eq!((error.line, error.column), (line, column), "{source}: {error}");
        assert!(error.to_string().contains(words), "{source}: {error}");
    }
}

#[test]
fn what_is_too_large_or_too_deep_is_refused_when_it_is_saved() {
    for source in [
        "x".repeat(70_000),
        format!("{{{{ n {} }}}}", "| upcase ".repeat(40)),
        format!("{{{{ n{} }}}}", ".x".repeat(40)),
        format!("{{{{ {} }}}}", "a[".repeat(30_000)),
        format!("{{{{ {} }}}}", "[".repeat(60_000)),
    ] {
        assert!(Template::parse(&source).is_err(), "{}", &source[..40]);
    }
}

#[test]
fn failures_are_errors_not_garbage() {
    let data = data();
    for source in [
        "{{text | plus: 1}}",
        "{{n | divided_by: no}}",
        "{{n | modulo: n2}}",
        "{{text | date: '%Y', zone: text}} {{n | date: '%Y', zone: text}}",
    ] {
        let result = Template::parse(source).unwrap().render(&Scope::new(&data));
        assert!(
            matches!(result, Err(RenderError::Filter { .. })),
            "{source}: {result:?}"
        );
    }
}

#[test]
fn results_over_the_limit_are_refused_before_they_take_memory() {
    let data = json!({"text": "one two three", "big": "e".repeat(1 << 20), "many": vec![""; 100_000]});
    let replace = "{{big | replace: 'e', big}}";
    let grown = format!("{{{{text {}}}}}", "| replace: 'e', text ".repeat(20));
    for source in [
        &*"{{text}}".repeat(100),
        &grown,
        replace,
        "{{big | replace: '', big}}",
        "{{many | join: big}}",
    ] {
        let result = Template::parse(source).unwrap().render(&Scope::new(&data).limit(1000));
        assert!(result.is_err(), "{source}");
    }
    for source in ["{{big | split: ''}}", "{{big | split: 'e'}}", "{{big | chunks: 1}}"] {
        assert!(
            Template::parse(source).unwrap().render(&Scope::new(&data)).is_err(),
            "{source}"
        );
    }
    let exact = Template::parse("{{text}}").unwrap();
    assert!(exact.render(&Scope::new(&data).limit(13)).is_ok());
    assert_eq!(
        exact.render(&Scope::new(&data).limit(12)),
        Err(RenderError::TooLong { limit: 12 })
    );
}

#[test]
fn the_used_paths_are_known_without_data() {
    let template = Template::parse("{{a.b[0]}} {{ x | default: y['k k'] }} {{'lit'}} {{['q q'].r}}").unwrap();
    let paths: Vec<String> = template.paths().into_iter().map(ToString::to_string).collect();
    assert_eq!(paths, ["a.b[0]", "x", "y[\"k k\"]", "[\"q q\"].r"]);
    let roots: Vec<&str> = template
        .paths()
        .into_iter()
        .map(switchboard_model::template::Path::root)
        .collect();
    assert_eq!(roots, ["a", "x", "y", "q q"]);
}

#[test]
fn only_text_without_an_expression_is_literal() {
    for (source, literal) in [("", true), ("text } }}", true), ("{{n}}", false), ("a {{'b'}}", false)] {
        assert_eq!(Template::parse(source).unwrap().is_literal(), literal, "{source}");
    }
}

struct Channels;

impl Lookups for Channels {
    fn find(&self, table: &str, key: &str) -> Option<Value> {
        (table == "channels" && key == "7").then(|| json!("字节-巨量线索"))
    }
}

#[test]
fn tables_are_asked_by_the_text_of_the_key() {
    let data = json!({"n": 7, "t": "7", "other": "8"});
    for (source, expected) in [
        ("{{n | lookup: 'channels'}}", Some(json!("字节-巨量线索"))),
        ("{{t | lookup: 'channels'}}", Some(json!("字节-巨量线索"))),
        ("{{other | lookup: 'channels'}}", Some(json!("8"))),
        ("{{n | lookup: 'unknown'}}", Some(json!("7"))),
        ("{{other | lookup: 'channels', default: 'other'}}", Some(json!("other"))),
        ("{{other | lookup: 'channels', default: nil}}", None),
        (
            "{{n | lookup: 'channels', default: 'other'}}",
            Some(json!("字节-巨量线索")),
        ),
        ("{{missing | lookup: 'channels', default: 'other'}}", None),
    ] {
        let template = Template::parse(source).unwrap();
        assert_eq!(
            template.render(&Scope::new(&data).lookups(&Channels)).unwrap(),
            expected,
            "{source}"
        );
    }
    let template = Template::parse("{{n | lookup: 'channels'}}").unwrap();
    assert_eq!(
        template.render(&Scope::new(&data)).unwrap(),
        Some(json!("7")),
        "no tables at all"
    );
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
        let rendered = Template::parse(&source).unwrap().render(&Scope::new(&json!({}))).unwrap();
        prop_assert_eq!(rendered, Some(Value::from(source)));
    }

    #[test]
    fn no_value_is_read_as_a_template(value in "\\PC{0,20}(\\{\\{ n \\}\\})?\\PC{0,20}") {
        let data = json!({"v": value, "n": 1});
        prop_assert_eq!(Template::parse("{{v}}").unwrap().render(&Scope::new(&data)).unwrap(), Some(json!(value)));
        let mixed = Template::parse("<{{v}}>").unwrap().render(&Scope::new(&data)).unwrap();
        prop_assert_eq!(mixed, Some(json!(format!("<{value}>"))));
    }

    #[test]
    fn a_path_is_written_as_it_can_be_read(keys in prop::collection::vec("true|nil|-?[0-9]|[^']{1,6}", 1..4), index in -3i64..3) {
        let source: String = keys.iter().map(|key| format!("['{key}']")).collect();
        let template = Template::parse(&format!("{{{{ {source}[{index}] }}}}")).unwrap();
        let written = template.paths()[0].to_string();
        let again = Template::parse(&format!("{{{{ {written} }}}}")).unwrap();
        prop_assert_eq!(again.paths(), template.paths());
    }
}
