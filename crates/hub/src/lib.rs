//! The engine: one folder per stage of an event's way, in this order.
//!
//! `intake` takes events and makes them durable; `normalise` gives them their variables and identity; `route` decides where they go; the
//! outbox is a table of `store`; a `lane` per connection sends what waits through `attempt`, which speaks to vendors through
//! `http` with tokens from `token`; `vault` seals credentials; `configuration` is the compiled wish of the users.

pub mod attempt;
pub mod clock;
pub mod configuration;
pub mod failpoint;
pub mod http;
mod hub;
pub mod intake;
pub mod lane;
pub mod metrics;
pub mod normalise;
pub mod route;
pub mod store;
pub mod token;
pub mod vault;

pub use hub::{
    Caller, ConnectionView, DATABASE, Hub, HubOptions, RouteView, TestReport, Trial, Tuning, Unchanged, done,
    lock_folder,
};
