//! The one outbound client: pooled connections, time-outs, size caps, an address filter, and no secret in what it reports.
//! Requests to mail servers go to [`crate::mail`].

mod address;
mod client;
mod connector;
mod excerpt;
mod target;

pub use address::AddressPolicy;
pub(crate) use address::resolve;
pub use client::{Client, SendError};
pub use excerpt::excerpt;
