//! Runs of automations: begun with their event, taken by one, written down once.

use std::sync::Arc;

use serde_json::{Value, json};
use switchboard_model::{
    id::{EventId, RunId},
    problem::{Code, Problem, ProblemBody},
};

use super::{
    bench::{Bench, NOW},
    fixture::{Fixture, LONG, PRINT, new_event},
};
use crate::store::{
    Commit, Committed, Guard, NewEvent, NewRun, Page, RunFilter, RunState, StepGuard, StepOutcome, StepRow,
    StepSettlement, TakenRun, TakenTurn, Version,
};

const ALL: Page = Page {
    before: None,
    limit: 100,
};

fn version(digest: u8) -> Arc<Version> {
    Arc::new(Version {
        digest: [digest; 16],
        body: format!("{{\"key\":\"hot-leads\",\"n\":{digest}}}").into(),
    })
}

fn new_run(automation: &str) -> NewRun {
    NewRun {
        automation: automation.into(),
        version: version(1),
        chain: Arc::new(["first".into()]),
        refused: None,
    }
}

impl Fixture {
    fn event_with_runs(&self, automations: &[&str]) -> NewEvent {
        NewEvent {
            deliveries: vec![],
            runs: automations.iter().map(|key| new_run(key)).collect(),
            ..self.event("x", None)
        }
    }

    async fn begin(&self, automations: &[&str]) -> EventId {
        let accepted = self
            .store
            .accept(vec![self.event_with_runs(automations)])
            .await
            .unwrap();
        new_event(accepted[0])
    }

    async fn take(&self, now_ms: i64, lease_ms: i64) -> Vec<TakenRun> {
        self.store.take_runs(now_ms, lease_ms, 10).await.unwrap()
    }

    async fn step(
        &self,
        run: &TakenRun,
        settled: StepSettlement,
        turn: Option<TakenTurn>,
        events: Vec<NewEvent>,
    ) -> Committed {
        let commit = Commit {
            workspace: self.workspace,
            now_ms: NOW + 7,
            guard: Guard::Step(StepGuard {
                run: run.id,
                at: run.at,
                fence: run.fence,
                turn,
                settle: Arc::new(move |_| settled.clone()),
            }),
            records: vec![],
            events,
            announce: Arc::new(|_| Vec::new()),
            link_places: Arc::new([]),
        };
        self.store.commit(commit).await.unwrap()
    }

    async fn state_of(&self, id: RunId) -> (RunState, u32) {
        let row = self.store.run(self.workspace, id).await.unwrap().unwrap();
        (row.state, row.at)
    }
}

/// The step at `at` was taken and brought `result`.
fn settled(at: u32, state: RunState, result: Value) -> StepSettlement {
    StepSettlement {
        state,
        at: at + 1,
        attempts: 0,
        due_ms: NOW + 1_000,
        problem: None,
        keep: None,
        row: StepRow {
            at,
            name: format!("step{at}"),
            action: "send".into(),
            outcome: StepOutcome::Done,
            result,
            detail: json!({ "did": at }),
            problem: None,
            at_ms: NOW + 7,
        },
    }
}

