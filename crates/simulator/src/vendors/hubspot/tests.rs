//! Requests and the replies that the fact sheet gives for them.

mod access;
mod batches;
mod links;
mod objects;
mod searches;

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};

use super::*;

/// 2026-11-20T10:15:30.123Z.
const NOW: i64 = 1_795_169_730_123;
const O: &str = "/crm/objects/2026-09";

/// A portal and a key to it.
struct Caller {
    portal: HubSpot,
    token: String,
    now_ms: i64,
}

impl Caller {
    fn new() -> Self {
        Self::with(&json!({}))
    }

    fn with(settings: &Value) -> Self {
        let mut portal = HubSpot::new(&Setup::default());
        portal
            .configure(&json!({"tokens": ["pat-eu1-ключ", "pat-eu1-1"]}))
            .unwrap();
        portal.configure(settings).unwrap();
        Self {
            portal,
            token: "pat-eu1-1".to_owned(),
            now_ms: NOW,
        }
    }

    fn send(&mut self, request: Request) -> Reply {
        let request = request.with_bearer(&self.token.clone()).at(self.now_ms);
        self.portal.handle(&Arc::new(request))
    }

    fn get(&mut self, target: &str) -> Reply {
        self.send(Request::new(Method::GET, target))
    }

    fn post(&mut self, target: &str, body: &Value) -> Reply {
        self.send(Request::new(Method::POST, target).with_json(body))
    }

    fn patch(&mut self, target: &str, properties: &Value) -> Reply {
        self.send(Request::new(Method::PATCH, target).with_json(&json!({ "properties": properties })))
    }

    fn delete(&mut self, target: &str) -> Reply {
        self.send(Request::new(Method::DELETE, target))
    }

    /// Asks for a new object.
    fn create(&mut self, kind: &str, properties: &Value) -> Reply {
        self.post(
            &format!("{O}/{kind}"),
            &json!({"properties": properties, "associations": []}),
        )
    }

    /// Makes an object that has to be accepted, and returns its id.
    fn make(&mut self, kind: &str, properties: &Value) -> String {
        let reply = self.create(kind, properties);
        assert_eq!(reply.status, 201, "{}", reply.value());
        reply.value()["id"].as_str().unwrap().to_owned()
    }

    /// Makes a property with unique values.
    fn unique_property(&mut self, kind: &str, name: &str) {
        let body = json!({"name": name, "label": "Hub id", "groupName": "contactinformation", "type": "string",
            "fieldType": "text", "hasUniqueValue": true});
        let reply = self.post(&format!("/crm/properties/2026-09/{kind}"), &body);
        assert_eq!(reply.status, 201, "{}", reply.value());
    }
}

/// Category and first code of an error.
fn trouble(reply: &Reply) -> (u16, String, String) {
    let value = reply.value();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    assert!(reply.status < 400 || value["correlationId"].is_string());
    (
        reply.status,
        text(&value["category"]),
        text(&value["errors"][0]["code"]),
    )
}
