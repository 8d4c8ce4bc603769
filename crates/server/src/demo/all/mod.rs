//! `switchboard demo --all-connectors`: every connector that has a scenario, on its simulated vendor, which fails on purpose. What each
//! vendor holds in the end is compared with what the hub accepted.

mod cast;
mod count;
mod dial;
mod report;
mod stage;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;
use switchboard_hub::Hub;
use switchboard_model::{
    id::WorkspaceId,
    problem::{Code, Problem},
};
use tokio::time::Instant;

use self::{cast::Cast, report::Report, stage::Vendors};
use super::{DemoArguments, client::Client, progress::Progress};
use crate::{
    conformance::sample::Sample,
    reserved,
    serve::{Server, ended},
    settings::Settings,
    shortened,
};

/// Beside what the number of events suggests: some vendors ask for long pauses when they are called too often.
const PATIENCE: Duration = Duration::from_secs(480);

/// Runs it. The exit code is 0 when nothing was lost, doubled or given up.
///
/// # Errors
/// When something could not be started, a scenario's connection does not work, or the API refused an event.
pub async fn run(mut settings: Settings, arguments: &DemoArguments) -> Result<ExitCode, Problem> {
    if arguments.events > reserved::NUMBERS {
        let most = reserved::NUMBERS;
        let detail = format!(
            "With --all-connectors there are at most {most} events: so many telephone numbers are free for samples."
        );
        return Err(Problem::new(Code::WrongSetting, detail, format!("Ask for at most {most} events.")).at("--events"));
    }
    let folder = settings.connectors.clone();
    let connectors = short_connectors(folder.as_deref())?;
    settings.connectors = Some(connectors.path().to_owned());
    let server = Server::start(&settings).await?;
    let played = play(&settings, arguments, folder, &server).await;
    server.stop(settings.stop).await;
    played
}

/// A folder with the manifests of all connectors that declare read lags, with short ones.
fn short_connectors(own: Option<&std::path::Path>) -> Result<tempfile::TempDir, Problem> {
    let folder = tempfile::tempdir().map_err(|error| {
        let detail = format!("No temporary folder can be made: {error}");
        Problem::new(Code::StoreFailed, detail, "Name another place with TMPDIR.")
    })?;
    let embedded = switchboard_connect::registry::Registry::embedded().map_err(cast::first)?;
    shortened::write(&embedded, folder.path())?;
    for path in own.map(cast::folders).transpose()?.unwrap_or_default() {
        let files = switchboard_connect::load::Files::of_folder(&path)?;
        let slug = path.file_name().unwrap_or_default().to_string_lossy();
        shortened::write_one(&slug, &files.manifest, folder.path())?;
    }
    Ok(folder)
}

async fn play(
    settings: &Settings,
    arguments: &DemoArguments,
    folder: Option<PathBuf>,
    server: &Server,
) -> Result<ExitCode, Problem> {
    let hub = server.hub();
    let workspace = hub.default_workspace().await?;
    let key = match server.first_key() {
        Some(key) => key.to_owned(),
        None => hub.create_key(workspace, "demo").await?.1,
    };
    let subjects = cast::subjects(folder.as_deref())?;
    let vendors = Vendors::start(&subjects, arguments.seed).await?;
    let cast = Cast::new(&subjects, &vendors);
    eprintln!("Switchboard demo: API http://{}  key {key}", server.address());
    eprintln!(
        "{} connectors with {} objects; simulated vendors at {}; data in {}",
        subjects.len(),
        cast.parts.len(),
        vendors.troubled.base_url(),
        settings.data.display()
    );
    hub.configure(workspace, cast.items()).await?;
    try_each(hub, workspace, &cast).await?;
    if !arguments.calm {
        vendors.trouble(&subjects)?;
    }
    let report = measure(arguments, server, &key, workspace, &cast, &vendors).await?;
    match arguments.json {
        true => println!("{}", report.to_json()),
        false => print!("{}", report.to_text()),
    }
    if !arguments.exit {
        eprintln!("The hub stays up until it is stopped (ctrl-c).");
        ended().await;
    }
    vendors.stop().await;
    Ok(if report.is_perfect() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Tries each connection while nothing goes wrong. That also gets the first token where each refresh token is good once.
async fn try_each(hub: &Hub, workspace: WorkspaceId, cast: &Cast) -> Result<(), Problem> {
    for connection in cast.connections() {
        let tested = hub.test_connection(workspace, &connection.key).await?;
        if !tested.ok {
            let detail = format!(
                "The connection `{}` of the demo does not work: {}",
                connection.key, tested.message
            );
            let next = "Compare scenario.yaml with the simulator: switchboard connector test tells more.";
            return Err(Problem::new(Code::Internal, detail, next));
        }
    }
    Ok(())
}

async fn measure(
    arguments: &DemoArguments,
    server: &Server,
    key: &str,
    workspace: WorkspaceId,
    cast: &Cast,
    vendors: &Vendors,
) -> Result<Report, Problem> {
    let hub = server.hub();
    let client = Client::new(server.address(), key)?;
    let progress = Progress::new(hub, workspace, arguments.events);
    let begun = Instant::now();
    let bodies = posts(cast, arguments.events, arguments.seed);
    let posted = client.post_bodies(bodies.into_iter(), &progress).await?;
    if posted.accepted != u64::from(arguments.events) {
        let detail = format!("{} of {} events were accepted", posted.accepted, arguments.events);
        return Err(Problem::new(
            Code::Internal,
            detail,
            "Name a new data folder with --data, or none.",
        ));
    }
    let deadline = match arguments.deadline {
        Some(seconds) => Duration::from_secs(seconds),
        None => PATIENCE + Duration::from_secs(u64::from(arguments.events) / 4),
    };
    let settled = progress.wait(deadline).await?;
    let took = begun.elapsed();
    let given_up = count::given_up(hub, workspace, cast).await?;
    let counted = count::count(cast, vendors, arguments.events, &given_up)?;
    Ok(Report {
        events: arguments.events,
        repeats: posted.repeats,
        settled,
        counted,
        took,
        injected: vendors.injected(),
        script_errors: vendors.script_errors(),
        calm: arguments.calm,
        kept_tokens: cast.kept_tokens(),
    })
}

/// What is posted: every event, and one of twenty a second time, as happens in real life.
fn posts(cast: &Cast, events: u32, seed: u64) -> Vec<Value> {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut numbers: Vec<u32> = (0..events).collect();
    for number in (0..events).filter(|_| chance.random_bool(0.05)).collect::<Vec<_>>() {
        numbers.insert(chance.random_range(0..=numbers.len()), number);
    }
    let body = |number: u32| {
        let sample = Sample::new(number);
        let data = cast
            .shares(number)
            .fold(sample, |sample, (field, share)| sample.with(&field, share.into()));
        serde_json::json!({ "type": "message.received", "id": format!("all-{seed}-{number}"), "data": data.data() })
    };
    numbers.into_iter().map(body).collect()
}
