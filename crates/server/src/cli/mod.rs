//! The command line. One file per command; this one reads the arguments and turns what went wrong into text and exit code.

mod apply;
mod backup;
mod complain;
mod config;
mod connector;
mod doctor;
mod keys;
mod log;
mod migrate;
mod serve;
mod simulate;
mod template;

use std::{path::PathBuf, process::ExitCode};

use clap::{Arg, ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use switchboard_model::problem::{Code, Problem};

pub use complain::paragraph;

use crate::{
    bench, crashtest, demo,
    settings::{Form, SETTINGS, Settings, Sources},
};

/// Self-hosted CRM integration hub: customer events in, records in CRM, task and chat systems out
///
/// Without a command the hub is started; it needs no configuration.
#[derive(Debug, Parser)]
#[command(name = "switchboard", version, disable_help_subcommand = true)]
struct Arguments {
    /// Settings file; switchboard.yaml is read when it is there
    #[arg(long, global = true, value_name = "FILE", help_heading = "Settings")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the hub (what happens without a command, too)
    Serve(serve::ServeArguments),
    /// Show the hub at work with simulated vendors and generated events
    Demo(demo::DemoArguments),
    /// Measure the hub on this machine: throughput, times, memory
    Bench(bench::BenchArguments),
    /// Kill the hub again and again while it delivers to simulated vendors, and count what was lost or doubled
    Crashtest(crashtest::CrashtestArguments),
    /// Run the simulated vendors alone, to be called by anything
    Simulate(simulate::SimulateArguments),
    /// Write connections and routes from configuration files
    Apply(apply::ApplyArguments),
    /// Copy database and history while the hub runs
    Backup(backup::BackupArguments),
    /// Make a data folder of a backup
    Restore(backup::RestoreArguments),
    /// Check the data folder, the settings and the connections
    Doctor(doctor::DoctorArguments),
    /// Move an installation to another database
    Migrate(migrate::MigrateArguments),
    /// Make and list API keys
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Show and check the settings
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Check, test and begin connectors of one's own
    #[command(subcommand)]
    Connector(connector::ConnectorCommand),
    /// List, show and install ready scenarios
    #[command(subcommand)]
    Template(template::TemplateCommand),
    /// Print the OpenAPI description of the HTTP API
    Openapi,
}

/// Everything went well.
const FINE: ExitCode = ExitCode::SUCCESS;

/// Reads the arguments of this process, does what they say and answers the exit code: 0 when all went well, 1 when something
/// is wrong, 2 when the arguments or settings are.
pub fn main() -> ExitCode {
    let matches = with_settings(Arguments::command()).get_matches();
    let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match run(arguments, flags(&matches)) {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("{}", paragraph(&problem));
            ExitCode::from(if is_usage(problem.code) { 2 } else { 1 })
        }
    }
}

fn is_usage(code: Code) -> bool {
    matches!(code, Code::WrongSetting)
}

fn run(arguments: Arguments, flags: Vec<(&'static str, String)>) -> Result<ExitCode, Problem> {
    let sources = Sources::of_process(arguments.config, flags);
    match arguments.command {
        Some(Command::Config(command)) => return config::run(&command, sources),
        Some(Command::Connector(command)) => return connector::run(command),
        Some(Command::Openapi) => {
            print!("{}", crate::api::description());
            return Ok(FINE);
        }
        _ => {}
    }
    let settings = Settings::load(sources)?;
    log::start(&settings)?;
    for note in &settings.notes {
        tracing::warn!("{note}");
    }
    runtime()?.block_on(async {
        match arguments.command {
            Some(Command::Demo(arguments)) => demo::run(settings, arguments).await,
            Some(Command::Bench(arguments)) => bench::run(settings, arguments).await,
            Some(Command::Crashtest(arguments)) => crashtest::run(&settings, arguments).await,
            Some(Command::Simulate(arguments)) => simulate::run(&settings, arguments).await,
            Some(Command::Apply(arguments)) => apply::run(settings, arguments).await,
            Some(Command::Backup(arguments)) => backup::back_up(settings, arguments).await,
            Some(Command::Restore(arguments)) => backup::restore(settings, arguments).await,
            Some(Command::Doctor(arguments)) => doctor::run(settings, arguments).await,
            Some(Command::Migrate(arguments)) => migrate::run(settings, arguments).await,
            Some(Command::Keys(command)) => keys::run(settings, command).await,
            Some(Command::Template(command)) => template::run(settings, command).await,
            Some(Command::Serve(arguments)) => serve::run(settings, arguments).await,
            Some(Command::Config(_) | Command::Connector(_) | Command::Openapi) | None => {
                serve::run(settings, Default::default()).await
            }
        }
    })
}

fn runtime() -> Result<tokio::runtime::Runtime, Problem> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Problem::new(
                Code::Internal,
                format!("The program cannot start its threads: {error}"),
                "Check the machine's limits.",
            )
        })
}

/// Every setting is a flag of every command.
fn with_settings(command: clap::Command) -> clap::Command {
    command.args(SETTINGS.iter().map(|setting| {
        let flag = Arg::new(setting.key)
            .long(setting.flag())
            .help(setting.doc)
            .global(true)
            .help_heading("Settings");
        match setting.form {
            Form::Switch => flag
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
                .value_name("BOOL"),
            Form::Address => flag.value_name("ADDRESS"),
            Form::Path => flag.value_name("PATH"),
            Form::Count(..) => flag.value_name("NUMBER"),
            Form::Database => flag.value_name("URL"),
            Form::Choice(words) => flag.value_name(words.join("|")),
            Form::Text => flag.value_name("TEXT"),
            Form::Url => flag.value_name("URL"),
        }
    }))
}

/// The settings among the arguments. A global argument is found at the innermost command.
fn flags(matches: &ArgMatches) -> Vec<(&'static str, String)> {
    let mut innermost = matches;
    while let Some((_, inner)) = innermost.subcommand() {
        innermost = inner;
    }
    let given = |setting: &crate::settings::Setting| innermost.get_one::<String>(setting.key).cloned();
    SETTINGS
        .iter()
        .filter_map(|setting| Some((setting.key, given(setting)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Vec<(&'static str, String)> {
        let matches = with_settings(Arguments::command())
            .try_get_matches_from(line.split(' '))
            .unwrap();
        flags(&matches)
    }

    #[test]
    fn settings_are_flags_before_and_behind_the_command() {
        assert_eq!(read("switchboard --listen 9000"), [("listen", "9000".into())]);
        assert_eq!(read("switchboard --listen 9000 keys list"), [("listen", "9000".into())]);
        assert_eq!(
            read("switchboard doctor --data /d --allow-private-addresses"),
            [("data", "/d".into()), ("allow_private_addresses", "true".into())]
        );
        assert_eq!(read("switchboard --limits-batch 7"), [("limits.batch", "7".into())]);
    }

    #[test]
    fn the_arguments_are_consistent() {
        with_settings(Arguments::command()).debug_assert();
    }
}
