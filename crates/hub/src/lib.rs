//! The engine: one folder per stage of an event's way, in this order.
//!
//! `intake` takes events and makes them durable; `classify` gives messages a category and a priority that lack one; `normalise` gives them
//! their variables and identity; `route` decides where they go; the
//! outbox is a table of `store`; `record` decides who is who among what comes in; a `lane` per connection, on the node that has the right to send there, sends what waits through
//! `attempt`, which speaks to vendors through `http`, and to mail servers through `mail`, with tokens from `token` and ids from `lookups`; what is over lies in the store by day. `vault` seals
//! credentials; `configuration` is the compiled wish of the users; `failpoint` is for the crash test.

pub mod attempt;
pub mod automate;
pub mod classify;
pub mod clock;
pub mod configuration;
pub mod discovery;
pub mod failpoint;
pub mod http;
mod hub;
pub mod intake;
pub mod lane;
pub mod lookups;
pub mod mail;
pub mod metrics;
pub mod normalise;
pub mod outgoing;
pub mod receive;
pub mod record;
pub mod route;
pub mod store;
pub mod token;
pub mod vault;
#[cfg(test)]
mod wait;

pub use hub::{
    AutomationView, Caller, Choices, ClassifierView, ConnectionView, Contains, DATABASE, Decided, EndpointChange,
    EndpointView, FIRST_WORKSPACE, Hub, HubOptions, MadeEndpoint, ModelView, NewEndpoint, ObjectSchema, Part,
    RecordPage, RouteView, RunView, Sample, Schema, SignIn, Signature, SignedIn, SourceView, TestReport, Trial, Tuning,
    Unchanged, done, empty_commit, lock_folder, try_rules,
};
