//! Paths that the documents name in inline code exist, so that they lead a reader somewhere.

use crate::tidy::markdown::spans;
use crate::tidy::{Finding, Tree};

/// The documents that describe the present tree; those that tell of the past (changelog, decisions) are left out.
const DOCUMENTS: [&str; 4] = ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "SECURITY.md"];
/// Folders at the root; a span that begins with one of them is a path.
const FOLDERS: [&str; 6] = [".cargo/", ".ci/", "connectors/", "crates/", "docs/", "xtask/"];

/// Looks at the documents. A span with a placeholder (`<slug>`, `*`, `…`) names no single file and is left out.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in DOCUMENTS.iter().filter_map(|path| tree.get(path)) {
        for (line, span) in spans(file) {
            let path = span.split_once(':').map_or(span, |(path, _)| path);
            let named = FOLDERS.iter().any(|folder| path.starts_with(folder));
            if named && !path.contains(['<', '*', '{', '…', ' ']) && !tree.has(path) {
                findings.push(Finding::at(file, line, format!("`{span}` does not exist")));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_path_has_to_exist() {
        for (span, found) in [
            ("crates/hub/src/hub.rs", 0),
            ("crates/hub/src/hub.rs:12", 0),
            ("crates/hub/src/hub.rs::Hub", 0),
            ("crates/hub/", 0),
            ("crates/<name>/src", 0),
            ("connectors/*/icon.svg", 0),
            ("data/master.key", 0),
            ("crates/hub/src/gone.rs", 1),
            (".ci/run", 1),
        ] {
            let text = format!("text `{span}`\n");
            let tree = Tree::of(&[("ARCHITECTURE.md", &text), ("crates/hub/src/hub.rs", "")]);
            assert_eq!(check(&tree).len(), found, "{span}");
        }
    }

    #[test]
    fn documents_of_the_past_may_name_what_is_gone() {
        assert_eq!(check(&Tree::of(&[("CHANGELOG.md", "`crates/gone`")])), []);
    }
}
