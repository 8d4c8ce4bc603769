//! The binary `switchboard`: command line, settings, HTTP API, demo. Decisions live in the crates below; here they are wired.

mod accept;
pub mod api;
mod bench;
pub mod cli;
pub mod conformance;
mod connectors;
pub mod crashtest;
pub mod demo;
mod nearest;
mod presets;
mod reference;
mod reserved;
mod serve;
pub mod settings;
mod shortened;
mod simulated;
mod templates;
