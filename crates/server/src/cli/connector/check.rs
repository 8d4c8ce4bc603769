//! `switchboard connector check FOLDER`: reads everything in a connector's folder and says all that is wrong with it.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use switchboard_model::problem::Problem;

use super::folder::Folder;
use crate::cli::FINE;

/// What to check.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// Folders with connector.yaml, icon.svg, guide.md and, where they are there, scenario.yaml and simulator.rhai
    #[arg(required = true, value_name = "FOLDER")]
    folders: Vec<PathBuf>,
}

/// Checks each of the folders.
///
/// # Errors
/// Everything that is wrong with any of them.
pub fn run(arguments: &CheckArguments) -> Result<ExitCode, Problem> {
    let mut problems = Vec::new();
    for folder in &arguments.folders {
        match Folder::read(folder) {
            Ok(folder) => println!("{}", folder.summary()),
            Err(found) => problems.extend(found),
        }
    }
    match Problem::all(problems) {
        Some(problem) => Err(problem),
        None => Ok(FINE),
    }
}
