//! One try of one delivery, from the mapping to what is written down.
//!
//! [`prepare`] makes the vendor's object; [`run`] asks the connector which call is next and makes it, until the delivery is settled or has to
//! wait; [`send`] makes one call with a token, in the limiter's turn; [`verdict`] decides what becomes of the delivery and [`settle`] writes it down. The intent of a write is on the disk
//! before the write is sent: whatever happens then, the next try knows that there is a doubt.

mod prepare;
mod record;
mod run;
mod send;
mod settle;
mod verdict;

use std::sync::Arc;

pub use prepare::prepare;
pub use run::{Ended, run};
pub use send::{Sent, TokenError, send_call, token};
pub(crate) use settle::mark_refused;

use crate::{clock::Clock, http::Client, lane::backoff::Schedule, metrics::Metrics, store::Store, vault::Vault};

/// What every attempt works with. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The outbound client.
    pub client: Client,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// For secrets that a vendor rotates.
    pub vault: Vault,
    /// How failed deliveries are tried again.
    pub schedule: Schedule,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk")
            .field("schedule", &self.schedule)
            .finish_non_exhaustive()
    }
}
