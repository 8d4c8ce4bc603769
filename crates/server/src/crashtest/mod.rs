//! `switchboard crashtest`: real hubs, killed again and again while they deliver to simulated vendors; then what the vendors hold is compared
//! with what was accepted.
//!
//! A run is decided by its seed alone ([`plan`]). The vendors run in this process and survive the hub, which is a process of its own
//! ([`node`]). [`play`] kills and restarts it while [`sender`] posts; [`compare`] judges, [`verdict`] sums up.

mod compare;
mod database;
mod node;
mod nodes;
mod people;
mod plan;
mod play;
mod scene;
mod sender;
mod vendors;
mod verdict;

use std::{path::Path, process::ExitCode};

use clap::Args;
use futures::{StreamExt, stream};
use switchboard_connect::registry::Registry;
use switchboard_model::problem::{Code, Problem};

use self::{compare::Wrong, node::Site, plan::Plan, scene::Report, verdict::Verdict};
use crate::{settings::Settings, shortened};

/// So many findings of a run are printed.
const MOST_SHOWN: usize = 10;

/// How it runs.
#[derive(Debug, Args)]
pub struct CrashtestArguments {
    /// How many runs; three in a row cover connectors that upsert, that take an idempotency key, and that have to probe
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    runs: u32,
    /// Decides what is posted, what fails and when the hub is killed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Play this run alone (its number, from 0) and keep its folder
    #[arg(long, value_name = "RUN")]
    only: Option<u32>,
    /// How many runs are played at the same time
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    parallel: u32,
    /// The PostgreSQL server (the setting `database`) on which each run gets a database of its own; `None`: SQLite in a temporary folder.
    #[arg(skip)]
    database: Option<String>,
    /// So many hubs on one database, of which one is killed during load and not started again; needs --database
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=16))]
    nodes: Option<u32>,
    /// Print the JSON line and nothing else
    #[arg(long)]
    json: bool,
}

impl CrashtestArguments {
    /// What is tested, before the first run.
    fn describe(&self) -> String {
        format!(
            "crashtest: seed {}, {} runs, {} at a time. The hubs use copies of the built-in connectors with read lags of {} s instead of the \
             vendors' 10 to 30 s, and the simulated vendors lag less than that. After a kill they look for what was being sent {} s later \
             instead of 75.",
            self.seed,
            self.only.map_or(self.runs, |_| 1),
            self.parallel,
            shortened::READ_LAG_SECONDS,
            node::CALL_SECONDS
        )
    }

    fn plan(&self, run: u32) -> Plan {
        match self.nodes {
            None => plan::plan(self.seed, run),
            Some(_) => plan::steady(self.seed, run, nodes::EVENTS),
        }
    }

    /// How one run is played alone.
    fn again(&self, run: u32) -> String {
        let mut command = format!("switchboard crashtest --seed {} --only {run}", self.seed);
        if let Some(nodes) = self.nodes {
            command.push_str(&format!(" --nodes {nodes}"));
        }
        if self.database.is_some() {
            command.push_str(" --database URL");
        }
        command
    }
}

/// Plays all runs. The exit code is 0 when nothing was lost, doubled, stale or left waiting.
///
/// # Errors
/// When a hub could not be started or refused an event.
pub async fn run(settings: &Settings, mut arguments: CrashtestArguments) -> Result<ExitCode, Problem> {
    arguments.database = settings.database.postgres().map(str::to_owned);
    if arguments.nodes.is_some() && arguments.database.is_none() {
        let next = "Name a PostgreSQL server with --database.";
        return Err(Problem::new(
            Code::WrongSetting,
            "Several hubs need a database that they share.",
            next,
        )
        .at("nodes"));
    }
    let program =
        std::env::current_exe().map_err(|error| node::broken(&format!("this program is not found: {error}")))?;
    let connectors = folder("switchboard-crashtest-connectors-")?;
    let embedded = Registry::embedded().map_err(|problems| {
        Problem::all(problems).unwrap_or_else(|| node::broken("the built-in connectors cannot be read"))
    })?;
    shortened::write(&embedded, connectors.path())?;
    eprintln!("{}", arguments.describe());
    let numbers = match arguments.only {
        Some(run) => run..run + 1,
        None => 0..arguments.runs,
    };
    let (total, mut verdict) = (numbers.len(), Verdict::new(arguments.seed));
    let mut runs = stream::iter(numbers)
        .map(|run| one(&arguments, run, &program, connectors.path()))
        .buffer_unordered(arguments.parallel as usize);
    while let Some(played) = runs.next().await {
        let (plan, report) = played?;
        verdict.add(&plan, &report);
        if !report.is_perfect() || verdict.runs % 10 == 0 || verdict.runs == total as u64 {
            eprintln!(
                "{} of {total} runs: {} lost, {} doubled",
                verdict.runs, verdict.lost, verdict.doubled
            );
        }
    }
    if !arguments.json {
        print!("{}", verdict.to_text());
    }
    println!("{}", verdict.to_json());
    Ok(if verdict.is_perfect() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Plays one run in a folder of its own, which stays when something is wrong.
async fn one(
    arguments: &CrashtestArguments,
    run: u32,
    program: &Path,
    connectors: &Path,
) -> Result<(Plan, Report), Problem> {
    let plan = arguments.plan(run);
    let own = folder(&format!("switchboard-crashtest-{}-{run}-", arguments.seed))?;
    let database = match &arguments.database {
        Some(server) => Some(database::fresh(server, &format!("crashtest_{}_{run}", arguments.seed)).await?),
        None => None,
    };
    let site = Site {
        program: program.to_owned(),
        folder: own.path().to_owned(),
        connectors: connectors.to_owned(),
        database: database.as_ref().map(|database| database.url.clone()),
    };
    let played = match arguments.nodes {
        None => play::play(&plan, &site).await,
        Some(nodes) => nodes::play(&plan, &site, nodes).await,
    };
    let is_perfect = played.as_ref().is_ok_and(Report::is_perfect);
    if !is_perfect || arguments.only.is_some() {
        let kept = own.keep();
        eprintln!(
            "run {run} of seed {} ({:?}) is kept in {}",
            arguments.seed,
            plan.means,
            kept.display()
        );
        if let Ok(report) = &played {
            complain(report);
        }
        eprintln!("  play it alone: {}", arguments.again(run));
    }
    if let Some(database) = database.filter(|_| is_perfect) {
        database.remove().await?;
    }
    Ok((plan, played?))
}

fn complain(report: &Report) {
    for finding in report.findings.iter().take(MOST_SHOWN) {
        let what = match finding.wrong {
            Wrong::Lost => "lost",
            Wrong::Doubled => "doubled",
            Wrong::Stale => "not the last event",
        };
        let events = finding.events.join(", ");
        eprintln!(
            "  {what}: {} of {} {} (events {events})",
            finding.name, finding.connection, finding.object
        );
    }
    if report.findings.len() > MOST_SHOWN {
        eprintln!(
            "  and {} more; findings.json has them all",
            report.findings.len() - MOST_SHOWN
        );
    }
    if report.unsettled > 0 {
        eprintln!("  {} deliveries still waited when the time was up", report.unsettled);
    }
}

fn folder(prefix: &str) -> Result<tempfile::TempDir, Problem> {
    tempfile::Builder::new().prefix(prefix).tempdir().map_err(|error| {
        let detail = format!("No temporary folder can be made: {error}");
        Problem::new(
            Code::StoreFailed,
            detail,
            "Make room, or name another place with TMPDIR.",
        )
    })
}
