//! Salesforce, Sales and Service Cloud: REST API versions 31.0 to 68.0 (fact sheet of Salesforce, server side).

mod assertion;
mod auth;
mod collections;
mod describe;
mod duplicates;
mod ids;
mod limits;
mod query;
mod rows;
mod schema;
mod settings;
mod soql;
mod store;
#[cfg(test)]
mod tests;
mod trouble;
mod values;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

pub use self::settings::{Client, DuplicateRule, ExternalId, Settings, User};

use self::auth::Auth;
use self::collections::Work;
use self::limits::Limits;
use self::query::Queries;
use self::rows::{Rows, Upserted, external_field};
use self::schema::{Field, Object, Schema};
use self::store::{Record, Store, USER_ID};
use self::trouble::Trouble;
use crate::message::{Reply, Request};
use crate::options::Setup;
use crate::vendor::{Vendor, patched};

/// A simulated org.
#[derive(Debug)]
pub struct Salesforce {
    setup: Setup,
    settings: Settings,
    schema: Arc<Schema>,
    store: Store,
    auth: Auth,
    limits: Limits,
    queries: Queries,
}

impl Salesforce {
    /// A new org with one user and no other records.
    #[must_use]
    pub fn new(setup: &Setup) -> Self {
        let settings = Settings {
            accept_any_credentials: setup.accept_any_credentials,
            ..Settings::default()
        };
        let schema = Schema::new(&settings);
        let mut store = Store::default();
        if let Some(object) = schema.object("User") {
            store.put(object, integration_user());
        }
        Self {
            setup: *setup,
            limits: Limits::new(setup, settings.daily_api_requests),
            auth: Auth::new(setup.seed),
            queries: Queries::default(),
            schema: Arc::new(schema),
            store,
            settings,
        }
    }

    fn route(&mut self, request: &Request) -> Reply {
        let segments = request.segments();
        let segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
        match (request.method.as_str(), segments.as_slice()) {
            ("GET", ["services", "oauth2", "authorize"]) => self.auth.page(request, &self.settings),
            ("POST", ["services", "oauth2", "token"]) => self.auth.token(request, &self.settings),
            ("POST", ["services", "oauth2", "revoke"]) => self.auth.revoke(request),
            ("GET" | "POST", ["services", "oauth2", "userinfo"]) => match self.auth.admits(request, &self.settings) {
                true => Reply::json(200, &auth::userinfo(request)),
                false => no_session().reply(),
            },
            ("GET", ["services", "data"]) => Reply::json(200, &describe::versions()),
            (_, ["services", "data", version, rest @ ..]) => match served(version) {
                Ok(number) => self.versioned(request, (version, number), rest),
                Err(trouble) => trouble.reply(),
            },
            _ => Trouble::not_found().reply(),
        }
    }

    /// A call to the data API: session, allowance, then the call itself.
    fn versioned(&mut self, request: &Request, version: (&str, u32), rest: &[&str]) -> Reply {
        if !self.auth.admits(request, &self.settings) {
            return no_session().reply();
        }
        let done = match self.limits.take(request.now_ms) {
            Ok(()) => self.api(request, version, rest),
            Err(trouble) => Err(trouble),
        };
        let reply = done.unwrap_or_else(|trouble| trouble.reply());
        self.limits.tell(reply, request.now_ms)
    }

    fn api(&mut self, request: &Request, version: (&str, u32), rest: &[&str]) -> Result<Reply, Trouble> {
        let schema = Arc::clone(&self.schema);
        let object = |name: &str| schema.object(name).ok_or_else(Trouble::not_found);
        match (request.method.as_str(), rest) {
            ("GET", ["limits"]) => ok(&self.limits.describe(request.now_ms)),
            ("GET", ["query"]) => ok(&self.queries.start(request, version.0, false, (&schema, &self.store))?),
            ("GET", ["queryAll"]) => ok(&self.queries.start(request, version.0, true, (&schema, &self.store))?),
            ("GET", ["query" | "queryAll", locator]) => ok(&self.queries.more(version.0, locator)?),
            ("GET", ["sobjects"]) => ok(&describe::objects(version.0, &schema)),
            ("GET", ["sobjects", name, "describe"]) => ok(&describe::object(version.0, object(name)?)),
            ("POST", ["sobjects", name]) => {
                let id = self.rows(&schema, request).create(object(name)?, &body(request)?)?;
                Ok(Reply::json(201, &json!({"id": id, "success": true, "errors": []})))
            }
            ("GET" | "PATCH" | "DELETE", ["sobjects", name, id]) => self.by_id(request, version.0, object(name)?, id),
            ("GET" | "PATCH" | "DELETE", ["sobjects", name, field, value]) => {
                self.by_external_id(request, version, object(name)?, (field, value))
            }
            (_, ["composite", "sobjects", rest @ ..]) => self.collection(request, &schema, rest),
            (_, ["limits" | "query" | "queryAll"] | ["sobjects", ..]) => {
                let message = format!("HTTP Method '{}' not allowed.", request.method);
                Err(Trouble::new(405, "METHOD_NOT_ALLOWED", message))
            }
            _ => Err(Trouble::not_found()),
        }
    }

