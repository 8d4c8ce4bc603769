//! No test is switched off: it is mended or deleted.

use std::sync::LazyLock;

use regex::Regex;

use crate::tidy::{Finding, Tree, pattern};

static IGNORED: LazyLock<Regex> = LazyLock::new(|| pattern(r"#\[\s*(?:cfg_attr\(.*,\s*)?ignore\b"));

/// Looks at every Rust file.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.ending(".rs") {
        for (line, _) in file.code_lines().filter(|(_, text)| IGNORED.is_match(text)) {
            findings.push(Finding::at(file, line, "a test is ignored; mend it or delete it"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ignored_test_is_found_and_the_word_elsewhere_is_not() {
        for (code, found) in [
            ("#[{}]", true),
            ("    #[{} = \"slow\"]", true),
            ("#[cfg_attr(windows, {})]", true),
            ("// #[{}]", false),
            ("let {} = 1;", false),
            ("#[{}_case]", false),
        ] {
            let text = code.replace("{}", "ignore");
            assert_eq!(!check(&Tree::of(&[("a.rs", &text)])).is_empty(), found, "{text}");
        }
    }
}
