//! Who may call: integration tokens that never expire, OAuth tokens that are refreshed (fact sheet §3).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::settings::Settings;
use crate::chance::Chance;
use crate::consent::{CODE_SECONDS, Challenge, Codes, Page, Shown};
use crate::credentials::{Standing, Tokens};
use crate::message::{Reply, Request};

/// The tokens of the workspace.
#[derive(Debug)]
pub struct Auth {
    /// Every token that is known.
    pub tokens: Tokens,
    codes: Codes,
    chance: Chance,
}

impl Auth {
    /// No tokens yet.
    pub fn new(seed: u64) -> Self {
        Self {
            tokens: Tokens::default(),
            codes: Codes::default(),
            chance: Chance::new(seed, "notion auth"),
        }
    }

    /// Whether the request carries a token that is good.
    pub fn admits(&mut self, request: &Request, settings: &Settings) -> bool {
        let Some(token) = request.bearer() else {
            return false;
        };
        let is_static = token.starts_with("ntn_") || token.starts_with("secret_") || !self.tokens.was_issued(token);
        let known = settings.accept_any_credentials || settings.tokens.iter().any(|known| known == token);
        if is_static && known && !token.starts_with("oat_") {
            self.tokens.admit(token);
        }
        self.tokens.standing(token, request.now_ms) == Standing::Good
    }

    /// `GET /v1/oauth/authorize`: capabilities belong to the integration, so no scope is asked for.
    pub fn page(&mut self, request: &Request, settings: &Settings) -> Reply {
        let clients = settings.clients.iter().map(|(id, _)| id.clone()).collect();
        let needed = [("response_type", "code"), ("owner", "user")];
        let page = Page {
            clients: Some(clients).filter(|_| !settings.accept_any_credentials),
            challenge: Challenge::Unknown,
            scopes: None,
            separator: " ".into(),
            needs: needed.map(|(name, value)| (name.into(), value.into())).to_vec(),
            may: Vec::new(),
            back: Vec::new(),
            owner: "user 7".into(),
            code_seconds: CODE_SECONDS,
        };
        self.codes.agree(request, &page, &mut self.chance)
    }

    /// `POST /v1/oauth/token`, HTTP Basic, JSON body.
    pub fn token(&mut self, request: &Request, settings: &Settings) -> Reply {
        let Some((id, secret)) = basic(request) else {
            return denied(401, "invalid_client");
        };
        let registered = settings
            .clients
            .iter()
            .any(|(known, theirs)| *known == id && *theirs == secret);
        let any = settings.accept_any_credentials && !id.is_empty() && !secret.is_empty();
        if !registered && !any {
            return denied(401, "invalid_client");
        }
        let body = request.json().unwrap_or_default();
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        let owner = match text("grant_type") {
            "refresh_token" => self.refresh(text("refresh_token"), settings),
            "authorization_code" => {
                let shown = Shown {
                    code: text("code"),
                    client_id: &id,
                    redirect_uri: text("redirect_uri"),
                    code_verifier: body["code_verifier"].as_str(),
                };
                self.codes
                    .redeem(shown, request.now_ms)
                    .ok()
                    .map(|granted| granted.owner)
            }
            _ => return denied(400, "unsupported_grant_type"),
        };
        let Some(owner) = owner else {
            return denied(400, "invalid_grant");
        };
        let (access, next) = (
            format!("oat_{}", self.chance.token(40)),
            format!("nrt_{}", self.chance.token(40)),
        );
        self.tokens.issue(&access, &owner, i64::MAX);
        self.tokens.issue_refresh(&next, &owner);
        let granted = json!({
            "access_token": access, "token_type": "bearer", "refresh_token": next, "bot_id": self.chance.uuid(),
            "workspace_id": self.chance.uuid(), "workspace_name": "Example", "workspace_icon": Value::Null,
            "owner": {"type": "workspace", "workspace": true}, "duplicated_template_id": Value::Null,
        });
        Reply::json(200, &granted)
    }

    /// Whose refresh token it is. The pair rotates: the old one is spent.
    fn refresh(&mut self, token: &str, settings: &Settings) -> Option<String> {
        let owner = self.tokens.refresh_owner(token, settings.accept_any_credentials)?;
        self.tokens.revoke(token);
        Some(owner)
    }
}

fn basic(request: &Request) -> Option<(String, String)> {
    let (scheme, encoded) = request.header("authorization")?.split_once(' ')?;
    let decoded = STANDARD
        .decode(encoded.trim())
        .ok()
        .filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(decoded).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

fn denied(status: u16, error: &str) -> Reply {
    Reply::json(status, &json!({"error": error}))
}
