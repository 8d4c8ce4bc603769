//! Automations: entries of `automations`. What they may say is the model's to know; here each mistake gets its place in the file.

use serde_json::Value;
use switchboard_model::automation::{Automation, AutomationSpec};

use super::reader::Part;

/// Reads one entry of `automations`.
pub(super) fn read(part: &Part<'_, '_>) -> Option<AutomationSpec> {
    match Automation::read(part.value()) {
        Ok(automation) => Some(AutomationSpec {
            key: automation.key.to_string(),
            body: part.value().clone(),
        }),
        Err(problem) => {
            part.adopt(problem);
            None
        }
    }
}

/// The entry that reads back to the same automation.
pub(super) fn write(spec: &AutomationSpec) -> Value {
    spec.body.clone()
}
