//! `slow-vendor`: what waits is delivered through a vendor that takes 50 ms for each call, with 32 calls at once.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use switchboard_model::problem::Problem;

use super::{ANY_PORT, Context, drained, receiver, tell_missing, tell_trouble};
use crate::bench::{
    configuration::Receiver,
    figures::Section,
    installation::Installation,
    load::{Load, Pace},
};

const DELAY: Duration = Duration::from_millis(50);
const PARALLEL: u32 = 32;
/// Records per call, first without and then with packing.
const SINGLE: u32 = 1;
const PACKED: u32 = 50;
/// A measurement lasts no longer than this, if the vendor is all that is slow.
const LONGEST: Duration = Duration::from_secs(5);

/// The scenario.
pub async fn measure(context: &Context<'_>, section: &mut Section) -> Result<(), Problem> {
    let one = through(context, section, SINGLE).await?;
    let packed = through(context, section, PACKED).await?;
    section.figure("packed_of_single", packed / one.max(f64::MIN_POSITIVE));
    Ok(())
}

/// Records per second, once everything waits: the vendor holds the first calls until all events are accepted.
async fn through(context: &Context<'_>, section: &mut Section, records: u32) -> Result<f64, Problem> {
    let (sink, ledger) = receiver(ANY_PORT)?;
    let connection = Receiver {
        batch: Some(records),
        parallel: Some(PARALLEL),
        ..Receiver::of_messages(&sink.url())
    };
    let installation = Installation::new(context.database(), &[connection]).await?;
    let hub = installation.start().await?;
    sink.open(false);
    let per_second = f64::from(PARALLEL) / DELAY.as_secs_f64() * f64::from(records);
    let events = (per_second * context.arguments.duration().min(LONGEST).as_secs_f64()) as u64;
    let plan = context.plan(installation.events()?, Pace::Count(events));
    let answers = Load::start(plan, Arc::clone(&ledger))?.end().await;
    tell_trouble(section, &answers);
    sink.delay(DELAY);
    let before = sink.seen();
    sink.open(true);
    let begun = Instant::now();
    let missing = drained(&ledger).await;
    let seconds = begun.elapsed().as_secs_f64();
    let seen = sink.seen();
    hub.kill();
    let rate = (seen.records - before.records) as f64 / seconds;
    section.figure(format!("records_per_second_by_{records}"), rate);
    section.figure(
        format!("calls_per_record_by_{records}"),
        seen.calls as f64 / seen.records.max(1) as f64,
    );
    tell_missing(section, missing);
    Ok(rate)
}
