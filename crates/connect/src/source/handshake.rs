//! Handshakes: questions of a pusher that are answered at once and are no callbacks.

use serde_json::{Map, Value};
use switchboard_model::{condition::Condition, template::Scope};

use super::{
    checker::Checker,
    reply::{Answer, Reply},
    shape::HandshakeSpec,
    verify::{Check, Evidence, Keyed, checks, keyed, verify},
    view::{Surroundings, View},
};

/// A compiled handshake.
#[derive(Debug)]
pub(super) struct Handshake {
    when: Condition,
    pub checks: Vec<Check>,
    /// Whether the checks of the source itself must hold.
    pub signed: bool,
    compute: Vec<(String, Keyed)>,
    answer: Answer,
}

impl Handshake {
    pub fn compile(checker: &mut Checker, at: &str, spec: &HandshakeSpec) -> Option<Self> {
        let when = checker.condition(&format!("{at}/when"), &spec.when);
        let checks = checks(checker, &format!("{at}/verify"), &spec.verify);
        let compute = spec.compute.iter().map(|(name, spec)| {
            let at = format!("{at}/compute/{name}/hmac");
            (name.clone(), keyed(checker, &at, &spec.hmac))
        });
        let compute = compute.collect();
        let answer = Answer::compile(checker, &format!("{at}/answer"), &spec.answer, 200);
        Some(Self {
            when: when?,
            checks,
            signed: spec.signed,
            compute,
            answer: answer?,
        })
    }

    /// Whether the request is this question. A condition that cannot be decided is a no.
    pub fn is_asked(&self, slug: &str, scope: &Scope<'_>) -> bool {
        self.when.matches(slug, scope).unwrap_or(false)
    }

    /// The answer, or why there is none.
    pub fn answer(
        &self,
        slug: &str,
        evidence: Evidence<'_>,
        view: &View,
        around: Surroundings<'_>,
    ) -> Result<Reply, String> {
        verify(&self.checks, slug, evidence, &view.scope(around))?;
        let mut computed = Map::new();
        for (name, keyed) in &self.compute {
            computed.insert(name.clone(), keyed.make(evidence)?.into());
        }
        let view = view.with("computed", Value::Object(computed));
        Ok(self.answer.fill(&view.scope(around)))
    }
}
