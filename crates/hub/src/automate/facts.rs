//! What conditions and templates of a run see.

use serde_json::{Map, Value, json};
use switchboard_model::{event::Event, id::RunId, template::Scope};

use crate::normalise;

/// The event that set the run going, what is derived of it, and what the steps brought.
pub(super) struct Facts {
    above: Map<String, Value>,
    derived: Map<String, Value>,
    event: Event,
}

impl Facts {
    /// `results` is what the steps brought, by their names.
    pub fn new(
        event: Event,
        run: Option<RunId>,
        automation: &str,
        results: impl IntoIterator<Item = (String, Value)>,
    ) -> Self {
        let steps: Map<String, Value> = results.into_iter().collect();
        let mut above = Map::new();
        above.insert("steps".into(), Value::Object(steps));
        above.insert(
            "run".into(),
            json!({ "id": run.map(|run| run.to_string()), "automation": automation }),
        );
        Self {
            above,
            derived: normalise::variables(&event, |_| true),
            event,
        }
    }

    /// What templates and conditions read.
    pub fn scope(&self) -> Scope<'_> {
        Scope::of(&self.above)
            .with_map(&self.derived)
            .with_map(&self.event.data)
    }

    /// Adds what a step brought.
    pub fn add(&mut self, step: &str, result: Value) {
        if let Some(steps) = self.above.get_mut("steps").and_then(Value::as_object_mut) {
            steps.insert(step.to_owned(), result);
        }
    }

    /// What set the run going.
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// The event's data, and the steps and the run beside it.
    pub fn together(&self) -> Map<String, Value> {
        let mut all = self.event.data.clone();
        all.extend(self.above.clone());
        all
    }
}
