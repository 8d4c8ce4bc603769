//! What Switchboard knows of external systems, and what its users write about them.
//!
//! A connector is data: a manifest in `connectors/<slug>/` that says how to connect, what to send and what answers mean.
//! This crate loads manifests ([`registry`]), makes requests and reads answers ([`connector`]), decides which call comes
//! next ([`decision`]), and reads the users' configuration files ([`guide`]). Everything here is pure: nothing is sent,
//! nothing is stored, nobody looks at a clock.

pub mod account;
pub mod auth;
pub mod authorize;
pub mod bulk;
pub mod call;
mod compile;
pub mod connector;
pub mod decision;
pub mod discover;
pub mod document;
mod draft;
pub mod facts;
pub mod form;
pub mod guide;
mod identity;
mod interpolation;
mod items;
pub mod limit;
mod listing;
pub mod load;
pub mod manifest;
mod means;
pub mod object;
mod offers;
mod operation;
mod paging;
mod parameter;
pub mod place;
pub mod prepare;
mod reading;
mod record;
pub mod registry;
mod request;
pub mod resolve;
mod rule;
pub mod schema;
pub mod shape;
pub mod sign;
pub mod source;
mod token_answer;
pub mod translate;
mod tree;
pub mod trial;
