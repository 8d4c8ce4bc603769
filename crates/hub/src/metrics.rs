//! What is counted, for Prometheus.

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    kind: &'static str,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeliveryLabels {
    connector: String,
    state: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    connector: String,
    operation: String,
    outcome: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallbackLabels {
    source: String,
    result: &'static str,
}

/// The counters of one hub.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    callbacks: Family<CallbackLabels, Counter>,
    events: Family<EventLabels, Counter>,
    deliveries: Family<DeliveryLabels, Counter>,
    calls: Family<CallLabels, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("switchboard");
        let events = Family::default();
        let deliveries = Family::default();
        let calls = Family::default();
        let callbacks = Family::default();
        registry.register(
            "callbacks",
            "Requests to sources by what became of them: kept, repeat, test, handshake, refused, failed",
            callbacks.clone(),
        );
        registry.register(
            "events",
            "Events by type, accepted or recognised as a repeat",
            events.clone(),
        );
        registry.register(
            "deliveries",
            "Tries of deliveries by the state that they ended in",
            deliveries.clone(),
        );
        registry.register("calls", "Calls to vendors by operation and outcome", calls.clone());
        Self {
            registry,
            callbacks,
            events,
            deliveries,
            calls,
        }
    }
}

impl Metrics {
    /// An event came; `result` is `accepted` or `repeat`.
    pub fn event(&self, kind: &'static str, result: &'static str) {
        self.events.get_or_create(&EventLabels { kind, result }).inc();
    }

    /// A request came to a source of this kind.
    pub fn received(&self, source: &str, result: &'static str) {
        let source = source.to_owned();
        self.callbacks.get_or_create(&CallbackLabels { source, result }).inc();
    }

    /// Tries of so many deliveries ended in this state.
    pub fn settled(&self, connector: &str, state: &str, count: u64) {
        self.deliveries
            .get_or_create(&DeliveryLabels {
                connector: connector.into(),
                state: state.into(),
            })
            .inc_by(count);
    }

    /// A call was made.
    pub fn called(&self, connector: &str, operation: &str, outcome: &str) {
        let labels = CallLabels {
            connector: connector.into(),
            operation: operation.into(),
            outcome: outcome.into(),
        };
        self.calls.get_or_create(&labels).inc();
    }

    /// All of them in Prometheus' text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
