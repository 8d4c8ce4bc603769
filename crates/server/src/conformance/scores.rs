//! The scores of the built-in connectors as they are published: `connectors/scores.json`. A test compares them with what the suite finds.

use std::sync::LazyLock;

use indexmap::IndexMap;

use super::report::{Report, Score};

const TEXT: &str = include_str!("../../../../connectors/scores.json");

static SCORES: LazyLock<IndexMap<String, Score>> = LazyLock::new(|| serde_json::from_str(TEXT).unwrap_or_default());

/// The published score of a built-in connector.
pub fn published(slug: &str) -> Option<&'static Score> {
    SCORES.get(slug)
}

/// The file as it should be after this run of all built-in connectors.
pub fn file(report: &Report) -> String {
    let mut slugs = report.connectors();
    slugs.sort_unstable();
    let scores: IndexMap<&str, Score> = slugs.into_iter().map(|slug| (slug, report.score(slug))).collect();
    let mut text = serde_json::to_string_pretty(&scores).unwrap_or_default();
    text.push('\n');
    text
}

/// The file as it is.
pub fn present() -> &'static str {
    TEXT
}
