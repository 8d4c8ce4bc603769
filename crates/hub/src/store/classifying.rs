//! Messages that wait for their classification, and what models have cost.

use std::sync::Arc;

use jiff::civil::Date;
use switchboard_model::{
    event::Event,
    id::{EventId, WorkspaceId},
};

use super::Answer;

/// What a model may cost on one day, and what it has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expense {
    /// Calls.
    pub requests: u64,
    /// Tokens of questions and answers.
    pub tokens: u64,
}

/// Messages that wait for their classification. [`Outbox::accept`](super::Outbox::accept) puts events of the type `message.unclassified` among
/// them; they stay there until [`Classifying::classified`], whatever happens to the process that works on them.
pub trait Classifying: Send + Sync {
    /// The workspaces that have messages waiting which nobody is at work on.
    fn unclassified_workspaces(&self, now_ms: i64) -> Answer<'_, Vec<WorkspaceId>>;

    /// Takes up to `limit` messages of a workspace that nobody is at work on, oldest first. Nobody else gets them before `until_ms`.
    fn claim_unclassified(
        &self,
        workspace: WorkspaceId,
        now_ms: i64,
        until_ms: i64,
        limit: usize,
    ) -> Answer<'_, Vec<Arc<Event>>>;

    /// Lets go of a message; it can be taken again from `from_ms` on.
    fn postpone_unclassified(&self, event: EventId, from_ms: i64) -> Answer<'_, ()>;

    /// Lets go of every message. For a store that no other process works on, at its start.
    fn release_unclassified(&self) -> Answer<'_, ()>;

    /// The message became another event, which is durable: it waits no longer, and its note says what became of it.
    fn classified(&self, event: EventId, note: String) -> Answer<'_, ()>;

    /// Counts a call on a day unless that would be more than `limit` allows; answers whether it may be made. Days of the past are forgotten
    /// after a while.
    fn spend_request(&self, workspace: WorkspaceId, day: Date, limit: Expense) -> Answer<'_, bool>;

    /// Counts the tokens of a call.
    fn spend_tokens(&self, workspace: WorkspaceId, day: Date, tokens: u64) -> Answer<'_, ()>;

    /// What was spent on a day.
    fn spent(&self, workspace: WorkspaceId, day: Date) -> Answer<'_, Expense>;

    /// How many messages wait; counted up to `most`.
    fn unclassified(&self, workspace: WorkspaceId, most: usize) -> Answer<'_, usize>;
}

/// Expenses of days before this many are forgotten.
pub(super) const KEPT_DAYS: i32 = 100;

/// The last day whose expenses are forgotten when `day` begins.
pub(super) fn forgotten(day: Date) -> String {
    let before = day.checked_sub(jiff::Span::new().days(KEPT_DAYS));
    before.unwrap_or(Date::MIN).to_string()
}
