//! Ready sources: what is known of systems that push, one folder each in `sources/`.

use std::sync::{Arc, LazyLock};

use include_dir::{Dir, include_dir};
use indexmap::IndexMap;
use serde_json::{Map, Value};
use switchboard_model::problem::{Code, Problem};

use super::{Source, shape::ReadySpec, spec::SourceSpec};
use crate::{
    compile::Compiler,
    document::Document,
    form,
    manifest::Category,
    schema::{Check, Schema},
};

static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../sources");

/// The published description of sources.
pub const SOURCE_SCHEMA: &str = include_str!("../../../../sources/source.schema.json");

const SEE: &str = "See sources/source.schema.json.";
const MANIFEST: &str = "source.yaml";

/// The ready sources that are built in.
///
/// # Panics
/// Never in a build that passes its tests: one of them loads every source.
static READY: LazyLock<Shelf> = LazyLock::new(|| {
    let mut shelf = Shelf::default();
    let mut folders: Vec<_> = EMBEDDED.dirs().collect();
    folders.sort_by_key(|folder| folder.path());
    for folder in folders {
        let slug = folder.path().to_string_lossy().into_owned();
        let file = |name: &str| {
            EMBEDDED
                .get_file(format!("{slug}/{name}"))
                .and_then(|file| file.contents_utf8())
        };
        let Some(manifest) = file(MANIFEST) else { continue };
        match Ready::load(
            manifest,
            file("guide.md").unwrap_or_default(),
            &format!("{slug}/{MANIFEST}"),
        ) {
            Ok(ready) => {
                shelf.sources.insert(slug, Arc::new(ready));
            }
            Err(problems) => shelf.problems.extend(problems),
        }
    }
    shelf
});

#[derive(Default)]
struct Shelf {
    sources: IndexMap<String, Arc<Ready>>,
    problems: Vec<Problem>,
}

/// A ready source.
#[derive(Debug)]
pub struct Ready {
    /// Its name in configuration files and the API.
    pub slug: String,
    /// Other names for it.
    pub aliases: Vec<String>,
    /// The pusher's own name.
    pub name: String,
    /// One line for the list of sources.
    pub summary: String,
    /// What kind of system it is.
    pub category: Category,
    /// The pusher's colour.
    pub color: String,
    /// The pusher's documentation.
    pub docs: String,
    /// The connector for the same system.
    pub connector: Option<String>,
    /// How a person sets it up, Markdown.
    pub guide: String,
    /// What it does, as it is written.
    pub(super) conduct: Map<String, Value>,
    settings: Schema,
    secrets: Schema,
}

/// Every ready source, by name.
pub fn ready() -> impl Iterator<Item = &'static Arc<Ready>> {
    READY.sources.values()
}

/// The ready source with this slug or alias, regardless of case.
pub fn find(name: &str) -> Option<&'static Arc<Ready>> {
    ready().find(|ready| ready.is_called(name))
}

/// What is wrong with the sources that are built in: nothing, in a build that passes its tests.
pub fn faults() -> &'static [Problem] {
    &READY.problems
}

/// A file of a built-in source's folder, for example `samples.yaml`.
pub fn file(slug: &str, name: &str) -> Option<&'static str> {
    EMBEDDED.get_file(format!("{slug}/{name}"))?.contents_utf8()
}

impl Ready {
    /// Reads, checks and compiles a ready source.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its line.
    pub fn load(manifest: &str, guide: &str, name: &str) -> Result<Self, Vec<Problem>> {
        let document = Document::parse(manifest, name).map_err(|problem| vec![problem])?;
        let problems = form::faults(&document, SOURCE_SCHEMA, SEE);
        if !problems.is_empty() {
            return Err(problems);
        }
        let spec: ReadySpec = serde_json::from_value(document.value().clone())
            .map_err(|error| vec![document.problem(Code::ManifestInvalid, "", error.to_string(), SEE)])?;
        let mut compiler = Compiler::new(&document);
        let nothing = || serde_json::json!({ "type": "object", "properties": {} });
        let schema = |compiler: &mut Compiler<'_>, name: &str| {
            let source = spec.conduct.get(name).cloned().unwrap_or_else(nothing);
            Schema::compile(compiler, &format!("/{name}"), &source)
        };
        let settings = schema(&mut compiler, "settings");
        let secrets = schema(&mut compiler, "secrets");
        let mut problems = compiler.into_problems();
        let (Some(settings), Some(secrets)) = (settings, secrets) else {
            return Err(problems);
        };
        let ready = Self {
            slug: spec.slug,
            aliases: spec.aliases,
            name: spec.name,
            summary: spec.summary,
            category: spec.category,
            color: spec.color,
            docs: spec.docs,
            connector: spec.connector,
            guide: guide.to_owned(),
            conduct: spec.conduct.into_iter().collect(),
            settings,
            secrets,
        };
        let of_source = Source::compile(&ready.plain(), &ready).err();
        problems.extend(of_source.into_iter().flatten().map(|mut problem| {
            let pointer = problem.place.take().unwrap_or_default();
            problem.at(document.place(&pointer))
        }));
        if problems.is_empty() { Ok(ready) } else { Err(problems) }
    }

    /// A source that is the ready one as it is.
    pub fn plain(&self) -> SourceSpec {
        SourceSpec {
            key: self.slug.clone(),
            source: self.slug.clone(),
            name: self.name.clone(),
            path: self.slug.clone(),
            enabled: true,
            ..SourceSpec::default()
        }
    }

    fn is_called(&self, name: &str) -> bool {
        let mut names = std::iter::once(&self.slug).chain(&self.aliases);
        names.any(|known| known.eq_ignore_ascii_case(name))
    }

    /// JSON Schema of its settings.
    pub fn settings_schema(&self) -> &Value {
        self.settings.source()
    }

    /// JSON Schema of its secrets.
    pub fn secrets_schema(&self) -> &Value {
        self.secrets.source()
    }

    /// What is wrong with the settings and secrets that a user gives, and which are missing.
    pub fn check(&self, settings: &Map<String, Value>, secrets: &Map<String, Value>) -> Check {
        let mut check = Check::default();
        self.settings.check_given(settings, "/settings", &mut check);
        self.secrets.check_given(secrets, "/secrets", &mut check);
        check
    }

    /// The settings with the defaults of the schema filled in.
    pub(super) fn with_defaults(&self, given: &Map<String, Value>) -> Map<String, Value> {
        let mut full = given.clone();
        full.retain(|_, value| !crate::shape::is_blank(value));
        let properties = self.settings.source()["properties"].as_object().into_iter().flatten();
        for (name, property) in properties {
            if let Some(default) = property.get("default") {
                full.entry(name.clone()).or_insert_with(|| default.clone());
            }
        }
        full
    }
}
