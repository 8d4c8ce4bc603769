//! A connector that is put to the test.

use std::{fs, path::Path, sync::Arc};

use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use switchboard_connect::{
    connector::{Call, Connector, Known, Means},
    load::{Files, load},
    manifest::{OperationKind, RecordKind},
    registry::Registry,
};
use switchboard_hub::normalise::variables;
use switchboard_model::{
    connection::ConnectionSpec,
    event::Event,
    mapping::Mapping,
    problem::{Code, Problem},
    template::Scope,
};
use switchboard_simulator::{Options, Running, Script, scripted::library};

use super::{
    failure::Failure,
    scenario::{self, SCENARIO, Scenario, Written},
};
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

    /// The connector of a folder on disk, with the simulator that lies there.
    ///
    /// # Errors
    /// Everything that is wrong with it, also that it has no scenario.
    pub fn of_folder(folder: &Path) -> Result<Self, Vec<Problem>> {
        let files = Files::of_folder(folder).map_err(|problem| vec![problem])?;
        let path = folder.join(SCENARIO);
        let name = path.display().to_string();
        let scenario = fs::read_to_string(&path).map_err(|error| {
            let next =
                "Write the file: the suite has to know how to connect to the simulated vendor and what it stores.";
            let detail = format!("{name} cannot be read: {error}");
            vec![Problem::new(Code::ManifestInvalid, detail, next)]
        })?;
        let scripts = library::of_folder(folder).map_err(|errors| {
            let next = "Mend the script; `switchboard connector check` tells the lines.";
            let problem = |error: &_| Problem::new(Code::ManifestInvalid, format!("{error}"), next);
            errors.iter().map(problem).collect::<Vec<_>>()
        })?;
        Ok(Self::new(&files, &scenario, &name)?.with_script(scripts.into_iter().next()))
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

    /// A connection to its simulated vendor at `origin` (no slash at the end), for these objects, as the scenario says.
    pub fn connection(&self, key: &str, origin: &str, objects: &[&str], limit_scale: Option<f64>) -> ConnectionSpec {
        let (mut settings, secrets) = self.scenario.connection.at(origin);
        if let Some(scale) = limit_scale {
            settings.insert("limitScale".into(), json!(scale));
        }
        let mapping = |object: &&str| {
            let own = self.written(object).and_then(|written| written.mapping.clone());
            Some(((*object).to_owned(), own?))
        };
        ConnectionSpec {
            key: key.to_owned(),
            connector: self.slug().to_owned(),
            name: key.to_owned(),
            enabled: true,
            priority: 1,
            auth_kind: self.scenario.connection.auth.clone(),
            settings,
            secrets,
            mappings: objects.iter().filter_map(mapping).collect::<IndexMap<_, _>>(),
            condition: None,
            objects: objects.iter().map(|object| (*object).to_owned()).collect(),
            notes: Vec::new(),
            values: Default::default(),
        }
    }

    /// What the mapping makes of an event, before it is brought into the vendor's form.
    pub fn record(&self, object: &str, event: &Event) -> Result<Value, Failure> {
        let wrong = |found: String| Failure::new("the mapping can be filled in", found);
        let mut derived = variables(event, |_| true);
        derived.insert("event".into(), Value::Object(event.data.clone()));
        let scope = Scope::of(&derived).with_map(&event.data);
        let own = self.written(object).and_then(|written| written.mapping.as_ref());
        let own = own
            .map(Mapping::compile)
            .transpose()
            .map_err(|errors| wrong(format!("{errors:?}")))?;
        let object = self.connector.object(object);
        let mapping = own.as_ref().or_else(|| object?.default_mapping());
        let mapping = mapping.ok_or_else(|| wrong("there is none".to_owned()))?;
        let record = mapping.render(&scope).map_err(|errors| wrong(format!("{errors:?}")))?;
        Ok(record.unwrap_or_else(|| json!({})))
    }

    /// Whether nothing can be done about a lost answer to this record on this connection but to ask a person.
    pub fn asks_a_person(&self, object: &str, spec: &ConnectionSpec, record: Value) -> Result<bool, Failure> {
        let account = self
            .connector
            .account(&spec.auth_kind, &spec.settings, &spec.secrets, &Map::new())?;
        let can = self
            .connector
            .abilities(object, &account, &Call::new("any", record, Known::default()))?;
        let promised = self.offers(object, OperationKind::Upsert)
            || self.connector.means(object, OperationKind::Create) == Means::IdempotencyKey;
        Ok(!promised && !can.probe)
    }

    /// The ways to authenticate that have a page to sign in on.
    pub(super) fn sign_ins(&self) -> Vec<String> {
        let kinds = self.connector.auth_kinds().map(|(name, ..)| name);
        kinds
            .filter(|kind| self.connector.has_sign_in(kind))
            .map(str::to_owned)
            .collect()
    }

    /// Whether a credential of the scenario is replaced with each token.
    pub fn rotates(&self) -> bool {
        let connection = &self.scenario.connection;
        let replaced = self.connector.rotating_credentials(&connection.auth);
        replaced.iter().any(|name| connection.credentials.contains_key(name))
    }

    /// What the simulated vendor holds of an object. A repeated message that its receiver has recognised is no row.
    pub fn stored(&self, vendor: &Running, object: &str) -> Result<Vec<Value>, Failure> {
        let table = self.written(object).map_or(object, |written| written.stored.as_str());
        let rows = vendor.records(self.slug(), table);
        let rows = rows.map_err(|refused| {
            Failure::new(
                format!("the simulated vendor has a table `{table}`"),
                refused.to_string(),
            )
        })?;
        Ok(rows
            .into_iter()
            .filter(|row| row.get("repeat") != Some(&Value::Bool(true)))
            .collect())
    }
}
