//! Our templates against the `liquid` crate on what both understand.
//!
//! Deliberate differences, which the cases below leave out:
//! - a lone expression keeps its type here, Liquid makes text of it (compared as text);
//! - what is absent is empty text here, in Liquid an unknown variable is an error (so all variables of the cases exist,
//!   some as nil);
//! - `truncate` never exceeds its length here, Liquid's ending may (lengths below three are left out);
//! - `default` knows `allow_false` here, as Shopify's Liquid does; the crate does not;
//! - `truncate` counts characters here; the crate compares bytes with the length before it counts (ASCII text is
//!   compared);
//! - `size` counts characters here, the crate counts bytes (text of one byte a character is compared);
//! - `truncatewords` splits at any white space here, the crate at single spaces only (left out of the generated cases);
//! - a number with a fraction of zero prints as `2.0` here and as `2` there (left out), as JSON has it;
//! - whole numbers are divided downwards here, as in Shopify's Liquid; the crate divides towards zero (differs below zero
//!   only, which is left out);
//! - arithmetic on text that is no number is an error here, in Liquid too, with other words;
//! - `date` reads more forms here and leaves what it cannot read alone.

use proptest::prelude::*;
use serde_json::{Value, json};
use switchboard_model::template::{Scope, Template};

fn data() -> Value {
    json!({
        "a": "Hello World", "b": "  spaced  ", "c": "客户咨询，价格多少？", "d": "Привет, мир", "e": "",
        "i": 7, "j": -3, "f": 2.75, "yes": true, "no": false, "list": ["x", "y", "z"], "o": {"p": "inner", "q": [1, 2, 3]},
        "html": "<b>bold & 'x'</b>", "lines": "one\ntwo\nthree", "emoji": "👍🏽 ok 👨‍👩‍👧‍👦"
    })
}

fn ours(source: &str, data: &Value) -> Result<String, String> {
    let template = Template::parse(source).map_err(|error| error.to_string())?;
    template
        .render_text(&Scope::new(data))
        .map_err(|error| error.to_string())
}

fn theirs(source: &str, data: &Value) -> Result<String, String> {
    let parser = liquid::ParserBuilder::with_stdlib()
        .build()
        .map_err(|error| error.to_string())?;
    let globals: liquid::Object = serde_json::from_value(data.clone()).map_err(|error| error.to_string())?;
    let template = parser.parse(source).map_err(|error| error.to_string())?;
    template.render(&globals).map_err(|error| error.to_string())
}

#[test]
fn both_render_the_common_subset_alike() {
    let data = data();
    for source in [
        "{{a}}",
        "x {{a}} y",
        "{{ o.p }}",
        "{{o.q[1]}}",
        "{{ o['p'] }}",
        "{{list.first}}{{list.last}}",
        "{{list.size}}",
        "{{a | size}}",
        "{{i}} {{j}} {{f}}",
        "{{yes}}{{no}}",
        "{{a | upcase}}",
        "{{d | downcase}}",
        "{{d | upcase}}",
        "{{d | capitalize}}",
        "[{{b | strip}}]",
        "[{{b | lstrip}}]",
        "[{{b | rstrip}}]",
        "{{a | replace: 'l', 'L'}}",
        "{{a | replace_first: 'l', 'L'}}",
        "{{a | remove: 'o'}}",
        "{{a | append: '!' | prepend: '¡'}}",
        "{{a | truncate: 8}}",
        "{{a | truncate: 8, '--'}}",
        "{{a | truncatewords: 1}}",
        "{{a | split: ' ' | join: '-'}}",
        "{{list | join: ', '}}",
        "{{list | reverse | join: ''}}",
        "{{list | first}}",
        "{{list | last}}",
        "{{e | default: 'none'}}",
        "{{no | default: 'x'}}",
        "{{a | slice: 0, 5}}",
        "{{a | slice: -5, 3}}",
        "{{a | slice: 1}}",
        "{{html | escape}}",
        "{{html | strip_html}}",
        "{{lines | newline_to_br}}",
        "{{lines | strip_newlines}}",
        "{{a | url_encode}}",
        "{{c | url_encode | url_decode}}",
        "{{i | plus: 2}}",
        "{{i | minus: 10}}",
        "{{i | times: 3}}",
        "{{i | divided_by: 2}}",
        "{{i | modulo: 4}}",
        "{{f | times: 2}}",
        "{{f | round}}",
        "{{f | round: 1}}",
        "{{f | ceil}}",
        "{{f | floor}}",
        "{{j | abs}}",
        "{{i | at_least: 9}}",
        "{{i | at_most: 5}}",
        "{{'lit'}} {{\"dq\"}} {{ 5 }}",
        "a {{- i -}} b",
        "{{ list | concat: list | uniq | join: '' }}",
    ] {
        assert_eq!(ours(source, &data), theirs(source, &data), "{source}");
    }
}

