//! What can be set in the simulated portal.

use serde::{Deserialize, Serialize};

/// The settings of the portal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Any token, client and refresh token that is not empty is taken.
    pub accept_any_credentials: bool,
    /// The service keys and private app tokens that are good.
    pub tokens: Vec<String>,
    /// The registered OAuth apps.
    pub clients: Vec<Client>,
    /// Calls per 10 seconds for a static token, before the scale of the options.
    pub calls_per_ten_seconds: u64,
    /// Calls per 10 seconds for an OAuth app, before the scale of the options.
    pub oauth_calls_per_ten_seconds: u64,
    /// Searches per second for the whole account, before the scale of the options.
    pub searches_per_second: u64,
    /// Calls per day for the whole account, before the scale of the options.
    pub calls_per_day: u64,
    /// So long after a write searches do not see it, milliseconds.
    pub search_lag_ms: i64,
    /// Scopes that the credentials lack, as `crm.objects.contacts.write` or `tickets`.
    pub missing_scopes: Vec<String>,
    /// A batch of which a part failed is answered with the status of full success, as the lists of statuses of 2026-09 would
    /// have it, and not with 207.
    pub partial_as_success: bool,
}

/// A registered OAuth app.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Client {
    /// The client id.
    pub client_id: String,
    /// The client secret.
    pub client_secret: String,
    /// Authorization codes that were given to this app; each is good once.
    pub codes: Vec<String>,
    /// Refresh tokens that were given to this app.
    pub refresh_tokens: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            accept_any_credentials: false,
            tokens: Vec::new(),
            clients: Vec::new(),
            calls_per_ten_seconds: 190,
            oauth_calls_per_ten_seconds: 110,
            searches_per_second: 5,
            calls_per_day: 625_000,
            search_lag_ms: 3_000,
            missing_scopes: Vec::new(),
            partial_as_success: false,
        }
    }
}
