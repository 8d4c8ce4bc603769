//! Messages that come without category or priority get them: by rules at once, or by a model after they are safe.
//!
//! Rules are pure and cost microseconds, so they are applied at intake ([`at_intake`]), before routes are asked. When they leave something open
//! and a model is to be asked, the message is accepted as `message.unclassified`, without deliveries, and waits in the store. The [`worker`] asks
//! the model ([`ask`], [`question`], [`reading`]) and makes a `message.received` of what it gets. That event has a fingerprint of the waiting
//! one's id: whatever happens to the process in between, the model is asked again and the message goes on once.
//!
//! The model is a guest: what it may cost is counted before it is asked, a circuit and the server's own words stop asking in time, and a message
//! that has waited as long as it may goes on by the rules alone.

mod ask;
mod question;
mod reading;
mod redact;
pub(crate) mod worker;

use serde_json::{Map, Value};
use switchboard_model::{
    classify::{Classifier, Decision},
    event::EventType,
    id::EventId,
};

pub use ask::{Answered, Asker, Unanswered};
pub(crate) use ask::{Asked, day_of};

use crate::{
    configuration::{Workspace, WorkspaceClassifier},
    store::{Content, Fingerprint},
};

/// What the sender of a message is told that waits.
pub const WAITS: &str = "it waits for its classification and goes on as message.received; GET /v1/events shows it then";

/// Classifies an event by the rules of its workspace. Answers its type from then on: `message.unclassified` when a model is to be asked, and
/// then nothing was added.
pub fn at_intake(workspace: Option<&Workspace>, kind: EventType, data: &mut Content) -> EventType {
    let Some(classifier) = workspace.and_then(Workspace::classifier) else {
        return kind;
    };
    if !Classifier::is_asked(kind, data) {
        return kind;
    }
    let mut decision = classifier.decide(data);
    if classifier.model_for(&decision).is_some() {
        return EventType::UNCLASSIFIED;
    }
    classifier.settle(&mut decision);
    decision.apply(data);
    kind
}

/// What came of a message that has waited, as the data of the event that goes on. `answer` is what the model chose, or why there is nothing of
/// it; without one no model was asked.
pub(crate) fn after_waiting(
    entry: Option<&WorkspaceClassifier>,
    waiting: EventId,
    mut data: Map<String, Value>,
    answer: Option<Result<Answered, String>>,
) -> Map<String, Value> {
    // Switched off meanwhile: the message goes on as it came.
    let Some(classifier) = entry.and_then(WorkspaceClassifier::active) else {
        return data;
    };
    let decision = decided(classifier, &data, answer);
    decision.apply(&mut data);
    if let Some(Value::Object(classified)) = data.get_mut(switchboard_model::classify::CLASSIFIED) {
        classified.insert("waited_as".into(), waiting.to_string().into());
    }
    data
}

/// What rules, model and `otherwise` decide together.
pub(crate) fn decided(
    classifier: &Classifier,
    data: &Map<String, Value>,
    answer: Option<Result<Answered, String>>,
) -> Decision {
    let mut by_rules = classifier.decide(data);
    let mut decision = match answer {
        None => by_rules,
        Some(Err(why)) => {
            by_rules.note = Some(format!("decided without the model: {why}"));
            by_rules
        }
        Some(Ok(answered)) => {
            let mut by_model = Decision::of_open(data);
            by_model.take(&answered.verdict, &answered.because);
            match classifier.spec().model.as_ref().map(|model| model.ask) {
                Some(switchboard_model::classify::Ask::Always) => by_model.or(by_rules),
                _ => by_rules.or(by_model),
            }
        }
    };
    classifier.settle(&mut decision);
    decision
}

/// Recognises the event that is made of a waiting one, whatever the model has answered.
pub(crate) fn fingerprint(waiting: EventId) -> Fingerprint {
    use sha2::{Digest, Sha256};
    let digest = Sha256::new()
        .chain_update("classified")
        .chain_update(waiting.0.to_be_bytes())
        .finalize();
    let mut print = Fingerprint {
        key: [0; 16],
        content: [0; 8],
    };
    print.key.copy_from_slice(&digest[..16]);
    print.content.copy_from_slice(&digest[16..24]);
    print
}

#[cfg(test)]
mod tests;
