//! `kill`: SIGKILL under load. What was accepted arrives, once.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use switchboard_model::problem::Problem;

use super::{ANY_PORT, Context, PATIENCE, drained, receiver};
use crate::bench::{
    configuration::Receiver,
    figures::Section,
    installation::Installation,
    load::{Load, Pace},
    pace::{pause, until},
};

/// Few enough that nothing waits.
const CALM: f64 = 200.0;
/// What the vendor takes for a call, so that calls are under way when the hub is killed.
const DELAY: Duration = Duration::from_millis(2);
const ASK: Duration = Duration::from_millis(1);

/// The scenario.
pub async fn measure(context: &Context<'_>, section: &mut Section) -> Result<(), Problem> {
    once(context, section, "calm", Pace::Rate(CALM)).await?;
    once(context, section, "backlog", Pace::Full).await
}

async fn once(context: &Context<'_>, section: &mut Section, name: &str, pace: Pace) -> Result<(), Problem> {
    let (sink, ledger) = receiver(ANY_PORT)?;
    // The contract of the connector: a call that was cut is repeated with its key, and the receiver knows it.
    sink.recognise_repeats();
    sink.delay(DELAY);
    let installation = Installation::new(context.database(), &[Receiver::of_messages(&sink.url())]).await?;
    let hub = installation.start().await?;
    let load = Load::start(context.plan(installation.events()?, pace), Arc::clone(&ledger))?;
    pause(context.arguments.duration()).await;
    hub.kill();
    load.stop().await;
    let waiting = ledger.balance().lost;
    let again = Instant::now();
    let hub = installation.start().await?;
    let resumed = async || ledger.first_arrival_since(again).ok_or(0);
    let resumed = if waiting > 0 {
        until(PATIENCE, ASK, resumed).await
    } else {
        None
    };
    drained(&ledger).await;
    let balance = ledger.balance();
    section.figure(format!("{name}_accepted"), balance.accepted as f64);
    section.figure(format!("{name}_waiting_at_kill"), waiting as f64);
    section.figure(format!("{name}_lost"), balance.lost as f64);
    section.figure(format!("{name}_doubled"), balance.doubled as f64);
    section.figure(format!("{name}_repeats_recognised"), sink.seen().repeats as f64);
    section.figure(format!("{name}_port_open_ms"), hub.open.as_secs_f64() * 1000.0);
    section.figure(format!("{name}_first_answer_ms"), hub.answers.as_secs_f64() * 1000.0);
    let resumed = resumed.map(|at| (at - again).as_secs_f64() * 1000.0);
    section.maybe(format!("{name}_resumed_ms"), resumed);
    hub.kill();
    Ok(())
}
