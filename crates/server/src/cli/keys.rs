//! `switchboard keys create|list`. Works beside a running hub, which takes a new key within a second.

use std::process::ExitCode;

use clap::Subcommand;
use switchboard_hub::clock::moment;
use switchboard_model::problem::Problem;

use super::FINE;
use crate::{serve::open, settings::Settings};

/// What to do with API keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a key and print it; it is shown this once
    Create {
        /// What it is for
        name: String,
    },
    /// List the keys, without their secrets
    List,
}

/// Does it.
///
/// # Errors
/// When the data folder cannot be used.
pub async fn run(settings: Settings, command: KeysCommand) -> Result<ExitCode, Problem> {
    let opened = open(&settings).await?;
    let workspace = opened.hub.default_workspace().await?;
    match command {
        KeysCommand::Create { name } => {
            let (_, secret) = opened.hub.create_key(workspace, &name).await?;
            println!("{secret}");
        }
        KeysCommand::List => {
            for key in opened.hub.keys(workspace).await? {
                println!("{}  {}  {}", key.id, moment(key.created_ms), key.name);
            }
        }
    }
    opened.hub.stop(settings.stop).await;
    Ok(FINE)
}
