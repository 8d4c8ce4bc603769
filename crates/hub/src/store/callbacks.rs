//! What pushers have sent, exactly as it came, and what became of it.
//!
//! A callback is on the disk before its pusher is answered. It is processed afterwards, and what comes of it (records, events) is
//! committed in the transaction that settles it ([`Round`] is the guard), so that a crash in between makes nothing twice and loses
//! nothing.

use serde::{Deserialize, Serialize};
use switchboard_model::{
    id::{CallbackId, EventId, WorkspaceId},
    problem::ProblemBody,
};

use super::{Answer, Page};

/// So many notes are kept with a callback; a body of ten thousand items could leave a note for each field of each.
const MOST_NOTES: usize = 200;

/// Where a callback stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallbackState {
    /// It is to be processed.
    Waiting,
    /// It was processed; what it made is named beside it, which may be nothing.
    Done,
    /// The source says that it means nothing to us.
    Ignored,
    /// The pusher's test, or the source is in test mode: kept and shown, made nothing.
    Test,
    /// It could not be processed; a person mends the source and has it processed anew.
    Failed,
}

impl CallbackState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Done, Self::Ignored, Self::Test, Self::Failed];

    /// Its number in the database.
    pub fn number(self) -> i16 {
        match self {
            Self::Waiting => 0,
            Self::Done => 1,
            Self::Ignored => 2,
            Self::Test => 3,
            Self::Failed => 4,
        }
    }

    /// The state with this number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.number() == number)
    }

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Ignored => "ignored",
            Self::Test => "test",
            Self::Failed => "failed",
        }
    }

    /// The state with this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A request as it came, without what is secret in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawRequest {
    /// `POST`.
    pub method: String,
    /// The part of the address behind `/in/`.
    pub path: String,
    /// What stood behind the question mark.
    pub query: String,
    /// In their order; what is secret is masked.
    pub headers: Vec<(String, String)>,
    /// The address that it came from.
    pub from: String,
    /// Its public address, with the query: some schemes sign it.
    pub url: String,
}

/// A callback on its way into the store.
#[derive(Debug, Clone)]
pub struct NewCallback {
    /// Its tenant.
    pub workspace: WorkspaceId,
    /// The key of the source that it came to.
    pub source: String,
    /// When it came, Unix milliseconds.
    pub received_ms: i64,
    /// The request.
    pub request: RawRequest,
    /// Its body, byte by byte.
    pub body: Vec<u8>,
    /// What the pusher calls this delivery. The same one again is a repeat.
    pub delivery: Option<String>,
    /// Where it stands at first: [`CallbackState::Waiting`], or [`CallbackState::Test`].
    pub state: CallbackState,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// What became of a callback on its way into the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is on the disk.
    New(CallbackId),
    /// Its delivery came before, as this one. Only that is written down.
    Repeat(CallbackId),
}

/// The present turn of a callback: it is settled once in each. Another turn begins when it is to be processed anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// Which callback.
    pub callback: CallbackId,
    /// Its turn.
    pub number: i32,
}

/// What came of processing a callback.
#[derive(Debug, Clone, PartialEq)]
pub struct CallbackOutcome {
    /// Where it stands now; [`CallbackState::Waiting`]: it is tried again at `due_ms`.
    pub state: CallbackState,
    /// When it is processed next, Unix milliseconds.
    pub due_ms: i64,
    /// Whether this was one of its tries. One that only had to wait for its turn at a vendor was none.
    pub counts: bool,
    /// What a person should know: fields that did not fit, what was left out. They come behind those that are there.
    pub notes: Vec<String>,
    /// Why it failed.
    pub problem: Option<ProblemBody>,
}

/// Notes with further ones behind them, each once, as many as are kept.
pub(super) fn join_notes(mut known: Vec<String>, more: &[String]) -> Vec<String> {
    for note in more {
        if known.len() >= MOST_NOTES {
            let last = format!("there were more notes than the {MOST_NOTES} that are kept");
            if known.last() != Some(&last) {
                known.push(last);
            }
            break;
        }
        if !known.contains(note) {
            known.push(note.clone());
        }
    }
    known
}

/// What a callback has made, in the order of its mapping.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// Its events; one that came before in another callback is named, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<MadeEvent>,
    /// Records that were written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<MadeRecord>,
}

/// An event that a callback has made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeEvent {
    /// Which.
    pub id: EventId,
    /// Whether it was there before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeat: bool,
    /// Whether it was there before with other content, and stays as it was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub conflict: bool,
}

/// A record that a callback has written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeRecord {
    /// Its kind or table.
    pub object: String,
    /// Its id.
    pub id: String,
    /// `created`, `updated`, `unchanged`, `deleted` or `asked`.
    pub change: String,
    /// Whether the same again makes another one: it has nothing that it is found by, or is to be made in any case.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub doubles: bool,
}

/// A callback as it is kept.
#[derive(Debug, Clone)]
pub struct CallbackRow {
    /// Its id, which also tells when it came.
    pub id: CallbackId,
    /// Its tenant.
    pub workspace: WorkspaceId,
    /// The key of its source.
    pub source: String,
    /// When it came, Unix milliseconds.
    pub received_ms: i64,
    /// The request.
    pub request: RawRequest,
    /// Its body, byte by byte.
    pub body: Vec<u8>,
    /// What the pusher calls this delivery.
    pub delivery: Option<String>,
    /// Where it stands.
    pub state: CallbackState,
    /// Its present turn.
    pub round: i32,
    /// Tries of this turn that came to nothing.
    pub tries: i32,
    /// How often it was begun since it last came to an end, this time included: more than once, when the process ended in between.
    pub starts: i32,
    /// When it was settled, Unix milliseconds.
    pub settled_ms: Option<i64>,
    /// How often the delivery came again.
    pub repeats: i32,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Why it failed.
    pub problem: Option<ProblemBody>,
    /// What it has made.
    pub made: Made,
}