pub(super) async fn begun(bench: &impl Bench) {
    let it = Fixture::new(bench).await;
    let event = it.begin(&["a", "b"]).await;
    let runs = it.store.runs(it.workspace, RunFilter::default(), ALL).await.unwrap();
    assert_eq!(
        runs.iter().map(|run| run.automation.as_str()).collect::<Vec<_>>(),
        ["b", "a"]
    );
    assert!(
        runs.iter()
            .all(|run| run.event == event && run.state == RunState::Running && run.chain == ["first"])
    );
    assert_eq!(runs[0].body["n"], 1);
    // A repeat begins nothing.
    let once = |text: &str| NewEvent {
        fingerprint: Some(PRINT),
        ..it.event_with_runs(&[text])
    };
    it.store.accept(vec![once("c"), once("c")]).await.unwrap();
    let of = |automation: &str| RunFilter {
        automation: Some(automation.into()),
        ..RunFilter::default()
    };
    assert_eq!(it.store.runs(it.workspace, of("c"), ALL).await.unwrap().len(), 1);
    let other = it.store.workspace("other").await.unwrap();
    assert!(
        it.store
            .runs(other, RunFilter::default(), ALL)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(it.store.run(other, runs[0].id).await.unwrap().is_none());
}

pub(super) async fn refused(bench: &impl Bench) {
    let it = Fixture::new(bench).await;
    let problem = ProblemBody::from(&Problem::new(Code::AutomationLoop, "a → a", "x"));
    let new = NewEvent {
        runs: vec![NewRun {
            refused: Some(Box::new(problem.clone())),
            ..new_run("a")
        }],
        ..it.event("x", None)
    };
    it.store.accept(vec![new]).await.unwrap();
    assert!(it.take(NOW + LONG, LONG).await.is_empty());
    assert_eq!(it.store.next_run_ms().await.unwrap(), None);
    let failed = RunFilter {
        state: Some(RunState::Failed),
        ..RunFilter::default()
    };
    let runs = it.store.runs(it.workspace, failed, ALL).await.unwrap();
    assert_eq!(runs.len(), 1);
    assert!(runs[0].problem == Some(problem) && runs[0].ended_ms.is_some());
}

pub(super) async fn taken(bench: &impl Bench) {
    let it = Fixture::new(bench).await;
    it.begin(&["a"]).await;
    assert_eq!(it.store.next_run_ms().await.unwrap(), Some(NOW));
    assert!(it.take(NOW - 1, LONG).await.is_empty());
    let first = it.take(NOW, 100).await.pop().unwrap();
    assert_eq!((first.at, &*first.automation, first.version.digest), (0, "a", [1; 16]));
    assert!(it.take(NOW + 99, 100).await.is_empty());
    // Whoever took it has died.
    let second = it.take(NOW + 100, 100).await.pop().unwrap();
    assert!(second.id == first.id && second.fence > first.fence);
    let late = it
        .step(
            &first,
            settled(0, RunState::Running, json!({})),
            None,
            vec![it.event("late", None)],
        )
        .await;
    assert!(!late.held && late.events.is_empty());
    assert!(it.pending().await.is_empty());
    assert!(
        it.step(&second, settled(0, RunState::Running, json!({})), None, vec![])
            .await
            .held
    );
    assert_eq!(it.state_of(first.id).await, (RunState::Running, 1));
}

pub(super) async fn stepped(bench: &impl Bench) {
    let it = Fixture::new(bench).await;
    it.begin(&["a"]).await;
    let run = it.take(NOW, LONG).await.pop().unwrap();
    let sent = it.event("sent", None);
    let done = it
        .step(
            &run,
            settled(0, RunState::Running, json!({ "id": 5 })),
            None,
            vec![sent.clone()],
        )
        .await;
    assert!(done.held && done.events.len() == 1);
    // The same step once more does nothing: the run stands at the next one.
    assert!(
        !it.step(&run, settled(0, RunState::Running, json!({})), None, vec![sent])
            .await
            .held
    );
    assert_eq!(it.pending().await.len(), 1);
    let steps = it.store.run_steps(it.workspace, run.id).await.unwrap();
    assert_eq!(steps, [settled(0, RunState::Running, json!({ "id": 5 })).row]);
    // What it brought is there when the run is taken again.
    let again = it.take(NOW + 1_000, LONG).await.pop().unwrap();
    assert_eq!(
        (again.at, again.results.clone()),
        (1, vec![("step0".to_owned(), json!({ "id": 5 }))])
    );
    assert!(
        it.step(&again, settled(1, RunState::Done, json!({})), None, vec![])
            .await
            .held
    );
    assert_eq!(it.state_of(run.id).await, (RunState::Done, 2));
    assert!(it.take(NOW + LONG, LONG).await.is_empty());
    let row = it.store.run(it.workspace, run.id).await.unwrap().unwrap();
    assert_eq!(row.ended_ms, Some(NOW + 7));
}

pub(super) async fn waiting(bench: &impl Bench) {
    let it = Fixture::new(bench).await;
    it.begin(&["a"]).await;
    let run = it.take(NOW, LONG).await.pop().unwrap();
    let waits = StepSettlement {
        due_ms: NOW + 50_000,
        keep: Some(json!({ "type": "message.received" })),
        ..settled(0, RunState::Waiting, json!({ "until": "then" }))
    };
    it.step(&run, waits, None, vec![]).await;
    it.store.close().await.unwrap();
    let store = bench.open().await;
    assert_eq!(store.next_run_ms().await.unwrap(), Some(NOW + 50_000));
    assert!(store.take_runs(NOW + 49_999, LONG, 10).await.unwrap().is_empty());
    let taken = store.take_runs(NOW + 50_000, LONG, 10).await.unwrap().pop().unwrap();
    assert_eq!((taken.id, taken.at), (run.id, 1));
    assert_eq!(taken.kept, Some(json!({ "type": "message.received" })));
}

pub(super) async fn turns(bench: &impl Bench) {
    let it = Fixture::new(bench).await;
    it.begin(&["a", "a"]).await;
    let runs = it.take(NOW, LONG).await;
    let turn = |number| {
        Some(TakenTurn {
            automation: "a".into(),
            step: "assign".into(),
            number,
        })
    };
    assert_eq!(it.store.turn_of(it.workspace, "a", "assign").await.unwrap(), 0);
    let next = || settled(0, RunState::Running, json!({}));
    assert!(it.step(&runs[0], next(), turn(0), vec![]).await.held);
    // The other one has asked at the same moment.
    assert!(!it.step(&runs[1], next(), turn(0), vec![]).await.held);
    assert_eq!(it.store.turn_of(it.workspace, "a", "assign").await.unwrap(), 1);
    assert!(it.step(&runs[1], next(), turn(1), vec![]).await.held);
    assert_eq!(it.store.turn_of(it.workspace, "a", "assign").await.unwrap(), 2);
    assert_eq!(it.store.turn_of(it.workspace, "a", "other").await.unwrap(), 0);
}

pub(super) async fn retried(bench: &impl Bench) {
    let it = Fixture::new(bench).await;
    it.begin(&["a"]).await;
    let run = it.take(NOW, LONG).await.pop().unwrap();
    assert!(!it.store.retry_run(it.workspace, run.id, None, NOW).await.unwrap());
    let problem = ProblemBody::from(&Problem::new(Code::MappingFailed, "no", "x"));
    let failed = StepSettlement {
        at: 0,
        attempts: 3,
        problem: Some(problem.clone()),
        ..settled(0, RunState::Failed, Value::Null)
    };
    it.step(&run, failed, None, vec![]).await;
    assert!(it.take(NOW + LONG, LONG).await.is_empty());
    let other = it.store.workspace("other").await.unwrap();
    assert!(!it.store.retry_run(other, run.id, None, NOW).await.unwrap());
    assert!(
        it.store
            .retry_run(it.workspace, run.id, Some(version(2)), NOW + 9)
            .await
            .unwrap()
    );
    let row = it.store.run(it.workspace, run.id).await.unwrap().unwrap();
    assert!(row.problem.is_none() && row.ended_ms.is_none() && row.body["n"] == 2);
    let again = it.take(NOW + 9, LONG).await.pop().unwrap();
    assert_eq!((again.at, again.attempts, again.version.digest), (0, 0, [2; 16]));
    assert!(again.fence > run.fence);
}

/// Runs that are over go with the day of their event; those that wait stay.
pub(super) async fn dropped(bench: &impl Bench) {
    let it = Fixture::new(bench).await;
    it.begin(&["over", "waits"]).await;
    let runs = it.take(NOW, LONG).await;
    for run in &runs {
        let state = if &*run.automation == "over" {
            RunState::Done
        } else {
            RunState::Waiting
        };
        it.step(run, settled(0, state, json!({})), None, vec![]).await;
    }
    it.archive().await;
    let day = jiff::Timestamp::from_millisecond(NOW)
        .unwrap()
        .to_zoned_datetime(jiff::tz::TimeZone::UTC)
        .date();
    it.store.drop_day(day).await.unwrap();
    let left = it.store.runs(it.workspace, RunFilter::default(), ALL).await.unwrap();
    assert_eq!(
        left.iter().map(|run| run.automation.as_str()).collect::<Vec<_>>(),
        ["waits"]
    );
    let gone = runs.iter().find(|run| &*run.automation == "over").unwrap();
    assert!(it.store.run_steps(it.workspace, gone.id).await.unwrap().is_empty());
    assert_eq!(it.take(NOW + LONG, LONG).await.len(), 1);
}
