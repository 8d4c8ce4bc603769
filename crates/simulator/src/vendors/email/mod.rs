//! A mail server for submission (RFC 6409) and the token address beside it. The conversation itself is that of [`crate::smtp`], which asks here:
//! `/sign-in`, `/check`, `/sender`, `/recipient`, `/messages`, each answered with an SMTP code as status and the words as `reply`.
//!
//! Written from fact sheet email §3, §8, §9 and the RFCs it names. The server takes every message that is good, the same one twice, too: what
//! stands behind the recipients' mailboxes may know a repetition by its `Message-ID`, the server does not (§7).

mod message;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Map, Value, json};

pub use settings::{Account, App, Settings};

use crate::chance::Chance;
use crate::credentials::{Standing, Tokens};
use crate::message::{Reply, Request};
use crate::options::Setup;
use crate::rolling::Rolling;
use crate::vendor::{Vendor, patched};

/// The status of a call that gets no reply at all: in SMTP there is no gateway that could answer for the server.
pub const NO_REPLY: u16 = 999;
const MINUTE_MS: i64 = 60_000;

/// The mail server.
pub struct Email {
    settings: Settings,
    setup: Setup,
    tokens: Tokens,
    chance: Chance,
    sent: HashMap<String, Rolling>,
    messages: Vec<Value>,
}

impl Email {
    /// A server without messages.
    #[must_use]
    pub fn new(setup: &Setup) -> Self {
        Self {
            settings: Settings::default(),
            setup: *setup,
            tokens: Tokens::default(),
            chance: Chance::new(setup.seed, "email"),
            sent: HashMap::new(),
            messages: Vec::new(),
        }
    }

    fn sign_in(&mut self, body: &Value, now_ms: i64) -> Reply {
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        let (user, password, token) = (text("user"), text("password"), text("token"));
        let good = match token.is_empty() {
            true => self.knows(user, password),
            false => self.takes(user, token, now_ms),
        };
        match good {
            true => said(235, "2.7.0 Authentication successful"),
            false => said(535, "5.7.8 Username and Password not accepted"),
        }
    }

    fn knows(&self, user: &str, password: &str) -> bool {
        let is_it = |account: &Account| account.user == user && account.password == password;
        let any = self.setup.accept_any_credentials && !user.is_empty() && !password.is_empty();
        any || self.settings.accounts.iter().any(is_it)
    }

    fn takes(&self, user: &str, token: &str, now_ms: i64) -> bool {
        match self.tokens.standing(token, now_ms) {
            Standing::Good => self.setup.accept_any_credentials || self.tokens.owner(token) == Some(user),
            Standing::Expired(_) | Standing::Unknown => false,
        }
    }

    /// RFC 6749 §5.2, §6.
    fn token(&mut self, request: &Request) -> Reply {
        let form: HashMap<String, String> = request.form().into_iter().collect();
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        let refuse = |error: &str, why: &str| Reply::json(400, &json!({"error": error, "error_description": why}));
        if field("grant_type") != "refresh_token" {
            return refuse("unsupported_grant_type", "only refresh_token is served here");
        }
        let given = field("refresh_token");
        let app = self
            .settings
            .apps
            .iter()
            .position(|app| app.client_id == field("client_id") && app.client_secret == field("client_secret"));
        let owner = match app {
            Some(at) if self.settings.apps[at].refresh_token == given => Some(self.settings.apps[at].user.clone()),
            Some(_) => return refuse("invalid_grant", "Token has been expired or revoked."),
            None => self.tokens.refresh_owner(given, self.setup.accept_any_credentials),
        };
        let Some(owner) = owner else {
            return refuse("invalid_client", "The OAuth client was not found.");
        };
        let token = format!("ya29.{}", self.chance.token(32));
        self.tokens
            .issue(&token, &owner, request.now_ms + self.settings.token_life_s * 1000);
        let mut answer = json!({
            "access_token": token,
            "expires_in": self.settings.token_life_s,
            "token_type": "Bearer",
            "scope": "https://mail.google.com/",
        });
        if let Some(at) = app.filter(|_| self.settings.rotate_refresh_tokens) {
            let next = format!("1//{}", self.chance.token(32));
            answer["refresh_token"] = json!(next);
            self.settings.apps[at].refresh_token = next;
        }
        Reply::json(200, &answer)
    }

    fn sender(&self, body: &Value) -> Reply {
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        let (user, from) = (text("user"), text("from"));
        let size = usize::try_from(body["size"].as_u64().unwrap_or(0)).unwrap_or(usize::MAX);
        if user.is_empty() {
            return said(530, "5.7.0 Authentication Required");
        }
        if size > self.settings.largest {
            return said(552, "5.3.4 Message size exceeds fixed maximum message size");
        }
        if !self.setup.accept_any_credentials && !user.eq_ignore_ascii_case(from) {
            return said(550, "5.7.60 Client does not have permissions to send as this sender");
        }
        said(250, "2.1.0 Sender OK")
    }

