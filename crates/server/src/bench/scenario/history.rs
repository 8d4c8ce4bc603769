//! `history`: millions of stored events slow nothing down, and a day of them is dropped in an instant.

mod drop_day;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use switchboard_hub::{
    DATABASE,
    clock::{Clock, SystemClock},
    store::{Filling, Lifecycle, postgres::PostgresStore, sqlite::SqliteStore},
};
use switchboard_model::{
    id::{ConnectionId, WorkspaceId},
    problem::Problem,
};

use super::{ANY_PORT, Context, full_load::Measured, measure_at, receiver, start};
use crate::bench::{
    child::Child,
    configuration::Receiver,
    connection::{Connection, Destination},
    failure,
    figures::Section,
    installation::Installation,
    latency::Latencies,
    ledger::Ledger,
    pace::pause,
    sink::Sink,
};

const EVENTS: u64 = 10_000_000;
/// They lie over so many days.
const DAYS: u32 = 10;
/// What a store holds that counts as empty, events and days: a first page takes as long as it has rows, and both stores are to have the same.
const ONE_PAGE: (u64, u32) = (50, 1);
/// Length of each stored message.
const BYTES: usize = 1024;
/// The first page of each store is read so often.
const PAGES: usize = 2_000;
/// So many times one after the other; then it is the other store's turn, so that both see the same machine.
const IN_A_ROW: usize = 100;
/// What a start does in the background has come to rest.
const REST: Duration = Duration::from_secs(1);

/// A store, and where it delivers to.
struct Subject {
    name: &'static str,
    installation: Installation,
    sink: Sink,
    ledger: Arc<Ledger>,
}

impl Subject {
    /// One with settled events, over so many days.
    async fn new(context: &Context<'_>, name: &'static str, stored: (u64, u32)) -> Result<Self, Problem> {
        let (sink, ledger) = receiver(ANY_PORT)?;
        let installation = Installation::new(context.database(), &[Receiver::of_messages(&sink.url())]).await?;
        store_settled_events(&installation, stored).await?;
        Ok(Self {
            name,
            installation,
            sink,
            ledger,
        })
    }

    /// Full load; the hub goes on running.
    async fn load(&self, context: &Context<'_>, section: &mut Section) -> Result<(Child, Measured), Problem> {
        let hub = self.installation.start().await?;
        pause(REST).await;
        let to = self.installation.events()?;
        let measured = measure_at(context.arguments, to, &self.sink, &self.ledger).await?;
        section.figure(format!("{}_accepted_per_second", self.name), measured.accepted);
        section.figure(format!("{}_delivered_per_second", self.name), measured.delivered);
        Ok((hub, measured))
    }
}

/// The scenario.
pub async fn measure(context: &Context<'_>, section: &mut Section) -> Result<(), Problem> {
    let events = context.arguments.events(EVENTS);
    let empty = Subject::new(context, "empty", ONE_PAGE).await?;
    let full = Subject::new(context, "stored", (events, DAYS)).await?;
    section.figure("stored_events", events as f64);
    for subject in [&empty, &full] {
        // What these deliver makes today part of the first page of both.
        start::starts(section, subject.name, &subject.installation, &subject.sink).await?;
    }
    let page = first_pages(section, [&empty, &full]).await?;
    let (hub, light) = empty.load(context, section).await?;
    hub.kill();
    let (hub, heavy) = full.load(context, section).await?;
    drop_day::measure(context, section, &full.installation, &full.ledger).await?;
    hub.kill();
    section.figure("accepted_stored_of_empty", heavy.accepted / light.accepted.max(1.0));
    section.figure("delivered_stored_of_empty", heavy.delivered / light.delivered.max(1.0));
    section.figure("page_stored_of_empty", page);
    Ok(())
}

/// Reads the first page of both by turns; answers how long that of the second takes when that of the first takes 1.
async fn first_pages(section: &mut Section, subjects: [&Subject; 2]) -> Result<f64, Problem> {
    let mut hubs = Vec::new();
    let mut lists = Vec::new();
    for subject in subjects {
        hubs.push(subject.installation.start().await?);
        let list = subject.installation.events()?.with_path("/v1/deliveries");
        let connection = Connection::open(list.address).await;
        let connection = connection.ok_or_else(|| unreadable(&list))?;
        lists.push((connection, list, Latencies::default()));
    }
    pause(REST).await;
    for _ in 0..PAGES / IN_A_ROW {
        for (connection, list, times) in &mut lists {
            for _ in 0..IN_A_ROW {
                let asked = Instant::now();
                let reply = connection.get(list).await.filter(|reply| reply.status == 200);
                reply.ok_or_else(|| unreadable(list))?;
                times.record(asked.elapsed());
            }
        }
    }
    hubs.into_iter().for_each(Child::kill);
    for (subject, (.., times)) in subjects.iter().zip(&lists) {
        section.latencies(&format!("{}_first_page", subject.name), times);
    }
    let median = |at: usize| lists[at].2.quantile_ms(0.5).unwrap_or_default();
    Ok(median(1) / median(0).max(0.001))
}

fn unreadable(list: &Destination) -> Problem {
    failure("The list of deliveries cannot be read", &list.path)
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
