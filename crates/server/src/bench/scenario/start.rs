//! `start`: how long it takes from the start of the process until events flow.

use std::{sync::Arc, time::Duration};

use switchboard_model::problem::Problem;

use super::{ANY_PORT, Context, receiver};
use crate::bench::{
    configuration::Receiver,
    connection::Connection,
    failure,
    figures::Section,
    installation::Installation,
    latency::median,
    load::{Load, Pace},
    message::Template,
    pace::until,
    sink::Sink,
};

/// Each start is measured so often; the median is told.
const TIMES: usize = 5;
/// Events of the data folder that is not empty, when `single` has left none.
const EVENTS: u64 = 20_000;
const PATIENCE: Duration = Duration::from_secs(30);
const ASK: Duration = Duration::from_micros(200);

/// The scenario.
pub async fn measure(context: &mut Context<'_>, section: &mut Section) -> Result<(), Problem> {
    let (sink, _) = receiver(ANY_PORT)?;
    let receivers = [Receiver::of_messages(&sink.url())];
    let empty = Installation::new(context.database(), &receivers).await?;
    starts(section, "empty", &empty, &sink).await?;
    let filled = match context.kept.take() {
        Some(kept) => {
            kept.connect(&receivers)?;
            kept
        }
        None => {
            fill(context, &empty, &sink).await?;
            empty
        }
    };
    starts(section, "filled", &filled, &sink).await
}

/// Starts a hub several times and tells the medians.
pub async fn starts(
    section: &mut Section,
    name: &str,
    installation: &Installation,
    sink: &Sink,
) -> Result<(), Problem> {
    let (mut open, mut answers, mut delivered) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TIMES {
        let hub = installation.start().await?;
        open.push(milliseconds(hub.open));
        answers.push(milliseconds(hub.answers));
        let ledger = sink.ledger();
        let message = Template::new("message.received", ledger.run(), 1024).message(0);
        ledger.take(1, u64::MAX);
        let to = installation.events()?;
        let mut connection = Connection::open(to.address)
            .await
            .ok_or_else(|| failure("The hub takes no connection", to.address))?;
        let reply = connection.post(&to, message).await;
        let arrival = until(PATIENCE, ASK, async || ledger.arrival(0).ok_or(0)).await;
        let arrival =
            arrival.ok_or_else(|| failure("The first event did not arrive; the answer was", format!("{reply:?}")))?;
        delivered.push(milliseconds(arrival - hub.begun));
        hub.stop().await;
    }
    section.maybe(format!("{name}_port_open_ms"), median(&open));
    section.maybe(format!("{name}_first_answer_ms"), median(&answers));
    section.maybe(format!("{name}_first_delivery_ms"), median(&delivered));
    Ok(())
}

async fn fill(context: &Context<'_>, installation: &Installation, sink: &Sink) -> Result<(), Problem> {
    let hub = installation.start().await?;
    let ledger = sink.ledger();
    let plan = context.plan(installation.events()?, Pace::Count(EVENTS));
    Load::start(plan, Arc::clone(&ledger))?.end().await;
    super::drained(&ledger).await;
    hub.stop().await;
    Ok(())
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