impl CallbackRow {
    /// The guard of what comes of it.
    pub fn round(&self) -> Round {
        Round {
            callback: self.id,
            number: self.round,
        }
    }
}

/// Whether processing a callback anew may make again what it has made.
pub(super) fn doubles(state: CallbackState, made: &Made) -> bool {
    let processed = state == CallbackState::Done && !made.records.is_empty();
    processed || made.records.iter().any(|record| record.doubles)
}

/// Which callbacks of a source.
#[derive(Debug, Clone, Default)]
pub struct CallbackFilter {
    /// In this state only.
    pub state: Option<CallbackState>,
}

/// Which callbacks are to be processed anew.
#[derive(Debug, Clone)]
pub enum Anew {
    /// These, all or none. `force`: also what they have made already may be made again.
    These {
        /// Their ids.
        ids: Vec<CallbackId>,
        /// Whether that is wanted.
        force: bool,
    },
    /// All of the source that failed, at most so many, oldest first; those that would double something are left out.
    Failed(usize),
}

/// What became of the wish to process callbacks anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Begun {
    /// Their next turn has begun.
    pub begun: Vec<CallbackId>,
    /// They were left as they are: what they have made might be made again.
    pub doubling: Vec<CallbackId>,
}

impl Begun {
    /// Parts those that may begin from those that would double something.
    pub(super) fn of(which: &Anew, found: impl IntoIterator<Item = (CallbackId, CallbackState, Made)>) -> Self {
        let mut parted = Self::default();
        for (id, state, made) in found {
            let forced = matches!(which, Anew::These { force: true, .. });
            match !forced && doubles(state, &made) {
                true => parted.doubling.push(id),
                false => parted.begun.push(id),
            }
        }
        if matches!(which, Anew::These { .. }) && !parted.doubling.is_empty() {
            parted.begun.clear();
        }
        parted
    }
}

/// What pushers have sent.
pub trait Callbacks: Send + Sync {
    /// Makes a callback durable, in a transaction that concurrent calls share, unless its delivery came before.
    fn keep(&self, callback: NewCallback) -> Answer<'_, Kept>;

    /// The sources that have callbacks to be processed now, the one that has waited longest first.
    fn due_sources(&self, now_ms: i64) -> Answer<'_, Vec<(WorkspaceId, String)>>;

    /// Begins callbacks of a source that are to be processed now, oldest first, and counts that with each of them. One that was begun before
    /// without coming to an end comes alone, so that nobody else is counted with it. Where nodes share the store, those that are handed out
    /// are not handed out to another one before `lease_ms` have passed.
    fn take_callbacks(
        &self,
        workspace: WorkspaceId,
        source: &str,
        now_ms: i64,
        lease_ms: i64,
        limit: usize,
    ) -> Answer<'_, Vec<CallbackRow>>;

    /// Settles a callback that makes nothing, or is tried again. `false`: its turn is over already.
    fn settle_callback(&self, round: Round, outcome: CallbackOutcome, now_ms: i64) -> Answer<'_, bool>;

    /// Callbacks of a source, newest first.
    fn callbacks(
        &self,
        workspace: WorkspaceId,
        source: &str,
        filter: CallbackFilter,
        page: Page,
    ) -> Answer<'_, Vec<CallbackRow>>;

    /// One callback.
    fn callback(&self, workspace: WorkspaceId, id: CallbackId) -> Answer<'_, Option<CallbackRow>>;

    /// Begins another turn of callbacks that are settled.
    fn process_anew(&self, workspace: WorkspaceId, source: &str, which: Anew, now_ms: i64) -> Answer<'_, Begun>;

    /// Deletes up to `most` callbacks that came before this moment and do not wait; answers how many.
    fn drop_callbacks(&self, before_ms: i64, most: usize) -> Answer<'_, usize>;
}

/// As many of what is due, oldest first, as may be begun together: one that was begun before comes alone.
pub(super) fn together(due: &[(CallbackId, i32)]) -> Vec<CallbackId> {
    let fresh = due.iter().take_while(|(_, starts)| *starts == 0).count();
    let count = fresh.max(due.len().min(1));
    due[..count].iter().map(|(id, _)| *id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_begun_before_is_begun_alone() {
        let due = |starts: &[i32]| -> Vec<(CallbackId, i32)> {
            let each = starts.iter().zip(1..);
            each.map(|(starts, id)| (CallbackId(id), *starts)).collect()
        };
        assert_eq!(together(&due(&[0, 0, 0])).len(), 3);
        assert_eq!(together(&due(&[0, 0, 2, 0])).len(), 2);
        assert_eq!(together(&due(&[1, 0, 0])), [CallbackId(1)]);
        assert!(together(&[]).is_empty());
    }

    #[test]
    fn notes_are_added_once_and_not_without_end() {
        let known = vec!["a".to_owned()];
        assert_eq!(join_notes(known.clone(), &["b".into(), "a".into()]), ["a", "b"]);
        let many: Vec<String> = (0..1_000).map(|n| n.to_string()).collect();
        let joined = join_notes(known, &many);
        assert_eq!(joined.len(), MOST_NOTES + 1);
        assert_eq!(join_notes(joined.clone(), &many), joined);
    }
}
