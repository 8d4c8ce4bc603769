//! Nobody waits for time where the thing itself can be waited for; tests never do.

use std::sync::LazyLock;

use regex::Regex;

use crate::tidy::{Finding, Tree, pattern};

/// Files that may sleep, each with the reason. A row whose file no longer sleeps is a finding.
const ALLOWED: &[(&str, &str)] = &[
    (
        "crates/hub/src/store/postgres/session.rs",
        "a database that was restarted tells nobody when it is back; hints are collected before they are sent",
    ),
    (
        "crates/hub/src/store/postgres/grants.rs",
        "a lock that another node gives back is told to those only who block a connection for it",
    ),
    (
        "crates/hub/src/attempt/settle.rs",
        "a disk that was full tells nobody when it has space again",
    ),
    (
        "crates/hub/src/hub/upkeep.rs",
        "moving what is over is never urgent, and it leaves the writer alone in between",
    ),
    (
        "crates/hub/src/intake/mod.rs",
        "a sender that is kept waiting slows down what comes in; nothing announces the end of that",
    ),
    (
        "crates/hub/src/lane/runner.rs",
        "a back-off ends at a known moment; letters and landings end the wait earlier",
    ),
    (
        "crates/hub/src/receive/worker.rs",
        "a store that failed tells nobody when it works again",
    ),
    (
        "crates/server/src/bench/pace.rs",
        "a measurement lasts as long as it was asked to",
    ),
    (
        "crates/simulator/src/edge.rs",
        "the failure dial makes a vendor slow on purpose",
    ),
    (
        "crates/simulator/src/smtp/conversation.rs",
        "the failure dial makes a mail server slow on purpose",
    ),
];

static SLEEP: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(?:thread|time)::(?:\{[^}]*\b)?sleep(?:_until)?\b"));

/// Looks at every Rust file.
pub fn check(tree: &Tree) -> Vec<Finding> {
    with(tree, ALLOWED)
}

fn with(tree: &Tree, allowed: &[(&str, &str)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.ending(".rs") {
        let lines: Vec<usize> = file
            .code_lines()
            .filter(|(_, text)| SLEEP.is_match(text))
            .map(|(line, _)| line)
            .collect();
        match allowed.iter().any(|(path, _)| *path == file.path) {
            true if lines.is_empty() => {
                findings.push(Finding::at(
                    file,
                    1,
                    format!("no longer sleeps; delete its row in {}", file!()),
                ));
            }
            true => {}
            false => findings.extend(lines.into_iter().map(|line| {
                Finding::at(
                    file,
                    line,
                    format!("sleeps: wait for the thing itself, or give the reason in {}", file!()),
                )
            })),
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_sleep_is_found() {
        for (code, found) in [
            ("std::thread::@(second);", 1),
            ("tokio::time::@_until(then).await;", 1),
            ("use tokio::time::{Duration, @};", 1),
            ("use tokio::time::{Duration, timeout};", 0),
            ("// thread::@(second)", 0),
            ("let @ = 1;", 0),
        ] {
            let code = code.replace('@', "sleep");
            assert_eq!(
                check(&Tree::of(&[("crates/a/tests/b.rs", &code)])).len(),
                found,
                "{code}"
            );
        }
    }

    #[test]
    fn a_file_with_a_reason_may_sleep_and_has_to() {
        let allowed = [("a.rs", "paces the demo")];
        let code = concat!("time::", "sleep(x)");
        assert_eq!(with(&Tree::of(&[("a.rs", code)]), &allowed), []);
        assert_eq!(with(&Tree::of(&[("b.rs", code)]), &allowed).len(), 1);
        assert_eq!(with(&Tree::of(&[("a.rs", "")]), &allowed).len(), 1);
    }

    #[test]
    fn every_reason_is_a_reason() {
        assert!(ALLOWED.iter().all(|(_, reason)| reason.split_whitespace().count() >= 3));
    }
}
