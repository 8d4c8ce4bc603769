//! Runs of automations: what is written when one begins, is taken up, takes a step, and ends.

use std::{fmt, sync::Arc};

use serde_json::Value;
use switchboard_model::{
    id::{EventId, RunId, WorkspaceId},
    problem::ProblemBody,
};

use super::{Answer, Committed, Page};

/// Runs of automations. They begin with their event, in the transaction that accepts it ([`super::NewEvent::runs`]); each step is written down
/// with what it does, by [`super::Ledger::commit`] under [`super::Guard::Step`].
pub trait Runs: Send + Sync {
    /// Takes up to `most` runs that are due, those that have waited longest first. They are due again `lease_ms` later, unless a step is
    /// written down until then: whoever took them may have died.
    fn take_runs(&self, now_ms: i64, lease_ms: i64, most: usize) -> Answer<'_, Vec<TakenRun>>;

    /// When the next run is due, Unix milliseconds; `None` when there is none that is not over.
    fn next_run_ms(&self) -> Answer<'_, Option<i64>>;

    /// Whose turn it is where people take turns, counted from 0.
    fn turn_of(&self, workspace: WorkspaceId, automation: &str, step: &str) -> Answer<'_, i64>;

    /// Newest first.
    fn runs(&self, workspace: WorkspaceId, filter: RunFilter, page: Page) -> Answer<'_, Vec<RunRow>>;

    /// One run.
    fn run(&self, workspace: WorkspaceId, id: RunId) -> Answer<'_, Option<RunRow>>;

    /// What the steps of a run did, in their order.
    fn run_steps(&self, workspace: WorkspaceId, id: RunId) -> Answer<'_, Vec<StepRow>>;

    /// Lets a failed run go on at the step that failed, by `version` if one is given; answers whether it was one.
    fn retry_run(
        &self,
        workspace: WorkspaceId,
        id: RunId,
        version: Option<Arc<Version>>,
        now_ms: i64,
    ) -> Answer<'_, bool>;
}

/// An automation as it was when a run began. The run keeps to it, however the automation is changed meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Tells versions apart.
    pub digest: [u8; 16],
    /// What a person wrote, JSON text.
    pub body: Arc<str>,
}

/// A run on its way into the store, with its event.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Of which automation.
    pub automation: Arc<str>,
    /// As it is now.
    pub version: Arc<Version>,
    /// The automations whose steps led to the event, one after the other.
    pub chain: Arc<[Arc<str>]>,
    /// Why it is not even begun; it is failed from the beginning.
    pub refused: Option<Box<ProblemBody>>,
}

/// Where a run stands. The numbers are stored; never renumber them. Those from 10 on are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RunState {
    /// At work, or a step is about to be tried again.
    Running = 0,
    /// A step of it waits.
    Waiting = 1,
    /// Every step was taken or passed over.
    Done = 10,
    /// A step ended it.
    Stopped = 11,
    /// A step failed for good; a person can let it go on.
    Failed = 12,
}

impl RunState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Running, Self::Waiting, Self::Done, Self::Stopped, Self::Failed];

    /// The state with this stored number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|state| *state as u8 == number)
    }

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing happens any more by itself.
    pub fn is_over(self) -> bool {
        self as u8 >= 10
    }
}

/// A run that is to go on here.
#[derive(Debug, Clone)]
pub struct TakenRun {
    /// Its id.
    pub id: RunId,
    /// Its tenant.
    pub workspace: WorkspaceId,
    /// Of which automation.
    pub automation: Arc<str>,
    /// What the automation was when it began.
    pub version: Version,
    /// What set it going.
    pub event: EventId,
    /// That event, where the run keeps it, because it waits longer than events may be kept.
    pub kept: Option<Value>,
    /// The automations whose steps led to the event.
    pub chain: Vec<Arc<str>>,
    /// The place of the step that is next.
    pub at: u32,
    /// How often that step has failed.
    pub attempts: u32,
    /// Grows with each taking; what an earlier holder writes is ignored.
    pub fence: i64,
    /// What the steps brought, by their names.
    pub results: Vec<(String, Value)>,
}

