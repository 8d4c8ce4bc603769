//! What is expected of that which waits.

use switchboard_model::{connection::ConnectionState, id::ConnectionId};

use super::Hub;
use crate::{
    configuration::Connection,
    lane::forecast::{LaneState, LaneStatus},
};

impl Hub {
    /// How the lane of a connection stands; `None` when this hub does not send, or has no such connection.
    pub fn lane_status(&self, connection: ConnectionId) -> Option<LaneStatus> {
        let configuration = self.configuration();
        let connection = configuration.connection(connection)?;
        self.inner.running.lock().as_ref()?;
        Some(of_connection(connection))
    }

    /// Now, Unix milliseconds, by the hub's clock.
    pub fn now_ms(&self) -> i64 {
        self.clock().now_ms()
    }
}

/// What the connection alone tells about its lane.
fn of_connection(connection: &Connection) -> LaneStatus {
    let pause = connection.gate.paused_until();
    let state = match connection.state {
        ConnectionState::Error => LaneState::Refused,
        ConnectionState::Draft | ConnectionState::Paused => LaneState::Paused,
        ConnectionState::Active if !connection.enabled => LaneState::Paused,
        ConnectionState::Active if pause.is_some() => LaneState::Limited,
        ConnectionState::Active => LaneState::Sending,
    };
    LaneStatus {
        next_call_ms: pause.unwrap_or(0),
        ..LaneStatus::idle(state)
    }
}
