//! Automations at work.
//!
//! [`plan`] says which automations an event begins runs of; their runs are written down in the transaction that accepts the event. The
//! [`runner`] takes runs that are due and goes through their steps. What a step does is decided by [`deed`], without doing it; doing it and
//! writing down that it was done is one transaction of the store, so that after a crash between any two of them the run goes on where it stands,
//! and nothing is lost or doubled. Nothing of a run is in memory only: one that waits lies in the store until it is due.

mod bell;
mod deed;
mod facts;
mod note;
mod plan;
mod records;
mod runner;
mod scribe;
mod sending;
mod trial;

pub use bell::Bell;
pub use plan::{MOST_LINKS, begin, plan};
pub(crate) use runner::{LEASE_MS, Workshop, go_on};
pub(crate) use sending::{Body, sent_record};
pub(crate) use trial::try_out;
pub use trial::{Tried, TriedStep};
