//! `switchboard demo`: the hub with simulated vendors that fail on purpose, generated events posted to its own API over HTTP,
//! and a verdict: what the vendors hold is compared with what was generated.

mod all;
mod client;
mod generator;
mod person;
mod progress;
mod report;
mod scenario;
mod text;
mod verdict;

use std::{process::ExitCode, time::Duration};

use clap::Args;
use switchboard_model::problem::{Code, Problem};

use self::{client::Client, progress::Progress, report::Report};
use crate::{
    serve::{Server, ended},
    settings::Settings,
    simulated::{self, Simulators},
};

/// How the demo runs.
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// How many messages are generated
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    events: u32,
    /// Decides what is generated and what fails; the same seed makes the same messages
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// End after the verdict instead of going on with live traffic
    #[arg(long)]
    exit: bool,
    /// Answer with one JSON object as the last line
    #[arg(long)]
    json: bool,
    /// Simulated vendors that never fail
    #[arg(long)]
    calm: bool,
    /// Connect every connector that has a scenario.yaml, also those of the folder `--connectors`, and write each of its objects
    #[arg(long)]
    all_connectors: bool,
    /// How long the deliveries may take, in seconds; as long as the number of events suggests when not given
    #[arg(long, value_name = "SECONDS")]
    deadline: Option<u64>,
}

impl DemoArguments {
    fn deadline(&self) -> Duration {
        Duration::from_secs(self.deadline.unwrap_or(120 + u64::from(self.events) / 20))
    }
}

/// Runs it. The exit code is 0 when nothing was lost, doubled or given up.
///
/// # Errors
/// When something could not be started, or the API refused an event.
pub async fn run(settings: Settings, arguments: DemoArguments) -> Result<ExitCode, Problem> {
    let (settings, _folder) = settings_of_demo(settings, &arguments)?;
    if arguments.all_connectors {
        return all::run(settings, &arguments).await;
    }
    let plan = simulated::Plan {
        seed: arguments.seed,
        calm: arguments.calm,
    };
    let simulators = Simulators::start(plan).await?;
    let server = Server::start(&settings).await?;
    let outcome = play(&settings, &arguments, &simulators, &server).await;
    server.stop(settings.stop).await;
    simulators.stop().await;
    outcome
}

/// The demo's own folder, address and patience, unless they were set. The folder goes away with the guard.
fn settings_of_demo(
    mut settings: Settings,
    arguments: &DemoArguments,
) -> Result<(Settings, Option<tempfile::TempDir>), Problem> {
    settings.allow_private_addresses = true;
    if settings.is_default("retry.base_ms") {
        settings.retry.base_ms = 100;
    }
    if settings.is_default("retry.cap_ms") {
        settings.retry.cap_ms = 3_000;
    }
    if settings.is_default("retry.attempts") {
        settings.retry.attempts = 100;
    }
    if arguments.exit && settings.is_default("listen") {
        settings.listen.set_port(0);
    }
    if !settings.is_default("data") {
        return Ok((settings, None));
    }
    let folder = tempfile::Builder::new()
        .prefix("switchboard-demo-")
        .tempdir()
        .map_err(|error| {
            Problem::new(
                Code::StoreFailed,
                format!("No temporary folder can be made: {error}"),
                "Name a folder with --data.",
            )
        })?;
    settings.move_data(folder.path());
    Ok((settings, Some(folder)))
}

async fn play(
    settings: &Settings,
    arguments: &DemoArguments,
    simulators: &Simulators,
    server: &Server,
) -> Result<ExitCode, Problem> {
    let hub = server.hub();
    let workspace = hub.default_workspace().await?;
    let key = match server.first_key() {
        Some(key) => key.to_owned(),
        None => hub.create_key(workspace, "demo").await?.1,
    };
    eprintln!("Switchboard demo: API http://{}  key {key}", server.address());
    eprintln!(
        "Simulated vendors at {}; data in {}",
        simulators.base_url(),
        settings.data.display()
    );
    let mut items = scenario::items(&hub.registry(), &format!("{}/webhook/demo", simulators.base_url()))?;
    simulated::redirect(&mut items, simulators)?;
    hub.configure(workspace, items).await?;

    let run = generator::generate(arguments.events, arguments.seed);
    let client = Client::new(server.address(), &key)?;
    let progress = Progress::new(hub, workspace, arguments.events);
    let begun = tokio::time::Instant::now();
    let posted = client.post_all(&run, &progress).await?;
    let settled = progress.wait(arguments.deadline()).await?;
    let took = begun.elapsed();
    let report = Report::new(arguments.seed, &run, posted, settled, took, simulators);
    if arguments.json {
        println!("{}", report.to_json());
    } else {
        print!("{}", report.to_text());
    }
    if arguments.exit {
        return Ok(if report.is_perfect() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    }
    eprintln!("Live traffic goes on until this is stopped (ctrl-c).");
    tokio::select! {
        ended = client.go_on(arguments.events, arguments.seed) => ended.map(|()| ExitCode::SUCCESS),
        () = ended() => Ok(ExitCode::SUCCESS),
    }
}
