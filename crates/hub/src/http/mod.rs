//! The one outbound HTTP client: pooled connections, time-outs, size caps, an address filter, and no secret in what it reports.

mod address;
mod client;
mod excerpt;

pub use address::AddressPolicy;
pub use client::{Client, SendError};
pub use excerpt::excerpt;
