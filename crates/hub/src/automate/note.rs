//! What is written down of a step, and how the run goes on.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use switchboard_model::{
    problem::{Code, Problem, ProblemBody},
    record::ObjectType,
};

use super::{deed::Fault, records};
use crate::{
    clock::moment,
    lane::backoff::Schedule,
    store::{Accepted, Committed, Outcome, RecordRow, RunState, StepOutcome, StepRow, StepSettlement},
};

/// What a step did, or why it did not.
#[derive(Debug, Clone)]
pub(super) enum Note {
    /// Nothing was to be done.
    Passed(String),
    /// It looked for a record.
    Found {
        object: Arc<ObjectType>,
        row: Option<RecordRow>,
        detail: Value,
    },
    /// It wrote a record; the commit knows which.
    Written { object: Arc<ObjectType>, detail: Value },
    /// It named who is in charge.
    Assigned {
        object: Arc<ObjectType>,
        owner: Value,
        detail: Value,
    },
    /// It handed something to connections; the commit knows the events.
    Sent { detail: Value },
    /// The run goes on at this moment, Unix milliseconds.
    Waits(i64),
    /// The run ends here.
    Stops(Option<String>),
    /// It could not be taken.
    Failed { problem: Box<Problem>, passes: bool },
}

impl From<Fault> for Note {
    fn from(fault: Fault) -> Self {
        Self::Failed {
            problem: Box::new(fault.problem),
            passes: fault.passes,
        }
    }
}

/// Where a run stands when a step is written down.
#[derive(Debug, Clone)]
pub(super) struct Stand {
    /// The place of the step.
    pub at: u32,
    /// How many steps there are.
    pub steps: u32,
    /// The step's name.
    pub name: Arc<str>,
    /// The word for what it does.
    pub action: &'static str,
    /// How often it has failed.
    pub attempts: u32,
    /// How failed steps are tried again.
    pub schedule: Schedule,
    /// Spreads the retries of runs that failed together.
    pub seed: u64,
    /// Now.
    pub now_ms: i64,
    /// How long the run is in these hands.
    pub lease_ms: i64,
    /// What set the run going, should it wait; `None` when the run has it already.
    pub keep: Option<Arc<Value>>,
}

impl Stand {
    /// What is written down of the step, given what came of the commit.
    pub fn settle(&self, note: &Note, committed: &Committed) -> StepSettlement {
        match note {
            Note::Passed(why) => self.goes_on(StepOutcome::Skipped, Value::Null, json!({ "reason": why })),
            Note::Found { object, row, detail } => {
                self.goes_on(StepOutcome::Done, records::found(object, row.as_ref()), detail.clone())
            }
            Note::Written { object, detail } => self.written(object, detail, None, committed),
            Note::Assigned { object, owner, detail } => self.written(object, detail, Some(owner), committed),
            Note::Sent { detail } => {
                let events: Vec<String> = committed.events.iter().map(|event| event_of(*event)).collect();
                let result = json!({ "sent": events.len(), "event": events.first() });
                let mut detail = detail.clone();
                if let Some(detail) = detail.as_object_mut() {
                    detail.insert("events".into(), json!(events));
                }
                self.goes_on(StepOutcome::Done, result, detail)
            }
            Note::Waits(until_ms) => self.waits(*until_ms),
            Note::Stops(why) => StepSettlement {
                state: RunState::Stopped,
                ..self.goes_on(StepOutcome::Done, json!({ "reason": why }), json!({ "reason": why }))
            },
            Note::Failed { problem, passes } => self.fails(problem, *passes),
        }
    }

    fn written(
        &self,
        object: &Arc<ObjectType>,
        detail: &Value,
        owner: Option<&Value>,
        committed: &Committed,
    ) -> StepSettlement {
        let missing = || {
            Problem::new(
                Code::Internal,
                "the store did not say what came of the record",
                "Retry the run; please report this when it comes again.",
            )
        };
        let Some(written) = committed.records.first() else {
            return self.fails(&missing(), false);
        };
        let created = match &written.outcome {
            Outcome::Refused(problem) => return self.fails(problem, false),
            outcome => *outcome == Outcome::Created,
        };
        let Some(row) = &written.record else {
            return self.fails(&missing(), false);
        };
        let changed = written.outcome != Outcome::Unchanged;
        let mut result = Map::from_iter([
            ("id".to_owned(), json!(row.id.to_string())),
            ("created".to_owned(), json!(created)),
            ("changed".to_owned(), json!(changed)),
            ("found".to_owned(), json!(!created)),
            ("record".to_owned(), records::shown(object, row)),
        ]);
        if let Some(owner) = owner {
            result.insert("owner".into(), owner.clone());
        }
        self.goes_on(StepOutcome::Done, Value::Object(result), detail.clone())
    }

