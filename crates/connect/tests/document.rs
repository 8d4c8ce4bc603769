//! Text → value and places: what is read, what is refused, and where messages point.

use proptest::prelude::*;
use serde_json::{Value, json};
use switchboard_connect::document::{DEPTH_LIMIT, Document, SIZE_LIMIT};
use switchboard_model::problem::{Code, Problem};

fn read(text: &str) -> Document {
    Document::parse(text, "f").unwrap_or_else(|problem| panic!("{text:?}: {problem}"))
}

fn refused(text: &str) -> Problem {
    match Document::parse(text, "f") {
        Ok(document) => panic!("{text:?} was read as {}", document.value()),
        Err(problem) => problem,
    }
}

fn place(problem: &Problem) -> &str {
    problem.place.as_deref().unwrap_or_default()
}

#[test]
fn json_means_what_serde_json_says() {
    let texts = [
        r#"{"客户姓名": "张三", "n": [1, -2.5, 1e3, 18446744073709551615], "b": true, "x": null}"#,
        r#"["\ud83d\ude00", "\u00e9\n\\\"", "a/b~c"]"#,
        "\u{feff} \r\n\t{ \"a\" : { } , \"b\" : [ ] }",
        "{\"a\":\"{{ x }}\"}",
    ];
    for text in texts {
        let plain: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
        assert_eq!(read(text).into_value(), plain, "{text}");
    }
}

