//! The words of Switchboard's domain and the decisions that need nothing but them.
//!
//! Everything here is pure: no SQL, no HTTP, no clock, no chance. What needs the time of day takes it as an argument.
//! Arrows of the workspace: `model ← connect ← hub ← server`.

pub mod automation;
pub mod classify;
pub mod condition;
pub mod connection;
pub mod delivery;
pub mod event;
pub mod id;
pub mod mapping;
pub mod moment;
pub mod name;
pub mod nearest;
pub mod outcome;
pub mod problem;
pub mod record;
pub mod route;
pub mod template;
