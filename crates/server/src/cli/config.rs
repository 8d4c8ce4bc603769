//! `switchboard config show|check`.

use std::process::ExitCode;

use clap::Subcommand;
use switchboard_model::problem::Problem;

use super::FINE;
use crate::settings::{Settings, Sources, print_defaults, print_effective};

/// What to do with the settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the settings in force, each with who set it
    Show {
        /// Print every setting with its default and what it does instead, as a settings file
        #[arg(long)]
        defaults: bool,
    },
    /// Check the settings and say everything that is wrong
    Check,
}

/// Does it.
///
/// # Errors
/// Everything that is wrong with the settings.
pub fn run(command: &ConfigCommand, sources: Sources) -> Result<ExitCode, Problem> {
    match command {
        ConfigCommand::Show { defaults: true } => print!("{}", print_defaults()),
        ConfigCommand::Show { defaults: false } => print!("{}", print_effective(&Settings::load(sources)?)),
        ConfigCommand::Check => {
            let settings = Settings::load(sources)?;
            super::log::start(&settings)?;
            for note in &settings.notes {
                println!("note: {note}");
            }
            println!("The settings are right.");
        }
    }
    Ok(FINE)
}
