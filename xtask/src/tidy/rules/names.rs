//! No file, folder or module has a name that invites everything.

use std::sync::LazyLock;

use regex::Regex;

use crate::tidy::{Finding, Tree, pattern};

const BANNED: [&str; 6] = ["utils", "util", "common", "helpers", "types", "misc"];

static MODULE: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"^\s*(?:pub(?:\([^)]*\))?\s+)?mod\s+({})\b", BANNED.join("|"))));

/// Looks at every path and at the module declarations of every Rust file.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files() {
        let parts = file
            .path
            .split('/')
            .map(|part| part.split_once('.').map_or(part, |(stem, _)| stem));
        for part in parts.filter(|part| BANNED.contains(part)) {
            findings.push(Finding::at(
                file,
                1,
                format!("`{part}` says nothing; name it after what it does"),
            ));
        }
        if file.path.ends_with(".rs") {
            for (line, module) in file
                .lines()
                .filter_map(|(line, text)| Some((line, MODULE.captures(text)?)))
            {
                findings.push(Finding::at(file, line, format!("module `{}` says nothing", &module[1])));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn banned_names_of_files_folders_and_modules_are_found() {
        for (path, text, found) in [
            ("src/util.rs", "", 1),
            ("src/common/mod.rs", "", 1),
            ("src/helpers.test.ts", "", 1),
            ("src/a.rs", "pub(crate) mod types;", 1),
            ("src/a.rs", "    mod misc {", 1),
            ("src/event_types.rs", "mod utilisation;", 0),
            ("src/a.rs", "let types = 1; // mod types", 0),
        ] {
            assert_eq!(check(&Tree::of(&[(path, text)])).len(), found, "{path} {text}");
        }
    }
}
