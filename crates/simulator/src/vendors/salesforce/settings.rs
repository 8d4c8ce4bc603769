//! What can be set in the simulated org.

use serde::{Deserialize, Serialize};

/// The settings of the org.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Any client, user and refresh token that is not empty may have a session.
    pub accept_any_credentials: bool,
    /// The registered apps.
    pub clients: Vec<Client>,
    /// The registered users.
    pub users: Vec<User>,
    /// The org still allows `grant_type=password`. New orgs do not.
    pub allow_password_grant: bool,
    /// A refresh answers with a new refresh token, and the old one is spent.
    pub rotate_refresh_tokens: bool,
    /// An unused session ends after so many minutes; each call prolongs it.
    pub session_minutes: i64,
    /// API calls per 24 hours, before the scale of the options.
    pub daily_api_requests: u64,
    /// The custom field `HubExternalId__c` of Lead, Contact, Account, Opportunity and Case.
    pub external_id: ExternalId,
    /// The duplicate rule for leads and contacts of the same e-mail address.
    pub duplicate_rule: DuplicateRule,
    /// Picklists, as `Case.Priority`, that refuse values beside their own. Most standard picklists take any text.
    pub restricted_picklists: Vec<String>,
}

/// A registered app.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Client {
    /// The consumer key.
    pub client_id: String,
    /// The consumer secret.
    pub client_secret: String,
    /// The RSA public key in PEM, for the JWT bearer flow. Without one, assertions are only looked at, not verified.
    pub public_key: Option<String>,
    /// Refresh tokens that were given to this app.
    pub refresh_tokens: Vec<String>,
}

/// A registered user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct User {
    /// The name to log in with.
    pub username: String,
    /// The password followed by the security token.
    pub password: String,
}

/// How the org has the external id field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExternalId {
    /// As an external id that is unique, ignoring case.
    Unique,
    /// As an external id that several records may share.
    NotUnique,
    /// Not at all.
    Absent,
}

/// What the org does with a record like one that it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DuplicateRule {
    /// Nothing.
    Off,
    /// Refuses it, unless the caller insists with `Sforce-Duplicate-Rule-Header: allowSave=true`.
    Alert,
    /// Refuses it.
    Block,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            accept_any_credentials: false,
            clients: Vec::new(),
            users: Vec::new(),
            allow_password_grant: false,
            rotate_refresh_tokens: false,
            session_minutes: 120,
            daily_api_requests: 15_000,
            external_id: ExternalId::Unique,
            duplicate_rule: DuplicateRule::Off,
            restricted_picklists: Vec::new(),
        }
    }
}
