//! Sessions: the token endpoint, revocation, who am I (fact sheet §3, §4).

use serde_json::{Value, json};

use super::assertion;
use super::settings::{Client, Settings};
use super::store::{ORG_ID, USER_ID};
use crate::chance::Chance;
use crate::consent::{CODE_SECONDS, Challenge, Codes, Page, Shown};
use crate::credentials::{Standing, Tokens};
use crate::message::{Reply, Request};

/// The sessions of the org.
#[derive(Debug)]
pub struct Auth {
    /// The tokens that were given out.
    pub tokens: Tokens,
    codes: Codes,
    chance: Chance,
}

/// Why no token is given: `error` and `error_description`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied(pub &'static str, pub &'static str);

impl Auth {
    /// No sessions yet.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            tokens: Tokens::default(),
            codes: Codes::default(),
            chance: Chance::new(seed, "salesforce auth"),
        }
    }

    /// Whether the request has a live session, which it prolongs.
    pub fn admits(&mut self, request: &Request, settings: &Settings) -> bool {
        let Some(token) = request.bearer() else {
            return false;
        };
        let live = self.tokens.standing(token, request.now_ms) == Standing::Good;
        if live {
            self.tokens
                .prolong(token, request.now_ms + settings.session_minutes * 60_000);
        }
        live
    }

    /// `GET /services/oauth2/authorize`.
    pub fn page(&mut self, request: &Request, settings: &Settings) -> Reply {
        let clients = settings.clients.iter().map(|client| client.client_id.clone()).collect();
        let page = Page {
            clients: Some(clients).filter(|_| !settings.accept_any_credentials),
            challenge: Challenge::Taken,
            scopes: Some(
                ["api", "refresh_token", "offline_access", "openid", "id"]
                    .map(str::to_owned)
                    .to_vec(),
            ),
            separator: " ".into(),
            needs: vec![("response_type".into(), "code".into())],
            may: vec!["prompt".into(), "login_hint".into()],
            back: Vec::new(),
            owner: "integration@example.org".into(),
            code_seconds: CODE_SECONDS,
        };
        self.codes.agree(request, &page, &mut self.chance)
    }

    /// A code for a session, and for a refresh token where that was asked for.
    fn redeem<'a>(
        &mut self,
        settings: &Settings,
        field: &impl Fn(&str) -> &'a str,
        now_ms: i64,
    ) -> Result<(String, Option<String>), Denied> {
        secret_of(settings, field)?;
        let shown = Shown {
            code: field("code"),
            client_id: field("client_id"),
            redirect_uri: field("redirect_uri"),
            code_verifier: Some(field("code_verifier")).filter(|verifier| !verifier.is_empty()),
        };
        let granted = self
            .codes
            .redeem(shown, now_ms)
            .map_err(|problem| Denied("invalid_grant", problem))?;
        let lasting = granted
            .scope
            .split(' ')
            .any(|scope| scope == "refresh_token" || scope == "offline_access");
        let refresh = lasting.then(|| format!("5Aep861{}", self.chance.token(60)));
        if let Some(refresh) = &refresh {
            self.tokens.issue_refresh(refresh, &granted.owner);
        }
        Ok((granted.owner, refresh))
    }

    /// `POST /services/oauth2/token`.
    pub fn token(&mut self, request: &Request, settings: &Settings) -> Reply {
        let form = request.form();
        let field = |name: &str| {
            form.iter()
                .find(|(key, _)| key == name)
                .map_or("", |(_, value)| value.as_str())
        };
        let granted = match field("grant_type") {
            "client_credentials" => secret_of(settings, &field).map(|()| (field("client_id").to_owned(), None)),
            "refresh_token" => self.refresh(settings, &field),
            "authorization_code" => self.redeem(settings, &field, request.now_ms),
            "password" => password(settings, &field).map(|user| (user, None)),
            "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
                assertion::check(settings, field("assertion"), request).map(|user| (user, None))
            }
            _ => Err(Denied("unsupported_grant_type", "grant type not supported")),
        };
        match granted {
            Ok((owner, refresh)) => {
                let until_ms = request.now_ms + settings.session_minutes * 60_000;
                self.grant(request, &owner, until_ms, refresh)
            }
            Err(Denied(error, description)) => denied(400, error, description),
        }
    }

    /// `POST /services/oauth2/revoke`: an access token, or a refresh token.
    pub fn revoke(&mut self, request: &Request) -> Reply {
        let form = request.form();
        let token = form
            .iter()
            .find(|(key, _)| key == "token")
            .map_or("", |(_, value)| value.as_str());
        if token.is_empty() || !self.tokens.revoke(token) {
            return denied(400, "unsupported_token_type", "this token type is not supported");
        }
        Reply::empty(200)
    }

    /// Who owns the refresh token, and the new one if it rotates.
    fn refresh<'a>(
        &mut self,
        settings: &Settings,
        field: &impl Fn(&str) -> &'a str,
    ) -> Result<(String, Option<String>), Denied> {
        // The secret may be left out; when it is there, it has to be right.
        if settings.accept_any_credentials || !field("client_secret").is_empty() {
            secret_of(settings, &|name| {
                if field(name).is_empty() { "none" } else { field(name) }
            })?;
        } else {
            client_of(settings, field("client_id"))?;
        }
        let token = field("refresh_token");
        for known in settings.clients.iter().flat_map(|client| &client.refresh_tokens) {
            if known == token && self.tokens.refresh_owner(token, true).is_some() {
                self.tokens.issue_refresh(token, token);
            }
        }
        let owner = self.tokens.refresh_owner(token, settings.accept_any_credentials);
        let owner = owner.ok_or(Denied("invalid_grant", "expired access/refresh token"))?;
        let next = settings
            .rotate_refresh_tokens
            .then(|| format!("5Aep861{}", self.chance.token(60)));
        if let Some(next) = &next {
            self.tokens.revoke(token);
            self.tokens.issue_refresh(next, &owner);
        } else {
            self.tokens.issue_refresh(token, &owner);
        }
        Ok((owner, next))
    }

    fn grant(&mut self, request: &Request, owner: &str, until_ms: i64, refresh: Option<String>) -> Reply {
        let token = format!("{}!AQ{}", &ORG_ID[..15], self.chance.token(80));
        self.tokens.issue(&token, owner, until_ms);
        let mut body = json!({
            "access_token": token,
            "signature": format!("{}=", self.chance.token(43)),
            "scope": "api refresh_token",
            "instance_url": request.origin,
            "id": format!("{}/id/{ORG_ID}/{USER_ID}", request.origin),
            "token_type": "Bearer",
            "issued_at": request.now_ms.to_string(),
        });
        if let Some(refresh) = refresh {
            body["refresh_token"] = json!(refresh);
        }
        Reply::json(200, &body).with("cache-control", "no-cache, no-store")
    }
}

