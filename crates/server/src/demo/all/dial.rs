//! What goes wrong.

use switchboard_simulator::{Dial, Fault, Rule};

/// Chance that all tokens end just before a call.
const EXPIRY: f64 = 0.005;

/// Everything that loses or doubles records when it is handled wrongly, in about one call of eight. `rotates`: each refresh token is good
/// once; then tokens are left alone, since a renewal whose answer is lost is lost for whoever calls.
pub fn trouble(rotates: bool) -> Dial {
    Dial {
        expire_tokens: expiry(rotates),
        rules: vec![
            pause(),
            sometimes(status(503, Some(1), false), 0.02).times(4),
            sometimes(status(500, None, false), 0.04),
            sometimes(status(502, None, true), 0.01),
            sometimes(Fault::CutBefore, 0.03),
            sometimes(Fault::CutAfter, 0.03),
        ],
        ..Dial::default()
    }
}

/// What leaves no doubt about a write: pauses, tokens that end, and reads that fail.
pub fn plain(rotates: bool) -> Dial {
    let reads = |rule: Rule| rule.method("GET");
    Dial {
        expire_tokens: expiry(rotates),
        rules: vec![
            pause(),
            reads(sometimes(status(500, None, false), 0.04)),
            reads(sometimes(Fault::CutBefore, 0.03)),
        ],
        ..Dial::default()
    }
}

fn expiry(rotates: bool) -> f64 {
    if rotates { 0.0 } else { EXPIRY }
}

/// The vendor's own way to ask for a pause; some ask for a long one, so it comes once.
fn pause() -> Rule {
    sometimes(Fault::Throttle { retry_after_s: Some(1) }, 0.02).times(1)
}

fn sometimes(fault: Fault, share: f64) -> Rule {
    Rule::new(fault).probability(share)
}

fn status(code: u16, retry_after_s: Option<u64>, applied: bool) -> Fault {
    Fault::Status {
        code,
        retry_after_s,
        applied,
    }
}
