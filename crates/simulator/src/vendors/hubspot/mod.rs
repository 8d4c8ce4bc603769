//! A HubSpot portal (fact sheet hubspot).

mod auth;
mod batch;
mod rows;
mod schema;
mod search;
mod settings;
mod trouble;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::message::{Reply, Request};
use crate::options::Setup;
use crate::rolling::Rolling;
use crate::vendor::{Vendor, patched};

use auth::Auth;
use rows::Rows;
use schema::{OBJECTS, Property, Schema};
use settings::Settings;
use trouble::Refusal;

/// Dated versions that are served (fact sheet, head); `v3` stands in another place of the path.
const VERSIONS: &[&str] = &["2026-09", "2026-03"];

/// A HubSpot portal.
#[derive(Debug)]
pub struct HubSpot {
    settings: Settings,
    auth: Auth,
    schema: Schema,
    rows: Rows,
    associations: Vec<Value>,
    burst: Rolling,
    day: Rolling,
    searches: Rolling,
    setup: Setup,
}

/// The three rolling limits of a portal: ten seconds, a day, searches.
fn limits(setup: &Setup, settings: &Settings) -> (Rolling, Rolling, Rolling) {
    (
        Rolling::new(setup.limit(settings.calls_per_ten_seconds), 10_000, 1),
        Rolling::new(setup.limit(settings.calls_per_day), 86_400_000, 60_000),
        Rolling::new(setup.limit(settings.searches_per_second), 1_000, 1),
    )
}

impl HubSpot {
    /// A portal without records.
    pub fn new(setup: &Setup) -> Self {
        let settings = Settings::new(setup);
        let (burst, day, searches) = limits(setup, &settings);
        Self {
            auth: Auth::new(setup.seed),
            schema: Schema::new(),
            rows: Rows::new(),
            associations: Vec::new(),
            burst,
            day,
            searches,
            settings,
            setup: *setup,
        }
    }

    /// The record that a path or input names: by id, or by a unique property.
    fn find(&self, object: &str, key: &str, by: Option<&str>) -> Option<u64> {
        match by {
            Some(property) if property != "hs_object_id" => self.rows.by_unique(object, property, key),
            _ => key.parse().ok().filter(|id| self.rows.get(object, *id).is_some()),
        }
    }

    fn route(&mut self, request: &Request) -> Reply {
        let segments = request.segments();
        let parts: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
        let body = match request.body.is_empty() {
            true => Value::Null,
            false => match request.json() {
                Ok(body) => body,
                Err(error) => return Refusal::Malformed(format!("Invalid input JSON: {error}")).reply(),
            },
        };
        match parts.as_slice() {
            ["crm", "objects", version, rest @ ..] if VERSIONS.contains(version) => self.objects(request, rest, &body),
            ["crm", "v3", "objects", rest @ ..] => self.objects(request, rest, &body),
            ["crm", "properties", version, rest @ ..] if VERSIONS.contains(version) => self.properties(request, rest, &body),
            ["crm", "v3", "properties", rest @ ..] => self.properties(request, rest, &body),
            ["crm", "pipelines", version, object] if VERSIONS.contains(version) => self.pipelines(object),
            ["crm", "v3", "pipelines", object] => self.pipelines(object),
            ["crm", "owners", ..] => Reply::json(200, &json!({"results": [{"id": "7", "email": "owner@example.org", "archived": false}]})),
            ["account-info", _, "details"] => Reply::json(200, &details()),
            ["account-info", _, "api-usage", "daily", "private-apps"] => self.usage(request.now_ms),
            _ => Refusal::NotFound.reply(),
        }
    }

    fn objects(&mut self, request: &Request, parts: &[&str], body: &Value) -> Reply {
        let Some((object, rest)) = parts.split_first().and_then(|(name, rest)| Some((Schema::object(name)?, rest))) else {
            return Refusal::Malformed("Unable to infer object type".to_owned()).reply();
        };
        let now = request.now_ms;
        match (request.method.as_str(), rest) {
            ("POST", []) => self.create(object, body, now),
            ("GET", []) => self.list(object, request),
            ("POST", ["search"]) => match search::run(&self.rows, &self.schema, object, body, now, self.settings.search_lag_ms) {
                Ok(found) => Reply::json(200, &found),
                Err(refusal) => refusal.reply(),
            },
            ("POST", ["batch", action]) => {
                let action = (*action).to_owned();
                batch::run(self, object, &action, body, now)
            }
            ("GET", [key]) => match self.find(object, key, request.param("idProperty").as_deref()) {
                Some(id) => self.show(object, id, 200, request.list("properties").as_deref()),
                None => Refusal::NotFound.reply(),
            },
            ("PATCH", [key]) => self.update(object, key, request, body),
            ("DELETE", [key]) => {
                if let Some(id) = self.find(object, key, None) {
                    self.rows.archive(object, id);
                }
                Reply::empty(204)
            }
            ("PUT", [id, "associations", "default", other, to]) => self.associate(object, id, other, to),
            _ => Reply::json(405, &json!({"status": "error", "message": "method not allowed"})),
        }
    }

