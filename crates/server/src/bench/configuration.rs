//! Connections and routes of a hub that is measured.

use serde_json::{Value, json};

/// So many calls per second are no limit on any machine.
const NO_LIMIT: u32 = 1_000_000;

/// One connection to a receiver, with the route to it.
#[derive(Debug, Clone)]
pub struct Receiver {
    /// The key of connection and route.
    pub key: &'static str,
    /// The address.
    pub url: String,
    /// The type of event that it gets.
    pub on: &'static str,
    /// Records per call; `None` leaves the connector's own value.
    pub batch: Option<u32>,
    /// Calls at once; `None` leaves the connector's own value.
    pub parallel: Option<u32>,
}

/// Four times as many calls at once as the load generator has connections by default: a call has its place among them from before its intent is
/// synced, and while that happens the receiver is not busy with it.
const PARALLEL: u32 = 256;

/// The type of event that the usual receiver gets.
pub const MESSAGE: &str = "message.received";
/// Another type of event.
pub const LEAD: &str = "lead.received";

impl Receiver {
    /// A receiver of messages with the connector's own values.
    pub fn of_messages(url: &str) -> Self {
        Self {
            key: "bench",
            url: url.to_owned(),
            on: MESSAGE,
            batch: None,
            parallel: Some(PARALLEL),
        }
    }

    fn settings(&self) -> Value {
        let mut settings = json!({ "url": self.url, "callsPerSecond": NO_LIMIT });
        for (name, value) in [("batch", self.batch), ("parallel", self.parallel)] {
            if let Some(value) = value {
                settings[name] = value.into();
            }
        }
        settings
    }
}

/// The file that `switchboard apply` takes.
pub fn configuration(receivers: &[Receiver]) -> Value {
    let connections = receivers.iter().map(|receiver| {
        json!({
            "key": receiver.key, "connector": "webhook", "name": receiver.key, "settings": receiver.settings(),
        })
    });
    let routes = receivers.iter().map(
        |receiver| json!({ "key": receiver.key, "on": receiver.on, "strategy": "parallel_sync", "to": [receiver.key] }),
    );
    json!({ "connections": connections.collect::<Vec<_>>(), "routes": routes.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use switchboard_connect::{document::Document, guide, registry::Registry};

    use super::*;

    #[test]
    fn the_configuration_can_be_read() {
        let messages = Receiver::of_messages("http://127.0.0.1:1/");
        let leads = Receiver {
            key: "other",
            on: LEAD,
            ..messages.clone()
        };
        let text = configuration(&[messages, leads]).to_string();
        let document = Document::parse(&text, "bench.json").unwrap();
        let items = guide::read(&document, &Registry::embedded().unwrap()).unwrap();
        assert_eq!(items.len(), 4);
    }

    #[test]
    fn only_the_pace_and_the_calls_at_once_differ_from_the_connectors_own_values_unless_a_scenario_has_others() {
        let usual = Receiver::of_messages("http://127.0.0.1:1/");
        assert_eq!(
            usual.settings(),
            json!({ "url": "http://127.0.0.1:1/", "callsPerSecond": NO_LIMIT, "parallel": PARALLEL })
        );
        let packed = Receiver {
            batch: Some(50),
            parallel: Some(32),
            ..usual
        };
        let settings = packed.settings();
        assert_eq!((&settings["batch"], &settings["parallel"]), (&json!(50), &json!(32)));
    }
}
