//! A route, compiled.

use switchboard_model::{condition::Condition, problem::Problem, route::RouteSpec};

use crate::store::RouteRow;

/// A route with its condition.
#[derive(Debug)]
pub struct Route {
    /// What a person said about it.
    pub spec: RouteSpec,
    /// Compiled; `Err` keeps why it cannot be.
    pub condition: Result<Option<Condition>, String>,
}

impl Route {
    pub(super) fn compile(row: RouteRow) -> Self {
        let condition = row
            .spec
            .condition
            .as_deref()
            .map(Condition::parse)
            .transpose()
            .map_err(|error| error.to_string());
        Self {
            spec: row.spec,
            condition,
        }
    }

    /// The systems that it names and that have no connection in this workspace.
    pub fn waiting_for(&self, workspace: Option<&super::Workspace>) -> Vec<String> {
        let mut missing: Vec<String> = Vec::new();
        for target in self.spec.strategy.targets() {
            let connected = workspace.is_some_and(|workspace| workspace.find(&target.system).is_some());
            if !connected && !missing.contains(&target.system) {
                missing.push(target.system.clone());
            }
        }
        missing
    }
}

/// Says what a route waits for, for a person.
pub(crate) fn explain_waiting(route: &str, missing: &[String]) -> String {
    format!(
        "route `{route}` names {}, which is not connected yet",
        missing.join(", ")
    )
}

/// A condition that cannot be read is found when it is saved; one that a newer version refuses is reported, and the route takes nothing.
pub(crate) fn condition_problem(route: &str, error: &str) -> Problem {
    Problem::new(
        switchboard_model::problem::Code::ConditionSyntax,
        format!("the condition of `{route}` cannot be read: {error}"),
        "Mend the condition and apply the configuration again.",
    )
}
