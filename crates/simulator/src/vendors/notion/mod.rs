//! A Notion workspace (fact sheet notion).

mod auth;
mod pages;
mod query;
mod schema;
mod settings;
mod trouble;
mod values;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::message::{Reply, Request};
use crate::options::Setup;
use crate::rolling::Rolling;
use crate::vendor::{Vendor, patched};

use auth::Auth;
use pages::Pages;
use schema::Schemas;
use settings::Settings;

/// Versions that are still served (fact sheet, head). Before 2025-09-03 rows live in databases, from then on in data sources.
const VERSIONS: &[&str] = &["2022-06-28", "2025-09-03", "2026-03-11"];
/// Requests larger than this are refused (fact sheet §6).
const LARGEST: usize = 500 << 10;

/// A Notion workspace.
#[derive(Debug)]
pub struct Notion {
    settings: Settings,
    auth: Auth,
    schemas: Schemas,
    pages: Pages,
    comments: Vec<Value>,
    calls: Rolling,
    setup: Setup,
}

impl Notion {
    /// A workspace with one database, whose id is `1a2b3c4d-0000-4000-8000-00000000d001`.
    pub fn new(setup: &Setup) -> Self {
        let settings = Settings::new(setup);
        let mut schemas = Schemas::new(setup.seed);
        schemas.make("1a2b3c4d-0000-4000-8000-00000000d001");
        Self {
            auth: Auth::new(setup.seed),
            schemas,
            pages: Pages::new(setup.seed),
            comments: Vec::new(),
            calls: Rolling::new(setup.limit(settings.calls_per_minute), 60_000, 1),
            settings,
            setup: *setup,
        }
    }

