//! Outgoing webhooks: endpoints, what they are told, and what becomes of those that do not answer.

mod consumer;
mod endpoints;
mod receivers;
mod signing;
mod subscriptions;
mod zapier;

use serde_json::{Value, json};

use crate::hub::{Folder, Hub};

/// A hub that looks for silent endpoints all the time.
fn start(folder: &Folder, disable_after_seconds: &str) -> Hub {
    folder.start_with(&[
        "--retry-base-ms",
        "20",
        "--retry-cap-ms",
        "200",
        "--webhooks-disable-after-seconds",
        disable_after_seconds,
    ])
}

/// Makes an endpoint that is told this.
async fn endpoint(hub: &Hub, url: &str, events: &[&str]) -> Value {
    let body = json!({"name": "Kho hàng", "url": url, "events": events, "retry_seconds": [0, 0, 1, 1, 1, 1, 1, 1]});
    hub.post("/v1/webhooks", &body).await.fine(201)
}

async fn delete(hub: &Hub, path: &str) -> u16 {
    hub.send(hub.request("DELETE", path)).await.status
}

async fn patch(hub: &Hub, path: &str, body: &Value) -> Value {
    let request = hub.request("PATCH", path).header("content-type", "application/json");
    hub.send(request.body(body.to_string())).await.fine(200)
}

fn id(endpoint: &Value) -> &str {
    endpoint["id"].as_str().unwrap()
}
