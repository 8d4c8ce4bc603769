//! What the rules read from a `Cargo.toml`.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Finding, SourceFile, Tree};

/// One dependency as a package names it.
#[derive(Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The name in the table.
    pub name: String,
    /// Line of the name, counted from 1.
    pub line: usize,
    /// Whether it says `workspace = true`.
    pub inherited: bool,
}

/// One package.
#[derive(Debug, PartialEq, Eq)]
pub struct Manifest {
    /// `package.name`.
    pub name: String,
    /// Those of all kinds: normal, for tests, for building, for one platform.
    pub dependencies: Vec<Dependency>,
    /// Whether it says `lints.workspace = true`.
    pub lints_inherited: bool,
}

/// Every package of the tree with its file; files that cannot be read are left out (cargo itself complains about them).
pub fn packages(tree: &Tree) -> Vec<(&SourceFile, Manifest)> {
    let files = tree.files().filter(|file| file.name() == "Cargo.toml");
    files
        .filter_map(|file| read(&file.text).map(|manifest| (file, manifest)))
        .collect()
}

/// Our crate behind a package's name: `switchboard-model` is `model`.
pub fn own_crate(package: &str) -> Option<&str> {
    package.strip_prefix("switchboard-")
}

impl Dependency {
    /// A finding at this dependency.
    pub fn finding(&self, file: &SourceFile, message: impl Into<String>) -> Finding {
        Finding::at(file, self.line, message)
    }
}

fn read(text: &str) -> Option<Manifest> {
    let root = DeTable::parse(text).ok()?;
    let root = root.get_ref();
    let name = table(root, "package")?.get("name")?.get_ref().as_str()?.to_owned();
    let mut dependencies = of_all_kinds(root, text);
    for platform in table(root, "target").into_iter().flat_map(DeTable::values) {
        dependencies.extend(
            platform
                .get_ref()
                .as_table()
                .into_iter()
                .flat_map(|kinds| of_all_kinds(kinds, text)),
        );
    }
    let lints_inherited = table(root, "lints").is_some_and(is_inherited);
    Some(Manifest {
        name,
        dependencies,
        lints_inherited,
    })
}

fn of_all_kinds(parent: &DeTable<'_>, text: &str) -> Vec<Dependency> {
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let tables = kinds.iter().filter_map(|kind| table(parent, kind));
    let entries = tables.flat_map(|table| table.iter());
    entries
        .map(|(name, value)| Dependency {
            name: name.get_ref().to_string(),
            line: text[..name.span().start].matches('\n').count() + 1,
            inherited: value.get_ref().as_table().is_some_and(is_inherited),
        })
        .collect()
}

fn table<'a, 'i>(parent: &'a DeTable<'i>, name: &str) -> Option<&'a DeTable<'i>> {
    parent.get(name).map(Spanned::get_ref).and_then(DeValue::as_table)
}

fn is_inherited(table: &DeTable<'_>) -> bool {
    table
        .get("workspace")
        .is_some_and(|value| value.get_ref().as_bool() == Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_of_every_kind_are_listed_with_their_lines() {
        let text = r#"
[package]
name = "switchboard-hub"
[lints]
workspace = true
[dependencies]
serde.workspace = true
url = { workspace = true, features = ["serde"] }
[dev-dependencies]
proptest = "1"
[target.'cfg(unix)'.dependencies.libc]
version = "0.2"
"#;
        let manifest = read(text).unwrap();
        let row = |name: &str, line, inherited| Dependency {
            name: name.into(),
            line,
            inherited,
        };
        assert_eq!(own_crate(&manifest.name), Some("hub"));
        assert!(manifest.lints_inherited);
        assert_eq!(
            manifest.dependencies,
            [
                row("serde", 7, true),
                row("url", 8, true),
                row("proptest", 10, false),
                row("libc", 11, false)
            ]
        );
    }

    #[test]
    fn a_workspace_without_a_package_is_none() {
        assert_eq!(
            read("[workspace]\nmembers = []\n[workspace.dependencies]\nserde = \"1\"\n"),
            None
        );
        assert_eq!(read("not = = toml"), None);
    }
}
