//! All connectors: those that are built in, and those of a folder on disk, which add to them or take their place.
//!
//! A built-in one is compiled when it is first asked for. Until then only its names are known, so that a hub starts at once and has in memory
//! what it uses.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, OnceLock},
};

use include_dir::{Dir, include_dir};
use indexmap::IndexMap;
use switchboard_model::problem::{Code, Problem};

use crate::{
    connector::Connector,
    load::{Files, Heading, load},
};

static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../connectors");
/// Compiled connectors are the same objects for everybody in a process.
static BUILT_IN: LazyLock<Result<Registry, Vec<Problem>>> = LazyLock::new(Registry::of_embedded);

const MANIFEST: &str = "connector.yaml";
const ICON: &str = "icon.svg";
const GUIDE: &str = "guide.md";

impl Files {
    /// The files of a folder on disk. What is not there, except the manifest, is empty.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    pub fn of_folder(folder: &Path) -> Result<Self, Problem> {
        let path = folder.join(MANIFEST);
        let manifest = fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
        let beside = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
        Ok(Self {
            manifest,
            icon: beside(ICON),
            guide: beside(GUIDE),
            name: path.display().to_string(),
        })
    }
}

/// Every connector by its slug.
#[derive(Debug, Clone)]
pub struct Registry {
    connectors: IndexMap<String, Entry>,
    /// The files of those that came by [`Registry::reread`].
    read: HashMap<String, Files>,
    /// Those that came by [`Registry::with_folder`].
    beside: Vec<String>,
}

/// A connector, and how it is called.
#[derive(Debug, Clone)]
struct Entry {
    aliases: Arc<[String]>,
    compiled: Arc<OnceLock<Option<Arc<Connector>>>>,
}

impl Entry {
    /// One that is built in and was not asked for yet.
    fn named(heading: Heading) -> Self {
        Self {
            aliases: heading.aliases.into(),
            compiled: Arc::default(),
        }
    }

    /// One that is compiled.
    fn of(connector: Connector) -> Self {
        Self {
            aliases: connector.aliases.clone().into(),
            compiled: Arc::new(OnceLock::from(Some(Arc::new(connector)))),
        }
    }

    fn is_called(&self, name: &str) -> bool {
        self.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
    }

    /// `None` when a built-in one is broken, which a test of every connector excludes.
    fn connector(&self, slug: &str) -> Option<&Arc<Connector>> {
        let compile = || load(&Registry::embedded_files(slug)?).ok().map(Arc::new);
        self.compiled.get_or_init(compile).as_ref()
    }
}

/// What came of reading a folder of connectors again.
#[derive(Debug)]
pub struct Reread {
    /// All connectors as they are now.
    pub registry: Registry,
    /// Those that are new or changed.
    pub loaded: Vec<String>,
    /// Those whose files are as they were.
    pub unchanged: Vec<String>,
    /// Those that are gone from the folder.
    pub removed: Vec<String>,
    /// What is wrong with the others. They stay as they were before.
    pub problems: Vec<Problem>,
}

impl Registry {
    /// The connectors that are built in.
    ///
    /// # Errors
    /// Everything that is wrong with their names, each with its place.
    pub fn embedded() -> Result<Self, Vec<Problem>> {
        BUILT_IN.clone()
    }

    fn of_embedded() -> Result<Self, Vec<Problem>> {
        let mut registry = Self {
            connectors: IndexMap::new(),
            read: HashMap::new(),
            beside: Vec::new(),
        };
        let mut problems = Vec::new();
        for folder in EMBEDDED.dirs() {
            let slug = folder.path().display().to_string();
            let name = format!("{slug}/{MANIFEST}");
            match Heading::read(Self::embedded_manifest(&slug).unwrap_or_default(), &name) {
                Ok(heading) if heading.slug == slug => {
                    registry.connectors.insert(slug, Entry::named(heading));
                }
                Ok(heading) => problems.push(misplaced(&slug, &heading.slug, &name)),
                Err(problem) => problems.push(problem),
            }
        }
        registry.finish(problems)
    }

