//! How much of a day's end the senders feel, and what it gives back.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Deserialize;
use switchboard_model::problem::Problem;

use super::super::{Context, STEADY, measure_at_rate, megabytes, tell_missing, tell_trouble};
use crate::bench::{
    connection::{Connection, Destination},
    failure,
    figures::Section,
    installation::Installation,
    ledger::Ledger,
    pace::pause,
};

/// Events come in for this part of a measurement before the day is dropped; they count from a tenth of it on.
const LEAD: u32 = 5;

#[derive(Debug, Deserialize)]
struct Days {
    items: Vec<Day>,
}

#[derive(Debug, Deserialize)]
struct Day {
    day: String,
    bytes: u64,
}

/// Drops the oldest day of a running hub while events come in.
pub(super) async fn measure(
    context: &Context<'_>,
    section: &mut Section,
    installation: &Installation,
    ledger: &Arc<Ledger>,
) -> Result<(), Problem> {
    let hub = installation.events()?;
    let days = hub.with_path("/v1/history").read::<Days>().await;
    let Some(oldest) = days.and_then(|days| days.items.into_iter().next()) else {
        return Err(failure("No day can be dropped", "the hub lists no history"));
    };
    let (calm, ..) = measure_at_rate(context.arguments, hub.clone(), ledger, STEADY).await?;
    let before = on_disk(&installation.data());
    let span = context.arguments.duration();
    let meanwhile = measure_at_rate(context.arguments, hub.clone(), ledger, STEADY);
    let drop = dropped(&hub, &oldest.day, span / LEAD);
    let (meanwhile, took) = tokio::join!(meanwhile, drop);
    let ((times, answers, missing), took) = (meanwhile?, took?);
    tell_trouble(section, &answers);
    tell_missing(section, missing);
    if span / LEAD + took > span {
        section.note("Dropping the day took longer than accepting was measured: give more --seconds.");
    }
    section.figure("drop_day_ms", took.as_secs_f64() * 1e3);
    section.maybe("drop_day_longest_accept_ms", times.accept.quantile_ms(1.0));
    section.maybe("longest_accept_without_ms", calm.accept.quantile_ms(1.0));
    section.figure("drop_day_mb", megabytes(oldest.bytes));
    // What a database server takes is not in the data folder.
    if installation.database().is_none() {
        let returned = before.saturating_sub(on_disk(&installation.data()));
        section.figure("drop_day_returned_mb", megabytes(returned));
    }
    Ok(())
}

/// Answers how long that took, after a pause.
async fn dropped(hub: &Destination, day: &str, lead: Duration) -> Result<Duration, Problem> {
    pause(lead).await;
    let begun = Instant::now();
    let what = hub.with_path(&format!("/v1/history/{day}"));
    let reply = match Connection::open(hub.address).await {
        Some(mut connection) => connection.delete(&what).await,
        None => None,
    };
    match reply {
        Some(reply) if reply.status < 300 => Ok(begun.elapsed()),
        Some(reply) => Err(failure("A day cannot be dropped", String::from_utf8_lossy(&reply.body))),
        None => Err(failure("A day cannot be dropped", "the hub does not answer")),
    }
}

/// What the files of a folder take, in bytes. One that goes while it is looked at takes nothing.
fn on_disk(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(about) if about.is_dir() => on_disk(&entry.path()),
        Ok(about) => about.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
