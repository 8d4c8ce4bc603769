//! What an automation would do about an event, without doing it.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use switchboard_model::{
    automation::{Automation, SENT, Verb},
    event::{Event, EventType},
    id::{RecordId, WorkspaceId},
    problem::{Code, Problem},
    record::{ObjectType, Objects, Policy},
    template::Scope,
};

use super::{
    deed::{Chosen, Decider, Deed, Fault, Which},
    facts::Facts,
    records,
    runner::Workshop,
    scribe,
    sending::Sending,
};
use crate::{
    attempt,
    clock::moment,
    store::{How, RecordRow, Store},
};

/// What an automation would do.
#[derive(Debug, Clone)]
pub struct Tried {
    /// Whether the event would begin a run: the type, the switch and the condition.
    pub begins: bool,
    /// Why it would not.
    pub reason: Option<String>,
    /// What each step would do, in their order; also when no run would begin.
    pub steps: Vec<TriedStep>,
}

/// What a step would do.
#[derive(Debug, Clone)]
pub struct TriedStep {
    /// Its name.
    pub name: String,
    /// The word for what it does.
    pub action: &'static str,
    /// `done`, `skipped`, `waiting`, `failed`, or `stopped`.
    pub outcome: &'static str,
    /// What it would do.
    pub detail: Value,
    /// What would go wrong.
    pub problem: Option<Problem>,
}

/// Goes through the steps. Records are looked for as they are now; what a step would write is seen by the later ones.
///
/// # Errors
/// When the store fails.
pub(crate) async fn try_out(
    workshop: &Workshop,
    workspace: WorkspaceId,
    automation: &Automation,
    event: Event,
) -> Result<Tried, Problem> {
    let reason = reluctance(automation, &event);
    let mut facts = Facts::new(event, None, &automation.key, []);
    let objects = workshop.configuration.objects(workspace);
    let imagination = Imagination {
        store: &*workshop.desk.store,
        workspace,
        objects: &objects,
    };
    let mut steps = Vec::new();
    for step in &automation.steps {
        let decider = Decider {
            workspace: workshop.configuration.workspace(workspace),
            objects: &objects,
            automation,
            run: None,
            facts: &facts,
            now_ms: workshop.desk.clock.now_ms(),
        };
        let tried = match decider.decide(step) {
            Ok(deed) => imagination.of(deed, facts.event()).await,
            Err(fault) => Err(fault),
        };
        let tried = match tried {
            Ok(tried) => tried,
            Err(fault) if fault.problem.code == Code::StoreFailed => return Err(fault.problem),
            Err(fault) => Imagined::new("failed", Value::Null).with(fault.problem),
        };
        if let Some(result) = tried.result {
            facts.add(&step.name, result);
        }
        let ends = matches!(tried.outcome, "failed" | "stopped");
        steps.push(TriedStep {
            name: step.name.to_string(),
            action: step.action.name(),
            outcome: tried.outcome,
            detail: tried.detail,
            problem: tried.problem,
        });
        if ends {
            break;
        }
    }
    Ok(Tried {
        begins: reason.is_none(),
        reason,
        steps,
    })
}

/// Why the event would begin no run.
fn reluctance(automation: &Automation, event: &Event) -> Option<String> {
    let kind = event.kind.name();
    if !automation.takes(kind) {
        return Some(format!("it takes {}, not {kind}", automation.on.join(", ")));
    }
    if !automation.enabled {
        return Some("it is switched off".into());
    }
    let condition = automation.condition.as_ref()?;
    match condition.matches(kind, &Scope::of(&event.data)) {
        Ok(true) => None,
        Ok(false) => Some(format!("`{}` does not hold", condition.source())),
        Err(error) => Some(format!("its condition could not be decided: {error}")),
    }
}

/// A step that is not taken.
struct Imagined {
    outcome: &'static str,
    detail: Value,
    result: Option<Value>,
    problem: Option<Problem>,
}

impl Imagined {
    fn new(outcome: &'static str, detail: Value) -> Self {
        Self {
            outcome,
            detail,
            result: None,
            problem: None,
        }
    }

    fn with(self, problem: Problem) -> Self {
        Self {
            problem: Some(problem),
            ..self
        }
    }

    fn bringing(self, result: Value) -> Self {
        Self {
            result: Some(result),
            ..self
        }
    }
}

/// Where steps are imagined.
struct Imagination<'w> {
    store: &'w dyn Store,
    workspace: WorkspaceId,
    objects: &'w Objects,
}

