//! From what a person wants to what is written: checks every connection, seals its credentials, and says what will happen.

use serde_json::Value;
use switchboard_connect::{connector::Connector, guide::Item, registry::Registry};
use switchboard_model::{
    connection::{ConnectionSpec, ConnectionState},
    id::WorkspaceId,
    problem::{Code, Problem},
    route::RouteSpec,
};

use super::{
    Configuration, ConfiguredSource, Workspace, classifier,
    connection::seal_place,
    object::{check_list, check_object},
    source,
};
use crate::{
    store::{ConfigurationChange, ConnectionWrite, DefinitionKind, DefinitionWrite},
    vault::Vault,
};

/// The key of the defaults of a workspace, which are there once.
const DEFAULTS_KEY: &str = "main";

/// What a change did, for a person.
#[derive(Debug, Clone, Default)]
pub struct Configured {
    /// The connections that were written.
    pub connections: Vec<ConfiguredConnection>,
    /// The routes that were written.
    pub routes: Vec<ConfiguredRoute>,
    /// The automations that were written, by their keys.
    pub automations: Vec<String>,
    /// The sources that were written.
    pub sources: Vec<ConfiguredSource>,
    /// Whether the classifier was written.
    pub classifier: bool,
    /// Whether the defaults were written.
    pub defaults: bool,
    /// The objects and tables whose definitions were written.
    pub objects: Vec<String>,
    /// The lists that were written.
    pub lists: Vec<String>,
}

/// A connection that was written.
#[derive(Debug, Clone)]
pub struct ConfiguredConnection {
    /// The user's own id.
    pub key: String,
    /// The connector's slug.
    pub connector: String,
    /// Whether it may carry traffic.
    pub state: ConnectionState,
    /// Why it does not.
    pub reason: Option<String>,
    /// What was translated or explained.
    pub notes: Vec<String>,
    /// What in its mappings does not fit the account, as far as that is known, and does not make it useless.
    pub warnings: Vec<Problem>,
}

/// A route that was written.
#[derive(Debug, Clone)]
pub struct ConfiguredRoute {
    /// Its name.
    pub key: String,
    /// Its strategy.
    pub strategy: &'static str,
    /// The systems that it names and that are not connected.
    pub waiting_for: Vec<String>,
}

/// Checks the items and makes of them what the store writes. Connections that lack something become drafts. `installation` is what there is
/// now.
///
/// # Errors
/// Every problem of every item.
pub fn prepare_change(
    workspace: WorkspaceId,
    items: Vec<Item>,
    registry: &Registry,
    vault: &Vault,
    now_ms: i64,
    installation: &Configuration,
) -> Result<(ConfigurationChange, Configured), Problem> {
    let present = installation.workspace(workspace);
    let mut change = ConfigurationChange {
        now_ms,
        ..ConfigurationChange::default()
    };
    let mut done = Configured::default();
    let mut problems = Vec::new();
    let mut sources = Vec::new();
    for item in items {
        match item {
            Item::Source(spec) => sources.push(spec),
            Item::Connection(spec) => match write_connection(workspace, spec, registry, vault) {
                Ok((write, configured)) => {
                    change.connections.push(write);
                    done.connections.push(configured);
                }
                Err(found) => problems.extend(found),
            },
            Item::Route(spec) => {
                problems.extend(check_route(&spec));
                write_route(spec, &mut change, &mut done);
            }
            Item::Automation(spec) => match super::automation::write(spec) {
                Ok(write) => {
                    done.automations.push(write.key.clone());
                    change.definitions.push(write);
                }
                Err(found) => problems.extend(found),
            },
            Item::Defaults(defaults) => {
                change.definitions.push(write_defaults(&defaults));
                done.defaults = true;
            }
            Item::Classifier(item) => {
                let before = present.and_then(Workspace::classifier_entry);
                match classifier::write(workspace, *item, before, vault) {
                    Ok(write) => {
                        change.definitions.push(write);
                        done.classifier = true;
                    }
                    Err(found) => problems.extend(found),
                }
            }
            Item::Object(key, spec) => {
                let checked = check_object(&key, &spec);
                define(DefinitionKind::Object, key, checked, &mut change, &mut problems);
            }
            Item::List(key, spec) => {
                let checked = check_list(&key, &spec);
                define(DefinitionKind::List, key, checked, &mut change, &mut problems);
            }
        }
    }
    // Tables that the same change defines are there for sources.
    for spec in sources {
        let written = source::add(workspace, spec, installation, vault, &mut change);
        match written {
            Ok(configured) => done.sources.push(configured),
            Err(found) => problems.extend(found),
        }
    }
    done.objects = names(&change, DefinitionKind::Object);
    done.lists = names(&change, DefinitionKind::List);
    match Problem::all(problems) {
        Some(problem) => Err(problem),
        None => Ok((change, done)),
    }
}

