//! What a person or a subscriber says about an endpoint, and the connection and the route that carry it out.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use switchboard_connect::guide::is_event_pattern;
use switchboard_model::{
    condition::Condition,
    connection::{ConnectionSpec, ValueRules},
    event::EVENT_TYPES,
    id::{KeyId, WebhookId},
    nearest::nearest,
    problem::{Code, Problem},
    route::{RouteSpec, Strategy, Target},
};

use super::{CONNECTOR, OBJECT, payload};

/// The waits between tries, in seconds: about three days in all (fact sheet standard-webhooks §6).
pub const RETRY_SECONDS: [u64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// The longest wait between two tries, in seconds.
const LONGEST_WAIT: u64 = 604_800;
/// Most waits.
const MOST_WAITS: usize = 40;
/// Most types of events that one endpoint names.
const MOST_EVENTS: usize = 50;
/// Most characters of a name.
const LONGEST_NAME: usize = 200;
/// Most further headers.
const MOST_HEADERS: usize = 20;
/// Most characters of the value of a header.
const LONGEST_HEADER: usize = 2_000;
/// Headers that the hub or HTTP itself sets.
const OWN_HEADERS: [&str; 9] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "idempotency-key",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Among connections an endpoint is never the one that is meant when only the connector is named; this keeps it at the end of lists.
const PRIORITY: i64 = 1_000_000;

/// What is kept of an endpoint. Its secrets, the values of its headers among them, are those of its connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The name that people see.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// The types of events that it is told: `person.created`, `person.*`, `*`.
    pub events: Vec<String>,
    /// CEL; what must hold besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// The names of its further headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// `false`: it is told nothing new, and what waits for it waits on.
    pub active: bool,
    /// The waits in seconds after the first, second … failed try.
    pub retry_seconds: Vec<u64>,
    /// Who made it.
    pub owner: Owner,
    /// Why it was switched off by the hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,
    /// The key that its receiver checks `v1a` signatures with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// Until when the former secret signs, too, Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap_until_ms: Option<i64>,
}

/// Who made an endpoint, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// By this API key.
    pub key: KeyId,
    /// A program subscribed (a REST hook): the subscription ends when its receiver says that it is gone, and each message has an `id`.
    pub is_subscription: bool,
    /// What the subscriber calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// That the hub has switched an endpoint off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// Why, for a person.
    pub reason: String,
}

impl Endpoint {
    /// The connection that carries it out, with these secrets.
    pub fn connection(&self, id: WebhookId, secrets: Map<String, Value>) -> ConnectionSpec {
        let settings = json!({ "url": self.url, "retryAfterSeconds": self.retry_seconds });
        let mut mappings = IndexMap::new();
        if self.owner.is_subscription {
            mappings.insert(OBJECT.to_owned(), payload::with_id());
        }
        ConnectionSpec {
            key: id.to_string(),
            connector: CONNECTOR.to_owned(),
            name: self.name.clone(),
            enabled: self.active,
            priority: PRIORITY,
            auth_kind: "signature".to_owned(),
            settings: settings.as_object().cloned().unwrap_or_default(),
            secrets,
            mappings,
            condition: None,
            objects: Vec::new(),
            notes: Vec::new(),
            values: ValueRules::default(),
        }
    }

    /// The route that leads to it.
    pub fn route(&self, id: WebhookId) -> RouteSpec {
        let target = Target {
            system: id.to_string(),
            objects: vec![OBJECT.to_owned()],
            options: Map::new(),
        };
        RouteSpec {
            key: id.to_string(),
            on: self.events.join(","),
            condition: self.condition.clone(),
            strategy: Strategy::ParallelSync { targets: vec![target] },
            enabled: self.active,
        }
    }

    /// Everything that is wrong with it, its address apart.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut wrong = |place: &str, detail: String, next: &str| {
            problems.push(Problem::new(Code::WrongShape, detail, next).at(place));
        };
        if self.name.trim().is_empty() || self.name.chars().count() > LONGEST_NAME {
            let detail = format!("A name has 1 to {LONGEST_NAME} characters");
            wrong("name", detail, "Give it a short name.");
        }
        if self.events.is_empty() || self.events.len() > MOST_EVENTS {
            let detail = format!("An endpoint is told 1 to {MOST_EVENTS} types of events");
            wrong(
                "events",
                detail,
                "Name the types, families like `call.*`, or `*` for everything.",
            );
        }
        for (at, event) in self
            .events
            .iter()
            .enumerate()
            .filter(|(_, event)| !is_event_pattern(event))
        {
            let near = nearest(event, EVENT_TYPES.iter().map(|(name, _)| *name));
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            let shown: String = event.chars().take(80).collect();
            let detail = format!("There is no event type `{shown}`{near}");
            let next = "GET /v1/event-types lists them; families are written `call.*`, everything `*`.";
            wrong(&format!("events/{at}"), detail, next);
        }
        if let Some(error) = self.condition.as_deref().map(Condition::parse).and_then(Result::err) {
            let problem = Problem::new(Code::ConditionSyntax, error.to_string(), "Mend the condition (CEL).");
            problems.push(problem.at("condition"));
            return problems;
        }
        let waits = &self.retry_seconds;
        if waits.is_empty() || waits.len() > MOST_WAITS || waits.iter().any(|wait| *wait > LONGEST_WAIT) {
            let detail =
                format!("`retry_seconds` is a list of 1 to {MOST_WAITS} waits of at most {LONGEST_WAIT} seconds");
            wrong("retry_seconds", detail, "Leave it out for three days of tries.");
        }
        problems
    }
}

