//! A Notion workspace (fact sheet notion).

mod auth;
mod dates;
mod filter;
mod pages;
mod query;
mod schema;
mod settings;
#[cfg(test)]
mod tests;
mod texts;
mod trouble;
mod values;
mod version;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::chance::Chance;
use crate::message::{Reply, Request};
use crate::options::Setup;
use crate::rolling::Rolling;
use crate::vendor::{Vendor, patched};

pub use self::settings::{Database, Settings};
use auth::Auth;

use pages::{BOT_ID, Page, Pages};
use schema::{Schemas, Source, plain_id};
use trouble::{Trouble, rate_limited};
use version::Version;

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
    /// By token.
    calls: HashMap<String, Rolling>,
    workspace_calls: Option<Rolling>,
    chance: Chance,
    setup: Setup,
}

impl Notion {
    /// A workspace with one database, whose id is `1a2b3c4d-0000-4000-8000-00000000d001`.
    pub fn new(setup: &Setup) -> Self {
        let settings = Settings::new(setup);
        let mut schemas = Schemas::new(setup.seed);
        schemas.make_example("1a2b3c4d-0000-4000-8000-00000000d001");
        Self {
            auth: Auth::new(setup.seed),
            schemas,
            pages: Pages::new(setup.seed),
            comments: Vec::new(),
            calls: HashMap::new(),
            workspace_calls: None,
            chance: Chance::new(setup.seed, "notion"),
            settings,
            setup: *setup,
        }
    }

