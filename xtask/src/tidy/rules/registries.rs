//! Where packages come from is a setting of the machine, never of this repository.

use crate::tidy::{Finding, Tree};

/// Hosts that serve packages to package managers.
const HOSTS: [&str; 10] = [
    "index.crates.io",
    "static.crates.io",
    "static.rust-lang.org",
    "registry.npmjs.org",
    "pypi.org",
    "files.pythonhosted.org",
    "proxy.golang.org",
    "rubygems.org",
    "deb.debian.org",
    "security.debian.org",
];

/// Looks at every text file but this one.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files().filter(|file| file.path != file!()) {
        for (line, text) in file.lines() {
            for host in HOSTS.iter().filter(|host| text.contains(*host)) {
                findings.push(Finding::at(file, line, format!("names the package registry `{host}`")));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_registries_are_found_everywhere_but_here() {
        let text = "see https://pypi.org/simple\nand https://example.org\n";
        assert_eq!(
            check(&Tree::of(&[("a.md", text)])),
            [Finding::path("a.md", 1, "names the package registry `pypi.org`")]
        );
        assert_eq!(check(&Tree::of(&[(file!(), text)])), []);
    }
}
