//! HubSpot CRM: the dated API 2026-09 and 2026-03 and the old paths with v3 (fact sheet of HubSpot, server side).

mod account;
mod associations;
mod auth;
mod batch;
mod index;
mod limits;
mod objects;
mod properties;
mod rows;
mod schema;
mod search;
mod settings;
mod store;
#[cfg(test)]
mod tests;
mod trouble;
mod values;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Value, json};

pub use self::settings::{Client, Settings};

use self::auth::Auth;
use self::batch::Call;
use self::index::Index;
use self::limits::Limits;
use self::rows::Rows;
use self::schema::ObjectType;
use self::trouble::{Trouble, rate_limited};
use crate::chance::Chance;
use crate::message::{Reply, Request};
use crate::options::Setup;
use crate::vendor::{Vendor, patched};

/// A simulated portal.
#[derive(Debug)]
pub struct HubSpot {
    setup: Setup,
    settings: Settings,
    auth: Auth,
    limits: Limits,
    rows: Rows,
    indexes: HashMap<&'static str, Index>,
    chance: Chance,
}

/// What a path asks for, whichever version it names.
struct Area<'a> {
    name: &'a str,
    rest: &'a [&'a str],
    /// A dated version, in contrast to the old numbers.
    dated: bool,
}

impl HubSpot {
    /// A portal without objects, set up as the guide's user did.
    #[must_use]
    pub fn new(setup: &Setup) -> Self {
        let settings = Settings {
            accept_any_credentials: setup.accept_any_credentials,
            ..Settings::default()
        };
        Self {
            setup: *setup,
            auth: Auth::new(setup.seed),
            limits: Limits::new(setup, &settings),
            rows: Rows::new(settings.search_lag_ms),
            indexes: HashMap::new(),
            chance: Chance::new(setup.seed, "hubspot"),
            settings,
        }
    }

    fn route(&mut self, request: &Request) -> Reply {
        let segments = request.segments();
        let segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
        let correlation_id = self.chance.uuid();
        if request.method == "GET" && segments == ["oauth", "authorize"] {
            return self.auth.page(request, &self.settings);
        }
        if let ("POST", ["oauth", "2026-09" | "2026-03" | "v3" | "v1", rest @ ..]) =
            (request.method.as_str(), segments.as_slice())
        {
            match rest {
                ["token"] => return self.auth.token(request, &self.settings),
                ["token", "introspect"] => return self.auth.introspect(request),
                ["token", "revoke"] => return self.auth.revoke(request),
                _ => {}
            }
        }
        let caller = match self.auth.admit(request, &self.settings) {
            Ok(caller) => caller,
            Err(trouble) => return trouble.reply(&correlation_id),
        };
        let caller = auth::caller(&caller);
        let is_search = segments.last() == Some(&"search");
        let counted = match is_search {
            true => self.limits.search(request.now_ms, &correlation_id),
            false => self
                .limits
                .call(&self.settings, caller, request.now_ms, &correlation_id),
        };
        let reply = match counted {
            Ok(()) => self
                .api(request, &segments)
                .unwrap_or_else(|trouble| trouble.reply(&correlation_id)),
            Err(reply) => reply,
        };
        if is_search {
            reply
        } else {
            self.limits.tell(&self.settings, caller, request.now_ms, reply)
        }
    }

    fn api(&mut self, request: &Request, segments: &[&str]) -> Result<Reply, Trouble> {
        let area = area(segments).ok_or_else(|| Trouble::not_found("There is no such path."))?;
        let method = request.method.as_str();
        match (method, area.name, area.rest) {
            ("GET", "details", []) => Ok(account::details()),
            ("GET", "api-usage", ["daily", "private-apps"]) => Ok(account::usage(&self.limits, request.now_ms)),
            ("GET", "owners", rest) if rest.len() < 2 => account::owners(rest.first().copied()),
            ("GET", "pipelines", [kind, rest @ ..]) if rest.len() < 2 => {
                properties::pipelines(object_type(kind)?, rest.first().copied())
            }
            ("GET", "properties", [kind, rest @ ..]) if rest.len() < 2 => {
                self.may("crm.schemas.contacts.read")?;
                properties::read(&self.rows, object_type(kind)?, rest.first().copied())
            }
            ("POST", "properties", [kind]) => {
                self.may("crm.schemas.contacts.write")?;
                properties::create(&mut self.rows, object_type(kind)?, &body(request)?)
            }
            ("POST", "associations", [from, to, "batch", action @ ..]) => {
                let action = match action {
                    ["create"] => "create",
                    ["archive"] => "archive",
                    ["associate", "default"] => "default",
                    _ => return Err(Trouble::not_found("There is no such path.")),
                };
                associations::batch(&mut self.rows, (from, to), action, &body(request)?, request.now_ms)
            }
            (_, "objects", [kind, rest @ ..]) => {
                let kind = object_type(kind)?;
                self.scope(kind, request, rest)?;
                self.objects(request, kind, rest, area.dated)
            }
            _ => Err(Trouble::not_found("There is no such path.")),
        }
    }

