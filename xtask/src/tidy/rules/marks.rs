//! Unfinished work is an issue, not a mark in the source.

use std::sync::LazyLock;

use regex::Regex;

use crate::tidy::{Finding, Tree, pattern};

// A letter in brackets keeps these patterns from matching themselves.
static MACRO: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(tod[o]|unimplemente[d])!\s*[(\[{]"));
static WORD: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(["'`]?)\b(TOD[O]|FIXM[E]|XX[X])\b(\W{0,2}#\d+)?"#));

/// Looks for macros in Rust files and for words in all text files. A word with the number of an issue is allowed, and one that begins a quoted
/// text: a vendor's name of a state.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files() {
        let rust = file.path.ends_with(".rs");
        for (line, text) in file.lines() {
            if let Some(mark) = MACRO.captures(text).filter(|_| rust) {
                findings.push(Finding::at(file, line, format!("`{}!` is unfinished work", &mark[1])));
            }
            for mark in WORD
                .captures_iter(text)
                .filter(|mark| mark[1].is_empty() && mark.get(3).is_none())
            {
                findings.push(Finding::at(
                    file,
                    line,
                    format!("`{}` without the #number of an issue", &mark[2]),
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
    fn marks_are_found_unless_they_name_an_issue() {
        for (path, text, found) in [
            ("a.rs", "@o!()", 1),
            (
                "a.rs",
                "unimplement@(\"später\")".to_owned().replace('@', "ed!").as_str(),
                1,
            ),
            ("a.md", "@o!()", 0),
            ("a.rs", "// @O: later, FIX@", 2),
            ("a.rs", "// @O(#12): later", 0),
            ("a.rs", "// FIX@ #7", 0),
            ("a.yaml", "# X@", 1),
            ("a.json", "{\"status\": \"@O\"}", 0),
            ("a.md", "XX@X and method@logy", 0),
        ] {
            let text = text
                .replace("@o", concat!("to", "do"))
                .replace("@O", concat!("TO", "DO"));
            let text = text
                .replace("FIX@", concat!("FIX", "ME"))
                .replace("X@", concat!("X", "XX"));
            assert_eq!(check(&Tree::of(&[(path, &text)])).len(), found, "{text}");
        }
    }
}
