//! What can be set in the simulated workspace.

use serde::{Deserialize, Serialize};

use crate::options::Setup;

/// The settings of the workspace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Any token and any OAuth client that is not empty is taken.
    pub accept_any_credentials: bool,
    /// The registered integration tokens.
    pub tokens: Vec<String>,
    /// The registered OAuth clients: id and secret.
    pub clients: Vec<(String, String)>,
    /// A database with an unknown id comes into being when it is asked for, also when the id is no UUID.
    pub accept_any_database: bool,
    /// The integration may change the schema of data sources and make new options.
    pub may_edit_schema: bool,
    /// Calls in any 60 seconds on one connection (fact sheet §8), before the scale of the options.
    pub calls_per_minute: u64,
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
            may_edit_schema: true,
            calls_per_minute: 180,
        }
    }
}
