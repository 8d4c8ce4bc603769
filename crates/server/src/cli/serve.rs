//! `switchboard`: the hub itself.

use std::process::ExitCode;

use clap::Args;
use switchboard_hub::{failpoint, store::Database};
use switchboard_model::problem::{Code, Problem};

use super::FINE;
use crate::{
    serve::{Server, ended},
    settings::Settings,
};

/// How the hub runs, beside its settings.
#[derive(Debug, Default, Args)]
pub struct ServeArguments {
    /// Kill this process, as by `kill -9`, when it reaches the place NAME for the Nth time; used by `crashtest`
    #[arg(long, value_name = "NAME:N", hide = true)]
    fail_point: Option<String>,
}

/// Starts the hub, says where it is, and serves until it is told to stop.
///
/// # Errors
/// When the address or the data folder cannot be used.
pub async fn run(settings: Settings, arguments: ServeArguments) -> Result<ExitCode, Problem> {
    if let Some(text) = &arguments.fail_point {
        let (name, nth) = read_fail_point(text)?;
        failpoint::arm(name, nth)?;
        tracing::warn!(name, nth, "a fail point is armed: this hub is going to kill itself");
    }
    let server = Server::start(&settings).await?;
    println!("Switchboard {}", env!("CARGO_PKG_VERSION"));
    println!("  API:     http://{}", server.address());
    println!("  Data:    {}", settings.data.display());
    if settings.database != Database::Folder {
        println!("  Store:   {}", settings.database);
    }
    if let Some(key) = server.first_key() {
        println!("  API key: {key}");
        println!("           (shown this once; `switchboard keys create NAME` makes another)");
    }
    println!("Ready.");
    ended().await;
    tracing::info!("stopping");
    server.stop(settings.stop).await;
    Ok(FINE)
}

fn read_fail_point(text: &str) -> Result<(&str, u64), Problem> {
    let split = text.split_once(':');
    split
        .and_then(|(name, nth)| Some((name, nth.parse().ok()?)))
        .ok_or_else(|| {
            Problem::new(
                Code::WrongSetting,
                format!("`{text}` is no fail point."),
                format!(
                    "Write NAME:N with a number from 1 and one of {}.",
                    failpoint::ALL.join(", ")
                ),
            )
            .at("fail-point")
        })
}
