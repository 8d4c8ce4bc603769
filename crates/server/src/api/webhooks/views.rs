//! How endpoints look in answers.

use serde::Serialize;
use switchboard_hub::{EndpointView, clock::moment};
use switchboard_model::{connection::ConnectionState, id::time_of};
use utoipa::ToSchema;

/// An endpoint of outgoing webhooks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Webhook)]
pub struct WebhookView {
    /// Its id; also the key of its connection.
    #[schema(example = "wh_0r3kd8m2v0000")]
    id: String,
    /// The name that people see.
    name: String,
    /// Where it is.
    url: String,
    /// What it is told.
    events: Vec<String>,
    /// What must hold besides, in CEL.
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<String>,
    /// The names of its further headers.
    headers: Vec<String>,
    /// Whether it is told anything.
    active: bool,
    /// `active`; `inactive`: somebody has switched it off; `disabled`: the hub has; `error`: its connection does not work.
    state: &'static str,
    /// Why it is disabled or does not work.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// When the hub switched it off.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_at: Option<String>,
    /// How messages are signed: `v1` or `v1a`.
    signature: &'static str,
    /// The key that `v1a` signatures are checked with, `whpk_…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
    /// Until when the former secret signs, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    former_secret_until: Option<String>,
    /// The waits in seconds after the first, second … failed try.
    retry_seconds: Vec<u64>,
    /// Whether a program subscribed: it is removed when its receiver answers 410, and each of its messages has an `id`.
    subscription: bool,
    /// What the subscriber calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// When it was made.
    created_at: String,
    /// When it was changed last.
    changed_at: String,
    /// Its secret, `whsec_…` or `whsk_…`: only where it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl WebhookView {
    /// How an endpoint looks; `secret` where it is to be shown.
    pub fn of(view: EndpointView, secret: Option<String>) -> Self {
        let endpoint = view.endpoint;
        let (state, reason) = match (&endpoint.stop, endpoint.active, view.state) {
            (Some(stop), false, _) => ("disabled", Some(stop.reason.clone())),
            (_, false, _) => ("inactive", None),
            (_, true, ConnectionState::Active) => ("active", None),
            (_, true, _) => ("error", view.reason),
        };
        Self {
            id: view.id.to_string(),
            name: endpoint.name,
            url: endpoint.url,
            events: endpoint.events,
            condition: endpoint.condition,
            headers: endpoint.headers,
            active: endpoint.active,
            state,
            reason,
            disabled_at: endpoint.stop.map(|stop| moment(stop.at_ms)),
            signature: match endpoint.public_key {
                Some(_) => "v1a",
                None => "v1",
            },
            public_key: endpoint.public_key,
            former_secret_until: endpoint.overlap_until_ms.map(moment),
            retry_seconds: endpoint.retry_seconds,
            subscription: endpoint.owner.is_subscription,
            source: endpoint.owner.source,
            created_at: moment(time_of(view.id.0)),
            changed_at: moment(view.changed_ms),
            secret,
        }
    }
}

/// What a subscriber keeps: with this `id` it unsubscribes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookSubscription)]
pub struct SubscriptionView {
    /// Its id.
    #[schema(example = "wh_0r3kd8m2v0000")]
    id: String,
    /// What it is told; several types with commas between them.
    #[schema(example = "message.received")]
    event: String,
    /// Where it is told.
    url: String,
    /// What messages are signed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// When it was made.
    created_at: String,
}

impl SubscriptionView {
    /// How a subscription looks to its subscriber.
    pub fn of(view: EndpointView, secret: Option<String>) -> Self {
        Self {
            id: view.id.to_string(),
            event: view.endpoint.events.join(","),
            url: view.endpoint.url,
            secret,
            created_at: moment(time_of(view.id.0)),
        }
    }
}
