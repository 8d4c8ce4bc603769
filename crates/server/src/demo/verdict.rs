//! Compares what the simulated vendors hold with what was generated: nothing may be missing, nothing may be there twice.
//!
//! A record that stands for an event carries the event's reference in its text. A record that stands for a person is known by
//! the person's e-mail address, else telephone number; people who gave neither get a record per message.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::{generator::Message, scenario::Kind};

/// What is too little and what is too much.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Difference {
    /// Records that should be there and are not.
    pub lost: u64,
    /// Records that are there beside the one that should be.
    pub duplicates: u64,
}

/// Compares the records of one object with the messages that should have made them.
pub fn compare<'a>(
    kind: Kind,
    seed: u64,
    messages: impl Iterator<Item = &'a Message>,
    records: &[Value],
) -> Difference {
    let mut expected: HashMap<String, u64> = HashMap::new();
    let mut seen = HashSet::new();
    for message in messages {
        let name = match kind {
            Kind::Event => event_name(message.number),
            Kind::Person => person_name(message),
        };
        // A person who wrote ten times is one record; so is an event. Only the nameless are counted.
        if seen.insert(name.clone()) || name == NAMELESS {
            *expected.entry(name).or_default() += 1;
        }
    }
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for record in records {
        let name = match kind {
            Kind::Event => reference_in(record, seed).map(event_name),
            Kind::Person => Some(person_in(record)),
        };
        *found
            .entry(name.unwrap_or_else(|| "unexpected".to_owned()))
            .or_default() += 1;
    }
    let lost = expected
        .iter()
        .map(|(name, count)| count.saturating_sub(found.get(name).copied().unwrap_or(0)))
        .sum();
    let duplicates = found
        .iter()
        .map(|(name, count)| count.saturating_sub(expected.get(name).copied().unwrap_or(0)))
        .sum();
    Difference { lost, duplicates }
}

/// The name of everybody who gave neither e-mail nor telephone.
const NAMELESS: &str = "nameless";

fn event_name(number: u32) -> String {
    format!("event {number}")
}

fn person_name(message: &Message) -> String {
    let person = &message.person;
    match (&person.email, &person.phone) {
        (Some(email), _) => email.to_lowercase(),
        (None, Some(phone)) => digits(phone),
        (None, None) => NAMELESS.to_owned(),
    }
}

/// E-mail and telephone by the names that vendors give the fields, upper or lower case.
fn person_in(record: &Value) -> String {
    let field = |wanted: &str| {
        texts(record)
            .into_iter()
            .find(|(name, text)| name.eq_ignore_ascii_case(wanted) && !text.is_empty())
            .map(|(_, text)| text)
    };
    match (field("email"), field("phone")) {
        (Some(email), _) => email.to_lowercase(),
        (None, Some(phone)) => digits(phone),
        (None, None) => NAMELESS.to_owned(),
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// The number of the message whose reference stands first in any text of the record.
fn reference_in(record: &Value, seed: u64) -> Option<u32> {
    let start = format!("[{seed}-");
    texts(record).into_iter().find_map(|(_, text)| {
        let rest = &text[text.find(&start)? + start.len()..];
        rest[..rest.find(']')?].parse().ok()
    })
}

/// Every text of a value with the key that it stands under.
fn texts(value: &Value) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut open = vec![("", value)];
    while let Some((key, value)) = open.pop() {
        match value {
            Value::String(text) => found.push((key, text.as_str())),
            Value::Array(items) => open.extend(items.iter().map(|item| (key, item))),
            Value::Object(members) => open.extend(members.iter().map(|(key, value)| (key.as_str(), value))),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::demo::generator::{generate, reference};

    fn judge(kind: Kind, messages: &[Message], records: &[Value]) -> (u64, u64) {
        let Difference { lost, duplicates } = compare(kind, 7, messages.iter(), records);
        (lost, duplicates)
    }

    #[test]
    fn one_record_per_event_is_right_and_any_other_number_is_counted() {
        let messages = generate(3, 7).messages;
        let record = |number| json!({"fields": [{"Subject": "x", "Text": format!("{} hello", reference(7, number))}]});
        assert_eq!(
            judge(Kind::Event, &messages, &[record(0), record(1), record(2)]),
            (0, 0)
        );
        assert_eq!(judge(Kind::Event, &messages, &[record(0), record(2)]), (1, 0));
        assert_eq!(
            judge(Kind::Event, &messages, &[record(0), record(1), record(1), record(2)]),
            (0, 1)
        );
        assert_eq!(
            judge(Kind::Event, &messages, &[record(0), record(1), record(9)]),
            (1, 1)
        );
        assert_eq!(
            judge(Kind::Event, &messages, &[record(0), record(1), json!({"Text": "?"})]),
            (1, 1)
        );
    }

    #[test]
    fn a_person_is_one_record_however_often_they_wrote() {
        let run = generate(500, 7);
        let mut records: Vec<Value> = Vec::new();
        let mut known = HashSet::new();
        for message in &run.messages {
            let person = &message.person;
            let nameless = person.email.is_none() && person.phone.is_none();
            if nameless || known.insert((person.email.clone(), person.phone.clone())) {
                let email = person.email.as_ref().map(|email| email.to_uppercase());
                records.push(json!({"properties": {"Email": email, "phone": person.phone}}));
            }
        }
        assert_eq!(judge(Kind::Person, &run.messages, &records), (0, 0));
        let twice = records[0].clone();
        records.push(twice);
        assert_eq!(judge(Kind::Person, &run.messages, &records), (0, 1));
        assert_eq!(
            judge(Kind::Person, &run.messages, &records[1..records.len() - 1]),
            (1, 0)
        );
    }
}