    fn objects(
        &mut self,
        request: &Request,
        kind: &'static ObjectType,
        rest: &[&str],
        dated: bool,
    ) -> Result<Reply, Trouble> {
        let now_ms = request.now_ms;
        let index = self.indexes.entry(kind.plural).or_default();
        index.catch_up(self.rows.table_mut(kind)?, now_ms);
        let rows = &mut self.rows;
        match (request.method.as_str(), rest) {
            ("GET", []) => objects::list(rows, kind, request),
            ("POST", []) => objects::create(rows, kind, &body(request)?, dated, now_ms),
            ("POST", ["search"]) => Ok(Reply::json(
                200,
                &search::run(index, rows.table(kind)?, kind, &body(request)?)?,
            )),
            ("POST", ["gdpr-delete"]) if kind.plural == "contacts" => {
                objects::erase(rows, kind, &body(request)?, now_ms)
            }
            ("POST", ["batch", action]) => {
                let call = Call {
                    kind,
                    now_ms,
                    needs_associations: dated,
                    partial_as_success: self.settings.partial_as_success,
                };
                batch::run(rows, call, action, &body(request)?)
            }
            ("GET", [key]) => objects::read(rows, kind, key, request),
            ("PATCH", [key]) => objects::update(rows, kind, key, request, &body(request)?),
            ("DELETE", [key]) => objects::archive(rows, kind, key, now_ms),
            ("PUT", [key, "associations", "default", other, to]) => {
                let (from, to) = (
                    associations::end(rows, kind.plural, key)?,
                    associations::end(rows, other, to)?,
                );
                associations::default(rows, from, to, now_ms)
            }
            ("PUT", [key, "associations", other, to]) => {
                let (from, to) = (
                    associations::end(rows, kind.plural, key)?,
                    associations::end(rows, other, to)?,
                );
                associations::labelled(rows, from, to, &body(request)?)
            }
            ("DELETE", [key, "associations", other, to]) => {
                let (from, to) = (
                    associations::end(rows, kind.plural, key)?,
                    associations::end(rows, other, to)?,
                );
                associations::remove(rows, from, to)
            }
            _ => Err(Trouble::new(405, "METHOD_NOT_ALLOWED", "HTTP 405 Method Not Allowed")),
        }
    }

    /// Whether the credentials have the scope for a call about objects.
    fn scope(&self, kind: &ObjectType, request: &Request, rest: &[&str]) -> Result<(), Trouble> {
        if kind.scope == "tickets" {
            return self.may("tickets");
        }
        let reads = request.method == http::Method::GET || matches!(rest, ["search"] | ["batch", "read"]);
        self.may(&format!("{}.{}", kind.scope, if reads { "read" } else { "write" }))
    }

    fn may(&self, scope: &str) -> Result<(), Trouble> {
        if self.settings.missing_scopes.iter().any(|missing| missing == scope) {
            return Err(missing_scope(scope));
        }
        Ok(())
    }
}

impl Vendor for HubSpot {
    fn handle(&mut self, request: &Arc<Request>) -> Reply {
        self.route(request)
    }

