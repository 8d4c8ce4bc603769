//! Sources of a workspace, compiled.

use std::{collections::HashMap, sync::Arc};

use serde_json::{Map, Value, json};
use switchboard_connect::source::{
    Source, SourceSpec,
    ready::{self, Ready},
};
use switchboard_model::{
    id::WorkspaceId,
    problem::{Code, Problem},
    record::Objects,
};

use super::Configuration;
use crate::{
    receive::Refusals,
    record,
    store::{ConfigurationChange, DefinitionKind, DefinitionRow, DefinitionWrite},
    vault::Vault,
};

/// A source of a workspace.
#[derive(Debug)]
pub struct Receiver {
    /// Its tenant.
    pub workspace: WorkspaceId,
    /// The user's own id.
    pub key: String,
    /// What a person said about it, without the secrets.
    pub spec: SourceSpec,
    /// What it does, or why it can do nothing.
    pub source: Result<Source, Problem>,
    /// The names of the secrets that are given.
    pub given: Vec<String>,
    /// When it was written, Unix milliseconds.
    pub changed_ms: i64,
    /// What was sent to it by others than the pusher.
    pub refusals: Arc<Refusals>,
    row: DefinitionRow,
}

impl Receiver {
    /// Compiles what the store holds; what did not change is taken over.
    pub(super) fn compile(row: &DefinitionRow, before: Option<&Arc<Self>>, vault: &Vault) -> Arc<Self> {
        if let Some(before) = before.filter(|before| before.row == *row) {
            return Arc::clone(before);
        }
        let refusals = before.map(|before| Arc::clone(&before.refusals)).unwrap_or_default();
        let read: Result<SourceSpec, Problem> = serde_json::from_value(row.spec.clone()).map_err(|error| {
            let detail = format!("the source `{}` was written by another version: {error}", row.key);
            Problem::new(Code::WrongValue, detail, "Write it anew with this version.")
        });
        let opened = read.and_then(|spec| Ok((open_secrets(vault, row)?, spec)));
        let (spec, source) = match opened {
            Ok((secrets, spec)) => {
                let spec = SourceSpec { secrets, ..spec };
                let source = compile(&spec);
                (spec, source)
            }
            Err(problem) => (unreadable(row), Err(problem)),
        };
        Arc::new(Self {
            workspace: row.workspace,
            key: row.key.clone(),
            given: spec.secrets.keys().cloned().collect(),
            spec,
            source,
            changed_ms: row.changed_ms,
            refusals,
            row: row.clone(),
        })
    }

    /// What it does.
    ///
    /// # Errors
    /// Why it can do nothing.
    pub fn source(&self) -> Result<&Source, Problem> {
        self.source.as_ref().map_err(Clone::clone)
    }
}

/// Compiles a source.
fn compile(spec: &SourceSpec) -> Result<Source, Problem> {
    let ready = find(&spec.source)?;
    Source::compile(spec, ready).map_err(|problems| {
        let nothing = || Problem::new(Code::WrongValue, "the source cannot be used", "Write it anew.");
        Problem::all(problems).unwrap_or_else(nothing)
    })
}

fn find(name: &str) -> Result<&'static Ready, Problem> {
    ready::find(name).map(|ready| &**ready).ok_or_else(|| {
        let detail = format!("this version has no source `{name}`");
        Problem::new(
            Code::WrongValue,
            detail,
            "GET /v1/sources/ready lists those that there are.",
        )
    })
}

fn open_secrets(vault: &Vault, row: &DefinitionRow) -> Result<Map<String, Value>, Problem> {
    match row.sealed.is_empty() {
        true => Ok(Map::new()),
        false => vault.open(&seal_place(row.workspace, &row.key), &row.sealed),
    }
}

/// Stands in for a description that cannot be read. Its path is kept, so that pushers are told to come back.
fn unreadable(row: &DefinitionRow) -> SourceSpec {
    let text = |name: &str| row.spec[name].as_str().unwrap_or_default().to_owned();
    SourceSpec {
        key: row.key.clone(),
        source: text("source"),
        name: text("name"),
        path: text("path"),
        ..SourceSpec::default()
    }
}

/// What the secrets of a source are sealed for.
pub(crate) fn seal_place(workspace: WorkspaceId, key: &str) -> String {
    format!("source {}/{key}", workspace.0)
}

/// The sources of all workspaces by their paths. A path belongs to the source that had it first.
#[derive(Debug, Default)]
pub(super) struct Paths(HashMap<String, Arc<Receiver>>);

impl Paths {
    pub fn add(&mut self, receiver: &Arc<Receiver>) {
        let path = receiver.spec.path.clone();
        self.0.entry(path).or_insert_with(|| Arc::clone(receiver));
    }

    pub fn get(&self, path: &str) -> Option<&Arc<Receiver>> {
        self.0.get(path)
    }
}

