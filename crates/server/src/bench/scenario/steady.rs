//! `steady` and `half`: a fixed rate, and how long messages take.

use std::{ops::Range, sync::Arc, time::Duration};

use switchboard_model::problem::Problem;

use super::{ANY_PORT, Context, drained, plan, receiver, tell_missing};
use crate::bench::{
    arguments::BenchArguments,
    configuration::Receiver,
    connection::Destination,
    figures::Section,
    installation::Installation,
    ledger::{Ledger, Times},
    load::{Answers, Load, Pace},
    pace::pause,
};

/// Events per second of `steady`.
pub const STEADY: f64 = 300.0;

/// `steady`.
pub async fn steady(context: &Context<'_>, section: &mut Section) -> Result<(), Problem> {
    at_rate(context, section, STEADY).await
}

/// `half`. Without `single` before it, the maximum is measured first.
pub async fn half(context: &mut Context<'_>, section: &mut Section) -> Result<(), Problem> {
    if context.maximum.is_none() {
        let mut first = Section::new("single".into(), String::new());
        super::full_load::single(context, &mut first).await?;
    }
    at_rate(context, section, (context.maximum.unwrap_or_default() / 2.0).max(1.0)).await
}

async fn at_rate(context: &Context<'_>, section: &mut Section, rate: f64) -> Result<(), Problem> {
    let (sink, ledger) = receiver(ANY_PORT)?;
    let installation = Installation::new(context.database(), &[Receiver::of_messages(&sink.url())]).await?;
    let hub = installation.start().await?;
    let (times, answers, missing) = measure_at_rate(context.arguments, installation.events()?, &ledger, rate).await?;
    hub.stop().await;
    section.figure("rate_per_second", rate);
    tell(section, &times);
    super::tell_answers(section, &answers);
    tell_missing(section, missing);
    Ok(())
}

/// Writes down how long messages took.
pub fn tell(section: &mut Section, times: &Times) {
    section.latencies("accept", &times.accept);
    section.latencies("accepted_to_delivered", &times.deliver);
    section.latencies("sent_to_delivered", &times.whole);
}

/// Posts at this rate for as long as was asked for, after a tenth of that to get warm, and waits until everything has arrived.
/// Times count from the moment when a message was due, so that a hub that stalls does not get fewer messages to be slow with.
///
/// # Errors
/// When the load generator cannot be started.
pub async fn measure_at_rate(
    arguments: &BenchArguments,
    to: Destination,
    ledger: &Arc<Ledger>,
    rate: f64,
) -> Result<(Times, Arc<Answers>, u64), Problem> {
    let (numbers, answers, missing) = post_at_rate(arguments, to, ledger, rate, arguments.duration()).await?;
    Ok((ledger.times(numbers), answers, missing))
}

/// The same for this long; answers the numbers of the messages that count.
///
/// # Errors
/// When the load generator cannot be started.
pub async fn post_at_rate(
    arguments: &BenchArguments,
    to: Destination,
    ledger: &Arc<Ledger>,
    rate: f64,
    duration: Duration,
) -> Result<(Range<u64>, Arc<Answers>, u64), Problem> {
    let load = Load::start(plan(arguments, to, Pace::Rate(rate)), Arc::clone(ledger))?;
    pause(duration / 10).await;
    let first = ledger.taken();
    pause(duration).await;
    let last = ledger.taken();
    let answers = load.stop().await;
    let missing = drained(ledger).await;
    Ok((first..last, answers, missing))
}
