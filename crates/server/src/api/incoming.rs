//! One posted event: from JSON to what the hub accepts, with every problem at once.

use serde_json::{Map, Value};
use switchboard_hub::{intake::Incoming, store::Content};
use switchboard_model::{
    event::EventType,
    problem::{Code, Problem},
};

use crate::{nearest::did_you_mean, settings::Limits};

/// The members of an event.
const MEMBERS: [&str; 3] = ["type", "id", "data"];
/// Longest id that a sender gives, in characters.
const LONGEST_ID: usize = 255;

/// Reads one event. `place` is its JSON pointer in the body (empty for the body itself).
///
/// # Errors
/// Everything that is wrong with it, as one problem.
pub fn read(value: Value, place: &str, limits: &Limits) -> Result<Incoming, Problem> {
    let Value::Object(mut members) = value else {
        return Err(shape(
            place,
            format!("An event is an object, not {}", kind_of(&value)),
            EXAMPLE,
        ));
    };
    let mut problems = Vec::new();
    let kind = read_type(members.get("type"), place, &mut problems);
    let id = read_id(members.get_mut("id").map(Value::take), place, &mut problems);
    let data = read_data(members.shift_remove("data"), place, limits, &mut problems);
    for name in members.keys().filter(|name| !MEMBERS.contains(&name.as_str())) {
        let hint = did_you_mean(name, MEMBERS);
        let shown: String = name.chars().take(80).collect();
        let next = "An event has the members type, id and data; what the sender knows about it goes into data.";
        problems.push(shape(
            &below(place, name),
            format!("An event has no member `{shown}`{hint}"),
            next,
        ));
    }
    match (Problem::all(problems), kind, data) {
        (None, Some(kind), Some(data)) => Ok(Incoming { kind, id, data }),
        (Some(problem), _, _) => Err(problem),
        // Not reachable: each missing part left a problem.
        (None, _, _) => Err(shape(place, "The event is not complete".into(), EXAMPLE)),
    }
}

const EXAMPLE: &str = "Send for example {\"type\": \"message.received\", \"data\": {\"senderName\": \"Ana\"}}.";

fn read_type(given: Option<&Value>, place: &str, problems: &mut Vec<Problem>) -> Option<EventType> {
    let place = || below(place, "type");
    match given {
        Some(Value::String(name)) => {
            let found = EventType::find(name).filter(|kind| !kind.is_internal());
            if found.is_none() {
                let hint = did_you_mean(name, EventType::names());
                let shown: String = name.chars().take(80).collect();
                let known: Vec<_> = EventType::names().collect();
                let next = format!("Use one of: {}.", known.join(", "));
                problems.push(
                    Problem::new(
                        Code::UnknownEventType,
                        format!("There is no type `{shown}`{hint}"),
                        next,
                    )
                    .at(place()),
                );
            }
            found
        }
        Some(other) => {
            problems.push(shape(
                &place(),
                format!("`type` is text, not {}", kind_of(other)),
                EXAMPLE,
            ));
            None
        }
        None => {
            problems.push(shape(&place(), "`type` is missing".into(), EXAMPLE));
            None
        }
    }
}

fn read_id(given: Option<Value>, place: &str, problems: &mut Vec<Problem>) -> Option<String> {
    let next =
        "Give the id that the event has at the sender as text, or leave it out; it is what a repeat is recognised by.";
    match given {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) if id.is_empty() || id.chars().count() > LONGEST_ID => {
            let detail = format!(
                "`id` has {} characters; 1 to {LONGEST_ID} are possible",
                id.chars().count()
            );
            problems.push(shape(&below(place, "id"), detail, next));
            None
        }
        Some(Value::String(id)) => Some(id),
        Some(other) => {
            problems.push(shape(
                &below(place, "id"),
                format!("`id` is text, not {}", kind_of(&other)),
                next,
            ));
            None
        }
    }
}

fn read_data(given: Option<Value>, place: &str, limits: &Limits, problems: &mut Vec<Problem>) -> Option<Content> {
    let place = || below(place, "data");
    let data = match given {
        Some(Value::Object(data)) => data,
        Some(other) => {
            problems.push(shape(
                &place(),
                format!("`data` is an object, not {}", kind_of(&other)),
                EXAMPLE,
            ));
            return None;
        }
        None => {
            problems.push(shape(&place(), "`data` is missing".into(), EXAMPLE));
            return None;
        }
    };
    let mut size = Size::default();
    size.add_members(&data);
    for (what, has, limit, setting) in [
        ("bytes", size.bytes, limits.event_bytes, "limits.event_bytes"),
        ("keys", size.keys, limits.keys, "limits.keys"),
    ] {
        if has > limit {
            let detail = format!("`data` has {has} {what}; {limit} are possible");
            let next = format!("Send less with the event, or a link to it. The limit is the setting {setting}.");
            problems.push(Problem::new(Code::TooLarge, detail, next).at(place()));
        }
    }
    Some(Content::new(data, size.bytes))
}

