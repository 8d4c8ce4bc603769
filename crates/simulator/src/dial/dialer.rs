//! Decides, call by call, what the dial does.

use super::{Dial, Fault, Rule};
use crate::chance::Chance;

/// What happens to one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// How long the call waits before it is carried out, milliseconds.
    pub delay_ms: u64,
    /// How long the answer waits after the call was carried out, milliseconds.
    pub hold_ms: u64,
    /// Issued tokens end before the call is looked at.
    pub expire_tokens: bool,
    /// What happens to the call itself.
    pub strike: Option<Strike>,
    /// The faults by the names under which they are counted.
    pub kinds: Vec<String>,
}

/// What happens to a call itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Strike {
    /// See [`Fault::CutBefore`] and [`Dial::down`].
    CutBefore,
    /// See [`Fault::CutAfter`].
    CutAfter,
    /// See [`Fault::Status`].
    Status {
        /// The status.
        code: u16,
        /// `Retry-After` in seconds.
        retry_after_s: Option<u64>,
        /// Whether the call is carried out first.
        applied: bool,
    },
    /// See [`Fault::Hollow`].
    Hollow {
        /// Whether the call is carried out first.
        applied: bool,
    },
    /// See [`Fault::Throttle`]; `Retry-After` in seconds.
    Throttle(Option<u64>),
}

/// A dial in use: it remembers how often each rule struck. For one seed and one sequence of calls it always decides the same.
#[derive(Debug)]
pub struct Dialer {
    dial: Dial,
    chance: Chance,
    /// Fitting calls and strikes of each rule.
    counts: Vec<(u64, u64)>,
}

impl Dialer {
    /// A dial for the vendor called `name`, from its beginning.
    #[must_use]
    pub fn new(seed: u64, name: &str, dial: Dial) -> Self {
        Self {
            chance: Chance::new(seed, &format!("dial {name}")),
            counts: vec![(0, 0); dial.rules.len()],
            dial,
        }
    }

    /// The dial as it was set.
    #[must_use]
    pub fn dial(&self) -> &Dial {
        &self.dial
    }

    /// Decides about the next call.
    pub fn plan(&mut self, method: &str, path: &str) -> Plan {
        let mut plan = Plan::default();
        if self.dial.down {
            plan.strike = Some(Strike::CutBefore);
            plan.kinds.push("down".to_owned());
            return plan;
        }
        if let Some((from, to)) = self.dial.latency_ms {
            plan.delay_ms = self.chance.between(from, to);
        }
        if self.dial.expire_tokens > 0.0 && self.chance.share() < self.dial.expire_tokens {
            plan.expire_tokens = true;
            plan.kinds.push("expire_tokens".to_owned());
        }
        for (rule, count) in self.dial.rules.iter().zip(&mut self.counts) {
            if plan.strike.is_some() {
                break;
            }
            if fits(rule, method, path) && strikes(rule, count, &mut self.chance) {
                apply(&rule.fault, &mut plan);
            }
        }
        plan
    }
}

fn fits(rule: &Rule, method: &str, path: &str) -> bool {
    rule.method.as_deref().is_none_or(|wanted| wanted == method)
        && rule.path.as_deref().is_none_or(|part| path.contains(part))
}

fn strikes(rule: &Rule, (seen, struck): &mut (u64, u64), chance: &mut Chance) -> bool {
    *seen += 1;
    if *seen <= rule.skip || rule.times.is_some_and(|times| *struck >= times) {
        return false;
    }
    let hit = rule.probability >= 1.0 || chance.share() < rule.probability;
    *struck += u64::from(hit);
    hit
}

