//! Rules: what an answer means.

use jiff::fmt::rfc2822;
use serde_json::Value;
use serde_json_path::JsonPath;
use switchboard_model::{
    outcome::{FieldProblem, Outcome},
    template::Scope,
};

use crate::{
    call::Answer,
    compile::{Compiler, child},
    manifest::{AfterSpec, AfterUnit, FieldsSpec, OutcomeKind, RuleSpec, SourceSpec},
    reading::{Source, When, text_of},
};

/// Vendor's words are cut to this many characters.
const LONGEST_MESSAGE: usize = 500;

/// A compiled rule; see [`RuleSpec`].
#[derive(Debug)]
pub(crate) struct Rule {
    when: When,
    outcome: OutcomeKind,
    message: Vec<Source>,
    hint: Option<String>,
    fields: Option<Fields>,
    after: Vec<After>,
    after_ms: Option<u64>,
    existing: Vec<Source>,
}

#[derive(Debug)]
struct Fields {
    each: JsonPath,
    name: JsonPath,
    message: JsonPath,
}

#[derive(Debug)]
struct After {
    source: Source,
    unit: AfterUnit,
}

/// What a rule needs to know of the call beside its answer.
#[derive(Clone, Copy)]
pub(crate) struct Circumstances<'a> {
    /// What templates in conditions see.
    pub scope: &'a Scope<'a>,
    /// Whether the call may simply be sent again.
    pub repeatable: bool,
    /// What ids of the object look like.
    pub id_pattern: Option<&'a regex::Regex>,
}

impl Rule {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &RuleSpec) -> Option<Self> {
        let when = When::compile(compiler, &child(at, "when"), &spec.when);
        let message = Source::compile_each(compiler, &child(at, "message"), &spec.message);
        let existing = Source::compile_each(compiler, &child(at, "existing"), &spec.existing);
        let fields = spec
            .fields
            .as_ref()
            .and_then(|fields| Fields::compile(compiler, &child(at, "fields"), fields));
        let after = spec
            .after
            .each()
            .map(|(end, after)| (format!("{}{end}", child(at, "after")), after));
        let after = after
            .filter_map(|(at, after)| After::compile(compiler, &at, after))
            .collect();
        let (hint, after_ms) = (spec.hint.clone(), spec.after_seconds.map(|seconds| seconds * 1000));
        Some(Self {
            when: when?,
            outcome: spec.outcome,
            message,
            hint,
            fields,
            after,
            after_ms,
            existing,
        })
    }

    /// What the answer means, when this rule is about it.
    pub fn judge(&self, answer: &Answer, around: Circumstances<'_>) -> Option<Outcome> {
        if !self.when.holds(answer, around.scope) {
            return None;
        }
        let message = || self.message(answer, around.scope);
        let after_ms = || self.wait(answer, around);
        Some(match self.outcome {
            OutcomeKind::Duplicate => Outcome::Duplicate {
                existing: self.existing(answer, around),
            },
            OutcomeKind::Missing => Outcome::Missing,
            OutcomeKind::Retry => Outcome::Retry {
                message: message(),
                after_ms: after_ms(),
            },
            OutcomeKind::Throttled => Outcome::Throttled {
                message: message(),
                after_ms: after_ms(),
            },
            OutcomeKind::Reauthorise => Outcome::Reauthorise { message: message() },
            OutcomeKind::Denied => Outcome::Denied { message: message() },
            OutcomeKind::Gone => Outcome::Gone { message: message() },
            OutcomeKind::Blocked => Outcome::Blocked { message: message() },
            OutcomeKind::Rejected => Outcome::Rejected {
                message: message(),
                fields: self.refused_fields(answer),
            },
            OutcomeKind::Unavailable if around.repeatable => Outcome::Retry {
                message: message(),
                after_ms: after_ms(),
            },
            OutcomeKind::Unavailable | OutcomeKind::Unknown => Outcome::Unknown { message: message() },
        })
    }

    /// The vendor's words (or the status), and our advice.
    fn message(&self, answer: &Answer, scope: &Scope<'_>) -> String {
        let said = self.message.iter().find_map(|source| source.first(answer, scope));
        let said = said.as_ref().and_then(text_of).filter(|text| !text.trim().is_empty());
        let mut message = match said {
            Some(said) => shorten(&said),
            None => format!("HTTP status {}", answer.status),
        };
        if let Some(hint) = &self.hint {
            message.push_str(" – ");
            message.push_str(hint);
        }
        message
    }

    fn refused_fields(&self, answer: &Answer) -> Vec<FieldProblem> {
        let Some((fields, json)) = self.fields.as_ref().zip(answer.json()) else {
            return Vec::new();
        };
        let mut problems = Vec::new();
        for error in fields.each.query(json) {
            let message = fields
                .message
                .query(error)
                .first()
                .and_then(text_of)
                .map(|text| shorten(&text));
            for name in fields.name.query(error).iter().filter_map(|name| text_of(name)) {
                problems.push(FieldProblem {
                    field: name.into_owned(),
                    message: message.clone().unwrap_or_default(),
                });
            }
        }
        problems
    }

    fn existing(&self, answer: &Answer, around: Circumstances<'_>) -> Option<String> {
        let candidates = self
            .existing
            .iter()
            .flat_map(|source| source.each(answer, around.scope));
        let mut ids = candidates.filter_map(|value| text_of(&value).map(|text| text.into_owned()));
        ids.find(|id| around.id_pattern.is_none_or(|pattern| pattern.is_match(id)))
    }

    fn wait(&self, answer: &Answer, around: Circumstances<'_>) -> Option<u64> {
        self.after
            .iter()
            .find_map(|after| after.read(answer, around))
            .or(self.after_ms)
    }
}

