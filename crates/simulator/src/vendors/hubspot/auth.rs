//! Who may call: static keys, and OAuth tokens that live for half an hour (fact sheet §3).

use serde_json::{Value, json};

use super::settings::Settings;
use super::trouble;
use crate::chance::Chance;
use crate::credentials::{Standing, Tokens};
use crate::message::{Reply, Request};

/// Life of an access token, seconds.
const LIFE_S: i64 = 1800;

/// The tokens of the portal.
#[derive(Debug)]
pub struct Auth {
    /// Every token that is known.
    pub tokens: Tokens,
    chance: Chance,
}

impl Auth {
    /// No tokens yet.
    pub fn new(seed: u64) -> Self {
        Self {
            tokens: Tokens::default(),
            chance: Chance::new(seed, "hubspot auth"),
        }
    }

    /// Whether the request may go on.
    ///
    /// # Errors
    /// The 401.
    pub fn admit(&mut self, request: &Request, settings: &Settings) -> Result<(), Reply> {
        let Some(token) = request.bearer() else {
            return Err(trouble::unauthorized(false));
        };
        let known = settings.tokens.iter().any(|known| known == token);
        // Access tokens begin with `CN`; everything else is a static key.
        if known || settings.accept_any_credentials && !token.starts_with("CN") {
            self.tokens.admit(token);
        }
        match self.tokens.standing(token, request.now_ms) {
            Standing::Good => Ok(()),
            Standing::Expired(_) => Err(trouble::unauthorized(true)),
            Standing::Unknown => Err(trouble::unauthorized(false)),
        }
    }

    /// `POST /oauth/…/token`, form-encoded.
    pub fn token(&mut self, request: &Request, settings: &Settings) -> Reply {
        let form = request.form();
        let field = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
        let (id, secret) = (field("client_id"), field("client_secret"));
        let registered = settings.clients.iter().any(|(known, theirs)| known == id && theirs == secret);
        if !(registered || settings.accept_any_credentials && !id.is_empty() && !secret.is_empty()) {
            return denied("BAD_CLIENT_ID", "missing or unknown client id");
        }
        if field("grant_type") != "refresh_token" {
            return denied("BAD_GRANT_TYPE", "missing or unknown grant type");
        }
        let refresh = field("refresh_token").to_owned();
        let Some(owner) = self.tokens.refresh_owner(&refresh, settings.accept_any_credentials) else {
            return denied("BAD_REFRESH_TOKEN", "missing or invalid refresh token");
        };
        let access = format!("CN{}", self.chance.token(40));
        self.tokens.issue(&access, &owner, request.now_ms + LIFE_S * 1000);
        let granted: Value = json!({
            "access_token": access, "refresh_token": refresh, "expires_in": LIFE_S, "token_type": "bearer",
            "token_use": "access_token", "hub_id": 62515, "user_id": 7, "scopes": ["crm.objects.contacts.write"],
        });
        Reply::json(200, &granted)
    }
}

fn denied(status: &str, message: &str) -> Reply {
    Reply::json(400, &json!({"status": status, "message": message, "correlationId": "aeb5f871-0000-4000-8000-000000000000"}))
}
