//! Identifiers: 64-bit numbers that sort by time, shown with a prefix and in Crockford's base 32 (`evt_0R3K…`).
//!
//! The 64 bits hold milliseconds since 2020-01-01 (41 bits), the node (6 bits) and a counter (16 bits), so that an index on
//! them grows at its end only and a page of the newest rows is one range of a table.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// 2020-01-01T00:00:00Z in Unix milliseconds: the zero of the time part.
const EPOCH_MS: i64 = 1_577_836_800_000;
const COUNTER_BITS: u32 = 16;
const NODE_BITS: u32 = 6;
const COUNTER_MASK: i64 = (1 << COUNTER_BITS) - 1;
const NODE_MASK: i64 = (1 << NODE_BITS) - 1;
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 13 digits of 5 bits hold 64 bits.
const DIGITS: usize = 13;

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of this kind; it looks like `{prefix}_` and 13 letters or digits")]
pub struct IdError {
    text: String,
    prefix: &'static str,
}

/// Makes identifiers that never repeat and never go back, also when the clock does.
#[derive(Debug)]
pub struct IdSource {
    node: i64,
    last: i64,
}

impl IdSource {
    /// `node` is 0–63; `last` is the greatest id that the store holds, so that a clock that was set back makes no id twice. It may be one of
    /// another node: then ids begin in the millisecond after it, where that node's do not count on.
    pub fn new(node: u8, last: i64) -> Self {
        let node = i64::from(node & 0x3f);
        let own = (last >> COUNTER_BITS) & NODE_MASK == node;
        Self {
            node,
            last: if own { last } else { first_after(last, node) - 1 },
        }
    }

    /// The next id at `now` (Unix milliseconds).
    pub fn next(&mut self, now_ms: i64) -> i64 {
        let floor = ((now_ms - EPOCH_MS).max(0) << (NODE_BITS + COUNTER_BITS)) | (self.node << COUNTER_BITS);
        self.last = if floor > self.last {
            floor
        } else if (self.last + 1) & COUNTER_MASK == 0 {
            // More than 65,536 ids within a millisecond, or a clock that stands: the next millisecond is begun early, so that the counter does
            // not run into the ids of the next node.
            first_after(self.last, self.node)
        } else {
            self.last + 1
        };
        self.last
    }
}

/// The first id of a node in the millisecond after that of `id`.
fn first_after(id: i64, node: i64) -> i64 {
    (((id >> (NODE_BITS + COUNTER_BITS)) + 1) << (NODE_BITS + COUNTER_BITS)) | (node << COUNTER_BITS)
}

/// The moment (Unix milliseconds) that an id was made at.
pub fn time_of(id: i64) -> i64 {
    (id >> (NODE_BITS + COUNTER_BITS)) + EPOCH_MS
}

/// The smallest id that can be made at or after `ms` (Unix milliseconds): the border of a time range in an index on ids.
pub fn floor_of(ms: i64) -> i64 {
    (ms - EPOCH_MS).max(0) << (NODE_BITS + COUNTER_BITS)
}

fn write_digits(id: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut digits = [0u8; DIGITS];
    let mut rest = id.cast_unsigned();
    for slot in digits.iter_mut().rev() {
        *slot = ALPHABET[(rest & 31) as usize];
        rest >>= 5;
    }
    f.write_str(std::str::from_utf8(&digits).map_err(|_| fmt::Error)?)
}

fn read_digits(text: &str) -> Option<i64> {
    if text.len() != DIGITS {
        return None;
    }
    let mut value: u64 = 0;
    for byte in text.bytes() {
        let digit = ALPHABET.iter().position(|a| *a == byte.to_ascii_lowercase())? as u64;
        value = value.checked_mul(32)?.checked_add(digit)?;
    }
    i64::try_from(value).ok()
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!($prefix, "_"))?;
                write_digits(self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(read_digits)
                    .map(Self)
                    .ok_or_else(|| IdError { text: text.chars().take(40).collect(), prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// One event.
    EventId, "evt"
);
id!(
    /// One delivery: one object bound for one connection.
    DeliveryId, "dlv"
);
id!(
    /// One endpoint of outgoing webhooks.
    WebhookId, "wh"
);
id!(
    /// One try of a delivery.
    AttemptId, "att"
);
id!(
    /// One run of an automation.
    RunId, "run"
);
id!(
    /// One request that a source was sent.
    CallbackId, "cbk"
);
id!(
    /// One API key.
    KeyId, "key"
);
id!(
    /// One route.
    RouteId, "rte"
);
id!(
    /// One record: a person, a company, a row of a table.
    RecordId, "rec"
);
id!(
    /// One merge of two records.
    MergeId, "mrg"
);
id!(
    /// Two records that may be the same.
    DuplicateId, "dup"
);

/// A workspace (tenant). Small numbers, given in the order of creation; the first is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorkspaceId(pub i64);

/// A connection's number inside the store. People see its key (`primary-crm`) instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConnectionId(pub i64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_it_was_written() {
        let mut source = IdSource::new(3, 0);
        for step in 0..1000 {
            let id = EventId(source.next(1_800_000_000_000 + step / 7));
            assert_eq!(id.to_string().parse::<EventId>(), Ok(id));
        }
    }

    #[test]
    fn ids_sort_as_text_like_they_sort_as_numbers() {
        let mut source = IdSource::new(0, 0);
        let ids: Vec<_> = (0..500)
            .map(|ms| EventId(source.next(1_700_000_000_000 + ms * 977)))
            .collect();
        let mut by_text = ids.clone();
        by_text.sort_by_key(ToString::to_string);
        assert_eq!(ids, by_text);
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_id_twice() {
        let mut source = IdSource::new(0, 0);
        let late = source.next(1_800_000_000_000);
        let early = source.next(1_700_000_000_000);
        assert!(early > late);
    }

    #[test]
    fn two_nodes_never_make_the_same_id_also_when_their_clocks_stand_and_one_follows_the_other() {
        let now_ms = 1_800_000_000_000;
        let mut one = IdSource::new(1, 0);
        let ones: std::collections::BTreeSet<i64> = (0..200_000).map(|_| one.next(now_ms)).collect();
        let greatest = *ones.last().unwrap();
        let mut two = IdSource::new(2, greatest);
        let twos: Vec<i64> = (0..200_000).map(|_| two.next(now_ms)).collect();
        let more: Vec<i64> = (0..200_000).map(|_| one.next(now_ms)).collect();
        assert!(twos.is_sorted() && twos[0] > greatest);
        let all: std::collections::HashSet<_> = ones.iter().chain(&twos).chain(&more).collect();
        assert_eq!(all.len(), 600_000);
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let id = EventId(floor_of(1_800_000_000_000));
        assert!(id.to_string().parse::<DeliveryId>().is_err());
        assert!("evt_!".parse::<EventId>().is_err());
        assert_eq!(time_of(id.0), 1_800_000_000_000);
    }
}