/// A source that was written, for a person.
#[derive(Debug, Clone)]
pub struct ConfiguredSource {
    /// The user's own id.
    pub key: String,
    /// The ready source that it is.
    pub source: String,
    /// What stands behind `/in/`.
    pub path: String,
    /// What has to be given before a request can be known to be the pusher's.
    pub missing: Vec<String>,
    /// The tables that were made for it.
    pub tables: Vec<String>,
}

/// Checks a source and adds to the change what is written for it: itself, and the tables that it writes and that nobody has defined. Secrets
/// that are not named stay as they are; one that is blank goes.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn add(
    workspace: WorkspaceId,
    spec: SourceSpec,
    present: &Configuration,
    vault: &Vault,
    change: &mut ConfigurationChange,
) -> Result<ConfiguredSource, Vec<Problem>> {
    let key = spec.key.clone();
    let added = try_add(workspace, spec, present, vault, change);
    added.map_err(|problems| {
        let place = |problem: Problem| {
            let inside = problem.place.clone().unwrap_or_default();
            problem.at(format!("source {key}: {inside}"))
        };
        problems.into_iter().map(place).collect()
    })
}

fn try_add(
    workspace: WorkspaceId,
    mut spec: SourceSpec,
    present: &Configuration,
    vault: &Vault,
    change: &mut ConfigurationChange,
) -> Result<ConfiguredSource, Vec<Problem>> {
    let alone = |problem: Problem| vec![problem];
    let ready = find(&spec.source).map_err(alone)?;
    let problems = ready.check(&spec.settings, &spec.secrets).problems;
    if !problems.is_empty() {
        return Err(problems);
    }
    let holder = present.receiver_at(&spec.path);
    if holder.is_some_and(|holder| (holder.workspace, &holder.key) != (workspace, &spec.key)) {
        return Err(vec![taken(&spec.path)]);
    }
    let before = present.receiver(workspace, &spec.key);
    let before = before.filter(|before| before.spec.source == spec.source);
    let mut secrets = before.map(|before| before.spec.secrets.clone()).unwrap_or_default();
    secrets.extend(std::mem::take(&mut spec.secrets));
    secrets.retain(|_, value| value.as_str().is_none_or(|text| !text.trim().is_empty()));
    spec.secrets = secrets;
    let source = Source::compile(&spec, ready)?;
    let objects = present.objects(workspace);
    for name in source.objects() {
        record::object(&objects, name).map_err(alone)?;
    }
    let tables = missing_tables(&source, &objects, change);
    let configured = ConfiguredSource {
        key: spec.key.clone(),
        source: spec.source.clone(),
        path: spec.path.clone(),
        missing: source.missing_secrets(),
        tables: tables.iter().map(|table| table.key.clone()).collect(),
    };
    let sealed = match spec.secrets.is_empty() {
        true => Vec::new(),
        false => vault
            .seal(&seal_place(workspace, &spec.key), &spec.secrets)
            .map_err(alone)?,
    };
    let written = serde_json::to_value(&spec).map_err(|error| {
        let detail = format!("the source cannot be written: {error}");
        alone(Problem::new(Code::Internal, detail, "Please report this."))
    })?;
    change.definitions.extend(tables);
    change.definitions.push(DefinitionWrite {
        kind: DefinitionKind::Source,
        key: spec.key,
        spec: written,
        sealed,
    });
    Ok(configured)
}

/// Definitions of the tables that a source writes and that are not there: their fields are those of the mapping.
fn missing_tables(source: &Source, objects: &Objects, change: &ConfigurationChange) -> Vec<DefinitionWrite> {
    let mut missing: Vec<DefinitionWrite> = Vec::new();
    for table in source.tables() {
        let is_new = |known: &DefinitionWrite| known.kind == DefinitionKind::Object && known.key == table.name;
        let defined = objects.find(table.name).is_some();
        if defined || change.definitions.iter().any(is_new) || missing.iter().any(is_new) {
            continue;
        }
        let fields = table
            .fields
            .iter()
            .map(|(name, kind)| json!({ "name": name, "type": kind }));
        let mut spec = json!({ "fields": fields.collect::<Vec<_>>() });
        if !table.keys.is_empty() {
            spec["keys"] = json!(table.keys);
        }
        if let Some(country) = source.country() {
            spec["country"] = json!(country);
        }
        missing.push(DefinitionWrite {
            kind: DefinitionKind::Object,
            key: table.name.to_owned(),
            spec,
            sealed: Vec::new(),
        });
    }
    missing
}

/// The problem of a path that another source has.
fn taken(path: &str) -> Problem {
    let detail = format!("the path `{path}` belongs to another source already");
    let next = "Choose another path; paths are unique in the installation.";
    Problem::new(Code::WrongValue, detail, next).at("/path")
}
