//! Any receiver of webhooks: takes every method on every path, remembers what came, and counts what came twice. A body that
//! is a JSON array holds one message in each item.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::journal;
use crate::message::{Reply, Request};
use crate::vendor::Vendor;

/// As many deliveries are kept whole; all are counted.
const KEPT: usize = 100_000;

/// Members of a message in an array that say which message it is; the first that is there counts.
const OWN_KEYS: [&str; 2] = ["webhook-id", "id"];

/// A receiver of webhooks.
#[derive(Debug, Default)]
pub struct Webhook {
    received: VecDeque<Delivery>,
    keys: HashSet<(String, String)>,
    counts: Counts,
}

/// One message.
#[derive(Debug)]
struct Delivery {
    request: Arc<Request>,
    /// Its position, when it came in an array.
    item: Option<usize>,
    repeat: bool,
}

#[derive(Debug, Default)]
struct Counts {
    calls: u64,
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

    /// The messages of a body that is an array.
    fn items(request: &Request) -> Option<Vec<Value>> {
        // Most bodies are no arrays, and need not be read for that.
        let first = request.body.iter().find(|byte| !byte.is_ascii_whitespace());
        match first {
            Some(b'[') => serde_json::from_slice(&request.body).ok(),
            _ => None,
        }
    }

    /// The same for one message of an array. One without a key of its own is known by the key of the call and its position.
    fn key_of_item(request: &Request, position: usize, item: &Value) -> Option<String> {
        let own = OWN_KEYS.iter().find_map(|name| item[*name].as_str());
        own.map(str::to_owned)
            .or_else(|| Some(format!("{}/{position}", Self::key(request)?)))
    }

    fn take(&mut self, request: &Arc<Request>, item: Option<usize>, key: Option<String>) {
        // Whoever listens at another address is another receiver.
        let repeat = key.is_some_and(|key| !self.keys.insert((request.path.clone(), key)));
        self.counts.deliveries += 1;
        self.counts.repeats += u64::from(repeat);
        if self.received.len() == KEPT {
            self.received.pop_front();
        }
        let request = Arc::clone(request);
        self.received.push_back(Delivery { request, item, repeat });
    }
}

impl Vendor for Webhook {
    fn handle(&mut self, request: &Arc<Request>) -> Reply {
        self.counts.calls += 1;
        match Self::items(request) {
            None => self.take(request, None, Self::key(request).map(str::to_owned)),
            Some(items) => {
                for (position, item) in items.iter().enumerate() {
                    self.take(request, Some(position), Self::key_of_item(request, position, item));
                }
            }
        }
        Reply {
            status: 200,
            headers: vec![("content-type".into(), "application/json".to_owned())],
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
        let Counts {
            calls,
            deliveries,
            repeats,
        } = self.counts;
        BTreeMap::from([("calls", calls), ("deliveries", deliveries), ("repeats", repeats)].map(named))
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
        let mut body = request.json().unwrap_or_else(|_| text());
        let mut key = Webhook::key(request).map(str::to_owned);
        if let Some(position) = self.item {
            body = body[position].take();
            key = Webhook::key_of_item(request, position, &body);
        }
        json!({
            "at_ms": request.now_ms,
            "method": request.method.as_str(),
            "path": request.target(),
            "headers": journal::headers(request),
            "body": body,
            "key": key,
            "repeat": self.repeat,
        })
    }
}

fn named((name, count): (&str, u64)) -> (String, u64) {
    (name.to_owned(), count)
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

    #[test]
    fn each_message_of_an_array_is_a_delivery_with_a_key_of_its_own() {
        let mut webhook = Webhook::default();
        let call = |key: &str, body: Value| {
            Request::new(Method::POST, "/")
                .with_header("webhook-id", key)
                .with_json(&body)
        };
        let message = |key: &str| json!({"webhook-id": key, "id": "e", "data": 1});
        send(&mut webhook, call("g1", json!([message("m1"), message("m2")])));
        // Grouped anew, and alone: the messages are the same.
        send(&mut webhook, call("g2", json!([message("m2"), message("m3")])));
        send(&mut webhook, call("m3", message("m3")));
        send(&mut webhook, call("g3", json!([{"data": 1}, {"id": "i", "data": 2}])));
        let counts = webhook.counts();
        assert_eq!((counts["calls"], counts["deliveries"], counts["repeats"]), (4, 7, 2));
        let records = webhook.records("deliveries").unwrap();
        let keys: Vec<_> = records.iter().map(|record| record["key"].clone()).collect();
        assert_eq!(keys, ["m1", "m2", "m2", "m3", "m3", "g3/0", "i"]);
        assert_eq!(records[1]["body"], message("m2"));
        assert_eq!(webhook.records("repeats").unwrap().len(), 2);
    }
}