#[test]
fn plain_yaml_scalars_follow_the_core_schema_of_yaml_1_2() {
    let table = [
        ("", json!(null)),
        ("~", json!(null)),
        ("Null", json!(null)),
        ("nULL", json!("nULL")),
        ("true", json!(true)),
        ("FALSE", json!(false)),
        ("yes", json!("yes")),
        ("on", json!("on")),
        ("n", json!("n")),
        ("0", json!(0)),
        ("-19", json!(-19)),
        ("+7", json!(7)),
        ("18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
        ("0x1F", json!(31)),
        ("0o17", json!(15)),
        ("0x-1", json!("0x-1")),
        ("1.5", json!(1.5)),
        (".5", json!(0.5)),
        ("1.", json!(1.0)),
        ("-1e3", json!(-1000.0)),
        ("1e", json!("1e")),
        (".", json!(".")),
        ("+", json!("+")),
        ("1_000", json!("1_000")),
        ("12:30:45", json!("12:30:45")),
        ("2024-01-31", json!("2024-01-31")),
        ("2024-11-05T10:30:00Z", json!("2024-11-05T10:30:00Z")),
        ("1.2.3", json!("1.2.3")),
        ("v58.0", json!("v58.0")),
        ("'42'", json!("42")),
        ("\"\"", json!("")),
        ("!!str 42", json!("42")),
        ("!!int 42", json!(42)),
        ("!!float 42", json!(42)),
        ("技术支持", json!("技术支持")),
    ];
    for (text, value) in table {
        assert_eq!(read(&format!("k: {text}\n")).value()["k"], value, "{text}");
    }
}

#[test]
fn yaml_lists_objects_and_blocks_become_json() {
    let text = "connections:\n  - key: a\n    settings: {x: [1, two]}\n  - key: b\n    text: |\n      line 1\n      line 2\n    fold: >-\n      one\n      two\nempty: {}\n";
    let expected = json!({
        "connections": [
            {"key": "a", "settings": {"x": [1, "two"]}},
            {"key": "b", "text": "line 1\nline 2\n", "fold": "one two"},
        ],
        "empty": {},
    });
    assert_eq!(*read(text).value(), expected);
    for empty in ["", "\n\n", "# only a comment\n", "---\n"] {
        assert_eq!(*read(empty).value(), json!(null), "{empty:?}");
    }
}

#[test]
fn anchors_aliases_and_merge_keys_are_written_out() {
    let text = "base: &b {x: 1, y: 2}\nlist: &l [1]\nsame: *l\none: {<<: *b, y: 3}\ntwo:\n  <<: [{y: 4}, *b]\n  z: 5\n";
    let value = read(text).into_value();
    assert_eq!(value["same"], json!([1]));
    assert_eq!(value["one"], json!({"x": 1, "y": 3}), "what is written out wins");
    assert_eq!(value["two"], json!({"x": 1, "y": 4, "z": 5}), "the earlier of two wins");
    assert_eq!(
        *read("\"<<\": {a: 1}").value(),
        json!({"<<": {"a": 1}}),
        "a quoted key is only a key"
    );
}

#[test]
fn a_place_is_the_line_and_column_of_the_value_or_of_its_nearest_ancestor() {
    let json = read("{\n  \"客户\": [1,\n    {\"a/b\": \"x\", \"m~n\": 2}]\n}");
    let yaml = read("客户:\n  - 1\n  - a/b: x\n    m~n: 2\n");
    let table = [
        ("", "f:1:1", "f:1:1"),
        ("/客户", "f:2:9", "f:2:3"),
        ("/客户/0", "f:2:10", "f:2:5"),
        ("/客户/1", "f:3:5", "f:3:5"),
        ("/客户/1/a~1b", "f:3:13", "f:3:10"),
        ("/客户/1/m~0n", "f:3:25", "f:4:10"),
        ("/客户/7/none", "f:2:9", "f:2:3"),
        ("/客户/1/a~1b/deeper", "f:3:13", "f:3:10"),
    ];
    for (pointer, in_json, in_yaml) in table {
        assert_eq!(json.place(pointer), in_json, "{pointer} in JSON");
        assert_eq!(yaml.place(pointer), in_yaml, "{pointer} in YAML");
    }
    assert_eq!(json.place_of_key("/客户/1/m~0n"), "f:3:18");
    assert_eq!(yaml.place_of_key("/客户/1/m~0n"), "f:4:5");
    assert_eq!(json.place_of_key(""), "f:1:1");
    assert_eq!(
        json.problem(Code::UnknownKey, "/客户/0", "d", "n").place.as_deref(),
        Some("f:2:10")
    );
}

#[test]
fn a_place_inside_a_text_counts_characters_as_they_are_written() {
    let table = [
        ("{\"k\": \"客户 {{x}}\"}", "客户 ".len(), "f:1:11"),
        (r#"{"k": "a\n\"\u00e9\ud83d\ude00{{x}}"}"#, "a\n\"é😀".len(), "f:1:31"),
        ("k: 客户 {{x}}", "客户 ".len(), "f:1:7"),
        ("k: 'it''s {{x}}'", "it's ".len(), "f:1:11"),
        (r#"k: "a\x41\t{{x}}""#, "aA\t".len(), "f:1:12"),
        ("k: |\n  one\n  two {{x}}\n", "one\ntwo ".len(), "f:3:7"),
        ("k: |\n  one\n    {{x}}\n", "one\n  ".len(), "f:3:5"),
        ("k: >\n  one\n  two {{x}}\n", "one two ".len(), "f:2:3"),
        ("k: |\n  \"a\" {{x}}\n", "\"a\" ".len(), "f:2:7"),
        ("a:\n  k:\nk: |-\n\n  one\n\n  {{x}}\n", "\none\n\n".len(), "f:7:3"),
        ("k: one\n  two {{x}}\n", "one two ".len(), "f:1:4"),
        ("k: \"one\n  two {{x}}\"\n", "one two ".len(), "f:1:4"),
        ("k: abc", 99, "f:1:7"),
        ("k: 12", 1, "f:1:4"),
    ];
    for (text, offset, expected) in table {
        assert_eq!(read(text).place_inside("/k", offset), expected, "{text}");
    }
}

#[test]
fn every_kind_of_broken_text_has_its_place() {
    let table = [
        ("{\"a\": 1,}", "f:1:9", "trailing comma"),
        ("{\"客户\": 1\n \"b\": 2}", "f:2:2", "expected `,` or `}`"),
        ("[1, 2", "f:1:5", "EOF"),
        ("{\"a\":\n 1\n\n", "f:4:1", "EOF"),
        ("{\"a\": \"\\ud83d\"}", "f:1:14", "not valid JSON"),
        ("{\"a\": 01}", "f:1:8", "not valid JSON"),
        (
            "{\"a\": {\"b\": 1, \"c\": 2, \"b\": 3}}",
            "f:1:24",
            "`b` is here a second time; the first is at 1:8",
        ),
        ("{\"a\": 1, \"\\u0061\": 2}", "f:1:10", "`a` is here a second time"),
        ("{\"a\": 18446744073709551616}", "f:1:7", "more digits"),
        (
            "a: 1\nb: 2\na: 3\n",
            "f:3:1",
            "`a` is here a second time; the first is at 1:1",
        ),
        ("a: 18446744073709551616", "f:1:4", "more digits"),
        ("a: .nan", "f:1:4", "JSON does not have"),
        ("a: -.Inf", "f:1:4", "JSON does not have"),
        ("a: 1e999", "f:1:4", "JSON does not have"),
        ("a: 1\n---\nb: 2\n", "f:2:1", "second YAML document"),
        ("1: x", "f:1:1", "`1` is no text"),
        ("true: x", "f:1:1", "`true` is no text"),
        ("? [a, b]\n: x", "f:1:3", "where a key is expected"),
        ("a: &k x\n*k : y", "f:2:1", "where a key is expected"),
        ("a: &x [1, *x]", "f:1:11", "inside of what it stands for"),
        ("a: *nowhere", "f:1:4", "not valid YAML"),
        ("a: !custom 1", "f:1:4", "tag `!custom`"),
        ("a: !!binary aGk=", "f:1:4", "not understood"),
        ("a: !!set {x}", "f:1:4", "not understood"),
        ("a: !!int x", "f:1:4", "not of the type `!!int`"),
        ("a: {<<: 1}", "f:1:5", "no object"),
        ("a: {<<: {b: 1}, <<: {c: 2}}", "f:1:17", "`<<` is here a second time"),
        ("a:\n\t- b", "f:2:2", "not valid YAML"),
        ("a: b: c", "f:1:5", "not valid YAML"),
    ];
    for (text, expected_place, part) in table {
        let problem = refused(text);
        assert_eq!(
            (place(&problem), problem.code),
            (expected_place, Code::WrongValue),
            "{text}: {problem}"
        );
        assert!(problem.detail.contains(part), "{text}: {}", problem.detail);
        assert!(!problem.next.is_empty());
    }
}

#[test]
fn a_template_without_quotes_in_yaml_is_answered_with_the_advice_to_quote_it() {
    for text in [
        "name: {{senderName}}",
        "name: {{senderName}} x\nb: 1",
        "list:\n  - {{a}} b\n",
    ] {
        assert!(
            refused(text).next.contains("in quotes: \"{{ … }}\""),
            "{text}: {:?}",
            refused(text)
        );
    }
}

#[test]
fn several_mistakes_are_told_at_once() {
    for text in [
        "{\"a\":1,\"a\":2,\"b\":99999999999999999999}",
        "a: 1\na: 2\n3: x\nb: .inf\n",
    ] {
        let problem = refused(text);
        assert!(!problem.others.is_empty(), "{text}");
        assert!(problem.others.iter().all(|other| other.place.is_some()));
    }
}

#[test]
fn depth_and_size_have_limits() {
    let json = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let objects = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    let blocks = |depth: usize| format!("{}x", "- ".repeat(depth));
    let flow = |depth: usize| format!("k: {}", json(depth - 1));
    read(&json(DEPTH_LIMIT));
    read(&objects(DEPTH_LIMIT));
    read(&blocks(DEPTH_LIMIT));
    read(&flow(DEPTH_LIMIT));
    for depth in [DEPTH_LIMIT + 1, 127, 1_000, 20_000] {
        assert_eq!(refused(&json(depth)).code, Code::TooDeep, "{depth}");
        assert_eq!(refused(&objects(depth)).code, Code::TooDeep, "{depth}");
        assert_eq!(refused(&blocks(depth)).code, Code::TooDeep, "{depth}");
        assert_eq!(refused(&flow(depth)).code, Code::TooDeep, "{depth}");
    }
    assert_eq!(refused(&" ".repeat(SIZE_LIMIT + 1)).code, Code::TooLarge);
}

#[test]
fn a_small_file_cannot_grow_through_its_aliases() {
    let mut text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for step in 1..9 {
        let aliases = vec![format!("*a{}", step - 1); 10].join(", ");
        text.push_str(&format!("a{step}: &a{step} [{aliases}]\n"));
    }
    assert!(refused(&text).detail.contains("stand for too much"));
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; 1000].join(", "));
    assert!(refused(&long).detail.contains("stand for too much"));
    let deep = format!("a: &a {0}{1}\nb: {0}*a{1}\n", "[".repeat(40), "]".repeat(40));
    assert_eq!(refused(&deep).code, Code::TooDeep);
}

#[test]
fn no_more_mistakes_are_told_than_a_person_reads() {
    let problem = refused(&format!("{{{}}}", vec!["\"a\": 1"; 1000].join(", ")));
    assert_eq!(problem.others.len(), 200);
    assert_eq!(problem.others[199].detail, "There are 799 more problems");
}

fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![".{0,12}", "[\\p{Han}\\p{Cyrillic}😀\"'\\\\{}:#, \n\t-]{0,12}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e6..1e6_f64).prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(".{0,8}", inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Every pointer of a value with what it points to.
fn pointers(value: &Value, pointer: String, all: &mut Vec<(String, Value)>) {
    all.push((pointer.clone(), value.clone()));
    match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(at, item)| pointers(item, format!("{pointer}/{at}"), all)),
        Value::Object(members) => members.iter().for_each(|(key, member)| {
            pointers(
                member,
                format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")),
                all,
            );
        }),
        _ => {}
    }
}

