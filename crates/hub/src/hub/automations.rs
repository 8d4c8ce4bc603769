//! Automations and their runs, for people; and the task that takes the steps.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use futures::{StreamExt, stream};
use serde_json::Value;
use switchboard_connect::guide::Item;
use switchboard_model::{
    automation::{Automation as Compiled, AutomationSpec},
    event::Event,
    id::{RunId, WorkspaceId},
    problem::{Code, Problem},
};

use super::{Hub, Inner};
use crate::{
    automate::{LEASE_MS, Tried, Workshop, go_on, try_out},
    configuration::{Automation, version_of},
    store::{ConfigurationChange, DefinitionKind, Page, Removal, RunFilter, RunRow, RunState, StepRow, StoreError},
};

/// So many runs are taken at a time, and so many of them go on at once.
const TAKEN: usize = 64;
const AT_ONCE: usize = 16;
/// How often the store is looked into although nobody rang: for runs of another node that has died, and for those that wait.
const LOOK: Duration = Duration::from_secs(1);
/// The pause after the store failed.
const FAILED: Duration = Duration::from_secs(5);

/// An automation as people see it.
#[derive(Debug, Clone)]
pub struct AutomationView {
    /// The user's own id.
    pub key: String,
    /// What a person wrote.
    pub body: Value,
    /// The name that people see.
    pub name: String,
    /// Whether it takes anything.
    pub enabled: bool,
    /// The event types that it takes.
    pub on: Vec<String>,
    /// The names of its steps, with the words for what they do.
    pub steps: Vec<(String, &'static str)>,
    /// Why it takes nothing although it is switched on: it was written by another version.
    pub problem: Option<Problem>,
    /// When it was written last, Unix milliseconds.
    pub changed_ms: i64,
}

impl From<&Automation> for AutomationView {
    fn from(automation: &Automation) -> Self {
        let compiled = automation.compiled.as_ref().ok().map(|compiled| &compiled.steps);
        let steps = compiled.map(|compiled| compiled.steps.as_slice()).unwrap_or_default();
        Self {
            key: automation.key.clone(),
            body: automation.body.clone(),
            name: compiled.map_or_else(|| automation.key.clone(), |compiled| compiled.name.clone()),
            enabled: compiled.is_some_and(|compiled| compiled.enabled),
            on: compiled.map(|compiled| compiled.on.clone()).unwrap_or_default(),
            steps: steps
                .iter()
                .map(|step| (step.name.to_string(), step.action.name()))
                .collect(),
            problem: automation.compiled.as_ref().err().cloned(),
            changed_ms: automation.changed_ms,
        }
    }
}

/// A run with what its steps did.
#[derive(Debug, Clone)]
pub struct RunView {
    /// The run.
    pub row: RunRow,
    /// What its steps did so far, in their order.
    pub steps: Vec<StepRow>,
}

/// Takes steps until the hub is gone.
pub(super) async fn run(hub: Weak<Inner>) {
    loop {
        let Some(inner) = hub.upgrade() else { return };
        let bell = Arc::clone(&inner.desk.bell);
        let pause = match (Hub { inner }).take_steps().await {
            Ok(pause) => pause,
            Err(StoreError::Closed) => return,
            Err(error) => {
                tracing::error!(%error, "runs of automations could not be taken");
                FAILED
            }
        };
        if !pause.is_zero() {
            bell.wait(pause).await;
        }
    }
}

impl Hub {
    /// Goes on with the runs that are due; answers how long there is probably nothing to do.
    async fn take_steps(&self) -> Result<Duration, StoreError> {
        let now_ms = self.now_ms();
        match self.inner.store.next_run_ms().await? {
            None => return Ok(LOOK),
            Some(due_ms) if due_ms > now_ms => {
                let wait = Duration::from_millis(u64::try_from(due_ms - now_ms).unwrap_or_default());
                return Ok(wait.min(LOOK));
            }
            Some(_) => {}
        }
        let taken = self.inner.store.take_runs(now_ms, LEASE_MS, TAKEN).await?;
        let workshop = Workshop {
            desk: self.inner.desk.clone(),
            configuration: self.configuration(),
        };
        stream::iter(taken)
            .for_each_concurrent(AT_ONCE, |run| go_on(&workshop, run))
            .await;
        Ok(Duration::ZERO)
    }

    /// The automations of a workspace, in the order in which they were made.
    pub fn automations(&self, workspace: WorkspaceId) -> Vec<AutomationView> {
        let configuration = self.configuration();
        let all = configuration
            .workspace(workspace)
            .map(|workspace| workspace.automations.all());
        all.unwrap_or_default().iter().map(AutomationView::from).collect()
    }