    fn failure(&mut self, status: u16, request: &Request) -> Reply {
        let correlation_id = self.chance.uuid();
        let trouble = match status {
            // Gateways answer with a page (fact sheet §8: errors of the proxy).
            502 | 504 | 521 | 523 | 524 => {
                let mut reply = Reply::empty(status).with("content-type", "text/html");
                reply.body = "<html><body><h1>Error</h1></body></html>".into();
                return reply;
            }
            401 => auth::unauthenticated(),
            403 => missing_scope("crm.objects.contacts.write"),
            404 => Trouble::not_found("objectId are usually numeric."),
            409 => Trouble::new(409, "CONFLICT", "The object was changed at the same time."),
            423 => Trouble::new(423, "LOCKED", "The object is locked."),
            429 => return self.throttle(None, request),
            477 => Trouble::new(477, "MIGRATION_IN_PROGRESS", "The account is being migrated."),
            status => Trouble::new(status, "INTERNAL_ERROR", "internal error"),
        };
        trouble.reply(&correlation_id)
    }

    fn throttle(&mut self, retry_after_s: Option<u64>, request: &Request) -> Reply {
        let search = request.path.ends_with("/search");
        let reply = rate_limited(
            if search { "SECONDLY" } else { "TEN_SECONDLY_ROLLING" },
            &self.chance.uuid(),
        );
        // Reported on some 429s and not guaranteed (fact sheet §8).
        match retry_after_s {
            Some(seconds) => reply.with("retry-after", seconds),
            None => reply,
        }
    }

    fn expire_tokens(&mut self, now_ms: i64) {
        self.auth.tokens.expire_all(now_ms);
    }

    fn revoke_tokens(&mut self) {
        self.auth.tokens.revoke_all();
    }

    fn counts(&self) -> BTreeMap<String, u64> {
        let count = |kind: &ObjectType| Some((kind.plural.to_owned(), self.rows.table(kind).ok()?.count()));
        schema::object_types().iter().filter_map(count).collect()
    }

    fn records(&self, object: &str) -> Option<Vec<Value>> {
        let kind = schema::object_type(object)?;
        let others: Vec<&'static ObjectType> = schema::object_types().iter().collect();
        let show = |record: &store::Record| {
            let mut shown = record.show(kind, None);
            shown["associations"] = record.show_associations(kind, &others);
            shown
        };
        Some(self.rows.table(kind).ok()?.after(0, false).map(show).collect())
    }

    fn settings(&self) -> Value {
        json!(self.settings)
    }

    fn configure(&mut self, patch: &Value) -> Result<(), String> {
        let settings: Settings = patched(&self.settings, patch)?;
        let longer_ms = settings.search_lag_ms - self.settings.search_lag_ms;
        for kind in schema::object_types() {
            if let Ok(table) = self.rows.table_mut(kind) {
                table
                    .unseen
                    .iter_mut()
                    .for_each(|(seen_ms, _, _)| *seen_ms += longer_ms);
            }
        }
        self.rows.search_lag_ms = settings.search_lag_ms;
        self.limits = Limits::new(&self.setup, &settings);
        self.settings = settings;
        Ok(())
    }
}

/// The area of a path: dated paths name it before the version, old ones after it.
fn area<'a>(segments: &'a [&'a str]) -> Option<Area<'a>> {
    let area = |name, rest, dated| Some(Area { name, rest, dated });
    match segments {
        ["account-info", "2026-09" | "2026-03" | "v3", name, rest @ ..] => area(name, rest, true),
        ["crm", name, "2026-09" | "2026-03", rest @ ..] => area(name, rest, true),
        ["crm", "v3" | "v4", name, rest @ ..] => area(name, rest, false),
        _ => None,
    }
}

fn object_type(name: &str) -> Result<&'static ObjectType, Trouble> {
    schema::object_type(name).ok_or_else(|| associations::unknown_type(name))
}

fn missing_scope(scope: &str) -> Trouble {
    let message = "This app hasn't been granted all required scopes to make this call.";
    let mut trouble = Trouble::new(403, "MISSING_SCOPES", message).about("missingScopes", json!(scope));
    trouble.errors = vec![json!({
        "message": "One or more of the following scopes are required.",
        "context": {"requiredGranularScopes": [scope]},
    })];
    trouble
}

/// A JSON body.
fn body(request: &Request) -> Result<Value, Trouble> {
    if !request.is_json() {
        return Err(Trouble::new(
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            "HTTP 415 Unsupported Media Type",
        ));
    }
    request.json().map_err(|error| {
        Trouble::invalid(format!(
            "Invalid input JSON on line {}, column {}",
            error.line(),
            error.column()
        ))
    })
}
