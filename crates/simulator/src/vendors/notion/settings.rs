//! What can be set in the simulated workspace.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::options::Setup;

/// The settings of the workspace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Any token, OAuth client and refresh token that is not empty is taken.
    pub accept_any_credentials: bool,
    /// The registered integration tokens.
    pub tokens: Vec<String>,
    /// The registered OAuth clients: id and secret.
    pub clients: Vec<(String, String)>,
    /// A database with an unknown id comes into being when it is asked for, also when the id is no UUID.
    pub accept_any_database: bool,
    /// Databases that there are beside the first one. One that is taken from the list stays.
    pub databases: Vec<Database>,
    /// Ids of databases, data sources and pages that are not shared with the integration: they are not found.
    pub unshared: Vec<String>,
    /// The integration may change the schema of data sources and make new options.
    pub may_edit_schema: bool,
    /// Capabilities that the integration lacks: `read_content`, `insert_content`, `update_content`, `comment`.
    pub missing_capabilities: Vec<String>,
    /// Calls in any 60 seconds on one connection (fact sheet §8), before the scale of the options.
    pub calls_per_minute: u64,
    /// Calls in any 60 seconds of all connections together, before the scale of the options; 0 for no such limit.
    pub workspace_calls_per_minute: u64,
    /// A query returns so many rows at most over all its pages (fact sheet §10).
    pub query_rows: usize,
}

/// A database that is set up from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its data sources: column names and kinds, as `{"Name": "title", "Stage": "status"}`. One with the columns of the
    /// guide's example without it.
    pub sources: Vec<IndexMap<String, String>>,
}

impl Settings {
    /// The first settings of a workspace.
    pub fn new(setup: &Setup) -> Self {
        Self {
            accept_any_credentials: setup.accept_any_credentials,
            accept_any_database: setup.accept_any_database,
            ..Self::default()
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            accept_any_credentials: false,
            tokens: Vec::new(),
            clients: Vec::new(),
            accept_any_database: false,
            databases: Vec::new(),
            unshared: Vec::new(),
            may_edit_schema: true,
            missing_capabilities: Vec::new(),
            calls_per_minute: 180,
            workspace_calls_per_minute: 0,
            query_rows: 10_000,
        }
    }
}
