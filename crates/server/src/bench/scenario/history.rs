//! `history`: millions of stored events slow nothing down, and a day of them is dropped in an instant.

mod drop_day;

use std::{sync::Arc, time::Instant};

use switchboard_hub::{
    DATABASE,
    clock::{Clock, SystemClock},
    store::{Filling, Lifecycle, postgres::PostgresStore, sqlite::SqliteStore},
};
use switchboard_model::{
    id::{ConnectionId, WorkspaceId},
    problem::Problem,
};

use super::{ANY_PORT, Context, measure_at, receiver, start};
use crate::bench::{
    configuration::Receiver,
    connection::{Connection, Destination},
    failure,
    figures::Section,
    installation::Installation,
    latency::Latencies,
};

const EVENTS: u64 = 10_000_000;
/// They lie over so many days.
const DAYS: u32 = 10;
/// What a store holds that counts as empty, events and days: a first page takes as long as it has rows, and both stores are to have the same.
const ONE_PAGE: (u64, u32) = (50, 1);
/// Length of each stored message.
const BYTES: usize = 1024;
/// The first page is read so often: for longer than a hub is busy with its start.
const PAGES: usize = 2_000;

/// What a store shows.
#[derive(Debug, Clone, Copy)]
struct Rates {
    accepted: f64,
    delivered: f64,
    page_ms: f64,
}

/// The scenario.
pub async fn measure(context: &Context<'_>, section: &mut Section) -> Result<(), Problem> {
    let events = context.arguments.events(EVENTS);
    let empty = rates(context, section, "empty", ONE_PAGE).await?;
    let full = rates(context, section, "stored", (events, DAYS)).await?;
    section.figure("stored_events", events as f64);
    section.figure("accepted_stored_of_empty", full.accepted / empty.accepted.max(1.0));
    section.figure("delivered_stored_of_empty", full.delivered / empty.delivered.max(1.0));
    section.figure("page_stored_of_empty", full.page_ms / empty.page_ms.max(0.001));
    Ok(())
}

async fn rates(context: &Context<'_>, section: &mut Section, name: &str, stored: (u64, u32)) -> Result<Rates, Problem> {
    let (sink, ledger) = receiver(ANY_PORT)?;
    let installation = Installation::new(context.database(), &[Receiver::of_messages(&sink.url())]).await?;
    store_settled_events(&installation, stored).await?;
    // In both: what they deliver makes today part of the first page, which costs it one more day to look into.
    start::starts(section, name, &installation, &sink).await?;
    let hub = installation.start().await?;
    let pages = first_pages(&installation.events()?.with_path("/v1/deliveries")).await?;
    let measured = measure_at(context.arguments, installation.events()?, &sink, &ledger).await?;
    if stored != ONE_PAGE {
        drop_day::measure(context, section, &installation, &ledger).await?;
    }
    hub.kill();
    section.figure(format!("{name}_accepted_per_second"), measured.accepted);
    section.figure(format!("{name}_delivered_per_second"), measured.delivered);
    section.latencies(&format!("{name}_first_page"), &pages);
    Ok(Rates {
        accepted: measured.accepted,
        delivered: measured.delivered,
        page_ms: pages.quantile_ms(0.5).unwrap_or_default(),
    })
}

async fn first_pages(list: &Destination) -> Result<Latencies, Problem> {
    let wrong = || failure("The list of deliveries cannot be read", &list.path);
    let mut connection = Connection::open(list.address).await.ok_or_else(wrong)?;
    let mut times = Latencies::default();
    for _ in 0..PAGES {
        let asked = Instant::now();
        let reply = connection.get(list).await.filter(|reply| reply.status == 200);
        reply.ok_or_else(wrong)?;
        times.record(asked.elapsed());
    }
    Ok(times)
}

/// Writes events with settled deliveries straight into the store of an installation whose hub does not run.
async fn store_settled_events(installation: &Installation, (events, days): (u64, u32)) -> Result<(), Problem> {
    let clock = Arc::new(SystemClock);
    let (workspace, connection) = (WorkspaceId(1), ConnectionId(1));
    let (events, now_ms) = (usize::try_from(events).unwrap_or(usize::MAX), clock.now_ms());
    let filling = Filling {
        workspace,
        connection,
        events,
        days,
        now_ms,
        bytes: BYTES,
    };
    match installation.database() {
        None => {
            let store = SqliteStore::open(&installation.data().join(DATABASE), clock)?;
            store.fill(filling).await?;
            store.close();
        }
        Some(url) => {
            let store = PostgresStore::open(url, clock).await?;
            store.fill(filling).await?;
            store.close().await?;
        }
    }
    Ok(())
}
