//! Definitions: sources, tables, automations and whatever else is part of the configuration beside connections and routes.

use serde_json::Value;
use switchboard_model::id::WorkspaceId;

/// What a definition is about. Each part of the hub knows the form of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DefinitionKind {
    /// Something that pushes to us: its path, how it is verified, what is made of it.
    Source,
    /// Fields of a kind of record: further ones of people and companies, all of a table of the user's own.
    Object,
    /// What is done when something happens.
    Automation,
    /// Values by key, for `lookup` in templates.
    List,
    /// How a message is classified that comes without category or priority.
    Classifier,
    /// The country and the time zone of connections that name none.
    Defaults,
    /// An endpoint of outgoing webhooks; a connection and a route under its key carry it out.
    Webhook,
}

impl DefinitionKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Source,
        Self::Object,
        Self::Automation,
        Self::List,
        Self::Classifier,
        Self::Defaults,
        Self::Webhook,
    ];

    /// Its name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Object => "object",
            Self::Automation => "automation",
            Self::List => "list",
            Self::Classifier => "classifier",
            Self::Defaults => "defaults",
            Self::Webhook => "webhook",
        }
    }

    /// The kind with this name; `None` for one of a later version.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A source, table, automation or list as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct DefinitionRow {
    /// Its tenant.
    pub workspace: WorkspaceId,
    /// What it is about.
    pub kind: DefinitionKind,
    /// The user's own id, unique among those of its kind.
    pub key: String,
    /// What a person said about it, as JSON, without the secrets.
    pub spec: Value,
    /// The secrets, sealed; empty where there are none.
    pub sealed: Vec<u8>,
    /// When it was written last, Unix milliseconds.
    pub changed_ms: i64,
}

/// A definition to be written, in place of what is kept under its key.
#[derive(Debug, Clone, PartialEq)]
pub struct DefinitionWrite {
    /// What it is about.
    pub kind: DefinitionKind,
    /// The user's own id.
    pub key: String,
    /// What a person said about it, as JSON, without the secrets.
    pub spec: Value,
    /// The secrets, sealed; empty where there are none.
    pub sealed: Vec<u8>,
}

/// What a change takes away. What is not there is no fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// A definition.
    Definition(DefinitionKind, String),
    /// A route, by its key.
    Route(String),
    /// A connection, by its key, with everything that was learnt on it. Its deliveries that wait or are held are cancelled; those that were
    /// under way or in doubt are dead, since nobody looks any more what became of them.
    Connection(String),
}
