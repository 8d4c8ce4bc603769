//! What can be set in the simulated portal.

use serde::{Deserialize, Serialize};

use crate::options::Setup;

/// The settings of the portal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Any token, refresh token and OAuth client that is not empty is taken.
    pub accept_any_credentials: bool,
    /// The registered service keys and private-app tokens.
    pub tokens: Vec<String>,
    /// The registered OAuth clients: id and secret.
    pub clients: Vec<(String, String)>,
    /// The token may read and make properties; without that right those calls are refused.
    pub may_edit_schema: bool,
    /// Calls in any 10 seconds (fact sheet §8), before the scale of the options.
    pub calls_per_ten_seconds: u64,
    /// Calls a day, before the scale of the options.
    pub calls_per_day: u64,
    /// Searches a second, before the scale of the options.
    pub searches_per_second: u64,
    /// How long a new record stays invisible to searches (fact sheet §5: seconds).
    pub search_lag_ms: i64,
}

impl Settings {
    /// The first settings of a portal.
    pub fn new(setup: &Setup) -> Self {
        Self {
            accept_any_credentials: setup.accept_any_credentials,
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
            may_edit_schema: true,
            calls_per_ten_seconds: 190,
            calls_per_day: 625_000,
            searches_per_second: 5,
            search_lag_ms: 3_000,
        }
    }
}
