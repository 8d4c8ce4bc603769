//! The variables that mappings may use although the sender did not give them.

use serde_json::{Map, Value};
use switchboard_model::{event::Event, moment::read_moment, name};

/// A layer above the event's data: names split or joined where they are missing, `receivedAt` as RFC 3339 in UTC (the moment of acceptance
/// when the sender gave none; left alone when it cannot be read), `eventTime` (the same, and the moment of acceptance when it cannot be
/// read), `eventId` and `eventType`. Of these those that are `wanted`.
pub fn variables(event: &Event, wanted: impl Fn(&str) -> bool) -> Map<String, Value> {
    let data = &event.data;
    let mut derived = Map::new();
    let text = |name: &str| {
        data.get(name)
            .and_then(Value::as_str)
            .map(str::trim)
            .filter(|text| !text.is_empty())
    };

    if wanted("senderFirstName") || wanted("senderLastName") {
        let (first, last) = text("senderName").map(name::split).unwrap_or_default();
        for (variable, value) in [("senderFirstName", first), ("senderLastName", last)] {
            if let Some(value) = value.filter(|_| text(variable).is_none()) {
                derived.insert(variable.into(), value.into());
            }
        }
    }
    if wanted("senderName") && text("senderName").is_none() {
        let parts: Vec<&str> = [text("senderFirstName"), text("senderLastName")]
            .into_iter()
            .flatten()
            .collect();
        if !parts.is_empty() {
            derived.insert("senderName".into(), parts.join(" ").into());
        }
    }
    if wanted("receivedAt") || wanted("eventTime") {
        let accepted = || jiff::Timestamp::from_millisecond(event.received_ms).ok();
        let received = match data.get("receivedAt") {
            None | Some(Value::Null) => accepted(),
            Some(given) => read_moment(given),
        };
        let received = received.map(|moment| moment.to_string());
        let moment = received.clone().or_else(|| Some(accepted()?.to_string()));
        derived.extend(received.map(|moment| ("receivedAt".to_owned(), moment.into())));
        derived.extend(moment.map(|moment| ("eventTime".to_owned(), moment.into())));
    }
    if wanted("eventId") {
        derived.insert("eventId".into(), event.id.to_string().into());
    }
    if wanted("eventType") {
        derived.insert("eventType".into(), event.kind.name().into());
    }
    derived
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use switchboard_model::{
        event::EventType,
        id::{EventId, WorkspaceId},
    };

    use super::*;

    fn derived(data: Value) -> Value {
        let event = Event {
            id: EventId(1 << 30),
            workspace: WorkspaceId(1),
            kind: EventType::find("message.received").unwrap(),
            received_ms: 1_795_512_600_000,
            data: data.as_object().cloned().unwrap(),
        };
        let mut all = variables(&event, |_| true);
        let time = all
            .shift_remove("eventTime")
            .and_then(|time| Some(time.as_str()?.to_owned()));
        assert_eq!(time.as_deref(), Some("2026-11-24T09:30:00Z"));
        all.shift_remove("eventId");
        all.shift_remove("eventType");
        Value::Object(all)
    }

    #[test]
    fn names_are_split_where_they_are_missing_and_kept_where_they_are_given() {
        assert_eq!(
            derived(json!({"senderName": "Ana Petrova", "receivedAt": "2026-11-24 09:30:00"})),
            json!({"senderFirstName": "Ana", "senderLastName": "Petrova", "receivedAt": "2026-11-24T09:30:00Z"})
        );
        assert_eq!(
            derived(json!({"senderFirstName": "Ana", "senderLastName": "Petrova", "receivedAt": "bad"})),
            json!({"senderName": "Ana Petrova"})
        );
    }

    #[test]
    fn unexpected_types_are_left_alone() {
        assert_eq!(derived(json!({"senderName": 7, "receivedAt": {"a": 1}})), json!({}));
        assert_eq!(derived(json!({})), json!({"receivedAt": "2026-11-24T09:30:00Z"}));
    }

    #[test]
    fn what_nobody_wants_is_not_worked_out() {
        let event = Event {
            id: EventId(1 << 30),
            workspace: WorkspaceId(1),
            kind: EventType::find("message.received").unwrap(),
            received_ms: 1_795_512_600_000,
            data: json!({"senderName": "Ana Petrova"}).as_object().cloned().unwrap(),
        };
        assert!(variables(&event, |_| false).is_empty());
        let names = variables(&event, |name| name == "senderLastName");
        assert_eq!(names["senderLastName"], "Petrova");
        assert!(!names.contains_key("eventTime"));
    }
}
