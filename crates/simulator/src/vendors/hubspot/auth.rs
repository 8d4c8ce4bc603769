//! Who may call: static tokens, and OAuth tokens of half an hour (fact sheet §3).

use serde_json::{Value, json};

use super::limits::Caller;
use super::settings::{Client, Settings};
use super::trouble::{PORTAL_ID, Trouble};
use crate::chance::Chance;
use crate::consent::{CODE_SECONDS, Challenge, Codes, Page, Shown};
use crate::credentials::{Standing, Tokens};
use crate::message::{Reply, Request};

/// An access token is good for so long.
const LIFETIME_SECONDS: i64 = 1_800;

/// The credentials of the portal.
#[derive(Debug)]
pub struct Auth {
    /// Every token that is known.
    pub tokens: Tokens,
    spent_codes: Vec<String>,
    codes: Codes,
    chance: Chance,
}

impl Auth {
    /// Nothing was given out yet.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            tokens: Tokens::default(),
            spent_codes: Vec::new(),
            codes: Codes::default(),
            chance: Chance::new(seed, "hubspot auth"),
        }
    }

    /// Who calls: the static token or the OAuth app, and whether it is the latter.
    ///
    /// # Errors
    /// 401 for a token that is missing, unknown or over.
    pub fn admit(&mut self, request: &Request, settings: &Settings) -> Result<(String, bool), Trouble> {
        let token = request.bearer().unwrap_or_default();
        // Access tokens begin with `CN` and have to be ours; anything else is taken for a static token.
        let any = settings.accept_any_credentials && !token.is_empty() && !token.starts_with("CN");
        if any || settings.tokens.iter().any(|known| known == token) {
            self.tokens.admit(token);
        }
        match self.tokens.standing(token, request.now_ms) {
            Standing::Good => {
                let owner = self.tokens.owner(token).unwrap_or(token);
                Ok((owner.to_owned(), self.tokens.was_issued(token)))
            }
            Standing::Expired(since_ms) => {
                let minutes = (request.now_ms - since_ms) / 60_000;
                let message = format!("The OAuth token used to make this call expired {minutes} minute(s) ago.");
                Err(Trouble::new(401, "EXPIRED_AUTHENTICATION", message).about("expire time", json!(since_ms)))
            }
            Standing::Unknown => Err(unauthenticated()),
        }
    }

    /// `GET /oauth/authorize`, on the host of the pages.
    pub fn page(&mut self, request: &Request, settings: &Settings) -> Reply {
        let clients = settings.clients.iter().map(|client| client.client_id.clone()).collect();
        let page = Page {
            clients: Some(clients).filter(|_| !settings.accept_any_credentials),
            challenge: Challenge::Taken,
            scopes: Some(SCOPES.map(str::to_owned).to_vec()),
            separator: " ".into(),
            needs: Vec::new(),
            may: vec!["response_type".into(), "optional_scope".into()],
            back: Vec::new(),
            owner: "user 7".into(),
            code_seconds: CODE_SECONDS,
        };
        self.codes.agree(request, &page, &mut self.chance)
    }

    /// Whether a code is good: one of the settings, or one that the page gave.
    fn takes_code(
        &mut self,
        client: Option<&Client>,
        field: &impl Fn(&str) -> String,
        request: &Request,
        any: bool,
    ) -> bool {
        let code = field("code");
        if client.is_some_and(|client| client.codes.contains(&code)) || (any && !code.is_empty()) {
            let fresh = !self.spent_codes.contains(&code);
            self.spent_codes.push(code);
            return fresh;
        }
        let [client_id, redirect_uri, code_verifier] = ["client_id", "redirect_uri", "code_verifier"].map(field);
        let shown = Shown {
            code: &code,
            client_id: &client_id,
            redirect_uri: &redirect_uri,
            code_verifier: Some(&*code_verifier).filter(|verifier| !verifier.is_empty()),
        };
        self.codes.redeem(shown, request.now_ms).is_ok()
    }

    /// `POST /oauth/{version}/token`: the parameters stand in the body, never in the query.
    pub fn token(&mut self, request: &Request, settings: &Settings) -> Reply {
        let form = request.form();
        let field = |name: &str| {
            form.iter()
                .find(|(key, _)| key == name)
                .map_or("", |(_, value)| value.as_str())
        };
        let (id, secret) = (field("client_id"), field("client_secret"));
        let client = settings
            .clients
            .iter()
            .find(|client| client.client_id == id && client.client_secret == secret);
        if client.is_none() && !(settings.accept_any_credentials && !id.is_empty() && !secret.is_empty()) {
            return refused("BAD_CLIENT_ID", "missing or unknown client id or secret");
        }
        let any = settings.accept_any_credentials;
        let refresh = match field("grant_type") {
            "refresh_token" => {
                let token = field("refresh_token");
                if client.is_some_and(|client| client.refresh_tokens.iter().any(|known| known == token))
                    && self.tokens.refresh_owner(token, true).is_some()
                {
                    self.tokens.issue_refresh(token, id);
                }
                let good = self.tokens.refresh_owner(token, any).is_some();
                good.then(|| token.to_owned())
            }
            "authorization_code" => {
                let owned = |name: &str| field(name).to_owned();
                let good = self.takes_code(client, &owned, request, any);
                good.then(|| format!("na1-{}", self.chance.token(32)))
            }
            _ => return refused("BAD_GRANT_TYPE", "missing or unknown grant type"),
        };
        match refresh {
            Some(refresh) => self.grant(id, &refresh, request.now_ms),
            None => refused("BAD_REFRESH_TOKEN", "missing or unknown refresh token or code"),
        }
    }

    /// `POST /oauth/{version}/token/introspect`.
    pub fn introspect(&mut self, request: &Request) -> Reply {
        let form = request.form();
        let token = form
            .iter()
            .find(|(key, _)| key == "token")
            .map_or("", |(_, value)| value.as_str());
        let active = self.tokens.standing(token, request.now_ms) == Standing::Good;
        Reply::json(
            200,
            &json!({
                "active": active,
                "token": token,
                "token_use": "access_token",
                "token_type": "bearer",
                "client_id": self.tokens.owner(token),
                "hub_id": PORTAL_ID,
                "scopes": SCOPES,
            }),
        )
    }

    /// `POST /oauth/{version}/token/revoke`.
    pub fn revoke(&mut self, request: &Request) -> Reply {
        for (_, token) in request.form().iter().filter(|(key, _)| key == "token") {
            self.tokens.revoke(token);
        }
        Reply::json(200, &json!({}))
    }

    fn grant(&mut self, owner: &str, refresh: &str, now_ms: i64) -> Reply {
        let token = format!("CN{}", self.chance.token(60));
        self.tokens.issue(&token, owner, now_ms + LIFETIME_SECONDS * 1_000);
        self.tokens.issue_refresh(refresh, owner);
        let body: Value = json!({
            "access_token": token,
            "refresh_token": refresh,
            "expires_in": LIFETIME_SECONDS,
            "token_type": "bearer",
            "token_use": "access_token",
            "hub_id": PORTAL_ID,
            "user_id": 7,
            "scopes": SCOPES,
        });
        Reply::json(200, &body)
    }
}

const SCOPES: [&str; 7] = [
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.objects.companies.read",
    "crm.objects.companies.write",
    "crm.objects.deals.read",
    "crm.objects.deals.write",
    "tickets",
];

/// 401 for a call without a credential that is known.
#[must_use]
pub fn unauthenticated() -> Trouble {
    let message = "Authentication credentials not found. This API supports OAuth 2.0 authentication.";
    Trouble::new(401, "INVALID_AUTHENTICATION", message)
}

/// The counter of a caller that [`Auth::admit`] let in.
#[must_use]
pub fn caller((name, oauth): &(String, bool)) -> Caller<'_> {
    Caller { name, oauth: *oauth }
}

fn refused(status: &str, message: &str) -> Reply {
    let error = if status == "BAD_REFRESH_TOKEN" {
        "invalid_grant"
    } else {
        "invalid_request"
    };
    let body = json!({"status": status, "message": message, "error": error, "error_description": message});
    Reply::json(400, &body)
}