    fn route(&mut self, request: &Request, version: &str) -> Reply {
        let segments = request.segments();
        let parts: Vec<&str> = segments.iter().map(AsRef::as_ref).skip(1).collect();
        let body = match request.body.is_empty() {
            true => Value::Null,
            false => match request.json() {
                Ok(body) => body,
                Err(error) => return trouble::error(400, "invalid_json", &format!("Error parsing JSON body: {error}")),
            },
        };
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["users", "me"]) => Reply::json(200, &me()),
            ("GET", ["databases", id]) => self.show_database(id, version),
            ("POST", ["databases", id, "query"]) if version == VERSIONS[0] => match self.only_source(id) {
                Ok(source) => self.query(&source, &body),
                Err(reply) => reply,
            },
            ("GET", ["data_sources", id]) if version != VERSIONS[0] => self.show_source(id),
            ("PATCH", ["data_sources", id]) if version != VERSIONS[0] => self.change_source(id, &body),
            ("POST", ["data_sources", id, "query"]) if version != VERSIONS[0] => self.query(id, &body),
            ("POST", ["pages"]) => self.create_page(&body, request, version),
            ("GET", ["pages", id]) => self.show_page(id),
            ("PATCH", ["pages", id]) => self.change_page(id, &body, request),
            ("POST", ["comments"]) => self.comment(&body),
            _ => trouble::error(400, "invalid_request_url", "Invalid request URL."),
        }
    }

    /// Finds a database; in a workspace that takes any, it comes into being.
    fn database(&mut self, id: &str) -> Option<String> {
        let plain = plain_id(id);
        let known = self
            .schemas
            .databases
            .keys()
            .find(|known| plain_id(known) == plain)
            .cloned();
        if known.is_some() || !self.settings.accept_any_database || id.is_empty() {
            return known;
        }
        self.schemas.make(id);
        Some(id.to_owned())
    }

    fn show_database(&mut self, id: &str, version: &str) -> Reply {
        let found = self.database(id).and_then(|id| self.schemas.show_database(&id));
        match found {
            None if !self.settings.accept_any_database && plain_id(id).len() != 32 => trouble::invalid(&format!(
                "path.database_id should be a valid uuid, instead was `\"{id}\"`."
            )),
            None => trouble::not_found("database", id),
            Some(mut shown) => {
                if version == VERSIONS[0] {
                    shown.as_object_mut().map(|object| object.shift_remove("data_sources"));
                }
                Reply::json(200, &shown)
            }
        }
    }

    /// Old versions know no data sources; with several they give up (fact sheet §9).
    fn only_source(&mut self, database: &str) -> Result<String, Reply> {
        let Some(id) = self.database(database) else {
            return Err(trouble::not_found("database", database));
        };
        match self.schemas.databases.get(&id).map(Vec::as_slice) {
            Some([source]) => Ok(source.clone()),
            _ => Err(trouble::error(
                400,
                "validation_error",
                "Databases with multiple data sources are not supported in this API version.",
            )),
        }
    }

    fn show_source(&self, id: &str) -> Reply {
        match self.schemas.sources.get(id) {
            Some(source) => Reply::json(200, &source.show()),
            None => trouble::not_found("data source", id),
        }
    }

    fn change_source(&mut self, id: &str, body: &Value) -> Reply {
        if !self.schemas.sources.contains_key(id) {
            return trouble::not_found("data source", id);
        }
        if !self.settings.may_edit_schema {
            return trouble::of_status(403);
        }
        let wanted = body["properties"].as_object().cloned().unwrap_or_default();
        match self.schemas.add_columns(id, &wanted) {
            Ok(()) => self.show_source(id),
            Err(message) => trouble::invalid(&message),
        }
    }

    fn query(&self, id: &str, body: &Value) -> Reply {
        let Some(source) = self.schemas.sources.get(id) else {
            return trouble::not_found("data source", id);
        };
        match query::run(&self.pages, source, body) {
            Ok(found) => Reply::json(200, &found),
            Err(message) => trouble::invalid(&message),
        }
    }

    fn create_page(&mut self, body: &Value, request: &Request, version: &str) -> Reply {
        if let Some(stranger) = unknown_key(
            body,
            &[
                "parent",
                "properties",
                "children",
                "markdown",
                "template",
                "icon",
                "cover",
                "position",
            ],
        ) {
            return trouble::invalid(&format!("body.{stranger} should be not present."));
        }
        let parent = &body["parent"];
        let source = match (parent["data_source_id"].as_str(), parent["database_id"].as_str()) {
            (Some(id), _) if version != VERSIONS[0] => id.to_owned(),
            (_, Some(id)) => match self.only_source(id) {
                Ok(source) => source,
                Err(reply) => return reply,
            },
            _ => return trouble::invalid("body.parent.data_source_id should be defined, instead was `undefined`."),
        };
        let properties = body["properties"].as_object().cloned().unwrap_or_default();
        let Some(schema) = self.schemas.sources.get_mut(&source) else {
            return trouble::not_found("data source", &source);
        };
        match values::check(schema, &properties, self.settings.may_edit_schema) {
            Err(message) => trouble::invalid(&message),
            Ok(properties) => {
                let database = schema.database.clone();
                Reply::json(
                    200,
                    &self.pages.insert(&source, properties, request.now_ms).show(&database),
                )
            }
        }
    }

    fn show_page(&self, id: &str) -> Reply {
        match self.pages.get(id) {
            Some(page) => Reply::json(200, &page.show(self.database_of(&page.source))),
            None => trouble::not_found("page", id),
        }
    }

    fn change_page(&mut self, id: &str, body: &Value, request: &Request) -> Reply {
        let Some(source) = self.pages.get(id).map(|page| page.source.clone()) else {
            return trouble::not_found("page", id);
        };
        let properties = body["properties"].as_object().cloned().unwrap_or_default();
        let checked = match self.schemas.sources.get_mut(&source) {
            Some(schema) => values::check(schema, &properties, self.settings.may_edit_schema),
            None => Ok(Map::new()),
        };
        match checked {
            Err(message) => trouble::invalid(&message),
            Ok(properties) => {
                self.pages
                    .update(id, properties, body["in_trash"].as_bool(), request.now_ms);
                self.show_page(id)
            }
        }
    }

    fn comment(&mut self, body: &Value) -> Reply {
        let page = body["parent"]["page_id"].as_str().unwrap_or_default();
        if self.pages.get(page).is_none() {
            return trouble::not_found("page", page);
        }
        let comment = json!({"object": "comment", "id": format!("comment-{}", self.comments.len() + 1), "parent": body["parent"], "rich_text": body["rich_text"]});
        self.comments.push(comment.clone());
        Reply::json(200, &comment)
    }

    fn database_of(&self, source: &str) -> &str {
        self.schemas
            .sources
            .get(source)
            .map_or("", |source| source.database.as_str())
    }
}

