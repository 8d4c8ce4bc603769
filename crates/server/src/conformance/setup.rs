//! What a stage is built of: a hub on a temporary store, and a simulated vendor with the scenario's settings.

use std::{path::Path, sync::Arc};

use serde_json::Value;
use switchboard_hub::{
    Hub, HubOptions, Tuning, clock::SystemClock, lane::backoff::Schedule, store::Database, vault::MasterKeySource,
};
use switchboard_model::problem::{Code, Problem};
use switchboard_simulator::{Options, Running};

use super::{
    stage::{FAST, Pace},
    subject::Subject,
};

/// How long simulated searches lag, in milliseconds; less than [`crate::shortened::READ_LAG_SECONDS`].
const LAG_MS: u64 = 200;

/// A hub at work, which tries again soon.
///
/// # Errors
/// When the folder cannot be used.
pub async fn open_hub(subject: &Subject, folder: &Path) -> Result<Hub, Problem> {
    let hub = Hub::open(HubOptions {
        data: folder.to_owned(),
        database: Database::Folder,
        clock: Arc::new(SystemClock),
        registry: subject.registry(),
        allow_private_addresses: true,
        master_key: MasterKeySource::Text("11".repeat(32)),
        tuning: Tuning {
            retry: Schedule {
                base_ms: 10,
                cap_ms: 150,
                attempts: 60,
            },
            ..Tuning::default()
        },
    })
    .await?;
    hub.start()?;
    Ok(hub)
}

/// The subject's vendor, strict, on a port of its own.
///
/// # Errors
/// When there is no such simulator, or it refuses the scenario's settings.
pub async fn start_vendor(subject: &Subject, pace: Pace, seed: u64) -> Result<Running, Problem> {
    let options = Options {
        seed,
        limit_scale: if pace == Pace::Fast { FAST } else { 1.0 },
        ..subject.vendor()
    };
    let vendor = switchboard_simulator::start(([127, 0, 0, 1], 0).into(), options)
        .await
        .map_err(|error| broken(&error.to_string()))?;
    prepare(&vendor, subject)?;
    Ok(vendor)
}

/// Gives the subject's vendor the scenario's settings, and lags that are shorter than the connector expects.
///
/// # Errors
/// When there is no such simulator, or it refuses the scenario's settings.
pub fn prepare(vendor: &Running, subject: &Subject) -> Result<(), Problem> {
    let slug = subject.slug();
    let known = vendor.settings(slug).map_err(|_| {
        let detail = format!("there is no simulator of {slug}");
        Problem::new(
            Code::ManifestInvalid,
            detail,
            "Write simulator.rhai in the connector's folder.",
        )
    })?;
    let lags = known.as_object().into_iter().flatten().map(|(name, _)| name);
    let lags = lags.filter(|name| name.ends_with("lag_ms"));
    let mut settings = subject.scenario.simulator.clone();
    settings.extend(lags.map(|name| (name.clone(), LAG_MS.into())));
    if !settings.is_empty() {
        vendor.configure(slug, &Value::Object(settings)).map_err(|refused| {
            let detail = format!("the simulated {slug} refuses the scenario's `simulator`: {refused}");
            Problem::new(Code::ManifestInvalid, detail, "Correct scenario.yaml.")
        })?;
    }
    Ok(())
}

/// What the machine does not give.
pub fn broken(why: &str) -> Problem {
    Problem::new(
        Code::Internal,
        format!("The stage of a case cannot be built: {why}"),
        "Check the machine, or report this.",
    )
}
