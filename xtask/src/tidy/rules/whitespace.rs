//! Text files end with one line break, lines end with no blanks, Rust is indented with spaces.

use crate::tidy::{Finding, SourceFile, Tree};

/// Folders whose files are recordings of what others sent and stay as they came.
const RECORDED: &str = "/recorded/";

/// Looks at every text file outside folders called `recorded`.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let ours = tree.files().filter(|file| !file.path.contains(RECORDED));
    ours.flat_map(|file| lines(file).into_iter().chain(end(file))).collect()
}

fn lines(file: &SourceFile) -> Vec<Finding> {
    let rust = file.path.ends_with(".rs");
    let mut findings = Vec::new();
    for (index, text) in file.text.split('\n').enumerate() {
        if text.ends_with([' ', '\t', '\r']) {
            findings.push(Finding::at(file, index + 1, "blanks at the end of the line"));
        }
        if rust && text.contains('\t') {
            findings.push(Finding::at(
                file,
                index + 1,
                "a tab; write `\\t` in text and indent with spaces",
            ));
        }
    }
    findings
}

fn end(file: &SourceFile) -> Option<Finding> {
    let last = file.lines().count();
    if file.text.is_empty() {
        None
    } else if !file.text.ends_with('\n') {
        Some(Finding::at(file, last, "no line break at the end of the file"))
    } else if file.text.ends_with("\n\n") {
        Some(Finding::at(file, last, "empty lines at the end of the file"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_tabs_and_wrong_ends_are_found_with_their_lines() {
        for (path, text, found) in [
            ("a.md", "день\n", vec![]),
            ("a.md", "", vec![]),
            ("a.md", "a\nb", vec!["a.md:2: no line break at the end of the file"]),
            ("a.md", "a\n\n", vec!["a.md:2: empty lines at the end of the file"]),
            ("a.md", "a \nb\n", vec!["a.md:1: blanks at the end of the line"]),
            ("a.md", "a\r\n", vec!["a.md:1: blanks at the end of the line"]),
            ("a.md", "a\tb\n", vec![]),
            (
                "a.rs",
                "\tb\n",
                vec!["a.rs:1: a tab; write `\\t` in text and indent with spaces"],
            ),
            ("tests/recorded/a.txt", "a \r\n\r\n", vec![]),
        ] {
            let findings: Vec<String> = check(&Tree::of(&[(path, text)]))
                .iter()
                .map(Finding::to_string)
                .collect();
            assert_eq!(findings, found, "{text:?}");
        }
    }
}