/// The first key of an object that is not among `known`.
fn unknown_key<'v>(body: &'v Value, known: &[&str]) -> Option<&'v str> {
    body.as_object()?
        .keys()
        .map(String::as_str)
        .find(|key| !known.contains(key))
}

fn plain_id(id: &str) -> String {
    id.replace('-', "").to_lowercase()
}

fn me() -> Value {
    json!({
        "object": "user", "id": "00000000-0000-4000-8000-0000000000b0", "type": "bot", "name": "Switchboard",
        "bot": {"owner": {"type": "workspace", "workspace": true}, "workspace_name": "Example"},
    })
}

impl Vendor for Notion {
    fn handle(&mut self, request: &Arc<Request>) -> Reply {
        let segments = request.segments();
        let parts: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
        if request.method == "POST" && parts == ["v1", "oauth", "token"] {
            return self.auth.token(request, &self.settings);
        }
        if parts.first() != Some(&"v1") {
            return trouble::error(400, "invalid_request_url", "Invalid request URL.");
        }
        if !self.auth.admits(request, &self.settings) {
            return trouble::of_status(401);
        }
        let version = match request.header("notion-version") {
            None => {
                return trouble::error(
                    400,
                    "missing_version",
                    "Notion-Version header failed validation: Notion-Version header should be defined.",
                );
            }
            Some(version) if VERSIONS.contains(&version) => version,
            Some(_) => return trouble::error(400, "validation_error", "Notion-Version header failed validation."),
        };
        if let Err(wait_ms) = self.calls.take(request.now_ms) {
            return trouble::rate_limited(u64::try_from(wait_ms).unwrap_or(1).div_ceil(1000));
        }
        if request.body.len() > LARGEST {
            return trouble::error(413, "validation_error", "The request body is too large.");
        }
        let version = version.to_owned();
        self.route(request, &version)
    }

    fn failure(&mut self, status: u16, _: &Request) -> Reply {
        trouble::of_status(status)
    }

    fn throttle(&mut self, retry_after_s: Option<u64>, _: &Request) -> Reply {
        trouble::rate_limited(retry_after_s.unwrap_or(1))
    }

    fn expire_tokens(&mut self, now_ms: i64) {
        self.auth.tokens.expire_all(now_ms);
    }

    fn revoke_tokens(&mut self) {
        self.auth.tokens.revoke_all();
    }

    fn counts(&self) -> BTreeMap<String, u64> {
        let comments = self.comments.len() as u64;
        BTreeMap::from([
            ("pages".to_owned(), self.pages.count()),
            ("comments".to_owned(), comments),
        ])
    }

    fn records(&self, object: &str) -> Option<Vec<Value>> {
        match object {
            "pages" => Some(
                self.pages
                    .all()
                    .map(|page| page.show(self.database_of(&page.source)))
                    .collect(),
            ),
            "comments" => Some(self.comments.clone()),
            _ => None,
        }
    }

    fn settings(&self) -> Value {
        serde_json::to_value(&self.settings).unwrap_or_default()
    }

    fn configure(&mut self, patch: &Value) -> Result<(), String> {
        self.settings = patched(&self.settings, patch)?;
        self.calls = Rolling::new(self.setup.limit(self.settings.calls_per_minute), 60_000, 1);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