    fn route(&mut self, request: &Request, version: Version) -> Result<Value, Trouble> {
        let segments = request.segments();
        let parts: Vec<&str> = segments.iter().map(AsRef::as_ref).skip(1).collect();
        let body = match request.body.is_empty() {
            true => Value::Null,
            false => request
                .json()
                .map_err(|error| Trouble::new(400, "invalid_json", format!("Error parsing JSON body: {error}")))?,
        };
        let new = version.has_sources();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["users", "me"]) => Ok(me()),
            ("GET", ["databases", id]) => self.show_database(id, version),
            ("PATCH", ["databases", id]) if !new => {
                let source = self.only_source(id)?.id.clone();
                self.change_source(&source, &body)?;
                self.show_database(id, version)
            }
            ("POST", ["databases", id, "query"]) if !new => {
                let source = self.only_source(id)?.id.clone();
                self.query(&source, &body, version)
            }
            ("GET", ["data_sources", id]) if new => Ok(self.source(id)?.show(version)),
            ("PATCH", ["data_sources", id]) if new => {
                self.change_source(id, &body)?;
                Ok(self.source(id)?.show(version))
            }
            ("POST", ["data_sources", id, "query"]) if new => self.query(id, &body, version),
            ("POST", ["pages"]) => self.create_page(&body, request.now_ms, version),
            ("GET", ["pages", id]) => {
                self.may("read_content")?;
                let (page, source) = self.page(id)?;
                Ok(page.show(source, version, request.list("filter_properties").as_deref()))
            }
            ("PATCH", ["pages", id]) => self.change_page(id, &body, request.now_ms, version),
            ("POST", ["comments"]) => self.comment(&body, request.now_ms),
            ("GET", ["comments"]) => self.comments_of(&request.param("block_id").unwrap_or_default()),
            _ => Err(Trouble::no_such_path()),
        }
    }

    fn may(&self, capability: &str) -> Result<(), Trouble> {
        match self
            .settings
            .missing_capabilities
            .iter()
            .any(|missing| missing == capability)
        {
            true => Err(Trouble::of_status(403)),
            false => Ok(()),
        }
    }

    /// Whether an id in a path can be looked up at all, and is shared with the integration.
    fn visible(&self, place: &str, what: &str, id: &str) -> Result<(), Trouble> {
        let plain = plain_id(id);
        let is_uuid = plain.len() == 32 && plain.chars().all(|digit| digit.is_ascii_hexdigit());
        if !is_uuid && !self.settings.accept_any_database {
            let message = format!("path failed validation: {place} should be a valid uuid, instead was `\"{id}\"`.");
            return Err(Trouble::bad(message));
        }
        match self.settings.unshared.iter().any(|hidden| plain_id(hidden) == plain) {
            true => Err(Trouble::not_found(what, id)),
            false => Ok(()),
        }
    }

    /// In a workspace that takes any database, an unknown one comes into being.
    fn show_database(&mut self, id: &str, version: Version) -> Result<Value, Trouble> {
        self.may("read_content")?;
        self.meet(id)?;
        let shown = self.schemas.show_database(id, version);
        shown.ok_or_else(|| Trouble::not_found("database", id))
    }

    fn meet(&mut self, id: &str) -> Result<(), Trouble> {
        self.visible("path.database_id", "database", id)?;
        let is_source = self.schemas.source(id).is_some();
        if self.settings.accept_any_database && !id.is_empty() && !is_source && !self.schemas.has_database(id) {
            self.schemas.make_example(id);
        }
        Ok(())
    }

    /// Old versions know no data sources; with several they give up (fact sheet §9).
    fn only_source(&mut self, database: &str) -> Result<&Source, Trouble> {
        self.meet(database)?;
        self.schemas.only_source(database)
    }

    fn source(&self, id: &str) -> Result<&Source, Trouble> {
        self.may("read_content")?;
        self.visible("path.data_source_id", "data source", id)?;
        let found = self.schemas.source(id);
        found.ok_or_else(|| Trouble::not_found("data source", id))
    }

    fn page(&self, id: &str) -> Result<(&Page, &Source), Trouble> {
        self.visible("path.page_id", "page", id)?;
        let page = self.pages.get(id);
        let found = page.and_then(|page| Some((page, self.schemas.source(&page.source)?)));
        found.ok_or_else(|| Trouble::not_found("page", id))
    }

    fn change_source(&mut self, id: &str, body: &Value) -> Result<(), Trouble> {
        self.source(id)?;
        if !self.settings.may_edit_schema {
            return Err(Trouble::of_status(403));
        }
        let wanted = body["properties"].as_object().cloned().unwrap_or_default();
        self.schemas.change(id, &wanted)
    }

    fn query(&self, id: &str, body: &Value, version: Version) -> Result<Value, Trouble> {
        query::run(&self.pages, self.source(id)?, body, version, self.settings.query_rows)
    }

    fn create_page(&mut self, body: &Value, now_ms: i64, version: Version) -> Result<Value, Trouble> {
        self.may("insert_content")?;
        only_keys(
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
        )?;
        if !body["children"].is_null() {
            texts::list("body.children", &body["children"])?;
        }
        let parent = &body["parent"];
        let source = match (parent["data_source_id"].as_str(), parent["database_id"].as_str()) {
            (Some(id), _) if version.has_sources() => self.source(id)?.clone(),
            (_, Some(id)) => self.only_source(id)?.clone(),
            _ => {
                let place = if version.has_sources() {
                    "data_source_id"
                } else {
                    "database_id"
                };
                return Err(Trouble::expected(
                    &format!("body.parent.{place}"),
                    "defined",
                    &Value::Null,
                ));
            }
        };
        let properties = body["properties"].as_object();
        let properties =
            properties.ok_or_else(|| Trouble::expected("body.properties", "defined", &body["properties"]))?;
        let written = values::read(&source, properties, self.settings.may_edit_schema)?;
        self.schemas.add_options(&source.id, &written.options);
        let page = self.pages.insert(&source, written.values, now_ms);
        Ok(page.show(self.source(&source.id)?, version, None))
    }

    fn change_page(&mut self, id: &str, body: &Value, now_ms: i64, version: Version) -> Result<Value, Trouble> {
        self.may("update_content")?;
        let trash = if version.has_archived() { "archived" } else { "in_trash" };
        only_keys(
            body,
            &[
                "properties",
                "in_trash",
                trash,
                "icon",
                "cover",
                "is_locked",
                "template",
                "erase_content",
            ],
        )?;
        let (page, source) = self.page(id)?;
        let (page, source) = (page.clone(), source.clone());
        let wanted = body["in_trash"].as_bool().or(body[trash].as_bool());
        let properties = body["properties"].as_object().cloned().unwrap_or_default();
        if page.in_trash && wanted != Some(false) && !properties.is_empty() {
            return Err(Trouble::bad(
                "Can't edit block that is archived. You must unarchive the block before editing.",
            ));
        }
        let written = values::read(&source, &properties, self.settings.may_edit_schema)?;
        self.schemas.add_options(&source.id, &written.options);
        let in_trash = wanted.unwrap_or(page.in_trash);
        let page = self.pages.update(&source, &page, written.values, in_trash, now_ms);
        Ok(page.show(self.source(&source.id)?, version, None))
    }

    fn comment(&mut self, body: &Value, now_ms: i64) -> Result<Value, Trouble> {
        self.may("comment")?;
        only_keys(
            body,
            &["parent", "rich_text", "discussion_id", "attachments", "display_name"],
        )?;
        let page = body["parent"]["page_id"].as_str();
        let page = page.ok_or_else(|| Trouble::expected("body.parent.page_id", "defined", &Value::Null))?;
        let parent = json!({"type": "page_id", "page_id": self.page(page)?.0.id});
        let text = texts::read("body.rich_text", &body["rich_text"])?;
        let comment = json!({
            "object": "comment", "id": self.chance.uuid(), "parent": parent, "discussion_id": self.chance.uuid(),
            "created_time": dates::stamp(now_ms), "last_edited_time": dates::stamp(now_ms),
            "created_by": {"object": "user", "id": BOT_ID}, "rich_text": text,
        });
        self.comments.push(comment.clone());
        Ok(comment)
    }

    fn comments_of(&self, page: &str) -> Result<Value, Trouble> {
        let id = &self.page(page)?.0.id;
        let of_page = |comment: &&Value| comment["parent"]["page_id"] == id.as_str();
        let found: Vec<&Value> = self.comments.iter().filter(of_page).collect();
        Ok(json!({
            "object": "list", "results": found, "next_cursor": null, "has_more": false, "type": "comment", "comment": {},
        }))
    }

    /// Counts a call on its connection and in the workspace.
    fn count(&mut self, request: &Request, request_id: &str) -> Result<(), Reply> {
        let limit = self.setup.limit(self.settings.calls_per_minute);
        let token = request.bearer().unwrap_or_default().to_owned();
        let own = self
            .calls
            .entry(token)
            .or_insert_with(|| Rolling::new(limit, 60_000, 1));
        let refused = |of_workspace| {
            move |wait_ms: i64| {
                let seconds = u64::try_from(wait_ms).unwrap_or(1).div_ceil(1_000);
                rate_limited(seconds, of_workspace, request_id)
            }
        };
        own.take(request.now_ms).map_err(refused(false))?;
        let all = self.workspace_calls.as_mut();
        all.map_or(Ok(()), |all| all.take(request.now_ms))
            .map_err(refused(true))
    }

    fn answer(&mut self, request: &Request, request_id: &str) -> Result<Value, Reply> {
        let told = |trouble: Trouble| trouble.reply(request_id);
        if !request.path.starts_with("/v1/") {
            return Err(told(Trouble::no_such_path()));
        }
        if !self.auth.admits(request, &self.settings) {
            return Err(told(Trouble::of_status(401)));
        }
        let version = Version::of(request).map_err(told)?;
        self.count(request, request_id)?;
        if request.body.len() > LARGEST {
            return Err(told(Trouble::new(
                413,
                "validation_error",
                "The request body is too large.",
            )));
        }
        self.route(request, version).map_err(told)
    }
}

