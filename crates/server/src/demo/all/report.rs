//! The verdict, as JSON and for a person.

use std::{fmt::Write, time::Duration};

use serde_json::{Value, json};

use super::count::Line;
use crate::demo::progress::Settled;

/// Why some objects are spared.
const SPARED: &str = "The vendor offers no means to find out what became of a write whose answer was lost, so a person would be asked. \
                      The calls that write these objects are not cut and fail only in ways that leave no doubt.";
/// Why some tokens are kept.
const KEPT: &str = "Each refresh token is good once, and a renewal whose answer is lost is lost for whoever calls. Tokens of these \
                    connectors are not made to end.";

/// What came of a run.
#[derive(Debug)]
pub struct Report {
    /// Events that were accepted.
    pub events: u32,
    /// The first so many were posted before anything went wrong.
    pub untroubled: u32,
    /// Posts that were recognised as repeats.
    pub repeats: u64,
    /// The deliveries.
    pub settled: Settled,
    /// Each object.
    pub counted: Vec<Line>,
    /// How long it took.
    pub took: Duration,
    /// What went wrong on purpose.
    pub injected: Value,
    /// Mistakes of the simulators.
    pub script_errors: Vec<String>,
    /// Nothing went wrong on purpose.
    pub calm: bool,
    /// Connectors whose tokens were left alone.
    pub kept_tokens: Vec<String>,
}

impl Report {
    /// Whether everything arrived once.
    pub fn is_perfect(&self) -> bool {
        let (lost, duplicates) = self.difference();
        let Settled { dead, pending, .. } = self.settled;
        lost + duplicates + dead + pending == 0 && self.script_errors.is_empty()
    }

    fn difference(&self) -> (u64, u64) {
        let lost = self.counted.iter().map(|line| line.found.lost).sum();
        (lost, self.counted.iter().map(|line| line.found.duplicates).sum())
    }

    fn spared(&self) -> Vec<String> {
        let spared = self.counted.iter().filter(|line| line.spared && !self.calm);
        spared
            .map(|line| format!("{}/{}", line.connector, line.object))
            .collect()
    }

    /// One line.
    pub fn to_json(&self) -> String {
        let (lost, duplicates) = self.difference();
        let Settled {
            delivered,
            dead,
            pending,
        } = self.settled;
        let line = |line: &Line| {
            let mut value = json!({
                "connector": line.connector,
                "object": line.object,
                "expected": line.expected,
                "stored": line.found.stored,
                "lost": line.found.lost,
                "duplicates": line.found.duplicates,
                "dead": line.dead,
                "spared": line.spared && !self.calm,
            });
            if let Some(problem) = &line.problem {
                value["problem"] = problem.as_str().into();
            }
            value
        };
        json!({
            "events": self.events,
            "events_before_trouble": self.untroubled,
            "repeats_posted": self.repeats,
            "connectors": self.counted.iter().map(line).collect::<Vec<_>>(),
            "delivered": delivered,
            "lost": lost,
            "duplicates": duplicates,
            "dead": dead,
            "pending": pending,
            "seconds": (self.took.as_secs_f64() * 1000.0).round() / 1000.0,
            "injected_failures": self.injected,
            "spared": { "objects": self.spared(), "reason": SPARED },
            "tokens_kept": { "connectors": if self.calm { &[][..] } else { &self.kept_tokens[..] }, "reason": KEPT },
            "simulator_errors": self.script_errors,
        })
        .to_string()
    }

    /// A table.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let name = |line: &Line| {
            format!(
                "{}/{}{}",
                line.connector,
                line.object,
                if line.spared && !self.calm { " *" } else { "" }
            )
        };
        let width = self.counted.iter().map(|line| name(line).len()).max().unwrap_or(0);
        let _ = writeln!(text, "{:width$}  expected  stored  lost  doubled  dead", "object");
        for line in &self.counted {
            let found = line.found;
            let _ = writeln!(
                text,
                "{:width$}  {:8}  {:6}  {:4}  {:7}  {:4}",
                name(line),
                line.expected,
                found.stored,
                found.lost,
                found.duplicates,
                line.dead
            );
            if let Some(problem) = &line.problem {
                let _ = writeln!(text, "  given up: {problem}");
            }
        }
        let (lost, duplicates) = self.difference();
        let Settled {
            delivered,
            dead,
            pending,
        } = self.settled;
        let _ = writeln!(
            text,
            "\n{} events (the first {} before anything went wrong), {} repeats recognised, {:.1} s",
            self.events,
            self.untroubled,
            self.repeats,
            self.took.as_secs_f64()
        );
        let _ = writeln!(
            text,
            "{delivered} deliveries arrived, {dead} were given up, {pending} still wait"
        );
        let _ = writeln!(text, "{lost} records lost, {duplicates} doubled");
        if !self.spared().is_empty() {
            let _ = writeln!(text, "* {SPARED}");
        }
        if !self.calm && !self.kept_tokens.is_empty() {
            let _ = writeln!(text, "{}: {KEPT}", self.kept_tokens.join(", "));
        }
        for error in &self.script_errors {
            let _ = writeln!(text, "simulator: {error}");
        }
        text
    }
}
