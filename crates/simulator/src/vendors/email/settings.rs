//! What can be set from outside.

use serde::{Deserialize, Serialize};

/// The mail server's settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Who may sign in with a password. A user is also the address that may be sent from.
    pub accounts: Vec<Account>,
    /// Apps that may ask for access tokens.
    pub apps: Vec<App>,
    /// The life of an access token (fact sheet §3: about an hour).
    pub token_life_s: i64,
    /// Whether each refresh token is replaced by the next.
    pub rotate_refresh_tokens: bool,
    /// The ways to sign in that EHLO names.
    pub mechanisms: Vec<String>,
    /// Mailboxes that do not exist (550 5.1.1).
    pub unknown_recipients: Vec<String>,
    /// Mailboxes that cannot be reached now (450 4.2.1).
    pub busy_recipients: Vec<String>,
    /// The largest message in bytes; Gmail's (fact sheet §8).
    pub largest: usize,
    /// Messages of one user per minute; Microsoft's (fact sheet §8).
    pub messages_per_minute: u64,
    /// Conversations of one user at the same time; Microsoft's (fact sheet §8).
    pub sessions: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            accounts: Vec::new(),
            apps: Vec::new(),
            token_life_s: 3599,
            rotate_refresh_tokens: false,
            mechanisms: ["PLAIN", "LOGIN", "XOAUTH2"].map(str::to_owned).into(),
            unknown_recipients: vec!["nobody@example.org".to_owned()],
            busy_recipients: vec!["busy@example.org".to_owned()],
            largest: 35_882_577,
            messages_per_minute: 30,
            sessions: 3,
        }
    }
}

/// A user with a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The address.
    pub user: String,
    /// The password.
    pub password: String,
}

/// An app that acts for a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// The app.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// What the user gave it.
    pub refresh_token: String,
    /// The user.
    pub user: String,
}
