//! A connector's folder on disk, read and checked as a whole.

use std::{
    fs,
    path::{Path, PathBuf},
};

use switchboard_connect::{
    connector::Connector,
    document::Document,
    load::{Files, load},
    registry::Registry,
};
use switchboard_model::problem::{Code, Problem};

use crate::conformance::{
    Subject,
    scenario::{self, SCENARIO, Scenario},
};

/// Longest icon, in bytes. It stands in every list of connectors.
const ICON_LIMIT: usize = 16 * 1024;
/// What an icon may not have: it is put into pages as it is.
const ICON_REFUSED: [&str; 5] = ["<script", "<foreignObject", "<image", "href=", "url(http"];

/// A folder in which nothing is wrong.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    files: Files,
    connector: Connector,
    scenario: Option<Scenario>,
}

impl Folder {
    /// Reads all files of the folder.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn read(path: &Path) -> Result<Self, Vec<Problem>> {
        // `.` and a trailing slash are no names.
        let path = &fs::canonicalize(path).map_err(|error| vec![unreadable(path, &error)])?;
        let files = Files::of_folder(path).map_err(|problem| vec![problem])?;
        let mut problems = Vec::new();
        problems.extend(icon(path, &files.icon));
        problems.extend(guide(path, &files.guide));
        let connector = match load(&files) {
            Ok(connector) => Some(connector),
            Err(found) => {
                problems.extend(found);
                None
            }
        };
        let mut scenario = None;
        if let Some(connector) = &connector {
            problems.extend(names(path, &files, connector));
            match read_scenario(path, connector) {
                Ok(found) => scenario = found,
                Err(found) => problems.extend(found),
            }
        }
        match connector {
            Some(connector) if problems.is_empty() => Ok(Self {
                path: path.clone(),
                files,
                connector,
                scenario,
            }),
            _ => Err(problems),
        }
    }

    /// The connector as the conformance suite takes it.
    ///
    /// # Errors
    /// When there is no scenario, or something is wrong after all.
    pub fn subject(&self) -> Result<Subject, Vec<Problem>> {
        let path = self.path.join(SCENARIO);
        let text = fs::read_to_string(&path).map_err(|error| {
            let problem = unreadable(&path, &error);
            let next = "Write the file: the suite has to know how to connect to the simulated vendor and what it stores.";
            vec![Problem::new(problem.code, problem.detail, next)]
        })?;
        Subject::new(&self.files, &text, &path.display().to_string())
    }

    /// What it holds, for a person.
    pub fn summary(&self) -> String {
        let connector = &self.connector;
        let objects = connector.object_names();
        let signs: Vec<_> = connector.auth_kinds().map(|(name, ..)| name).collect();
        let scenario = match &self.scenario {
            None => "no scenario yet".to_owned(),
            Some(scenario) => format!(
                "a scenario of {} ({} waived)",
                counted(scenario.objects.len(), "object"),
                counted(scenario.waived.len(), "case")
            ),
        };
        format!(
            "{} ({}) is right: {} ({}), sign-in by {}, {scenario}.",
            connector.slug(),
            connector.name(),
            counted(objects.len(), "object"),
            objects.join(", "),
            signs.join(", "),
        )
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn read_scenario(folder: &Path, connector: &Connector) -> Result<Option<Scenario>, Vec<Problem>> {
    let path = folder.join(SCENARIO);
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).map_err(|error| vec![unreadable(&path, &error)])?;
    scenario::read(&text, &path.display().to_string(), connector).map(Some)
}