/// What has to be so for a step to happen: its run stands there, and nobody else has taken it since.
#[derive(Clone)]
pub struct StepGuard {
    /// Whose step.
    pub run: RunId,
    /// The place of the step.
    pub at: u32,
    /// As it was taken.
    pub fence: i64,
    /// Whose turn it was, for steps where people take turns; it is somebody else's then, and nothing happens when it is already.
    pub turn: Option<TakenTurn>,
    /// What is written down, given what came of the commit. Called inside the transaction, perhaps more than once: it must be pure, and must
    /// not block.
    pub settle: Arc<dyn Fn(&Committed) -> StepSettlement + Send + Sync>,
}

impl fmt::Debug for StepGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepGuard")
            .field("run", &self.run)
            .field("at", &self.at)
            .field("fence", &self.fence)
            .finish_non_exhaustive()
    }
}

/// Whose turn it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenTurn {
    /// Of which automation.
    pub automation: Arc<str>,
    /// At which step.
    pub step: Arc<str>,
    /// Which turn, as [`Runs::turn_of`] told.
    pub number: i64,
}

/// What is written down of a step.
#[derive(Debug, Clone)]
pub struct StepSettlement {
    /// Where the run stands now.
    pub state: RunState,
    /// The place of the step that is next.
    pub at: u32,
    /// How often that one has failed.
    pub attempts: u32,
    /// When the run goes on, Unix milliseconds; for one that goes on at once, when somebody else may take it.
    pub due_ms: i64,
    /// What went wrong.
    pub problem: Option<ProblemBody>,
    /// What set the run going, when it is to be kept with it.
    pub keep: Option<Value>,
    /// The step.
    pub row: StepRow,
}

/// What a step did.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRow {
    /// Its place in the automation.
    pub at: u32,
    /// Its name.
    pub name: String,
    /// The word for what it does.
    pub action: String,
    /// How it ended.
    pub outcome: StepOutcome,
    /// What later steps see of it.
    pub result: Value,
    /// What it did, for people: what was asked for.
    pub detail: Value,
    /// What went wrong.
    pub problem: Option<ProblemBody>,
    /// When, Unix milliseconds.
    pub at_ms: i64,
}

/// How a step ended. The numbers are stored; never renumber them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum StepOutcome {
    /// It was taken.
    Done = 0,
    /// Its condition did not hold, or there was nothing to do.
    Skipped = 1,
    /// It waits.
    Waiting = 2,
    /// It failed.
    Failed = 3,
}

impl StepOutcome {
    /// The outcome with this stored number.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Done, Self::Skipped, Self::Waiting, Self::Failed]
            .into_iter()
            .find(|outcome| *outcome as u8 == number)
    }

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Waiting => "waiting",
            Self::Failed => "failed",
        }
    }
}

/// Which runs.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Of this automation only.
    pub automation: Option<String>,
    /// In this state only.
    pub state: Option<RunState>,
    /// Of this event only.
    pub event: Option<EventId>,
}

/// A run as a person sees it.
#[derive(Debug, Clone)]
pub struct RunRow {
    /// Its id.
    pub id: RunId,
    /// Of which automation.
    pub automation: String,
    /// What the automation was when it began, JSON.
    pub body: Value,
    /// What set it going.
    pub event: EventId,
    /// The automations whose steps led to the event.
    pub chain: Vec<String>,
    /// Where it stands.
    pub state: RunState,
    /// The place of the step that is next.
    pub at: u32,
    /// How often that one has failed.
    pub attempts: u32,
    /// When it goes on.
    pub due_ms: i64,
    /// What went wrong.
    pub problem: Option<ProblemBody>,
    /// When it was over.
    pub ended_ms: Option<i64>,
}
