//! A connector that is put to the test.

use std::sync::Arc;

use switchboard_connect::{
    connector::Connector,
    load::{Files, load},
    manifest::{OperationKind, RecordKind},
    registry::Registry,
};
use switchboard_model::problem::{Code, Problem};
use switchboard_simulator::{Options, Script};

use super::scenario::{self, SCENARIO, Scenario, Written};
use crate::shortened;

/// A connector with its scenario, its read lags short.
#[derive(Debug, Clone)]
pub struct Subject {
    registry: Arc<Registry>,
    connector: Arc<Connector>,
    script: Option<Arc<Script>>,
    /// What the suite has to know beside the manifest.
    pub scenario: Scenario,
}

impl Subject {
    /// Reads manifest and scenario. `scenario` is the text of the file, `name` what messages call it.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn new(files: &Files, scenario: &str, name: &str) -> Result<Self, Vec<Problem>> {
        let short = Files {
            manifest: shortened::shorten(&files.manifest),
            ..files.clone()
        };
        let connector = load(&short)?;
        let scenario = scenario::read(scenario, name, &connector)?;
        let registry = Registry::alone(connector);
        let connector = registry.iter().next().cloned();
        let connector = connector.ok_or_else(|| vec![Problem::new(Code::Internal, "no connector", "Report this.")])?;
        Ok(Self {
            registry: Arc::new(registry),
            connector,
            script: None,
            scenario,
        })
    }

    /// The same with this script as its simulated vendor, instead of a built-in one.
    #[must_use]
    pub fn with_script(mut self, script: Option<Arc<Script>>) -> Self {
        self.script = script;
        self
    }

    /// What its simulated vendor is started with.
    pub fn vendor(&self) -> Options {
        Options {
            only: vec![self.slug().to_owned()],
            scripts: self.script.iter().cloned().collect(),
            ..Options::default()
        }
    }

    /// A built-in connector.
    ///
    /// # Errors
    /// Everything that is wrong with it, also that it has no scenario.
    pub fn embedded(slug: &str) -> Result<Self, Vec<Problem>> {
        let files = Registry::embedded_files(slug);
        let scenario = Registry::embedded_file(slug, SCENARIO);
        match files.zip(scenario) {
            Some((files, scenario)) => Self::new(&files, scenario, &format!("{slug}/{SCENARIO}")),
            None => {
                let detail = format!("there is no built-in connector `{slug}` with a {SCENARIO}");
                Err(vec![Problem::new(
                    Code::UnknownConnector,
                    detail,
                    "Name another one, or write the file.",
                )])
            }
        }
    }

    /// Every built-in connector.
    ///
    /// # Errors
    /// Everything that is wrong with any of them, also that one has no scenario.
    pub fn all_embedded() -> Result<Vec<Arc<Self>>, Vec<Problem>> {
        let (mut subjects, mut problems) = (Vec::new(), Vec::new());
        for slug in Registry::embedded()?.names() {
            match Self::embedded(slug) {
                Ok(subject) => subjects.push(Arc::new(subject)),
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() {
            Ok(subjects)
        } else {
            Err(problems)
        }
    }

    /// The connector.
    pub fn connector(&self) -> &Connector {
        &self.connector
    }

    /// A registry that has nothing else.
    pub(super) fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.registry)
    }

    /// Its name.
    pub fn slug(&self) -> &str {
        self.connector.slug()
    }

    /// What the scenario says of an object.
    pub(super) fn written(&self, object: &str) -> Option<&Written> {
        self.scenario.objects.get(object)
    }

    /// What one record of the object stands for.
    pub(super) fn kind(&self, object: &str) -> RecordKind {
        let object = self.connector.object(object);
        object.map_or(RecordKind::Event, |object| object.record())
    }

    /// Whether the manifest has a way to do this with the object.
    pub(super) fn offers(&self, object: &str, kind: OperationKind) -> bool {
        self.connector.offers(object, kind)
    }
}