impl Fields {
    fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &FieldsSpec) -> Option<Self> {
        let each = compiler.json_path(&child(at, "each"), &spec.each);
        let name = compiler.json_path(&child(at, "name"), &spec.name);
        let message = compiler.json_path(&child(at, "message"), &spec.message);
        Some(Self {
            each: each?,
            name: name?,
            message: message?,
        })
    }
}

impl After {
    fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &AfterSpec) -> Option<Self> {
        let source = Source::compile(compiler, &child(at, "at"), &SourceSpec::Place(spec.at.clone()))?;
        Some(Self {
            source,
            unit: spec.unit,
        })
    }

    fn read(&self, answer: &Answer, around: Circumstances<'_>) -> Option<u64> {
        let value = self.source.first(answer, around.scope)?;
        let amount = |value: &Value| {
            text_of(value)?
                .trim()
                .parse::<f64>()
                .ok()
                .filter(|amount| *amount >= 0.0)
        };
        let scale = match self.unit {
            AfterUnit::Seconds | AfterUnit::RetryAfter => 1000.0,
            AfterUnit::Milliseconds => 1.0,
        };
        match amount(&value) {
            // Casting saturates; no vendor asks for a wait beyond that.
            Some(amount) => Some((amount * scale).ceil() as u64),
            None if self.unit == AfterUnit::RetryAfter => {
                // Both dates are the server's, so that its clock need not be ours.
                let until = rfc2822::parse(value.as_str()?).ok()?;
                let wait = until.timestamp().as_millisecond() - answer.date_ms()?;
                Some(u64::try_from(wait).unwrap_or(0))
            }
            None => None,
        }
    }
}

/// The first rule that is about the answer decides; without one nobody knows.
pub(crate) fn judge<'r>(rules: impl Iterator<Item = &'r Rule>, answer: &Answer, around: Circumstances<'_>) -> Outcome {
    let mut judged = rules.filter_map(|rule| rule.judge(answer, around));
    judged.next().unwrap_or_else(|| Outcome::Unknown {
        message: unexpected(answer),
    })
}

/// Says that an answer is none that the connector knows.
pub(crate) fn unexpected(answer: &Answer) -> String {
    let text = answer.text();
    let shown = shorten(text.trim());
    format!(
        "HTTP status {} with an answer that the connector does not know: {shown}",
        answer.status
    )
}

fn shorten(text: &str) -> String {
    let mut letters = text.chars();
    let mut short: String = letters.by_ref().take(LONGEST_MESSAGE).collect();
    if letters.next().is_some() {
        short.push('…');
    }
    short
}
