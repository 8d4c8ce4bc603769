//! What came of the cases: scores, a table, and what somebody needs to mend a manifest.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::{evidence::Evidence, failure::Failure};

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should.
    Passed,
    /// Not as it should.
    Failed,
    /// Not as it should, and the scenario says that the vendor makes it impossible.
    Waived,
    /// As it should, or not at all, although the scenario says that it cannot.
    NeedlesslyWaived,
}

/// One case that was played.
#[derive(Debug, Clone, Serialize)]
pub struct Ending {
    /// The connector's slug.
    pub connector: String,
    /// The case's name.
    pub case: String,
    /// The object; `None`: the connection as a whole.
    pub object: Option<String>,
    /// How it ended.
    pub state: State,
    /// Why it was not passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The waiver's reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the vendor held and was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

/// How well a connector stands the suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// Percent of the cases that apply and are not waived, rounded down.
    pub score: u32,
    /// How many cases were passed.
    pub passed: u32,
    /// What the vendor makes impossible.
    pub waived: Vec<WaivedCase>,
}

/// A case that the vendor makes impossible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaivedCase {
    /// Its name.
    pub case: String,
    /// The object; `None`: the connection as a whole.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub object: Option<String>,
    /// Why.
    pub reason: String,
}

/// What came of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Every case, by connector.
    pub endings: Vec<Ending>,
}

impl Report {
    /// Of these.
    pub fn new(endings: Vec<Ending>) -> Self {
        Self { endings }
    }

    /// Whether every case was passed or rightly waived.
    pub fn is_perfect(&self) -> bool {
        self.endings
            .iter()
            .all(|ending| matches!(ending.state, State::Passed | State::Waived))
    }

    /// The connectors, in the order in which they were played.
    pub fn connectors(&self) -> Vec<&str> {
        let mut slugs: Vec<&str> = Vec::new();
        for ending in &self.endings {
            if !slugs.contains(&ending.connector.as_str()) {
                slugs.push(&ending.connector);
            }
        }
        slugs
    }

    /// How well a connector did.
    pub fn score(&self, connector: &str) -> Score {
        let own = || self.endings.iter().filter(|ending| ending.connector == connector);
        let count =
            |state: State| u32::try_from(own().filter(|ending| ending.state == state).count()).unwrap_or(u32::MAX);
        let (passed, failed) = (count(State::Passed), count(State::Failed));
        let waived = own().filter(|ending| ending.state == State::Waived);
        Score {
            score: (passed * 100).checked_div(passed + failed).unwrap_or(0),
            passed,
            waived: waived
                .map(|ending| WaivedCase {
                    case: ending.case.clone(),
                    object: ending.object.clone(),
                    reason: ending.reason.clone().unwrap_or_default(),
                })
                .collect(),
        }
    }

    /// For a person: a table for each connector, then what went wrong. `verbose`: with the calls also of cases that are waived.
    pub fn to_text(&self, verbose: bool) -> String {
        let mut text = String::new();
        for connector in self.connectors() {
            self.table(connector, &mut text);
            for ending in self.endings.iter().filter(|ending| ending.connector == connector) {
                describe(ending, verbose, &mut text);
            }
        }
        text
    }

    fn table(&self, connector: &str, text: &mut String) {
        let own: Vec<&Ending> = self
            .endings
            .iter()
            .filter(|ending| ending.connector == connector)
            .collect();
        let Score { score, passed, waived } = self.score(connector);
        let _ = writeln!(
            text,
            "{connector}: {score} % ({passed} passed, {} waived)\n",
            waived.len()
        );
        let mut columns: Vec<Option<&str>> = Vec::new();
        let mut rows: Vec<&str> = Vec::new();
        for ending in &own {
            if !columns.contains(&ending.object.as_deref()) {
                columns.push(ending.object.as_deref());
            }
            if !rows.contains(&ending.case.as_str()) {
                rows.push(&ending.case);
            }
        }
        let first = rows.iter().map(|row| row.len()).max().unwrap_or(4);
        let name = |column: &Option<&str>| column.unwrap_or("connection").to_owned();
        let width = |column: &Option<&str>| name(column).chars().count().max(9);
        let _ = write!(text, "  {:first$}", "case");
        for column in &columns {
            let _ = write!(text, "  {:1$}", name(column), width(column));
        }
        end_line(text);
        for row in rows {
            let _ = write!(text, "  {row:first$}");
            for column in &columns {
                let cell = own
                    .iter()
                    .find(|ending| ending.case == row && ending.object.as_deref() == *column);
                let _ = write!(
                    text,
                    "  {:1$}",
                    cell.map_or("", |ending| word(ending.state)),
                    width(column)
                );
            }
            end_line(text);
        }
        text.push('\n');
    }
}

