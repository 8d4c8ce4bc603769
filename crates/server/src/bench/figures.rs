//! The figures of a run, as a table for people and as JSON.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::{arguments::BenchArguments, latency::Latencies};

/// One figure. The end of its name is its unit: `_per_second`, `_ms`, `_us`, `_mb`.
#[derive(Debug, Clone, PartialEq)]
struct Figure {
    name: String,
    value: f64,
    of_relay: Option<f64>,
}

/// The figures of one scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    name: String,
    about: String,
    figures: Vec<Figure>,
    /// What a reader has to know to judge the figures.
    pub notes: Vec<String>,
    /// Why the scenario could not be run to its end.
    pub problem: Option<String>,
}

/// A whole run.
#[derive(Debug)]
pub struct Report {
    head: Value,
    /// One for each scenario.
    pub sections: Vec<Section>,
}

impl Section {
    /// An empty one.
    pub fn new(name: String, about: String) -> Self {
        Self {
            name,
            about,
            figures: Vec::new(),
            notes: Vec::new(),
            problem: None,
        }
    }

    /// Adds a figure.
    pub fn figure(&mut self, name: impl Into<String>, value: f64) {
        self.figures.push(Figure {
            name: name.into(),
            value,
            of_relay: None,
        });
    }

    /// Adds a figure that is there only under some conditions.
    pub fn maybe(&mut self, name: impl Into<String>, value: Option<f64>) {
        if let Some(value) = value {
            self.figure(name, value);
        }
    }

    /// Adds a rate, and what part of the relay's rate it is.
    pub fn rate(&mut self, name: impl Into<String>, value: f64, relay: f64) {
        self.figures.push(Figure {
            name: name.into(),
            value,
            of_relay: (relay > 0.0).then(|| value / relay),
        });
    }

    /// Adds the median and the 99th percentile of these durations, in milliseconds.
    pub fn latencies(&mut self, name: &str, latencies: &Latencies) {
        self.maybe(format!("{name}_p50_ms"), latencies.quantile_ms(0.5));
        self.maybe(format!("{name}_p99_ms"), latencies.quantile_ms(0.99));
    }

    /// Adds a note.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    fn to_json(&self) -> Value {
        let mut members = Map::new();
        for figure in &self.figures {
            members.insert(figure.name.clone(), rounded(figure.value));
            if let Some(share) = figure.of_relay {
                members.insert(format!("{}_of_relay", figure.name), rounded(share));
            }
        }
        if !self.notes.is_empty() {
            members.insert("notes".into(), json!(self.notes));
        }
        if let Some(problem) = &self.problem {
            members.insert("problem".into(), json!(problem));
        }
        Value::Object(members)
    }

    fn to_text(&self) -> String {
        let mut text = format!("\n{}: {}\n", self.name, self.about);
        let width = self.figures.iter().map(|figure| figure.name.len()).max().unwrap_or(0);
        for Figure { name, value, of_relay } in &self.figures {
            let share = of_relay
                .map(|share| format!("   {share:.3} × relay"))
                .unwrap_or_default();
            let name = name.replace('_', " ");
            let _ = writeln!(text, "  {name:width$}  {:>12}{share}", number(*value));
        }
        for note in self.notes.iter().chain(&self.problem) {
            let _ = writeln!(text, "  {note}");
        }
        text
    }
}

impl Report {
    /// An empty one, with what was asked for.
    pub fn new(arguments: &BenchArguments) -> Self {
        let cpus = std::thread::available_parallelism().map_or(0, usize::from);
        let head = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "cpus": cpus,
            "seconds": arguments.duration().as_secs(),
            "connections": arguments.connections(),
            "bytes": arguments.bytes(),
            "store": if arguments.database.is_some() { "postgres" } else { "sqlite" },
            "target": arguments.target,
        });
        Self {
            head,
            sections: Vec::new(),
        }
    }

    /// Whether every scenario was run to its end.
    pub fn is_complete(&self) -> bool {
        self.sections.iter().all(|section| section.problem.is_none())
    }

    /// One line.
    pub fn to_json(&self) -> String {
        let mut document = self.head.clone();
        let sections = self
            .sections
            .iter()
            .map(|section| (section.name.clone(), section.to_json()));
        document["scenarios"] = Value::Object(sections.collect());
        document.to_string()
    }

    /// A table.
    pub fn to_text(&self) -> String {
        let head = |name: &str| self.head[name].to_string().trim_matches('"').to_owned();
        let mut text = format!(
            "Switchboard {}: {} processors, {} connections, messages of {} bytes, {} s per measurement, {}\n",
            head("version"),
            head("cpus"),
            head("connections"),
            head("bytes"),
            head("seconds"),
            head("store"),
        );
        for section in &self.sections {
            text.push_str(&section.to_text());
        }
        text
    }
}

/// Three decimals are more than any machine can repeat.
fn rounded(value: f64) -> Value {
    json!((value * 1000.0).round() / 1000.0)
}

/// Large numbers with separators, small ones with as many decimals as matter.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 || value.fract() == 0.0 => grouped(value.round() as i64),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}

fn grouped(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section() -> Section {
        let mut section = Section::new("single".into(), "Full load".into());
        section.rate("accepted_per_second", 7_750.0, 31_000.0);
        section.figure("accept_p50_ms", 0.6543);
        section.rate("delivered_per_second", 1.0, 0.0);
        section.maybe("memory_peak_mb", None);
        section.note("The relay's two runs differ by 3 %.");
        section
    }

    #[test]
    fn the_table_shows_figures_and_what_part_of_the_relays_they_are() {
        let expected = "\nsingle: Full load\n  accepted per second          7,750   0.250 × relay\n  \
                        accept p50 ms                0.654\n  delivered per second             1\n  \
                        The relay's two runs differ by 3 %.\n";
        assert_eq!(section().to_text(), expected);
    }

    #[test]
    fn json_has_one_number_per_figure() {
        let expected = json!({
            "accepted_per_second": 7750.0, "accepted_per_second_of_relay": 0.25, "accept_p50_ms": 0.654,
            "delivered_per_second": 1.0, "notes": ["The relay's two runs differ by 3 %."],
        });
        assert_eq!(section().to_json(), expected);
        let mut failed = section();
        failed.problem = Some("no port".into());
        assert_eq!(failed.to_json()["problem"], "no port");
    }

    #[test]
    fn numbers_are_as_long_as_they_matter() {
        for (value, expected) in [
            (1_234_567.4, "1,234,567"),
            (-1000.0, "-1,000"),
            (123.4, "123"),
            (12.34, "12.3"),
            (0.1234, "0.123"),
            (32.0, "32"),
            (0.0, "0"),
        ] {
            assert_eq!(number(value), expected);
        }
    }
}
