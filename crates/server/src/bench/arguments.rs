//! What `switchboard bench` is asked to do.

use std::{net::SocketAddr, time::Duration};

use clap::{Args, Subcommand, ValueEnum};

/// What is measured, and how much of it.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct BenchArguments {
    /// What is measured; can be given several times. Without it: single, bulk, steady, half, slow-vendor, outage, start and kill
    #[arg(long, value_name = "NAME")]
    scenario: Vec<Scenario>,
    /// How long each measurement lasts
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Kept connections of the load generator
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    connections: u32,
    /// Size of a message
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u32).range(300..=200_000))]
    bytes: u32,
    /// Events of the scenarios backlog (1,000,000 when not given) and history (10,000,000)
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    events: Option<u64>,
    /// Answer with one JSON object as the last line; the table goes to standard error
    #[arg(long)]
    pub json: bool,
    /// The PostgreSQL server that is measured on (the setting `database`), each scenario with databases of its own; `None`: embedded ones.
    #[arg(skip)]
    pub database: Option<String>,
    /// Drive what runs at this address with the same load: a hub, or another product that takes posts
    #[arg(long, value_name = "URL")]
    pub target: Option<String>,
    /// The target's key, sent as a bearer token
    #[arg(long, requires = "target")]
    pub key: Option<String>,
    /// Where the simulated vendor listens; what the target forwards to it is measured, too
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub sink: SocketAddr,
    /// Parts of the measurement that run as processes of their own.
    #[command(subcommand)]
    pub command: Option<BenchCommand>,
}

/// Processes of the measurement.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// The relay without durability that figures are compared with
    #[command(hide = true)]
    Relay {
        /// Where it forwards to
        #[arg(long)]
        to: String,
    },
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Full load, one call per record: accepted and delivered per second, processor time, memory
    Single,
    /// Full load, up to 50 records per call
    Bulk,
    /// 300 events per second: how long until accepted, how long until delivered
    Steady,
    /// Half of what `single` reached: the same times
    Half,
    /// A vendor that takes 50 ms, 32 calls at once: one record per call against 50
    SlowVendor,
    /// The vendor answers 500, then 429, for 8 seconds at 200 events per second: calls that fail
    Outage,
    /// From the start of the process to the first answer and the first delivery
    Start,
    /// kill -9 under load, with and without a backlog: what is lost or doubled
    Kill,
    /// Events queued for a connection that is down, while another one delivers
    Backlog,
    /// Millions of stored events against a store with one page of them; a day of them is dropped
    History,
}

const STANDARD: [Scenario; 8] = [
    Scenario::Single,
    Scenario::Bulk,
    Scenario::Steady,
    Scenario::Half,
    Scenario::SlowVendor,
    Scenario::Outage,
    Scenario::Start,
    Scenario::Kill,
];

impl Scenario {
    /// Its name on the command line and in JSON.
    pub fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }

    /// What it measures, in one line.
    pub fn about(self) -> String {
        let help = self.to_possible_value().and_then(|value| value.get_help().cloned());
        help.map(|help| help.to_string()).unwrap_or_default()
    }
}

impl BenchArguments {
    /// What is measured, in this order.
    pub fn scenarios(&self) -> Vec<Scenario> {
        if self.scenario.is_empty() {
            STANDARD.to_vec()
        } else {
            self.scenario.clone()
        }
    }

    /// How long each measurement lasts.
    pub fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    /// Kept connections of the load generator.
    pub fn connections(&self) -> usize {
        self.connections as usize
    }

    /// Bytes of a message.
    pub fn bytes(&self) -> usize {
        self.bytes as usize
    }

    /// How many events there are, if the scenario's usual number is `usual`.
    pub fn events(&self, usual: u64) -> u64 {
        self.events.unwrap_or(usual)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        bench: BenchArguments,
    }

    fn read(line: &str) -> Result<BenchArguments, clap::Error> {
        Command::try_parse_from(line.split(' ')).map(|command| command.bench)
    }

    #[test]
    fn scenarios_are_measured_in_the_order_in_which_they_are_named() {
        let named = read("bench --scenario slow-vendor --scenario single").unwrap();
        assert_eq!(named.scenarios(), [Scenario::SlowVendor, Scenario::Single]);
        assert_eq!(read("bench").unwrap().scenarios(), STANDARD);
        assert!(read("bench --scenario fast").is_err());
    }

    #[test]
    fn every_scenario_has_a_name_and_a_line() {
        for scenario in Scenario::value_variants() {
            assert!(
                !scenario.name().is_empty() && scenario.about().len() > 20,
                "{scenario:?}"
            );
        }
        assert_eq!(Scenario::SlowVendor.name(), "slow-vendor");
    }

    #[test]
    fn a_key_needs_a_target() {
        assert!(read("bench --key k").is_err());
        assert!(read("bench --key k --target http://127.0.0.1:1/").is_ok());
        assert!(matches!(
            read("bench relay --to http://127.0.0.1:1/").unwrap().command,
            Some(BenchCommand::Relay { .. })
        ));
    }
}
