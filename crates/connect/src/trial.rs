//! The connection test: a few calls and a sentence for a person.

use serde_json::{Map, Value};
use switchboard_model::{outcome::Outcome, problem::Problem, template::Template};

use crate::{
    account::{Account, Call},
    auth::Token,
    call::{Answer, HttpRequest},
    compile::{Compiler, child},
    connector::Connector,
    manifest::TestSpec,
    operation::has_value,
    reading::When,
    request::Request,
    rule::{Circumstances, Rule, judge},
};

/// A compiled step; see [`TestSpec`].
#[derive(Debug)]
pub(crate) struct TestCall {
    requires: Vec<Template>,
    request: Request,
    when: When,
    message: Template,
    rules: Vec<Rule>,
    optional: bool,
    enough: bool,
}

impl TestCall {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &TestSpec) -> Option<Self> {
        let requires = compiler.paths(&child(at, "requires"), &spec.requires);
        let request = Request::compile(compiler, &child(at, "request"), &spec.request);
        let when = When::compile(compiler, &child(at, "when"), &spec.when);
        let message = compiler.template(&child(at, "message"), &spec.message);
        let rules = compiler.list(&child(at, "classify"), &spec.classify, Rule::compile);
        let (optional, enough) = (spec.optional, spec.enough);
        Some(Self {
            requires,
            request: request?,
            when: when?,
            message: message?,
            rules,
            optional,
            enough,
        })
    }
}

/// What a connection test needs next.
#[derive(Debug)]
pub enum TestStep {
    /// This call; its answer goes to [`Trial::read`].
    Call(HttpRequest),
    /// All is well; this is what a person is told.
    Done(String),
}

/// A connection test that is under way.
#[derive(Debug)]
pub struct Trial<'c> {
    connector: &'c Connector,
    now_ms: Option<i64>,
    at: usize,
    said: Vec<String>,
}

impl Connector {
    /// Begins a connection test.
    pub fn test(&self) -> Trial<'_> {
        Trial {
            connector: self,
            now_ms: None,
            at: 0,
            said: Vec::new(),
        }
    }
}

impl Trial<'_> {
    /// The same, made at this moment (Unix milliseconds): signed test messages carry the time.
    #[must_use]
    pub fn at(self, now_ms: i64) -> Self {
        Self {
            now_ms: Some(now_ms),
            ..self
        }
    }

    /// What comes next. Asking twice gives the same call twice (after a new token, say).
    ///
    /// # Errors
    /// When the settings lack something that a call needs, or no call proved that the account works.
    pub fn next(&mut self, account: &Account, token: Option<&Token>) -> Result<TestStep, Problem> {
        let mut call = Call::plain();
        call.set_token(token);
        if let Some(now_ms) = self.now_ms {
            call.set_now(now_ms);
            // For receivers that recognise repetitions: each test is a message of its own.
            call.set("key", format!("test-{now_ms}").into());
        }
        let scope = self.connector.scope(account, None, &call);
        let rest = self.connector.test[self.at..].iter();
        let passed_over = rest
            .take_while(|step| !step.requires.iter().all(|path| has_value(path, &scope)))
            .count();
        self.at += passed_over;
        match self.connector.test.get(self.at) {
            Some(step) => self
                .connector
                .authorised(&step.request, account, &scope)
                .map(TestStep::Call),
            None if self.said.is_empty() => {
                let detail = "nothing that could be called proves that the connection works";
                Err(crate::request::incomplete(detail))
            }
            None => Ok(TestStep::Done(self.said.join(" "))),
        }
    }

    /// Takes in an answer.
    ///
    /// # Errors
    /// What the vendor refuses. After [`Outcome::Reauthorise`] the same call can be tried with a new token.
    pub fn read(&mut self, account: &Account, answer: &Answer) -> Result<(), Outcome> {
        let Some(step) = self.connector.test.get(self.at) else {
            return Ok(());
        };
        let mut call = Call::plain();
        call.set(
            "answer",
            answer.json().cloned().unwrap_or_else(|| Value::Object(Map::new())),
        );
        let scope = self.connector.scope(account, None, &call);
        if step.when.holds(answer, &scope) {
            self.said
                .extend(step.message.render_text(&scope).ok().filter(|said| !said.is_empty()));
            self.at = if step.enough {
                self.connector.test.len()
            } else {
                self.at + 1
            };
            return Ok(());
        }
        let around = Circumstances {
            scope: &scope,
            repeatable: true,
            id_pattern: None,
        };
        let outcome = judge(step.rules.iter().chain(&self.connector.rules), answer, around);
        let outcome = self.connector.without_refresh(outcome, account);
        let refused = matches!(
            outcome,
            Outcome::Denied { .. } | Outcome::Gone { .. } | Outcome::Rejected { .. } | Outcome::Missing
        );
        // The last step has nothing to lead to.
        let is_last = self.at + 1 == self.connector.test.len() && self.said.is_empty();
        if step.optional && refused && !is_last {
            self.at += 1;
            return Ok(());
        }
        Err(outcome)
    }
}
