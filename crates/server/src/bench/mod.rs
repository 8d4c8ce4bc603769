//! `switchboard bench`: measures the hub on this machine, beside a relay that keeps nothing.
//!
//! The hub that is measured is another process of this same program on a temporary data folder, so that processor time and
//! memory are the hub's alone. Load generator ([`load`]) and simulated vendor ([`sink`]) run in this process, each in a thread of
//! its own. The yardstick ([`relay`]) is a process as well. What is measured is in [`scenario`], one file each.

mod arguments;
mod child;
mod configuration;
mod connection;
mod figures;
mod installation;
mod latency;
mod ledger;
mod load;
mod message;
mod pace;
mod process;
mod relay;
mod scenario;
mod sink;
mod target;

use std::{fmt::Display, process::ExitCode};

use switchboard_model::problem::{Code, Problem};

pub use arguments::BenchArguments;

use self::{
    arguments::{BenchCommand, Scenario},
    figures::{Report, Section},
    scenario::Context,
};
use crate::settings::Settings;

/// Measures. The exit code is 0 when every scenario could be run to its end.
///
/// # Errors
/// When nothing can be measured at all.
pub async fn run(settings: Settings, mut arguments: BenchArguments) -> Result<ExitCode, Problem> {
    if let Some(BenchCommand::Relay { to }) = &arguments.command {
        return relay::run(settings.listen, to).await;
    }
    arguments.database = settings.database.postgres().map(str::to_owned);
    let mut report = Report::new(&arguments);
    match &arguments.target {
        Some(url) => report.sections = target::measure(url, &arguments).await?,
        None => {
            let mut context = Context::new(&arguments);
            for scenario in arguments.scenarios() {
                report.sections.push(measure(&mut context, scenario).await);
            }
        }
    }
    if arguments.json {
        eprint!("{}", report.to_text());
        println!("{}", report.to_json());
    } else {
        print!("{}", report.to_text());
    }
    Ok(if report.is_complete() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// One scenario; what it could not do is told in its section, and the others go on.
async fn measure(context: &mut Context<'_>, scenario: Scenario) -> Section {
    eprintln!("{}: {}", scenario.name(), scenario.about());
    let mut section = Section::new(scenario.name(), scenario.about());
    if let Err(problem) = scenario::measure(context, scenario, &mut section).await {
        eprintln!("{}", crate::cli::paragraph(&problem));
        section.problem = Some(problem.to_string());
    }
    section
}

/// The problem that the measurement itself failed.
fn failure(what: &str, error: impl Display) -> Problem {
    Problem::new(
        Code::Internal,
        format!("{what}: {error}"),
        "Check that the machine has free memory, disk space and ports, and run the scenario again.",
    )
}
