//! Preparations: what is looked up or set up at the vendor before first use, and kept as facts.

use std::collections::VecDeque;

use indexmap::IndexMap;
use serde_json::{Map, Value};
use switchboard_model::{outcome::Outcome, problem::Problem, template::Template};

use crate::{
    account::{Account, Call},
    auth::Token,
    call::{Answer, HttpRequest},
    compile::{Compiler, child},
    connector::Connector,
    facts::{Learned, add_facts, read_facts},
    manifest::{CaseSpec, PrepareScope, PrepareSpec, PrepareStepSpec},
    operation::has_value,
    reading::When,
    request::Request,
    rule::{Circumstances, Rule, judge},
};

/// A compiled preparation; see [`PrepareSpec`].
#[derive(Debug)]
pub(crate) struct PreparationPlan {
    scope: PrepareScope,
    objects: Vec<String>,
    optional: bool,
    steps: IndexMap<String, Step>,
}

#[derive(Debug)]
struct Step {
    requires: Vec<Template>,
    unless: Vec<Template>,
    request: Request,
    cases: Vec<Case>,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Case {
    when: When,
    facts: Learned,
    then: Option<usize>,
    fail: Option<String>,
}

impl PreparationPlan {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &PrepareSpec) -> Option<Self> {
        let places = child(at, "steps");
        let mut steps = IndexMap::with_capacity(spec.steps.len());
        for (index, (name, step)) in spec.steps.iter().enumerate() {
            // Only later steps can be gone to, so that every preparation comes to an end.
            let later: Vec<_> = spec.steps.keys().enumerate().skip(index + 1).collect();
            if let Some(step) = Step::compile(compiler, &child(&places, name), step, &later) {
                steps.insert(name.clone(), step);
            }
        }
        Some(Self {
            scope: spec.scope,
            objects: spec.objects.clone(),
            optional: spec.optional,
            steps,
        })
    }

    fn is_for(&self, object: &str) -> bool {
        self.objects.is_empty() || self.objects.iter().any(|name| name == object)
    }
}

impl Step {
    fn compile(
        compiler: &mut Compiler<'_>,
        at: &str,
        spec: &PrepareStepSpec,
        later: &[(usize, &String)],
    ) -> Option<Self> {
        let requires = compiler.paths(&child(at, "requires"), &spec.requires);
        let unless = compiler.paths(&child(at, "unless"), &spec.unless);
        let request = Request::compile(compiler, &child(at, "request"), &spec.request);
        let cases = compiler.list(&child(at, "cases"), &spec.cases, |compiler, at, case| {
            Case::compile(compiler, at, case, later)
        });
        let rules = compiler.list(&child(at, "classify"), &spec.classify, Rule::compile);
        Some(Self {
            requires,
            unless,
            request: request?,
            cases,
            rules,
        })
    }
}

impl Case {
    fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &CaseSpec, later: &[(usize, &String)]) -> Option<Self> {
        let then = match &spec.then {
            None => None,
            Some(name) => {
                let step = later.iter().find(|(_, known)| *known == name).map(|(index, _)| *index);
                if step.is_none() {
                    compiler.report(
                        &child(at, "then"),
                        format!("`{name}` is no later step"),
                        "Name a step further down.",
                    );
                }
                Some(step?)
            }
        };
        let facts = Learned::compile(compiler, &child(at, "facts"), &spec.facts);
        Some(Self {
            when: When::compile(compiler, &child(at, "when"), &spec.when)?,
            facts,
            then,
            fail: spec.fail.clone(),
        })
    }
}

/// What a preparation needs next.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it is taken apart as soon as it is made")]
pub enum PrepareStep {
    /// This call; its answer goes to [`Preparation::read`].
    Call(HttpRequest),
    /// Everything is looked up.
    Done,
}

/// All preparations of a connection, under way. The account that is passed in must have the facts that were learned so far.
#[derive(Debug)]
pub struct Preparation<'c> {
    connector: &'c Connector,
    /// What is still to be done: plan and object.
    todo: VecDeque<(usize, Option<String>)>,
    step: usize,
}

impl Connector {
    /// Begins the preparations of a connection that makes these objects.
    pub fn preparation(&self, objects: &[String]) -> Preparation<'_> {
        let names: Vec<_> = objects
            .iter()
            .filter_map(|name| self.object(name))
            .map(|object| &object.name)
            .collect();
        let mut todo = VecDeque::new();
        for (index, plan) in self.preparations.iter().enumerate() {
            match plan.scope {
                PrepareScope::Connection => todo.push_back((index, None)),
                PrepareScope::Object => {
                    let own = names.iter().filter(|name| plan.is_for(name));
                    todo.extend(own.map(|name| (index, Some((*name).clone()))));
                }
            }
        }
        Preparation {
            connector: self,
            todo,
            step: 0,
        }
    }
}

impl Preparation<'_> {
    /// What comes next. Asking twice gives the same call twice (after a new token, say).
    ///
    /// # Errors
    /// When the settings lack something that a call needs.
    pub fn next(&mut self, account: &Account, token: Option<&Token>) -> Result<PrepareStep, Problem> {
        let mut call = Call::plain();
        call.set_token(token);
        loop {
            let Some((plan, object)) = self.todo.front() else {
                return Ok(PrepareStep::Done);
            };
            let plan = &self.connector.preparations[*plan];
            let scope = self.connector.scope(account, object.as_deref(), &call);
            let Some((_, step)) = plan.steps.get_index(self.step) else {
                self.finish();
                continue;
            };
            let needed = step.requires.iter().all(|path| has_value(path, &scope))
                && !step.unless.iter().any(|path| has_value(path, &scope));
            if needed {
                return self
                    .connector
                    .authorised(&step.request, account, &scope)
                    .map(PrepareStep::Call);
            }
            self.step += 1;
        }
    }

    /// Takes in an answer and adds what it tells to `facts`, an object that is kept with the connection.
    ///
    /// # Errors
    /// What stops the preparation. After [`Outcome::Reauthorise`], [`Outcome::Throttled`] and [`Outcome::Retry`] the same
    /// call can be tried again.
    pub fn read(&mut self, account: &Account, answer: &Answer, facts: &mut Map<String, Value>) -> Result<(), Outcome> {
        let Some((plan, object)) = self.todo.front() else {
            return Ok(());
        };
        let plan = &self.connector.preparations[*plan];
        let Some((_, step)) = plan.steps.get_index(self.step) else {
            return Ok(());
        };
        let call = Call::plain();
        let scope = self.connector.scope(account, object.as_deref(), &call);
        if let Some(case) = step.cases.iter().find(|case| case.when.holds(answer, &scope)) {
            if let Some(fail) = &case.fail {
                return Err(Outcome::Rejected {
                    message: fail.clone(),
                    fields: Vec::new(),
                });
            }
            add_facts(facts, object.as_deref(), read_facts(&case.facts, answer, &scope));
            match case.then {
                Some(later) => self.step = later,
                None => self.finish(),
            }
            return Ok(());
        }
        let around = Circumstances {
            scope: &scope,
            repeatable: true,
            id_pattern: None,
        };
        let outcome = judge(step.rules.iter().chain(&self.connector.rules), answer, around);
        match self.connector.without_refresh(outcome, account) {
            Outcome::Denied { .. } | Outcome::Gone { .. } | Outcome::Rejected { .. } | Outcome::Missing
                if plan.optional =>
            {
                self.finish();
                Ok(())
            }
            other => Err(other),
        }
    }

    fn finish(&mut self) {
        self.todo.pop_front();
        self.step = 0;
    }
}
