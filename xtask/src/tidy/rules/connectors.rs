//! A connector's folder is complete.

use std::collections::BTreeSet;

use crate::tidy::{Finding, Tree};

const NEEDED: [&str; 4] = ["connector.yaml", "icon.svg", "guide.md", "scenario.yaml"];

/// Looks at every folder directly below `connectors/`.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let inside = tree
        .files()
        .filter_map(|file| file.path.strip_prefix("connectors/")?.split_once('/'));
    let slugs: BTreeSet<&str> = inside.map(|(slug, _)| slug).collect();
    let mut findings = Vec::new();
    for slug in slugs {
        for name in NEEDED {
            let path = format!("connectors/{slug}/{name}");
            match tree.get(&path) {
                Some(file) if file.size > 0 => {}
                Some(_) => findings.push(Finding::path(path, 1, "is empty")),
                None => findings.push(Finding::path(path, 1, "is missing: each connector has one")),
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complete_folder_passes_and_each_missing_or_empty_file_is_found() {
        let tree = Tree::of(&[
            ("connectors/manifest.schema.json", "{}"),
            ("connectors/notion/connector.yaml", "slug: notion\n"),
            ("connectors/notion/guide.md", "# Notion\n"),
            ("connectors/notion/icon.svg", "<svg/>\n"),
            ("connectors/notion/scenario.yaml", "objects: {}\n"),
            ("connectors/wecom/connector.yaml", "slug: wecom\n"),
            ("connectors/wecom/guide.md", ""),
        ]);
        let found: Vec<String> = check(&tree).iter().map(Finding::to_string).collect();
        assert_eq!(
            found,
            [
                "connectors/wecom/icon.svg:1: is missing: each connector has one",
                "connectors/wecom/guide.md:1: is empty",
                "connectors/wecom/scenario.yaml:1: is missing: each connector has one",
            ]
        );
    }
}