/// An error of the OAuth endpoints, which is an object and not an array.
#[must_use]
pub fn denied(status: u16, error: &str, description: &str) -> Reply {
    Reply::json(status, &json!({ "error": error, "error_description": description }))
}

/// `GET /services/oauth2/userinfo`.
#[must_use]
pub fn userinfo(request: &Request) -> Value {
    json!({
        "sub": format!("{}/id/{ORG_ID}/{USER_ID}", request.origin),
        "user_id": USER_ID,
        "organization_id": ORG_ID,
        "preferred_username": "integration@example.org",
        "name": "Integration User",
        "email": "integration@example.org",
        "email_verified": true,
        "zoneinfo": "Europe/Berlin",
        "locale": "en_US",
        "active": true,
        "urls": {"rest": format!("{}/services/data/v{{version}}/", request.origin)},
    })
}

/// The registered app with this key; a made-up one when every key is taken.
pub fn client_of(settings: &Settings, client_id: &str) -> Result<Client, Denied> {
    let known = settings
        .clients
        .iter()
        .find(|client| client.client_id == client_id)
        .cloned();
    let any = || (settings.accept_any_credentials && !client_id.is_empty()).then(Client::default);
    known
        .or_else(any)
        .ok_or(Denied("invalid_client_id", "client identifier invalid"))
}

fn secret_of<'a>(settings: &Settings, field: &impl Fn(&str) -> &'a str) -> Result<(), Denied> {
    let client = client_of(settings, field("client_id"))?;
    let secret = field("client_secret");
    let good = if settings.accept_any_credentials {
        !secret.is_empty()
    } else {
        client.client_secret == secret
    };
    good.then_some(())
        .ok_or(Denied("invalid_client", "invalid client credentials"))
}

fn password<'a>(settings: &Settings, field: &impl Fn(&str) -> &'a str) -> Result<String, Denied> {
    let failure = Denied("invalid_grant", "authentication failure");
    if !settings.allow_password_grant {
        return Err(failure);
    }
    secret_of(settings, field)?;
    let (username, password) = (field("username"), field("password"));
    let any = settings.accept_any_credentials && !username.is_empty() && !password.is_empty();
    let known = settings
        .users
        .iter()
        .any(|user| user.username == username && user.password == password);
    (any || known).then(|| username.to_owned()).ok_or(failure)
}
