//! Links in Markdown to files of this repository lead somewhere.

use crate::tidy::markdown::links;
use crate::tidy::{Finding, Tree};

/// Looks at every Markdown file. A target that begins with `/` counts from the root of the repository.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.ending(".md") {
        for (line, target) in links(file) {
            match local(&file.path, &target) {
                Some(Some(path)) if tree.has(&path) => {}
                None => {}
                Some(_) => findings.push(Finding::at(file, line, format!("the link `{target}` leads nowhere"))),
            }
        }
    }
    findings
}

/// The path that a link means: `None` when it does not mean a file of ours, `Some(None)` when it leaves the repository.
fn local(from: &str, target: &str) -> Option<Option<String>> {
    let target = target.split(['#', '?']).next().unwrap_or_default();
    let scheme = target.split_once(':').is_some_and(|(scheme, _)| !scheme.contains('/'));
    if target.is_empty() || scheme || target.starts_with("//") {
        return None;
    }
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let (folder, target) = target.strip_prefix('/').map_or((folder, target), |rest| ("", rest));
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_none() => return Some(None),
            ".." => {}
            _ => parts.push(part),
        }
    }
    Some(Some(parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_what_is_there_pass_and_all_others_are_found() {
        for (target, found) in [
            ("adr/0001.md", false),
            ("adr/0001.md#why", false),
            ("../README.md", false),
            ("/README.md", false),
            ("./", false),
            ("adr", false),
            ("#heading", false),
            ("https://example.org/no.md", false),
            ("mailto:a@example.org", false),
            ("//example.org/x", false),
            ("adr/0002.md", true),
            ("README.md", true),
            ("../../README.md", true),
        ] {
            let text = format!("текст\n[link]({target})\n");
            let tree = Tree::of(&[("docs/a.md", &text), ("docs/adr/0001.md", "#"), ("README.md", "#")]);
            let findings: Vec<String> = check(&tree).iter().map(Finding::to_string).collect();
            let expected = if found {
                vec![format!("docs/a.md:2: the link `{target}` leads nowhere")]
            } else {
                vec![]
            };
            assert_eq!(findings, expected, "{target}");
        }
    }
}
