//! Rust files stay small enough to be read in one sitting.

use crate::tidy::{Finding, Tree};

/// The most lines that a Rust file may have, tests included.
const MOST: usize = 600;

/// Looks at every Rust file.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let long = tree
        .ending(".rs")
        .map(|file| (file, file.lines().count()))
        .filter(|(_, lines)| *lines > MOST);
    long.map(|(file, lines)| Finding::at(file, MOST + 1, format!("{lines} lines; {MOST} is the limit")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_itself_is_allowed_and_one_more_is_not() {
        for (lines, found) in [(0, 0), (MOST, 0), (MOST + 1, 1)] {
            assert_eq!(
                check(&Tree::of(&[("a.rs", &"\n".repeat(lines))])).len(),
                found,
                "{lines}"
            );
        }
        assert_eq!(check(&Tree::of(&[("a.md", &"\n".repeat(MOST * 2))])), []);
    }
}