    /// The next step, or the end.
    fn goes_on(&self, outcome: StepOutcome, result: Value, detail: Value) -> StepSettlement {
        let at = self.at.saturating_add(1);
        let state = if at < self.steps {
            RunState::Running
        } else {
            RunState::Done
        };
        StepSettlement {
            state,
            at,
            attempts: 0,
            due_ms: self.now_ms.saturating_add(self.lease_ms),
            problem: None,
            keep: None,
            row: self.row(outcome, result, detail, None),
        }
    }

    fn waits(&self, until_ms: i64) -> StepSettlement {
        let result = json!({ "until": moment(until_ms) });
        let goes_on = self.goes_on(StepOutcome::Waiting, result.clone(), result);
        // Behind the last step there is nothing to wait for.
        if goes_on.state.is_over() || until_ms <= self.now_ms {
            let row = StepRow {
                outcome: StepOutcome::Done,
                ..goes_on.row
            };
            return StepSettlement { row, ..goes_on };
        }
        StepSettlement {
            state: RunState::Waiting,
            due_ms: until_ms,
            keep: self.keep.as_deref().cloned(),
            ..goes_on
        }
    }

    fn fails(&self, problem: &Problem, passes: bool) -> StepSettlement {
        let attempts = self.attempts.saturating_add(1);
        let wait = self.schedule.wait_ms(attempts, self.seed).filter(|_| passes);
        let body = ProblemBody::from(problem);
        StepSettlement {
            state: if wait.is_some() {
                RunState::Running
            } else {
                RunState::Failed
            },
            at: self.at,
            attempts,
            due_ms: self
                .now_ms
                .saturating_add(wait.map_or(0, |ms| i64::try_from(ms).unwrap_or(i64::MAX))),
            problem: Some(body.clone()),
            keep: None,
            row: self.row(StepOutcome::Failed, Value::Null, Value::Null, Some(body)),
        }
    }

    fn row(&self, outcome: StepOutcome, result: Value, detail: Value, problem: Option<ProblemBody>) -> StepRow {
        StepRow {
            at: self.at,
            name: self.name.to_string(),
            action: self.action.to_owned(),
            outcome,
            result,
            detail,
            problem,
            at_ms: self.now_ms,
        }
    }
}

fn event_of(accepted: Accepted) -> String {
    match accepted {
        Accepted::New { event, .. } | Accepted::Repeat(event) | Accepted::Conflict(event) => event.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stand(at: u32, attempts: u32) -> Stand {
        Stand {
            at,
            steps: 3,
            name: "one".into(),
            action: "wait",
            attempts,
            schedule: Schedule {
                attempts: 3,
                ..Schedule::default()
            },
            seed: 1,
            now_ms: 1_000,
            lease_ms: 500,
            keep: Some(Arc::new(json!({ "type": "x" }))),
        }
    }

    fn failed(passes: bool) -> Note {
        let problem = Problem::new(Code::ConnectionIncomplete, "no", "wait");
        Note::from(if passes {
            Fault::passing(problem)
        } else {
            Fault::lasting(problem)
        })
    }

    #[test]
    fn a_step_leads_to_the_next_and_the_last_one_ends_the_run() {
        let middle = stand(1, 2).settle(&Note::Passed("x".into()), &Committed::default());
        assert_eq!(
            (middle.state, middle.at, middle.attempts, middle.due_ms),
            (RunState::Running, 2, 0, 1_500)
        );
        assert_eq!(middle.row.outcome, StepOutcome::Skipped);
        let last = stand(2, 0).settle(&Note::Passed("x".into()), &Committed::default());
        assert_eq!((last.state, last.at), (RunState::Done, 3));
    }

    #[test]
    fn a_wait_keeps_what_set_the_run_going_unless_it_is_over_or_the_last_step() {
        let wait = stand(0, 0).settle(&Note::Waits(9_000), &Committed::default());
        assert_eq!((wait.state, wait.at, wait.due_ms), (RunState::Waiting, 1, 9_000));
        assert!(wait.keep.is_some() && wait.row.outcome == StepOutcome::Waiting);
        for (at, until, state) in [(0, 900, RunState::Running), (2, 9_000, RunState::Done)] {
            let none = stand(at, 0).settle(&Note::Waits(until), &Committed::default());
            assert_eq!(
                (none.state, none.due_ms, none.row.outcome),
                (state, 1_500, StepOutcome::Done)
            );
            assert!(none.keep.is_none());
        }
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_lasts_is_not() {
        let first = stand(1, 0).settle(&failed(true), &Committed::default());
        assert_eq!((first.state, first.at, first.attempts), (RunState::Running, 1, 1));
        assert!(first.due_ms > 1_000 && first.problem.is_some());
        let last = stand(1, 2).settle(&failed(true), &Committed::default());
        assert_eq!((last.state, last.attempts, last.due_ms), (RunState::Failed, 3, 1_000));
        let lasting = stand(1, 0).settle(&failed(false), &Committed::default());
        assert_eq!(lasting.state, RunState::Failed);
    }
}
