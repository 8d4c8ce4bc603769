//! Automations, compiled.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde_json::Value;
use sha2::{Digest, Sha256};
use switchboard_model::{
    automation::{Automation as Compiled, AutomationSpec, Catalogue, check},
    event::EventType,
    problem::{Code, Problem},
    record::{ObjectType, Objects, define},
};

use super::Workspace;
use crate::store::{ConfigurationChange, DefinitionKind, DefinitionRow, DefinitionWrite, Version};

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
    pub(crate) fn compile<'r>(rows: impl Iterator<Item = &'r DefinitionRow>) -> Self {
        let mut automations = Self::default();
        for row in rows.filter(|row| row.kind == DefinitionKind::Automation) {
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
                key: row.key.clone(),
                body: row.spec.clone(),
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

/// Everything in the automations of a change that names kinds of records, fields or lists which neither the workspace nor the change has.
pub(crate) fn check_change(change: &ConfigurationChange, present: Option<&Workspace>) -> Vec<Problem> {
    let automations = change
        .definitions
        .iter()
        .filter(|write| write.kind == DefinitionKind::Automation);
    let mut known: Option<Known> = None;
    let mut problems = Vec::new();
    for write in automations {
        let Ok(automation) = Compiled::read(&write.spec) else {
            continue;
        };
        let known = known.get_or_insert_with(|| Known::of(change, present));
        let found = check(&automation, known).into_iter();
        problems.extend(found.map(|problem| {
            let inside = problem.place.clone().unwrap_or_default();
            problem.at(format!("automation {}: {inside}", write.key))
        }));
    }
    problems
}

/// What the workspace has when the change is made.
struct Known {
    objects: Objects,
    lists: HashSet<String>,
}

impl Known {
    fn of(change: &ConfigurationChange, present: Option<&Workspace>) -> Self {
        let mut objects = present.map_or_else(Objects::default, |workspace| Objects::clone(&workspace.tables.objects));
        let mut lists: HashSet<String> = present
            .map(|workspace| workspace.lists.names().map(str::to_owned).collect())
            .unwrap_or_default();
        for write in &change.definitions {
            match write.kind {
                DefinitionKind::Object => {
                    if let Ok(object) = define(&write.key, &write.spec) {
                        objects.insert(object);
                    }
                }
                DefinitionKind::List => {
                    lists.insert(write.key.clone());
                }
                _ => {}
            }
        }
        Self { objects, lists }
    }
}

impl Catalogue for Known {
    fn object(&self, name: &str) -> Option<Arc<ObjectType>> {
        self.objects.find(name).cloned()
    }

    fn objects(&self) -> Vec<String> {
        self.objects.iter().map(|object| object.name.clone()).collect()
    }

    fn has_list(&self, list: &str) -> bool {
        self.lists.contains(list)
    }
}