/// The rest of the text from a `line:column` on.
fn rest<'t>(text: &'t str, place: &str) -> Option<&'t str> {
    let (line, column) = place.split_once(':')?;
    let (line, column): (usize, usize) = (line.parse().ok()?, column.parse().ok()?);
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let (in_line, _) = text[start..].char_indices().nth(column - 1)?;
    Some(&text[start + in_line..])
}

proptest! {
    #[test]
    fn what_is_written_as_json_reads_back_with_each_place_where_its_value_starts(value in any_value()) {
        let text = serde_json::to_string_pretty(&json!({ "k": value })).unwrap();
        let document = read(&text);
        let mut all = Vec::new();
        pointers(document.value(), String::new(), &mut all);
        prop_assert_eq!(document.value(), &json!({ "k": value }));
        for (pointer, part) in all {
            let start = rest(&text, document.place(&pointer).trim_start_matches("f:")).unwrap();
            let first = serde_json::Deserializer::from_str(start).into_iter::<Value>().next().unwrap().unwrap();
            prop_assert_eq!(first, part, "{}", pointer);
        }
    }

    #[test]
    fn json_inside_of_yaml_means_the_same(value in any_value()) {
        let value = json!([value]);
        prop_assert_eq!(read(&format!("k: {value}\n")).into_value(), json!({ "k": value }));
    }

    #[test]
    fn no_text_makes_reading_panic(text in "[-{}\\[\\]\"':,|>&*!#~ \n\t\\\\a-c0-9.é客]{0,80}") {
        if let Ok(document) = Document::parse(&text, "f") {
            let mut all = Vec::new();
            pointers(document.value(), String::new(), &mut all);
            for (pointer, part) in all {
                document.place_inside(&pointer, part.as_str().map_or(1, str::len));
            }
        }
    }
}
