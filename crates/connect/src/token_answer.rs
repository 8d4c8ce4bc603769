//! What an answer with tokens says, whether a code, a refresh token or other credentials were given for it.

use serde_json::{Map, Value};
use switchboard_model::{outcome::Outcome, template::Scope};

use crate::{
    auth::{Token, TokenFailure},
    call::Answer,
    compile::{Compiler, child},
    facts::{Learned, read_facts},
    manifest::{GrantEndSpec, TokenResultSpec},
    reading::{Source, When, text_of},
    rule::{Circumstances, Rule, judge},
};

const DAY_MS: i64 = 86_400_000;

/// Where an answer has what; see [`TokenResultSpec`].
#[derive(Debug)]
pub(crate) struct TokenAnswer {
    when: When,
    access: Source,
    expires_in: Option<Source>,
    lifetime_ms: Option<i64>,
    facts: Learned,
    replaces: Learned,
    ends: Option<GrantEnd>,
}

#[derive(Debug)]
struct GrantEnd {
    after: Option<Source>,
    days: Option<u32>,
}

impl TokenAnswer {
    /// Compiles what stands at `at`; `ends` is the sign-in's end, and where it stands.
    pub fn compile(
        compiler: &mut Compiler<'_>,
        at: &str,
        spec: &TokenResultSpec,
        ends: Option<(&str, &GrantEndSpec)>,
    ) -> Option<Self> {
        let when = When::compile(compiler, &child(at, "when"), &spec.when);
        let access = Source::compile(compiler, &child(at, "access"), &spec.access);
        let expires_in = spec
            .expires_in
            .as_ref()
            .and_then(|spec| Source::compile(compiler, &child(at, "expires_in"), spec));
        let facts = Learned::compile(compiler, &child(at, "facts"), &spec.facts);
        let replaces = Learned::compile(compiler, &child(at, "replaces"), &spec.replaces);
        let ends = ends.map(|(at, spec)| GrantEnd {
            after: spec
                .after
                .as_ref()
                .and_then(|spec| Source::compile(compiler, &child(at, "after"), spec)),
            days: spec.days,
        });
        Some(Self {
            when: when?,
            access: access?,
            expires_in,
            lifetime_ms: spec.lifetime_seconds.map(|seconds| seconds * 1000),
            facts,
            replaces,
            ends,
        })
    }

    /// The credentials that an answer may replace.
    pub fn replaced(&self) -> impl Iterator<Item = &str> {
        self.replaces.names()
    }

    /// The facts that an answer may tell.
    pub fn facts(&self) -> impl Iterator<Item = &str> {
        self.facts.names()
    }

    /// Reads an answer; `rules` say what one without a token means.
    ///
    /// # Errors
    /// When it holds no token. A failure that no rule knows is not taken for dead credentials.
    pub fn read<'r>(
        &self,
        answer: &Answer,
        scope: &Scope<'_>,
        rules: impl Iterator<Item = &'r Rule>,
        now_ms: i64,
    ) -> Result<Token, TokenFailure> {
        let holds = self.when.holds(answer, scope);
        let access = holds.then(|| self.access.first(answer, scope)).flatten();
        match access.as_ref().and_then(text_of).filter(|access| !access.is_empty()) {
            Some(access) => {
                let brought = read_facts(&self.replaces, answer, scope);
                Ok(Token {
                    access: access.into_owned(),
                    expires_at_ms: self.lifetime(answer, scope).map(|lifetime| now_ms + lifetime),
                    facts: read_facts(&self.facts, answer, scope),
                    grant_ends_ms: self.ends_ms(answer, scope, !brought.is_empty(), now_ms),
                    replaced_secrets: changed(brought, scope),
                })
            }
            None => {
                let around = Circumstances {
                    scope,
                    repeatable: true,
                    id_pattern: None,
                };
                Err(failure(judge(rules, answer, around), answer))
            }
        }
    }

    fn lifetime(&self, answer: &Answer, scope: &Scope<'_>) -> Option<i64> {
        seconds(self.expires_in.as_ref(), answer, scope).or(self.lifetime_ms)
    }

    /// When the refresh token ends; `None` when nobody says, or the answer brings none.
    fn ends_ms(&self, answer: &Answer, scope: &Scope<'_>, brought: bool, now_ms: i64) -> Option<i64> {
        let ends = self.ends.as_ref()?;
        let said = seconds(ends.after.as_ref(), answer, scope);
        let usual = ends.days.filter(|_| brought).map(|days| i64::from(days) * DAY_MS);
        said.or(usual).map(|lifetime| now_ms + lifetime)
    }
}

/// A positive number of seconds, in milliseconds.
fn seconds(source: Option<&Source>, answer: &Answer, scope: &Scope<'_>) -> Option<i64> {
    let said = source.and_then(|source| source.first(answer, scope));
    let text = said.as_ref().and_then(text_of)?;
    let seconds = text.trim().parse::<f64>().ok().filter(|seconds| *seconds > 0.0)?;
    Some((seconds * 1000.0) as i64)
}

/// Only what differs from the credentials that are there.
fn changed(mut replaced: Map<String, Value>, scope: &Scope<'_>) -> Map<String, Value> {
    let secrets = scope.variable("secrets");
    replaced.retain(|name, value| secrets.is_none_or(|secrets| &secrets[name.as_str()] != value));
    replaced
}

/// Why there is none. What HTTP itself says of “too many” and of the time to come again is understood without a rule of the manifest.
fn failure(outcome: Outcome, answer: &Answer) -> TokenFailure {
    let throttled = matches!(outcome, Outcome::Throttled { .. });
    let (dead, message, after_ms) = match outcome {
        Outcome::Denied { message } | Outcome::Gone { message } | Outcome::Blocked { message } => (true, message, None),
        Outcome::Throttled { message, after_ms } | Outcome::Retry { message, after_ms } => (false, message, after_ms),
        Outcome::Reauthorise { message } | Outcome::Rejected { message, .. } | Outcome::Unknown { message } => {
            (false, message, None)
        }
        other => (false, format!("the answer holds no token ({})", other.name()), None),
    };
    TokenFailure {
        dead,
        throttled: throttled || (!dead && answer.status == 429),
        message,
        after_ms: after_ms.or_else(|| retry_after(answer)),
    }
}

/// `Retry-After` in milliseconds, where it is a number of seconds (RFC 9110 §10.2.3).
fn retry_after(answer: &Answer) -> Option<u64> {
    let seconds: u64 = answer.header("retry-after")?.trim().parse().ok()?;
    Some(seconds.saturating_mul(1000))
}