fn apply(fault: &Fault, plan: &mut Plan) {
    let kind = match fault {
        Fault::Slow { ms } => {
            plan.delay_ms = plan.delay_ms.saturating_add(*ms);
            "slow".to_owned()
        }
        Fault::Late { ms } => {
            plan.hold_ms = plan.hold_ms.saturating_add(*ms);
            "late".to_owned()
        }
        Fault::ExpireTokens => {
            plan.expire_tokens = true;
            "expire_tokens".to_owned()
        }
        Fault::CutBefore => {
            plan.strike = Some(Strike::CutBefore);
            "cut_before".to_owned()
        }
        Fault::CutAfter => {
            plan.strike = Some(Strike::CutAfter);
            "cut_after".to_owned()
        }
        Fault::Hollow { applied } => {
            plan.strike = Some(Strike::Hollow { applied: *applied });
            if *applied { "hollow_applied" } else { "hollow" }.to_owned()
        }
        Fault::Throttle { retry_after_s } => {
            plan.strike = Some(Strike::Throttle(*retry_after_s));
            "throttle".to_owned()
        }
        Fault::Status {
            code,
            retry_after_s,
            applied,
        } => {
            let (code, retry_after_s, applied) = (*code, *retry_after_s, *applied);
            plan.strike = Some(Strike::Status {
                code,
                retry_after_s,
                applied,
            });
            format!("status_{code}{}", if applied { "_applied" } else { "" })
        }
    };
    plan.kinds.push(kind);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kinds(dial: &Dial, seed: u64, calls: usize) -> Vec<String> {
        let mut dialer = Dialer::new(seed, "test", dial.clone());
        (0..calls).map(|_| dialer.plan("POST", "/a").kinds.join("+")).collect()
    }

    fn dial(value: serde_json::Value) -> Dial {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_same_seed_and_calls_give_the_same_faults() {
        let dial = dial(json!({"latency_ms": [0, 1000], "expire_tokens": 0.2, "rules": [
            {"fault": {"status": {"code": 503}}, "probability": 0.3}, {"fault": "cut_after", "probability": 0.3}]}));
        let first = kinds(&dial, 1, 500);
        assert_eq!(first, kinds(&dial, 1, 500));
        assert_ne!(first, kinds(&dial, 2, 500));
        let share = first.iter().filter(|kinds| kinds.contains("status_503")).count();
        assert!((100..200).contains(&share), "{share} of 500 at a chance of 0.3");
    }

    #[test]
    fn a_rule_strikes_the_next_calls_that_fit_and_no_others() {
        let dial = dial(json!({"rules": [
            {"fault": "cut_after", "times": 2, "skip": 1, "method": "POST", "path": "/leads"},
            {"fault": {"slow": {"ms": 5}}, "times": 1}]}));
        let mut dialer = Dialer::new(1, "test", dial);
        let mut strikes = |method, path| dialer.plan(method, path).kinds.join("+");
        assert_eq!(strikes("POST", "/leads"), "slow");
        assert_eq!(strikes("GET", "/leads"), "");
        assert_eq!(strikes("POST", "/v1/leads/7"), "cut_after");
        assert_eq!(strikes("POST", "/cases"), "");
        assert_eq!(strikes("POST", "/leads"), "cut_after");
        assert_eq!(strikes("POST", "/leads"), "");
    }

    #[test]
    fn slow_and_expired_tokens_come_with_what_follows_and_only_one_strike_counts() {
        let dial = dial(
            json!({"latency_ms": [7, 7], "rules": [{"fault": {"slow": {"ms": 10}}}, {"fault": {"late": {"ms": 20}}},
            {"fault": "expire_tokens"}, {"fault": {"throttle": {"retry_after_s": 3}}}, {"fault": "cut_before"}]}),
        );
        let plan = Dialer::new(1, "test", dial).plan("GET", "/");
        assert_eq!((plan.delay_ms, plan.hold_ms), (17, 20));
        assert!(plan.expire_tokens);
        assert_eq!(plan.strike, Some(Strike::Throttle(Some(3))));
        assert_eq!(plan.kinds, ["slow", "late", "expire_tokens", "throttle"]);
    }

    #[test]
    fn a_vendor_that_is_down_cuts_everything() {
        let plan = Dialer::new(1, "test", dial(json!({"down": true}))).plan("GET", "/");
        assert_eq!(
            (plan.strike, plan.kinds),
            (Some(Strike::CutBefore), vec!["down".to_owned()])
        );
    }

    #[test]
    fn a_dial_that_makes_no_sense_is_refused_with_the_place() {
        for (value, part) in [
            (json!({"expire_tokens": 2.0}), "expire_tokens is 2"),
            (
                json!({"rules": [{"fault": "cut_after", "probability": -1.0}]}),
                "rules[0].probability is -1",
            ),
            (
                json!({"rules": [{"fault": {"status": {"code": 42}}}]}),
                "rules[0].fault.status.code is 42",
            ),
        ] {
            let problem = dial(value).check().unwrap_err();
            assert!(problem.starts_with(part), "{problem}");
        }
        assert!(serde_json::from_value::<Dial>(json!({"dwon": true})).is_err());
        assert!(serde_json::from_value::<Dial>(json!({"rules": [{"fault": {"status": {"cod": 1}}}]})).is_err());
    }

    #[test]
    fn a_dial_survives_its_own_json() {
        let dial = Dial::of([
            Rule::new(Fault::CutAfter).times(1).method("POST").path("/ü").after(2),
            Rule::new(Fault::Status {
                code: 529,
                retry_after_s: Some(9),
                applied: true,
            })
            .probability(0.25),
            Rule::new(Fault::Hollow { applied: true }),
        ]);
        assert_eq!(
            serde_json::from_value::<Dial>(serde_json::to_value(&dial).unwrap()).unwrap(),
            dial
        );
    }
}
