//! Takes the steps of runs that are due.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use switchboard_model::{
    automation::{Automation, Verb},
    event::{Event, EventType},
    id::EventId,
    problem::{Code, Problem},
    record::{ObjectType, Policy},
};

use super::{
    deed::{Chosen, Decider, Deed, Fault, Which},
    facts::Facts,
    note::{Note, Stand},
    records, scribe,
    sending::Sending,
};
use crate::{
    attempt::Desk,
    configuration::{Configuration, Workspace},
    failpoint,
    record::announcer,
    store::{
        Commit, Committed, Guard, How, NewEvent, RecordWrite, RunState, StepGuard, StoreError, TakenRun, TakenTurn,
    },
};

/// How long a run is in the hands of the node that took it, in milliseconds; each step renews that. A step takes one transaction.
pub(crate) const LEASE_MS: i64 = 5_000;
/// Somebody else was faster to take a turn: so often the next one is asked for.
const TURNS: usize = 20;

/// What taking steps works with.
#[derive(Clone)]
pub(crate) struct Workshop {
    /// The store, the time, the bell.
    pub desk: Desk,
    /// The users' wish.
    pub configuration: Arc<Configuration>,
}

/// How a run goes on here.
enum Next {
    /// With its next step, at once.
    Step,
    /// Not now, or not here.
    Leave,
}

/// An event as a waiting run keeps it.
#[derive(Serialize, Deserialize)]
struct Kept {
    id: EventId,
    #[serde(rename = "type")]
    kind: String,
    received_ms: i64,
    data: Map<String, Value>,
}

/// Goes on with a run until it waits, fails or is over. Should the store fail, the run goes on later.
pub(crate) async fn go_on(workshop: &Workshop, run: TakenRun) {
    let id = run.id;
    let went = async {
        let mut course = Course::begin(workshop, run).await?;
        while let Next::Step = course.step().await? {}
        Ok::<(), StoreError>(())
    };
    if let Err(error) = went.await {
        tracing::warn!(%error, run = %id, "a run of an automation goes on later");
    }
}

/// A run on its way through its steps.
struct Course<'w> {
    workshop: &'w Workshop,
    run: TakenRun,
    /// What it goes by; `Err` keeps why it cannot go on.
    way: Result<Way, Box<Fault>>,
}

struct Way {
    automation: Automation,
    facts: Facts,
}

/// What a step commits.
struct Act {
    records: Vec<RecordWrite>,
    events: Vec<NewEvent>,
    turn: Option<TakenTurn>,
    note: Note,
}

impl Act {
    fn note(note: Note) -> Self {
        Self {
            records: Vec::new(),
            events: Vec::new(),
            turn: None,
            note,
        }
    }
}

impl<'w> Course<'w> {
    async fn begin(workshop: &'w Workshop, mut run: TakenRun) -> Result<Self, StoreError> {
        let way = match read_automation(&run.version.body) {
            Err(problem) => Err(Box::new(Fault::lasting(problem))),
            Ok(automation) => match event_of(workshop, &run).await {
                Err(StoreError::Closed) => return Err(StoreError::Closed),
                Err(error) => Err(Box::new(error.into())),
                Ok(None) => Err(Box::new(Fault::lasting(event_gone(run.event)))),
                Ok(Some(event)) => {
                    let results = std::mem::take(&mut run.results);
                    let facts = Facts::new(event, Some(run.id), &run.automation, results);
                    Ok(Way { automation, facts })
                }
            },
        };
        Ok(Self { workshop, run, way })
    }

    fn workspace(&self) -> Option<&Workspace> {
        self.workshop.configuration.workspace(self.run.workspace)
    }

    /// Takes the next step and writes it down.
    async fn step(&mut self) -> Result<Next, StoreError> {
        for _ in 0..TURNS {
            let now_ms = self.workshop.desk.clock.now_ms();
            let act = match self.act(now_ms).await {
                Ok(act) => act,
                Err(fault) => Act::note(fault.into()),
            };
            let takes_turn = act.turn.is_some();
            let went = match self.commit(act, now_ms).await {
                // Written down as a step that failed, which counts: what the store never takes fails in the end.
                Err(error @ StoreError::Failed(_)) => {
                    tracing::warn!(%error, run = %self.run.id, "a step of an automation could not be written");
                    let failed = Act::note(Fault::from(error).into());
                    self.commit(failed, now_ms).await?.or(Some(Next::Leave))
                }
                went => went?,
            };
            if let Some(next) = went {
                return Ok(next);
            }
            if !takes_turn {
                // Somebody else has the run.
                return Ok(Next::Leave);
            }
        }
        Ok(Next::Leave)
    }

