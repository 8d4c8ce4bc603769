//! Which automations an event begins runs of.

use std::sync::Arc;

use serde_json::{Map, Value};
use switchboard_model::{
    event::EventType,
    problem::{Code, Problem, ProblemBody},
    template::Scope,
};

use crate::{configuration::Workspace, route, store::NewRun};

/// An event that so many automations led to, one after the other, begins no further run.
pub const MOST_LINKS: usize = 10;

/// The runs that begin with an event. `chain` names the automations whose steps led to it, one after the other; empty for what comes from
/// outside. A condition that cannot be decided takes nothing, and is said among the notes.
///
/// A run that would close a circle, or make a chain too long, is there to be seen and is not begun.
pub fn plan(
    workspace: Option<&Workspace>,
    kind: EventType,
    data: &Map<String, Value>,
    chain: &[Arc<str>],
    notes: &mut Vec<String>,
) -> Vec<NewRun> {
    // Most events of most workspaces end here.
    let Some(wanting) = workspace.and_then(|workspace| workspace.automations.wanting(kind)) else {
        return Vec::new();
    };
    let scope = Scope::of(data);
    let mut runs = Vec::new();
    for automation in wanting {
        let holds = match &automation.steps.condition {
            None => true,
            Some(condition) => condition.matches(kind.name(), &scope).unwrap_or_else(|error| {
                notes.push(format!(
                    "the condition of automation `{}` could not be decided: {error}",
                    automation.steps.key
                ));
                false
            }),
        };
        if holds {
            runs.push(NewRun {
                automation: Arc::clone(&automation.steps.key),
                version: Arc::clone(&automation.version),
                chain: chain.into(),
                refused: refusal(&automation.steps.key, chain).map(Box::new),
            });
        }
    }
    runs
}

/// The runs that begin with an event, whose note says what could not be decided, and does not say that nobody took it when a run begins.
pub fn begin(
    workspace: Option<&Workspace>,
    kind: EventType,
    data: &Map<String, Value>,
    chain: &[Arc<str>],
    routed: &mut route::Plan,
) -> Vec<NewRun> {
    let mut notes = Vec::new();
    let runs = plan(workspace, kind, data, chain, &mut notes);
    if !runs.is_empty() && routed.unwanted {
        routed.note = None;
    }
    if !notes.is_empty() {
        notes.splice(0..0, routed.note.take());
        routed.note = Some(notes.join("; "));
    }
    runs
}

/// Why a run of this automation is not begun after these.
fn refusal(key: &Arc<str>, chain: &[Arc<str>]) -> Option<ProblemBody> {
    let way = || {
        let all: Vec<&str> = chain.iter().chain([key]).map(|key| &**key).collect();
        all.join(" → ")
    };
    let detail = if chain.contains(key) {
        format!(
            "automation `{key}` led to the event that would set it going again: {}",
            way()
        )
    } else if chain.len() >= MOST_LINKS {
        format!("more than {MOST_LINKS} automations set each other going: {}", way())
    } else {
        return None;
    };
    let next = "Give one of them a condition that tells its own work apart (for example `changes.stage != null`), or switch one off.";
    Some(ProblemBody::from(&Problem::new(Code::AutomationLoop, detail, next)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use switchboard_model::id::WorkspaceId;

    use super::*;
    use crate::{
        configuration::Automations,
        store::{DefinitionKind, DefinitionRow},
    };

    fn workspace(bodies: &[Value]) -> Workspace {
        let rows = bodies.iter().map(|body| DefinitionRow {
            workspace: WorkspaceId(1),
            kind: DefinitionKind::Automation,
            key: body["key"].as_str().unwrap().into(),
            spec: body.clone(),
            sealed: vec![],
            changed_ms: 0,
        });
        let mut workspace = Workspace::default();
        workspace.automations = Automations::compile(rows.collect::<Vec<_>>().iter());
        workspace
    }

    fn planned(workspace: &Workspace, kind: &str, data: Value, chain: &[&str]) -> (Vec<(String, bool)>, Vec<String>) {
        let chain: Vec<Arc<str>> = chain.iter().map(|key| (*key).into()).collect();
        let data = data.as_object().cloned().unwrap();
        let mut notes = Vec::new();
        let runs = plan(
            Some(workspace),
            EventType::find(kind).unwrap(),
            &data,
            &chain,
            &mut notes,
        );
        let runs = runs
            .into_iter()
            .map(|run| (run.automation.to_string(), run.refused.is_none()));
        (runs.collect(), notes)
    }

    fn automation(key: &str, on: &str, when: Option<&str>, enabled: bool) -> Value {
        json!({ "key": key, "on": on, "when": when, "enabled": enabled, "steps": [{ "stop": true }] })
    }

    #[test]
    fn a_run_begins_where_type_and_condition_fit() {
        let workspace = workspace(&[
            automation("a", "order.created", None, true),
            automation("b", "order.*", Some("total > 5"), true),
            automation("c", "order.created", None, false),
            automation("d", "call.missed", None, true),
            automation("e", "order.created", Some("'text'"), true),
        ]);
        let (runs, notes) = planned(&workspace, "order.created", json!({ "total": 7 }), &[]);
        assert_eq!(runs, [("a".to_owned(), true), ("b".to_owned(), true)]);
        assert_eq!(notes.len(), 1, "{notes:?}");
        let (runs, _) = planned(&workspace, "order.created", json!({}), &[]);
        assert_eq!(runs, [("a".to_owned(), true)]);
        assert_eq!(planned(&workspace, "lead.received", json!({}), &[]).0, []);
    }

    #[test]
    fn a_circle_and_a_chain_without_end_are_refused_with_the_way() {
        let workspace = workspace(&[automation("a", "order.created", None, true)]);
        let (runs, _) = planned(&workspace, "order.created", json!({}), &["x", "a", "y"]);
        assert_eq!(runs, [("a".to_owned(), false)]);
        let names: Vec<String> = (0..MOST_LINKS).map(|n| n.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(
            planned(&workspace, "order.created", json!({}), &names).0,
            [("a".to_owned(), false)]
        );
        assert_eq!(
            planned(&workspace, "order.created", json!({}), &names[1..]).0,
            [("a".to_owned(), true)]
        );
        let way = refusal(&"a".into(), &["a".into(), "b".into()]).unwrap().detail;
        assert!(way.contains("a → b → a"), "{way}");
    }

    #[test]
    fn nobody_takes_what_a_step_sends() {
        let workspace = workspace(&[automation("a", "*", None, true)]);
        assert_eq!(planned(&workspace, "automation.sent", json!({}), &[]).0, []);
    }
}
