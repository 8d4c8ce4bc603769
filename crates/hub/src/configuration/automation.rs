//! Automations, compiled.

use std::{collections::HashMap, sync::Arc};

use serde_json::Value;
use sha2::{Digest, Sha256};
use switchboard_model::{
    automation::{Automation as Compiled, AutomationSpec},
    event::EventType,
    problem::{Code, Problem},
};

use crate::store::{DefinitionKind, DefinitionRow, DefinitionWrite, Version};

/// An automation as it is kept.
#[derive(Debug, Clone)]
pub struct Automation {
    /// The user's own id.
    pub key: String,
    /// What a person wrote.
    pub body: Value,
    /// Compiled; `Err` keeps why it cannot be. Then it takes nothing.
    pub compiled: Result<Arc<Steps>, Problem>,
    /// When it was written last, Unix milliseconds.
    pub changed_ms: i64,
}

/// An automation that can begin runs.
#[derive(Debug)]
pub struct Steps {
    /// Compiled.
    pub steps: Compiled,
    /// What its runs keep to.
    pub version: Arc<Version>,
}

/// The automations of a workspace.
#[derive(Debug, Default)]
pub struct Automations {
    all: Vec<Automation>,
    /// Those that are switched on, by event type. Types that nobody wants are not in it: every event asks.
    by_type: HashMap<&'static str, Vec<Arc<Steps>>>,
}

impl Automations {
    /// Compiles those that are kept.
    pub(crate) fn compile(rows: Vec<DefinitionRow>) -> Self {
        let mut automations = Self::default();
        for row in rows {
            let compiled = Compiled::read(&row.spec).map(|steps| {
                let version = Arc::new(version_of(&row.spec));
                Arc::new(Steps { steps, version })
            });
            if let Ok(steps) = compiled.as_ref().map(Arc::clone).map_err(drop)
                && steps.steps.enabled
            {
                for name in EventType::names().filter(|name| steps.steps.takes(name)) {
                    automations.by_type.entry(name).or_default().push(Arc::clone(&steps));
                }
            }
            automations.all.push(Automation {
                key: row.key,
                body: row.spec,
                compiled,
                changed_ms: row.changed_ms,
            });
        }
        automations
    }

    /// Every automation, in the order in which they were made.
    pub fn all(&self) -> &[Automation] {
        &self.all
    }

    /// The automation with this key.
    pub fn get(&self, key: &str) -> Option<&Automation> {
        self.all.iter().find(|automation| automation.key == key)
    }

    /// Those that take events of this type, their conditions aside; `None` when nobody does.
    pub(crate) fn wanting(&self, kind: EventType) -> Option<&[Arc<Steps>]> {
        self.by_type.get(kind.name()).map(Vec::as_slice)
    }
}

/// What a run of an automation keeps to.
pub(crate) fn version_of(body: &Value) -> Version {
    let text = body.to_string();
    let mut digest = [0; 16];
    digest.copy_from_slice(&Sha256::digest(text.as_bytes())[..16]);
    Version {
        digest,
        body: text.into(),
    }
}

/// What the store writes of an automation; each place of its problems names the automation.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn write(spec: AutomationSpec) -> Result<DefinitionWrite, Vec<Problem>> {
    let at = |problem: Problem| {
        let inside = problem.place.clone().unwrap_or_default();
        problem.at(format!("automation {}: {inside}", spec.key))
    };
    match Compiled::read(&spec.body) {
        Ok(compiled) if *compiled.key != *spec.key => Err(vec![Problem::new(
            Code::WrongValue,
            format!("the automation `{}` calls itself `{}`", spec.key, compiled.key),
            "Give it the same key in both places.",
        )]),
        Ok(_) => Ok(DefinitionWrite {
            kind: DefinitionKind::Automation,
            key: spec.key,
            spec: spec.body,
            sealed: Vec::new(),
        }),
        Err(mut problem) => {
            let others = std::mem::take(&mut problem.others);
            Err(std::iter::once(problem).chain(others).map(at).collect())
        }
    }
}