    /// One connector and no other.
    pub fn alone(connector: Connector) -> Self {
        Self {
            connectors: IndexMap::from([(connector.slug.clone(), Entry::of(connector))]),
            read: HashMap::new(),
            beside: Vec::new(),
        }
    }

    /// The files of a built-in connector.
    pub fn embedded_files(slug: &str) -> Option<Files> {
        let file = |name: &str| Self::embedded_file(slug, name).unwrap_or_default().to_owned();
        Some(Files {
            manifest: Self::embedded_manifest(slug)?.to_owned(),
            icon: file(ICON),
            guide: file(GUIDE),
            name: format!("{slug}/{MANIFEST}"),
        })
    }

    /// The manifest of a built-in connector as it was written.
    pub fn embedded_manifest(slug: &str) -> Option<&'static str> {
        Self::embedded_file(slug, MANIFEST)
    }

    /// The same with the connectors of a folder: each subfolder with a `connector.yaml` adds one, or takes the place of the
    /// built-in one with the same slug.
    ///
    /// # Errors
    /// When the folder cannot be read, or everything that is wrong with its connectors.
    pub fn with_folder(mut self, folder: &Path) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        for folder in folders(folder).map_err(|error| vec![unreadable(folder, &error)])? {
            let slug = folder.file_name().unwrap_or_default().to_string_lossy();
            match Files::of_folder(&folder) {
                Ok(files) => {
                    self.take(&slug, &files, &mut problems);
                    self.beside.push(slug.into_owned());
                }
                Err(problem) => problems.push(problem),
            }
        }
        self.finish(problems)
    }

    /// These connectors with those of a folder that may change while the program runs. What is wrong with one of them keeps no other
    /// away: it stays as it was in `before`, the registry that is in use. Connectors whose files did not change are the same objects as
    /// there. A folder that is not there has none.
    pub fn reread(&self, before: &Self, folder: &Path) -> Reread {
        let mut reread = Reread {
            registry: self.clone(),
            loaded: Vec::new(),
            unchanged: Vec::new(),
            removed: Vec::new(),
            problems: Vec::new(),
        };
        let folders = match folders(folder) {
            Ok(folders) => folders,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                reread.problems.push(unreadable(folder, &error));
                reread.registry = before.clone();
                return reread;
            }
        };
        let mut seen = Vec::new();
        for folder in folders {
            let slug = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            reread.take(before, &slug, Files::of_folder(&folder));
            seen.push(slug);
        }
        let gone = before.read.keys().filter(|slug| !seen.contains(slug));
        reread.removed = gone.cloned().collect();
        reread.removed.sort();
        reread
    }

    /// A file of a built-in connector's folder, for example `scenario.yaml`.
    pub fn embedded_file(slug: &str, name: &str) -> Option<&'static str> {
        EMBEDDED.get_file(format!("{slug}/{name}"))?.contents_utf8()
    }

    /// The connector with this slug or alias, regardless of case.
    pub fn get(&self, name: &str) -> Option<&Arc<Connector>> {
        let exact = self.connectors.get_key_value(name);
        let called = || {
            let mut all = self.connectors.iter();
            all.find(|(slug, entry)| slug.eq_ignore_ascii_case(name) || entry.is_called(name))
        };
        let (slug, entry) = exact.or_else(called)?;
        entry.connector(slug)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Connector>> {
        self.connectors.iter().filter_map(|(slug, entry)| entry.connector(slug))
    }

    /// Whether the connector with this slug is the one that is built in, and none of a folder has taken its place.
    pub fn is_built_in(&self, slug: &str) -> bool {
        let elsewhere = self.read.contains_key(slug) || self.beside.iter().any(|other| other == slug);
        self.connectors.contains_key(slug) && !elsewhere
    }

    /// Their slugs.
    pub fn names(&self) -> Vec<&str> {
        self.connectors.keys().map(String::as_str).collect()
    }

    fn take(&mut self, folder: &str, files: &Files, problems: &mut Vec<Problem>) {
        match load(files) {
            Ok(connector) if connector.slug == folder => {
                self.connectors.insert(connector.slug.clone(), Entry::of(connector));
            }
            Ok(connector) => problems.push(misplaced(folder, &connector.slug, &files.name)),
            Err(found) => problems.extend(found),
        }
    }

    /// Nothing may go by two meanings.
    fn finish(self, mut problems: Vec<Problem>) -> Result<Self, Vec<Problem>> {
        for (slug, entry) in &self.connectors {
            problems.extend(self.clashes(slug, &entry.aliases));
        }
        if problems.is_empty() { Ok(self) } else { Err(problems) }
    }

    /// The names of a connector that mean another one, too.
    fn clashes(&self, slug: &str, aliases: &[String]) -> Vec<Problem> {
        let clash = |name: &str| {
            let mut others = self.connectors.iter().filter(|(other, _)| *other != slug);
            let (other, _) = others.find(|(other, entry)| other.eq_ignore_ascii_case(name) || entry.is_called(name))?;
            let detail = format!("`{name}` means both {slug} and {other}");
            Some(Problem::new(
                Code::ManifestInvalid,
                detail,
                "Take the name away from one of them.",
            ))
        };
        let names = std::iter::once(slug).chain(aliases.iter().map(String::as_str));
        names.filter_map(clash).collect()
    }
}

