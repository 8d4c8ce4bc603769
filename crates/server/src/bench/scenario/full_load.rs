//! `single` and `bulk`: every connection posts as fast as it is answered.

use std::{
    ops::Range,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use switchboard_model::problem::Problem;

use super::{ANY_PORT, Context, drained, megabytes, plan, receiver, tell_missing};
use crate::bench::{
    arguments::BenchArguments,
    child::{Child, command, free_address},
    configuration::Receiver,
    connection::Destination,
    failure,
    figures::Section,
    installation::Installation,
    latency::{mean, spread},
    ledger::{Ledger, Times},
    load::{Answers, Load, Pace},
    pace::pause,
    process::Used,
    sink::{Seen, Sink},
};

/// Records per call of `bulk`.
const RECORDS: u32 = 50;
/// A larger part of the processors than this, used by others, spoils a measurement.
const BUSY: f64 = 0.05;

/// What full load showed.
#[derive(Debug)]
pub struct Measured {
    /// Accepted per second.
    pub accepted: f64,
    /// Delivered per second while the load lasted.
    pub delivered: f64,
    /// Times of the messages of the measured part.
    pub times: Times,
    /// What the answers were.
    pub answers: Arc<Answers>,
    /// What the receiver has seen, in all.
    pub seen: Seen,
    /// Messages that were accepted in all.
    pub events: u64,
    /// Messages that were accepted and have not arrived.
    pub missing: u64,
    /// How long it took until all had arrived, once nothing more was sent.
    pub catching_up: Duration,
}

/// `single`.
pub async fn single(context: &mut Context<'_>, section: &mut Section) -> Result<(), Problem> {
    let (measured, installation) = beside_relay(context, section, Receiver::of_messages).await?;
    context.maximum = Some(measured.accepted.min(measured.delivered));
    context.kept = Some(installation);
    Ok(())
}

/// `bulk`.
pub async fn bulk(context: &mut Context<'_>, section: &mut Section) -> Result<(), Problem> {
    let receiver = |url: &str| Receiver {
        batch: Some(RECORDS),
        ..Receiver::of_messages(url)
    };
    beside_relay(context, section, receiver).await.map(drop)
}

/// The relay, the hub, the relay again.
async fn beside_relay(
    context: &Context<'_>,
    section: &mut Section,
    connect: impl Fn(&str) -> Receiver,
) -> Result<(Measured, Installation), Problem> {
    // The configuration is checked before minutes are spent.
    let (sink, ledger) = receiver(ANY_PORT)?;
    let installation = Installation::new(context.database(), &[connect(&sink.url())]).await?;
    let mut relays = vec![relay(context).await?];
    let hub = installation.start().await?;
    // Let what a start does in the background come to rest.
    pause(Duration::from_secs(1)).await;
    let watch = hub.watch();
    let measured = measure_at(context.arguments, installation.events()?, &sink, &ledger).await?;
    let used = watch.and_then(|watch| watch.end());
    hub.stop().await;
    relays.push(relay(context).await?);

    let rates: Vec<f64> = relays.iter().map(|relay| relay.per_second).collect();
    section.figure("relay_per_second", mean(&rates));
    section.figure("relay_spread_percent", spread(&rates) * 100.0);
    let cpu: Vec<f64> = relays.iter().filter_map(|relay| relay.cpu_us).collect();
    section.maybe("relay_cpu_per_event_us", (!cpu.is_empty()).then(|| mean(&cpu)));
    tell(section, &measured, mean(&rates));
    tell_used(section, used, measured.events);
    Ok((measured, installation))
}

/// What the relay showed.
#[derive(Debug, Clone, Copy)]
struct Relay {
    per_second: f64,
    cpu_us: Option<f64>,
}

/// The relay under the same load.
async fn relay(context: &Context<'_>) -> Result<Relay, Problem> {
    let (sink, ledger) = receiver(ANY_PORT)?;
    let address = free_address()?;
    let command = command(&["bench", "relay", "--to", &sink.url()])?;
    let log = tempfile::NamedTempFile::new().map_err(|error| failure("No temporary file can be made", error))?;
    let child = Child::start(command, address, log.path()).await?;
    let to = Destination::events(address, None)?;
    let watch = child.watch();
    let measured = measure_at(context.arguments, to, &sink, &ledger).await?;
    let used = watch.and_then(|watch| watch.end());
    child.kill();
    Ok(Relay {
        per_second: measured.delivered,
        cpu_us: used.map(|used| microseconds_each(used.cpu, measured.events)),
    })
}

/// Full load for as long as was asked for, after a tenth of that to get warm; then waits until everything has arrived.
///
/// # Errors
/// When the load generator cannot be started, or nothing was accepted.
pub async fn measure_at(
    arguments: &BenchArguments,
    to: Destination,
    sink: &Sink,
    ledger: &Arc<Ledger>,
) -> Result<Measured, Problem> {
    let load = Load::start(plan(arguments, to, Pace::Full), Arc::clone(ledger))?;
    pause(arguments.duration() / 10).await;
    let (begun, accepted, delivered, first) = snapshot(ledger);
    pause(arguments.duration()).await;
    let (ended, accepted_then, delivered_then, last) = snapshot(ledger);
    let answers = load.stop().await;
    let stopped = Instant::now();
    let missing = drained(ledger).await;
    if ledger.accepted_so_far() == 0 {
        let why = answers.refusal.get().cloned();
        return Err(failure(
            "Nothing was accepted",
            why.unwrap_or_else(|| "nobody answered".into()),
        ));
    }
    let seconds = (ended - begun).as_secs_f64();
    Ok(Measured {
        accepted: (accepted_then - accepted) as f64 / seconds,
        delivered: (delivered_then - delivered) as f64 / seconds,
        times: ledger.times(Range {
            start: first,
            end: last,
        }),
        answers,
        seen: sink.seen(),
        events: ledger.accepted_so_far(),
        missing,
        catching_up: stopped.elapsed(),
    })
}

fn snapshot(ledger: &Ledger) -> (Instant, u64, u64, u64) {
    (
        Instant::now(),
        ledger.accepted_so_far(),
        ledger.arrived_so_far(),
        ledger.taken(),
    )
}

/// Writes down what full load showed, as part of the relay's figures if there are some.
pub fn tell(section: &mut Section, measured: &Measured, relay: f64) {
    section.rate("accepted_per_second", measured.accepted, relay);
    section.latencies("accept", &measured.times.accept);
    tell_answers(section, &measured.answers);
    if measured.seen.records == 0 {
        section.note("Nothing arrived at the simulated vendor.");
        return;
    }
    section.rate("delivered_per_second", measured.delivered, relay);
    section.figure("delivered_of_accepted", measured.delivered / measured.accepted.max(1.0));
    section.figure(
        "calls_per_record",
        measured.seen.calls as f64 / measured.seen.records as f64,
    );
    section.figure("catching_up_seconds", measured.catching_up.as_secs_f64());
    section.figure("missing", measured.missing as f64);
    tell_missing(section, measured.missing);
}

/// Writes down what the answers were, other than that all went well.
pub fn tell_answers(section: &mut Section, answers: &Answers) {
    section.figure("told_to_wait", answers.told_to_wait.load(Relaxed) as f64);
    let failed = answers.refused.load(Relaxed) + answers.broken.load(Relaxed);
    if failed > 0 {
        section.figure("failed_posts", failed as f64);
    }
    super::tell_trouble(section, answers);
}

fn tell_used(section: &mut Section, used: Option<Used>, events: u64) {
    let Some(used) = used else {
        section.note("This system does not tell what a process uses.");
        return;
    };
    section.figure("cpu_per_event_us", microseconds_each(used.cpu, events));
    section.figure("memory_idle_mb", megabytes(used.memory));
    section.figure("memory_peak_mb", megabytes(used.peak));
    section.figure("other_processes_percent", used.others * 100.0);
    if used.others > BUSY {
        section.note("Other processes were busy on this machine; the rates would be higher without them.");
    }
}

fn microseconds_each(time: Duration, events: u64) -> f64 {
    time.as_secs_f64() * 1e6 / events.max(1) as f64
}
