//! Counts by connection: gathered while a group of jobs runs, written once at its end.

use std::collections::HashMap;

use rusqlite::{Connection, params};
use switchboard_model::{delivery::DeliveryState, id::ConnectionId};

#[derive(Default)]
struct Delta {
    pending: i64,
    delivered: i64,
    dead: i64,
    last_delivered_ms: Option<i64>,
}

/// What a group of jobs changes in the counts.
#[derive(Default)]
pub(super) struct Tallies(HashMap<ConnectionId, Delta>);

impl Tallies {
    /// A delivery is new, and waits.
    pub(super) fn added(&mut self, connection: ConnectionId) {
        self.0.entry(connection).or_default().pending += 1;
    }

    /// A delivery passed from one state to another.
    pub(super) fn moved(&mut self, connection: ConnectionId, from: DeliveryState, to: DeliveryState, now_ms: i64) {
        if from == to {
            return;
        }
        let delta = self.0.entry(connection).or_default();
        for (state, by) in [(from, -1), (to, 1)] {
            match state {
                DeliveryState::Delivered => delta.delivered += by,
                DeliveryState::Dead => delta.dead += by,
                DeliveryState::Cancelled => {}
                _ => delta.pending += by,
            }
        }
        if to == DeliveryState::Delivered {
            delta.last_delivered_ms = delta.last_delivered_ms.max(Some(now_ms));
        }
    }

    /// Forgets everything, because the group was rolled back.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Writes one row for each connection.
    pub(super) fn write(&mut self, db: &Connection) -> rusqlite::Result<()> {
        for (connection, delta) in self.0.drain() {
            db.prepare_cached(
                "INSERT INTO tally (connection, pending, delivered, dead, last_delivered_ms) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (connection) DO UPDATE SET pending = pending + excluded.pending,
                     delivered = delivered + excluded.delivered, dead = dead + excluded.dead,
                     last_delivered_ms = coalesce(max(last_delivered_ms, excluded.last_delivered_ms),
                                                  excluded.last_delivered_ms, last_delivered_ms)",
            )?
            .execute(params![
                connection.0,
                delta.pending,
                delta.delivered,
                delta.dead,
                delta.last_delivered_ms
            ])?;
        }
        Ok(())
    }
}
