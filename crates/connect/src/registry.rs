//! All connectors: those that are built in, and those of a folder on disk, which add to them or take their place.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use include_dir::{Dir, include_dir};
use indexmap::IndexMap;
use switchboard_model::problem::{Code, Problem};

use crate::{
    connector::Connector,
    load::{Files, load},
};

static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../connectors");

const MANIFEST: &str = "connector.yaml";
const ICON: &str = "icon.svg";
const GUIDE: &str = "guide.md";

/// Every connector by its slug.
#[derive(Debug, Clone)]
pub struct Registry {
    connectors: IndexMap<String, Arc<Connector>>,
}

impl Registry {
    /// The connectors that are built in.
    ///
    /// # Errors
    /// Everything that is wrong with them, each with its place.
    pub fn embedded() -> Result<Self, Vec<Problem>> {
        let mut registry = Self {
            connectors: IndexMap::new(),
        };
        let mut problems = Vec::new();
        for folder in EMBEDDED.dirs() {
            let file = |name: &str| {
                let text = folder
                    .get_file(folder.path().join(name))
                    .and_then(|file| file.contents_utf8());
                text.unwrap_or_default().to_owned()
            };
            let name = folder.path().join(MANIFEST).display().to_string();
            let files = Files {
                manifest: file(MANIFEST),
                icon: file(ICON),
                guide: file(GUIDE),
                name,
            };
            registry.take(&folder.path().display().to_string(), &files, &mut problems);
        }
        registry.finish(problems)
    }

    /// The manifest of a built-in connector as it was written.
    pub fn embedded_manifest(slug: &str) -> Option<&'static str> {
        EMBEDDED.get_file(format!("{slug}/{MANIFEST}"))?.contents_utf8()
    }

    /// The same with the connectors of a folder: each subfolder with a `connector.yaml` adds one, or takes the place of the
    /// built-in one with the same slug.
    ///
    /// # Errors
    /// When the folder cannot be read, or everything that is wrong with its connectors.
    pub fn with_folder(mut self, folder: &Path) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let entries = fs::read_dir(folder).map_err(|error| vec![unreadable(folder, &error)])?;
        let mut folders: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        folders.sort();
        for folder in folders.into_iter().filter(|folder| folder.join(MANIFEST).is_file()) {
            let path = folder.join(MANIFEST);
            match fs::read_to_string(&path) {
                Ok(manifest) => {
                    let beside = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
                    let name = path.display().to_string();
                    let files = Files {
                        manifest,
                        icon: beside(ICON),
                        guide: beside(GUIDE),
                        name,
                    };
                    let slug = folder.file_name().unwrap_or_default().to_string_lossy();
                    self.take(&slug, &files, &mut problems);
                }
                Err(error) => problems.push(unreadable(&path, &error)),
            }
        }
        self.finish(problems)
    }

    /// The connector with this slug or alias, regardless of case.
    pub fn get(&self, name: &str) -> Option<&Arc<Connector>> {
        self.connectors
            .get(name)
            .or_else(|| self.connectors.values().find(|connector| connector.is_called(name)))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Connector>> {
        self.connectors.values()
    }

    /// Their slugs.
    pub fn names(&self) -> Vec<&str> {
        self.connectors.keys().map(String::as_str).collect()
    }

    fn take(&mut self, folder: &str, files: &Files, problems: &mut Vec<Problem>) {
        match load(files) {
            Ok(connector) if connector.slug == folder => {
                self.connectors.insert(connector.slug.clone(), Arc::new(connector));
            }
            Ok(connector) => {
                let detail = format!("the folder `{folder}` holds the connector `{}`", connector.slug);
                let problem = Problem::new(Code::ManifestInvalid, detail, "Give folder and slug the same name.");
                problems.push(problem.at(files.name.clone()));
            }
            Err(found) => problems.extend(found),
        }
    }

    /// Nothing may go by two meanings.
    fn finish(self, mut problems: Vec<Problem>) -> Result<Self, Vec<Problem>> {
        for connector in self.connectors.values() {
            let names = std::iter::once(&connector.slug).chain(&connector.aliases);
            for name in names {
                let others = self
                    .connectors
                    .values()
                    .filter(|other| other.slug != connector.slug && other.is_called(name));
                problems.extend(others.map(|other| {
                    let detail = format!("`{name}` means both {} and {}", connector.slug, other.slug);
                    Problem::new(Code::ManifestInvalid, detail, "Take the name away from one of them.")
                }));
            }
        }
        if problems.is_empty() { Ok(self) } else { Err(problems) }
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    let detail = format!("{} cannot be read: {error}", path.display());
    Problem::new(Code::ManifestInvalid, detail, "Check the path and its permissions.")
}