/// How large a value is: its keys, and the bytes of its texts and punctuation, which is what it takes as compact JSON but
/// for escapes. Cheaper than writing it.
#[derive(Default)]
struct Size {
    bytes: usize,
    keys: usize,
}

impl Size {
    fn add(&mut self, value: &Value) {
        match value {
            Value::Null | Value::Bool(_) => self.bytes += 4,
            Value::Number(_) => self.bytes += 8,
            Value::String(text) => self.bytes += text.len() + 2,
            Value::Array(items) => {
                self.bytes += 2 + items.len();
                items.iter().for_each(|item| self.add(item));
            }
            Value::Object(members) => self.add_members(members),
        }
    }

    fn add_members(&mut self, members: &Map<String, Value>) {
        self.keys += members.len();
        self.bytes += 2;
        for (key, value) in members {
            self.bytes += key.len() + 4;
            self.add(value);
        }
    }
}

fn below(place: &str, member: &str) -> String {
    let member: String = member.chars().take(80).collect();
    format!("{place}/{}", member.replace('~', "~0").replace('/', "~1"))
}

fn shape(place: &str, detail: String, next: &str) -> Problem {
    let problem = Problem::new(Code::WrongShape, detail, next);
    if place.is_empty() { problem } else { problem.at(place) }
}

/// What a value is, for a sentence.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LIMITS: Limits = Limits {
        body_bytes: 1 << 20,
        event_bytes: 400,
        batch: 10,
        depth: 8,
        keys: 20,
        waiting_events: 100,
        requests_per_minute: 100,
        call_seconds: 75,
    };

    #[test]
    fn a_complete_event_is_taken_as_it_is() {
        let data = json!({"senderName": "张三", "n": 1, "inner": {"a": [true, null, "😀"]}});
        let event = read(
            json!({"type": "message.received", "id": "m-1", "data": data}),
            "",
            &LIMITS,
        )
        .unwrap();
        assert_eq!(event.kind.name(), "message.received");
        assert_eq!(event.id.as_deref(), Some("m-1"));
        assert_eq!(event.data.text(), data.to_string());
        let short = read(json!({"type": "call.missed", "id": null, "data": {}}), "", &LIMITS).unwrap();
        assert_eq!(short.id, None);
    }

    #[test]
    fn everything_wrong_with_an_event_is_told_at_once_and_placed() {
        let bad = json!({"type": "message.recieved", "id": 7, "data": [], "sender/name": "x", "dta": 1});
        let problem = read(bad, "/3", &LIMITS).unwrap_err();
        let all: Vec<_> = std::iter::once(&problem).chain(&problem.others).collect();
        let places: Vec<_> = all.iter().filter_map(|p| p.place.as_deref()).collect();
        assert_eq!(places, ["/3/type", "/3/id", "/3/data", "/3/sender~1name", "/3/dta"]);
        assert_eq!(all[0].code, Code::UnknownEventType);
        assert!(
            all[0].detail.contains("did you mean `message.received`?"),
            "{}",
            all[0].detail
        );
        assert!(all[4].detail.contains("did you mean `data`?"), "{}", all[4].detail);
    }

    #[test]
    fn each_single_mistake_has_its_code_and_place() {
        let many: Map<String, Value> = (0..21).map(|n| (n.to_string(), json!(0))).collect();
        for (event, code, place) in [
            (json!("text"), Code::WrongShape, None),
            (json!([]), Code::WrongShape, None),
            (json!({"data": {}}), Code::WrongShape, Some("/type")),
            (json!({"type": 3, "data": {}}), Code::WrongShape, Some("/type")),
            (json!({"type": "call.missed"}), Code::WrongShape, Some("/data")),
            (
                json!({"type": "call.missed", "data": {}, "id": ""}),
                Code::WrongShape,
                Some("/id"),
            ),
            (
                json!({"type": "call.missed", "data": {}, "id": "я".repeat(256)}),
                Code::WrongShape,
                Some("/id"),
            ),
            (
                json!({"type": "call.missed", "data": {"t": "字".repeat(200)}}),
                Code::TooLarge,
                Some("/data"),
            ),
            (
                json!({"type": "call.missed", "data": many}),
                Code::TooLarge,
                Some("/data"),
            ),
        ] {
            let problem = read(event.clone(), "", &LIMITS).unwrap_err();
            assert_eq!((problem.code, problem.place.as_deref()), (code, place), "{event}");
            assert!(problem.others.is_empty() && !problem.next.is_empty());
        }
    }
}
