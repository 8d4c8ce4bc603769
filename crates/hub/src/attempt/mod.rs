//! One try of deliveries that are sent together, from the mapping to what is written down.
//!
//! [`prepare`] looks up beforehand what the connector needs; a [`flight`] takes records of one object; [`case`] is one of them, made by
//! [`record`] (mapping) and [`fold`] (several changes of one record); [`resolve`] looks up the ids of what it names, [`names`] is how far that
//! is; [`call`] makes the calls of a round with [`send`] and a token from [`renew`], as long as [`halt`] does not speak against it; [`verdict`]
//! decides what becomes of a delivery and [`settle`] writes it down. The intent of a write is on the disk before the write is sent: whatever
//! happens then, the next try knows that there is a doubt.

mod call;
mod case;
mod flight;
mod fold;
mod halt;
mod names;
mod prepare;
mod record;
mod renew;
mod resolve;
mod send;
mod settle;
mod verdict;

use std::sync::Arc;

pub use flight::{Ended, fly};
pub use prepare::prepare;
pub(crate) use record::make;
pub use renew::{access_note, ask, token};
pub use resolve::Unanswered;
pub use send::{Exchange, exchange};
pub(crate) use settle::hand_over;
pub(crate) use verdict::sign_in_again;

use crate::{
    automate::Bell,
    clock::Clock,
    configuration::Connection,
    discovery::Doubts,
    http::Client,
    intake::Pace,
    lane::{Leave, Seats, backoff::Schedule},
    metrics::Metrics,
    store::{Fence, Pending, Store},
    vault::Vault,
};

/// What is to be tried: deliveries of one object on one connection, by record and in their order.
#[derive(Debug)]
pub struct Order {
    /// To whom.
    pub connection: Arc<Connection>,
    /// The right to send there.
    pub fence: Fence,
    /// What is to be made.
    pub object: Arc<str>,
    /// The deliveries of each record.
    pub groups: Vec<Vec<Pending>>,
    /// The leave of the connection's circuit.
    pub leave: Leave,
    /// The calls that it may have under way.
    pub seats: Seats,
}

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
    /// How long a primary may be down before its backup takes what waits, in milliseconds.
    pub hand_over_after_ms: i64,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// How much this node owes.
    pub pace: Arc<Pace>,
    /// Whose fields are to be read anew.
    pub doubts: Arc<Doubts>,
    /// Wakes what takes the steps of automations.
    pub bell: Arc<Bell>,
    /// Told when a message comes that waits for its classification.
    pub unclassified: Arc<tokio::sync::Notify>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk")
            .field("schedule", &self.schedule)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