    fn by_id(&mut self, request: &Request, version: &str, object: &Object, id: &str) -> Result<Reply, Trouble> {
        let schema = Arc::clone(&self.schema);
        match request.method.as_str() {
            "GET" => {
                let record = self.store.get(object, id).filter(|record| !record.deleted);
                let record = record.ok_or_else(Trouble::not_found)?;
                ok(&query::show(version, object, record, &asked(request, object)?))
            }
            "PATCH" => {
                self.rows(&schema, request).update(object, id, &body(request)?)?;
                Ok(Reply::empty(204))
            }
            _ => {
                self.rows(&schema, request).delete(object, id)?;
                Ok(Reply::empty(204))
            }
        }
    }

    fn by_external_id(
        &mut self,
        request: &Request,
        version: (&str, u32),
        object: &Object,
        key: (&str, &str),
    ) -> Result<Reply, Trouble> {
        if request.method != http::Method::PATCH {
            let field = external_field(object, key.0)?;
            let found = self.store.find(object, field, key.1).unwrap_or_default();
            let ids: Vec<String> = found.iter().map(|record| record.id.clone()).collect();
            return match ids.as_slice() {
                [] => Err(Trouble::not_found()),
                [id] => self.by_id(request, version.0, object, id),
                _ => Ok(several(version.0, object, &ids)),
            };
        }
        let schema = Arc::clone(&self.schema);
        let update_only = request.param("updateOnly").is_some_and(|value| value == "true");
        let done = self
            .rows(&schema, request)
            .upsert(object, key, &body(request)?, update_only)?;
        // The flag came with version 46; before it, a change was answered without a body.
        let told = version.1 >= 46;
        Ok(match done {
            Upserted::Several(ids) => several(version.0, object, &ids),
            Upserted::Updated(_) if !told => Reply::empty(204),
            Upserted::Updated(id) => {
                Reply::json(200, &json!({"id": id, "success": true, "errors": [], "created": false}))
            }
            Upserted::Created(id) if !told => Reply::json(201, &json!({"id": id, "success": true, "errors": []})),
            Upserted::Created(id) => {
                Reply::json(201, &json!({"id": id, "success": true, "errors": [], "created": true}))
            }
        })
    }

    fn collection(&mut self, request: &Request, schema: &Schema, rest: &[&str]) -> Result<Reply, Trouble> {
        let mut rows = self.rows(schema, request);
        let done = match (request.method.as_str(), rest) {
            ("POST", []) => collections::write(&mut rows, Work::Create, &body(request)?)?,
            ("PATCH", []) => collections::write(&mut rows, Work::Update, &body(request)?)?,
            ("PATCH", [name, field]) => {
                let object = schema.object(name).ok_or_else(Trouble::not_found)?;
                collections::write(&mut rows, Work::Upsert(object, field), &body(request)?)?
            }
            ("DELETE", []) => {
                let all_or_none = request.param("allOrNone").is_some_and(|value| value == "true");
                collections::delete(&mut rows, &request.list("ids").unwrap_or_default(), all_or_none)?
            }
            _ => return Err(Trouble::not_found()),
        };
        ok(&done)
    }

    fn rows<'a>(&'a mut self, schema: &'a Schema, request: &Request) -> Rows<'a> {
        let header = request.header("sforce-duplicate-rule-header").unwrap_or_default();
        Rows {
            schema,
            rule: self.settings.duplicate_rule,
            insist: header.replace(' ', "").to_ascii_lowercase().contains("allowsave=true"),
            now_ms: request.now_ms,
            store: &mut self.store,
        }
    }
}

impl Vendor for Salesforce {
    fn handle(&mut self, request: &Arc<Request>) -> Reply {
        self.route(request)
    }

