//! Makes record writes in the name of an automation.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use switchboard_model::{
    id::{ConnectionId, WorkspaceId},
    problem::{Code, Problem},
    record::{Checked, ObjectType, Policy, check as check_values},
};

use crate::{
    configuration::{Configuration, Workspace},
    store::{Announce, How, RecordWrite},
};

/// Writes in one name.
pub(super) struct Scribe<'w> {
    workspace: Option<&'w Workspace>,
    source: Arc<str>,
}

impl<'w> Scribe<'w> {
    pub fn new(workspace: Option<&'w Workspace>, source: String) -> Self {
        Self {
            workspace,
            source: source.into(),
        }
    }

    /// A write of these values.
    ///
    /// # Errors
    /// Every value that does not fit its field.
    pub fn write(&self, object: &Arc<ObjectType>, how: How, values: &Map<String, Value>) -> Result<RecordWrite, Problem> {
        let Checked { data, lookups } = check(self.workspace, object, values)?;
        let mut first = Vec::new();
        for lookup in lookups {
            let of = self.workspace.and_then(|workspace| workspace.object(&lookup.object));
            let Some(of) = of else { continue };
            let titled = of.titled_by.first().cloned().unwrap_or_default();
            let named = Map::from_iter([(titled, json!(lookup.name))]);
            let found = How::Match {
                policy: Policy::Find,
                only: None,
            };
            first.push((lookup.field, self.write(&of, found, &named)?));
        }
        Ok(RecordWrite {
            object: Arc::clone(object),
            how,
            data,
            lookups: first,
            source: Arc::clone(&self.source),
        })
    }

    /// Makes the events of what is written, with `chain` as the automations that led to them.
    pub fn announce(&self, configuration: &Arc<Configuration>, workspace: WorkspaceId, chain: Vec<Arc<str>>) -> Announce {
        let _ = (configuration, workspace, chain);
        Arc::new(|_| Vec::new())
    }

    /// Where the vendors' ids of records may be kept.
    pub fn link_places(&self) -> Arc<[(ConnectionId, Arc<str>)]> {
        Arc::new([])
    }
}

/// Checks values against the fields of their kind.
///
/// # Errors
/// Every value that does not fit.
pub(super) fn check(workspace: Option<&Workspace>, object: &Arc<ObjectType>, values: &Map<String, Value>) -> Result<Checked, Problem> {
    let _ = workspace;
    check_values(object, values, "automation").map_err(|problems| {
        let detail: Vec<String> = problems.iter().map(|problem| problem.detail.clone()).collect();
        Problem::new(
            Code::FieldInvalid,
            format!("{} of {}", detail.join("; "), object.name),
            "Mend the step's fields and retry the run.",
        )
    })
}
