//! What is expected of that which waits.

use switchboard_model::{connection::ConnectionState, id::ConnectionId};

use super::Hub;
use crate::{
    configuration::Connection,
    lane::{
        Measured,
        circuit::State,
        forecast::{LaneState, LaneStatus},
    },
};

/// So many calls are looked ahead to see the pace that the limits allow.
const SAMPLE: u64 = 100;

impl Hub {
    /// How the lane of a connection stands; `None` when this hub does not send, or has no such connection.
    pub fn lane_status(&self, connection: ConnectionId) -> Option<LaneStatus> {
        let configuration = self.configuration();
        let connection = configuration.connection(connection)?;
        let load = self.inner.running.lock().as_ref()?.lanes.load(connection.id);
        Some(status(connection, load, self.now_ms()))
    }

    /// Now, Unix milliseconds, by the hub's clock.
    pub fn now_ms(&self) -> i64 {
        self.clock().now_ms()
    }
}

/// How a connection and its lane stand. `load` is `None` when the lane runs on another node.
fn status(connection: &Connection, load: Option<Measured>, now_ms: i64) -> LaneStatus {
    let circuit = connection.circuit.lock().state(now_ms);
    let next_call_ms = connection.gate.forecast(1, None);
    let state = match (connection.state, circuit) {
        (ConnectionState::Error, _) => LaneState::Refused,
        (ConnectionState::Draft | ConnectionState::Paused, _) => LaneState::Paused,
        (ConnectionState::Active, _) if !connection.enabled => LaneState::Paused,
        (ConnectionState::Active, State::Open { .. }) => LaneState::Open,
        (ConnectionState::Active, State::HalfOpen) => LaneState::Probing,
        (ConnectionState::Active, State::Closed) if next_call_ms > now_ms => LaneState::Limited,
        (ConnectionState::Active, State::Closed) => LaneState::Sending,
    };
    let open_until_ms = match circuit {
        State::Open { until_ms } => Some(until_ms),
        State::Closed | State::HalfOpen => None,
    };
    let load = load.unwrap_or_default();
    // The slower of the two decides: the vendor's limits, or the time that its calls take.
    let by_limits = (connection.gate.forecast(SAMPLE + 1, None) - next_call_ms) as f64 / SAMPLE as f64;
    let by_calls = load.ms_per_call / load.in_flight.max(1) as f64;
    LaneStatus {
        waiting: load.waiting as u64,
        in_flight: load.in_flight,
        oldest: load.oldest,
        newest: load.newest,
        next_call_ms,
        records_per_call: load.records_per_call.max(1.0),
        ms_per_call: by_limits.max(by_calls),
        open_until_ms,
        ..LaneStatus::idle(state)
    }
}
