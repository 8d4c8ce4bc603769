//! A workspace and somebody who calls it.

pub use std::sync::Arc;

pub use http::Method;
pub use serde_json::{Value, json};

use super::super::*;

/// 2026-11-20T10:15:30.123Z.
pub const NOW: i64 = 1_795_169_730_123;
/// The database of the guide.
pub const DATABASE_ID: &str = "1a2b3c4d-0000-4000-8000-00000000d001";
pub const NEWEST: &str = "2026-03-11";
pub const MIDDLE: &str = "2025-09-03";
pub const OLDEST: &str = "2022-06-28";

/// A workspace and a connection to it.
pub struct Caller {
    pub notion: Notion,
    pub token: &'static str,
    pub version: &'static str,
    pub now_ms: i64,
    /// The data source of the guide's database.
    pub source: String,
}

impl Caller {
    pub fn new() -> Self {
        Self::with(&json!({}))
    }

    pub fn with(settings: &Value) -> Self {
        let mut notion = Notion::new(&Setup::default());
        notion
            .configure(&json!({"tokens": ["ntn_good", "secret_other"], "calls_per_minute": 100_000}))
            .unwrap();
        notion.configure(settings).unwrap();
        let mut caller = Self {
            notion,
            token: "ntn_good",
            version: NEWEST,
            now_ms: NOW,
            source: String::new(),
        };
        let database = caller.get(&format!("/v1/databases/{DATABASE_ID}")).value();
        caller.source = database["data_sources"][0]["id"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        caller
    }

    pub fn send(&mut self, request: Request) -> Reply {
        let request = request
            .with_bearer(self.token)
            .with_header("notion-version", self.version)
            .at(self.now_ms);
        self.notion.handle(&Arc::new(request))
    }

    pub fn get(&mut self, target: &str) -> Reply {
        self.send(Request::new(Method::GET, target))
    }

    pub fn post(&mut self, target: &str, body: &Value) -> Reply {
        self.send(Request::new(Method::POST, target).with_json(body))
    }

    pub fn patch(&mut self, target: &str, body: &Value) -> Reply {
        self.send(Request::new(Method::PATCH, target).with_json(body))
    }

    /// Asks for a new row of the guide's table.
    pub fn create(&mut self, properties: &Value) -> Reply {
        let parent = json!({"type": "data_source_id", "data_source_id": self.source});
        self.post("/v1/pages", &json!({"parent": parent, "properties": properties}))
    }

    /// Makes a row that has to be accepted, and returns its id.
    pub fn make(&mut self, properties: &Value) -> String {
        let reply = self.create(properties);
        assert_eq!(reply.status, 200, "{}", reply.value());
        reply.value()["id"].as_str().unwrap().to_owned()
    }

    /// Adds columns to the guide's table.
    pub fn columns(&mut self, columns: &Value) {
        let path = format!("/v1/data_sources/{}", self.source);
        let reply = self.patch(&path, &json!({ "properties": columns }));
        assert_eq!(reply.status, 200, "{}", reply.value());
    }

    /// The ids that a query finds.
    pub fn query(&mut self, body: &Value) -> Vec<String> {
        let path = format!("/v1/data_sources/{}/query", self.source);
        let reply = self.post(&path, body);
        assert_eq!(reply.status, 200, "{}", reply.value());
        let results = reply.value()["results"].clone();
        results
            .as_array()
            .unwrap()
            .iter()
            .map(|page| page["id"].as_str().unwrap().to_owned())
            .collect()
    }
}

pub fn title(text: &str) -> Value {
    json!({"title": [{"text": {"content": text}}]})
}

pub fn rich(text: &str) -> Value {
    json!({"rich_text": [{"text": {"content": text}}]})
}

/// Status and code of a refusal.
pub fn refusal(reply: &Reply) -> (u16, String) {
    let body = reply.value();
    assert_eq!(
        (&body["object"], &body["status"]),
        (&json!("error"), &json!(reply.status))
    );
    assert_eq!(reply.header("x-notion-request-id"), body["request_id"].as_str());
    (reply.status, body["code"].as_str().unwrap_or_default().to_owned())
}
