//! What a lane holds in memory, and what of it may be sent next.
//!
//! First in, first out per record; a record that waits for its next try holds back its own followers only.

use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    sync::Arc,
};

use switchboard_model::id::DeliveryId;

use crate::store::Pending;

/// A record on this lane's connection: object and key.
type Record = (Arc<str>, String);

/// What waits for one record, and whether something of it is being sent.
#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Pending>,
    in_flight: bool,
}

/// The deliveries that a lane has in memory.
#[derive(Debug, Default)]
pub struct Window {
    queues: HashMap<Record, Queue>,
    /// The first of each queue that has nothing in flight, by the moment when it is due.
    heads: BTreeSet<(i64, DeliveryId, Record)>,
    in_flight: HashSet<DeliveryId>,
    waiting: usize,
}

impl Window {
    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// How many are being sent.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Adds a delivery at its place in the order of ids. One that is being sent already is left out.
    pub fn push(&mut self, pending: Pending) {
        if self.in_flight.contains(&pending.id) {
            return;
        }
        let record = (Arc::clone(&pending.object), pending.record_key.clone());
        let queue = self.queues.entry(record.clone()).or_default();
        let at = queue.waiting.partition_point(|other| other.id < pending.id);
        if queue.waiting.get(at).is_some_and(|other| other.id == pending.id) {
            return;
        }
        if at == 0 && !queue.in_flight {
            if let Some(old) = queue.waiting.front() {
                self.heads.remove(&(old.due_ms, old.id, record.clone()));
            }
            self.heads.insert((pending.due_ms, pending.id, record));
        }
        queue.waiting.insert(at, pending);
        self.waiting += 1;
    }

    /// The delivery that has been due for longest. Its record is busy until [`Window::done`].
    pub fn take(&mut self, now_ms: i64) -> Option<Pending> {
        let (due_ms, ..) = self.heads.first()?;
        if *due_ms > now_ms {
            return None;
        }
        let (_, id, record) = self.heads.pop_first()?;
        let queue = self.queues.get_mut(&record)?;
        let pending = queue.waiting.pop_front()?;
        queue.in_flight = true;
        self.in_flight.insert(id);
        self.waiting -= 1;
        Some(pending)
    }

    /// A delivery that was taken is no longer being sent. `again`: it waits once more, in front of its followers.
    pub fn done(&mut self, id: DeliveryId, object: &Arc<str>, record_key: &str, again: Option<Pending>) {
        self.in_flight.remove(&id);
        let record = (Arc::clone(object), record_key.to_owned());
        let Some(queue) = self.queues.get_mut(&record) else {
            return;
        };
        queue.in_flight = false;
        if let Some(pending) = again {
            queue.waiting.push_front(pending);
            self.waiting += 1;
        }
        match queue.waiting.front() {
            Some(head) => {
                self.heads.insert((head.due_ms, head.id, record));
            }
            None => {
                self.queues.remove(&record);
            }
        }
    }

    /// When the next one is due; it may be due already.
    pub fn next_due(&self) -> Option<i64> {
        self.heads.first().map(|(due_ms, ..)| *due_ms)
    }

    /// Forgets everything that is not being sent.
    pub fn clear(&mut self) {
        self.heads.clear();
        self.waiting = 0;
        self.queues.retain(|_, queue| {
            queue.waiting.clear();
            queue.in_flight
        });
    }
}

#[cfg(test)]
mod tests;
