//! The failure dial: what goes wrong, how often, for which calls. It is plain JSON, so that it can be set from outside:
//!
//! ```json
//! {"latency_ms": [20, 80],
//!  "rules": [{"fault": "cut_after", "times": 1, "method": "POST"},
//!            {"fault": {"status": {"code": 503}}, "probability": 0.1},
//!            {"fault": {"throttle": {"retry_after_s": 2}}, "times": 3}]}
//! ```

mod dialer;

use serde::{Deserialize, Serialize};

pub use dialer::{Dialer, Plan, Strike};

/// What goes wrong with the calls to a vendor. The default is that nothing does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dial {
    /// The vendor is away: every connection is closed without an answer and nothing is applied.
    pub down: bool,
    /// Every answer waits this long, milliseconds: from, to (both included).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<(u64, u64)>,
    /// Chance, 0 to 1, that all issued tokens end just before a call is looked at.
    pub expire_tokens: f64,
    /// Tried in order. The first that strikes decides, but [`Fault::Slow`], [`Fault::Late`] and [`Fault::ExpireTokens`] let the
    /// following ones strike too.
    pub rules: Vec<Rule>,
}

impl Dial {
    /// A dial that has only these rules.
    #[must_use]
    pub fn of(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self {
            rules: rules.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Says what is wrong with a dial that makes no sense.
    ///
    /// # Errors
    /// A sentence that names the field: a chance outside 0 to 1, a status that HTTP does not have.
    pub fn check(&self) -> Result<(), String> {
        let chance = |name: &str, share: f64| {
            let good = (0.0..=1.0).contains(&share);
            good.then_some(())
                .ok_or_else(|| format!("{name} is {share}; it must be from 0 to 1"))
        };
        chance("expire_tokens", self.expire_tokens)?;
        for (index, rule) in self.rules.iter().enumerate() {
            chance(&format!("rules[{index}].probability"), rule.probability)?;
            if let Fault::Status { code, .. } = rule.fault
                && !(200..=599).contains(&code)
            {
                return Err(format!(
                    "rules[{index}].fault.status.code is {code}; it must be from 200 to 599"
                ));
            }
        }
        Ok(())
    }
}

/// One thing that goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What happens.
    pub fault: Fault,
    /// Chance, 0 to 1, that it strikes a call that fits.
    #[serde(default = "certain")]
    pub probability: f64,
    /// It strikes so many times and never again; without this, for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// So many fitting calls pass unharmed first.
    #[serde(default)]
    pub skip: u64,
    /// Only calls of this method, in capital letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Only calls whose path below the vendor's prefix contains this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl Rule {
    /// A rule that strikes every call.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            probability: certain(),
            times: None,
            skip: 0,
            method: None,
            path: None,
        }
    }

    /// The same for the next `times` fitting calls only.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// The same after `skip` fitting calls.
    #[must_use]
    pub fn after(mut self, skip: u64) -> Self {
        self.skip = skip;
        self
    }

    /// The same with a chance from 0 to 1.
    #[must_use]
    pub fn probability(mut self, share: f64) -> Self {
        self.probability = share;
        self
    }

    /// The same for one method only.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// The same for paths that contain `part` only.
    #[must_use]
    pub fn path(mut self, part: &str) -> Self {
        self.path = Some(part.to_owned());
        self
    }
}

/// What can go wrong with one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// An error answer with the body that the vendor gives for this status.
    Status {
        /// The status.
        code: u16,
        /// `Retry-After` in seconds; without it the vendor's habit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_s: Option<u64>,
        /// The call is carried out first: an error that hides a success, like a gateway's 504.
        #[serde(default)]
        applied: bool,
    },
    /// Status 200 with an empty JSON object: an answer that says "good" and proves nothing.
    Hollow {
        /// The call is carried out first.
        #[serde(default)]
        applied: bool,
    },
    /// The vendor's own way to say "too many calls".
    Throttle {
        /// `Retry-After` in seconds, for vendors that have it; without it the vendor's habit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_s: Option<u64>,
    },
    /// The connection is closed without an answer; nothing was applied.
    CutBefore,
    /// The call is carried out, then the connection is closed without an answer.
    CutAfter,
    /// The answer waits this long.
    Slow {
        /// Milliseconds.
        ms: u64,
    },
    /// The call is carried out at once; its answer waits this long.
    Late {
        /// Milliseconds.
        ms: u64,
    },
    /// All issued tokens end just before the call is looked at.
    ExpireTokens,
}

fn certain() -> f64 {
    1.0
}
