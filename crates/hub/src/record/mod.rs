//! Records: who is who, and what becomes of what comes in about them.
//!
//! [`plan`] decides everything from rows that a store has read, and says what is to be written; each store does that inside one transaction.

mod announce;
pub(crate) mod joining;
pub(crate) mod matching;
pub(crate) mod plan;
mod prepare;
pub(crate) mod shelf;

pub(crate) use announce::announcer;
pub use prepare::{Said, object, prepare};
