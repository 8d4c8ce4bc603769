//! The body of a message to an endpoint: `event`, `timestamp` and `data`, as the users' guide has it. A subscription gets the same with an
//! `id`, by which automation platforms tell messages apart. Live messages, samples and tests are all made by the same mapping.

use serde_json::{Value, json};
use switchboard_model::{
    event::Event,
    mapping::{Mapping, MappingError},
    problem::{Code, Problem},
    template::Scope,
};

use crate::normalise;

/// The mapping of subscriptions. That of other endpoints stands in the connector's manifest.
pub fn with_id() -> Value {
    json!({
        "id": "{{ eventId }}",
        "event": "{{ eventType }}",
        "timestamp": "{{ eventTime }}",
        "data": "{{ event }}",
    })
}

/// What a subscription is told of an event.
///
/// # Errors
/// When the mapping cannot be filled in, which is a fault of the hub.
pub fn of(event: &Event) -> Result<Value, Problem> {
    let mapping = Mapping::compile(&with_id()).map_err(|errors| broken(&errors))?;
    let mut variables = normalise::variables(event, |_| true);
    variables.insert("event".into(), Value::Object(event.data.clone()));
    let told = mapping.render(&Scope::of(&variables));
    told.map(Option::unwrap_or_default).map_err(|errors| broken(&errors))
}

fn broken(errors: &[MappingError]) -> Problem {
    let text: Vec<String> = errors.iter().map(ToString::to_string).collect();
    Problem::new(Code::Internal, text.join("; "), "Please report this.")
}

#[cfg(test)]
mod tests {
    use switchboard_model::{
        event::EventType,
        id::{EventId, WorkspaceId},
    };

    use super::*;

    #[test]
    fn a_subscriber_is_told_what_happened_when_and_to_what() {
        let data = json!({"id": "opp_12345", "value": 500_000_000, "owner": {"name": "Nguyễn Văn A"}, "nothing": null});
        let event = Event {
            id: EventId(1 << 30),
            workspace: WorkspaceId(1),
            kind: EventType::find("task.completed").unwrap(),
            received_ms: 1_730_802_600_000,
            data: data.as_object().cloned().unwrap(),
        };
        let told = of(&event).unwrap();
        let expected = json!({
            "id": event.id.to_string(),
            "event": "task.completed",
            "timestamp": "2024-11-05T10:30:00Z",
            "data": data,
        });
        assert_eq!(told, expected);
    }
}
