//! The sum of all runs, and how it is told.

use serde::Serialize;

use super::{
    compare::Wrong,
    plan::{Means, Plan},
    scene::Report,
};

/// What came of all runs with connectors of one means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    /// Runs.
    pub runs: u64,
    /// Kills between the intent of a write and the record of its outcome.
    pub kills_in_window: u64,
    /// Records that should be there and are not.
    pub lost: u64,
    /// Records that are there beside the one that should be.
    pub doubled: u64,
}

/// By means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Shares {
    /// See [`Means::Upsert`].
    pub upsert: Share,
    /// See [`Means::IdempotencyKey`].
    pub idempotency_key: Share,
    /// See [`Means::Probe`].
    pub probe: Share,
}

impl Shares {
    fn of(&mut self, means: Means) -> &mut Share {
        match means {
            Means::Upsert => &mut self.upsert,
            Means::IdempotencyKey => &mut self.idempotency_key,
            Means::Probe => &mut self.probe,
        }
    }
}

/// What came of everything; the last line of the output.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Runs that were played to their end.
    pub runs: u64,
    /// Hubs that were killed.
    pub kills: u64,
    /// Kills that surely fell between the intent of a write and the record of its outcome.
    pub kills_in_send_window: u64,
    /// Runs with at least one such kill.
    pub runs_with_send_window_kill: u64,
    /// Events that were accepted.
    pub accepted: u64,
    /// Records that the vendors hold.
    pub records: u64,
    /// Records that should be there and are not.
    pub lost: u64,
    /// Records that are there beside the one that should be.
    pub doubled: u64,
    /// Records that do not show the last event about them.
    pub stale: u64,
    /// Deliveries that still waited when the time was up.
    pub unsettled: u64,
    /// The same, by how a lost answer is made good.
    pub by_means: Shares,
    /// How long the deliveries of a connection stood still after a node died, at most, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumed_ms: Option<u64>,
    /// Numbers of the runs in which something was wrong.
    pub failed_runs: Vec<u32>,
    /// What decided everything.
    pub seed: u64,
}

impl Verdict {
    /// Of no run yet.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    /// Adds a run.
    pub fn add(&mut self, plan: &Plan, report: &Report) {
        let count = |wrong| report.findings.iter().filter(|finding| finding.wrong == wrong).count() as u64;
        let (lost, doubled) = (count(Wrong::Lost), count(Wrong::Doubled));
        let in_window = report.kills.iter().filter(|killed| killed.is_in_send_window()).count() as u64;
        self.runs += 1;
        self.kills += report.kills.len() as u64;
        self.kills_in_send_window += in_window;
        self.runs_with_send_window_kill += u64::from(in_window > 0);
        self.accepted += report.accepted;
        self.records += report.records;
        self.lost += lost;
        self.doubled += doubled;
        self.stale += count(Wrong::Stale);
        self.unsettled = self.unsettled.saturating_add(report.unsettled);
        self.resumed_ms = self.resumed_ms.max(report.resumed_ms);
        if !report.is_perfect() {
            self.failed_runs.push(plan.run);
            self.failed_runs.sort_unstable();
        }
        let share = self.by_means.of(plan.means);
        share.runs += 1;
        share.kills_in_window += in_window;
        share.lost += lost;
        share.doubled += doubled;
    }

    /// Whether nothing is wrong.
    pub fn is_perfect(&self) -> bool {
        (self.lost, self.doubled, self.stale, self.unsettled) == (0, 0, 0, 0)
    }

    /// For people.
    pub fn to_text(&self) -> String {
        let Self {
            runs,
            kills,
            kills_in_send_window: inside,
            runs_with_send_window_kill: with,
            accepted,
            records,
            lost,
            doubled,
            stale,
            unsettled,
            ..
        } = self;
        let mut text = format!(
            "{runs} runs, {kills} kills ({inside} of them in the send window, in {with} runs), {accepted} events accepted, \
             {records} records held\n{lost} lost, {doubled} doubled, {stale} stale, {unsettled} still waiting\n"
        );
        if let Some(resumed_ms) = self.resumed_ms {
            text.push_str(&format!("the longest stand-still after a node died: {resumed_ms} ms\n"));
        }
        text
    }

    /// For programs: one line.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use switchboard_hub::failpoint;

    use super::*;
    use crate::crashtest::{
        compare::Finding,
        plan::{Kill, plan},
        scene::Killed,
    };

    fn report(wrong: &[Wrong], kills: &[(Kill, bool)]) -> Report {
        let finding = |wrong: &Wrong| Finding {
            wrong: *wrong,
            connection: "crm".into(),
            object: "Lead".into(),
            name: "p@example.org".into(),
            held: 2,
            events: vec![],
        };
        Report {
            kills: kills
                .iter()
                .map(|(kill, reached)| Killed {
                    kill: *kill,
                    reached: *reached,
                })
                .collect(),
            accepted: 10,
            records: 12,
            unsettled: 0,
            findings: wrong.iter().map(finding).collect(),
            resumed_ms: None,
        }
    }

    #[test]
    fn runs_add_up_in_all_and_by_means() {
        let mut verdict = Verdict::new(1);
        let sent = Kill::At {
            place: failpoint::SENT,
            nth: 1,
        };
        verdict.add(
            &plan(1, 0),
            &report(&[], &[(sent, true), (Kill::After { ms: 1 }, true)]),
        );
        verdict.add(
            &plan(1, 1),
            &report(&[Wrong::Lost, Wrong::Doubled, Wrong::Doubled], &[(sent, false)]),
        );
        assert_eq!(
            (verdict.runs, verdict.kills, verdict.accepted, verdict.records),
            (2, 3, 20, 24)
        );
        assert_eq!(
            (verdict.kills_in_send_window, verdict.runs_with_send_window_kill),
            (1, 1)
        );
        assert_eq!((verdict.lost, verdict.doubled), (1, 2));
        assert_eq!(verdict.failed_runs, [1]);
        assert!(!verdict.is_perfect());
        let Shares {
            upsert,
            idempotency_key,
            probe,
        } = verdict.by_means;
        assert_eq!((upsert.runs, upsert.kills_in_window, upsert.doubled), (1, 1, 0));
        assert_eq!(
            (idempotency_key.runs, idempotency_key.lost, idempotency_key.doubled),
            (1, 1, 2)
        );
        assert_eq!(probe, Share::default());
    }

    #[test]
    fn the_last_line_has_the_promised_members() {
        let mut verdict = Verdict::new(1);
        verdict.add(&plan(1, 2), &report(&[], &[]));
        let line: serde_json::Value = serde_json::from_str(&verdict.to_json()).unwrap();
        for member in [
            "runs",
            "kills",
            "kills_in_send_window",
            "accepted",
            "records",
            "lost",
            "doubled",
            "seed",
        ] {
            assert!(line[member].is_u64(), "{member} of {line}");
        }
        assert_eq!(line["by_means"]["probe"]["runs"], 1);
        assert!(verdict.is_perfect());
    }

    #[test]
    fn a_stale_record_or_a_delivery_that_never_ends_is_a_failure_too() {
        for (wrong, unsettled) in [(&[Wrong::Stale][..], 0), (&[], 1)] {
            let mut verdict = Verdict::new(1);
            verdict.add(
                &plan(1, 0),
                &Report {
                    unsettled,
                    ..report(wrong, &[])
                },
            );
            assert!(!verdict.is_perfect() && verdict.failed_runs == [0]);
        }
    }
}