/// Notion refuses fields that it does not know.
fn only_keys(body: &Value, known: &[&str]) -> Result<(), Trouble> {
    let stranger = body
        .as_object()
        .and_then(|body| body.keys().find(|key| !known.contains(&key.as_str())));
    match stranger {
        Some(stranger) => Err(Trouble::body(&format!("body.{stranger}"), "should be not present.")),
        None => Ok(()),
    }
}

fn me() -> Value {
    json!({
        "object": "user", "id": BOT_ID, "type": "bot", "name": "Switchboard", "avatar_url": null,
        "bot": {"owner": {"type": "workspace", "workspace": true}, "workspace_name": "Example"},
    })
}

impl Vendor for Notion {
    fn handle(&mut self, request: &Arc<Request>) -> Reply {
        match (request.method.as_str(), &*request.path) {
            ("POST", "/v1/oauth/token") => return self.auth.token(request, &self.settings),
            ("GET", "/v1/oauth/authorize") => return self.auth.page(request, &self.settings),
            _ => {}
        }
        let request_id = self.chance.uuid();
        match self.answer(request, &request_id) {
            Ok(shown) => Reply::json(200, &shown).with("x-notion-request-id", request_id),
            Err(reply) => reply,
        }
    }

    fn failure(&mut self, status: u16, _: &Request) -> Reply {
        match status {
            429 => rate_limited(1, false, &self.chance.uuid()),
            // Handled like the other one (fact sheet §8).
            529 => Trouble::of_status(529)
                .reply(&self.chance.uuid())
                .with("retry-after", 1),
            status => Trouble::of_status(status).reply(&self.chance.uuid()),
        }
    }

    fn throttle(&mut self, retry_after_s: Option<u64>, _: &Request) -> Reply {
        rate_limited(retry_after_s.unwrap_or(1), false, &self.chance.uuid())
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
        let show = |page: &Page| Some(page.show(self.schemas.source(&page.source)?, Version::V2026, None));
        match object {
            "pages" => Some(self.pages.all().filter_map(show).collect()),
            "comments" => Some(self.comments.clone()),
            _ => None,
        }
    }

    fn settings(&self) -> Value {
        json!(self.settings)
    }

    fn configure(&mut self, patch: &Value) -> Result<(), String> {
        let settings: Settings = patched(&self.settings, patch)?;
        self.schemas.make_missing(&settings.databases)?;
        self.calls.clear();
        let shared = settings.workspace_calls_per_minute;
        self.workspace_calls = (shared > 0).then(|| Rolling::new(self.setup.limit(shared), 60_000, 1));
        self.settings = settings;
        Ok(())
    }
}
