//! Nothing in the repository depends on, or tells of, the machine of one developer.

use std::sync::LazyLock;

use regex::Regex;

use crate::tidy::{Finding, Tree, pattern};

/// Beginnings of absolute paths. The slashes are added below, so that this file does not name them itself.
const FOLDERS: [&str; 4] = ["work", "root", "home", r"tmp/\w+_jobs"];

/// An absolute path: in front of its slash is nothing that would make it the rest of a longer path or address.
static PATH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?:^|[^\w.~*/}}\])-])(/(?:{})(?:/|[.]\d))",
        FOLDERS.join("|")
    ))
});

/// Looks at every text file.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files() {
        for (line, text) in file.lines() {
            if let Some(path) = PATH.captures(text).and_then(|captures| captures.get(1)) {
                findings.push(Finding::at(
                    file,
                    line,
                    format!("`{}…` is a path of one machine", path.as_str()),
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_paths_are_found_and_ends_of_longer_ones_are_not() {
        for (start, text, found) in [
            ("/work", "cd @/main", true),
            ("/root", "`@/.cargo`", true),
            ("/home", "path=@/anna/x", true),
            ("/home", "@/", true),
            ("/tmp/some_jobs", "@.0/a", true),
            ("/home", "https://example.org@/x", false),
            ("/home", "{{ base }}@/x", false),
            ("/work", "../work@/x", false),
            ("/work", "docs@/x", false),
            ("/workspace", "@/x", false),
        ] {
            let text = text.replace('@', start);
            assert_eq!(!check(&Tree::of(&[("docs/a.md", &text)])).is_empty(), found, "{text}");
        }
    }
}