    fn recipient(&self, body: &Value) -> Reply {
        let to = body["to"].as_str().unwrap_or_default();
        let among = |list: &[String]| list.iter().any(|one| one.eq_ignore_ascii_case(to));
        match to.rsplit_once('@') {
            _ if among(&self.settings.unknown_recipients) => {
                said(550, "5.1.1 The email account that you tried to reach does not exist")
            }
            _ if among(&self.settings.busy_recipients) => {
                said(450, "4.2.1 The user is receiving mail too quickly; try again later")
            }
            Some((user, domain)) if !user.is_empty() && !domain.is_empty() => said(250, "2.1.5 Recipient OK"),
            _ => said(553, "5.1.3 The recipient address is not a valid RFC 5321 address"),
        }
    }

    fn take(&mut self, request: &Request, body: &Value) -> Reply {
        let data = body["data"].as_str().unwrap_or_default();
        let user = body["user"].as_str().unwrap_or_default();
        if data.len() > self.settings.largest {
            return said(552, "5.3.4 Message size exceeds fixed maximum message size");
        }
        if let Some(fault) = message::fault(data.as_bytes()) {
            return said(550, &fault);
        }
        let most = self.setup.limit(self.settings.messages_per_minute);
        let sent = self
            .sent
            .entry(user.to_owned())
            .or_insert_with(|| Rolling::new(most, MINUTE_MS, 1));
        sent.resize(most, MINUTE_MS);
        if sent.take(request.now_ms).is_err() {
            return throttled();
        }
        let id = self.messages.len() + 1;
        let mut row = Map::from_iter([
            ("id".to_owned(), json!(id)),
            ("user".to_owned(), json!(user)),
            ("recipients".to_owned(), body["to"].clone()),
            ("at_ms".to_owned(), json!(request.now_ms)),
        ]);
        row.extend(message::shown(data.as_bytes()));
        self.messages.push(Value::Object(row));
        said(250, &format!("2.0.0 OK: queued as {id}"))
    }
}

/// Codes and words of RFC 5321.
fn said(code: u16, words: &str) -> Reply {
    Reply::json(code, &json!({ "reply": words }))
}

/// Fact sheet §8: Microsoft's words for too many at the same time.
fn throttled() -> Reply {
    said(432, "4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded")
}

impl Vendor for Email {
    fn handle(&mut self, request: &Arc<Request>) -> Reply {
        if !request.origin.starts_with("smtp") {
            return match request.path.as_str() {
                "/token" => self.token(request),
                _ => Reply::json(
                    404,
                    &json!({"error": "not_found", "error_description": "mail is sent by SMTP"}),
                ),
            };
        }
        let body = request.json().unwrap_or_default();
        match request.path.as_str() {
            "/sign-in" => self.sign_in(&body, request.now_ms),
            "/check" => said(250, "2.0.0 OK"),
            "/offer" => {
                let sessions = self.setup.limit(self.settings.sessions);
                let (mechanisms, size) = (&self.settings.mechanisms, self.settings.largest);
                Reply::json(
                    250,
                    &json!({"mechanisms": mechanisms, "size": size, "sessions": sessions}),
                )
            }
            "/sender" => self.sender(&body),
            "/recipient" => self.recipient(&body),
            "/messages" => self.take(request, &body),
            _ => said(502, "5.5.1 Command not implemented"),
        }
    }

    /// An injected status is HTTP's; SMTP has its own words for the same trouble, and none for a gateway's.
    fn failure(&mut self, status: u16, request: &Request) -> Reply {
        if !request.origin.starts_with("smtp") {
            return Reply::json(
                status,
                &json!({"error": "backend_error", "error_description": "Try again later."}),
            );
        }
        match status {
            502 | 504 => Reply::empty(NO_REPLY),
            503 => said(421, "4.3.2 Service not available, closing transmission channel"),
            429 => throttled(),
            500..=599 => said(451, "4.3.0 Requested action aborted: local error in processing"),
            _ => said(554, "5.7.0 Transaction failed"),
        }
    }

    fn throttle(&mut self, retry_after_s: Option<u64>, request: &Request) -> Reply {
        match request.origin.starts_with("smtp") {
            true => throttled(),
            false => self
                .failure(429, request)
                .with("retry-after", retry_after_s.unwrap_or(1)),
        }
    }

    fn expire_tokens(&mut self, now_ms: i64) {
        self.tokens.expire_all(now_ms);
    }

    fn revoke_tokens(&mut self) {
        self.tokens.revoke_all();
    }

    fn counts(&self) -> BTreeMap<String, u64> {
        BTreeMap::from([("messages".to_owned(), self.messages.len() as u64)])
    }

    fn records(&self, object: &str) -> Option<Vec<Value>> {
        (object == "messages").then(|| self.messages.clone())
    }

    fn settings(&self) -> Value {
        serde_json::to_value(&self.settings).unwrap_or_default()
    }

    fn configure(&mut self, patch: &Value) -> Result<(), String> {
        self.settings = patched(&self.settings, patch)?;
        Ok(())
    }
}
