//! The one outbound HTTP client: pooled connections, time-outs, size caps, an address filter, and no secret in what it reports.

mod address;
mod client;
mod connector;
mod excerpt;
mod target;

pub use address::AddressPolicy;
pub use client::{Client, SendError};
pub use excerpt::excerpt;
