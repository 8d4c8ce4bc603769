//! Packages take versions and lints from the workspace, so that there is one place for each.

use crate::tidy::manifest::packages;
use crate::tidy::{Finding, Tree};

/// Looks at every package's `Cargo.toml`.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, manifest) in packages(tree) {
        for dependency in manifest.dependencies.iter().filter(|dependency| !dependency.inherited) {
            let message = format!(
                "`{}` does not say `workspace = true`; versions stand in the root",
                dependency.name
            );
            findings.push(dependency.finding(file, message));
        }
        if !manifest.lints_inherited {
            findings.push(Finding::at(file, 1, "`[lints] workspace = true` is missing"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_own_version_and_own_lints_are_found() {
        let good = "[package]\nname = \"a\"\n[lints]\nworkspace = true\n[dependencies]\nserde.workspace = true\n";
        let version = good.replace("serde.workspace = true", "serde = \"1\"");
        let path = good.replace("serde.workspace = true", "serde = { path = \"../serde\" }");
        let lints = good.replace("[lints]\nworkspace = true\n", "");
        for (text, found) in [(good, 0), (&version, 1), (&path, 1), (&lints, 1)] {
            assert_eq!(check(&Tree::of(&[("a/Cargo.toml", text)])).len(), found, "{text}");
        }
    }
}
