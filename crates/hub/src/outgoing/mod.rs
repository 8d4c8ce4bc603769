//! Outgoing webhooks: endpoints of other programs that are told what happens.
//!
//! An endpoint is a definition; a connection and a route under its key carry it out, made, changed and removed together with it. So what it is
//! told goes through the lanes like any delivery. [`endpoint`] is what a person says about one, [`address`] which addresses may be told
//! anything, [`payload`] the body, [`sample`] an event to try it with, and [`patience`] when nobody has taken anything for too long.
//! Everything here is pure; [`crate::hub`] does it.

pub mod address;
pub mod endpoint;
pub mod patience;
pub mod payload;
pub mod sample;

pub use endpoint::{Endpoint, Owner, Stop};

/// The connector that carries endpoints out.
pub(crate) const CONNECTOR: &str = "webhook";
/// Its object that has their body.
pub(crate) const OBJECT: &str = "notification";
