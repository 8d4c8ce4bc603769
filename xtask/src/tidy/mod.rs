//! `cargo xtask tidy`: style as a test. Each rule is one function in one file of `rules/`; all findings are shown at once.
//!
//! To add a rule: a file in `rules/` with a `check`, a row in [`RULES`], unit tests beside it.

mod finding;
pub mod manifest;
pub mod markdown;
mod rules;
mod tree;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use regex::Regex;

pub use finding::Finding;
pub use tree::{SourceFile, Tree};

/// A rule: its name, and what looks at the whole tree and says what is wrong.
pub type Rule = (&'static str, fn(&Tree) -> Vec<Finding>);

/// Every rule, in alphabetical order.
pub const RULES: &[Rule] = &[
    ("arrows", rules::arrows::check),
    ("connectors", rules::connectors::check),
    ("docs", crate::docs::check),
    ("errors", crate::errors::check),
    ("ignored", rules::ignored::check),
    ("inherit", rules::inherit::check),
    ("length", rules::length::check),
    ("links", rules::links::check),
    ("machine", rules::machine::check),
    ("marks", rules::marks::check),
    ("names", rules::names::check),
    ("purity", rules::purity::check),
    ("registries", rules::registries::check),
    ("size", rules::size::check),
    ("sleeps", rules::sleeps::check),
    ("spans", rules::spans::check),
    ("whitespace", rules::whitespace::check),
];

/// Applies the rules to the repository and prints every finding as `path:line: message (rule)`.
pub fn run(root: &Path, rules: &[Rule]) -> Result<ExitCode> {
    let tree = Tree::read(root)?;
    let mut findings: Vec<_> = rules
        .iter()
        .flat_map(|(name, check)| check(&tree).into_iter().map(move |finding| (finding, *name)))
        .collect();
    findings.sort();
    for (finding, name) in &findings {
        println!("{finding} ({name})");
    }
    match findings.len() {
        0 => Ok(ExitCode::SUCCESS),
        count => {
            println!("{count} finding{}", if count == 1 { "" } else { "s" });
            Ok(ExitCode::FAILURE)
        }
    }
}

/// A regular expression that stands in our own source.
///
/// # Panics
/// When the expression is wrong, which the rule's tests show.
pub fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("a pattern in our own source is valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_stand_in_alphabetical_order_and_once() {
        assert!(RULES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn every_rule_is_content_with_an_empty_tree() {
        let empty = Tree::of(&[]);
        for (name, check) in RULES.iter().filter(|(name, _)| *name != "errors") {
            assert_eq!(check(&empty), [], "{name}");
        }
    }
}
