//! `backlog`: a connection is down and events pile up for it; another connection does not notice.

use std::{sync::Arc, time::Duration};

use switchboard_model::problem::Problem;

use super::{ANY_PORT, Context, STEADY, measure_at_rate, megabytes, receiver, tell_missing, tell_trouble};
use crate::bench::{
    child::free_address,
    configuration::{LEAD, Receiver},
    connection::Destination,
    failure,
    figures::Section,
    installation::Installation,
    ledger::Ledger,
    load::{Load, Pace, Plan},
    pace::pause,
    sink::Sink,
};

const EVENTS: u64 = 1_000_000;
/// Events in one request while they pile up.
const AT_ONCE: u64 = 100;

/// The scenario.
pub async fn measure(context: &Context<'_>, section: &mut Section) -> Result<(), Problem> {
    let (sink, _) = receiver(ANY_PORT)?;
    let down = Receiver {
        key: "down",
        on: LEAD,
        // Nobody listens there.
        ..Receiver::of_messages(&format!("http://{}/", free_address()?))
    };
    let installation = Installation::new(context.database(), &[Receiver::of_messages(&sink.url()), down]).await?;
    let hub = installation.start().await?;
    let before = others(context, section, &installation, &sink, "before").await?;
    let idle = hub.usage().memory;

    let events = context.arguments.events(EVENTS);
    let piling = Arc::new(Ledger::new(rand::random()));
    let plan = Plan {
        kind: LEAD,
        at_once: AT_ONCE,
        connections: context.arguments.connections().min(8),
        ..context.plan(installation.events()?, Pace::Count(events))
    };
    let answers = Load::start(plan, Arc::clone(&piling))?.end().await;
    tell_trouble(section, &answers);
    // What was buffered while they came in is not what a waiting event costs, and what has waited for long is on the disk.
    pause(Duration::from_secs(5)).await;
    #[cfg(unix)]
    tokio::task::spawn_blocking(rustix::fs::sync)
        .await
        .map_err(|error| failure("The backlog cannot be synced", error))?;
    let queued = piling.accepted_so_far();
    let waiting = waiting(&installation.events()?).await?;
    if waiting < queued {
        let detail =
            format!("{queued} events were accepted and {waiting} deliveries wait for the connection that is down");
        return Err(failure("There is no backlog to measure", detail));
    }
    let full = hub.usage().memory;
    let during = others(context, section, &installation, &sink, "during").await?;
    section.figure("queued", queued as f64);
    section.figure("p99_during_of_before", during / before.max(f64::MIN_POSITIVE));
    section.figure("memory_before_mb", megabytes(idle));
    section.figure("memory_during_mb", megabytes(full));
    let grown = megabytes(full) - megabytes(idle);
    section.figure("memory_per_million_queued_mb", grown * 1e6 / queued.max(1) as f64);
    section.figure("memory_peak_mb", megabytes(hub.usage().peak));
    hub.kill();
    Ok(())
}

/// How many deliveries wait for the connection that is down, as the hub says.
async fn waiting(hub: &Destination) -> Result<u64, Problem> {
    let status = hub.with_path("/api/crm/sync-status/down");
    let status = status.read::<serde_json::Value>().await;
    let pending = status.and_then(|status| status["pending"].as_u64());
    pending.ok_or_else(|| {
        failure(
            "The backlog cannot be counted",
            "the hub does not tell the status of its connection",
        )
    })
}

/// How long the other connection's deliveries take; answers the 99th percentile in milliseconds.
async fn others(
    context: &Context<'_>,
    section: &mut Section,
    installation: &Installation,
    sink: &Sink,
    when: &str,
) -> Result<f64, Problem> {
    let ledger = sink.ledger();
    let (times, answers, missing) = measure_at_rate(context.arguments, installation.events()?, &ledger, STEADY).await?;
    section.latencies(&format!("sent_to_delivered_{when}"), &times.whole);
    tell_trouble(section, &answers);
    tell_missing(section, missing);
    Ok(times.whole.quantile_ms(0.99).unwrap_or_default())
}