    /// What the next step does.
    async fn act(&self, now_ms: i64) -> Result<Act, Fault> {
        let way = self.way.as_ref().map_err(|fault| (**fault).clone())?;
        let Some(step) = way.automation.steps.get(self.run.at as usize) else {
            return Ok(Act::note(Note::Passed("there are no more steps".into())));
        };
        let decider = Decider {
            workspace: self.workspace(),
            objects: &self.workshop.configuration.objects(self.run.workspace),
            automation: &way.automation,
            run: Some(self.run.id),
            facts: &way.facts,
            now_ms,
        };
        match decider.decide(step)? {
            Deed::Pass(why) => Ok(Act::note(Note::Passed(why))),
            Deed::Wait(until_ms) => Ok(Act::note(Note::Waits(until_ms))),
            Deed::Stop(why) => Ok(Act::note(Note::Stops(why))),
            Deed::Find { object, which } => {
                let store = &*self.workshop.desk.store;
                let row = records::find(store, self.run.workspace, &object, &which, &Map::new()).await?;
                let detail = json!({ "object": object.name, "which": which.shown() });
                Ok(Act::note(Note::Found { object, row, detail }))
            }
            Deed::Write {
                verb,
                object,
                which,
                values,
            } => self.write(verb, object, which, values).await,
            Deed::Assign {
                object,
                id,
                field,
                owner,
            } => {
                let (owner, turn) = self.choose(owner, &step.name).await?;
                let values = Map::from_iter([(field, owner.clone())]);
                let detail = json!({ "object": object.name, "id": id.to_string(), "fields": values });
                let how = How::Update { id, revision: None };
                Ok(Act {
                    records: vec![self.record(&object, how, &values)?],
                    turn,
                    ..Act::note(Note::Assigned { object, owner, detail })
                })
            }
            Deed::Send(sendings) => self.send(sendings, now_ms),
        }
    }

    /// A write in the name of the automation.
    fn record(&self, object: &Arc<ObjectType>, how: How, values: &Map<String, Value>) -> Result<RecordWrite, Fault> {
        let objects = self.workshop.configuration.objects(self.run.workspace);
        scribe::write(&objects, object, how, values, &self.run.automation).map_err(Fault::lasting)
    }

    async fn write(
        &self,
        verb: Verb,
        object: Arc<ObjectType>,
        which: Which,
        values: Map<String, Value>,
    ) -> Result<Act, Fault> {
        let matched = |policy, only: &[String]| How::Match {
            policy,
            only: (!only.is_empty()).then(|| only.to_vec()),
        };
        let how = match (verb, &which) {
            (Verb::Create, _) => matched(Policy::Create, &[]),
            (Verb::Upsert, Which::Keys(only)) => matched(Policy::Update, only),
            (Verb::Update | Verb::Upsert, _) => {
                let store = &*self.workshop.desk.store;
                let found = records::find(store, self.run.workspace, &object, &which, &values).await?;
                match (found, verb) {
                    (Some(row), _) => How::Update {
                        id: row.id,
                        revision: None,
                    },
                    (None, Verb::Upsert) => matched(Policy::Update, &[]),
                    (None, _) => {
                        let why = format!("there is no such record: {} {}", object.name, which.shown());
                        return Ok(Act::note(Note::Passed(why)));
                    }
                }
            }
        };
        let write = self.record(&object, how, &values)?;
        let detail = json!({ "object": object.name, "which": which.shown(), "fields": values });
        Ok(Act {
            records: vec![write],
            ..Act::note(Note::Written { object, detail })
        })
    }

    async fn choose(&self, owner: Chosen, step: &Arc<str>) -> Result<(Value, Option<TakenTurn>), Fault> {
        let people = match owner {
            Chosen::Known(owner) => return Ok((owner, None)),
            Chosen::Turn(people) => people,
        };
        let store = &self.workshop.desk.store;
        let number = store.turn_of(self.run.workspace, &self.run.automation, step).await?;
        let place =
            usize::try_from(number.rem_euclid(i64::try_from(people.len().max(1)).unwrap_or(1))).unwrap_or_default();
        let owner = people.get(place).cloned().unwrap_or_default();
        let turn = TakenTurn {
            automation: Arc::clone(&self.run.automation),
            step: Arc::clone(step),
            number,
        };
        Ok((owner.into(), Some(turn)))
    }

