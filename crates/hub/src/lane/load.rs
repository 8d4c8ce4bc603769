//! How busy a lane is, for people and for the forecast. Written by the lane, read by the API.

use std::time::Duration;

use parking_lot::Mutex;
use switchboard_model::id::DeliveryId;

/// How much a new call weighs in the averages.
const WEIGHT: f64 = 0.2;

/// The load of one lane.
#[derive(Debug, Default)]
pub struct Load(Mutex<Measured>);

/// What was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Measured {
    /// Deliveries that the lane has in memory.
    pub waiting: usize,
    /// Calls that are under way.
    pub in_flight: usize,
    /// Whether more wait in the store than the lane has in memory.
    pub behind: bool,
    /// Records that one call carried of late; 0 before the first.
    pub records_per_call: f64,
    /// How long one took of late, from its start on this node to its settlement, milliseconds.
    pub ms_per_call: f64,
    /// How much of that the vendor took, from 0 to 1.
    pub vendor_share: f64,
    /// The oldest delivery in memory.
    pub oldest: Option<DeliveryId>,
    /// The newest that the lane has heard of.
    pub newest: Option<DeliveryId>,
}

impl Load {
    /// What was measured last.
    pub fn measured(&self) -> Measured {
        *self.0.lock()
    }

    /// How the lane stands now; the averages stay.
    pub(super) fn note(&self, now: Measured) {
        let mut measured = self.0.lock();
        *measured = Measured {
            records_per_call: measured.records_per_call,
            ms_per_call: measured.ms_per_call,
            vendor_share: measured.vendor_share,
            ..now
        };
    }

    /// Whether this node, and not the vendor, is what deliveries wait for.
    pub(super) fn is_own(&self) -> bool {
        let measured = self.0.lock();
        measured.records_per_call > 0.0 && measured.vendor_share < 0.5
    }

    /// A flight of so many records has made `calls` calls at the same time and `took` so long; `vendor` is what the vendor took of that, all calls
    /// together.
    pub(super) fn landed(&self, (records, calls): (usize, usize), took: Duration, vendor: Duration) {
        let mut measured = self.0.lock();
        let calls = calls.max(1) as f64;
        let weight = if measured.records_per_call == 0.0 { 1.0 } else { WEIGHT };
        measured.records_per_call += weight * (records as f64 / calls - measured.records_per_call);
        measured.ms_per_call += weight * (took.as_secs_f64() * 1e3 - measured.ms_per_call);
        let share = vendor.as_secs_f64() / calls / took.as_secs_f64().max(1e-6);
        measured.vendor_share += weight * (share.min(1.0) - measured.vendor_share);
    }
}