fn icon(folder: &Path, icon: &str) -> Vec<Problem> {
    let path = folder.join("icon.svg").display().to_string();
    let mut problems = Vec::new();
    let mut report = |line: usize, detail: String, next: &str| {
        problems.push(Problem::new(Code::ManifestInvalid, detail, next).at(format!("{path}:{line}")));
    };
    if icon.trim().is_empty() {
        report(1, "the icon is missing or empty".into(), "Draw a monogram; connector new makes one.");
        return problems;
    }
    if !icon.trim_start().starts_with("<svg") || !icon.trim_end().ends_with("</svg>") {
        report(1, "this is no SVG image".into(), "Begin with <svg and end with </svg>.");
    }
    if icon.len() > ICON_LIMIT {
        let detail = format!("the icon has {} bytes, the limit is {ICON_LIMIT}", icon.len());
        report(1, detail, "Draw it more simply.");
    }
    for (at, line) in icon.lines().enumerate() {
        let handlers = line.split_whitespace().filter(|word| word.starts_with("on") && word.contains('='));
        let refused = ICON_REFUSED.into_iter().filter(|refused| line.contains(refused));
        for refused in refused.chain(handlers) {
            let detail = format!("an icon may not have `{refused}`");
            report(at + 1, detail, "Use shapes and text only: the icon is put into pages as it is.");
        }
    }
    problems
}

fn guide(folder: &Path, guide: &str) -> Option<Problem> {
    let problem = |detail: &str| {
        let place = format!("{}:1", folder.join("guide.md").display());
        let next = "Begin with a heading (`# Connect …`) and say what has to be done at the vendor, step by step.";
        Some(Problem::new(Code::ManifestInvalid, detail, next).at(place))
    };
    match guide.trim() {
        "" => problem("the guide is missing or empty"),
        text if !text.starts_with("# ") => problem("the guide does not begin with a heading"),
        _ => None,
    }
}

/// The folder is called like the connector, and no other connector goes by one of its names.
fn names(folder: &Path, files: &Files, connector: &Connector) -> Vec<Problem> {
    let Ok(document) = Document::parse(&files.manifest, &files.name) else {
        return Vec::new();
    };
    let mut problems = Vec::new();
    let mut report = |at: &str, detail: String, next: &str| {
        problems.push(document.problem(Code::ManifestInvalid, at, detail, next));
    };
    let called = folder.file_name().unwrap_or_default().to_string_lossy();
    if called != connector.slug() {
        let detail = format!("the folder `{called}` holds the connector `{}`", connector.slug());
        report("/slug", detail, "Give folder and slug the same name.");
    }
    let aliases = connector.aliases().iter().enumerate();
    let own = std::iter::once(("/slug".to_owned(), connector.slug()))
        .chain(aliases.map(|(at, alias)| (format!("/aliases/{at}"), alias.as_str())));
    let others = Others::of(folder, connector.slug());
    for (at, name) in own {
        for other in others.called(name) {
            let detail = format!("`{name}` already means {other}");
            report(&at, detail, "Take the name away from one of them.");
        }
    }
    problems
}

/// The connectors that a name has to be different from: those that are built in and those of the folders beside this one.
struct Others {
    built_in: Option<Registry>,
    beside: Vec<Connector>,
    slug: String,
}

impl Others {
    fn of(folder: &Path, slug: &str) -> Self {
        let siblings = folder.parent().and_then(|parent| fs::read_dir(parent).ok());
        let mut siblings: Vec<PathBuf> = siblings
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path != folder)
            .collect();
        siblings.sort();
        // What is wrong with a neighbour is told when the neighbour is checked.
        let beside = siblings
            .iter()
            .filter_map(|path| load(&Files::of_folder(path).ok()?).ok())
            .collect();
        Self {
            built_in: Registry::embedded().ok(),
            beside,
            slug: slug.to_owned(),
        }
    }

    fn called(&self, name: &str) -> Vec<&str> {
        let built_in = self.built_in.iter().flat_map(Registry::iter).map(AsRef::as_ref);
        let mut found: Vec<&str> = built_in
            .chain(&self.beside)
            .filter(|other| other.slug() != self.slug && other.is_called(name))
            .map(Connector::slug)
            .collect();
        found.dedup();
        found
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    let detail = format!("{} cannot be read: {error}", path.display());
    Problem::new(Code::ManifestInvalid, detail, "Check the path and its permissions.")
}
