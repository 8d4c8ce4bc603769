//! `switchboard connector pages ROOT`: the reference pages of the built-in connectors, for those who develop Switchboard.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use switchboard_model::problem::Problem;

use crate::{cli::FINE, reference};

/// Where to write.
#[derive(Debug, Args)]
pub struct PagesArguments {
    /// The root of the repository
    #[arg(value_name = "ROOT", default_value = ".")]
    root: PathBuf,
}

/// Writes them.
///
/// # Errors
/// When a file cannot be written.
pub fn run(arguments: &PagesArguments) -> Result<ExitCode, Problem> {
    let count = reference::write(&arguments.root)?;
    println!("{count} pages are written.");
    Ok(FINE)
}
