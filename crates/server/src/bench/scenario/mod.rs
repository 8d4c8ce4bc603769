//! What is measured, one file each, and what the scenarios share.

mod backlog;
mod full_load;
mod history;
mod kill;
mod outage;
mod slow_vendor;
mod start;
mod steady;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use switchboard_model::problem::Problem;

use super::{
    arguments::{BenchArguments, Scenario},
    configuration::MESSAGE,
    connection::Destination,
    figures::Section,
    installation::Installation,
    ledger::Ledger,
    load::{Answers, Pace, Plan},
    pace::until,
    sink::Sink,
};

pub use full_load::{measure_at, tell as tell_measured, tell_answers};
pub use steady::{STEADY, measure_at_rate, post_at_rate, tell as tell_times};

/// Nothing has arrived for so long: nothing more will.
const PATIENCE: Duration = Duration::from_secs(30);
/// Nothing at all has arrived for so long: what is measured forwards nothing.
const SILENCE: Duration = Duration::from_secs(3);
const ASK: Duration = Duration::from_millis(20);
/// Where simulated vendors of scenarios listen.
const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// What scenarios know of the run and of each other.
#[derive(Debug)]
pub struct Context<'a> {
    /// What was asked for.
    pub arguments: &'a BenchArguments,
    /// What `single` reached, accepted and delivered per second.
    pub maximum: Option<f64>,
    /// The data folder that `single` left.
    pub kept: Option<Installation>,
}

impl<'a> Context<'a> {
    /// Of a run that begins.
    pub fn new(arguments: &'a BenchArguments) -> Self {
        Self {
            arguments,
            maximum: None,
            kept: None,
        }
    }

    fn database(&self) -> Option<&'a str> {
        self.arguments.database.as_deref()
    }

    /// Messages at this pace, one in each request.
    fn plan(&self, to: Destination, pace: Pace) -> Plan {
        plan(self.arguments, to, pace)
    }
}

/// Messages at this pace, one in each request.
pub fn plan(arguments: &BenchArguments, to: Destination, pace: Pace) -> Plan {
    Plan {
        to,
        connections: arguments.connections(),
        pace,
        kind: MESSAGE,
        bytes: arguments.bytes(),
        at_once: 1,
    }
}

/// Runs a scenario and writes its figures down.
///
/// # Errors
/// Why it could not be run to its end. The figures until then stay.
pub async fn measure(context: &mut Context<'_>, scenario: Scenario, section: &mut Section) -> Result<(), Problem> {
    match scenario {
        Scenario::Single => full_load::single(context, section).await,
        Scenario::Bulk => full_load::bulk(context, section).await,
        Scenario::Steady => steady::steady(context, section).await,
        Scenario::Half => steady::half(context, section).await,
        Scenario::SlowVendor => slow_vendor::measure(context, section).await,
        Scenario::Outage => outage::measure(context, section).await,
        Scenario::Start => start::measure(context, section).await,
        Scenario::Kill => kill::measure(context, section).await,
        Scenario::Backlog => backlog::measure(context, section).await,
        Scenario::History => history::measure(context, section).await,
    }
}

/// Waits until everything that was accepted has arrived, as long as something arrives. Answers how much has not.
async fn drained(ledger: &Ledger) -> u64 {
    let patience = if ledger.arrived_so_far() == 0 {
        SILENCE
    } else {
        PATIENCE
    };
    let all_arrived = async || {
        let arrived = ledger.arrived_so_far();
        let all = arrived >= ledger.accepted_so_far() && ledger.balance().lost == 0;
        if all { Ok(()) } else { Err(arrived) }
    };
    match until(patience, ASK, all_arrived).await {
        Some(()) => 0,
        None => ledger.balance().lost,
    }
}

/// Bytes as megabytes (10⁶ bytes).
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// A sink with a ledger.
fn receiver(listen: SocketAddr) -> Result<(Sink, Arc<Ledger>), Problem> {
    let sink = Sink::start(listen)?;
    let ledger = sink.ledger();
    Ok((sink, ledger))
}

/// Tells that messages were accepted and did not arrive, if so.
fn tell_missing(section: &mut Section, missing: u64) {
    if missing > 0 {
        section.note(format!(
            "{missing} accepted messages have not arrived within {PATIENCE:?} of the last one."
        ));
    }
}

/// What the answers were, for scenarios that only want to know whether all went well.
fn tell_trouble(section: &mut Section, answers: &Answers) {
    if let Some(refusal) = answers.refusal.get() {
        section.note(format!("Requests were refused, the first with: {refusal}"));
    }
}
