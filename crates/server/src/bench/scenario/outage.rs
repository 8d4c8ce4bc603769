//! `outage`: the vendor fails for a while, and the hub should not ask it for each event.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use switchboard_model::problem::Problem;

use super::{ANY_PORT, Context, drained, receiver, tell_missing};
use crate::bench::{
    configuration::Receiver,
    figures::Section,
    installation::Installation,
    load::{Load, Pace},
    pace::pause,
};

const RATE: f64 = 200.0;
const OUTAGE: Duration = Duration::from_secs(8);
const AROUND: Duration = Duration::from_secs(2);

/// The scenario.
pub async fn measure(context: &Context<'_>, section: &mut Section) -> Result<(), Problem> {
    for status in [500, 429] {
        during(context, section, status).await?;
    }
    Ok(())
}

async fn during(context: &Context<'_>, section: &mut Section, status: u16) -> Result<(), Problem> {
    let (sink, ledger) = receiver(ANY_PORT)?;
    let installation = Installation::new(context.database(), &[Receiver::of_messages(&sink.url())]).await?;
    let hub = installation.start().await?;
    let load = Load::start(
        context.plan(installation.events()?, Pace::Rate(RATE)),
        Arc::clone(&ledger),
    )?;
    pause(AROUND).await;
    let first = ledger.accepted_so_far();
    sink.answer(status);
    pause(OUTAGE).await;
    let events = ledger.accepted_so_far() - first;
    sink.answer(200);
    let over = Instant::now();
    pause(AROUND).await;
    let answers = load.stop().await;
    let missing = drained(&ledger).await;
    let caught_up = over.elapsed();
    hub.kill();
    let failed = sink.seen().failed as f64 / events.max(1) as f64;
    section.figure(format!("failed_calls_per_event_{status}"), failed);
    let again = ledger.first_arrival_since(over).map(|at| (at - over).as_secs_f64());
    section.maybe(format!("first_delivery_after_{status}_seconds"), again);
    section.figure(format!("caught_up_after_{status}_seconds"), caught_up.as_secs_f64());
    section.figure(format!("missing_after_{status}"), missing as f64);
    super::tell_trouble(section, &answers);
    tell_missing(section, missing);
    Ok(())
}