    fn create(&mut self, object: &'static str, body: &Value, now_ms: i64) -> Reply {
        if let Some(stranger) = body.as_object().and_then(|body| body.keys().find(|key| !["properties", "associations", "objectWriteTraceId"].contains(&key.as_str()))) {
            return Refusal::Malformed(format!("Invalid input JSON: unknown field `{stranger}`")).reply();
        }
        if !body["associations"].is_array() {
            return Refusal::Malformed("Invalid input JSON: some required fields were not set: [associations]".to_owned()).reply();
        }
        let empty = Map::new();
        let properties = body["properties"].as_object().unwrap_or(&empty);
        match self.rows.create(&self.schema, object, properties, now_ms) {
            Ok(id) => self.show(object, id, 201, None),
            Err(refusal) => refusal.reply(),
        }
    }

    fn update(&mut self, object: &'static str, key: &str, request: &Request, body: &Value) -> Reply {
        let Some(id) = self.find(object, key, request.param("idProperty").as_deref()) else {
            return Refusal::NotFound.reply();
        };
        let empty = Map::new();
        let properties = body["properties"].as_object().unwrap_or(&empty);
        match self.rows.update(&self.schema, object, id, properties, request.now_ms) {
            Ok(()) => self.show(object, id, 200, None),
            Err(refusal) => refusal.reply(),
        }
    }

    fn show(&self, object: &str, id: u64, status: u16, wanted: Option<&[String]>) -> Reply {
        match self.rows.get(object, id) {
            Some(row) => Reply::json(status, &row.show(object, wanted)),
            None => Refusal::NotFound.reply(),
        }
    }

    fn list(&self, object: &str, request: &Request) -> Reply {
        let limit = request.param("limit").and_then(|limit| limit.parse().ok()).unwrap_or(10_usize).min(100);
        let after = request.param("after").and_then(|after| after.parse().ok()).unwrap_or(0_u64);
        let wanted = request.list("properties");
        let mut rest = self.rows.all(object).filter(|row| row.id > after);
        let page: Vec<_> = rest.by_ref().take(limit).collect();
        let results: Vec<Value> = page.iter().map(|row| row.show(object, wanted.as_deref())).collect();
        let mut answer = json!({"results": results});
        if let (Some(last), true) = (page.last(), rest.next().is_some()) {
            answer["paging"] = json!({"next": {"after": last.id.to_string()}});
        }
        Reply::json(200, &answer)
    }

    fn associate(&mut self, object: &str, id: &str, other: &str, to: &str) -> Reply {
        let other = Schema::object(other).unwrap_or_default();
        if self.find(object, id, None).is_none() || self.find(other, to, None).is_none() {
            return Refusal::NotFound.reply();
        }
        self.associations.push(json!({"from": {"type": object, "id": id}, "to": {"type": other, "id": to}}));
        Reply::json(200, &json!({"status": "COMPLETE", "results": []}))
    }

    fn properties(&mut self, request: &Request, parts: &[&str], body: &Value) -> Reply {
        if !self.settings.may_edit_schema {
            return trouble::missing_scope("crm.schemas.contacts.read");
        }
        let Some((object, rest)) = parts.split_first().and_then(|(name, rest)| Some((Schema::object(name)?, rest))) else {
            return Refusal::Malformed("Unable to infer object type".to_owned()).reply();
        };
        match (request.method.as_str(), rest) {
            ("GET", []) => {
                let all: Vec<Value> = self.schema.properties(object).map(|(name, property)| property.show(name)).collect();
                Reply::json(200, &json!({"results": all}))
            }
            ("GET", [name]) => match self.schema.property(object, name) {
                Some(property) => Reply::json(200, &property.show(name)),
                None => Refusal::NotFound.reply(),
            },
            ("POST", []) => self.add_property(object, body),
            _ => Refusal::NotFound.reply(),
        }
    }