fn write_route(spec: RouteSpec, change: &mut ConfigurationChange, done: &mut Configured) {
    done.routes.push(ConfiguredRoute {
        key: spec.key.clone(),
        strategy: spec.strategy.name(),
        waiting_for: Vec::new(),
    });
    change.routes.push(spec);
}

fn write_defaults(defaults: &impl serde::Serialize) -> DefinitionWrite {
    DefinitionWrite {
        kind: DefinitionKind::Defaults,
        key: DEFAULTS_KEY.to_owned(),
        spec: serde_json::to_value(defaults).unwrap_or_default(),
        sealed: Vec::new(),
    }
}

/// Puts a definition that was checked into the change.
fn define(
    kind: DefinitionKind,
    key: String,
    checked: Result<Value, Vec<Problem>>,
    change: &mut ConfigurationChange,
    problems: &mut Vec<Problem>,
) {
    match checked {
        Ok(spec) => change.definitions.push(DefinitionWrite {
            kind,
            key,
            spec,
            sealed: Vec::new(),
        }),
        Err(found) => problems.extend(found.into_iter().map(|problem| {
            let inside = problem.place.clone().unwrap_or_default();
            problem.at(format!("{} {key}: {inside}", kind.name()))
        })),
    }
}

fn names(change: &ConfigurationChange, kind: DefinitionKind) -> Vec<String> {
    let own = change.definitions.iter().filter(|definition| definition.kind == kind);
    own.map(|definition| definition.key.clone()).collect()
}

fn write_connection(
    workspace: WorkspaceId,
    mut spec: ConnectionSpec,
    registry: &Registry,
    vault: &Vault,
) -> Result<(ConnectionWrite, ConfiguredConnection), Vec<Problem>> {
    let missing = match registry.get(&spec.connector) {
        Some(connector) => check(connector, &spec)?,
        None => return Err(vec![unknown_connector(&spec, registry)]),
    };
    let secrets = std::mem::take(&mut spec.secrets);
    let sealed = vault
        .seal(&seal_place(workspace, &spec.key), &secrets)
        .map_err(|problem| vec![problem])?;
    let (state, reason) = match missing {
        None => (ConnectionState::Active, None),
        Some(missing) => (ConnectionState::Draft, Some(missing)),
    };
    let configured = ConfiguredConnection {
        key: spec.key.clone(),
        connector: spec.connector.clone(),
        state,
        reason: reason.clone(),
        notes: spec.notes.clone(),
        warnings: Vec::new(),
    };
    let spec_json = serde_json::to_value(&spec).map_err(|error| {
        vec![Problem::new(
            Code::Internal,
            format!("the connection cannot be written: {error}"),
            "Please report this.",
        )]
    })?;
    Ok((
        ConnectionWrite {
            key: spec.key,
            spec: spec_json,
            sealed,
            state,
            reason,
            kept: None,
        },
        configured,
    ))
}

/// What a connection lacks to be at work, for a person.
fn check(connector: &Connector, spec: &ConnectionSpec) -> Result<Option<String>, Vec<Problem>> {
    let checked = connector.check(&spec.auth_kind, &spec.settings, &spec.secrets);
    let place = |problem: Problem| {
        let inside = problem
            .place
            .as_ref()
            .map(|place| format!(": {place}"))
            .unwrap_or_default();
        problem.at(format!("connection {}{inside}", spec.key))
    };
    if !checked.problems.is_empty() {
        return Err(checked.problems.into_iter().map(place).collect());
    }
    Ok((!checked.missing.is_empty()).then(|| format!("missing: {}", checked.missing.join(", "))))
}

fn unknown_connector(spec: &ConnectionSpec, registry: &Registry) -> Problem {
    Problem::new(
        Code::UnknownConnector,
        format!("there is no connector `{}`", spec.connector),
        format!("Use one of {}.", registry.names().join(", ")),
    )
}

fn check_route(spec: &RouteSpec) -> Option<Problem> {
    let condition = spec.condition.as_deref()?;
    let error = switchboard_model::condition::Condition::parse(condition).err()?;
    Some(super::route::condition_problem(&spec.key, &error.to_string()))
}
