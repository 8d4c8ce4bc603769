//! Any receiver of webhooks: takes every method on every path, remembers what came, and counts what came twice.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::journal;
use crate::message::{Reply, Request};
use crate::vendor::Vendor;

/// As many deliveries are kept whole; all are counted.
const KEPT: usize = 100_000;

/// A receiver of webhooks.
#[derive(Debug, Default)]
pub struct Webhook {
    received: VecDeque<Delivery>,
    keys: HashSet<(String, String)>,
    counts: Counts,
}

#[derive(Debug)]
struct Delivery {
    request: Arc<Request>,
    repeat: bool,
}

#[derive(Debug, Default)]
struct Counts {
    deliveries: u64,
    repeats: u64,
}

impl Webhook {
    /// The key by which a sender says that two deliveries are one: Standard Webhooks' `webhook-id` or `Idempotency-Key`.
    fn key(request: &Request) -> Option<&str> {
        request
            .header("webhook-id")
            .or_else(|| request.header("idempotency-key"))
    }
}

impl Vendor for Webhook {
    fn handle(&mut self, request: &Arc<Request>) -> Reply {
        // Whoever listens at another address is another receiver.
        let key = Self::key(request).map(|key| (request.path.clone(), key.to_owned()));
        let repeat = key.is_some_and(|key| !self.keys.insert(key));
        self.counts.deliveries += 1;
        self.counts.repeats += u64::from(repeat);
        if self.received.len() == KEPT {
            self.received.pop_front();
        }
        let request = Arc::clone(request);
        self.received.push_back(Delivery { request, repeat });
        Reply {
            status: 200,
            headers: vec![("content-type", "application/json".to_owned())],
            body: bytes::Bytes::from_static(br#"{"ok":true}"#),
        }
    }

    fn failure(&mut self, status: u16, _: &Request) -> Reply {
        Reply::json(status, &json!({ "ok": false, "status": status }))
    }

    fn throttle(&mut self, retry_after_s: Option<u64>, request: &Request) -> Reply {
        self.failure(429, request)
            .with("retry-after", retry_after_s.unwrap_or(1))
    }

    fn expire_tokens(&mut self, _: i64) {}

    fn revoke_tokens(&mut self) {}

    fn counts(&self) -> BTreeMap<String, u64> {
        let Counts { deliveries, repeats } = self.counts;
        BTreeMap::from([("deliveries".to_owned(), deliveries), ("repeats".to_owned(), repeats)])
    }

    fn records(&self, object: &str) -> Option<Vec<Value>> {
        let wanted = |delivery: &&Delivery| object == "deliveries" || delivery.repeat;
        matches!(object, "deliveries" | "repeats")
            .then(|| self.received.iter().filter(wanted).map(Delivery::to_json).collect())
    }

    fn settings(&self) -> Value {
        json!({})
    }

    fn configure(&mut self, _: &Value) -> Result<(), String> {
        Err("a receiver of webhooks has no settings".to_owned())
    }
}

impl Delivery {
    fn to_json(&self) -> Value {
        let request = &self.request;
        let text = || Value::String(String::from_utf8_lossy(&request.body).into_owned());
        json!({
            "at_ms": request.now_ms,
            "method": request.method.as_str(),
            "path": request.target(),
            "headers": journal::headers(request),
            "body": request.json().unwrap_or_else(|_| text()),
            "key": Webhook::key(request),
            "repeat": self.repeat,
        })
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    fn send(webhook: &mut Webhook, request: Request) -> u16 {
        webhook.handle(&Arc::new(request)).status
    }

    #[test]
    fn everything_is_taken_and_remembered() {
        let mut webhook = Webhook::default();
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE] {
            let request = Request::new(method, "/any/päth?x=1").with_json(&json!({"имя": "Анна"}));
            assert_eq!(send(&mut webhook, request), 200);
        }
        let records = webhook.records("deliveries").unwrap();
        assert_eq!(records.len(), 4);
        assert_eq!(records[1]["body"], json!({"имя": "Анна"}));
        assert_eq!(records[1]["path"], "/any/päth?x=1");
        assert_eq!(webhook.records("leads"), None);
    }

    #[test]
    fn a_repeat_is_known_by_either_key_and_counted_apart() {
        let mut webhook = Webhook::default();
        for (name, value) in [
            ("webhook-id", "msg_1"),
            ("webhook-id", "msg_1"),
            ("idempotency-key", "k"),
            ("idempotency-key", "k"),
            ("idempotency-key", "k2"),
            ("x-other", "k"),
        ] {
            send(&mut webhook, Request::new(Method::POST, "/").with_header(name, value));
        }
        send(
            &mut webhook,
            Request::new(Method::POST, "/another").with_header("webhook-id", "msg_1"),
        );
        let counts = webhook.counts();
        assert_eq!((counts["deliveries"], counts["repeats"]), (7, 2));
        assert_eq!(webhook.records("repeats").unwrap().len(), 2);
    }
}