#[test]
fn both_refuse_the_same_mistakes() {
    for source in [
        "{{",
        "{{ a",
        "{{ a | }}",
        "{{ a | unknown_filter }}",
        "{{ a b }}",
        "{{ 'open }}",
        "{{ a | append }}",
        "{{ a | upcase: 1 }}",
    ] {
        assert!(ours(source, &data()).is_err(), "{source}");
        assert!(theirs(source, &data()).is_err(), "{source}");
    }
}

fn operand() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "a",
        "b",
        "c",
        "d",
        "e",
        "lines",
        "html",
        "emoji",
        "o.p",
        "list[0]",
        "'literal'",
    ])
    .prop_map(str::to_owned)
}

fn filter() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "upcase",
            "downcase",
            "strip",
            "lstrip",
            "rstrip",
            "strip_newlines",
            "escape",
            "strip_html",
            "url_encode",
            "capitalize"
        ])
        .prop_map(str::to_owned),
        (3usize..20).prop_map(|n| format!("truncate: {n}")),
        "[a-zé客]{1,3}".prop_map(|text| format!("append: '{text}'")),
        "[a-zé客]{1,3}".prop_map(|text| format!("prepend: '{text}'")),
        ("[a-z ]", "[a-z]{0,2}").prop_map(|(from, to)| format!("replace: '{from}', '{to}'")),
        "[a-z]".prop_map(|text| format!("remove: '{text}'")),
        "[a-z]{1,5}".prop_map(|text| format!("default: '{text}'")),
    ]
}

fn calculation() -> impl Strategy<Value = String> {
    let names = vec!["plus", "times", "divided_by", "modulo", "at_least", "at_most"];
    prop_oneof![
        (prop::sample::select(names), 1..99).prop_map(|(name, operand)| format!("| {name}: {operand}")),
        (1..99).prop_map(|operand| format!("| minus: {operand} | abs")),
        prop::sample::select(vec!["| abs", "| round", "| ceil", "| floor"]).prop_map(str::to_owned),
    ]
}

proptest! {
    #[test]
    fn both_render_generated_templates_alike(
        before in "[a-z客 ]{0,5}",
        operand in operand(),
        filters in prop::collection::vec(filter(), 0..4),
        after in "[a-z客 ]{0,5}",
    ) {
        let chain: String = filters.iter().map(|filter| format!(" | {filter}")).collect();
        let source = format!("{before}{{{{ {operand}{chain} }}}}{after}");
        let data = data();
        let ascii_until = |end: usize| {
            let chain: String = filters[..end].iter().map(|filter| format!(" | {filter}")).collect();
            ours(&format!("{{{{ {operand}{chain} }}}}"), &data).is_ok_and(|text| text.is_ascii())
        };
        prop_assume!((0..filters.len()).all(|at| !filters[at].starts_with("truncate") || ascii_until(at)));
        prop_assert_eq!(ours(&source, &data), theirs(&source, &data), "{}", source);
    }

    #[test]
    fn both_calculate_with_whole_numbers_alike(start in 0_i64..99, steps in prop::collection::vec(calculation(), 0..5)) {
        let source = format!("{{{{ n {} }}}}", steps.concat());
        let data = json!({"n": start});
        prop_assert_eq!(ours(&source, &data), theirs(&source, &data), "{} of {}", source, start);
    }
}
