//! What a step hands to a connection: an event of its own whose only delivery is decided already.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use switchboard_connect::manifest::RecordKind;
use switchboard_model::{
    automation::SENT,
    event::{Event, EventType},
    id::{EventId, RunId, WorkspaceId},
    problem::{Code, Problem},
};

use crate::{
    configuration::Connection,
    normalise,
    store::{Fingerprint, NewDelivery, NewEvent, place::Place},
};

/// The data of an event by which a step sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sent {
    /// Of which automation.
    pub automation: String,
    /// In which run; none while it is only tried out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub run: Option<RunId>,
    /// By which step.
    pub step: String,
    /// To which connection.
    pub to: String,
    /// What is made there.
    pub object: String,
    /// The object itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub record: Option<Value>,
    /// What the connection's mapping makes it of.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub about: Option<About>,
}

/// What set the run going, for a mapping.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct About {
    /// Its id.
    pub id: EventId,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it was accepted, Unix milliseconds.
    pub received_ms: i64,
    /// Its data, with `steps` and `run` beside it.
    pub data: Map<String, Value>,
}

/// What is to be sent.
#[derive(Debug, Clone)]
pub(super) struct Sending {
    pub connection: Arc<Connection>,
    pub object: Arc<str>,
    pub sent: Sent,
    pub options: Option<Map<String, Value>>,
    pub place: Option<Place>,
    pub record_key: Option<String>,
}

impl Sending {
    /// For people.
    pub fn shown(&self) -> Value {
        json!({
            "connection": self.connection.key,
            "object": self.object,
            "record": self.sent.record,
            "options": self.options,
            "recordKey": self.record_key,
        })
    }

    /// The event of it, which makes no second one under the same run, step and number.
    pub fn event(
        self,
        workspace: WorkspaceId,
        run: RunId,
        at: u32,
        number: usize,
        now_ms: i64,
    ) -> Result<NewEvent, Problem> {
        let kind = EventType::find(SENT).ok_or_else(|| {
            Problem::new(
                Code::Internal,
                "the event type of steps is missing",
                "Please report this.",
            )
        })?;
        let data = match serde_json::to_value(&self.sent) {
            Ok(Value::Object(data)) => data,
            _ => Map::new(),
        };
        Ok(NewEvent {
            workspace,
            kind,
            received_ms: now_ms,
            data: data.into(),
            fingerprint: Some(fingerprint(run, at, number)),
            deliveries: vec![NewDelivery {
                connection: self.connection.id,
                object: self.object,
                record_key: self.record_key,
                place: self.place,
                options: self.options,
                fallback: None,
            }],
            runs: Vec::new(),
            note: None,
        })
    }
}

/// A step sends each of its messages once, whatever is in them: a retry with mended templates is no conflict with what was sent.
fn fingerprint(run: RunId, at: u32, number: usize) -> Fingerprint {
    let digest = Sha256::new()
        .chain_update("automation step")
        .chain_update(run.0.to_be_bytes())
        .chain_update(at.to_be_bytes())
        .chain_update((number as u64).to_be_bytes())
        .finalize();
    let mut key = [0; 16];
    key.copy_from_slice(&digest[..16]);
    Fingerprint { key, content: [0; 8] }
}

/// Which record of the connection it is about: as for a route, by the event or else by the fields that are sent.
pub(super) fn record_key(
    connection: &Connection,
    object: &str,
    event: &Map<String, Value>,
    record: Option<&Value>,
) -> Option<String> {
    let of = match connection.record_kind(object) {
        RecordKind::Person => normalise::person_key,
        RecordKind::Company => normalise::company_key,
        RecordKind::Event => return None,
    };
    of(event).or_else(|| of(record?.as_object()?))
}

/// What a delivery of such an event sends: the object itself, or the event whose data the connection's mapping makes it of.
pub(crate) enum Body {
    /// Made already.
    Record(Value),
    /// To be made of this.
    About(Event),
}

/// Reads an event by which a step sent something; `None` for every other event.
pub(crate) fn sent_record(event: &Event) -> Option<Result<Body, Problem>> {
    if event.kind.name() != SENT {
        return None;
    }
    let broken = || {
        Problem::new(
            Code::Internal,
            format!("the event {} of a step cannot be read", event.id),
            "Please report this.",
        )
    };
    let sent: Result<Sent, _> = serde_json::from_value(Value::Object(event.data.clone()));
    let Ok(sent) = sent else { return Some(Err(broken())) };
    let body = match (sent.record, sent.about) {
        (Some(record), _) => Some(Body::Record(record)),
        (None, Some(about)) => EventType::find(&about.kind).map(|kind| {
            Body::About(Event {
                id: about.id,
                workspace: event.workspace,
                kind,
                received_ms: about.received_ms,
                data: about.data,
            })
        }),
        (None, None) => None,
    };
    Some(body.ok_or_else(broken))
}
