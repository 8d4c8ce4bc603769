//! `switchboard`: the hub itself.

use std::process::ExitCode;

use switchboard_hub::store::Database;
use switchboard_model::problem::Problem;

use super::FINE;
use crate::{
    serve::{Server, ended},
    settings::Settings,
};

/// Starts the hub, says where it is, and serves until it is told to stop.
///
/// # Errors
/// When the address or the data folder cannot be used.
pub async fn run(settings: Settings) -> Result<ExitCode, Problem> {
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
