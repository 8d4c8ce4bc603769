//! What every run needs: vendors, a configured data folder, an API key; and in the end the comparison.

use std::time::Duration;

use serde_json::{Value, json};
use switchboard_model::problem::Problem;
use switchboard_simulator::Running;

use super::{
    compare::{Answer, Finding, accepted, compare},
    node::{Caller, Site, broken, until},
    plan::{Kill, Plan},
    vendors,
};

/// Everything is delivered within this after the last event was posted, or the run has failed.
const SETTLED_WITHIN: Duration = Duration::from_secs(120);
/// How often the API is asked whether something waits.
const ASK: Duration = Duration::from_millis(25);
/// No request of ours takes longer.
const REQUEST: Duration = Duration::from_secs(30);
/// Stories of more events than this are not kept.
const MOST_STORIES: usize = 20;

/// A kill that was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Killed {
    /// What was planned.
    pub kill: Kill,
    /// Whether the moment that was planned came. Otherwise the hub was killed at another one.
    pub reached: bool,
}

impl Killed {
    /// Whether it surely fell between the intent of a write and the record of its outcome.
    pub fn is_in_send_window(self) -> bool {
        self.reached && self.kill.is_in_send_window()
    }
}

/// What came of a run.
#[derive(Debug)]
pub struct Report {
    /// The ends of the hub.
    pub kills: Vec<Killed>,
    /// Events that were accepted.
    pub accepted: u64,
    /// Records that the vendors hold.
    pub records: u64,
    /// Deliveries that still waited when the time was up.
    pub unsettled: u64,
    /// What is wrong with the records.
    pub findings: Vec<Finding>,
    /// How long the deliveries of a connection stood still after a node died, at most, in milliseconds.
    pub resumed_ms: Option<u64>,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_perfect(&self) -> bool {
        self.findings.is_empty() && self.unsettled == 0
    }
}

/// A run that is set up.
#[derive(Debug)]
pub struct Scene<'a> {
    /// What is to happen.
    pub plan: &'a Plan,
    /// Where it happens.
    pub site: &'a Site,
    /// The vendors.
    pub vendors: Running,
    /// Asks the hubs.
    pub caller: Caller,
}

impl<'a> Scene<'a> {
    /// Starts the vendors, and writes configuration and an API key. No hub runs yet.
    ///
    /// # Errors
    /// When something of that fails.
    pub async fn set(plan: &'a Plan, site: &'a Site) -> Result<Self, Problem> {
        let vendors = vendors::start(plan).await?;
        let configuration = vendors::configuration(plan, &vendors.base_url());
        write(site, "configuration.json", &configuration)?;
        site.run(&["apply", "configuration.json"]).await?;
        let key = site.run(&["keys", "create", "crashtest"]).await?.trim().to_owned();
        // Fails when a provider is installed already, which is just as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(REQUEST).build();
        let http = http.map_err(|error| broken(&format!("no HTTP client can be made: {error}")))?;
        Ok(Self {
            plan,
            site,
            vendors,
            caller: Caller { http, key },
        })
    }

    /// Waits until nothing waits for any connection any more; answers how many deliveries still do when the time is up.
    pub async fn settle(&self, address: &str) -> u64 {
        let mut pending = 0;
        let settled = until(ASK, SETTLED_WITHIN, async || {
            pending = self.pending(address).await.unwrap_or(u64::MAX);
            (pending == 0).then_some(())
        });
        match settled.await {
            Some(()) => 0,
            None => pending,
        }
    }

    async fn pending(&self, address: &str) -> Option<u64> {
        let mut pending = 0;
        for key in vendors::connections(self.plan) {
            let path = format!("/api/crm/sync-status/{key}");
            let status = self.caller.get(address, &path).await.ok()?;
            pending += status["pending"].as_u64()?;
        }
        Some(pending)
    }

    /// Compares what the vendors hold with what was accepted. What is wrong is written beside the data folder, with the stories of the events
    /// as the hub at `address` tells them.
    ///
    /// # Errors
    /// When the vendors cannot be asked, or the disk is full.
    pub async fn judge(
        &self,
        address: &str,
        kills: Vec<Killed>,
        answers: &[Answer],
        unsettled: u64,
    ) -> Result<Report, Problem> {
        let mut report = Report {
            kills,
            accepted: accepted(answers),
            records: 0,
            unsettled,
            findings: Vec::new(),
            resumed_ms: None,
        };
        let mut held = serde_json::Map::new();
        for expected in vendors::expectations(self.plan) {
            let records = vendors::records(&self.vendors, expected)?;
            report.records += records.len() as u64;
            let place = (expected.connection, expected.object, expected.kind);
            report.findings.extend(compare(self.plan, answers, place, &records));
            held.insert(format!("{} {}", expected.connection, expected.object), records.into());
        }
        if !report.is_perfect() {
            let stories = self.stories(address, &report.findings).await;
            let kept = json!({
                "seed": self.plan.seed, "run": self.plan.run, "means": self.plan.means,
                "kills": report.kills.iter().map(|killed| json!({"planned": killed.kill, "reached": killed.reached})).collect::<Value>(),
                "unsettled": report.unsettled, "findings": report.findings, "stories": stories, "held": held,
            });
            write(self.site, "findings.json", &kept)?;
        }
        Ok(report)
    }

    async fn stories(&self, address: &str, findings: &[Finding]) -> Vec<Value> {
        let mut stories = Vec::new();
        let mut ids: Vec<&String> = findings.iter().flat_map(|finding| &finding.events).collect();
        ids.sort();
        ids.dedup();
        for id in ids.into_iter().take(MOST_STORIES) {
            let story = self.caller.get(address, &format!("/v1/events/{id}")).await;
            stories.push(story.unwrap_or_else(|problem| json!({ "id": id, "problem": problem.detail })));
        }
        stories
    }
}

fn write(site: &Site, name: &str, value: &Value) -> Result<(), Problem> {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    std::fs::write(site.folder.join(name), text).map_err(|error| broken(&format!("{name} cannot be written: {error}")))
}
