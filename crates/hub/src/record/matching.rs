//! Which record is meant. Pure.

use std::sync::Arc;

use serde_json::{Map, Value};
use switchboard_model::{
    id::RecordId,
    record::{MatchBy, MatchKey, ObjectType, keys},
};

use super::shelf::Shelf;

/// A record that a key leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub record: RecordId,
    pub key: MatchKey,
    /// A stronger key of it has another value than what came: it is not the same, but worth a look.
    pub doubtful: bool,
}

/// The records that are known by what came, by the strongest key first. Each stands once, with the first key that leads to it.
pub(crate) fn find(
    shelf: &Shelf,
    object: &ObjectType,
    data: &Map<String, Value>,
    only: Option<&[String]>,
) -> Vec<Found> {
    let name: Arc<str> = object.name.as_str().into();
    let all = keys(object, data);
    let mut found: Vec<Found> = Vec::new();
    for (at, key) in all.iter().enumerate() {
        if only.is_some_and(|only| !only.iter().any(|word| is_of(word, key))) {
            continue;
        }
        for record in shelf.holders(&name, key) {
            if found.iter().any(|known| known.record == record) {
                continue;
            }
            let known = shelf
                .live(record)
                .map(|row| keys(object, &row.data))
                .unwrap_or_default();
            found.push(Found {
                record,
                key: key.clone(),
                doubtful: all[..at].iter().any(|stronger| differs(stronger, &known)),
            });
        }
    }
    // Those that are surely meant come first, in the order of their keys.
    found.sort_by_key(|found| found.doubtful);
    found
}

/// Whether the record has keys of this kind, and none of them is this one.
fn differs(key: &MatchKey, known: &[MatchKey]) -> bool {
    let mut same_kind = known.iter().filter(|other| other.kind == key.kind).peekable();
    same_kind.peek().is_some() && !same_kind.any(|other| other.value == key.value)
}

/// Whether a caller's word (`email`, `externalId`, `externalId:shopify`) means this key.
fn is_of(word: &str, key: &MatchKey) -> bool {
    word == key.kind || key.kind.split_once(':').is_some_and(|(kind, _)| kind == word)
}

/// The words by which an object's records can be matched.
pub(crate) fn words(object: &ObjectType) -> Vec<&str> {
    object.keys.iter().map(MatchBy::word).collect()
}
