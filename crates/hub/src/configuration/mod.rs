//! The users' wish, compiled: what intake and lanes look things up in. A new one replaces the old one whole; nobody sees half of a change.

mod automation;
mod change;
mod classifier;
mod connection;
mod endpoint;
mod fit;
mod mapping;
mod object;
mod place;
mod route;
mod source;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use switchboard_connect::registry::Registry;
use switchboard_model::{
    classify::Classifier,
    connection::Defaults,
    id::{ConnectionId, WebhookId, WorkspaceId},
    record::Objects,
};

pub use automation::{Automation, Automations, Steps};
pub(crate) use automation::{check_change, version_of};
pub use change::{Configured, ConfiguredConnection, ConfiguredRoute, prepare_change};
pub(crate) use classifier::CLASSIFIER_KEY;
pub use classifier::WorkspaceClassifier;
pub use connection::{Connection, Tools};
pub(crate) use connection::{reason_of, seal_place, token_place, unprepared};
pub use endpoint::Told;
pub(crate) use fit::placed;
pub use fit::{check_mappings, misfits};
pub use object::{Lists, Tables, check_list, check_object};
pub use route::Route;
pub(crate) use route::explain_waiting;
pub use source::{ConfiguredSource, Receiver};

use crate::store::{DefinitionKind, DefinitionRow, StoredConfiguration};

/// Everything of every workspace.
#[derive(Debug, Default)]
pub struct Configuration {
    /// Which revision of the store this is.
    pub revision: i64,
    connections: HashMap<ConnectionId, Arc<Connection>>,
    workspaces: HashMap<WorkspaceId, Workspace>,
    paths: source::Paths,
}

/// What one workspace has.
#[derive(Debug, Default)]
pub struct Workspace {
    /// By rising priority number, then key.
    pub connections: Vec<Arc<Connection>>,
    /// In the order in which they were made.
    pub routes: Vec<Route>,
    /// What is done when something happens.
    pub automations: Automations,
    /// What holds for connections that say nothing else.
    pub defaults: Defaults,
    /// How messages are classified that come without category or priority.
    classifier: Option<Arc<WorkspaceClassifier>>,
    /// The endpoints of outgoing webhooks, in the order in which they were made.
    pub endpoints: BTreeMap<WebhookId, Told>,
    /// Kinds of records.
    pub tables: Tables,
    /// Named lists of values.
    pub lists: Arc<Lists>,
    /// What pushes to it, in the order in which it was made.
    pub sources: Vec<Arc<Receiver>>,
    /// Every connection with each of its objects: where the vendors' ids of records may be kept.
    pub link_places: Arc<[(ConnectionId, Arc<str>)]>,
    /// The connections that an enabled route names; worked out once, because every event asks.
    named: HashSet<ConnectionId>,
}

impl Configuration {
    /// Compiles what the store holds. Connections that did not change since `before` are taken over with their tokens and limiters.
    pub fn compile(stored: StoredConfiguration, before: &Self, registry: &Registry, tools: &Tools) -> Self {
        let mut configuration = Self {
            revision: stored.revision,
            ..Self::default()
        };
        for row in &stored.definitions {
            if row.kind == DefinitionKind::Defaults {
                // What a later version wrote, and this one cannot read, is as good as nothing.
                let defaults = serde_json::from_value(row.spec.clone()).unwrap_or_default();
                configuration.workspaces.entry(row.workspace).or_default().defaults = defaults;
            }
        }
        for row in stored.connections {
            let old = before.connections.get(&row.id);
            let workspace = configuration.workspaces.entry(row.workspace).or_default();
            let defaults = &workspace.defaults;
            let connection = match old.filter(|old| old.is_same(&row, defaults)) {
                Some(old) if old.has_connector_of(registry) => Arc::clone(old),
                Some(_) => Arc::new(Connection::compile(row.unprepared(), registry, tools, defaults)),
                None => Arc::new(Connection::compile(row, registry, tools, defaults)),
            };
            configuration.connections.insert(connection.id, Arc::clone(&connection));
            configuration
                .workspaces
                .entry(connection.workspace)
                .or_default()
                .connections
                .push(connection);
        }
        for row in stored.routes {
            configuration
                .workspaces
                .entry(row.workspace)
                .or_default()
                .routes
                .push(Route::compile(row));
        }
        let of_sources = stored
            .definitions
            .iter()
            .filter(|row| row.kind == DefinitionKind::Source);
        for row in of_sources {
            let old = before.receiver(row.workspace, &row.key);
            let receiver = Receiver::compile(row, old, &tools.vault);
            configuration.paths.add(&receiver);
            let workspace = configuration.workspaces.entry(row.workspace).or_default();
            workspace.sources.push(receiver);
        }
        let mut definitions: HashMap<WorkspaceId, Vec<DefinitionRow>> = HashMap::new();
        for row in stored.definitions {
            definitions.entry(row.workspace).or_default().push(row);
        }
        for (id, rows) in definitions {
            let old = before.workspaces.get(&id).and_then(Workspace::classifier_entry);
            let workspace = configuration.workspaces.entry(id).or_default();
            workspace.define(&rows);
            workspace.classifier = WorkspaceClassifier::of_rows(&rows, old, tools);
        }
        for workspace in configuration.workspaces.values_mut() {
            workspace
                .connections
                .sort_by(|a, b| (a.priority, &a.key).cmp(&(b.priority, &b.key)));
            workspace.named = workspace.find_named();
            workspace.link_places = workspace.find_link_places();
            let lists = &workspace.lists;
            workspace
                .connections
                .iter()
                .for_each(|connection| connection.adopt_lists(lists));
        }
        configuration
    }

