//! Where log lines go: standard error, so that standard output stays what the command answers.

use std::io::IsTerminal;

use switchboard_model::problem::{Code, Problem};
use tracing_subscriber::EnvFilter;

use crate::settings::Settings;

/// Starts the log.
///
/// # Errors
/// When the filter cannot be read.
pub fn start(settings: &Settings) -> Result<(), Problem> {
    let filter = EnvFilter::try_new(&settings.log).map_err(|error| {
        let next = "Write for example info, warn, or info,switchboard_hub=debug.";
        Problem::new(Code::WrongSetting, format!("`log` cannot be read: {error}"), next).at("log")
    })?;
    let colours = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    let builder = builder.with_ansi(colours);
    // Fails when a log was started before in this process, which then stays.
    let _ = if settings.log_json {
        builder.json().try_init()
    } else {
        builder.try_init()
    };
    Ok(())
}
