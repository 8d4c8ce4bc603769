//! A connector's folder on disk, read and checked as a whole.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::Value;
use switchboard_connect::{
    connector::Connector,
    document::Document,
    load::{Files, load},
    registry::Registry,
};
use switchboard_model::problem::{Code, Problem};
use switchboard_simulator::{Options, Script, ScriptError, Simulation, scripted::library};

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
    connector: Connector,
    scenario: Option<Scenario>,
    script: Option<Arc<Script>>,
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
        let script = match library::of_folder(path) {
            Ok(scripts) => scripts.into_iter().next(),
            Err(errors) => {
                problems.extend(errors.iter().map(|error| script_problem(path, error)));
                None
            }
        };
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
                Ok(found) => {
                    problems.extend(found.as_ref().and_then(|found| settings(path, found, script.as_ref())));
                    scenario = found;
                }
                Err(found) => problems.extend(found),
            }
        }
        match connector {
            Some(connector) if problems.is_empty() => Ok(Self {
                path: path.clone(),
                connector,
                scenario,
                script,
            }),
            _ => Err(problems),
        }
    }

    /// The connector as the conformance suite takes it.
    ///
    /// # Errors
    /// When there is no scenario, or something is wrong after all.
    pub fn subject(&self) -> Result<Subject, Vec<Problem>> {
        Subject::of_folder(&self.path)
    }

    /// What it holds, for a person.
    pub fn summary(&self) -> String {
        let connector = &self.connector;
        let objects = connector.object_names();
        let signs: Vec<_> = connector.auth_kinds().map(|(name, ..)| name).collect();
        let simulator = match &self.script {
            None => "no simulator.rhai",
            Some(_) => "a simulator of its own",
        };
        let scenario = match &self.scenario {
            None => "no scenario yet".to_owned(),
            Some(scenario) => format!(
                "a scenario of {} ({} waived)",
                counted(scenario.objects.len(), "object"),
                counted(scenario.waived.len(), "case")
            ),
        };
        format!(
            "{} ({}) is right: {} ({}), sign-in by {}, {simulator}, {scenario}.",
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

/// Whether the simulated vendor takes the scenario's settings.
fn settings(folder: &Path, scenario: &Scenario, script: Option<&Arc<Script>>) -> Option<Problem> {
    let script = script.filter(|_| !scenario.simulator.is_empty())?;
    let slug = script.slug().to_owned();
    let vendor = Simulation::new(Options {
        only: vec![slug.clone()],
        scripts: vec![Arc::clone(script)],
        ..Options::default()
    });
    let refused = vendor
        .configure(&slug, &Value::Object(scenario.simulator.clone()))
        .err()?;
    let text = fs::read_to_string(folder.join(SCENARIO)).ok()?;
    let document = Document::parse(&text, &folder.join(SCENARIO).display().to_string()).ok()?;
    let detail = format!("the simulator refuses its settings: {refused}");
    let next = "Use the members that its `settings()` gives, and values of the same kind.";
    Some(document.problem(Code::ManifestInvalid, "/simulator", detail, next))
}

fn script_problem(folder: &Path, error: &ScriptError) -> Problem {
    // The file is told from the folder above.
    let file = folder.parent().unwrap_or(folder).join(&error.file);
    let line = error.line.map(|line| format!(":{line}")).unwrap_or_default();
    let next = "Mend the script; docs/reference/simulators.md tells what it may call.";
    Problem::new(Code::ManifestInvalid, error.message.clone(), next).at(format!("{}{line}", file.display()))
}

fn icon(folder: &Path, icon: &str) -> Vec<Problem> {
    let path = folder.join("icon.svg").display().to_string();
    let mut problems = Vec::new();
    let mut report = |line: usize, detail: String, next: &str| {
        problems.push(Problem::new(Code::ManifestInvalid, detail, next).at(format!("{path}:{line}")));
    };
    if icon.trim().is_empty() {
        report(
            1,
            "the icon is missing or empty".into(),
            "Draw a monogram; connector new makes one.",
        );
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
        let handlers = line
            .split_whitespace()
            .filter(|word| word.starts_with("on") && word.contains('='));
        let refused = ICON_REFUSED.into_iter().filter(|refused| line.contains(refused));
        for refused in refused.chain(handlers) {
            let detail = format!("an icon may not have `{refused}`");
            report(
                at + 1,
                detail,
                "Use shapes and text only: the icon is put into pages as it is.",
            );
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_icon_has_nothing_that_a_page_would_run_or_load() {
        let folder = Path::new("my-crm");
        let good = "<svg xmlns=\"http://www.w3.org/2000/svg\"><rect/></svg>\n";
        assert_eq!(icon(folder, good), []);
        for (bad, words) in [
            ("", "missing or empty"),
            ("<html></html>", "no SVG"),
            ("<svg>\n<script>x</script></svg>", "<script"),
            ("<svg>\n<rect onload=\"x\"/></svg>", "onload"),
            ("<svg>\n<image href=\"https://example.org/x.png\"/></svg>", "<image"),
        ] {
            let found = icon(folder, bad);
            assert!(
                found.iter().any(|problem| problem.detail.contains(words)),
                "{words} in {found:?}"
            );
        }
    }

    #[test]
    fn a_guide_begins_with_a_heading() {
        let folder = Path::new("my-crm");
        assert!(guide(folder, "# Connect\n").is_none());
        assert!(guide(folder, "Connect\n").is_some() && guide(folder, " \n").is_some());
    }
}