impl Reread {
    fn take(&mut self, before: &Registry, slug: &str, files: Result<Files, Problem>) {
        let known = before.read.get(slug);
        let compiled = match files {
            Ok(files) if known == Some(&files) => None,
            Ok(files) => Some(self.compile(slug, &files).map(|connector| (connector, files))),
            Err(problem) => Some(Err(vec![problem])),
        };
        match compiled {
            Some(Ok((connector, files))) => {
                self.registry.connectors.insert(slug.to_owned(), Entry::of(connector));
                self.registry.read.insert(slug.to_owned(), files);
                self.loaded.push(slug.to_owned());
            }
            None => {
                self.keep(before, slug);
                self.unchanged.push(slug.to_owned());
            }
            Some(Err(problems)) => {
                self.keep(before, slug);
                self.problems.extend(problems);
            }
        }
    }

    fn compile(&self, slug: &str, files: &Files) -> Result<Connector, Vec<Problem>> {
        let connector = load(files)?;
        if connector.slug != slug {
            return Err(vec![misplaced(slug, &connector.slug, &files.name)]);
        }
        let clashes = self.registry.clashes(slug, &connector.aliases);
        if clashes.is_empty() {
            Ok(connector)
        } else {
            Err(clashes)
        }
    }

    /// The connector that was read from this folder before.
    fn keep(&mut self, before: &Registry, slug: &str) {
        if let (Some(files), Some(entry)) = (before.read.get(slug), before.connectors.get(slug)) {
            self.registry.connectors.insert(slug.to_owned(), entry.clone());
            self.registry.read.insert(slug.to_owned(), files.clone());
        }
    }
}

/// The folders inside of this one that hold a manifest, by name.
fn folders(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut folders: Vec<PathBuf> = fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|folder| folder.join(MANIFEST).is_file())
        .collect();
    folders.sort();
    Ok(folders)
}

fn misplaced(folder: &str, slug: &str, file: &str) -> Problem {
    let detail = format!("the folder `{folder}` holds the connector `{slug}`");
    Problem::new(Code::ManifestInvalid, detail, "Give folder and slug the same name.").at(file)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    let detail = format!("{} cannot be read: {error}", path.display());
    Problem::new(Code::ManifestInvalid, detail, "Check the path and its permissions.")
}
