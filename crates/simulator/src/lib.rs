//! Stateful simulators of the external systems, with a failure dial.
//!
//! Every vendor is a pure core ([`vendor::Vendor`]): a request goes in, a reply comes out, the state inside changes. Around all
//! of them stands one HTTP server, which applies the [`dial::Dial`]: errors, throttling, latency, cut connections.
//!
//! The mail server has a port of its own ([`Running::url`]), and the same dial.
//!
//! The simulators are written from the vendors' documentation and not from Switchboard's connectors, and depend on nothing of
//! Switchboard: a wrong belief in one shows up against the other. The log of calls keeps whatever is sent, credentials included;
//! do not send real ones.

pub mod chance;
pub mod clock;
pub mod consent;
pub mod control;
pub mod credentials;
pub mod dial;
mod edge;
pub mod journal;
pub mod message;
pub mod options;
pub mod rolling;
mod running;
pub mod scripted;
pub mod simulation;
mod smtp;
#[cfg(test)]
mod tests;
pub mod vendor;
pub mod vendors;

pub use clock::{Clock, MachineClock, SetClock};
pub use dial::{Dial, Fault, Rule};
pub use journal::{Call, Summary, VendorSummary};
pub use message::{Reply, Request};
pub use options::Options;
pub use running::{Running, start, url_at};
pub use scripted::{Script, ScriptError};
pub use simulation::{Refused, Simulation};
