//! The simulated vendors of the demo, twice: those that fail in every way, and those that leave no doubt about a write.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use switchboard_model::problem::Problem;
use switchboard_simulator::{Dial, Options, Refused, Running};

use super::dial;
use crate::{
    conformance::{
        Subject,
        setup::{broken, prepare},
        stage::FAST,
    },
    simulated::listen,
};

/// All simulated vendors.
#[derive(Debug)]
pub struct Vendors {
    /// They fail in every way.
    pub troubled: Running,
    /// They leave no doubt about a write.
    pub plain: Running,
}

impl Vendors {
    /// Starts them; nothing fails yet.
    ///
    /// # Errors
    /// When no port can be had, or a vendor refuses the scenario's settings.
    pub async fn start(subjects: &[Arc<Subject>], seed: u64) -> Result<Self, Problem> {
        Ok(Self {
            troubled: start(subjects, seed).await?,
            plain: start(subjects, seed ^ 1).await?,
        })
    }

    /// Those for objects that are spared, or for the others.
    pub fn of(&self, spared: bool) -> &Running {
        if spared { &self.plain } else { &self.troubled }
    }

    /// From now on they fail.
    ///
    /// # Errors
    /// When there is no such vendor.
    pub fn trouble(&self, subjects: &[Arc<Subject>]) -> Result<(), Problem> {
        let refused = |refused: Refused| broken(&refused.to_string());
        for subject in subjects {
            let set = |vendors: &Running, dial: Dial| vendors.set_vendor_dial(subject.slug(), dial).map_err(refused);
            set(&self.troubled, dial::trouble(subject.rotates()))?;
            set(&self.plain, dial::plain(subject.rotates()))?;
        }
        Ok(())
    }

    /// What went wrong on purpose, counted by vendor and kind.
    pub fn injected(&self) -> Value {
        let mut injected = Map::new();
        for (running, end) in [(&self.troubled, ""), (&self.plain, "-spared")] {
            for (vendor, summary) in running.summary().vendors {
                if !summary.faults.is_empty() {
                    injected.insert(format!("{vendor}{end}"), json!(summary.faults));
                }
            }
        }
        Value::Object(injected)
    }

    /// Mistakes of the simulators: with one of them a run proves nothing.
    pub fn script_errors(&self) -> Vec<String> {
        let errors = [&self.troubled, &self.plain]
            .into_iter()
            .flat_map(|running| running.script_errors());
        errors.map(|error| error.to_string()).collect()
    }

    /// Ends them.
    pub async fn stop(self) {
        self.troubled.shutdown().await;
        self.plain.shutdown().await;
    }
}

async fn start(subjects: &[Arc<Subject>], seed: u64) -> Result<Running, Problem> {
    let options = Options {
        seed,
        limit_scale: FAST,
        only: subjects.iter().map(|subject| subject.slug().to_owned()).collect(),
        scripts: subjects.iter().flat_map(|subject| subject.vendor().scripts).collect(),
        // The log of calls is for tests.
        calls_kept: 0,
        ..Options::default()
    };
    let running = listen(options).await?;
    for subject in subjects {
        prepare(&running, subject)?;
    }
    Ok(running)
}