impl Imagination<'_> {
    async fn of(&self, deed: Deed, event: &Event) -> Result<Imagined, Fault> {
        match deed {
            Deed::Pass(why) => Ok(Imagined::new("skipped", json!({ "reason": why }))),
            Deed::Stop(why) => {
                let reason = json!({ "reason": why });
                Ok(Imagined::new("stopped", reason.clone()).bringing(reason))
            }
            Deed::Wait(until_ms) => {
                let until = json!({ "until": moment(until_ms) });
                Ok(Imagined::new("waiting", until.clone()).bringing(until))
            }
            Deed::Find { object, which } => {
                let row = self.find(&object, &which, &Map::new()).await?;
                let found = records::found(&object, row.as_ref());
                let id = row.map(|row| row.id.to_string());
                let detail = json!({ "object": object.name, "which": which.shown(), "found": id });
                Ok(Imagined::new("done", detail).bringing(found))
            }
            Deed::Write {
                verb,
                object,
                which,
                values,
            } => self.write(verb, &object, &which, values).await,
            Deed::Assign {
                object,
                id,
                field,
                owner,
            } => self.assign(&object, id, &field, owner).await,
            Deed::Send(sendings) => Ok(send(&sendings, event)),
        }
    }

    async fn find(
        &self,
        object: &Arc<ObjectType>,
        which: &Which,
        values: &Map<String, Value>,
    ) -> Result<Option<RecordRow>, Fault> {
        records::find(self.store, self.workspace, object, which, values).await
    }

    async fn write(
        &self,
        verb: Verb,
        object: &Arc<ObjectType>,
        which: &Which,
        values: Map<String, Value>,
    ) -> Result<Imagined, Fault> {
        let how = How::Match {
            policy: Policy::Update,
            only: None,
        };
        scribe::write(self.objects, object, how, &values, "").map_err(Fault::lasting)?;
        let row = match verb {
            Verb::Create => None,
            Verb::Update | Verb::Upsert => self.find(object, which, &values).await?,
        };
        // An earlier step would have made it.
        let is_imagined = *which == Which::Id(Some(NOBODY));
        let is_there = row.is_some() || is_imagined;
        if !is_there && verb == Verb::Update {
            let why = format!("there is no such record: {} {}", object.name, which.shown());
            return Ok(Imagined::new("skipped", json!({ "reason": why })));
        }
        let would = if is_there { "update" } else { "create" };
        let detail = json!({ "object": object.name, "which": which.shown(), "fields": values, "would": would });
        let id = row.as_ref().map_or(NOBODY, |row| row.id);
        let mut record = row.map(|row| row.data).unwrap_or_default();
        record.extend(values);
        Ok(Imagined::new("done", detail).bringing(json!({
            "id": id.to_string(), "created": !is_there, "found": is_there, "changed": true, "record": record,
        })))
    }

    async fn assign(
        &self,
        object: &Arc<ObjectType>,
        id: RecordId,
        field: &str,
        owner: Chosen,
    ) -> Result<Imagined, Fault> {
        if id != NOBODY && self.find(object, &Which::Id(Some(id)), &Map::new()).await?.is_none() {
            let detail = format!("there is no {id} in this workspace");
            let problem = Problem::new(Code::NotFound, detail, "Check the step's `id`.");
            return Ok(Imagined::new("failed", Value::Null).with(problem));
        }
        let owner = match owner {
            Chosen::Known(owner) => owner,
            Chosen::Turn(people) => json!(people),
        };
        let detail = json!({ "object": object.name, "id": id.to_string(), "field": field, "owner": owner });
        Ok(Imagined::new("done", detail).bringing(json!({ "id": id.to_string(), "owner": owner })))
    }
}

fn send(sendings: &[Sending], event: &Event) -> Imagined {
    let mut sends = Vec::with_capacity(sendings.len());
    for sending in sendings {
        match preview(sending, event) {
            Ok(record) => sends.push(json!({
                "connection": sending.connection.key, "object": sending.object, "record": record,
            })),
            Err(problem) => return Imagined::new("failed", sending.shown()).with(problem),
        }
    }
    let count = sends.len();
    Imagined::new("done", json!({ "sends": sends })).bringing(json!({ "sent": count }))
}

/// Stands for a record that is not made.
const NOBODY: RecordId = RecordId(0);

/// The object as the connection would send it.
fn preview(sending: &Sending, event: &Event) -> Result<Value, Problem> {
    let data = serde_json::to_value(&sending.sent).unwrap_or_default();
    let carrier = Event {
        id: event.id,
        workspace: event.workspace,
        kind: EventType::find(SENT).unwrap_or(event.kind),
        received_ms: event.received_ms,
        data: data.as_object().cloned().unwrap_or_default(),
    };
    attempt::make(&sending.connection, &sending.object, sending.options.as_ref(), &carrier)
}
