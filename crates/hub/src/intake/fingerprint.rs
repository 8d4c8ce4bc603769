//! Recognises what came before.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Incoming;
use crate::store::Fingerprint;

/// The request that an item came with, when that has an Idempotency-Key.
#[derive(Clone, Copy)]
pub(super) struct Request<'r> {
    /// The key.
    pub key: &'r str,
    /// The item's place in the request.
    pub index: usize,
    /// How many items the request has.
    pub items: usize,
}

/// The fingerprint of an item, if it has anything to be recognised by. In this order: the request's Idempotency-Key and the item's place in the
/// request; the sender's own id; the message's id in its data (`messageId`); the whole data when it tells the moment at which the
/// message was received, because a customer may well send the same words twice, but not at the same moment.
pub(super) fn of(item: &Incoming, request: Option<Request<'_>>) -> Option<Fingerprint> {
    let text = |name: &str| {
        item.data
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let items = request.map_or(1, |request| request.items);
    let (key, content) = match (request, &item.id, text("messageId")) {
        (Some(Request { key, index, .. }), ..) => (digest(&["key", key, &index.to_string()]), content(item, items)),
        (None, Some(id), _) => (digest(&["id", item.kind.name(), id]), content(item, items)),
        (None, None, Some(id)) => {
            let platform = text("platform").unwrap_or_default();
            (
                digest(&["message", item.kind.name(), platform, id]),
                content(item, items),
            )
        }
        (None, None, None) if item.data.get("receivedAt").is_some_and(|moment| !moment.is_null()) => {
            let content = content(item, items);
            (digest(&["content", item.kind.name(), &hex::encode(content)]), content)
        }
        // Most events of most senders: what they hold need not be written out and hashed.
        _ => return None,
    };
    let mut short = [0; 8];
    short.copy_from_slice(&content[..8]);
    Some(Fingerprint { key, content: short })
}

/// The digest of what came.
fn content(item: &Incoming, items: usize) -> [u8; 32] {
    Sha256::new()
        .chain_update(item.kind.name())
        .chain_update((items as u64).to_be_bytes())
        .chain_update(item.data.text())
        .finalize()
        .into()
}

/// Parts are told apart by their lengths.
fn digest(parts: &[&str]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut short = [0; 16];
    short.copy_from_slice(&hash.finalize()[..16]);
    short
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use switchboard_model::event::EventType;

    use super::*;

    fn item(id: Option<&str>, data: Value) -> Incoming {
        Incoming {
            kind: EventType::find("message.received").unwrap(),
            id: id.map(str::to_owned),
            data: data.as_object().cloned().unwrap().into(),
        }
    }

    fn key(id: Option<&str>, data: Value) -> Option<[u8; 16]> {
        of(&item(id, data), None).map(|fingerprint| fingerprint.key)
    }

    #[test]
    fn the_same_message_has_the_same_fingerprint() {
        for (id, data) in [
            (Some("m-1"), json!({"messageContent": "你好"})),
            (None, json!({"messageId": "77", "platform": "whatsapp"})),
            (
                None,
                json!({"messageContent": "привет", "receivedAt": "2026-11-24T09:30:00Z"}),
            ),
        ] {
            assert!(key(id, data.clone()).is_some());
            assert_eq!(key(id, data.clone()), key(id, data));
        }
    }

    #[test]
    fn the_same_words_without_a_moment_are_two_messages() {
        assert_eq!(key(None, json!({"messageContent": "hello"})), None);
    }

    #[test]
    fn different_messages_have_different_fingerprints() {
        let keys = [
            key(Some("1"), json!({})),
            key(Some("2"), json!({})),
            key(None, json!({"messageId": "1"})),
            key(None, json!({"messageId": "1", "platform": "telegram"})),
            key(None, json!({"receivedAt": 1, "a": 1})),
            key(None, json!({"receivedAt": 1, "a": 2})),
            of(
                &item(Some("1"), json!({})),
                Some(Request {
                    key: "k",
                    index: 0,
                    items: 2,
                }),
            )
            .map(|f| f.key),
            of(
                &item(Some("1"), json!({})),
                Some(Request {
                    key: "k",
                    index: 1,
                    items: 2,
                }),
            )
            .map(|f| f.key),
        ];
        for (at, one) in keys.iter().enumerate() {
            assert!(keys[..at].iter().all(|other| other != one), "{at}");
        }
    }
}
