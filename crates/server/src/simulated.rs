//! Simulated vendors in this process or elsewhere, and connections that are led to them.

use serde_json::{Value, json};
use switchboard_connect::guide::Item;
use switchboard_model::problem::{Code, Problem};
use switchboard_simulator::{Dial, Fault, Options, Rule, Running};

/// Both sides' rate limits are multiplied by this: a run is to show what goes wrong, not how slow the vendors are.
const LIMIT_SCALE: f64 = 1000.0;
/// The vendors' settings that hold their address, and what the address is below the base of the simulators.
const ADDRESSES: [(&str, &str); 3] = [("salesforce", ""), ("hubspot", ""), ("notion", "/v1")];

/// How the vendors behave.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plan {
    /// Decides what fails.
    pub seed: u64,
    /// Nothing fails.
    pub calm: bool,
}

/// Starts vendors on a free port of the loopback.
///
/// # Errors
/// When no port can be opened.
pub async fn listen(options: Options) -> Result<Running, Problem> {
    let running = switchboard_simulator::start(([127, 0, 0, 1], 0).into(), options).await;
    running.map_err(|error| {
        Problem::new(
            Code::Internal,
            format!("The simulated vendors cannot be started: {error}"),
            "Check the machine.",
        )
    })
}

/// Simulated vendors.
#[derive(Debug)]
pub struct Simulators {
    base: String,
    ours: Option<Running>,
}

impl Simulators {
    /// Starts them on a free port of the loopback.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start(plan: Plan) -> Result<Self, Problem> {
        let options = Options {
            seed: plan.seed,
            limit_scale: LIMIT_SCALE,
            dial: if plan.calm { Dial::default() } else { trouble() },
            // The log of calls is for tests.
            calls_kept: 0,
            ..Options::demo()
        };
        let running = listen(options).await?;
        Ok(Self {
            base: running.base_url(),
            ours: Some(running),
        })
    }

    /// Those that run at this address.
    pub fn elsewhere(url: &str) -> Self {
        Self {
            base: url.trim_end_matches('/').to_owned(),
            ours: None,
        }
    }

    /// Their address; each vendor is below it.
    pub fn base_url(&self) -> &str {
        &self.base
    }

    /// Whether this process runs them.
    pub fn are_ours(&self) -> bool {
        self.ours.is_some()
    }

    /// What a vendor holds of an object; nothing when it runs elsewhere. A webhook that was sent again with the same key is
    /// recognised by its receiver and held once.
    pub fn records(&self, vendor: &str, object: &str) -> Vec<Value> {
        let records = self
            .ours
            .as_ref()
            .and_then(|running| running.records(vendor, object).ok());
        records
            .unwrap_or_default()
            .into_iter()
            .filter(|record| record.get("repeat") != Some(&Value::Bool(true)))
            .collect()
    }

    /// What went wrong on purpose, counted by vendor and kind.
    pub fn injected(&self) -> Value {
        let Some(running) = &self.ours else { return json!({}) };
        let vendors = running.summary().vendors;
        vendors
            .into_iter()
            .map(|(vendor, summary)| (vendor, json!(summary.faults)))
            .collect()
    }

    /// Ends those that are ours.
    pub async fn stop(self) {
        if let Some(running) = self.ours {
            running.shutdown().await;
        }
    }
}

/// What goes wrong in the demo, with every vendor: about one call in eight, in each way that loses or doubles records when it
/// is handled wrongly. Answers that make the whole connection wait are few, and the wait that they ask for is short: a run is
/// to end.
pub fn trouble() -> Dial {
    let sometimes = |fault, share| Rule::new(fault).probability(share);
    let status = |code, retry_after_s, applied| Fault::Status {
        code,
        retry_after_s,
        applied,
    };
    Dial {
        expire_tokens: 0.005,
        rules: vec![
            sometimes(status(429, Some(1), false), 0.02).times(4),
            sometimes(status(503, Some(1), false), 0.02).times(4),
            sometimes(status(500, None, false), 0.04),
            sometimes(status(502, None, true), 0.01),
            sometimes(Fault::CutBefore, 0.03),
            sometimes(Fault::CutAfter, 0.03),
        ],
        ..Dial::default()
    }
}

/// Leads connections to the simulated vendors at `base`. Those whose system is not simulated stay as they are.
pub fn redirect(items: &mut [Item], base: &str) {
    for item in items {
        let Item::Connection(spec) = item else { continue };
        if let Some((vendor, below)) = ADDRESSES.iter().find(|(vendor, _)| *vendor == spec.connector) {
            spec.settings
                .insert("baseUrl".into(), format!("{base}/{vendor}{below}").into());
        }
        if ADDRESSES.iter().any(|(vendor, _)| *vendor == spec.connector) || spec.connector == "webhook" {
            spec.settings.insert("limitScale".into(), LIMIT_SCALE.into());
        }
    }
}
