//! What each filter gives.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Value, json};
use switchboard_model::template::{Scope, Template, filter_docs};
use unicode_segmentation::UnicodeSegmentation;

fn data() -> Value {
    json!({
        "name": "Ana Maria Petrova", "cn": "张三", "n": 7, "neg": -7, "price": 12.5, "yes": true, "text": "one two three",
        "list": ["b", "a", "b"], "mixed": [3, "10", 2, "9", null, 2], "objects": [{"a": 1}, {"a": 1}],
        "phone": "8 (029) 000-00-00", "seconds": "1677657600", "moment": "2026-11-24T09:30:00Z",
        "local": "2025-08-03 14:30:00",
        "html": "<style>p{}</style><p>Hi <b>Ana</b> &amp; co</p><!-- x --><p>Bye</p>", "lines": "one\r\n\nthree",
        "emoji": "👨‍👩‍👧‍👦👍🏽é"
    })
}

fn render(source: &str) -> Option<Value> {
    let data = data();
    let scope = Scope::new(&data)
        .time_zone(TimeZone::get("Europe/Minsk").expect("a known zone"))
        .country("BY");
    let template = Template::parse(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    template
        .render(&scope)
        .unwrap_or_else(|error| panic!("{source}: {error}"))
}

fn check(cases: &[(&str, Value)]) {
    for (source, expected) in cases {
        assert_eq!(render(source).unwrap_or_default(), *expected, "{source}");
    }
}

#[test]
fn text() {
    check(&[
        ("{{name | upcase}}", json!("ANA MARIA PETROVA")),
        ("{{'ПРИВЕТ' | downcase}}", json!("привет")),
        ("{{'élan vital' | capitalize}}", json!("Élan vital")),
        ("{{n | upcase}}", json!("7")),
        (
            "{{' x ' | strip}}|{{' x ' | lstrip}}|{{' x ' | rstrip}}",
            json!("x|x | x"),
        ),
        (
            "{{text | replace: 'o', '0' | replace_first: 't', 'T' | remove: 'e'}}",
            json!("0n Tw0 thr"),
        ),
        ("{{text | replace: 'o'}}", json!("ne tw three")),
        ("{{n | append: '!' | prepend: n}}", json!("77!")),
        ("{{text|truncate:9}}", json!("one tw...")),
        ("{{text | truncate: 9, '…'}}", json!("one two …")),
        ("{{text | truncate: 13}}", json!("one two three")),
        ("{{text | truncate: 2}}", json!("..")),
        ("{{text | truncate: 0}}", json!("")),
        ("{{emoji | truncate: 2, ''}}", json!("👨‍👩‍👧‍👦👍🏽")),
        ("{{text | truncatewords: 2}}", json!("one two...")),
        ("{{text | truncatewords: 3}}", json!("one two three")),
        ("{{emoji | size}}", json!(3)),
        ("{{n | size}}", json!(1)),
        ("{{list | size}}", json!(3)),
        ("{{text | slice: -5, 5}}", json!("three")),
        ("{{text | slice: 0}}", json!("o")),
        ("{{text | slice: 99, 5}}", json!("")),
        ("{{list | slice: 1, 2}}", json!(["a", "b"])),
        ("{{'<a href=\"x\">' | escape}}", json!("&lt;a href=&quot;x&quot;&gt;")),
        ("{{'a b/c+客' | url_encode}}", json!("a%20b%2Fc%2B%E5%AE%A2")),
        ("{{'a%20b+c%E5%AE%A2%zz' | url_decode}}", json!("a b c客%zz")),
        ("{{lines | newline_to_br}}", json!("one<br />\n<br />\nthree")),
        ("{{lines | strip_newlines}}", json!("onethree")),
        ("{{phone | digits}}", json!("80290000000")),
    ]);
}

#[test]
fn numbers() {
    check(&[
        ("{{n | plus: 1 | times: 2}}", json!(16)),
        ("{{n | minus: 0.5}}", json!(6.5)),
        ("{{'5' | plus: '6'}}", json!(11)),
        ("{{n | divided_by: 2}}", json!(3)),
        ("{{neg | divided_by: 2}}", json!(-4)),
        ("{{n | divided_by: 2.0}}", json!(3.5)),
        ("{{neg | modulo: 3}}", json!(2)),
        (
            "{{price | round}}|{{price | ceil}}|{{price | floor}}|{{neg | abs}}",
            json!("13|13|12|7"),
        ),
        ("{{ 1.005 | round: 2}}", json!(1.01)),
        ("{{n | at_least: 9}}|{{n | at_most: 5}}", json!("9|5")),
        (
            "{{ 9223372036854775807 | plus: 1}}",
            json!(9_223_372_036_854_775_808_u64 as f64),
        ),
        ("{{'12' | number}}", json!(12)),
        ("{{' 1.5 ' | number}}", json!(1.5)),
        ("{{'x' | number | default: 0}}", json!(0)),
        ("{{n | string}}", json!("7")),
    ]);
}

#[test]
fn money_has_the_decimals_of_its_currency() {
    check(&[
        ("{{price | money: 'EUR'}}", json!("12.50")),
        ("{{price | money}}", json!("12.50")),
        ("{{price | money: 'JPY'}}", json!("13")),
        ("{{500000000 | money: 'VND'}}", json!("500000000")),
        ("{{ 9007199254740993 | money: 'USD'}}", json!("9007199254740993.00")),
        ("{{'1.005' | money: 'usd'}}", json!("1.01")),
        ("{{ 99.995 | money: 'USD'}}", json!("100.00")),
        ("{{ 1.2345 | money: 'KWD'}}", json!("1.235")),
        ("{{ -0.001 | money: 'USD'}}", json!("0.00")),
        ("{{ -2.5 | money: 'USD'}}", json!("-2.50")),
    ]);
}

#[test]
fn lists() {
    check(&[
        ("{{list | uniq | sort | join: '+'}}", json!("a+b")),
        ("{{list | reverse | join}}", json!("b a b")),
        ("{{list | first}}{{list | last}}", json!("bb")),
        ("{{objects | uniq | size}}", json!(1)),
        ("{{mixed | sort}}", json!([2, 2, 3, null, "10", "9"])),
        ("{{mixed | compact | size}}", json!(5)),
        ("{{list | concat: mixed | size}}", json!(9)),
        ("{{list | concat: missing | size}}", json!(3)),
        ("{{text | split: ' '}}", json!(["one", "two", "three"])),
        ("{{'客户' | split: ''}}", json!(["客", "户"])),
        ("{{'' | split: ','}}", json!([])),
        ("{{text | first}}", json!("one two three")),
    ]);
}

#[test]
fn moments() {
    check(&[
        (
            "{{seconds | date: '%Y-%m-%d %H:%M:%S', zone: 'Asia/Shanghai'}}",
            json!("2023-03-01 16:00:00"),
        ),
        ("{{1677657600 | date: '%H:%M', zone: 'UTC'}}", json!("08:00")),
        ("{{1677657600123 | date: 'unix'}}", json!(1_677_657_600)),
        ("{{moment | date: 'unix'}}", json!(1_795_512_600)),
        ("{{moment | date: 'unix_ms'}}", json!(1_795_512_600_000_i64)),
        ("{{moment | date: '%H:%M'}}", json!("12:30")),
        ("{{moment | date: 'iso'}}", json!("2026-11-24T12:30:00+03:00")),
        ("{{moment | date: 'iso', zone: 'UTC'}}", json!("2026-11-24T09:30:00Z")),
        (
            "{{moment | date: 'iso', zone: 'Asia/Ho_Chi_Minh'}}",
            json!("2026-11-24T16:30:00+07:00"),
        ),
        ("{{local | date: '%H:%M'}}", json!("14:30")),
        ("{{local | date: 'iso', zone: 'UTC'}}", json!("2025-08-03T11:30:00Z")),
        ("{{'2026-11-24' | date: '%d.%m.%Y'}}", json!("24.11.2026")),
        (
            "{{'2026-11-24T09:30:00.250Z' | date: 'iso'}}",
            json!("2026-11-24T12:30:00.25+03:00"),
        ),
        ("{{text | date: '%Y'}}", json!("one two three")),
    ]);
}

#[test]
fn people() {
    check(&[
        ("{{name | first_name}}|{{name | last_name}}", json!("Ana Maria|Petrova")),
        ("{{cn | first_name}}|{{cn | last_name}}", json!("三|张")),
        ("{{'Ana' | last_name}}", Value::Null),
        ("{{phone | phone_e164: 'BY'}}", json!("+375290000000")),
        ("{{phone | phone_e164}}", json!("+375290000000")),
        ("{{phone | phone_national: 'BY'}}", json!("290000000")),
        ("{{phone | phone_calling_code}}", json!("+375")),
        ("{{'13800138000' | phone_country: 'CN'}}", json!("CN")),
        ("{{'not a number' | phone_national: 'CN'}}", Value::Null),
        ("{{'00375 29 000-00-00' | phone_e164: 'CN'}}", json!("+375290000000")),
        ("{{'+86 138-0013-8000' | phone_e164}}", json!("+8613800138000")),
        ("{{'13800138000' | phone_e164: 'CN'}}", json!("+8613800138000")),
        ("{{'028 0000 0000' | phone_e164: 'VN'}}", json!("+842800000000")),
        ("{{text | phone_e164: 'BY'}}", json!("one two three")),
        ("{{'12' | phone_e164: 'BY'}}", json!("12")),
        ("{{'' | phone_e164: 'BY'}}", json!("")),
    ]);
}

#[test]
fn documents() {
    let paragraph = |text: &str| json!({"type": "paragraph", "content": [{"type": "text", "text": text}]});
    check(&[
        (
            "{{lines | adf}}",
            json!({
                "type": "doc", "version": 1, "content": [paragraph("one"), {"type": "paragraph"}, paragraph("three")]
            }),
        ),
        ("{{'' | adf}}", json!({"type": "doc", "version": 1, "content": []})),
        ("{{text | chunks: 5}}", json!(["one t", "wo th", "ree"])),
        ("{{'a👍🏽b' | chunks: 5}}", json!(["a👍🏽", "b"])),
        ("{{'' | chunks: 5}}", json!([])),
        ("{{html | html_to_text}}", json!("Hi Ana & co\n\nBye")),
        ("{{html | strip_html}}", json!("Hi Ana &amp; coBye")),
        ("{{'1 < 2 客' | strip_html}}", json!("1 < 2 客")),
        ("{{'<SCRIPT>x</Script>y<!-- > -->z' | strip_html}}", json!("yz")),
        ("{{'<ul><li>a<li>客</ul>b' | html_to_text}}", json!("* a\n* 客\nb")),
        ("{{'a<br>b<p>c<p>d' | html_to_text}}", json!("a\nb\n\nc\n\nd")),
        ("{{objects | json}}", json!("[{\"a\":1},{\"a\":1}]")),
        ("{{'a' | md5}}", json!("0cc175b9c0f1b6a831c399e269772661")),
        ("{{'a' | sha256 | slice: 0, 8}}", json!("ca978112")),
        ("{{cn | base64_encode}}", json!("5byg5LiJ")),
        (
            "{{'The quick brown fox jumps over the lazy dog' | hmac_sha256: 'key'}}",
            json!("f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"),
        ),
        (
            "{{\"SEC\" | prepend: \"\n\" | prepend: 1795169730 | as_hmac_sha256_key: '', as: 'base64'}}",
            json!("42FOi+HXuH0H3sg9n/0qxlYKsgd6dht0DaFJYfkOE80="),
        ),
        ("{{absent | hmac_sha256: 'key'}}", Value::Null),
        ("{{absent | as_hmac_sha256_key: 'text'}}", Value::Null),
        ("{{'p-1' | uuid}}", json!("2c405d46-7420-497f-acaa-ddf1ff371036")),
        ("{{'p-1' | uuid: 't1'}}", json!("e1b592fa-5406-42d7-8b88-44d5d1be0b94")),
        (
            "{{'p-1' | uuid | adf | adf}}",
            json!({"type": "doc", "version": 1, "content": [paragraph("2c405d46-7420-497f-acaa-ddf1ff371036")]}),
        ),
        ("{{'Yes' | boolean}}{{0 | boolean}}", json!("truefalse")),
        ("{{'perhaps' | boolean}}", Value::Null),
    ]);
}

/// Were any of these read in quadratic time, the test would take minutes.
#[test]
fn html_of_any_shape_is_read() {
    for html in [
        "<div>".repeat(50_000),
        "<div></x>".repeat(50_000),
        "<ul><li>".repeat(20_000),
        "<table><tr><td>".repeat(10_000),
        "<blockquote>x".repeat(99),
        "<script>".repeat(50_000),
        "<!-->".repeat(50_000),
        "<".repeat(50_000),
        format!("<{}", "x".repeat(100_000)),
        "<p>x".repeat(5_000),
    ] {
        let data = json!({"html": html});
        let template = Template::parse("{{html | html_to_text}}{{html | strip_html}}").unwrap();
        assert!(template.render(&Scope::new(&data)).is_ok());
    }
}

#[test]
fn every_filter_has_a_name_of_its_own_and_a_line_of_documentation() {
    let names: BTreeSet<&str> = filter_docs().map(|filter| filter.name).collect();
    assert_eq!(names.len(), filter_docs().count());
    assert!(filter_docs().all(|filter| filter.doc.len() > 3 && !filter.doc.contains('\n')));
}

/// Every filter with any value and any argument: an answer or an error, never a panic.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        "[0-9+ ().:TZ-]{0,24}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,3}", inner, 0..3).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_value_makes_a_filter_panic(value in any_value(), a in any_value(), b in any_value()) {
        let data = json!({"v": value, "a": a, "b": b});
        for filter in filter_docs() {
            for arguments in ["", ": a", ": a, b"] {
                if let Ok(template) = Template::parse(&format!("{{{{ v | {}{arguments} }}}}", filter.name)) {
                    let _ = template.render(&Scope::new(&data));
                }
            }
        }
    }

    #[test]
    fn truncate_never_exceeds_its_length_and_never_cuts_a_character(
        text in "\\PC{0,60}", most in 0usize..50, ending in "\\PC{0,5}"
    ) {
        let data = json!({"v": text, "m": most, "e": ending});
        let cut = Template::parse("{{ v | truncate: m, e }}").unwrap().render_text(&Scope::new(&data)).unwrap();
        let whole: Vec<&str> = text.graphemes(true).collect();
        prop_assert!(cut.graphemes(true).count() <= most);
        if whole.len() <= most {
            prop_assert_eq!(cut, text);
        } else {
            let kept = most.saturating_sub(ending.graphemes(true).count());
            let shown: Vec<&str> = ending.graphemes(true).take(most).collect();
            prop_assert_eq!(cut, whole[..kept].concat() + &shown.concat());
        }
    }

    #[test]
    fn chunks_lose_nothing_and_respect_their_size(text in "\\PC{0,200}", most in 1usize..40) {
        let data = json!({"v": text});
        let template = Template::parse(&format!("{{{{ v | chunks: {most} }}}}")).unwrap();
        let chunks = template.render(&Scope::new(&data)).unwrap();
        let chunks: Vec<String> = serde_json::from_value(chunks.unwrap()).unwrap();
        prop_assert_eq!(chunks.concat(), text);
        // One code point outside the basic plane takes two units, whatever the size.
        prop_assert!(chunks.iter().all(|chunk| chunk.encode_utf16().count() <= most.max(2)));
    }

    #[test]
    fn money_is_within_half_of_its_last_digit(units in -1_000_000_000_i64..1_000_000_000, thousandths in 0_i64..1000) {
        let written = format!("{units}.{thousandths:03}");
        let data = json!({"v": written});
        let money = Template::parse("{{ v | money: 'USD' }}").unwrap().render_text(&Scope::new(&data)).unwrap();
        let exact: f64 = written.parse().unwrap();
        prop_assert!((money.parse::<f64>().unwrap() - exact).abs() <= 0.005 + 1e-6, "{} {}", written, money);
        prop_assert_eq!(money.rsplit_once('.').unwrap().1.len(), 2);
    }

    #[test]
    fn an_e164_number_stays_as_it_is(rest in "[2-9][0-9]{9}") {
        let number = format!("+1{rest}");
        let data = json!({"v": number});
        let again = Template::parse("{{ v | phone_e164: 'CN' }}").unwrap().render(&Scope::new(&data)).unwrap();
        prop_assert_eq!(again, Some(json!(number)));
    }
}
