//! The repository stays light to clone.

use crate::tidy::{Finding, Tree};

/// The most bytes that a file may have.
const MOST: usize = 400_000;

/// Looks at every file but the generated list of dependencies.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let large = tree
        .files()
        .filter(|file| file.size > MOST && file.path != "Cargo.lock");
    large
        .map(|file| Finding::at(file, 1, format!("{} bytes; {MOST} is the limit", file.size)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_over_the_limit_is_found_unless_it_is_the_lock_file() {
        let large = "x".repeat(MOST + 1);
        let tree = Tree::of(&[("Cargo.lock", &large), ("a.json", &large), ("b.json", &large[1..])]);
        assert_eq!(
            check(&tree),
            [Finding::path("a.json", 1, "400001 bytes; 400000 is the limit")]
        );
    }
}
