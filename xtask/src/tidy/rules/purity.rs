//! The pure crates stay pure: they can neither wait, nor call, nor store.

use crate::tidy::manifest::{own_crate, packages};
use crate::tidy::{Finding, Tree};

const PURE: [&str; 2] = ["model", "connect"];
/// Libraries for I/O, each with everything that begins like `name-`.
const IMPURE: [&str; 6] = ["tokio", "reqwest", "rusqlite", "axum", "hyper", "tower"];

/// Looks at the dependencies of the pure crates, those of their tests included.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, manifest) in packages(tree) {
        if !own_crate(&manifest.name).is_some_and(|name| PURE.contains(&name)) {
            continue;
        }
        for dependency in manifest
            .dependencies
            .iter()
            .filter(|dependency| is_impure(&dependency.name))
        {
            let message = format!(
                "`{}` is pure and may not depend on `{}`",
                manifest.name, dependency.name
            );
            findings.push(dependency.finding(file, message));
        }
    }
    findings
}

fn is_impure(name: &str) -> bool {
    IMPURE.iter().any(|impure| {
        name.strip_prefix(impure)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_and_output_is_found_in_pure_crates_only() {
        for (package, dependency, found) in [
            ("switchboard-model", "tokio", 1),
            ("switchboard-connect", "tokio-util", 1),
            ("switchboard-connect", "rusqlite", 1),
            ("switchboard-connect", "http", 0),
            ("switchboard-model", "towering", 0),
            ("switchboard-hub", "tokio", 0),
        ] {
            let text = format!("[package]\nname = \"{package}\"\n[dependencies]\n{dependency}.workspace = true\n");
            assert_eq!(check(&Tree::of(&[("a/Cargo.toml", &text)])).len(), found, "{text}");
        }
    }
}
