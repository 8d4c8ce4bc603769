//! What a caller says about an endpoint.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use switchboard_hub::{EndpointChange, NewEndpoint, Signature, outgoing::Owner};
use switchboard_model::{
    condition::Condition,
    id::KeyId,
    problem::{Code, Problem},
};
use utoipa::ToSchema;

use crate::api::body::typed;

/// Longest name that a subscriber gives itself, in characters.
const LONGEST_SOURCE: usize = 100;

/// How messages are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SignatureKind {
    /// HMAC-SHA256 with a secret that the receiver has, too.
    V1,
    /// Ed25519 with a private key; the receiver has the public one.
    V1a,
}

impl From<SignatureKind> for Signature {
    fn from(kind: SignatureKind) -> Self {
        match kind {
            SignatureKind::V1 => Self::Shared,
            SignatureKind::V1a => Self::Private,
        }
    }
}

/// An endpoint to be made.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// The name that people see; its host when not given.
    #[schema(example = "Warehouse", min_length = 1, max_length = 200)]
    name: Option<String>,
    /// Where it is; https, unless the operator allows private addresses.
    #[schema(example = "https://example.org/hooks/crm", max_length = 2000)]
    url: Option<String>,
    /// The same as `url`, as older subscribers write it.
    #[schema(max_length = 2000)]
    target_url: Option<String>,
    /// What it is told: types of events, families like `call.*`, or `*`.
    #[schema(example = json!(["message.received", "task.completed"]), min_items = 1, max_items = 50)]
    events: Option<Vec<String>>,
    /// The same as `events` with one type.
    event: Option<String>,
    /// What must hold besides, in CEL over the members of the event's data.
    #[schema(example = "priority == 'high'", max_length = 4096)]
    condition: Option<String>,
    /// The same in a simple form: members of the data and the values that they must have.
    filter: Option<Map<String, Value>>,
    /// Further headers of each message. Nothing shows their values again.
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    headers: Option<BTreeMap<String, String>>,
    /// `false`: it is told nothing until it is made active.
    active: Option<bool>,
    /// The waits in seconds after the first, second … failed try; a message is given up after one try more. Three days of tries when not given.
    #[schema(example = json!([5, 300, 1800, 7200]), min_items = 1, max_items = 40)]
    retry_seconds: Option<Vec<u64>>,
    /// How messages are signed; `v1` when not given.
    signature: Option<SignatureKind>,
    /// What the subscriber calls itself.
    #[schema(example = "zapier", max_length = 100)]
    source: Option<String>,
}

impl NewWebhook {
    /// What the hub makes of it. `is_subscription`: it came to the address of subscribers.
    ///
    /// # Errors
    /// When something is said twice or not at all.
    pub fn endpoint(self, key: KeyId, is_subscription: bool) -> Result<NewEndpoint, Problem> {
        let url = one_of(("url", self.url), ("target_url", self.target_url))?;
        let events = one_of(("events", self.events), ("event", self.event.map(|event| vec![event])))?;
        if self
            .source
            .as_ref()
            .is_some_and(|source| source.chars().count() > LONGEST_SOURCE)
        {
            let detail = format!("`source` is longer than {LONGEST_SOURCE} characters");
            return Err(Problem::new(Code::WrongShape, detail, "Send a short name.").at("source"));
        }
        let given = |condition: &String| !condition.trim().is_empty();
        Ok(NewEndpoint {
            name: self.name,
            url,
            events,
            condition: both(self.condition.filter(given), self.filter)?,
            headers: self.headers.unwrap_or_default().into_iter().collect(),
            active: self.active.unwrap_or(true),
            retry_seconds: self.retry_seconds,
            signature: self.signature.unwrap_or(SignatureKind::V1).into(),
            owner: Owner {
                key,
                is_subscription,
                source: self.source,
            },
        })
    }
}

/// What is to be changed of an endpoint.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookChange {
    /// The name.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// Where it is.
    #[schema(max_length = 2000)]
    url: Option<String>,
    /// What it is told.
    #[schema(min_items = 1, max_items = 50)]
    events: Option<Vec<String>>,
    /// What must hold besides; `null` takes it away.
    #[schema(max_length = 4096)]
    condition: Option<String>,
    /// All further headers, in place of those that it has.
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    headers: Option<BTreeMap<String, String>>,
    /// Whether it is told anything.
    active: Option<bool>,
    /// The waits in seconds after the first, second … failed try.
    #[schema(min_items = 1, max_items = 40)]
    retry_seconds: Option<Vec<u64>>,
}