/// Checks further headers.
///
/// # Errors
/// Everything that is wrong with them.
pub fn check_headers(headers: &IndexMap<String, String>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut wrong = |name: &str, detail: String| {
        let next = "Send names and values of headers as text, for example {\"x-api-key\": \"…\"}.";
        problems.push(Problem::new(Code::WrongShape, detail, next).at(format!("headers/{name}")));
    };
    if headers.len() > MOST_HEADERS {
        wrong("", format!("An endpoint has at most {MOST_HEADERS} further headers"));
    }
    for (name, value) in headers {
        let shown: String = name.chars().take(80).collect();
        let lower = name.to_ascii_lowercase();
        if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
            wrong(&shown, format!("`{shown}` is no name of a header"));
        } else if OWN_HEADERS.contains(&lower.as_str()) || lower.starts_with("webhook-") {
            wrong(&shown, format!("The header `{shown}` is set by the hub itself"));
        }
        if value.len() > LONGEST_HEADER || http::HeaderValue::from_str(value).is_err() {
            wrong(
                &shown,
                format!("The value of `{shown}` has characters that no header may have, or too many"),
            );
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint() -> Endpoint {
        Endpoint {
            name: "Kho hàng".into(),
            url: "https://example.org/hook".into(),
            events: vec!["message.received".into(), "task.*".into()],
            condition: Some("priority == 'high'".into()),
            headers: vec![],
            active: true,
            retry_seconds: RETRY_SECONDS.to_vec(),
            owner: Owner {
                key: KeyId(1),
                is_subscription: false,
                source: None,
            },
            stop: None,
            public_key: None,
            overlap_until_ms: None,
        }
    }

    #[test]
    fn the_tries_take_three_days() {
        let hours = RETRY_SECONDS.iter().sum::<u64>() / 3_600;
        assert!((72..=96).contains(&hours), "{hours}");
    }

    #[test]
    fn a_route_leads_its_events_to_its_connection() {
        let endpoint = endpoint();
        assert!(endpoint.problems().is_empty());
        let route = endpoint.route(WebhookId(9));
        assert!(route.takes("message.received") && route.takes("task.completed") && !route.takes("call.missed"));
        let connection = endpoint.connection(WebhookId(9), Map::new());
        assert_eq!(route.strategy.targets()[0].system, connection.key);
        assert!(connection.mappings.is_empty());
        assert_eq!(serde_json::from_value::<Endpoint>(json!(endpoint)).unwrap(), endpoint);
    }

    #[test]
    fn what_is_wrong_is_told_all_at_once_with_its_place() {
        let wrong = Endpoint {
            name: " ".into(),
            events: vec!["message.recieved".into(), "nothing.*".into(), "*".into()],
            condition: Some("priority ==".into()),
            retry_seconds: vec![],
            ..endpoint()
        };
        let problems = wrong.problems();
        let places: Vec<_> = problems.iter().filter_map(|problem| problem.place.as_deref()).collect();
        assert_eq!(places, ["name", "events/0", "events/1", "condition"]);
        assert!(
            problems[1].detail.contains("did you mean `message.received`?"),
            "{}",
            problems[1].detail
        );
    }

    #[test]
    fn headers_of_the_hub_cannot_be_overwritten() {
        let check = |name: &str, value: &str| check_headers(&IndexMap::from([(name.into(), value.into())])).len();
        assert_eq!(check("x-make-apikey", "s3cret"), 0);
        for (name, value) in [
            ("Webhook-Id", "1"),
            ("content-type", "x"),
            ("a b", "1"),
            ("x", "a\nb"),
            ("x", "ключ\n"),
        ] {
            assert_eq!(check(name, value), 1, "{name}: {value}");
        }
    }
}
