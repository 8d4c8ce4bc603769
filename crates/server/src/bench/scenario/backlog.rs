//! `backlog`: a connection is down and events pile up for it; another connection does not notice.

use std::{ops::Range, sync::Arc, time::Duration};

use switchboard_model::problem::Problem;

use super::{ANY_PORT, Context, STEADY, megabytes, post_at_rate, receiver, tell_missing, tell_trouble};
use crate::bench::{
    child::{Child, free_address},
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
/// The measurement takes so many turns at each hub, so that both see the same machine.
const TURNS: u32 = 10;
/// What was buffered while events came in has come to rest.
const REST: Duration = Duration::from_secs(5);

/// A hub with two connections, of which one is down.
struct Subject {
    name: &'static str,
    installation: Installation,
    /// Where the connection that works delivers to; it listens as long as this lives.
    _sink: Sink,
    ledger: Arc<Ledger>,
    hub: Child,
    /// The messages whose times count.
    counted: Vec<Range<u64>>,
}

impl Subject {
    async fn start(context: &Context<'_>, name: &'static str) -> Result<Self, Problem> {
        let (sink, ledger) = receiver(ANY_PORT)?;
        let down = Receiver {
            key: "down",
            on: LEAD,
            // Nobody listens there.
            ..Receiver::of_messages(&format!("http://{}/", free_address()?))
        };
        let installation = Installation::new(context.database(), &[Receiver::of_messages(&sink.url()), down]).await?;
        Ok(Self {
            name,
            hub: installation.start().await?,
            installation,
            _sink: sink,
            ledger,
            counted: Vec::new(),
        })
    }

    /// Events at a fixed rate for the connection that works.
    async fn turn(&mut self, context: &Context<'_>, section: &mut Section) -> Result<(), Problem> {
        let (to, duration) = (self.installation.events()?, context.arguments.duration() / TURNS);
        let (counted, answers, missing) = post_at_rate(context.arguments, to, &self.ledger, STEADY, duration).await?;
        tell_trouble(section, &answers);
        tell_missing(section, missing);
        self.counted.push(counted);
        Ok(())
    }

    /// Writes down how long the deliveries of all turns took; answers the 99th percentile in milliseconds.
    fn tell(&self, section: &mut Section) -> f64 {
        let times = self.ledger.times(self.counted.iter().cloned().flatten()).whole;
        section.latencies(&format!("{}_sent_to_delivered", self.name), &times);
        times.quantile_ms(0.99).unwrap_or_default()
    }
}

/// The scenario.
pub async fn measure(context: &Context<'_>, section: &mut Section) -> Result<(), Problem> {
    let mut calm = Subject::start(context, "calm").await?;
    let mut backlog = Subject::start(context, "backlog").await?;
    for subject in [&mut calm, &mut backlog] {
        // To get warm.
        subject.turn(context, section).await?;
        subject.counted.clear();
    }
    let before = backlog.hub.usage().memory;
    let queued = pile_up(context, section, &backlog.installation).await?;
    let full = backlog.hub.usage().memory;
    for turn in 0..TURNS {
        let mut order = [&mut calm, &mut backlog];
        if turn % 2 == 1 {
            order.reverse();
        }
        for subject in order {
            subject.turn(context, section).await?;
        }
    }
    let p99 = (calm.tell(section), backlog.tell(section));
    section.figure("p99_backlog_of_calm", p99.1 / p99.0.max(f64::MIN_POSITIVE));
    section.figure("queued", queued as f64);
    section.figure("memory_before_mb", megabytes(before));
    section.figure("memory_queued_mb", megabytes(full));
    let grown = megabytes(full) - megabytes(before);
    section.figure("memory_per_million_queued_mb", grown * 1e6 / queued.max(1) as f64);
    section.figure("memory_peak_mb", megabytes(backlog.hub.usage().peak));
    calm.hub.kill();
    backlog.hub.kill();
    Ok(())
}

/// Posts events for the connection that is down and waits until the machine has come to rest. Answers how many wait.
async fn pile_up(context: &Context<'_>, section: &mut Section, installation: &Installation) -> Result<u64, Problem> {
    let piling = Arc::new(Ledger::new(rand::random()));
    let plan = Plan {
        kind: LEAD,
        at_once: AT_ONCE,
        connections: context.arguments.connections().min(8),
        ..context.plan(installation.events()?, Pace::Count(context.arguments.events(EVENTS)))
    };
    let answers = Load::start(plan, Arc::clone(&piling))?.end().await;
    tell_trouble(section, &answers);
    pause(REST).await;
    // What has waited for long is on the disk.
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
    Ok(queued)
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