/// Ends a line, without blanks before the end.
fn end_line(text: &mut String) {
    text.truncate(text.trim_end().len());
    text.push('\n');
}

fn word(state: State) -> &'static str {
    match state {
        State::Passed => "passed",
        State::Failed => "FAILED",
        State::Waived => "waived",
        State::NeedlesslyWaived => "NO WAIVER",
    }
}

fn describe(ending: &Ending, verbose: bool, text: &mut String) {
    let about = ending.object.as_deref().unwrap_or("connection");
    let case = &ending.case;
    match ending.state {
        State::Passed => return,
        State::Failed => {
            let _ = writeln!(text, "FAILED {case} ({about})");
            if let Some(rule) = super::cases::find(case) {
                let _ = writeln!(text, "  rule:     {}", rule.about);
            }
        }
        State::Waived => {
            let reason = ending.reason.as_deref().unwrap_or_default();
            let _ = writeln!(text, "waived {case} ({about}): {reason}");
            if !verbose {
                return;
            }
        }
        State::NeedlesslyWaived => {
            let _ = writeln!(
                text,
                "NO WAIVER {case} ({about}): scenario.yaml waives it, but it is passed or does not apply. Remove the waiver."
            );
            return;
        }
    }
    if let Some(failure) = &ending.failure {
        let _ = writeln!(text, "  expected: {}\n  found:    {}", failure.expected, failure.found);
    }
    if let Some(evidence) = &ending.evidence {
        show(evidence, verbose, text);
    }
    text.push('\n');
}

fn show(evidence: &Evidence, verbose: bool, text: &mut String) {
    let _ = writeln!(text, "  what the hub made of the answers (oldest first):");
    for line in &evidence.understood {
        let _ = writeln!(text, "    {line}");
    }
    let _ = writeln!(text, "  what the vendor holds ({} records):", evidence.rows.len());
    for row in &evidence.rows {
        let _ = writeln!(text, "    {row}");
    }
    let _ = writeln!(text, "  the calls:");
    for call in &evidence.calls {
        let status = call
            .status
            .map_or("cut, no answer".to_owned(), |status| status.to_string());
        let faults = match call.faults.is_empty() {
            true => String::new(),
            false => format!("   (dial: {})", call.faults.join(", ")),
        };
        let _ = writeln!(text, "    {}{faults}", call.request);
        if verbose {
            for header in &call.headers {
                let _ = writeln!(text, "      {header}");
            }
        }
        if !call.body.is_empty() {
            let _ = writeln!(text, "      sent:     {}", call.body);
        }
        let _ = writeln!(text, "      answered: {status} {}", call.answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(case: &str, object: Option<&str>, state: State) -> Ending {
        Ending {
            connector: "example".into(),
            case: case.into(),
            object: object.map(str::to_owned),
            state,
            failure: None,
            reason: Some("The vendor has no search.".into()),
            evidence: None,
        }
    }

    #[test]
    fn waived_cases_do_not_count_and_are_listed() {
        let report = Report::new(vec![
            ending("a", None, State::Passed),
            ending("b", Some("lead"), State::Passed),
            ending("c", Some("lead"), State::Failed),
            ending("d", Some("lead"), State::Waived),
        ]);
        let score = report.score("example");
        assert_eq!((score.score, score.passed, score.waived.len()), (66, 2, 1));
        assert!(!report.is_perfect());
        assert_eq!(report.score("nobody").score, 0);
    }

    #[test]
    fn the_table_has_a_column_for_each_object() {
        let report = Report::new(vec![
            ending("connection-test", None, State::Passed),
            ending("created-once", Some("lead"), State::Passed),
            ending("answer-lost", Some("lead"), State::Waived),
        ]);
        let text = report.to_text(false);
        let expected = "example: 100 % (2 passed, 1 waived)\n\n  case             connection  lead\n  connection-test  passed\n  \
                        created-once                 passed\n  answer-lost                  waived\n\n\
                        waived answer-lost (lead): The vendor has no search.\n";
        assert_eq!(text, expected);
    }
}
