//! Records: who is who, and what becomes of what comes in about them.
//!
//! [`plan`] decides everything from rows that a store has read, and says what is to be written; each store does that inside one transaction.

pub(crate) mod joining;
pub(crate) mod matching;
pub(crate) mod plan;
pub(crate) mod shelf;
