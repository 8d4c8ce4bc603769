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

use super::{ANY_PORT, Context, measure_at, receiver, start};
use crate::bench::{
    configuration::Receiver,
    connection::{Connection, Destination},
    failure,
    figures::Section,
    installation::Installation,
    latency::{Latencies, mean},
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
/// Full load takes so many turns at each hub, for the same reason.
const TURNS: usize = 4;
/// What a start or a load does in the background has come to rest.
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
}

/// What a hub did per second under full load, one figure for each turn.
#[derive(Default)]
struct Rates {
    accepted: Vec<f64>,
    delivered: Vec<f64>,
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
    let subjects = [&empty, &full];
    let [light, heavy] = [empty.installation.start().await?, full.installation.start().await?];
    pause(REST).await;
    let page = first_pages(section, subjects).await?;
    let (accepted, delivered) = full_load_by_turns(context, section, subjects).await?;
    light.kill();
    drop_day::measure(context, section, &full.installation, &full.ledger).await?;
    heavy.kill();
    section.figure("accepted_stored_of_empty", accepted);
    section.figure("delivered_stored_of_empty", delivered);
    section.figure("page_stored_of_empty", page);
    Ok(())
}

/// Full load for both by turns; answers what the second accepts and delivers when the first does 1.
async fn full_load_by_turns(
    context: &Context<'_>,
    section: &mut Section,
    subjects: [&Subject; 2],
) -> Result<(f64, f64), Problem> {
    let mut rates = [Rates::default(), Rates::default()];
    for turn in 0..TURNS {
        // Each of them is as often the first.
        for at in [turn % 2, 1 - turn % 2] {
            let Subject {
                installation,
                sink,
                ledger,
                ..
            } = subjects[at];
            let measured = measure_at(context.arguments, installation.events()?, sink, ledger).await?;
            rates[at].accepted.push(measured.accepted);
            rates[at].delivered.push(measured.delivered);
            pause(REST).await;
        }
    }
    for (subject, rates) in subjects.iter().zip(&rates) {
        section.figure(format!("{}_accepted_per_second", subject.name), mean(&rates.accepted));
        section.figure(format!("{}_delivered_per_second", subject.name), mean(&rates.delivered));
    }
    let [light, heavy] = &rates;
    let ratio = |of: fn(&Rates) -> &Vec<f64>| mean(of(heavy)) / mean(of(light)).max(1.0);
    Ok((ratio(|rates| &rates.accepted), ratio(|rates| &rates.delivered)))
}

/// Reads the first page of both by turns; answers how long that of the second takes when that of the first takes 1.
async fn first_pages(section: &mut Section, subjects: [&Subject; 2]) -> Result<f64, Problem> {
    let mut lists = Vec::new();
    for subject in subjects {
        let list = subject.installation.events()?.with_path("/v1/deliveries");
        let connection = Connection::open(list.address).await;
        let connection = connection.ok_or_else(|| unreadable(&list))?;
        lists.push((connection, list, Latencies::default()));
    }
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
