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
    let data = match family {
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
        "call" => json!({
            "id": "call_1",
            "senderPhone": "+12025550143",
            "direction": if what == "outgoing" { "outgoing" } else { "incoming" },
            "employee": "101",
            "duration": if what == "finished" { 63 } else { 0 },
        }),
        "ticket" => json!({"id": "tic_1", "subject": "The invoice is missing", "status": "open"}),
        "order" => json!({"id": "ord_1", "number": "1001", "total": 250, "currency": "EUR", "status": "new"}),
        "contact" => json!({"id": "con_1", "name": "Ann Example", "email": "ann@example.com"}),
        "task" => json!({"id": "tsk_1", "title": "Call Ann Example back", "status": "done"}),
        "webhook" => json!({"id": "wh_1", "name": "Warehouse", "reason": "Nobody has taken anything for 5 days."}),
        _ => json!({"id": format!("{family}_1"), "name": "Example"}),
    };
    data.as_object().cloned().unwrap_or_default()
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
