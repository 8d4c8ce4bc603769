//! An event of each type to try an endpoint with: what a receiver's author sees before anything has happened.

use serde_json::{Map, Value, json};
use switchboard_model::{
    event::{Event, EventType},
    id::{EventId, WorkspaceId, floor_of},
};

/// An event of this type as it could have happened at `now_ms`. It is no event of the hub: nothing is kept of it.
pub fn event(kind: EventType, workspace: WorkspaceId, now_ms: i64) -> Event {
    Event {
        id: EventId(floor_of(now_ms)),
        workspace,
        kind,
        received_ms: now_ms,
        data: data(kind),
    }
}

fn data(kind: EventType) -> Map<String, Value> {
    let (family, what) = kind.name().split_once('.').unwrap_or((kind.name(), ""));
    let told = match family {
        "message" | "form" => json!({
            "senderName": "Ann Example",
            "senderEmail": "ann@example.com",
            "senderPhone": "+12025550143",
            "platform": "whatsapp",
            "category": "sales",
            "priority": "high",
            "messageContent": "How much is the annual plan for 20 people?",
        }),
        "lead" => json!({
            "senderName": "Ann Example",
            "senderEmail": "ann@example.com",
            "senderPhone": "+12025550143",
            "source": "campaign-7",
        }),
        "call" if !is_of_record(what) => json!({
            "id": "call_1",
            "senderPhone": "+12025550143",
            "direction": if what == "outgoing" { "outgoing" } else { "incoming" },
            "employee": "101",
            "duration": if what == "finished" { 63 } else { 0 },
        }),
        "contact" => json!({"id": "con_1", "name": "Ann Example", "email": "ann@example.com"}),
        "webhook" => json!({"id": "wh_1", "name": "Warehouse", "reason": "Nobody has taken a message for five days."}),
        _ => return record(family, what),
    };
    object(told)
}

fn is_of_record(what: &str) -> bool {
    matches!(what, "created" | "updated" | "deleted")
}

/// What is told of a record and its change.
fn record(family: &str, what: &str) -> Map<String, Value> {
    let fields = match family {
        "person" => json!({
            "firstName": "Ann",
            "lastName": "Example",
            "email": "ann@example.com",
            "phone": "+12025550143",
        }),
        "company" => json!({"name": "Example Ltd", "domain": "example.com"}),
        "opportunity" => json!({
            "name": "Annual plan for 20 people",
            "value": 4800,
            "currency": "EUR",
            "stage": match what {
                "won" => "Won",
                "lost" => "Lost",
                _ => "Proposal",
            },
        }),
        "task" => json!({
            "title": "Call Ann Example back",
            "status": if what == "completed" { "done" } else { "todo" },
        }),
        "ticket" => json!({"subject": "The invoice is missing", "status": "open"}),
        "order" => json!({"number": "1001", "total": 250, "currency": "EUR", "status": "new"}),
        "call" => json!({"direction": "incoming", "phone": "+12025550143", "duration": 63}),
        "note" => json!({"title": "Call", "body": "Wants an offer until Friday."}),
        "meeting" => json!({"title": "Demonstration", "startsAt": "2026-12-01T10:00:00Z"}),
        "row" => json!({"table": "customers", "name": "Ann Example"}),
        _ => json!({"name": "Example"}),
    };
    let mut told = Map::from_iter([("id".to_owned(), json!("rec_0r3kd8m2v0000"))]);
    told.extend(object(fields));
    if family == "opportunity" && what == "updated" {
        let stage = json!({"from": "New", "to": told.get("stage")});
        told.insert("changes".into(), json!({ "stage": stage }));
    }
    told.insert("source".into(), "api:sample".into());
    told.insert("revision".into(), json!(1));
    told
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use switchboard_model::event::EVENT_TYPES;

    use super::*;

    #[test]
    fn there_is_something_to_see_for_every_type_of_event() {
        for (name, _) in EVENT_TYPES {
            let kind = EventType::find(name).unwrap();
            let event = event(kind, WorkspaceId(1), 1_795_512_600_000);
            assert!(event.data.len() >= 2, "{name}");
        }
    }
}
