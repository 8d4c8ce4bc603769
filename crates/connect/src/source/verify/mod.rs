//! Whether a request is the pusher's.

mod compile;
mod digest;
mod key;
mod place;
mod sign;
mod token;
mod way;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value};
use switchboard_model::{condition::Condition, template::Scope};

use self::way::Way;
use super::request::Request;

pub(super) use compile::{checks, keyed};
pub(super) use digest::Keyed;

/// What checks look at.
#[derive(Clone, Copy)]
pub(super) struct Evidence<'e> {
    pub request: &'e Request,
    /// The parsed body.
    pub body: &'e Value,
    pub secrets: &'e Map<String, Value>,
    pub settings: &'e Map<String, Value>,
    pub now_ms: i64,
}

impl<'e> Evidence<'e> {
    /// A secret that is given, or a setting of that name.
    fn secret(&self, name: &str) -> Option<&'e str> {
        let value = self.secrets.get(name).or_else(|| self.settings.get(name));
        value.and_then(Value::as_str).filter(|text| !text.is_empty())
    }
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finding {
    /// It holds.
    Holds,
    /// It says nothing about this request.
    Silent,
    /// It does not hold.
    Fails(String),
}

/// A check, or several of which one must hold.
#[derive(Debug)]
pub(super) enum Check {
    Any(Vec<OneCheck>),
    One(Box<OneCheck>),
}

/// One check.
#[derive(Debug)]
pub(super) struct OneCheck {
    when: Option<Condition>,
    optional: bool,
    log_only: bool,
    way: Way,
}

/// What all checks of a source found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Whether any of them has anything to say for the request.
    pub proven: bool,
    /// What failed without refusing.
    pub notes: Vec<String>,
}

/// All of them must hold. A failure is the reason to refuse.
pub(super) fn verify(
    checks: &[Check],
    slug: &str,
    evidence: Evidence<'_>,
    scope: &Scope<'_>,
) -> Result<Findings, String> {
    let mut findings = Findings::default();
    for check in checks {
        match check {
            Check::One(check) => match check.look(slug, evidence, scope) {
                Finding::Holds => findings.proven |= !check.log_only,
                Finding::Silent => {}
                Finding::Fails(why) if check.log_only => findings.notes.push(format!("not refused, only noted: {why}")),
                Finding::Fails(why) => return Err(why),
            },
            Check::Any(checks) => {
                let each: Vec<Finding> = checks.iter().map(|check| check.look(slug, evidence, scope)).collect();
                if each.contains(&Finding::Holds) {
                    findings.proven = true;
                    continue;
                }
                let whys = each.into_iter().filter_map(|finding| match finding {
                    Finding::Fails(why) => Some(why),
                    Finding::Holds | Finding::Silent => None,
                });
                let whys: Vec<String> = whys.collect();
                if !whys.is_empty() {
                    return Err(whys.join("; "));
                }
            }
        }
    }
    Ok(findings)
}

impl OneCheck {
    /// Whether it refuses every request that it does not hold for.
    fn is_strict(&self) -> bool {
        !self.optional && self.when.is_none() && !self.log_only
    }

    fn look(&self, slug: &str, evidence: Evidence<'_>, scope: &Scope<'_>) -> Finding {
        match self.when.as_ref().map(|when| when.matches(slug, scope)) {
            None | Some(Ok(true)) => {}
            Some(Ok(false)) => return Finding::Silent,
            Some(Err(error)) => return Finding::Fails(format!("whether the check applies is not known: {error}")),
        }
        let needs = self.way.needs();
        if self.optional && !needs.iter().any(|name| evidence.secret(name).is_some()) {
            return Finding::Silent;
        }
        self.way.look(evidence)
    }
}

impl Check {
    fn each(&self) -> &[OneCheck] {
        match self {
            Self::Any(checks) => checks,
            Self::One(check) => std::slice::from_ref(check),
        }
    }

    /// The headers with which the pusher would sign a request.
    pub fn sign(&self, evidence: Evidence<'_>) -> Vec<(String, String)> {
        let each = self.each().iter().map(|check| way::signature(&check.way, evidence));
        each.into_iter().find(|headers| !headers.is_empty()).unwrap_or_default()
    }

    /// Headers and parameters that carry secrets: they are masked before a request is written down.
    pub fn carriers(&self) -> impl Iterator<Item = Carrier<'_>> {
        self.each().iter().filter_map(|check| check.way.carrier())
    }

    /// Whether a secret may stand behind the path of the source.
    pub fn reads_tail(&self) -> bool {
        self.carriers().any(|carrier| matches!(carrier, Carrier::Tail))
    }

    /// The groups of secrets of which one has to be given.
    pub fn required(&self) -> Vec<Vec<&str>> {
        match self {
            Self::One(check) if check.is_strict() => check.way.required(),
            Self::One(_) => Vec::new(),
            Self::Any(checks) => {
                let mut strict = checks.iter().filter(|check| check.is_strict()).peekable();
                // One that needs no secret can hold without any.
                if strict.peek().is_none() || strict.any(|check| check.way.needs().is_empty()) {
                    return Vec::new();
                }
                vec![checks.iter().flat_map(|check| check.way.needs()).collect()]
            }
        }
    }
}

/// Where a secret stands in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carrier<'c> {
    Header { name: &'c str, loose: bool },
    Query(&'c str),
    Tail,
}
