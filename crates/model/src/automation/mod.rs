//! Automations: when something happens, and a condition holds, steps are taken one after the other.
//!
//! A step makes or changes a record, finds one, sends through a connection, tells people, calls a webhook, waits, names an owner, or ends
//! the run. What a step brought is there for the later ones under its name: `{{ steps.person.id }}`. Everything that can be known when an
//! automation is saved is checked then: [`Automation::read`] says all that is wrong with it, each with a JSON pointer.

mod act;
mod action;
mod amount;
mod check;
mod part;
mod read;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::Value;

pub use action::{Action, Assign, Find, Key, Notify, Owner, Record, Send, Verb, Wait, Webhook, Where};
pub use amount::read_duration_ms;
pub use check::{Catalogue, check};

use crate::{condition::Condition, problem::Problem};

/// An automation has at most so many steps.
pub const MOST_STEPS: usize = 50;
/// The internal event by which a step sends; no automation takes it.
pub const SENT: &str = "automation.sent";

/// What a person wrote, without saying whether it is right.
#[derive(Debug, Clone, PartialEq)]
pub struct AutomationSpec {
    /// The user's own id.
    pub key: String,
    /// All of it, in the form that [`Automation::read`] takes.
    pub body: Value,
}

/// A compiled automation.
#[derive(Debug, Clone)]
pub struct Automation {
    /// The user's own id, unique among the automations of a workspace.
    pub key: Arc<str>,
    /// The name that people see; the key when none was given.
    pub name: String,
    /// `false`: kept, but takes nothing.
    pub enabled: bool,
    /// The event types that it takes: `order.created`, `order.*`, or `*`.
    pub on: Vec<String>,
    /// What must hold besides.
    pub condition: Option<Condition>,
    /// What is done, in this order; at least one.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its name, unique in the automation; later steps see what it brought under it.
    pub name: Arc<str>,
    /// What must hold for it to be taken; otherwise it is passed over.
    pub condition: Option<Condition>,
    /// What is done.
    pub action: Action,
}

impl Automation {
    /// Compiles what a person wrote.
    ///
    /// # Errors
    /// Everything that is wrong with it, as one problem with others; each place is a JSON pointer into `body`.
    pub fn read(body: &Value) -> Result<Self, Problem> {
        read::automation(body)
    }

    /// Whether an event of this type concerns it, its condition aside.
    pub fn takes(&self, event_type: &str) -> bool {
        event_type != SENT
            && self.on.iter().any(|on| match on.strip_suffix('*') {
                Some(family) => event_type.starts_with(family),
                None => on == event_type,
            })
    }

    /// The place of the step with this name.
    pub fn position(&self, step: &str) -> Option<usize> {
        self.steps.iter().position(|other| &*other.name == step)
    }
}
