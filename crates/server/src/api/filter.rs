//! Which deliveries are meant: the same words in the query of a list and in the body of a wish.

use jiff::Timestamp;
use switchboard_hub::store::DeliveryFilter;
use switchboard_model::{delivery::DeliveryState, id::EventId};

use super::views::Names;
use crate::nearest::did_you_mean;

/// The words of a filter.
pub const WORDS: [&str; 6] = ["state", "connection", "object", "event", "from", "until"];

/// A word that cannot be read, and why, in a sentence.
pub type Fault = (&'static str, String);

/// Reads a filter; `text` gives a word's text.
///
/// # Errors
/// Everything that is wrong.
pub fn read<'t>(names: &Names, text: impl Fn(&str) -> Option<&'t str>) -> Result<DeliveryFilter, Vec<Fault>> {
    let mut faults = Vec::new();
    let filter = DeliveryFilter {
        state: one("state", &text, state, &mut faults),
        connection: one("connection", &text, |key| connection(names, key), &mut faults),
        event: one(
            "event",
            &text,
            |id| id.parse::<EventId>().map_err(|error| error.to_string()),
            &mut faults,
        ),
        object: one("object", &text, |name| Ok(name.to_owned()), &mut faults),
        from_ms: one("from", &text, |text| moment("from", text), &mut faults),
        until_ms: one("until", &text, |text| moment("until", text), &mut faults),
    };
    if let (Some(from), Some(until)) = (filter.from_ms, filter.until_ms)
        && from >= until
    {
        faults.push(("until", "`until` is not after `from`, so nothing can pass".into()));
    }
    if faults.is_empty() { Ok(filter) } else { Err(faults) }
}

fn one<'t, T>(
    word: &'static str,
    text: impl Fn(&str) -> Option<&'t str>,
    read: impl Fn(&str) -> Result<T, String>,
    faults: &mut Vec<Fault>,
) -> Option<T> {
    match read(text(word)?) {
        Ok(value) => Some(value),
        Err(why) => {
            faults.push((word, why));
            None
        }
    }
}

fn state(name: &str) -> Result<DeliveryState, String> {
    DeliveryState::from_name(name).ok_or_else(|| {
        let known = DeliveryState::ALL.map(DeliveryState::name);
        format!(
            "`{name}` is no state; there are {}{}",
            known.join(", "),
            did_you_mean(name, known)
        )
    })
}

fn connection(names: &Names, key: &str) -> Result<switchboard_model::id::ConnectionId, String> {
    names.find(key).ok_or_else(|| {
        let hint = did_you_mean(key, names.keys());
        format!("There is no connection `{key}`{hint}")
    })
}

fn moment(word: &str, text: &str) -> Result<i64, String> {
    text.parse::<Timestamp>()
        .map(|moment| moment.as_millisecond())
        .map_err(|_| format!("`{word}` is a moment such as 2026-11-24T09:30:00Z (RFC 3339), not `{text}`"))
}
