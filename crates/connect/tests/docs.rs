//! The configuration reference says what the program does.

use serde_json::json;
use switchboard_connect::{document::Document, guide, registry::Registry};
use switchboard_model::{condition::Condition, template::filter_docs};

const REFERENCE: &str = include_str!("../../../docs/reference/configuration.md");
const CLASSIFY: &str = include_str!("../../../docs/guide/classify.md");
const START: &str = "<!-- filters: compared with the program by a test -->\n";
const END: &str = "<!-- end of filters -->\n";

#[test]
fn the_table_of_filters_is_the_list_of_filters() {
    let rows = filter_docs().map(|filter| format!("| `{}` | {} |\n", filter.name, filter.doc.replace('|', "\\|")));
    let expected = format!("\n| filter | gives |\n|---|---|\n{}\n", rows.collect::<String>());
    let written = REFERENCE
        .split_once(START)
        .and_then(|(_, rest)| rest.split_once(END))
        .map(|(table, _)| table);
    assert!(
        written == Some(expected.as_str()),
        "put this table into the reference:\n{expected}"
    );
}

#[test]
fn every_operator_of_the_reference_is_understood() {
    let table = REFERENCE
        .split_once("| operator |")
        .and_then(|(_, rest)| rest.split_once("\n\n"))
        .unwrap()
        .0;
    let mut understood = 0;
    for row in table.lines().skip(2) {
        let names: Vec<&str> = row
            .rsplit_once(" | ")
            .unwrap()
            .0
            .split('`')
            .skip(1)
            .step_by(2)
            .collect();
        for name in names {
            let value = if name.ends_with("in") { json!(["x"]) } else { json!("x") };
            let condition = json!({"field": "platform", "operator": name, "value": value});
            assert!(
                Condition::from_guide(&condition).is_ok(),
                "{name}: {:?}",
                Condition::from_guide(&condition)
            );
            understood += 1;
        }
    }
    assert_eq!(understood, 31);
}

#[test]
fn every_example_file_of_the_reference_is_read_without_a_problem() {
    assert_eq!(examples(REFERENCE), 10);
    assert_eq!(examples(CLASSIFY), 4);
}

/// How many configuration files stand in a page; each is read without a problem.
fn examples(page: &str) -> usize {
    let registry = Registry::embedded().expect("the embedded connectors load");
    let mut read = 0;
    for block in page.split("```").skip(1).step_by(2) {
        let (language, text) = block.split_once('\n').unwrap_or_default();
        // Blocks with a part of a file only.
        let is_file = [
            "connections",
            "crmIntegrations",
            "routes",
            "strategy",
            "tables:",
            "classifier:",
        ]
        .iter()
        .any(|key| text.contains(key));
        if !is_file || !matches!(language, "json" | "yaml") {
            continue;
        }
        let document = Document::parse(text, "example").unwrap_or_else(|problem| panic!("{problem}\n{text}"));
        let items = guide::read(&document, &registry).unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"));
        assert!(!items.is_empty(), "{text}");
        read += 1;
    }
    read
}
