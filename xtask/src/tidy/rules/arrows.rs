//! The crates depend on each other only along the arrows of the architecture.

use crate::tidy::manifest::{own_crate, packages};
use crate::tidy::{Finding, Tree};

/// Which of our crates a crate may name, tests included. A new crate needs a row.
const ARROWS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("connect", &["model"]),
    ("hub", &["model", "connect"]),
    // Written from the vendors' side: a wrong belief of ours must not reach it.
    ("simulator", &[]),
    ("server", &["model", "connect", "hub", "simulator"]),
];

/// Looks at every package called `switchboard-…`; others (xtask) may name none of ours.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, manifest) in packages(tree) {
        let allowed: &[&str] = match own_crate(&manifest.name) {
            None => &[],
            Some(name) => match ARROWS.iter().find(|(from, _)| *from == name) {
                Some((_, to)) => to,
                None => {
                    let message = format!("crate `{name}` has no row in the table of arrows ({})", file!());
                    findings.push(Finding::at(file, 1, message));
                    continue;
                }
            },
        };
        for dependency in &manifest.dependencies {
            if let Some(name) = own_crate(&dependency.name).filter(|name| !allowed.contains(name)) {
                let message = format!("`{}` may not depend on our crate `{name}`", manifest.name);
                findings.push(dependency.finding(file, message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &str) -> String {
        format!("[package]\nname = \"{name}\"\n[dependencies]\nserde.workspace = true\n{dependencies}")
    }

    #[test]
    fn an_arrow_that_is_drawn_may_be_used_and_another_is_found_at_its_line() {
        for (name, dependencies, found) in [
            ("switchboard-model", "", None),
            ("switchboard-connect", "switchboard-model.workspace = true", None),
            ("switchboard-server", "switchboard-hub.workspace = true", None),
            (
                "switchboard-connect",
                "switchboard-hub.workspace = true",
                Some("a/Cargo.toml:5:"),
            ),
            (
                "switchboard-simulator",
                "switchboard-model.workspace = true",
                Some("a/Cargo.toml:5:"),
            ),
            (
                "switchboard-hub",
                "[dev-dependencies]\nswitchboard-server.workspace = true",
                Some("a/Cargo.toml:6:"),
            ),
            ("switchboard-new", "", Some("a/Cargo.toml:1:")),
            ("xtask", "switchboard-model.workspace = true", Some("a/Cargo.toml:5:")),
        ] {
            let tree = Tree::of(&[("a/Cargo.toml", &package(name, dependencies))]);
            let findings: Vec<String> = check(&tree).iter().map(Finding::to_string).collect();
            assert_eq!(findings.len(), usize::from(found.is_some()), "{name} {dependencies}");
            assert!(found.is_none_or(|start| findings[0].starts_with(start)), "{findings:?}");
        }
    }
}
