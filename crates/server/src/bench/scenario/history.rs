//! `history`: millions of stored events slow nothing down.

use std::time::Instant;

use switchboard_model::problem::{Code, Problem};

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
/// The first page is read so often.
const PAGES: usize = 100;

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
    let empty = rates(context, section, "empty", 0).await?;
    let full = rates(context, section, "stored", events).await?;
    section.figure("stored_events", events as f64);
    section.figure("accepted_stored_of_empty", full.accepted / empty.accepted.max(1.0));
    section.figure("delivered_stored_of_empty", full.delivered / empty.delivered.max(1.0));
    section.figure("page_stored_of_empty", full.page_ms / empty.page_ms.max(0.001));
    Ok(())
}

async fn rates(context: &Context<'_>, section: &mut Section, name: &str, stored: u64) -> Result<Rates, Problem> {
    let (sink, ledger) = receiver(ANY_PORT)?;
    let installation = Installation::new(context.database(), &[Receiver::of_messages(&sink.url())])?;
    if stored > 0 {
        store_settled_events(&installation, stored)?;
        start::starts(section, name, &installation, &sink).await?;
    }
    let hub = installation.start().await?;
    let pages = first_pages(&installation.events()?.with_path("/v1/deliveries")).await?;
    let measured = measure_at(context.arguments, installation.events()?, &sink, &ledger).await?;
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

/// Writes events with settled deliveries straight into the store of an installation whose hub does not run. The store has no
/// generator of stored events yet; the scenario says so instead of posting ten million events.
fn store_settled_events(installation: &Installation, events: u64) -> Result<(), Problem> {
    let place = match installation.database() {
        Some(_) => "the database".to_owned(),
        None => installation.data().display().to_string(),
    };
    Err(Problem::new(
        Code::Internal,
        format!("This version cannot write {events} stored events into {place}"),
        "Leave out --scenario history, or use a version that can.",
    ))
}
