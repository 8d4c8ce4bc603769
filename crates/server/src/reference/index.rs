//! The list of connectors.

use std::fmt::Write;

use serde_json::Value;
use switchboard_connect::{connector::Means, manifest::OperationKind};

use super::{Described, words};
use crate::conformance::scores::published;

/// The page that lists all pages.
pub fn page(described: &[Described<'_>]) -> String {
    let mut page = String::from(
        "# Connectors\n\nMade by `switchboard connector pages` from the manifests, the waivers of the scenarios and the scores of the \
         conformance suite. How to write one: [a connector of one's own](../../guide/connector.md).\n\n",
    );
    page.push_str(&table(described, ""));
    page
}

/// A row for each connector, with links to its page below `prefix`.
pub fn table(described: &[Described<'_>], prefix: &str) -> String {
    let mut text = String::from(
        "| System | Objects | Sign-in | A lost answer is resolved by | Records per call | Conformance |\n|---|---|---|---|---|---|\n",
    );
    for one in described {
        let connector = one.connector;
        let sign_in: Vec<&str> = connector.auth_kinds().map(|(_, title, _)| title).collect();
        let score = published(connector.slug()).map_or("not scored yet".to_owned(), |score| {
            let waived = score.waived.len();
            let waived = if waived == 0 {
                String::new()
            } else {
                format!(", {waived} waived")
            };
            format!("{} %{waived}", score.score)
        });
        let _ = writeln!(
            text,
            "| [{}]({prefix}{}.md) | {} | {} | {} | {} | {score} |",
            connector.name(),
            connector.slug(),
            connector.object_names().join(", "),
            words::cell(&sign_in.join(", ")),
            means(one),
            words::cell(&per_call(&one.manifest)),
        );
    }
    text
}

/// The means of all its objects, best first.
fn means(one: &Described<'_>) -> String {
    let connector = one.connector;
    let of_object = |object: &str| {
        let kinds = [OperationKind::Upsert, OperationKind::Create];
        let offered = kinds.into_iter().filter(|kind| connector.offers(object, *kind));
        offered.map(|kind| connector.means(object, kind)).next()
    };
    let found: Vec<Means> = connector.object_names().into_iter().filter_map(of_object).collect();
    let named = Means::ALL.into_iter().filter(|means| found.contains(means));
    named.map(words::means).collect::<Vec<_>>().join(", ")
}

/// The most records of any bulk call.
fn per_call(manifest: &Value) -> String {
    let mut most: Vec<String> = Vec::new();
    let mut open = vec![manifest];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                if let Some(items) = members.get("most_items") {
                    let text = words::amount(items);
                    if !most.contains(&text) {
                        most.push(text);
                    }
                }
                open.extend(members.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    let largest = most.iter().filter_map(|text| text.parse::<u64>().ok()).max();
    match (largest, most.first()) {
        (Some(largest), _) => format!("up to {largest}"),
        (None, Some(_)) => "as the settings say".to_owned(),
        (None, None) => "1".to_owned(),
    }
}