    /// One automation.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub fn automation(&self, workspace: WorkspaceId, key: &str) -> Result<AutomationView, Problem> {
        let configuration = self.configuration();
        let found = configuration
            .workspace(workspace)
            .and_then(|workspace| workspace.automations.get(key));
        found.map(AutomationView::from).ok_or_else(|| no_automation(key))
    }

    /// Writes an automation, in place of what is kept under its key.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub async fn put_automation(
        &self,
        workspace: WorkspaceId,
        spec: AutomationSpec,
    ) -> Result<AutomationView, Problem> {
        let key = spec.key.clone();
        self.configure(workspace, vec![Item::Automation(spec)]).await?;
        self.automation(workspace, &key)
    }

    /// Switches an automation on or off. Runs that have begun go on.
    ///
    /// # Errors
    /// [`Code::NotFound`]; what is wrong with it, when it cannot be switched on.
    pub async fn switch_automation(
        &self,
        workspace: WorkspaceId,
        key: &str,
        enabled: bool,
    ) -> Result<AutomationView, Problem> {
        let mut body = self.automation(workspace, key)?.body;
        if let Some(body) = body.as_object_mut() {
            body.insert("enabled".into(), enabled.into());
        }
        let key = key.to_owned();
        self.put_automation(workspace, AutomationSpec { key, body }).await
    }

    /// Takes an automation away. Runs that have begun go on.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub async fn remove_automation(&self, workspace: WorkspaceId, key: &str) -> Result<(), Problem> {
        self.automation(workspace, key)?;
        let change = ConfigurationChange {
            removed: vec![Removal::Definition(DefinitionKind::Automation, key.to_owned())],
            now_ms: self.now_ms(),
            ..ConfigurationChange::default()
        };
        self.inner.store.configure(workspace, change).await?;
        self.refresh().await
    }

    /// What an automation would do about an event, without doing it.
    ///
    /// # Errors
    /// What is wrong with the automation; when the store fails.
    pub async fn try_automation(&self, workspace: WorkspaceId, body: &Value, event: Event) -> Result<Tried, Problem> {
        let automation = Compiled::read(body)?;
        let workshop = Workshop {
            desk: self.inner.desk.clone(),
            configuration: self.configuration(),
        };
        try_out(&workshop, workspace, &automation, event).await
    }

    /// Runs, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn runs(&self, workspace: WorkspaceId, filter: RunFilter, page: Page) -> Result<Vec<RunRow>, Problem> {
        Ok(self.inner.store.runs(workspace, filter, page).await?)
    }

    /// A run with its steps.
    ///
    /// # Errors
    /// [`Code::NotFound`]; when the store fails.
    pub async fn run(&self, workspace: WorkspaceId, id: RunId) -> Result<RunView, Problem> {
        let row = self.inner.store.run(workspace, id).await?;
        let row = row.ok_or_else(|| super::reading::not_found(&id.to_string()))?;
        let steps = self.inner.store.run_steps(workspace, id).await?;
        Ok(RunView { row, steps })
    }

    /// Lets a run that has failed go on at the step that failed: by the automation as it is now, where its steps up to that one are called the
    /// same as before, else as it was.
    ///
    /// # Errors
    /// [`Code::NotFound`]; [`Code::WrongState`] when the run has not failed.
    pub async fn retry_run(&self, workspace: WorkspaceId, id: RunId) -> Result<RunView, Problem> {
        let run = self.run(workspace, id).await?;
        let version = self.present_version(workspace, &run.row).map(Arc::new);
        let retried = self
            .inner
            .store
            .retry_run(workspace, id, version, self.now_ms())
            .await?;
        if !retried {
            let state = self.run(workspace, id).await?.row.state;
            return Err(Problem::new(
                Code::WrongState,
                format!("{id} is {}, and only a run that has failed can go on", state.name()),
                "See GET /v1/runs?state=failed for those that have.",
            ));
        }
        self.inner.desk.bell.ring();
        self.run(workspace, id).await
    }

    fn present_version(&self, workspace: WorkspaceId, run: &RunRow) -> Option<crate::store::Version> {
        if run.state != RunState::Failed {
            return None;
        }
        let configuration = self.configuration();
        let present = configuration.workspace(workspace)?.automations.get(&run.automation)?;
        let now = &present.compiled.as_ref().ok()?.steps;
        let before = Compiled::read(&run.body).ok()?;
        let names = |of: &Compiled| -> Option<Vec<Arc<str>>> {
            let steps = of.steps.get(..=run.at as usize)?;
            Some(steps.iter().map(|step| Arc::clone(&step.name)).collect())
        };
        (names(now)? == names(&before)?).then(|| version_of(&present.body))
    }
}

fn no_automation(key: &str) -> Problem {
    let shown: String = key.chars().take(80).collect();
    Problem::new(
        Code::NotFound,
        format!("there is no automation `{shown}`"),
        "See GET /v1/automations for those that exist.",
    )
}