    /// Every connection of every workspace.
    pub fn connections(&self) -> impl Iterator<Item = &Arc<Connection>> {
        self.connections.values()
    }

    /// Every workspace that has anything.
    pub fn workspaces(&self) -> impl Iterator<Item = (WorkspaceId, &Workspace)> {
        self.workspaces.iter().map(|(id, workspace)| (*id, workspace))
    }

    /// One connection.
    pub fn connection(&self, id: ConnectionId) -> Option<&Arc<Connection>> {
        self.connections.get(&id)
    }

    /// The source of a workspace with this key.
    pub fn receiver(&self, workspace: WorkspaceId, key: &str) -> Option<&Arc<Receiver>> {
        let sources = &self.workspaces.get(&workspace)?.sources;
        sources.iter().find(|receiver| receiver.key == key)
    }

    /// The source whose path this is.
    pub fn receiver_at(&self, path: &str) -> Option<&Arc<Receiver>> {
        self.paths.get(path)
    }

    /// The kinds of records of a workspace.
    pub fn objects(&self, id: WorkspaceId) -> Arc<Objects> {
        let workspace = self.workspaces.get(&id);
        workspace.map_or_else(Objects::plain, |workspace| Arc::clone(&workspace.tables.objects))
    }

    /// One workspace; one that has nothing yet is empty.
    pub fn workspace(&self, id: WorkspaceId) -> Option<&Workspace> {
        self.workspaces.get(&id)
    }
}

impl Workspace {
    /// What classifies messages here; `None` when nothing does.
    pub fn classifier(&self) -> Option<&Classifier> {
        self.classifier.as_deref()?.active()
    }

    /// The classifier with everything about it, also one that is switched off or cannot be used.
    pub fn classifier_entry(&self) -> Option<&Arc<WorkspaceClassifier>> {
        self.classifier.as_ref()
    }

    /// The connection that a route means by `system`: by its key, else the first enabled one of that connector.
    pub fn find(&self, system: &str) -> Option<&Arc<Connection>> {
        // A connection that waits for its connector takes nothing, so that nothing piles up for it.
        let usable = || {
            self.connections
                .iter()
                .filter(|connection| connection.connector.is_some())
        };
        let by_key = usable().find(|connection| connection.key == system);
        by_key.or_else(|| {
            // An endpoint is told what it asked for and nothing else.
            let is_meant = |connection: &&Arc<Connection>| {
                connection.enabled && connection.is_of(system) && !self.is_endpoint(connection)
            };
            let mut of_connector = usable().filter(is_meant);
            let first = of_connector.next()?;
            if first.can_send() {
                Some(first)
            } else {
                of_connector.find(|other| other.can_send()).or(Some(first))
            }
        })
    }

    /// Whether the connection carries an endpoint out.
    pub fn is_endpoint(&self, connection: &Connection) -> bool {
        let id = connection.key.parse();
        id.is_ok_and(|id: WebhookId| self.endpoints.contains_key(&id))
    }

    /// Whether any enabled route names the connection, by its key or by standing for its connector.
    pub fn is_named(&self, connection: &Connection) -> bool {
        self.named.contains(&connection.id)
    }

    fn define(&mut self, rows: &[DefinitionRow]) {
        self.tables = Tables::compile(rows.iter());
        self.lists = Arc::new(Lists::compile(rows.iter()));
        self.automations = Automations::compile(rows.iter());
        let endpoints = rows.iter().filter(|row| row.kind == DefinitionKind::Webhook);
        self.endpoints = endpoints.filter_map(Told::compile).collect();
    }

    fn find_link_places(&self) -> Arc<[(ConnectionId, Arc<str>)]> {
        let each = self.connections.iter();
        each.flat_map(|connection| connection.objects().into_iter().map(|object| (connection.id, object)))
            .collect()
    }

    fn find_named(&self) -> HashSet<ConnectionId> {
        let enabled = self.routes.iter().filter(|route| route.spec.enabled);
        let targets = enabled.flat_map(|route| route.spec.strategy.targets());
        targets
            .filter_map(|target| self.find(&target.system))
            .map(|connection| connection.id)
            .collect()
    }

    /// The connection with this key.
    pub fn connection(&self, key: &str) -> Option<&Arc<Connection>> {
        self.connections.iter().find(|connection| connection.key == key)
    }
}