    fn send(&self, sendings: Vec<Sending>, now_ms: i64) -> Result<Act, Fault> {
        let detail = json!({ "sends": sendings.iter().map(Sending::shown).collect::<Vec<Value>>() });
        let events = sendings.into_iter().enumerate().map(|(number, sending)| {
            sending
                .event(self.run.workspace, self.run.id, self.run.at, number, now_ms)
                .map_err(Fault::lasting)
        });
        Ok(Act {
            events: events.collect::<Result<_, Fault>>()?,
            ..Act::note(Note::Sent { detail })
        })
    }

    fn stand(&self, now_ms: i64) -> Stand {
        let way = self.way.as_ref().ok();
        let step = way.and_then(|way| way.automation.steps.get(self.run.at as usize));
        let steps = way.map_or(usize::MAX, |way| way.automation.steps.len());
        Stand {
            at: self.run.at,
            steps: u32::try_from(steps).unwrap_or(u32::MAX),
            name: step.map_or_else(|| "end".into(), |step| Arc::clone(&step.name)),
            action: step.map_or("end", |step| step.action.name()),
            attempts: self.run.attempts,
            schedule: self.workshop.desk.schedule,
            seed: self.run.id.0.cast_unsigned(),
            now_ms,
            lease_ms: LEASE_MS,
            keep: match (&self.run.kept, way) {
                (None, Some(way)) => keep(way.facts.event()).map(Arc::new),
                _ => None,
            },
        }
    }

    /// Does what the step does and writes it down, both or neither. `None`: it may not happen, for the run or the turn is somebody else's.
    async fn commit(&mut self, act: Act, now_ms: i64) -> Result<Option<Next>, StoreError> {
        let (stand, note) = (self.stand(now_ms), act.note);
        let settle = {
            let (stand, note) = (stand.clone(), note.clone());
            Arc::new(move |committed: &Committed| stand.settle(&note, committed))
        };
        let mut chain = self.run.chain.clone();
        chain.push(Arc::clone(&self.run.automation));
        let commit = Commit {
            workspace: self.run.workspace,
            now_ms,
            guard: Guard::Step(StepGuard {
                run: self.run.id,
                at: self.run.at,
                fence: self.run.fence,
                turn: act.turn,
                settle,
            }),
            records: act.records,
            events: act.events,
            announce: announcer(
                Arc::clone(&self.workshop.configuration),
                self.run.workspace,
                chain.into(),
            ),
            link_places: self
                .workspace()
                .map(|workspace| Arc::clone(&workspace.link_places))
                .unwrap_or_default(),
        };
        failpoint::reach(failpoint::STEP);
        let committed = self.workshop.desk.store.commit(commit).await?;
        failpoint::reach(failpoint::STEPPED);
        if !committed.held {
            return Ok(None);
        }
        if !committed.announced.is_empty() {
            self.workshop.desk.bell.ring();
        }
        let settled = stand.settle(&note, &committed);
        self.run.at = settled.at;
        self.run.attempts = settled.attempts;
        let goes_on = settled.state == RunState::Running && settled.problem.is_none();
        if let (Ok(way), true) = (&mut self.way, !settled.row.result.is_null()) {
            way.facts.add(&stand.name, settled.row.result);
        }
        Ok(Some(if goes_on { Next::Step } else { Next::Leave }))
    }
}

fn read_automation(body: &str) -> Result<Automation, Problem> {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    Automation::read(&body)
}

/// The event that set the run going: as the run keeps it, or from the store.
async fn event_of(workshop: &Workshop, run: &TakenRun) -> Result<Option<Event>, StoreError> {
    let kept = run
        .kept
        .clone()
        .and_then(|kept| serde_json::from_value::<Kept>(kept).ok());
    if let Some(kept) = kept
        && let Some(kind) = EventType::find(&kept.kind)
    {
        return Ok(Some(Event {
            id: kept.id,
            workspace: run.workspace,
            kind,
            received_ms: kept.received_ms,
            data: kept.data,
        }));
    }
    let row = workshop.desk.store.event(run.workspace, run.event).await?;
    Ok(row.map(|row| row.event))
}

fn keep(event: &Event) -> Option<Value> {
    let kept = Kept {
        id: event.id,
        kind: event.kind.name().to_owned(),
        received_ms: event.received_ms,
        data: event.data.clone(),
    };
    serde_json::to_value(kept).ok()
}

fn event_gone(event: EventId) -> Problem {
    Problem::new(
        Code::NotFound,
        format!("the event {event} of this run is no longer kept"),
        "Send the event again if it still matters.",
    )
}
