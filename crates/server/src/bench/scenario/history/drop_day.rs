//! How much of a day's end the senders feel, and what it gives back.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Deserialize;
use switchboard_model::problem::Problem;

use super::super::{Context, measure_at_rate, megabytes};
use crate::bench::{
    connection::{Connection, Destination},
    failure,
    figures::Section,
    installation::Installation,
    ledger::Ledger,
    pace::pause,
};

/// Events per second that come in meanwhile.
const RATE: f64 = 300.0;
/// They come in for so long before the day is dropped.
const LEAD: Duration = Duration::from_secs(1);

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
    let Some(oldest) = days(&hub).await?.into_iter().next() else {
        return Err(failure("No day can be dropped", "the hub lists no history"));
    };
    let (calm, ..) = measure_at_rate(context.arguments, hub.clone(), ledger, RATE).await?;
    let before = on_disk(&installation.data());
    let meanwhile = measure_at_rate(context.arguments, hub.clone(), ledger, RATE);
    let (meanwhile, took) = tokio::join!(meanwhile, dropped(&hub, &oldest.day));
    let (meanwhile, ..) = meanwhile?;
    section.figure("drop_day_ms", took?.as_secs_f64() * 1e3);
    section.maybe("drop_day_longest_accept_ms", meanwhile.accept.quantile_ms(1.0));
    section.maybe("longest_accept_without_ms", calm.accept.quantile_ms(1.0));
    section.figure("drop_day_mb", megabytes(oldest.bytes));
    // What a database server takes is not in the data folder.
    if installation.database().is_none() {
        let returned = before.saturating_sub(on_disk(&installation.data()));
        section.figure("drop_day_returned_mb", megabytes(returned));
    }
    Ok(())
}

async fn days(hub: &Destination) -> Result<Vec<Day>, Problem> {
    let reply = match Connection::open(hub.address).await {
        Some(mut connection) => connection.get(&hub.with_path("/v1/history")).await,
        None => None,
    };
    let days = reply
        .filter(|reply| reply.status == 200)
        .and_then(|reply| serde_json::from_slice::<Days>(&reply.body).ok());
    days.map(|days| days.items)
        .ok_or_else(|| failure("The days of the history cannot be listed", &hub.path))
}

async fn dropped(hub: &Destination, day: &str) -> Result<Duration, Problem> {
    pause(LEAD).await;
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