    fn failure(&mut self, status: u16, request: &Request) -> Reply {
        let oauth = request.path.contains("/oauth2/");
        let trouble = match status {
            400 if oauth => return auth::denied(400, "invalid_grant", "expired access/refresh token"),
            401 => no_session(),
            403 => limits::exceeded(),
            404 => Trouble::not_found(),
            500 => Trouble::new(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred."),
            503 => Trouble::new(503, "SERVER_UNAVAILABLE", "We are down for maintenance."),
            // Gateways answer with a page (fact sheet §12).
            502 | 504 => {
                let page = "<html><head><title>Error</title></head><body><h1>Gateway error</h1></body></html>";
                let mut reply = Reply::empty(status).with("content-type", "text/html; charset=utf-8");
                reply.body = page.into();
                return reply;
            }
            status => Trouble::new(status, "UNKNOWN_EXCEPTION", format!("Injected status {status}.")),
        };
        trouble.reply()
    }

    fn throttle(&mut self, _: Option<u64>, request: &Request) -> Reply {
        self.limits.tell(limits::exceeded().reply(), request.now_ms)
    }

    fn expire_tokens(&mut self, now_ms: i64) {
        self.auth.tokens.expire_all(now_ms);
    }

    fn revoke_tokens(&mut self) {
        self.auth.tokens.revoke_all();
    }

    fn counts(&self) -> BTreeMap<String, u64> {
        let mut counts = self.store.counts();
        counts.remove("User");
        counts
    }

    fn records(&self, object: &str) -> Option<Vec<Value>> {
        let object = self.schema.object(object)?;
        let live = self.store.all(object).filter(|record| !record.deleted);
        Some(
            live.map(|record| query::show("v68.0", object, record, &object.fields))
                .collect(),
        )
    }

    fn settings(&self) -> Value {
        json!(self.settings)
    }

    fn configure(&mut self, patch: &Value) -> Result<(), String> {
        let settings: Settings = patched(&self.settings, patch)?;
        if settings.daily_api_requests != self.settings.daily_api_requests {
            self.limits = Limits::new(&self.setup, settings.daily_api_requests);
        }
        self.schema = Arc::new(Schema::new(&settings));
        self.settings = settings;
        Ok(())
    }
}

fn ok(value: &Value) -> Result<Reply, Trouble> {
    Ok(Reply::json(200, value))
}

fn no_session() -> Trouble {
    Trouble::new(401, "INVALID_SESSION_ID", "Session expired or invalid")
}

/// The number of a version that is served: `v58.0` is 58.
fn served(version: &str) -> Result<u32, Trouble> {
    let number = version.strip_prefix('v').and_then(|rest| rest.strip_suffix(".0"));
    match number.and_then(|number| number.parse().ok()) {
        Some(number @ describe::OLDEST..=describe::NEWEST) => Ok(number),
        Some(describe::OLDEST_RETIRED..describe::OLDEST) => {
            let message = "The requested resource has been retired or removed.";
            Err(Trouble::new(410, "UNSUPPORTED_API_VERSION", message))
        }
        _ => Err(Trouble::not_found()),
    }
}

/// HTTP 300: several records have the external id; nothing was written.
fn several(version: &str, object: &Object, ids: &[String]) -> Reply {
    let url = |id: &String| format!("/services/data/{version}/sobjects/{}/{id}", object.name);
    Reply::json(300, &ids.iter().map(url).collect())
}

/// The fields that `?fields=` asks for; all without it.
fn asked(request: &Request, object: &Object) -> Result<Vec<Field>, Trouble> {
    let Some(names) = request.list("fields") else {
        return Ok(object.fields.clone());
    };
    let field = |name: &String| {
        object
            .field(name)
            .copied()
            .ok_or_else(|| values::unknown_field(object, name))
    };
    names.iter().map(field).collect()
}

/// A JSON object in the body.
fn body(request: &Request) -> Result<Map<String, Value>, Trouble> {
    if !request.is_json() {
        let message = "Unsupported media type: the body has to be application/json";
        return Err(Trouble::new(415, "UNSUPPORTED_MEDIA_TYPE", message));
    }
    match request.json() {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(Trouble::new(
            400,
            "JSON_PARSER_ERROR",
            "Unexpected token; an object is needed at [line:1, column:1]",
        )),
        Err(error) => Err(Trouble::new(
            400,
            "JSON_PARSER_ERROR",
            format!("Unexpected character: {error}"),
        )),
    }
}

fn integration_user() -> Record {
    Record {
        id: USER_ID.to_owned(),
        deleted: false,
        values: BTreeMap::from([
            ("Id", json!(USER_ID)),
            ("Username", json!("integration@example.org")),
            ("Name", json!("Integration User")),
            ("Email", json!("integration@example.org")),
            ("IsActive", json!(true)),
        ]),
    }
}