impl WebhookChange {
    /// Reads a body.
    ///
    /// # Errors
    /// When it has another shape.
    pub fn read(body: Value) -> Result<EndpointChange, Problem> {
        let condition_is_named = body.get("condition").is_some();
        let change: Self = typed(body)?;
        Ok(EndpointChange {
            name: change.name,
            url: change.url,
            events: change.events,
            condition: condition_is_named.then_some(change.condition),
            headers: change.headers.map(|headers| headers.into_iter().collect()),
            active: change.active,
            retry_seconds: change.retry_seconds,
        })
    }
}

/// The one of two spellings that is there.
fn one_of<T>((name, value): (&str, Option<T>), (other_name, other): (&str, Option<T>)) -> Result<T, Problem> {
    let refuse = |detail: String| {
        let next = "Send {\"url\": \"https://…\", \"events\": [\"message.received\"]}.";
        Err(Problem::new(Code::WrongShape, detail, next).at(name))
    };
    match (value, other) {
        (Some(value), None) | (None, Some(value)) => Ok(value),
        (None, None) => refuse(format!("`{name}` is missing")),
        (Some(_), Some(_)) => refuse(format!("`{name}` and `{other_name}` say the same; send one of them")),
    }
}

/// A condition and a filter as one condition.
fn both(condition: Option<String>, filter: Option<Map<String, Value>>) -> Result<Option<String>, Problem> {
    let Some(filter) = filter.filter(|filter| !filter.is_empty()) else {
        return Ok(condition);
    };
    let each = filter
        .into_iter()
        .map(|(field, value)| json!({"field": field, "operator": "equals", "value": value}));
    let filter = Condition::from_guide(&Value::Array(each.collect())).map_err(|error| {
        let next = "Send members of the event's data and the values that they must have.";
        Problem::new(Code::ConditionSyntax, error.to_string(), next).at("filter")
    })?;
    Ok(Some(match condition {
        Some(condition) => format!("({condition}) && {}", filter.source()),
        None => filter.source().to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(body: Value) -> Result<NewEndpoint, Problem> {
        typed::<NewWebhook>(body)?.endpoint(KeyId(1), true)
    }

    #[test]
    fn both_spellings_say_the_same() {
        for body in [
            json!({"url": "https://example.org/", "events": ["task.completed"]}),
            json!({"target_url": "https://example.org/", "event": "task.completed"}),
        ] {
            let new = endpoint(body).unwrap();
            assert_eq!(
                (new.url.as_str(), new.events),
                ("https://example.org/", vec!["task.completed".to_owned()])
            );
        }
    }

    #[test]
    fn a_filter_is_a_condition() {
        let with = |more: Value| {
            let mut body = json!({"url": "https://example.org/", "event": "*"});
            body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            endpoint(body).unwrap().condition
        };
        assert_eq!(with(json!({})), None);
        assert_eq!(with(json!({"condition": " "})), None);
        assert_eq!(with(json!({"filter": {}})), None);
        let both = with(json!({"condition": "a == 1 || b == 2", "filter": {"stage": "Won"}})).unwrap();
        assert!(
            both.starts_with("(a == 1 || b == 2) && ") && both.contains("stage"),
            "{both}"
        );
        assert!(Condition::parse(&both).is_ok());
    }

    #[test]
    fn what_is_missing_or_said_twice_is_named() {
        for (body, place) in [
            (json!({"events": ["*"]}), "url"),
            (json!({"url": "https://example.org/"}), "events"),
            (
                json!({"url": "https://example.org/", "target_url": "https://example.org/", "event": "*"}),
                "url",
            ),
        ] {
            assert_eq!(endpoint(body).unwrap_err().place.as_deref(), Some(place));
        }
        let unknown = endpoint(json!({"urls": "https://example.org/"})).unwrap_err();
        assert!(unknown.detail.contains("urls"), "{}", unknown.detail);
    }
}
