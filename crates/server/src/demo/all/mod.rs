//! `switchboard demo --all-connectors`: every connector that has a scenario, on its simulated vendor, which fails on purpose. What each
//! vendor holds in the end is compared with what the hub accepted.

mod cast;
mod count;
mod dial;
mod report;
mod stage;

use std::{ops::Range, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

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
    conformance::{Subject, sample::Sample},
    connectors::unreadable,
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
    let embedded = switchboard_connect::registry::Registry::embedded().map_err(unreadable)?;
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
    let run = Run {
        arguments,
        hub,
        workspace,
        client: Client::new(server.address(), &key)?,
        progress: Progress::new(hub, workspace, arguments.events),
        cast: &cast,
        vendors: &vendors,
    };
    let report = run.measure(&subjects).await?;
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

/// One run of the demo.
struct Run<'a> {
    arguments: &'a DemoArguments,
    hub: &'a Hub,
    workspace: WorkspaceId,
    client: Client,
    progress: Progress<'a>,
    cast: &'a Cast,
    vendors: &'a Vendors,
}

impl Run<'_> {
    async fn measure(&self, subjects: &[Arc<Subject>]) -> Result<Report, Problem> {
        let DemoArguments { events, calm, .. } = *self.arguments;
        let begun = Instant::now();
        // One record of each object arrives first: what a connection prepares before its first record is the conformance suite's case
        // `cold-start`, and takes many calls with some vendors.
        let first = self.cast.turns().min(events);
        let mut repeats = self.post(0..first).await?;
        self.progress.wait(self.patience()).await?;
        if !calm {
            self.vendors.trouble(subjects)?;
        }
        repeats += self.post(first..events).await?;
        let settled = self.progress.wait(self.patience()).await?;
        let took = begun.elapsed();
        let given_up = count::given_up(self.hub, self.workspace, self.cast).await?;
        Ok(Report {
            events,
            untroubled: if calm { events } else { first },
            repeats,
            settled,
            counted: count::count(self.cast, self.vendors, events, &given_up)?,
            took,
            injected: self.vendors.injected(),
            script_errors: self.vendors.script_errors(),
            calm,
            kept_tokens: self.cast.kept_tokens(),
        })
    }

    fn patience(&self) -> Duration {
        match self.arguments.deadline {
            Some(seconds) => Duration::from_secs(seconds),
            None => PATIENCE + Duration::from_secs(u64::from(self.arguments.events) / 4),
        }
    }

    /// Posts these events; answers how many repeats were recognised.
    async fn post(&self, numbers: Range<u32>) -> Result<u64, Problem> {
        let wanted = u64::from(numbers.end - numbers.start);
        let bodies = posts(self.cast, numbers, self.arguments.seed);
        let posted = self.client.post_bodies(bodies.into_iter(), &self.progress).await?;
        if posted.accepted == wanted {
            return Ok(posted.repeats);
        }
        let detail = format!("{} of {wanted} events were accepted", posted.accepted);
        let next = "Name a new data folder with --data, or none.";
        Err(Problem::new(Code::Internal, detail, next))
    }
}

/// What is posted: every event, and one of twenty a second time, as happens in real life.
fn posts(cast: &Cast, events: Range<u32>, seed: u64) -> Vec<Value> {
    let mut chance = StdRng::seed_from_u64(seed ^ u64::from(events.start));
    let mut numbers: Vec<u32> = events.clone().collect();
    for number in events.filter(|_| chance.random_bool(0.05)).collect::<Vec<_>>() {
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
