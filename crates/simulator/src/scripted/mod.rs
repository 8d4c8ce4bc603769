//! Simulated vendors that are written as scripts (`connectors/<slug>/simulator.rhai`), so that a connector with its simulator
//! needs no compiler.
//!
//! A script defines `settings()`, `handle(req, db)`, `failure(status, req, db)`, `throttle(retry_after_s, req, db)`, and if it
//! wants to `start(db)` and `show(object, row, db)`. It is written in Rhai and pure: it sees a request, its account and
//! nothing else; it reads no files, no clock, and makes no chance of its own. What it can call is registered by the files of
//! this folder, each with its tests as examples.
//!
//! An error in a script is answered with status 500 and a body that names file, line and message, and is kept
//! ([`crate::Simulation::script_errors`]): a test that meets one has to fail.

mod batched;
mod calls;
mod consent;
mod digests;
mod engine;
mod error;
mod graphql;
mod json;
mod kinds;
pub mod library;
mod limits;
mod luck;
mod paths;
mod patterns;
mod reply;
mod request;
mod route;
mod rows;
mod schemas;
mod script;
mod settings;
mod state;
mod tables;
#[cfg(test)]
mod tests;
mod texts;
mod time;
mod tokens;
#[cfg(test)]
mod trial;
mod vendor;

pub use error::ScriptError;
pub use script::{Part, Script};
pub use vendor::Scripted;

/// What a native function reports to a script that called it wrongly.
type Wrong = Box<rhai::EvalAltResult>;
