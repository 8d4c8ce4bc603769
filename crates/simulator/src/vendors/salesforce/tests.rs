//! Requests and the replies that the fact sheet gives for them.

mod batches;
mod queries;
mod records;
mod sessions;

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};

use super::*;

/// 2026-11-20T10:15:30Z.
const NOW: i64 = 1_795_169_730_000;
const DATA: &str = "/services/data/v68.0";

/// An org and a session in it.
struct Caller {
    org: Salesforce,
    token: String,
    now_ms: i64,
}

impl Caller {
    fn new() -> Self {
        Self::with(&json!({}))
    }

    fn with(settings: &Value) -> Self {
        let mut org = Salesforce::new(&Setup {
            accept_any_credentials: true,
            ..Setup::default()
        });
        org.configure(settings).unwrap();
        let mut caller = Self {
            org,
            token: String::new(),
            now_ms: NOW,
        };
        caller.log_in();
        caller
    }

    fn log_in(&mut self) {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "app"),
            ("client_secret", "s"),
        ];
        let reply = self.send(Request::new(Method::POST, "/services/oauth2/token").with_form(&form));
        self.token = reply.value()["access_token"].as_str().unwrap().to_owned();
    }

    fn send(&mut self, request: Request) -> Reply {
        let request = if self.token.is_empty() {
            request
        } else {
            request.with_bearer(&self.token.clone())
        };
        self.org.handle(&Arc::new(request.at(self.now_ms)))
    }

    fn get(&mut self, path: &str) -> Reply {
        self.send(Request::new(Method::GET, &format!("{DATA}{path}")))
    }

    fn write(&mut self, method: Method, path: &str, body: &Value) -> Reply {
        self.send(Request::new(method, &format!("{DATA}{path}")).with_json(body))
    }

    fn post(&mut self, path: &str, body: &Value) -> Reply {
        self.write(Method::POST, path, body)
    }

    fn patch(&mut self, path: &str, body: &Value) -> Reply {
        self.write(Method::PATCH, path, body)
    }

    fn delete(&mut self, path: &str) -> Reply {
        self.send(Request::new(Method::DELETE, &format!("{DATA}{path}")))
    }

    /// Makes a record that has to be accepted, and returns its id.
    fn make(&mut self, object: &str, body: &Value) -> String {
        let reply = self.post(&format!("/sobjects/{object}"), body);
        assert_eq!(reply.status, 201, "{}", reply.value());
        reply.value()["id"].as_str().unwrap().to_owned()
    }

    /// The ids that a query finds, or the code of its refusal.
    fn query(&mut self, text: &str) -> Result<Vec<String>, String> {
        let text: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let reply = self.get(&format!("/query?q={text}"));
        let value = reply.value();
        match reply.status {
            200 => {
                let records = value["records"].as_array().unwrap();
                Ok(records
                    .iter()
                    .map(|record| record["Id"].as_str().unwrap().to_owned())
                    .collect())
            }
            _ => Err(code(&reply)),
        }
    }
}

/// The code of the first error in a reply.
fn code(reply: &Reply) -> String {
    reply.value()[0]["errorCode"].as_str().unwrap_or_default().to_owned()
}

fn lead(last_name: &str) -> Value {
    json!({"LastName": last_name, "Company": "客户有限公司"})
}
