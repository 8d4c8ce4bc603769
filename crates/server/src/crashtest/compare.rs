//! Compares what one vendor holds of one object with what was accepted. Pure.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{
    people::{Person, texts},
    plan::{Event, Plan, reference},
};

/// What one record stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An event.
    Event,
    /// A person, as their last event says.
    Person,
}

/// What was answered to the sender of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Answer {
    /// Nothing: it may have been taken or not.
    #[default]
    None,
    /// It was accepted under this id.
    Accepted(String),
}

impl Answer {
    fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted(_))
    }
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wrong {
    /// A record that should be there is not.
    Lost,
    /// A record is there beside the one that should be, or one that nobody asked for.
    Doubled,
    /// A record shows something else than the last event about it.
    Stale,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind of thing.
    pub wrong: Wrong,
    /// The connection.
    pub connection: String,
    /// The vendor's name of the object.
    pub object: String,
    /// The event's reference, or the person's address.
    pub name: String,
    /// How many records there are.
    pub held: usize,
    /// The hub's ids of the accepted events that concern it.
    pub events: Vec<String>,
}

/// What should be there under one name.
#[derive(Debug, Default)]
struct Expected {
    /// Numbers of the accepted events, in their order.
    accepted: Vec<u32>,
    /// Numbers of events without an answer.
    unanswered: Vec<u32>,
    ids: Vec<String>,
}

impl Expected {
    /// The last accepted event, or one without an answer behind it.
    fn may_be_last(&self, number: u32) -> bool {
        match self.accepted.last() {
            Some(last) => number == *last || (number > *last && self.unanswered.contains(&number)),
            None => self.unanswered.contains(&number),
        }
    }
}

/// Everything that is wrong with `records`, which `connection` should have made of the events of the plan.
pub fn compare(
    plan: &Plan,
    answers: &[Answer],
    (connection, object, kind): (&str, &str, Kind),
    records: &[Value],
) -> Vec<Finding> {
    let mut expected: BTreeMap<String, Expected> = BTreeMap::new();
    for (event, answer) in plan.events.iter().zip(answers) {
        let entry = expected.entry(name_of(plan, kind, event)).or_default();
        match answer {
            Answer::Accepted(id) => {
                entry.accepted.push(event.number);
                entry.ids.push(id.clone());
            }
            Answer::None => entry.unanswered.push(event.number),
        }
    }
    let mut held: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for record in records {
        let name = match kind {
            Kind::Event => number_in(plan, record).map(|number| reference(&plan.mark, number)),
            Kind::Person => Person::identity_in(record),
        };
        held.entry(name.unwrap_or_else(|| "nobody's".into()))
            .or_default()
            .push(record);
    }
    let mut findings = Vec::new();
    let mut report = |wrong, name: &str, held, events: &[String]| {
        findings.push(Finding {
            wrong,
            connection: connection.to_owned(),
            object: object.to_owned(),
            name: name.to_owned(),
            held,
            events: events.to_vec(),
        });
    };
    for (name, expected) in &expected {
        let records = held.remove(name).unwrap_or_default();
        if records.is_empty() && !expected.accepted.is_empty() {
            report(Wrong::Lost, name, 0, &expected.ids);
        }
        for _ in 1..records.len() {
            report(Wrong::Doubled, name, records.len(), &expected.ids);
        }
        let is_last = |record: &&Value| number_in(plan, record).is_some_and(|number| expected.may_be_last(number));
        if kind == Kind::Person && records.len() == 1 && !records.iter().any(is_last) {
            report(Wrong::Stale, name, 1, &expected.ids);
        }
    }
    for (name, records) in held {
        for _ in &records {
            report(Wrong::Doubled, &name, records.len(), &[]);
        }
    }
    findings
}

/// How many events were accepted.
pub fn accepted(answers: &[Answer]) -> u64 {
    answers.iter().filter(|answer| answer.is_accepted()).count() as u64
}

fn name_of(plan: &Plan, kind: Kind, event: &Event) -> String {
    match kind {
        Kind::Event => reference(&plan.mark, event.number),
        Kind::Person => event.person.identity(),
    }
}

/// The number of the event that a record shows.
fn number_in(plan: &Plan, record: &Value) -> Option<u32> {
    let start = format!("[{}-", plan.mark);
    texts(record).into_iter().find_map(|(_, text)| {
        let rest = &text[text.find(&start)? + start.len()..];
        rest[..rest.find(']')?].parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::crashtest::plan::Means;

    /// Three events of one person.
    fn example() -> Plan {
        let person = Person::nth(0, "c1-0");
        let event = |number| Event {
            number,
            person: person.clone(),
        };
        Plan {
            run: 0,
            seed: 1,
            mark: "c1-0".into(),
            means: Means::Upsert,
            variant: false,
            kills: vec![],
            events: vec![event(0), event(1), event(2)],
            senders: vec![],
        }
    }

    fn record(number: u32) -> Value {
        json!({"Email": "P0.c1-0@example.org", "Description": format!("{} hello", reference("c1-0", number))})
    }

    fn judge(kind: Kind, accepted: [bool; 3], held: &[u32]) -> Vec<Wrong> {
        let answers = accepted.map(|yes| {
            if yes {
                Answer::Accepted("evt".into())
            } else {
                Answer::None
            }
        });
        let records: Vec<Value> = held.iter().map(|number| record(*number)).collect();
        let found = compare(&example(), &answers, ("crm", "Lead", kind), &records);
        found.into_iter().map(|finding| finding.wrong).collect()
    }

    #[test]
    fn every_accepted_event_has_its_record_once() {
        let all = [true; 3];
        assert_eq!(judge(Kind::Event, all, &[0, 1, 2]), []);
        assert_eq!(judge(Kind::Event, all, &[2, 0]), [Wrong::Lost]);
        assert_eq!(judge(Kind::Event, all, &[0, 1, 1, 1, 2]), [Wrong::Doubled; 2]);
        assert_eq!(judge(Kind::Event, all, &[0, 1, 2, 3]), [Wrong::Doubled]);
    }

    #[test]
    fn an_event_without_an_answer_may_be_there_once_or_not() {
        let answers = [true, false, true];
        assert_eq!(judge(Kind::Event, answers, &[0, 2]), []);
        assert_eq!(judge(Kind::Event, answers, &[0, 1, 2]), []);
        assert_eq!(judge(Kind::Event, answers, &[0, 1, 1, 2]), [Wrong::Doubled]);
    }

    #[test]
    fn a_person_is_one_record_that_shows_the_last_event() {
        let all = [true; 3];
        assert_eq!(judge(Kind::Person, all, &[2]), []);
        assert_eq!(judge(Kind::Person, all, &[1]), [Wrong::Stale]);
        assert_eq!(judge(Kind::Person, all, &[2, 2]), [Wrong::Doubled]);
        assert_eq!(judge(Kind::Person, all, &[]), [Wrong::Lost]);
        let last_unanswered = [true, true, false];
        assert_eq!(judge(Kind::Person, last_unanswered, &[2]), []);
        assert_eq!(judge(Kind::Person, last_unanswered, &[1]), []);
        assert_eq!(judge(Kind::Person, last_unanswered, &[0]), [Wrong::Stale]);
        assert_eq!(judge(Kind::Person, [false; 3], &[]), []);
    }

    #[test]
    fn a_record_that_nobody_asked_for_is_one_too_many() {
        let found = compare(&example(), &[], ("crm", "Lead", Kind::Person), &[json!({"Id": "1"})]);
        assert_eq!((found[0].wrong, found[0].name.as_str()), (Wrong::Doubled, "nobody's"));
    }
}
