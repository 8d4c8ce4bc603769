//! The verdict of a run, as JSON and for a person.

use std::{fmt::Write, time::Duration};

use serde_json::{Map, Value, json};

use super::{
    client::Posted,
    generator::Run,
    progress::Settled,
    scenario::EXPECTATIONS,
    verdict::{Difference, compare},
};
use crate::simulated::Simulators;

/// The verdict of a run.
#[derive(Debug)]
pub struct Report {
    events: u64,
    posted: Posted,
    settled: Settled,
    difference: Difference,
    took: Duration,
    simulated: Map<String, Value>,
    injected: Value,
}

impl Report {
    /// Looks into the simulated vendors, not into the hub, for what is there.
    pub fn new(
        seed: u64,
        run: &Run,
        posted: Posted,
        settled: Settled,
        took: Duration,
        simulators: &Simulators,
    ) -> Self {
        let mut difference = Difference::default();
        let mut simulated = Map::new();
        for expectation in EXPECTATIONS {
            let records = simulators.records(expectation.vendor, expectation.object);
            let concerned = run.messages.iter().filter(|message| expectation.concerns(message));
            let found = compare(expectation.kind, seed, concerned, &records);
            difference.lost += found.lost;
            difference.duplicates += found.duplicates;
            let vendor = simulated.entry(expectation.vendor).or_insert_with(|| json!({}));
            vendor[expectation.object] = records.len().into();
        }
        let events = run.messages.len() as u64;
        Self {
            events,
            posted,
            settled,
            difference,
            took,
            simulated,
            injected: simulators.injected(),
        }
    }

    /// Whether everything arrived exactly once.
    pub fn is_perfect(&self) -> bool {
        self.difference == Difference::default() && self.settled.dead == 0 && self.settled.pending == 0
    }

    fn rate(&self) -> f64 {
        let rate = self.events as f64 / self.took.as_secs_f64().max(0.001);
        (rate * 10.0).round() / 10.0
    }

    /// One line.
    pub fn to_json(&self) -> String {
        json!({
            "events": self.events,
            "repeats_posted": self.posted.repeats,
            "deliveries": self.settled.delivered + self.settled.dead + self.settled.pending,
            "delivered": self.settled.delivered,
            "dead": self.settled.dead,
            "pending": self.settled.pending,
            "duplicates": self.difference.duplicates,
            "lost": self.difference.lost,
            "seconds": (self.took.as_secs_f64() * 1000.0).round() / 1000.0,
            "events_per_second": self.rate(),
            "simulated": self.simulated,
            "injected_failures": self.injected,
        })
        .to_string()
    }

    /// Some lines.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let Settled {
            delivered,
            dead,
            pending,
        } = self.settled;
        let Difference { lost, duplicates } = self.difference;
        let _ = writeln!(
            text,
            "{} events, {} repeats recognised",
            self.events, self.posted.repeats
        );
        let _ = writeln!(
            text,
            "{delivered} deliveries arrived, {dead} were given up, {pending} still wait"
        );
        let _ = writeln!(text, "{lost} records lost, {duplicates} doubled");
        let _ = writeln!(
            text,
            "{:.1} s, {} events per second",
            self.took.as_secs_f64(),
            self.rate()
        );
        for (vendor, objects) in &self.simulated {
            let counts = objects
                .as_object()
                .into_iter()
                .flatten()
                .map(|(object, count)| format!("{count} {object}"));
            let _ = writeln!(text, "  {vendor}: {}", counts.collect::<Vec<_>>().join(", "));
        }
        text
    }
}