    fn add_property(&mut self, object: &'static str, body: &Value) -> Reply {
        for needed in ["name", "label", "groupName", "type", "fieldType"] {
            if body[needed].as_str().is_none_or(str::is_empty) {
                return Refusal::Malformed(format!("some required fields were not set: [{needed}]")).reply();
            }
        }
        let name = body["name"].as_str().unwrap_or_default().to_owned();
        let property = Property {
            kind: body["type"].as_str().unwrap_or_default().to_owned(),
            unique: body["hasUniqueValue"].as_bool().unwrap_or(false),
            options: Vec::new(),
        };
        let shown = property.show(&name);
        match self.schema.add(object, &name, property) {
            true => Reply::json(201, &shown),
            false => Refusal::Conflict(format!("A property named '{name}' already exists.")).reply(),
        }
    }

    fn pipelines(&self, object: &str) -> Reply {
        let show = |(id, stages): &(String, Vec<String>)| {
            let stages: Vec<Value> = stages.iter().map(|stage| json!({"id": stage, "label": stage})).collect();
            json!({"id": id, "label": id, "stages": stages})
        };
        let all: Vec<Value> = self.schema.pipelines(Schema::object(object).unwrap_or_default()).iter().map(show).collect();
        Reply::json(200, &json!({"results": all}))
    }

    fn usage(&mut self, now_ms: i64) -> Reply {
        let (limit, used) = (self.day.limit(), self.day.used(now_ms));
        Reply::json(200, &json!({"results": [{"name": "private-apps-api-calls-daily", "usageLimit": limit, "currentUsage": used, "fetchStatus": "SUCCESS"}]}))
    }

    /// Counts the call; searches have a limit of their own and no headers (fact sheet §8).
    fn count(&mut self, request: &Request) -> Result<bool, Reply> {
        let now = request.now_ms;
        if request.path.ends_with("/search") {
            return self.searches.take(now).map(|()| false).map_err(|_| trouble::rate_limited("SECONDLY"));
        }
        self.day.take(now).map_err(|_| trouble::rate_limited("DAILY"))?;
        self.burst.take(now).map_err(|_| trouble::rate_limited("TEN_SECONDLY_ROLLING"))?;
        Ok(true)
    }

    fn with_limits(&mut self, reply: Reply, now_ms: i64) -> Reply {
        reply
            .with("x-hubspot-ratelimit-max", self.burst.limit())
            .with("x-hubspot-ratelimit-remaining", self.burst.remaining(now_ms))
            .with("x-hubspot-ratelimit-interval-milliseconds", 10_000)
            .with("x-hubspot-ratelimit-daily", self.day.limit())
            .with("x-hubspot-ratelimit-daily-remaining", self.day.remaining(now_ms))
    }
}

fn details() -> Value {
    json!({
        "portalId": 62515, "accountType": "STANDARD", "timeZone": "Europe/Berlin", "companyCurrency": "EUR", "additionalCurrencies": [],
        "utcOffset": "+01:00", "utcOffsetMilliseconds": 3_600_000, "uiDomain": "app-eu1.hubspot.com", "dataHostingLocation": "eu1",
    })
}

impl Vendor for HubSpot {
    fn handle(&mut self, request: &Arc<Request>) -> Reply {
        let segments = request.segments();
        let parts: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
        if let ("POST", ["oauth", _, "token"]) = (request.method.as_str(), parts.as_slice()) {
            return self.auth.token(request, &self.settings);
        }
        if let Err(reply) = self.auth.admit(request, &self.settings) {
            return reply;
        }
        let shows_limits = match self.count(request) {
            Ok(shows_limits) => shows_limits,
            Err(reply) => return reply,
        };
        let reply = self.route(request);
        if shows_limits { self.with_limits(reply, request.now_ms) } else { reply }
    }

    fn failure(&mut self, status: u16, _: &Request) -> Reply {
        trouble::of_status(status)
    }

    fn throttle(&mut self, retry_after_s: Option<u64>, _: &Request) -> Reply {
        let reply = trouble::rate_limited("TEN_SECONDLY_ROLLING");
        // Seen on some 429s only (fact sheet §8).
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
        OBJECTS.iter().map(|(object, _)| ((*object).to_owned(), self.rows.all(object).count() as u64)).collect()
    }

    fn records(&self, object: &str) -> Option<Vec<Value>> {
        let object = Schema::object(object)?;
        Some(self.rows.all(object).map(|row| row.show(object, None)).collect())
    }

    fn settings(&self) -> Value {
        serde_json::to_value(&self.settings).unwrap_or_default()
    }

    fn configure(&mut self, patch: &Value) -> Result<(), String> {
        self.settings = patched(&self.settings, patch)?;
        (self.burst, self.day, self.searches) = limits(&self.setup, &self.settings);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
