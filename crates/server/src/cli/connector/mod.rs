//! `switchboard connector …`: for those who write connectors.

mod check;
mod folder;
mod new;
mod pages;
mod test;

use std::process::ExitCode;

use clap::Subcommand;
use switchboard_model::problem::Problem;

/// What to do with a connector.
#[derive(Debug, Subcommand)]
pub enum ConnectorCommand {
    /// Begin a connector of one's own with a small example that works
    New(new::NewArguments),
    /// Check the files of a connector's folder; nothing is sent
    Check(check::CheckArguments),
    /// Run the conformance suite on a connector against its simulated vendor
    Test(test::TestArguments),
    /// Write the reference pages of the built-in connectors
    #[command(hide = true)]
    Pages(pages::PagesArguments),
}

/// Does it.
///
/// # Errors
/// Everything that is wrong with the connector.
pub fn run(command: ConnectorCommand) -> Result<ExitCode, Problem> {
    match command {
        ConnectorCommand::New(arguments) => new::run(&arguments),
        ConnectorCommand::Check(arguments) => check::run(&arguments),
        ConnectorCommand::Test(arguments) => test::run(arguments),
        ConnectorCommand::Pages(arguments) => pages::run(&arguments),
    }
}
