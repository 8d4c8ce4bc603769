//! The conformance suite: what every connector has to stand, run against its simulated vendor.
//!
//! A [`subject`] is a connector with its [`scenario`]. Each of the [`cases`] that its manifest makes applicable gets a [`stage`] of its own: a
//! real hub on a temporary store, the simulated vendor with its failure dial, and a connection between them. [`run`] plays them,
//! [`report`] counts and tells.

mod cases;
mod evidence;
pub(crate) mod failure;
mod report;
mod run;
pub(crate) mod sample;
pub mod scenario;
pub mod scores;
pub(crate) mod setup;
pub(crate) mod stage;
mod subject;

pub use cases::{Scope, catalogue};
pub use report::{Ending, Report, Score, WaivedCase};
pub use run::{Selection, run};
pub use subject::Subject;
